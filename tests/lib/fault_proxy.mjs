// fault_proxy.mjs - an HTTP proxy that does to requests, by script, what proxies
// on the way to a daemon do by accident or by policy.
//
//	const proxy = await FaultProxy.start({
//		target: 'http://127.0.0.1:8080',
//		script: ({ n }) => n === 0 ? { cutAfterMs: 1000 } : {},
//	});
//	... fetch(`${proxy.url}/events`) ...
//	await proxy.close();
//
// Ready-made scripts and answers are in fault_scripts.mjs, and exported here, too.
// It knows nothing of the protocol that it carries, and needs nothing but Node
// 18, so that clients of any kind can be tested through it: as a gateway (give
// it a target) or as the proxy of a client's settings (absolute-form requests
// and CONNECT, which then name where to go if there is no target).
//
// For each request the script is called with an exchange (below) and returns
// what is to happen, or a promise of it.  All members are optional, and they
// combine; nothing at all means: pass it on.
//
//	delayMs		wait before anything else is done
//	answer		{ status, headers, body }: reply so, and forward nothing
//	stripRequest	names of header fields that the target does not get, or
//			true for all but what HTTP itself needs
//	repeat		send the request to the target so many times, at once
//	forward		'first' or 'last': of the replies to repeated requests,
//			the client gets the one that came first (or last); the
//			other requests stay under way
//	drop		have the target's whole reply, and close the client's
//			connection instead of sending it
//	truncate	so many bytes of the reply's body, then close
//	cutAfterMs	so long after the request is there, close both sides
//	stripResponse	like stripRequest, of the reply
//	buffer		have the whole reply before the client gets any of it
//	bytesPerSecond	a slow line: pass the reply's body on in pieces, 20 of
//			them a second
//
// A request is read whole before the script sees it; a reply is passed on piece
// by piece, unless one of the above needs it whole.  When a client goes away,
// so do its requests to the target.  Connections to the target are never kept,
// and Upgrade never passes, as with most proxies.  Of a tunnel (CONNECT) only
// delayMs, answer and cutAfterMs can be scripted; once it was open, it ends as
// forwarded or cut.
//
// An exchange, as the script and proxy.requests have it:
//	n		0, 1, 2 ... in the order of arrival
//	method, target	as in the request line
//	path		the target without scheme and authority
//	headers		lower-case name -> value
//	body		a Buffer
//	action		what the script said
//	replies		[{ status, headers, body }] that the target has given
//	end		null while under way, then one of: forwarded, answered,
//			dropped, truncated, cut, client-gone, target-failed,
//			script-failed
//	forwarded	promise: the (first) request to the target is out
//	done		promise of end
import http from 'node:http';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { gatewayError } from './fault_scripts.mjs';

export * from './fault_scripts.mjs';

// RFC 9110, section 7.6.1.
const HOP_BY_HOP = new Set(['connection', 'keep-alive', 'proxy-authenticate',
	'proxy-authorization', 'proxy-connection', 'te', 'trailer',
	'transfer-encoding', 'upgrade']);
// What a message cannot do without: "all" leaves these alone.
const FRAMING = new Set(['host', 'content-length']);
const MAX_BODY_BYTES = 16 << 20;

export class FaultProxy {
	constructor({ target, script })
	{
		this.target = target;
		this.script = script;
		this.requests = [];
		this.watchers = new Set();
		this.sockets = new Set();
		// Idle connections stay: a client's request must not meet an
		// accidental close where none is scripted.
		this.server = http.createServer({ keepAliveTimeout: 0 },
		    (req, res) => this.onRequest(req, res));
		this.server.on('connect', (req, socket, head) =>
		    this.onConnect(req, socket, head));
		this.server.on('clientError', (error, socket) => socket.destroy());
		this.server.on('connection', (socket) => this.keep(socket));
	}

	// Listen.  target: 'http://host:port', { host, port } or { path } of a
	// Unix socket; null: where each request says.  script: see above.  Both
	// may be replaced at any time.
	static start({ target = null, script = () => ({}), host = '127.0.0.1',
	    port = 0 } = {})
	{
		const proxy = new FaultProxy({ target, script });

		return new Promise((resolve, reject) => {
			proxy.server.once('error', reject);
			proxy.server.listen(port, host, () => {
				proxy.host = host;
				proxy.port = proxy.server.address().port;
				proxy.url = `http://${host.includes(':') ?
				    `[${host}]` : host}:${proxy.port}`;
				resolve(proxy);
			});
		});
	}

	// Stop listening and close all connections.
	close()
	{
		return new Promise((resolve) => {
			this.server.close(resolve);
			for (const socket of this.sockets)
				socket.destroy();
		});
	}

	// How many requests match so far.
	count(match = () => true)
	{
		return this.requests.filter(match).length;
	}

	// The first matching exchange: one that has been, or else one to come.
	saw(match = () => true)
	{
		const past = this.requests.find(match);

		if (past)
			return Promise.resolve(past);
		return new Promise((resolve) => {
			const watcher = (exchange) => {
				if (!match(exchange))
					return;
				this.watchers.delete(watcher);
				resolve(exchange);
			};

			this.watchers.add(watcher);
		});
	}

	keep(socket)
	{
		this.sockets.add(socket);
		socket.on('error', () => {});
		socket.on('close', () => this.sockets.delete(socket));
	}

	begin(req)
	{
		const exchange = {
			n: this.requests.length,
			method: req.method, target: req.url, path: req.url,
			headers: { ...req.headers }, rawHeaders: req.rawHeaders,
			body: Buffer.alloc(0), action: null, replies: [], end: null,
			// Aborted when the client is to get nothing (more).
			over: new AbortController(),
		};

		exchange.forwarded = new Promise((resolve) => {
			exchange.onForwarded = resolve;
		});
		exchange.done = new Promise((resolve) => {
			exchange.finish = (end) => {
				exchange.end ??= end;
				clearTimeout(exchange.cutTimer);
				resolve(exchange.end);
			};
		});
		if (/^https?:\/\//i.test(req.url)) {
			const url = new URL(req.url);

			exchange.path = url.pathname + url.search;
		}
		this.requests.push(exchange);
		return exchange;
	}

	// Ask the script.
	async decide(exchange, socket)
	{
		for (const watcher of [...this.watchers])
			watcher(exchange);

		const action = await this.script(exchange) ?? {};

		exchange.action = action;
		if (action.cutAfterMs !== undefined)
			exchange.cutTimer = setTimeout(() => {
				if (!exchange.end)
					closeEarly(exchange, 'cut', socket);
			}, action.cutAfterMs);
		if (action.delayMs)
			await new Promise((resolve) => {
				const timer = setTimeout(resolve, action.delayMs);

				exchange.over.signal.addEventListener('abort', () => {
					clearTimeout(timer);
					resolve();
				});
			});
		return action;
	}

	async onRequest(req, res)
	{
		const exchange = this.begin(req);

		res.on('close', () => {
			if (exchange.end !== 'forwarded')
				exchange.over.abort();
			exchange.finish('client-gone');
		});
		try {
			exchange.body = await readAll(req);
		} catch {
			closeEarly(exchange, 'client-gone', req.socket);
			return;
		}
		try {
			const action = await this.decide(exchange, req.socket);

			if (exchange.end)
				return;
			if (action.answer)
				send(exchange, res, action.answer, 'answered');
			else
				await this.forward(exchange, res, action);
		} catch (error) {
			// Those of client and target have ended the exchange.
			if (exchange.end)
				return;
			console.error(error);
			closeEarly(exchange, 'script-failed', req.socket);
		}
	}

	async forward(exchange, res, action)
	{
		const { repeat = 1, forward = 'first', stripResponse } = action;
		const needsWhole = repeat > 1 || action.buffer || action.drop ||
		    action.truncate !== undefined || action.bytesPerSecond;
		const strip = (reply) => ({ ...reply,
			headers: without(reply.headers, stripResponse) });
		const onHead = needsWhole ? () => {} :
		    (reply) => writeHead(res, strip(reply));
		const onPart = needsWhole ? () => {} : (part) => res.write(part);
		const requests = Array.from({ length: repeat }, () =>
		    this.ask(exchange, { onHead, onPart }));
		let reply;

		try {
			reply = forward === 'first' ? await Promise.any(requests) :
			    await lastOf(requests);
		} catch {
			if (exchange.end)
				return;
			if (res.headersSent)
				closeEarly(exchange, 'target-failed', res.socket);
			else
				send(exchange, res, gatewayError(502),
				    'target-failed');
			return;
		}
		if (exchange.end)
			return;
		if (action.drop) {
			closeEarly(exchange, 'dropped', res.socket);
		} else if (action.truncate !== undefined) {
			writeHead(res, strip(reply));
			res.write(reply.body.subarray(0, action.truncate), () =>
			    closeEarly(exchange, 'truncated', res.socket));
		} else if (action.bytesPerSecond) {
			await trickle(exchange, res, strip(reply));
		} else if (needsWhole) {
			send(exchange, res, strip(reply), 'forwarded');
		} else {
			exchange.end = 'forwarded';
			res.end(() => exchange.finish('forwarded'));
		}
	}

	// One request to the target, and its whole reply.
	ask(exchange, { onHead, onPart })
	{
		const { body, method } = exchange;
		const headers = without(endToEnd(exchange.rawHeaders),
		    exchange.action.stripRequest)
		    .filter(([name]) => name.toLowerCase() !== 'content-length');

		if (body.length > 0 || method === 'POST')
			headers.push(['Content-Length', String(body.length)]);
		return new Promise((resolve, reject) => {
			const req = http.request({ ...this.addressOf(exchange), method,
				path: exchange.path, headers: headers.flat(),
				agent: false, signal: exchange.over.signal });

			req.on('socket', (socket) => this.keep(socket));
			req.on('error', reject);
			req.on('finish', exchange.onForwarded);
			req.on('response', async (res) => {
				const reply = { status: res.statusCode,
					headers: endToEnd(res.rawHeaders) };

				try {
					onHead(reply);
					reply.body = await readAll(res, onPart);
					exchange.replies.push({ ...reply,
						headers: res.headers });
					resolve(reply);
				} catch (error) {
					reject(error);
				}
			});
			req.end(body);
		});
	}

	addressOf(exchange)
	{
		const { target } = this;

		if (target && typeof target !== 'string')
			return target.path ? { socketPath: target.path } :
			    { host: target.host, port: target.port };

		const url = new URL(target ?? (exchange.method === 'CONNECT' ?
		    `http://${exchange.target}` : exchange.target));

		return { host: url.hostname.replace(/^\[|\]$/g, ''),
			port: Number(url.port || 80) };
	}

	async onConnect(req, socket, head)
	{
		const exchange = this.begin(req);

		// Node has let go of the socket: it is ours alone.
		socket.on('close', () => {
			exchange.over.abort();
			exchange.finish(exchange.isOpen ? 'forwarded' :
			    'client-gone');
		});
		try {
			const action = await this.decide(exchange, socket);

			if (exchange.end)
				return;
			if (action.answer) {
				const { status, body = '' } = action.answer;

				exchange.end = 'answered';
				socket.end(`HTTP/1.1 ${status} ` +
				    `${http.STATUS_CODES[status]}\r\nContent-Length: ` +
				    `${Buffer.byteLength(body)}\r\n\r\n${body}`);
				return;
			}
			this.openTunnel(exchange, socket, head);
		} catch (error) {
			console.error(error);
			closeEarly(exchange, 'script-failed', socket);
		}
	}

	openTunnel(exchange, socket, head)
	{
		const { socketPath, ...address } = this.addressOf(exchange);
		const other = net.connect(socketPath ? { path: socketPath } :
		    address);

		this.keep(other);
		other.on('connect', () => {
			socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
			other.write(head);
			socket.pipe(other).pipe(socket);
			exchange.isOpen = true;
			exchange.onForwarded();
		});
		other.on('error', () =>
		    closeEarly(exchange, 'target-failed', socket));
		other.on('close', () => socket.end());
		socket.on('close', () => other.destroy());
	}
}

// End an exchange by closing the client's connection.
function closeEarly(exchange, end, socket)
{
	exchange.end ??= end;
	exchange.over.abort();
	socket?.destroy();
}

async function trickle(exchange, res, reply)
{
	const size = Math.ceil(exchange.action.bytesPerSecond / 20);
	const { over } = exchange;

	writeHead(res, reply);
	res.flushHeaders();
	for (let at = 0; at < reply.body.length; at += size) {
		await pause(50, null, { signal: over.signal });
		res.write(reply.body.subarray(at, at + size));
	}
	exchange.end = 'forwarded';
	res.end(() => exchange.finish('forwarded'));
}

function send(exchange, res, reply, end)
{
	const { body = '' } = reply;
	const hasBody = exchange.method !== 'HEAD' && reply.status !== 204 &&
	    reply.status !== 304;

	exchange.end = end;
	writeHead(res, { ...reply, headers: hasBody ?
	    [...[reply.headers ?? []].flatMap(pairsOf)
	        .filter(([name]) => name.toLowerCase() !== 'content-length'),
	    ['Content-Length', String(Buffer.byteLength(body))]] :
	    pairsOf(reply.headers ?? []) });
	res.end(hasBody ? body : undefined, () => exchange.finish(end));
}

function writeHead(res, { status, headers })
{
	res.sendDate = false;
	res.writeHead(status, pairsOf(headers).flat());
}

// Header fields as [[name, value]], from that or from an object.
function pairsOf(headers)
{
	return Array.isArray(headers) ? headers : Object.entries(headers);
}

// Node's raw header list as pairs, without those that concern one hop only.
function endToEnd(rawHeaders)
{
	const all = [];

	for (let i = 0; i < rawHeaders.length; i += 2)
		all.push([rawHeaders[i], rawHeaders[i + 1]]);

	const named = all.filter(([name]) => name.toLowerCase() === 'connection')
	    .flatMap(([, value]) => value.split(','))
	    .map((name) => name.trim().toLowerCase());

	return all.filter(([name]) => !HOP_BY_HOP.has(name.toLowerCase()) &&
	    !named.includes(name.toLowerCase()));
}

function without(headers, strip)
{
	if (strip === true)
		return headers.filter(([name]) => FRAMING.has(name.toLowerCase()));
	const names = new Set((strip ?? []).map((name) => name.toLowerCase()));

	return headers.filter(([name]) => !names.has(name.toLowerCase()));
}

async function readAll(stream, onPart = () => {})
{
	const parts = [];
	let n = 0;

	for await (const part of stream) {
		n += part.length;
		if (n > MAX_BODY_BYTES)
			throw new Error(`more than ${MAX_BODY_BYTES} bytes of body`);
		parts.push(part);
		onPart(part);
	}
	return Buffer.concat(parts);
}

async function lastOf(promises)
{
	let last;

	await Promise.all(promises.map(async (promise) => {
		last = await promise;
	}));
	return last;
}
