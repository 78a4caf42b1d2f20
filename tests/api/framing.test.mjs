// framing.test.mjs - where requests begin and end, over plain HTTP and TLS.
//
// What could be read in two ways is refused with one well-formed reply, and
// ends its connection; what does not end costs nothing while it lasts, nor
// when its client leaves; and headers are served up to their limit whatever
// they consist of.  tests/proxy runs the same corpus behind web servers.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { test } from 'node:test';
import tls from 'node:tls';
import { Calm } from '../lib/calm.mjs';
import { cases } from '../lib/framing_corpus.mjs';
import { Player, assertFailure, ok, restAfterEach, scratchDir, startDaemon,
    startStill, within } from '../lib/peerpost.mjs';
import { rest } from '../lib/rest.mjs';
import { makeCertificate, skipTls, streamOver, tlsArgs } from
    '../lib/tls.mjs';
import { DEADLINE_MS } from '../lib/wait.mjs';
import { Wire, plain, settle } from '../lib/wire.mjs';

const unlimited = ['--register-rate', '0', '--command-rate', '0',
	'--max-connections-per-address', '0', '--player-timeout', '0',
	'--lobby-timeout', '0'];
const certificate = skipTls ? null : makeCertificate(scratchDir());
const listeners = certificate ? { ca: certificate.ca,
	listen: ['127.0.0.1:0', 'https://127.0.0.1:0'],
	args: [...unlimited, ...tlsArgs(certificate)] } : { args: unlimited };
const daemon = await startDaemon(listeners);
const transports = [['plain', 0, false], ['TLS', 1, skipTls]];

restAfterEach();

// One of our own replies, whole and for itself.
function assertReply(response, status)
{
	const { headers } = response;

	assert.equal(response.status, status, response.text);
	assert.equal(response.version, 'HTTP/1.1');
	assert.equal(headers['access-control-allow-origin'], '*');
	assert.ok(!('transfer-encoding' in headers));
	if (status === 204)
		return;
	assert.match(headers['content-length'], /^\d+$/);
	assert.equal(headers['x-content-type-options'], 'nosniff');
	if (status < 400)
		return;
	assert.equal(headers['content-type'], 'application/json; charset=utf-8');
	assert.equal(headers['cache-control'], 'no-store, no-transform');
	assert.equal(Buffer.byteLength(response.text, 'utf8'),
	    Number(headers['content-length']));
	assert.deepEqual(Object.keys(response.json), ['command', 'data', 'error']);
}

async function assertRefused(wire, status, word)
{
	const response = await wire.response();

	assertReply(response, status);
	assertFailure(response, status, 'ICB', word);
	assert.equal(response.headers.connection?.toLowerCase(), 'close');
	await wire.closed();
}

// --- the corpus -----------------------------------------------------------

async function tryCase({ bytes, statuses, closes, isHead }, listener, inner)
{
	const wire = await Wire.open(daemon, { listener });

	try {
		wire.send(bytes({ base: '', inner }));
		for (const status of statuses) {
			const response = await wire.response({ head: isHead });

			assertReply(isHead ? { ...response, text: '' } : response,
			    status);
		}
		// It has nothing left that could be the beginning of a request.
		if (!closes) {
			assertReply(await wire.exchange(plain('GET', '/healthz')),
			    200);
			wire.finish();
		}
		await wire.closed();
	} finally {
		wire.close();
	}
}

for (const [via, listener, skip] of transports)
	test(`${cases.length} requests, over ${via}`, { skip }, async (t) => {
		const ann = await Player.register(daemon);

		ok(await ann.create());
		await ann.drain();
		for (const each of cases)
			await t.test(each.name, () => tryCase(each, listener,
			    plain('POST', '/message',
				{ token: ann.token, body: '"smuggled"' })));
		assert.deepEqual(await ann.drain(), []);
	});

// --- lines that do not end ------------------------------------------------
// Of each kind: how it begins, what it goes on with, how many bytes of it are
// still waited for, and the status of the refusal beyond.  The length counts
// from the beginning of what is bounded: the head, the line of a chunk's size,
// the trailer.

const HEAD = 'GET /healthz HTTP/1.1\r\nHost: x\r\n';
const POST = 'POST /register HTTP/1.1\r\nHost: x\r\n' +
    'Transfer-Encoding: chunked\r\n\r\n';
const unfinished = {
	'a request line': { begin: 'GET /', fill: 'a', max: 16384, status: 431 },
	'a field': { begin: `${HEAD}X: `, fill: 'a', max: 16384, status: 431 },
	'a field name': { begin: HEAD, fill: 'a', max: 16384, status: 431 },
	'empty lines': { begin: '', fill: '\r\n', max: 16384, status: 431 },
	'a chunk size': { before: POST, begin: '', fill: '0', max: 1024,
		status: 400 },
	'a chunk extension': { before: POST, begin: '1;', fill: 'x', max: 1024,
		status: 400 },
	'a trailer field': { before: `${POST}0\r\n`, begin: 'X: ', fill: 'y',
		max: 16384, status: 431 },
	'a trailer field name': { before: `${POST}0\r\n`, begin: '', fill: 'y',
		max: 16384, status: 431 },
};
const SIZES = [1024, 1025, 16383, 16384, 16385, 32767, 32768, 32769, 40_000];
// How those leave that are still there.  The last one stays.
const LEAVE = ['close', 'finish', 'reset', null];

function fill({ before = '', begin, fill: text }, size)
{
	return before + (begin + text.repeat(size)).slice(0, size);
}

const HELLO = 22;
const RECORD = 23;
const RECORD_SIZE = 5 + 16384;

// A connection to the listener for TLS that speaks no TLS.
async function openRaw({ listeners: [, { host, port }] })
{
	const socket = net.connect({ host, port, allowHalfOpen: true });

	await within(DEADLINE_MS, 'connection', once(socket, 'connect'));
	return new Wire(socket);
}

// Speak TLS on it until its records are data.
async function shakeHands(wire, { ca, host })
{
	const stream = streamOver(wire.socket);
	const client = tls.connect({ socket: stream, ca, host });

	await within(DEADLINE_MS, 'handshake', once(client, 'secureConnect'));
	client.on('error', () => {});
	stream.destroy();
}

// Half a record, or half a hello that fills its record, of so many bytes.
function halfRecord(type, size)
{
	const bytes = Buffer.alloc(size);

	bytes.set([type, 3, 3, 0x40, 0, 1, 0, 0x3f, 0xfc, 3, 3]);
	return bytes;
}

// (TLS may say that it ends.)
function ended(wire)
{
	return wire.waitFor('close', () => wire.isClosed ? true : undefined);
}

// They wait, and the daemon is calm; most of them leave, and it is calm; time
// passes, and nobody is left.
async function hangAround(t, still, held)
{
	const calm = await Calm.start();

	await settle(still);
	await calm.assert(still, { t, when: `while ${held.length} are held` });
	for (const { wire, leave, name } of held) {
		assert.ok(!wire.isClosed && wire.pending.length === 0,
		    `${name}: ${wire.pending.toString('latin1')}`);
		if (leave)
			wire[leave]();
	}
	await settle(still);
	await calm.assert(still, { t, when: 'when most have left' });
	// Empty lines are no request yet: the connection is idle.
	const idle = held.filter(({ name }) => /empty lines/.test(name));

	still.advance(16);
	for (const each of held)
		if (!idle.includes(each))
			await ended(each.wire);
	still.advance(60);
	for (const { wire } of idle)
		await ended(wire);
	await rest(still);
}

for (const [via, listener, skip] of transports)
	test(`lines that do not end, over ${via}`, { skip }, async (t) => {
		const still = await startStill({ ...listeners, args:
		    [...listeners.args, '--request-timeout', '15'] });
		const held = [], refused = [];

		for (const [name, kind] of Object.entries(unfinished))
			for (const size of SIZES)
				for (const leave of LEAVE) {
					const wire = await Wire.open(still,
					    { listener });

					wire.send(fill(kind, size));
					(size > kind.max ? refused : held).push(
					    { name: `${name} of ${size}`, wire,
						leave, status: kind.status });
				}
		for (const { wire, status } of refused)
			await assertRefused(wire, status, status === 400 ?
			    'bad-request' : 'too-large');
		await hangAround(t, still, held);
	});

test('records that do not end', { skip: skipTls }, async (t) => {
	const still = await startStill({ ...listeners, args:
	    [...listeners.args, '--request-timeout', '15'] });
	const held = [];
	const wrong = [];

	for (const size of SIZES)
		for (const leave of LEAVE)
			for (const type of [HELLO, RECORD]) {
				const wire = await openRaw(still);

				if (type === RECORD)
					await shakeHands(wire, still);
				wire.send(halfRecord(type, size));
				(size < RECORD_SIZE ? held : wrong).push(
				    { name: `${type} of ${size}`, wire, leave });
			}
	// A record that is whole is wrong.
	for (const { wire } of wrong)
		await ended(wire);
	await settle(still);
	for (const { wire } of held)
		wire.pending = Buffer.alloc(0);
	await hangAround(t, still, held);
});

// --- what headers consist of ----------------------------------------------

const MAX_HEAD = 16384;

// A request that is just so long, by a last field that fills it up.
function filled(length, { target = '/healthz', fields = [] } = {})
{
	const bytes = plain('GET', target, { headers: [...fields, 'X: '] });

	assert.ok(bytes.length <= length, `${bytes.length} bytes already`);
	return plain('GET', target, { headers: [...fields,
		`X: ${'x'.repeat(length - bytes.length)}`] });
}

function cookies(n, size)
{
	const value = 'c'.repeat(Math.floor(size / n) - 8);

	return [`Cookie: ${Array.from({ length: n }, (_, i) =>
	    `k${i}=${value}`).join('; ')}`];
}

const heads = {
	'123 cookies': { fields: cookies(123, 12_000) },
	'125 cookies': { fields: cookies(125, 12_000) },
	'2,000 cookies': { fields: cookies(2000, 16_000) },
	'200 fields': { fields: Array.from({ length: 200 },
	    (_, i) => `A${i}: b`) },
	'2,000 fields': { fields: Array.from({ length: 2000 }, () => 'A:b') },
	'3,250 fields': { fields: Array.from({ length: 3250 }, () => 'a:') },
	'a query of 500 &': { target: `/healthz?${'&'.repeat(500)}` },
	'a query of 2,000 &': { target: `/healthz?${'&'.repeat(2000)}` },
	'a query of 8,000 &': { target: `/healthz?${'&'.repeat(8000)}` },
	'a query of 8,000 a&': { target: `/healthz?${'a&'.repeat(8000)}` },
	'a query of 16,000 &': { target: `/healthz?${'&'.repeat(16_000)}` },
	'a query of 4,000 a=b&': { target: `/healthz?${'a=&'.repeat(4000)}` },
	'one field': {},
};

for (const [via, listener, skip] of transports)
	for (const [name, head] of Object.entries(heads))
		test(`16 KiB of a head with ${name} are served over ${via}, ` +
		    'and not more', { skip }, async () => {
			const wire = await Wire.open(daemon, { listener });

			// The memory for the second is that of the first.
			for (let i = 0; i < 2; i++)
				assertReply(await wire.exchange(filled(MAX_HEAD,
				    head)), 200);
			wire.send(filled(MAX_HEAD + 1, head));
			await assertRefused(wire, 431, 'too-large');
			wire.close();
		});

for (const [via, listener, skip] of transports)
	test(`4,000 fields are refused over ${via}`, { skip }, async () => {
		const wire = await Wire.open(daemon, { listener });

		wire.send(plain('GET', '/healthz', { headers:
		    Array.from({ length: 4000 }, () => 'a:b') }));
		await assertRefused(wire, 431, 'too-large');
		wire.close();
	});

test('a page may read a refusal, if its origin may', async () => {
	const named = await startDaemon({ args: ['--cors-origin',
		'https://game.example'] });

	for (const bytes of [
		filled(MAX_HEAD + 1, { fields: ['Origin: https://game.example'] }),
		plain('GET', '/healthz', { headers:
		    ['Origin: https://game.example', 'bad'] }),
		plain('GET', '/healthz', { headers:
		    ['Origin: https://game.example', 'X: \0'] })]) {
		const wire = await Wire.open(named);
		const response = await wire.exchange(bytes);

		assert.ok([400, 431].includes(response.status));
		assert.equal(response.headers['access-control-allow-origin'],
		    'https://game.example');
		await wire.closed();
	}
});
