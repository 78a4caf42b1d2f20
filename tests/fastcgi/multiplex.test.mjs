// multiplex.test.mjs - many requests on one connection: each with its own
// answer in its own time, given up one by one or all at once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRoom, ok, Player, request, startDaemon, until }
    from '../lib/peerpost.mjs';
import { registerMany, residentKb, seeded, unlimited } from '../lib/crowd.mjs';
import { patience } from '../lib/wait.mjs';
import { beginRequest, encodePairs, paramsOf, parseCgi, record,
    requestRecords, responseOf, Status, stream, toJson, Type } from
    '../lib/fastcgi.mjs';
import { FastcgiConnection, settleFastcgi, soon } from
    '../lib/fastcgi_connection.mjs';

const start = (args = []) => startDaemon({ fastcgi: '127.0.0.1:0',
	args: [...unlimited, ...args] });
const open = (daemon) => FastcgiConnection.open(daemon.fastcgi[0]);
const answer = async (promise) => toJson(responseOf(await soon(promise)));

function post(target, { token }, value)
{
	return { method: 'POST', target,
		headers: [['Authorization', `Bearer ${token}`]],
		body: Buffer.from(JSON.stringify(value)) };
}

function poll({ token, cursor }, wait = 55)
{
	return { method: 'GET', target: `/events?after=${cursor}&wait=${wait}`,
		headers: [['Authorization', `Bearer ${token}`]] };
}

// Hold a poll; throws if it was answered.
async function hold(daemon, connection, player)
{
	const { id, ended } = connection.request(poll(player));

	await settleFastcgi(daemon);
	assert.ok(connection.live.has(id), 'not held');
	return { id, ended };
}

test('50 requests whose records are mixed are answered each with its own',
    async () => {
	const daemon = await start();
	const { players: [host] } = await makeRoom(daemon, ['ann']);
	const connection = await open(daemon);
	const random = seeded(3);
	// What is left to send of each.
	const rest = new Map();
	const ends = new Map();

	for (let id = 1; id <= 50; id++) {
		const value = { id, text: 'x'.repeat(random(3000)) };
		const ask = post('/message', host, value);
		const size = 1 + random(900);

		ends.set(id, [value, connection.expect(id)]);
		rest.set(id, cut(requestRecords(id, paramsOf(ask), ask.body,
		    { size, padding: random(9) })));
	}
	while (rest.size > 0) {
		const ids = [...rest.keys()];
		const id = ids[random(ids.length)];
		const records = rest.get(id);

		connection.send(...records.splice(0, 1 + random(3)));
		if (records.length === 0)
			rest.delete(id);
	}
	for (const [value, end] of ends.values())
		assert.deepEqual(ok(await answer(end)),
		    { command: '###!RMK', data: value });
	assert.deepEqual(connection.strays, []);
	connection.close();
});

// The records in bytes, one by one.
function cut(bytes)
{
	const records = [];

	for (let at = 0; at < bytes.length;) {
		const n = 8 + bytes.readUInt16BE(at + 4) + bytes[at + 6];

		records.push(bytes.subarray(at, at + n));
		at += n;
	}
	return records;
}

test('a request is answered before one that came earlier and is not whole, ' +
    'or is held', async () => {
	const daemon = await start();
	const ann = await Player.register(daemon);
	const connection = await open(daemon);
	const begun = connection.expect(500);
	const params = encodePairs(paramsOf({ method: 'GET',
		target: '/healthz' }));

	connection.send(beginRequest(500),
	    record(Type.PARAMS, 500, params.subarray(0, 20)));
	const held = await hold(daemon, connection, ann);

	for (let i = 0; i < 10; i++)
		ok(await connection.ask('GET', '/healthz'));
	assert.equal(ok(await connection.ask('POST', '/create-room',
	    { token: ann.token })).id, 1);
	assert.deepEqual(ok(await answer(held.ended)).events
	    .map((event) => event.command), ['###!CTR']);
	connection.send(stream(Type.PARAMS, 500, params.subarray(20)),
	    stream(Type.STDIN, 500, Buffer.alloc(0)));
	ok(await answer(begun));
	connection.close();
});

test('200 polls held on one connection: one wakes, the others stay; then all',
    async () => {
	const daemon = await start(['--max-room-members', '300']);
	const players = await registerMany(daemon, 200);
	const ann = await Player.register(daemon, 'ann');
	const connection = await open(daemon);
	const polls = players.map((player) => connection.request(poll(player)));

	await settleFastcgi(daemon);
	assert.equal(connection.live.size, 200);

	const lucky = 123;

	ok(await players[lucky].create());
	assert.equal(ok(await answer(polls[lucky].ended)).events.length, 1);
	await settleFastcgi(daemon);
	assert.equal(connection.live.size, 199);

	const uuid = ok(await ann.create()).data;

	players.splice(lucky, 1);
	polls.splice(lucky, 1);
	for (const player of players)
		ok(await player.join(uuid));
	for (const { ended } of polls)
		assert.equal(ok(await answer(ended)).events[0].command,
		    '###!CTR');
	assert.deepEqual(connection.strays, []);
	connection.close();
});

test('polls on one connection end when their time is up', async () => {
	const daemon = await start();
	const players = await registerMany(daemon, 20);
	const connection = await open(daemon);
	const polls = players.map((player) => connection.request(poll(player)));

	await settleFastcgi(daemon);
	daemon.advance(56);
	for (const { ended } of polls)
		assert.deepEqual(ok(await answer(ended)).events, []);
	connection.close();
});

// --- ABORT_REQUEST ---

test('a held poll that is aborted ends at once, and nothing is lost',
    async () => {
	const daemon = await start();
	const { players: [ann, bob] } = await makeRoom(daemon);
	const connection = await open(daemon);
	const other = await hold(daemon, connection, bob);
	const held = await hold(daemon, connection, ann);

	connection.abort(held.id);
	const end = await soon(held.ended);

	assert.equal(end.protocolStatus, Status.REQUEST_COMPLETE);
	assert.equal(end.appStatus, 0);
	assert.ok(connection.live.has(other.id), 'the other one ended');
	// The id is free, and nobody has been superseded.
	ok(await connection.ask('GET', '/healthz', { id: held.id }));
	ok(await ann.message('here'));
	assert.deepEqual(ok(await answer(other.ended)).events.map(
	    ({ data }) => data), ['here']);
	assert.deepEqual(await ann.news(), [['RMK', 'here']]);
	assert.deepEqual(connection.strays, []);
	connection.close();
});

test('an abort that crosses the mail loses none of it', async () => {
	const daemon = await start();
	const { players: [ann, bob] } = await makeRoom(daemon);
	const connection = await open(daemon);

	for (let i = 0; i < 100; i++) {
		const { id, ended } = connection.request(poll(ann));

		if (i % 4 === 0)
			await settleFastcgi(daemon);
		const sent = bob.offer({ id: 1, rtc: i });

		if (i % 2 === 0)
			await sent;
		connection.abort(id);
		await soon(ended);
		ok(await sent);
		assert.deepEqual((await ann.drain()).map(({ data }) => data.rtc),
		    [i]);
	}
	assert.deepEqual(connection.strays, []);
	connection.close();
});

test('a request that is not whole can be aborted', async () => {
	const daemon = await start();
	const connection = await open(daemon);
	const params = encodePairs(paramsOf({ method: 'POST',
		target: '/register' }));

	for (const begun of [[], [record(Type.PARAMS, 1, params)],
	    [stream(Type.PARAMS, 1, params)], [stream(Type.PARAMS, 1, params),
		    record(Type.STDIN, 1, Buffer.from('"x'))]]) {
		const ended = connection.expect(1);

		connection.send(beginRequest(1), ...begun);
		connection.abort(1);
		const { protocolStatus } = await soon(ended);

		assert.equal(protocolStatus, Status.REQUEST_COMPLETE);
	}
	ok(await connection.ask('GET', '/healthz', { id: 1 }));
	connection.close();
});

test('a command that is aborted ends once, done or not', async () => {
	const daemon = await start();
	const { players: [ann] } = await makeRoom(daemon, ['ann']);
	const connection = await open(daemon);

	for (let i = 0; i < 100; i++) {
		const { id, ended } = connection.request(
		    post('/message', ann, i));

		connection.abort(id);
		await soon(ended);
	}
	ok(await connection.ask('GET', '/healthz'));
	// What was carried out was so once, and in order.
	const done = (await ann.drain()).map(({ data }) => data);

	assert.deepEqual(done, [...new Set(done)].sort((a, b) => a - b));
	assert.deepEqual(connection.strays, []);
	connection.close();
});

test('an abort without FCGI_KEEP_CONN closes the connection', async () => {
	const daemon = await start();
	const ann = await Player.register(daemon);
	const connection = await open(daemon);
	const { id, ended } = connection.request(poll(ann), { keep: false });

	await settleFastcgi(daemon);
	connection.abort(id);
	await soon(ended);
	await connection.closed();
});

// --- the web server goes away ---

for (const leave of ['destroy', 'end', 'resetAndDestroy'])
	test(`a connection that ends frees what is held on it (${leave})`,
	    async () => {
		const daemon = await start(['--max-parked', '60']);
		const players = await registerMany(daemon, 61);
		const last = players.pop();
		const spare = await open(daemon);

		for (let round = 0; round < 2; round++) {
			const connection = await open(daemon);

			for (const player of players)
				connection.request(poll(player));
			await settleFastcgi(daemon);
			assert.equal(connection.live.size, 60);
			// No room: answered at once.
			assert.ok(ok(await last.events({ after: 0, wait: 55 }))
			    .poll_after_ms > 0);
			connection.socket[leave]();
			await until(async () => {
				const { id } = spare.request(poll(last));

				await settleFastcgi(daemon);
				if (!spare.live.has(id))
					return false;
				spare.abort(id);
				await spare.waitFor('end', () =>
				    !spare.live.has(id));
				return true;
			}, 'free place');
			connection.close();
		}
		// All are still players.
		ok(await players[0].create());
		spare.close();
	});

test('what comes while the web server goes away is kept', async () => {
	const daemon = await start();
	const { players: [ann, ...others] } = await makeRoom(daemon,
	    Array.from({ length: 40 }, (_, i) => `p${i}`));
	const connections = [];

	for (const player of others) {
		const connection = await open(daemon);

		connection.request(poll(player));
		connections.push(connection);
	}
	await settleFastcgi(daemon);
	const sent = ann.message('everybody?');

	connections.forEach((connection, i) => {
		if (i % 2 === 0)
			connection.close();
	});
	ok(await sent);
	for (const player of others)
		assert.deepEqual(await player.news(), [['RMK', 'everybody?']]);
	for (const connection of connections)
		connection.close();
});

// --- a web server that does not read ---

// As much as one reply holds, for as little as a request may be.  (Sanitizers
// keep freed memory for a while, so that with them it is not measured.)
const N_REPLIES = patience === 1 ? 2000 : 1000;
const MAX_GROWTH_KB = 100_000; // of 500 MB

test('a web server that does not read its replies: others are served, and ' +
    'memory is bounded', async (t) => {
	const daemon = await start();
	const { players: [ann, bob] } = await makeRoom(daemon);
	const connection = await open(daemon);
	const asked = [];

	for (let i = 0; i < 5; i++)
		ok(await ann.message('x'.repeat(50_000)));
	const before = residentKb(daemon.pid);
	const params = [['REQUEST_METHOD', 'GET'], ['REQUEST_URI',
		`/events?after=${bob.cursor}&wait=0&access_token=${bob.token}`]];

	for (let id = 1; id <= N_REPLIES; id++) {
		connection.expect(id);
		asked.push(requestRecords(id, params));
	}
	connection.socket.pause();
	connection.send(...asked);
	let most = before;

	for (let i = 0; i < 50; i++) {
		ok(await request(daemon, 'GET', '/healthz'));
		ok(await ann.offer({ id: bob.id, rtc: i }));
		await settleFastcgi(daemon);
		most = Math.max(most, residentKb(daemon.pid));
	}
	t.diagnostic(`grown by ${most - before} kB`);
	if (patience === 1)
		assert.ok(most - before < MAX_GROWTH_KB,
		    `grown by ${most - before} kB`);
	// Late, but complete.
	connection.socket.resume();
	await connection.waitFor('end of all replies', () =>
	    connection.live.size === 0);
	assert.equal(connection.isClosed, false);
	ok(await connection.ask('GET', '/healthz'));
	connection.close();
});

test('many web servers that do not read, and go away', async () => {
	const daemon = await start();
	const { players: [ann] } = await makeRoom(daemon, ['ann']);
	const connections = [];

	for (let i = 0; i < 4; i++)
		ok(await ann.message('x'.repeat(50_000)));
	for (let i = 0; i < 30; i++) {
		const connection = await open(daemon);

		connection.socket.pause();
		for (let j = 0; j < 30; j++)
			connection.request(poll(ann, 0));
		connections.push(connection);
	}
	await settleFastcgi(daemon);
	for (const connection of connections)
		connection.close();
	await settleFastcgi(daemon);
	ok(await ann.seal());
});

test('a slow reader gets each reply whole', async () => {
	const daemon = await start();
	const { players: [ann] } = await makeRoom(daemon, ['ann']);
	const connection = await open(daemon);

	for (let i = 0; i < 4; i++)
		ok(await ann.message('x'.repeat(50_000)));
	const asked = Array.from({ length: 30 }, () =>
	    connection.request(poll(ann, 0)));

	// A little at a time.
	connection.socket.pause();
	const timer = setInterval(() => {
		connection.socket.resume();
		setImmediate(() => connection.socket.pause());
	}, 1);

	try {
		for (const { ended } of asked)
			assert.equal(toJson(parseCgi((await soon(ended)).stdout))
			    .json.events.length, 4);
	} finally {
		clearInterval(timer);
	}
	connection.close();
});
