// turn.mjs - coturn as a TURN server, with the file of contrib/, and as much of
// a TURN client (RFC 8489, RFC 8656) as it takes to be let in.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { createHash, createHmac, randomBytes } from 'node:crypto';
import dgram from 'node:dgram';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { scratchDir } from './peerpost.mjs';
import { findProgram, freePort, keep } from './programs.mjs';
import { DEADLINE_MS, within } from './wait.mjs';

const AGAIN_MS = 500;
const N_TRIES = 5;
const SHIPPED = fileURLToPath(new URL(
    '../../contrib/coturn/turnserver.conf', import.meta.url));

const program = findProgram('turnserver');

// Why tests with coturn cannot run here, or false.
export const lacksCoturn = program ? false : 'needs coturn (turnserver)';

// --- the server ---------------------------------------------------------

// Start it with these secrets, on loopback: { url, port, output() }.  It is
// stopped when the file ends.  toLoopback: it relays to there, too, which the
// shipped file forbids.
export async function startTurnServer(secrets, { toLoopback = false } = {})
{
	// It does not take port 0, and a free one may be taken meanwhile.
	for (let n = 1;; n++) {
		const port = await freePort({ isUdp: true });
		const child = run(configuration(port, secrets, toLoopback));

		if (await within(DEADLINE_MS, 'TURN server', Promise.race([
			answers(port).then(() => true),
			child.ended.then(() => false)])))
			return { port, url: `turn:127.0.0.1:${port}?transport=udp`,
				output: () => child.output };
		if (n === N_TRIES)
			throw new Error(`turnserver ended: ${child.output}`);
	}
}

function configuration(port, [first, ...others], toLoopback)
{
	const dir = scratchDir();
	const file = path.join(dir, 'turnserver.conf');
	let text = fs.readFileSync(SHIPPED, 'utf8');
	const replace = (from, to) => {
		assert.ok(text.includes(from), `there is no ${from} in it`);
		text = text.replace(from, to);
	};

	replace('static-auth-secret=CHANGE-ME', `static-auth-secret=${first}`);
	replace('#static-auth-secret=THE-OLDER-ONE', others.map((each) =>
	    `static-auth-secret=${each}`).join('\n'));
	replace('listening-port=3478', `listening-port=${port}`);
	if (toLoopback)
		replace('denied-peer-ip=127.0.0.0-127.255.255.255',
		    'allow-loopback-peers');
	fs.writeFileSync(file, [text, 'listening-ip=127.0.0.1',
		'relay-ip=127.0.0.1', 'no-tcp', `pidfile=${dir}/pid`,
		`userdb=${dir}/turndb`, 'log-file=stdout', ''].join('\n'));
	return file;
}

function run(file)
{
	return keep(spawn(program, ['-c', file],
	    { stdio: ['ignore', 'pipe', 'pipe'], cwd: path.dirname(file) }),
	'SIGKILL');
}

async function answers(port)
{
	const client = await TurnClient.open(port);

	try {
		await client.exchange(Method.BINDING, []);
	} finally {
		client.close();
	}
}

// --- the client ---------------------------------------------------------

const Method = { BINDING: 0x001, ALLOCATE: 0x003, REFRESH: 0x004 };
const Attribute = { USERNAME: 0x0006, MESSAGE_INTEGRITY: 0x0008,
	ERROR_CODE: 0x0009, LIFETIME: 0x000d, REALM: 0x0014, NONCE: 0x0015,
	XOR_RELAYED_ADDRESS: 0x0016, REQUESTED_TRANSPORT: 0x0019 };
const COOKIE = 0x2112a442;
const UDP = Buffer.from([17, 0, 0, 0]);
const INTEGRITY_SIZE = 24;

// RFC 8489, section 14.
function attribute(type, value)
{
	const bytes = Buffer.from(value);
	const head = Buffer.alloc(4);

	head.writeUInt16BE(type, 0);
	head.writeUInt16BE(bytes.length, 2);
	return Buffer.concat([head, bytes,
		Buffer.alloc((4 - bytes.length % 4) % 4)]);
}

// RFC 8489, section 5; with a key, section 14.5.
function encode(method, transaction, attributes, key)
{
	const body = Buffer.concat(attributes);
	const head = Buffer.alloc(8);

	head.writeUInt16BE(method, 0); // a request: no class bits
	head.writeUInt16BE(body.length + (key ? INTEGRITY_SIZE : 0), 2);
	head.writeUInt32BE(COOKIE, 4);

	const message = Buffer.concat([head, transaction, body]);

	return key ? Buffer.concat([message, attribute(
	    Attribute.MESSAGE_INTEGRITY, createHmac('sha1', key)
	    .update(message).digest())]) : message;
}

function decode(message)
{
	const attributes = new Map();

	for (let at = 20; at + 4 <= message.length;) {
		const length = message.readUInt16BE(at + 2);

		attributes.set(message.readUInt16BE(at),
		    message.subarray(at + 4, at + 4 + length));
		at += 4 + length + (4 - length % 4) % 4;
	}

	const error = attributes.get(Attribute.ERROR_CODE);

	// 200 stands for a success response.
	return { attributes, status: error ?
		(error[2] & 7) * 100 + error[3] : 200 };
}

export class TurnClient {
	static async open(port)
	{
		const client = new TurnClient();

		client.socket = dgram.createSocket('udp4');
		await new Promise((resolve, reject) => {
			client.socket.once('error', reject);
			client.socket.connect(port, '127.0.0.1', resolve);
		});
		// While nobody listens yet.
		client.socket.on('error', () => {});
		return client;
	}

	close()
	{
		this.socket.close();
	}

	// One transaction: sent again until there is an answer.
	exchange(method, attributes, key)
	{
		const transaction = randomBytes(12);
		const message = encode(method, transaction, attributes, key);
		const send = () => this.socket.send(message, () => {});
		let timer;
		let listener;

		return within(DEADLINE_MS, 'answer of the TURN server',
		    new Promise((resolve) => {
			listener = (answer) => {
				if (answer.length >= 20 &&
				    answer.subarray(8, 20).equals(transaction))
					resolve(decode(answer));
			};
			this.socket.on('message', listener);
			timer = setInterval(send, AGAIN_MS);
			send();
		})).finally(() => {
			clearInterval(timer);
			this.socket.off('message', listener);
		});
	}

	// By the long-term credential mechanism (RFC 8489, section 9.2): the
	// status, once the server has said realm and nonce.
	async authenticated(method, attributes, { username, credential })
	{
		for (let n = 1;; n++) {
			const { realm, nonce } = this;
			const key = realm && createHash('md5').update(
			    `${username}:${realm}:${credential}`).digest();
			const { status, attributes: got } = await this.exchange(
			    method, realm ? [...attributes,
				    attribute(Attribute.USERNAME, username),
				    attribute(Attribute.REALM, realm),
				    attribute(Attribute.NONCE, nonce)] :
			    attributes, key);

			if (n === 2 || realm && status !== 438 ||
			    !got.has(Attribute.REALM))
				return { status, attributes: got };
			// 401 without credentials, or 438, a stale nonce.
			this.realm = got.get(Attribute.REALM).toString();
			this.nonce = got.get(Attribute.NONCE).toString();
		}
	}

	// Ask for a relay (RFC 8656, section 7): 200, or the error.
	async allocate(credentials)
	{
		const { status, attributes } = await this.authenticated(
		    Method.ALLOCATE,
		    [attribute(Attribute.REQUESTED_TRANSPORT, UDP)], credentials);

		if (status === 200)
			assert.ok(attributes.has(Attribute.XOR_RELAYED_ADDRESS));
		return status;
	}

	// Keep the relay for so many seconds; 0: give it up.
	async refresh(credentials, lifetime)
	{
		const value = Buffer.alloc(4);

		value.writeUInt32BE(lifetime);
		return (await this.authenticated(Method.REFRESH,
		    [attribute(Attribute.LIFETIME, value)], credentials)).status;
	}
}

// The answer to a request for a relay with these credentials, by a client of
// its own; the relay is given up again.
export async function tryAllocate(server, credentials)
{
	for (;;) {
		const status = await tryOnce(server, credentials);

		// The port was another client's a moment ago (RFC 8656, 7.4).
		if (status !== 437)
			return status;
	}
}

async function tryOnce(server, credentials)
{
	const client = await TurnClient.open(server.port);

	try {
		const status = await client.allocate(credentials);

		if (status === 200)
			assert.equal(await client.refresh(credentials, 0), 200);
		return status;
	} finally {
		client.close();
	}
}
