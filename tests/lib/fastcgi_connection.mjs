// fastcgi_connection.mjs - a web server's connection to the daemon, for the
// tests: any number of requests at once, or just the bytes that a test wants.
import assert from 'node:assert/strict';
import net from 'node:net';
import { decodePairs, encodePairs, paramsOf, record, RecordReader,
    requestRecords, responseOf, toJson, Type } from './fastcgi.mjs';
import { rest } from './rest.mjs';
import { DEADLINE_MS, within } from './wait.mjs';


// What must happen, and soon: the end of a request.
export function soon(ended)
{
	return within(DEADLINE_MS, 'end of request', ended);
}

export class FastcgiConnection {
	constructor(socket)
	{
		this.socket = socket;
		this.reader = new RecordReader();
		// What is awaited, by request id; what came for id 0; what came
		// for nobody.
		this.live = new Map();
		this.management = [];
		this.strays = [];
		this.isClosed = false;
		this.watchers = new Set();
		socket.setNoDelay(true);
		socket.on('data', (bytes) => {
			for (const each of this.reader.push(bytes))
				this.take(each);
			this.changed();
		});
		socket.on('error', () => {});
		for (const event of ['end', 'close'])
			socket.on(event, () => this.lost());
	}

	// Connect to { path } or { host, port }; fulfilled when it stands.
	static open(where)
	{
		return new Promise((resolve, reject) => {
			const socket = net.connect(where.path ?
			    { path: where.path } :
			    { host: where.host, port: where.port });

			socket.once('error', reject);
			socket.once('connect', () => {
				socket.off('error', reject);
				resolve(new FastcgiConnection(socket));
			});
		});
	}

	take({ type, id, content })
	{
		const exchange = this.live.get(id);

		if (id === 0) {
			this.management.push({ type, content });
			return;
		}
		if (!exchange) {
			this.strays.push({ type, id, content });
			return;
		}
		switch (type) {
		case Type.STDOUT:
			assert.ok(!exchange.isOutEnded, 'STDOUT after its end');
			exchange.isOutEnded = content.length === 0;
			// A copy, so as not to keep all that came with it.
			exchange.stdout.push(Buffer.from(content));
			break;
		case Type.STDERR:
			exchange.stderr.push(Buffer.from(content));
			break;
		case Type.END_REQUEST:
			assert.equal(content.length, 8);
			this.live.delete(id);
			exchange.resolve({ id,
				stdout: Buffer.concat(exchange.stdout),
				stderr: Buffer.concat(exchange.stderr),
				isOutEnded: exchange.isOutEnded,
				appStatus: content.readUInt32BE(0),
				protocolStatus: content.readUInt8(4) });
			break;
		default:
			assert.fail(`a record of type ${type}`);
		}
	}

	lost()
	{
		this.isClosed = true;
		for (const [id, exchange] of this.live) {
			const error = new Error(`connection closed (request ${id})`);

			// As Node says it of HTTP.
			error.code = 'ECONNRESET';
			exchange.reject(error);
		}
		this.live.clear();
		this.changed();
	}

	// Bytes as they are.
	send(...parts)
	{
		this.socket.write(Buffer.concat(parts));
		return this;
	}

	// The same in pieces, each a write of its own.
	async sendInPieces(bytes, size = 1)
	{
		for (let at = 0; at < bytes.length; at += size)
			await new Promise((resolve) => this.socket.write(
			    bytes.subarray(at, at + size), resolve));
	}

	close()
	{
		this.socket.destroy();
	}

	// The least id that is free.
	freeId()
	{
		let id = 1;

		while (this.live.has(id))
			id++;
		return id;
	}

	// The end of the request with this id, whose records the caller sends.
	expect(id)
	{
		assert.ok(!this.live.has(id), `request ${id} is live`);
		const exchange = { stdout: [], stderr: [], isOutEnded: false };
		const ended = new Promise((resolve, reject) => {
			Object.assign(exchange, { resolve, reject });
		});

		// A test may be after something else.
		ended.catch(() => {});
		this.live.set(id, exchange);
		return ended;
	}

	// One request: { id, ended, sent }.  options: those of requestRecords().
	request(request, { params, id = this.freeId(), ...options } = {})
	{
		const ended = this.expect(id);
		const records = requestRecords(id, paramsOf(request, params),
		    request.body, options);
		const sent = new Promise((resolve) =>
		    this.socket.write(records, resolve));

		return { id, ended, sent };
	}

	// One request and its response.  body: any value, sent as JSON; text: the
	// exact body instead; options: those of requestRecords(), and params.
	async ask(method, target, { token, body, text, headers = {},
	    ...options } = {})
	{
		const all = Object.entries(headers);

		if (token)
			all.push(['Authorization', `Bearer ${token}`]);
		const bytes = text !== undefined ? Buffer.from(text) :
		    body !== undefined ? Buffer.from(JSON.stringify(body)) :
		    null;
		const { ended } = this.request({ method, target, headers: all,
			body: bytes }, options);

		return toJson(responseOf(await within(DEADLINE_MS,
		    `answer to ${method} ${target}`, ended), method));
	}

	abort(id)
	{
		return this.send(record(Type.ABORT_REQUEST, id));
	}

	changed()
	{
		for (const watcher of this.watchers)
			watcher();
	}

	// Wait until look() gives something.
	async waitFor(what, look)
	{
		let watcher;
		const seen = new Promise((resolve) => {
			watcher = () => {
				const found = look();

				if (found !== undefined && found !== false)
					resolve(found);
			};
		});

		this.watchers.add(watcher);
		watcher();
		return within(DEADLINE_MS, what, seen)
		    .finally(() => this.watchers.delete(watcher));
	}

	// The next record that is of no request (4).
	managed()
	{
		return this.waitFor('management record', () =>
		    this.management.shift());
	}

	// GET_VALUES (4.1): the answer as [name, value] pairs.
	async getValues(names, options)
	{
		this.send(record(Type.GET_VALUES, 0,
		    encodePairs(names.map((name) => [name, '']), options)));
		const { type, content } = await this.managed();

		assert.equal(type, Type.GET_VALUES_RESULT);
		return decodePairs(content);
	}

	// The peer closes the connection.
	closed()
	{
		return this.waitFor('close', () => this.isClosed);
	}
}

// settle() of wire.mjs, for what was sent through FastCGI.
export async function settleFastcgi(daemon)
{
	const connection = await FastcgiConnection.open(daemon.fastcgi[0]);

	await connection.ask('GET', '/healthz');
	connection.close();
	await rest(daemon);
}
