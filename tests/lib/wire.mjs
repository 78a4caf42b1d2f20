// wire.mjs - a connection on which a test says exactly which bytes go out
// when, and takes the answers one by one.
//
// rawExchange() of peerpost.mjs sends everything first and reads then; here
// the two alternate, which is what pipelining, kept connections, half-closing,
// 100-continue and time-outs are about.  Sockets cost little: the tests with
// thousands of parked polls stand on this, too.
import assert from 'node:assert/strict';
import { connectTo, readyEvent, within } from './peerpost.mjs';
import { rest } from './rest.mjs';
import { DEADLINE_MS } from './wait.mjs';


export class Wire {
	constructor(socket)
	{
		this.socket = socket;
		this.pending = Buffer.alloc(0);
		this.isClosed = false;
		this.isReset = false;
		this.waiting = null;
		socket.setNoDelay(true);
		socket.on('data', (part) => {
			this.pending = this.pending.length === 0 ? part :
			    Buffer.concat([this.pending, part]);
			this.wake();
		});
		socket.on('error', () => {
			this.isReset = true;
		});
		for (const event of ['end', 'close'])
			socket.on(event, () => {
				this.isClosed = true;
				this.wake();
			});
	}

	// Connect; fulfilled when the connection stands.
	static open(daemon, options = {})
	{
		return new Promise((resolve, reject) => {
			const socket = connectTo(daemon, { ...options,
				allowHalfOpen: true });

			socket.once('error', reject);
			socket.once(readyEvent(socket), () => {
				socket.off('error', reject);
				resolve(new Wire(socket));
			});
		});
	}

	wake()
	{
		this.waiting?.();
	}

	// Send bytes; a string is latin1.
	send(bytes)
	{
		this.socket.write(Buffer.isBuffer(bytes) ? bytes :
		    Buffer.from(bytes, 'latin1'));
		return this;
	}

	// Say that nothing more will be sent.
	finish()
	{
		this.socket.end();
		return this;
	}

	close()
	{
		this.socket.destroy();
	}

	// Break the connection.
	reset()
	{
		(this.socket._parent ?? this.socket).resetAndDestroy();
	}

	// Wait until look() gives something.
	async waitFor(what, look)
	{
		const seen = new Promise((resolve) => {
			this.waiting = () => {
				const found = look();

				if (found === undefined)
					return;
				// More data may come before we go on: it is for the
				// next to wait.
				this.waiting = null;
				resolve(found);
			};
			this.wake();
		});

		try {
			return await within(DEADLINE_MS, what, seen);
		} catch (error) {
			throw new Error(`${error.message}; so far: ` +
			    JSON.stringify(this.pending.toString('latin1')));
		} finally {
			this.waiting = null;
		}
	}

	// The next response, interim ones included.  head: it answers a HEAD.
	async response({ head = false } = {})
	{
		const response = await this.waitFor('response', () =>
		    this.takeResponse(head) ?? (this.isClosed ? null : undefined));

		assert.ok(response, 'connection was closed without a response' +
		    ` (${JSON.stringify(this.pending.toString('latin1'))})`);
		return response;
	}

	takeResponse(head)
	{
		const end = this.pending.indexOf('\r\n\r\n');

		if (end < 0)
			return undefined;
		const [start, ...lines] =
		    this.pending.toString('latin1', 0, end).split('\r\n');
		const status = Number(start.split(' ')[1]);
		const headers = {};

		for (const line of lines) {
			const colon = line.indexOf(':');
			const name = line.slice(0, colon).toLowerCase();

			assert.ok(!(name in headers), `two ${name} headers`);
			headers[name] = line.slice(colon + 1).trim();
		}
		const hasBody = !head && status >= 200 && status !== 204;
		const n = hasBody ? Number(headers['content-length'] ?? 0) : 0;

		if (this.pending.length < end + 4 + n)
			return undefined;
		const text = this.pending.toString('utf8', end + 4, end + 4 + n);
		let json;

		try {
			json = JSON.parse(text);
		} catch {
			json = undefined;
		}
		this.pending = this.pending.subarray(end + 4 + n);
		return { version: start.split(' ')[0], status, headers, text, json };
	}

	// The peer closes, and says nothing more before it does.
	async closed()
	{
		await this.waitFor('close', () => this.isClosed ? true : undefined);
		assert.equal(this.pending.toString('latin1'), '',
		    'there is something besides the responses');
	}

	// One request and its response on this connection, to see that it is
	// still good.
	async exchange(bytes, options)
	{
		this.send(bytes);
		return this.response(options);
	}
}

// The bytes of a request.  headers: lines as they are to be sent.
export function plain(method, target, { token, body, headers = [],
    version = 'HTTP/1.1' } = {})
{
	const lines = [`${method} ${target} ${version}`, 'Host: test', ...headers];

	if (token)
		lines.push(`Authorization: Bearer ${token}`);
	if (body !== undefined)
		lines.push(`Content-Length: ${Buffer.byteLength(body, 'latin1')}`);
	return lines.join('\r\n') + '\r\n\r\n' + (body ?? '');
}

// Wait until the daemon has read and done what was sent to it so far.  What is
// answered first is an exchange on a connection of its own (a kept one may have
// been idle for too long on the test clock), so that what this process has yet
// to send is on its way.
export async function settle(daemon)
{
	const wire = await Wire.open(daemon);

	await wire.exchange(plain('GET', '/healthz'));
	wire.close();
	await rest(daemon);
}
