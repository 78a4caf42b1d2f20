// peerpost.mjs - what the black-box tests stand on: daemons of their own,
// requests, players, raw sockets.
//
// Every daemon gets a scratch folder with its database and its test clock,
// and both end with the test (or the file) that started it: stopped by a hook,
// killed when the process exits, killed by the kernel when the process is
// itself killed.  A daemon that dies unasked, or whose stderr shows a
// sanitizer's report or a failed assertion, fails the file.
//
// Tests speak to a daemon through request() only, so that the same cases run
// through another protocol: a transport turns one request into one response
// (see registerTransport).  Only tests whose subject is HTTP itself use
// rawExchange().
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { after, afterEach } from 'node:test';
import tls from 'node:tls';
import { pathToFileURL } from 'node:url';
import { checkReply } from './openapi.mjs';
import { rest, restTogether } from './rest.mjs';
import { DEADLINE_MS, until, within } from './wait.mjs';

export { until, within };

export const program =
    path.resolve(process.env.PEERPOSTD ?? 'src/peerpostd');

const TICK_MS = 20;

const SUSPICIOUS =
    /(?:Address|Leak|Thread|Memory)Sanitizer|runtime error:|Assertion .* failed/;

// Several loop threads must make no difference that a client sees.
export const ioThreads = Number(process.env.PEERPOST_TEST_IO_THREADS ?? 1);

const hasSetpriv = spawnSync('setpriv', ['--version']).status === 0;
const daemons = new Set();

process.on('exit', () => {
	for (const daemon of daemons)
		daemon.abandon();
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
	process.on(signal, () => process.exit(1));

// A fresh folder that goes with the process (or earlier, by the caller).
const scratchDirs = new Set();

export function scratchDir()
{
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'peerpost-test-'));

	if (scratchDirs.size === 0)
		process.on('exit', () => {
			for (const each of scratchDirs)
				fs.rmSync(each, { recursive: true, force: true });
		});
	scratchDirs.add(dir);
	return dir;
}

// Run the program to its end, for command lines that do not serve.
export function runProgram(args, { env = {} } = {})
{
	const result = spawnSync(program, args, {
		env: { ...process.env, ...env },
		encoding: 'utf8', timeout: DEADLINE_MS, killSignal: 'SIGKILL',
	});

	if (result.error)
		throw result.error;
	return { code: result.status, signal: result.signal,
		stdout: result.stdout, stderr: result.stderr };
}

class Daemon {
	constructor({ args, env, database, clock, listen, fastcgi, admin,
	    metrics, ca, wrapper })
	{
		this.dir = scratchDir();
		this.database = database ?? path.join(this.dir, 'peerpost.db');
		this.args = args;
		this.env = env;
		this.wrapper = wrapper;
		this.ca = ca ?? transport.ca;
		this.addresses = transport.addresses(
		    { listen: [listen].flat(), fastcgi: [fastcgi].flat() });
		this.addresses.admin = [admin].flat();
		this.addresses.metrics = [metrics].flat();
		this.stderr = '';
		this.listeners = [];
		this.fastcgi = [];
		this.admin = [];
		this.metrics = [];
		this.passed = 0;
		this.stalled = 0;
		if (clock) {
			this.clockFile = path.join(this.dir, 'clock');
			this.isStill = clock === 'still';
			fs.writeFileSync(this.clockFile, new BigInt64Array(
			    [0n, 0n, BigInt(this.isStill), 0n]));
		}
		this.agent = null;
		this.tlsAgent = null;
		daemons.add(this);
	}

	get pid()
	{
		return this.child?.pid;
	}

	// Of the first TCP listener.
	get port()
	{
		return this.listeners.find((each) => each.port)?.port;
	}

	get host()
	{
		return this.listeners.find((each) => each.port)?.host;
	}

	get url()
	{
		return this.listeners.find((each) => each.url)?.url;
	}

	get running()
	{
		return Boolean(this.child) && !this.ended;
	}

	async start()
	{
		const { listen, fastcgi, admin, metrics } = this.addresses;
		const command = [...this.wrapper, program,
			...listen.flatMap((each) => ['--listen', each]),
			...fastcgi.flatMap((each) => ['--fastcgi', each]),
			...admin.flatMap((each) => ['--admin', each]),
			...metrics.flatMap((each) => ['--metrics', each]),
			'--database', this.database,
			...ioThreads > 1 ? ['--io-threads', `${ioThreads}`] : [],
			...transport.args?.(this.addresses) ?? [], ...this.args];
		const env = { ...process.env, ...this.env };

		assert.ok(!this.running, 'daemon is running already');
		if (hasSetpriv)
			command.unshift('setpriv', '--pdeathsig', 'KILL', '--');
		if (this.clockFile)
			env.PEERPOST_TEST_CLOCK = this.clockFile;
		this.agent = new http.Agent({ keepAlive: true });
		// Without sessions that go on: all handshakes are whole ones.
		this.tlsAgent = new https.Agent({ keepAlive: true, ca: this.ca,
			maxCachedSessions: 0 });
		this.listeners = [];
		this.fastcgi = [];
		this.admin = [];
		this.metrics = [];
		this.ended = null;
		this.wanted = false;
		this.child = spawn(command[0], command.slice(1),
		    { env, stdio: ['ignore', 'ignore', 'pipe'] });

		const child = this.child;
		const from = this.stderr.length;
		let announced;
		const listening = new Promise((resolve) => {
			announced = resolve;
		});

		child.stderr.setEncoding('utf8');
		child.stderr.on('data', (text) => {
			this.stderr += text;
			const found = listenersIn(this.stderr.slice(from));

			this.listeners = found.filter((each) => each.scheme === 'http');
			this.fastcgi = found.filter((each) => each.scheme === 'fastcgi');
			this.admin = found.filter((each) => each.scheme === 'admin');
			this.metrics = found.filter((each) =>
			    each.scheme === 'metrics');
			if (found.length >=
			    listen.length + fastcgi.length + admin.length +
			    metrics.length)
				announced();
		});
		this.exited = new Promise((resolve) => {
			child.on('close', (code, signal) => {
				this.ended = { code, signal };
				resolve(this.ended);
			});
			child.on('error', (error) => {
				this.ended = { code: null, signal: null, error };
				resolve(this.ended);
			});
		});
		try {
			await within(DEADLINE_MS, 'listening daemon', Promise.race([
				listening,
				this.exited.then((end) => {
					throw new Error('daemon ended: ' + describe(end) +
					    '\n' + this.stderr);
				}),
			]));
		} catch (error) {
			this.wanted = true;
			child.kill('SIGKILL');
			throw error;
		}
		// It need not keep this process alive: the exit hook ends it.
		child.unref();
		child.stderr.unref();
		return this;
	}

	// Give up the HTTP connections that are kept for later requests.
	dropIdle()
	{
		for (const agent of [this.agent, this.tlsAgent])
			for (const sockets of Object.values(agent.freeSockets))
				sockets.forEach((socket) => socket.destroy());
	}

	async end(signal)
	{
		if (!this.running)
			return this.ended?.code ?? null;
		this.wanted = true;

		const { agent, tlsAgent } = this;

		this.dropIdle();
		transport.closeIdle?.(this);
		this.child.ref();
		this.child.stderr.ref();
		this.child.kill(signal);

		// It may wait for a while for what its clients still want.
		const ticking = this.isStill && setInterval(() => {
			this.passed += TICK_MS / 1000;
			this.writeClock();
		}, TICK_MS);
		let end;

		try {
			end = await within(DEADLINE_MS, `exit after ${signal}`,
			    this.exited);
		} catch (error) {
			this.child.kill('SIGKILL');
			await this.exited;
			throw new Error(`${error.message}\n${this.stderr}`);
		} finally {
			clearInterval(ticking);
			agent.destroy();
			tlsAgent.destroy();
		}
		return end.code;
	}

	// SIGTERM; the exit code.
	stop()
	{
		return this.end('SIGTERM');
	}

	// SIGKILL.
	kill()
	{
		return this.end('SIGKILL');
	}

	// Again on the same database and the same addresses; extra arguments
	// may differ.
	async restart({ args = this.args } = {})
	{
		const { listeners, fastcgi, admin, metrics } = this;

		await this.stop();
		this.args = args;
		this.addresses = { listen: listeners.map(addressOf),
			fastcgi: fastcgi.map(addressOf),
			admin: admin.map(addressOf),
			metrics: metrics.map(addressOf) };
		return this.start();
	}

	// Let seconds pass on the daemon's clock.  It may close connections that
	// are idle then, at the very moment when a request goes out on one.
	advance(seconds)
	{
		this.dropIdle();
		this.passed += seconds;
		this.writeClock();
	}

	// Let the daemon believe that it stood still for seconds.
	stall(seconds)
	{
		this.stalled += seconds;
		this.writeClock();
	}

	writeClock()
	{
		const words = Buffer.from(new BigInt64Array([
			BigInt(Math.round(this.passed * 1000)),
			BigInt(Math.round(this.stalled * 1000)),
		]).buffer);
		const fd = fs.openSync(this.clockFile, 'r+');

		fs.writeSync(fd, words, 0, words.length, 0);
		fs.closeSync(fd);
	}

	// Set the clock on the wall so many seconds ahead of the real one, or
	// behind.
	setWall(seconds)
	{
		const words = Buffer.from(
		    new BigInt64Array([BigInt(seconds * 1000)]).buffer);
		const fd = fs.openSync(this.clockFile, 'r+');

		fs.writeSync(fd, words, 0, words.length, 24);
		fs.closeSync(fd);
	}

	// The end of the process: synchronous, and the last word on health.
	abandon()
	{
		if (this.running)
			this.child.kill('SIGKILL');
		if (this.ended && !this.wanted) {
			console.error(`daemon ended unasked: ${describe(this.ended)}\n` +
			    this.stderr);
			process.exitCode = 1;
		}
		if (SUSPICIOUS.test(this.stderr)) {
			console.error(this.stderr);
			process.exitCode = 1;
		}
	}
}

function describe(end)
{
	return end.error?.message ?? end.signal ?? `exit ${end.code}`;
}

function listenersIn(stderr)
{
	const found = [];

	for (const [, what] of stderr.matchAll(/listening on ([^\s"]+)"?\}?\n/g)) {
		const scheme = /^(?:fastcgi|admin|metrics)/.exec(what)?.[0] ?? 'http';
		const [, socket] = /^(?:\w+\+)?unix:(.+)$/.exec(what) ?? [];

		if (socket) {
			found.push({ scheme, path: socket });
			continue;
		}
		const url = new URL(what);

		found.push({ scheme, isTls: url.protocol === 'https:',
			url: what.replace(/\/$/, ''),
			port: Number(url.port),
			host: url.hostname.replace(/^\[|\]$/g, '') });
	}
	return found;
}

// What --listen, --fastcgi, --admin and --metrics are given to have the same listener again.
function addressOf({ path: socket, host, port, isTls })
{
	return socket ? `unix:${socket}` : (isTls ? 'https://' : '') +
	    `${host.includes(':') ? `[${host}]` : host}:${port}`;
}

// A socket to a listener of the daemon's, over TLS if it speaks that.
export function connectTo(daemon, { listener = 0, ...options } = {})
{
	const where = daemon.listeners[listener];

	const socket = net.connect({ ...options, ...(where.path ?
	    { path: where.path } : { host: where.host, port: where.port }) });

	return where.isTls ? tls.connect({ ...options, socket,
		host: where.host, ca: daemon.ca }) : socket;
}

// The event that says that it can be used.
export function readyEvent(socket)
{
	return socket instanceof tls.TLSSocket ? 'secureConnect' : 'connect';
}

// Start a daemon.  listen, fastcgi, admin, metrics: one address or several, whose
// listeners are then in daemon.listeners, .fastcgi, .admin and .metrics; clock: false for real time
// only, 'still' for that only which advance() lets pass, until it is to end; ca: the
// certificate of whoever answers for those that speak TLS.  It is stopped when the
// current test, or else the file, ends.  wrapper: the words of a command that
// runs the command behind them.
export async function startDaemon({ args = [], env = {}, database,
    clock = true, listen = '127.0.0.1:0', fastcgi = [], admin = [],
    metrics = [], ca, wrapper = [] } = {})
{
	const daemon = new Daemon({ args, env, database, clock, listen,
		fastcgi, admin, metrics, ca, wrapper });

	after(() => daemon.stop());
	return daemon.start();
}

// From now on, after each test of the file: all daemons that still run must come
// to rest, whatever has been done to them.  One that spins fails the test.
export function restAfterEach()
{
	afterEach(async () => {
		for (const daemon of daemons)
			if (daemon.running && !daemon.wanted)
				await restTogether(() =>
				    daemon.running ? [daemon.pid] : [],
				'the daemon after the test');
	});
}

// One for which only that time passes which the test lets pass.
export function startStill(options)
{
	return startDaemon({ clock: 'still', ...options });
}

// --- requests -----------------------------------------------------------

// A transport is { addresses({ listen, fastcgi }) -> { listen, fastcgi },
// args(addresses) -> further arguments, ca,
// send(daemon, { method, target, headers, body, listener, signal, onSent })
// -> { status, headers, rawHeaders, body }, closeIdle(daemon) }.  addresses()
// may give the daemon further listeners than the test asks for; headers are
// [name, value] pairs, body is a Buffer or null.  args, ca and closeIdle are
// optional.
const httpTransport = { addresses: (asked) => asked, send: sendHttp };
let transport = httpTransport;

export function registerTransport(other)
{
	transport = other;
}

// Whether request() speaks HTTP to the daemon itself, so that a response shows
// what becomes of the connection.
export function isOverHttp()
{
	return transport.send === sendHttp;
}

// Whether it does so over TLS, of which each connection takes a handshake.
export function isOverTls()
{
	return Boolean(transport.ca);
}

// What stands for a daemon may bring its own transport, see paths.mjs.
export { httpTransport };

// Or from outside, for every test file alike: the path of a module whose
// default export is a transport; what it does not have is as over HTTP.
if (process.env.PEERPOST_TEST_TRANSPORT)
	registerTransport({ ...httpTransport, ...(await import(pathToFileURL(
	    process.env.PEERPOST_TEST_TRANSPORT))).default });

function sendHttp(daemon, { method, target, headers, body, listener, signal,
    onSent })
{
	const where = daemon.listeners[listener];
	const address = where.path ? { socketPath: where.path } :
	    { host: where.host, port: where.port };
	const grouped = {};

	for (const [name, value] of headers)
		grouped[name] = name in grouped ?
		    [grouped[name], value].flat() : value;
	return new Promise((resolve, reject) => {
		const [module, agent] = where.isTls ? [https, daemon.tlsAgent] :
		    [http, daemon.agent];
		const req = module.request({ ...address, method, path: target,
			headers: grouped, agent, signal }, (res) => {
			const parts = [];

			res.on('data', (part) => parts.push(part));
			res.on('end', () => resolve({ status: res.statusCode,
				headers: res.headers, rawHeaders: res.rawHeaders,
				body: Buffer.concat(parts) }));
			res.on('error', reject);
		});

		req.on('error', reject);
		req.on('finish', onSent);
		req.end(body ?? undefined);
	});
}

// One request.  body: any value, sent as JSON; text: the exact body instead.
// headers: { name: value }, null takes a default away.  query: { name: value }
// or the raw string.  The promise has a property `sent`, which is fulfilled
// when the request is out.  A daemon's own reply must be as docs/openapi.yaml
// says (openapi.mjs).
export function request(daemon, method, target, { token, body, text, headers = {},
    query, signal, listener = 0, deadline = DEADLINE_MS } = {})
{
	const bytes = text !== undefined ? Buffer.from(text) :
	    body !== undefined ? Buffer.from(JSON.stringify(body)) : null;
	const all = new Map();

	if (body !== undefined)
		all.set('content-type', ['Content-Type', 'application/json']);
	if (bytes || method === 'POST')
		all.set('content-length',
		    ['Content-Length', String(bytes?.length ?? 0)]);
	if (token)
		all.set('authorization', ['Authorization', `Bearer ${token}`]);
	for (const [name, value] of Object.entries(headers)) {
		if (value === null)
			all.delete(name.toLowerCase());
		else
			all.set(name.toLowerCase(), [name, value]);
	}
	if (query !== undefined)
		target += '?' + (typeof query === 'string' ? query :
		    new URLSearchParams(Object.entries(query)));

	let onSent;
	const sent = new Promise((resolve) => {
		onSent = resolve;
	});
	const answered = within(deadline, `answer to ${method} ${target}`,
	    (daemon.transport ?? transport).send(daemon, { method, target,
		    headers: [...all.values()], body: bytes, listener, signal,
		    onSent })).then(toResponse).then(async (reply) => {
		// What a proxy says by itself is not in our document.
		if (daemon instanceof Daemon)
			await checkReply(daemon, method, target, reply);
		return reply;
	});

	answered.sent = sent;
	return answered;
}

function toResponse({ status, headers, rawHeaders, body })
{
	const text = body.toString('utf8');
	let json;

	try {
		json = JSON.parse(text);
	} catch {
		json = undefined;
	}
	return { status, headers, rawHeaders, text, body, json };
}

// Let the daemon look at its clock, which each of its threads does before it
// works on a request.
export async function looked(daemon)
{
	for (let i = 0; i < 2; i++)
		await request(daemon, 'GET', '/healthz');
	await rest(daemon);
}

// Wait until the engine has seen a request that is to be held.  (The round trip
// gives a new connection the time to be made.)
export async function parked(daemon, poll)
{
	await poll.sent;
	await request(daemon, 'GET', '/healthz');
	await rest(daemon);
}

// The reply of a request that must have succeeded.
export function ok(response)
{
	assert.ok(response.status >= 200 && response.status < 300,
	    `status ${response.status}: ${response.text}`);
	return response.json;
}

// Status, code and error word of a failure, exactly.
export function assertFailure(response, status, code, word)
{
	assert.equal(`${response.status} ${response.json?.command} ` +
	    `${response.json?.error}`, `${status} ###!${code} ${word}`,
	    response.text);
	assert.deepEqual(Object.keys(response.json),
	    ['command', 'data', 'error']);
	assert.equal(typeof response.json.data, 'string');
	assert.notEqual(response.json.data, '');
}

// --- players ------------------------------------------------------------

export class Player {
	constructor(daemon, { id, token, name })
	{
		this.daemon = daemon;
		this.id = id;
		this.token = token;
		this.name = name;
		this.cursor = 0;
	}

	static async register(daemon, name = 'player', options = {})
	{
		const reply = ok(await request(daemon, 'POST', '/register',
		    { body: name, ...options }));

		return new Player(daemon,
		    { id: reply.data, token: reply.token, name });
	}

	request(method, target, options = {})
	{
		return request(this.daemon, method, target,
		    { token: this.token, ...options });
	}

	post(target, options)
	{
		return this.request('POST', target, options);
	}

	create(options)
	{
		return this.post('/create-room', options);
	}

	join(uuid, options)
	{
		return this.post('/join-room', { body: uuid, ...options });
	}

	seal(options)
	{
		return this.post('/seal-room', options);
	}

	message(value, options)
	{
		return this.post('/message', { body: value, ...options });
	}

	offer(data, options)
	{
		return this.post('/offer', { body: data, ...options });
	}

	answer(data, options)
	{
		return this.post('/answer', { body: data, ...options });
	}

	candidate(data, options)
	{
		return this.post('/candidate', { body: data, ...options });
	}

	leave(options)
	{
		return this.post('/leave-room', options);
	}

	unregister(options)
	{
		return this.post('/unregister', options);
	}

	command(body, options)
	{
		return this.post('/command', { body, ...options });
	}

	room(options)
	{
		return this.request('GET', '/room', options);
	}

	// One GET /events with exactly the members given.
	events({ after: cursor, wait, max, ...options } = {})
	{
		const query = {};

		if (cursor !== undefined)
			query.after = cursor;
		if (wait !== undefined)
			query.wait = wait;
		if (max !== undefined)
			query.max = max;
		return this.request('GET', '/events',
		    { ...(Object.keys(query).length ? { query } : {}), ...options });
	}

	// All events since the last drain, acknowledging the earlier ones.
	async drain()
	{
		const all = [];

		for (;;) {
			const reply = ok(await this.events(
			    { after: this.cursor, wait: 0 }));

			all.push(...reply.events);
			this.cursor = reply.next;
			if (!reply.more)
				return all;
		}
	}

	// The same without ids, as 'RPC 123' pairs: [code, data].
	async news()
	{
		return (await this.drain()).map(({ command, data }) =>
		    [command.replace('###!', ''), data]);
	}
}

// A room with its players in join order (the first is the host), their
// mailboxes read.
export async function makeRoom(daemon, names = ['ann', 'bob'])
{
	const players = [];
	let uuid;

	for (const name of names) {
		const player = await Player.register(daemon, name);

		if (uuid)
			ok(await player.join(uuid));
		else
			uuid = ok(await player.create()).data;
		players.push(player);
	}
	for (const player of players)
		await player.drain();
	return { uuid, players };
}

// --- raw sockets --------------------------------------------------------

// Send bytes (a string is latin1; an array: one write each) on a connection
// of their own and collect what comes until the peer closes, or until(text)
// is true, or `until` matches.  half: close our side after sending.
export function rawExchange(daemon, bytes, { until: enough, half = false,
    listener = 0, heads } = {})
{
	const isEnough = enough instanceof RegExp ?
	    (text) => enough.test(text) : enough;
	const socket = connectTo(daemon, { listener });
	const parts = [];
	const text = () => Buffer.concat(parts).toString('latin1');
	const done = new Promise((resolve, reject) => {
		let isReset = false;

		socket.on(readyEvent(socket), () => {
			socket.setNoDelay(true);
			for (const part of [bytes].flat())
				socket.write(Buffer.isBuffer(part) ? part :
				    Buffer.from(part, 'latin1'));
			if (half)
				socket.end();
		});
		socket.on('data', (part) => {
			parts.push(part);
			if (isEnough?.(text()))
				resolve({ closed: false, reset: false });
		});
		socket.on('error', (error) => {
			if (error.code === 'ECONNREFUSED')
				reject(error);
			isReset = true;
		});
		socket.on('close', () => resolve({ closed: true, reset: isReset }));
	});

	return within(DEADLINE_MS, 'end of raw exchange', done).then((end) => ({
		...end, text: text(), responses: parseResponses(text(), { heads }),
	})).finally(() => socket.destroy());
}

// The responses in what came over a connection (latin1 text).  heads: indices
// of responses to HEAD.
export function parseResponses(text, { heads = [] } = {})
{
	const responses = [];

	while (text !== '') {
		const end = text.indexOf('\r\n\r\n');

		if (end < 0)
			return responses;
		const [start, ...lines] = text.slice(0, end).split('\r\n');
		const [version, status] = start.split(' ');
		const headers = {};

		for (const line of lines) {
			const colon = line.indexOf(':');
			const name = line.slice(0, colon).toLowerCase();
			const value = line.slice(colon + 1).trim();

			headers[name] = name in headers ?
			    `${headers[name]}, ${value}` : value;
		}
		const n = heads.includes(responses.length) || Number(status) < 200 ||
		    status === '204' ? 0 : Number(headers['content-length'] ?? 0);
		const body = Buffer.from(text.slice(end + 4, end + 4 + n), 'latin1');

		responses.push({ version, ...toResponse({ status: Number(status),
			headers, rawHeaders: lines, body }) });
		text = text.slice(end + 4 + n);
	}
	return responses;
}
