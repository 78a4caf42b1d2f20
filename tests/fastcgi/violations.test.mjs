// violations.test.mjs - what no web server sends, but some other program might
// that finds the port.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertFailure, ok, Player, request, startDaemon, until }
    from '../lib/peerpost.mjs';
import { seeded } from '../lib/crowd.mjs';
import { beginRequest, encodePairs, endRequest, paramsOf, record,
    requestRecords, responseOf, stream, toJson, Type } from
    '../lib/fastcgi.mjs';
import { FastcgiConnection, settleFastcgi, soon } from
    '../lib/fastcgi_connection.mjs';

const daemon = await startDaemon({ fastcgi: '127.0.0.1:0' });
const open = (d = daemon) => FastcgiConnection.open(d.fastcgi[0]);
const health = paramsOf({ method: 'GET', target: '/healthz' });
const params = stream(Type.PARAMS, 1, encodePairs(health));
const nothing = Buffer.alloc(0);

// --- what closes the connection ---

const CLOSING = {
	'HTTP': Buffer.from('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n'),
	'TLS': Buffer.from('16030100c8010000c403038b', 'hex'),
	'zeros': Buffer.alloc(64),
	'version 0': record(Type.GET_VALUES, 0, nothing, { version: 0 }),
	'version 2': record(Type.GET_VALUES, 0, nothing, { version: 2 }),
	'another version later': Buffer.concat([requestRecords(1, health),
		record(Type.BEGIN_REQUEST, 2, Buffer.alloc(8), { version: 3 })]),
	'another version after padding': Buffer.concat([
		record(99, 0, Buffer.from('x'), { padding: 9 }),
		record(99, 0, nothing, { version: 255 })]),
	'BEGIN_REQUEST of a live id': Buffer.concat([beginRequest(1),
		beginRequest(1)]),
	'BEGIN_REQUEST of 7 bytes': record(Type.BEGIN_REQUEST, 1,
	    Buffer.from('00010100000000', 'hex')),
	'BEGIN_REQUEST of 9 bytes': record(Type.BEGIN_REQUEST, 1,
	    Buffer.from('000101000000000000', 'hex')),
	'BEGIN_REQUEST of 0 bytes': record(Type.BEGIN_REQUEST, 1),
	'BEGIN_REQUEST of id 0': beginRequest(0),
	'ABORT_REQUEST of id 0': record(Type.ABORT_REQUEST, 0),
	'PARAMS of id 0': record(Type.PARAMS, 0, encodePairs(health)),
	'STDIN of id 0': record(Type.STDIN, 0),
	'STDOUT of id 0': record(Type.STDOUT, 0, Buffer.from('x')),
	'END_REQUEST of id 0': endRequest(0),
	'DATA of id 0': record(Type.DATA, 0, Buffer.from('x')),
	'STDIN before PARAMS': Buffer.concat([beginRequest(1),
		record(Type.STDIN, 1, Buffer.from('x'))]),
	'STDIN before the end of PARAMS': Buffer.concat([beginRequest(1),
		record(Type.PARAMS, 1, encodePairs(health)),
		record(Type.STDIN, 1)]),
	'PARAMS after their end': Buffer.concat([beginRequest(1), params,
		record(Type.PARAMS, 1, encodePairs([['A', 'b']]))]),
	'GET_VALUES with a pair that is cut off': record(Type.GET_VALUES, 0,
	    Buffer.from('0f00464347', 'hex')),
};

for (const [what, bytes] of Object.entries(CLOSING))
	test(`the connection is closed: ${what}`, async () => {
		const connection = await open();
		const other = await open();

		connection.send(bytes);
		await connection.closed();
		ok(await other.ask('GET', '/healthz'));
		other.close();
		connection.close();
	});

test('a violation frees what is held on the connection', async () => {
	const d = await startDaemon({ fastcgi: '127.0.0.1:0',
		args: ['--max-parked', '3'] });
	const players = [];

	for (let i = 0; i < 4; i++)
		players.push(await Player.register(d));

	const ask = ({ token }) => ({ method: 'GET',
		target: '/events?after=0&wait=55',
		headers: [['Authorization', `Bearer ${token}`]] });
	const connection = await open(d);

	for (const player of players.slice(0, 3))
		connection.request(ask(player));
	await settleFastcgi(d);
	// No room: answered at once.
	assert.ok(ok(await players[3].events({ after: 0, wait: 55 }))
	    .poll_after_ms > 0);
	connection.send(beginRequest(1));
	await connection.closed();

	const last = await open(d);

	await until(async () => {
		last.request(ask(players[3]), { id: 9 });
		await settleFastcgi(d);
		return last.live.has(9);
	}, 'free place');
	last.close();
});

// --- what is only this request's mistake ---

const MISTAKES = {
	'a name longer than the stream': '7f01',
	'a value longer than the stream': '0105414243',
	'a length of four bytes that is cut off': '800000',
	'a length alone': '01',
	'the greatest lengths there are': 'ffffffffffffffff41',
	'a value of 2 GiB after a good pair': '0101414201ffffffff41',
};

for (const [what, hex] of Object.entries(MISTAKES))
	test(`400 and the connection goes on: ${what}`, async () => {
		const connection = await open();
		const bytes = Buffer.concat([encodePairs(health),
			Buffer.from(hex, 'hex')]);

		for (const size of [65_535, 1]) {
			const ended = connection.expect(1);

			connection.send(beginRequest(1),
			    stream(Type.PARAMS, 1, bytes, { size }),
			    stream(Type.STDIN, 1, Buffer.from('abc')));
			assertFailure(toJson(responseOf(await soon(ended))),
			    400, 'ICB', 'bad-request');
		}
		ok(await connection.ask('GET', '/healthz', { id: 1 }));
		assert.equal(connection.isClosed, false);
		connection.close();
	});

test('no parameters at all: 400', async () => {
	const connection = await open();
	const { ended } = { ended: connection.expect(1) };

	connection.send(requestRecords(1, []));
	assertFailure(toJson(responseOf(await soon(ended))), 400, 'ICB',
	    'bad-request');
	ok(await connection.ask('GET', '/healthz'));
	connection.close();
});

// --- connections that end in the middle ---

test('a connection that ends anywhere costs nothing', async () => {
	const body = Buffer.from('"x"');
	const records = requestRecords(1, [['REQUEST_METHOD', 'POST'],
		['REQUEST_URI', '/join-room'], ['CONTENT_LENGTH', '3']], body);

	for (let at = 0; at < records.length; at += 3) {
		const [half, gone] = [await open(), await open()];

		half.send(records.subarray(0, at)).socket.end();
		gone.send(records.subarray(0, at)).close();
		await half.closed();
	}
	ok(await request(daemon, 'GET', '/healthz'));
});

test('requests that were whole before the web server closed its side are ' +
    'carried out', async () => {
	for (const n of [1, 300]) {
		const connection = await open();
		const asked = Array.from({ length: n }, () => connection.request({
			method: 'POST', target: '/register',
			body: Buffer.from('"x"') }));

		connection.socket.end();
		for (const { ended } of asked)
			assert.equal(responseOf(await soon(ended)).status, 200);
		await connection.closed();
	}
});

// --- noise ---

// Random bytes, but not only: most of what is random is over with its first
// byte, which has to be the version.
function noise(random)
{
	const bytes = (n) => Buffer.from(Array.from({ length: n }, () =>
	    random(256)));

	switch (random(4)) {
	case 0:
		return bytes(1 + random(2000));
	case 1:
		return Buffer.concat(Array.from({ length: 1 + random(20) }, () =>
		    record(random(13), random(4), bytes(random(40)),
		    { padding: random(12) })));
	case 2: {
		// A good request with some bytes changed.
		const good = requestRecords(1 + random(3), health,
		    bytes(random(50)), { padding: random(8) });

		for (let i = 1 + random(4); i > 0; i--)
			good[random(good.length)] = random(256);
		return Buffer.concat([good, good]);
	}
	default:
		return Buffer.concat([beginRequest(1), stream(Type.PARAMS, 1,
		    bytes(random(20_000)), { size: 1 + random(5000) }),
		stream(Type.STDIN, 1, bytes(random(200)))]);
	}
}

test('noise on 200 connections: the daemon lives, and serves', async (t) => {
	const seed = Number(process.env.SEED ?? 20);
	const random = seeded(seed);
	const player = await Player.register(daemon);
	const connections = [];

	t.diagnostic(`SEED=${seed}`);
	for (let i = 0; i < 200; i++) {
		const connection = await open();

		connections.push(connection);
		// What it answers to nonsense is nobody's business.
		connection.socket.removeAllListeners('data');
		connection.socket.resume();
		connection.send(noise(random));
		if (random(4) === 0)
			connection.socket.end();
		if (i % 20 === 0) {
			await settleFastcgi(daemon);
			ok(await player.events({ after: 0, wait: 0 }));
		}
	}
	await settleFastcgi(daemon);
	for (const connection of connections)
		connection.close();
	await settleFastcgi(daemon);
	ok(await player.create());
	assert.equal(await daemon.stop(), 0);
});
