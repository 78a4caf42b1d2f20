// pipelining.test.mjs - many requests in one write.
//
// They wait in the daemon's memory, or in the socket, while those before them
// are answered.  All of them are answered, in order, however many there are,
// whatever else waits in the same cell, and whether the client reads meanwhile
// or not.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pollAll, registerMany, unlimited } from '../lib/crowd.mjs';
import { Player, assertFailure, makeRoom, ok, rawExchange,
    restAfterEach, runProgram, startDaemon } from '../lib/peerpost.mjs';
import { Wire, plain, settle } from '../lib/wire.mjs';

const daemon = await startDaemon({ args: [...unlimited,
	'--max-mailbox-events', '100000', '--max-mailbox-bytes', '100000000'] });

restAfterEach();

// Requests, each a little different, and what shows that a reply is that of the
// i-th.
const kinds = {
	'GETs': {
		request: (i) => plain('GET', i % 3 ? '/healthz' : '/room'),
		check: (response, i) =>
			assert.equal(response.status, i % 3 ? 200 : 401),
	},
	'POSTs with bodies': {
		request: (i, { token }) => plain('POST', '/message',
		    { token, body: `${i}` }),
		check: (response, i) => assert.equal(ok(response).data, i),
	},
	'POSTs with chunks': {
		request: (i, { token }) => plain('POST', '/message', { token,
			headers: ['Transfer-Encoding: chunked'] }) +
		    `${`${i}`.length};x\r\n${i}\r\n0\r\nX: y\r\n\r\n`,
		check: (response, i) => assert.equal(ok(response).data, i),
	},
};

// So many bytes of requests, or a few more.
function burst(size, kind, player)
{
	const parts = [];

	for (let length = 0; length <= size; length += parts.at(-1).length)
		parts.push(kind.request(parts.length, player));
	return parts;
}

async function assertAnswered(wire, kind, n)
{
	for (let i = 0; i < n; i++)
		kind.check(await wire.response(), i);
}

async function alone()
{
	const { players: [ann] } = await makeRoom(daemon, ['ann']);

	return ann;
}

// Of connections that are opened one after the other, eight have a cell.
for (const [name, kind] of Object.entries(kinds))
	for (const kib of [16, 32, 64, 200])
		test(`${kib} KiB of ${name}, beside parked polls`, async () => {
			const wires = await pollAll(daemon,
			    await registerMany(daemon, 7));

			await settle(daemon);
			const wire = await Wire.open(daemon);
			const parts = burst(kib * 1024, kind, await alone());

			wire.send(parts.join(''));
			await assertAnswered(wire, kind, parts.length);
			ok(await wire.exchange(plain('GET', '/healthz')));
			assert.equal(wire.pending.length, 0);
			for (const each of wires) {
				assert.ok(each.pending.length === 0 && !each.isClosed);
				each.close();
			}
			wire.close();
		});

test('a burst behind a poll waits for the poll', async () => {
	const { players: [ann, bob] } = await makeRoom(daemon);
	const wire = await Wire.open(daemon);
	const kind = kinds['POSTs with bodies'];
	const parts = burst(100_000, kind, bob);

	wire.send(plain('GET', `/events?after=${ann.cursor}&wait=55`,
	    { token: ann.token }) + parts.join(''));
	await settle(daemon);
	assert.equal(wire.pending.length, 0);
	ok(await ann.message('first'));
	assert.deepEqual(ok(await wire.response()).events.map(({ data }) => data),
	    ['first']);
	await assertAnswered(wire, kind, parts.length);
	wire.close();
});

test('a burst of a client that reads nothing until the end', async () => {
	const wire = await Wire.open(daemon);
	const n = 400;

	wire.socket.pause();
	wire.send(Array.from({ length: n }, (_, i) =>
	    plain('GET', i % 2 ? '/peerpost.js' : '/healthz')).join(''));
	// The replies do not fit into the sockets: it sleeps with the rest.
	await settle(daemon);
	wire.socket.resume();
	for (let i = 0; i < n; i++) {
		const { status, headers, text } = await wire.response();

		assert.equal(status, 200);
		assert.equal(Buffer.byteLength(text),
		    Number(headers['content-length']));
		assert.equal(/javascript/.test(headers['content-type']),
		    i % 2 === 1);
	}
	wire.close();
});

test('a request and part of the next, wherever it is cut', async () => {
	const ann = await alone();
	const wire = await Wire.open(daemon);

	for (const kind of Object.values(kinds)) {
		const [first, second] = [kind.request(1, ann),
			kind.request(2, ann)];

		for (let n = 1; n < second.length; n += 7) {
			wire.send(first + second.slice(0, n));
			kind.check(await wire.response(), 1);
			wire.send(second.slice(n));
			kind.check(await wire.response(), 2);
		}
	}
	wire.close();
});

// RFC 9112, section 2.2: behind a body, some clients send one.
test('empty lines between requests mean nothing', async () => {
	const ann = await alone();
	const wire = await Wire.open(daemon);

	for (const kind of Object.values(kinds)) {
		wire.send([1, 2, 3].map((i) => kind.request(i, ann))
		    .join('\r\n\r\n') + '\r\n');
		for (const i of [1, 2, 3])
			kind.check(await wire.response(), i);
	}
	wire.close();
});

test('a burst of a client that half-closes then is answered', async () => {
	const ann = await alone();

	for (const kind of Object.values(kinds))
		for (const size of [500, 40_000]) {
			const wire = await Wire.open(daemon);
			const parts = burst(size, kind, ann);

			wire.send(parts.join('')).finish();
			await assertAnswered(wire, kind, parts.length);
			await wire.closed();
		}
});

test('a request that half-closes in its middle ends what is before it',
    async () => {
	const wire = await Wire.open(daemon);

	wire.send(`${plain('GET', '/healthz').repeat(3)}GET /hea`).finish();
	for (let i = 0; i < 3; i++)
		ok(await wire.response());
	await wire.closed();
});

test('a refused request in a burst ends it, after the replies before',
    async () => {
	for (const bad of ['GET /healthz HTTP/1.1\r\n\r\n', 'GET / HTTP/1.1\n',
		plain('POST', '/register', { headers: ['Content-Length: x'] })]) {
		const ann = await Player.register(daemon);
		const wire = await Wire.open(daemon);
		const n = 20;

		wire.send(plain('GET', '/events?after=0&wait=55',
		    { token: ann.token }) + plain('GET', '/healthz').repeat(n) + bad +
		    plain('GET', '/healthz').repeat(1000));
		await settle(daemon);
		ok(await ann.create());
		ok(await wire.response());
		for (let i = 0; i < n; i++)
			ok(await wire.response());
		assertFailure(await wire.response(), 400, 'ICB', 'bad-request');
		await wire.closed();
	}
});

// --- the largest headers of replies ---------------------------------------
// libmicrohttpd has little memory for them, and less in a burst: there, Link
// headers of more than 1 KiB are left out.

const LABEL = 'o'.repeat(63);
// None can be longer.
const ORIGIN = `${'a'.repeat(32)}://${LABEL}.${LABEL}.${LABEL}.` +
    `${'o'.repeat(61)}:65535`;

const LETTERS = [...'abcdefghijklmnop'];

// STUN servers, one with a name that fills up what there is for links.
function stunArgs(n, length)
{
	return LETTERS.slice(0, n).flatMap((each, i) => ['--ice-server',
		`stun:${each}${i ? '' : 'x'.repeat(length)}`]);
}

// So many requests for them in one write.  The last reply ends the connection.
async function getIceServers(args, n)
{
	const to = await startDaemon({ args: [...args, '--cors-origin', ORIGIN] });
	const { token } = await Player.register(to);
	const { responses, reset } = await rawExchange(to,
	    Array.from({ length: n }, (_, i) => plain('GET', '/ice-servers', {
		    token, headers: [`Origin: ${ORIGIN}`,
			...i === n - 1 ? ['Connection: close'] : []] })).join(''));

	assert.ok(!reset);
	assert.equal(responses.length, n);
	for (const { headers, json } of responses) {
		assert.equal(json.iceServers.length, 2);
		assert.equal(headers['x-content-type-options'], 'nosniff');
		assert.equal(headers['access-control-allow-origin'], ORIGIN);
		assert.ok(headers['access-control-expose-headers']);
	}
	// As they are counted: with a byte more for each.
	return responses.map(({ headers: { link } }) =>
	    link ? link.length - link.split(/, </).length + 2 : 0);
}

test('the largest header comes whole', async () => {
	const args = (length) => [...stunArgs(16, length), '--turn-secret', 's',
		...LETTERS.slice(0, 11).flatMap((each) =>
		['--turn-uri', `turn:${each}`])];
	const length = 164;
	const [size] = await getIceServers(args(length), 1);

	// Ids of players may be shorter than the longest.
	assert.ok(size > 1900, `${size}`);
	// Not a letter more is let through.
	assert.match(runProgram(['--check-config', ...args(length + 1)]).stderr,
	    /Link headers need more than 2048 bytes/);
});

test('bursts of the largest preflights and pages get headers whole', async () => {
	const to = await startDaemon({ args: ['--demo', '--cors-origin', ORIGIN] });
	const n = 60;
	const asked = 'y'.repeat(1024);
	const { responses, reset } = await rawExchange(to,
	    Array.from({ length: n }, (_, i) => (i % 2 ?
		plain('OPTIONS', '/x', { headers: [`Origin: ${ORIGIN}`,
			`Access-Control-Request-Headers: ${asked}`,
			...i === n - 1 ? ['Connection: close'] : []] }) :
		plain('GET', '/demo/', { headers: [`Origin: ${ORIGIN}`] })))
		.join(''));

	assert.ok(!reset);
	assert.equal(responses.length, n);
	for (const [i, { status, headers }] of responses.entries()) {
		assert.equal(status, i % 2 ? 204 : 200);
		assert.equal(headers['access-control-allow-origin'], ORIGIN);
		assert.equal(headers['access-control-allow-credentials'], 'true');
		assert.equal(headers.vary, 'Origin');
		assert.ok(headers.date);
		if (i % 2)
			assert.ok(headers['access-control-allow-headers']
			    .endsWith(`, ${asked}`));
		else
			assert.ok(headers['content-security-policy']);
	}
});

test('bursts get headers whole, or without links', async () => {
	const args = (length) => [...stunArgs(10, length),
		...LETTERS.slice(0, 6).flatMap((each) => ['--ice-server',
			`turn:${each},ann,y`])];
	const n = 50;
	const [size] = await getIceServers(args(0), 1);

	assert.deepEqual(await getIceServers(args(1024 - size), n),
	    Array(n).fill(1024));
	assert.deepEqual(await getIceServers(args(1025 - size), n),
	    Array(n).fill(0));
});
