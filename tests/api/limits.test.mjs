// limits.test.mjs - bodies, mailboxes, rooms, players, rates, connections
// (protocol section 10).  Limits per address are in address.test.mjs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { assertFailure, connectTo, looked, makeRoom, ok, Player,
    parseResponses, rawExchange, readyEvent, request, scratchDir,
    startStill as startDaemon, until, within } from '../lib/peerpost.mjs';
import { DEADLINE_MS } from '../lib/wait.mjs';

const FAST = ['--command-rate', '100000', '--command-burst', '100000'];

function assertRetryAfter(reply)
{
	assert.match(reply.headers['retry-after'], /^[1-9]\d*$/);
}

// n offers from one player to a peer, in arrays: the replies.
async function offers(from, id, n, data = {})
{
	const replies = [];

	for (let i = 0; i < n; i += 64)
		replies.push(...ok(await from.command(Array.from(
		    { length: Math.min(64, n - i) },
		    () => ({ command: '###!OO', data: { id, ...data } })))));
	return replies;
}

function assertOverflow(reply)
{
	assertFailure(reply, 410, 'PTO', 'timed-out');
	assert.equal(reply.json.data, 'Mailbox Overflow');
}

// --- request body ---

test('a request body has at most 64 KiB', async () => {
	const d = await startDaemon();
	const { players: [host, bob] } = await makeRoom(d);
	const text = JSON.stringify('x'.repeat(65536 - 2));

	assert.equal(text.length, 65536);
	ok(await host.message(0, { text }));
	for (const [target, code] of [['/message', 'RMB'], ['/offer', 'ICB'],
	    ['/register', 'RPB'], ['/join-room', 'JRB'],
	    ['/create-room', 'CRB'], ['/command', 'ICB'], ['/events', 'ICB']])
		assertFailure(await host.post(target, { text: text + ' ' }), 413,
		    code, 'too-large');
	assert.equal((await bob.drain()).length, 1);
});

test('--max-body sets it', async () => {
	const d = await startDaemon({ args: ['--max-body', '1000'] });

	ok(await request(d, 'POST', '/register',
	    { text: '"ann"' + ' '.repeat(995) }));
	assertFailure(await request(d, 'POST', '/register',
	    { text: '"ann"' + ' '.repeat(996) }), 413, 'RPB', 'too-large');
});

test('after a body that is too large the connection goes on', async () => {
	const d = await startDaemon();
	const post = (n) => 'POST /register HTTP/1.1\r\nHost: x\r\n' +
	    `Content-Length: ${n}\r\n\r\n` + '"ann"'.padEnd(n);
	const { responses } = await rawExchange(d, post(70_000) + post(5),
	    { until: /RPK/ });

	assert.deepEqual(responses.map((each) => each.status), [413, 200]);
});

test('a body announced with Expect: 100-continue that is too large is 413 ' +
    'at once', async () => {
	const d = await startDaemon();
	const { responses, closed } = await rawExchange(d,
	    'POST /register HTTP/1.1\r\nHost: x\r\nContent-Length: 70000\r\n' +
	    'Expect: 100-continue\r\n\r\n');

	assert.deepEqual(responses.map((each) => each.status), [413]);
	assert.ok(closed);
});

test('a body of more than 8 MiB is 413 at once and the connection closes',
    async () => {
	const d = await startDaemon();
	const { responses } = await rawExchange(d,
	    'POST /register HTTP/1.1\r\nHost: x\r\n' +
	    'Content-Length: 9000000\r\n\r\n');

	assert.deepEqual(responses.map((each) => each.status), [413]);
});

test('a chunked body that is too large is 413', async () => {
	const d = await startDaemon();
	const chunk = (1000).toString(16) + '\r\n' + ' '.repeat(1000) + '\r\n';
	const { responses } = await rawExchange(d,
	    'POST /register HTTP/1.1\r\nHost: x\r\n' +
	    'Transfer-Encoding: chunked\r\n\r\n' + chunk.repeat(70) +
	    '0\r\n\r\n', { until: /too-large/ });

	assert.deepEqual(responses.map((each) => each.status), [413]);
});

// --- mailboxes ---

test('a mailbox has at most 1,024 events: a direct command to a full one ' +
    'fails with mailbox-full and changes nothing', async () => {
	const d = await startDaemon({ args: FAST });
	const { players: [host, bob] } = await makeRoom(d);
	const n = host.cursor;

	ok(await host.events({ after: n, wait: 0 }));
	assert.ok((await offers(bob, 1, 1024)).every((each) => each === null));
	for (const target of ['/offer', '/answer', '/candidate'])
		assertFailure(await bob.post(target, { body: { id: 1 } }), 409,
		    'ICB', 'mailbox-full');

	const events = await host.drain();

	assert.equal(events.length, 1024);
	assert.equal(events.at(-1).id, n + 1024);
	// The last batch is acknowledged by now.
	ok(await host.events({ after: host.cursor, wait: 0 }));
	ok(await bob.offer({ id: 1 }));
	assert.deepEqual((await host.drain()).map((event) => event.id),
	    [n + 1025]);
});

test('--max-mailbox-events sets it, and acknowledging makes room',
    async () => {
	const d = await startDaemon({ args: [...FAST,
		'--max-mailbox-events', '5'] });
	const { players: [host, bob] } = await makeRoom(d);
	const n = host.cursor;

	ok(await host.events({ after: n, wait: 0 }));
	assert.deepEqual((await offers(bob, 1, 7)).map((each) => each?.error),
	    [...Array(5).fill(undefined), 'mailbox-full', 'mailbox-full']);
	ok(await host.events({ after: n + 2, wait: 0 }));
	assert.deepEqual((await offers(bob, 1, 3)).map((each) => each?.error),
	    [undefined, undefined, 'mailbox-full']);
	assert.deepEqual((await host.drain()).map((event) => event.id),
	    [3, 4, 5, 6, 7].map((i) => n + i));
});

test('a mailbox has at most 1 MiB', async () => {
	const d = await startDaemon({ args: FAST });
	const { players: [host, bob] } = await makeRoom(d);
	const rtc = 'x'.repeat(60_000);
	let n = 0;

	ok(await host.events({ after: host.cursor, wait: 0 }));
	for (;;) {
		const reply = await bob.offer({ id: 1, rtc });

		if (reply.status !== 204) {
			assertFailure(reply, 409, 'ICB', 'mailbox-full');
			break;
		}
		n++;
		assert.ok(n < 20);
	}
	assert.equal(n, 17);
	// A small one still fits.
	ok(await bob.offer({ id: 1 }));
	assert.equal((await host.drain()).length, 18);
});

test('a message that fits into no mailbox is mailbox-full and evicts nobody',
    async () => {
	const d = await startDaemon({ args: ['--max-mailbox-bytes', '1000'] });
	const { players: [host, bob] } = await makeRoom(d);

	assertFailure(await bob.message('x'.repeat(1000)), 409, 'RMB',
	    'mailbox-full');
	assert.deepEqual(await host.news(), []);
	ok(await bob.message('small'));
	assert.deepEqual(await host.news(), [['RMK', 'small']]);
});

test('--max-mailbox-bytes sets it', async () => {
	const d = await startDaemon({ args: [...FAST,
		'--max-mailbox-bytes', '10000'] });
	const { players: [host, bob] } = await makeRoom(d);

	ok(await host.events({ after: host.cursor, wait: 0 }));
	assert.deepEqual((await offers(bob, 1, 4, { rtc: 'x'.repeat(3000) }))
	    .map((each) => each?.error),
	[undefined, undefined, undefined, 'mailbox-full']);
});

// How long a member may not poll before it counts as one that does not come for
// its mail (overflow.test.mjs has those who do).
const AWAY_S = 11;

// A room whose members hold at most 5 events each, with bob's full, and nobody
// has polled for a while.
async function withFullBob(names = ['ann', 'bob', 'cat'])
{
	const d = await startDaemon({ args: [...FAST,
		'--max-mailbox-events', '5'] });
	const { uuid, players } = await makeRoom(d, names);

	for (const player of players)
		ok(await player.events({ after: player.cursor, wait: 0 }));
	await offers(players[0], players[1].id, 5);
	d.advance(AWAY_S);
	return { d, uuid, players };
}

test('a broadcast that meets a full mailbox evicts that member: PTO ' +
    '"Mailbox Overflow", the others get RPD', async () => {
	const { players: [ann, bob, cat] } = await withFullBob();

	ok(await ann.message('x'));
	for (const player of [ann, cat])
		assert.deepEqual(await player.news(),
		    [['RMK', 'x'], ['RPD', bob.id]]);
	for (let i = 0; i < 2; i++)
		assertOverflow(await bob.events({ after: bob.cursor, wait: 0 }));
	assert.deepEqual(ok(await ann.room()).peers.map((each) => each.id),
	    [1, cat.id]);
});

test('a join, a seal and a leave evict a full member too', async () => {
	for (const act of ['join', 'seal', 'leave']) {
		const { d, uuid, players: [ann, bob, cat] } = await withFullBob();

		if (act === 'join')
			ok(await (await Player.register(d, 'eve')).join(uuid));
		else if (act === 'seal')
			ok(await ann.seal());
		else
			ok(await cat.leave());
		assertOverflow(await bob.room());
		assert.ok((await ann.news()).some(([code, data]) =>
		    code === 'RPD' && data === bob.id));
	}
});

test('an eviction that removes the sender: the sender gets 410', async () => {
	const { players: [ann, bob, cat] } = await withFullBob();

	assertOverflow(await bob.message('x'));
	for (const player of [ann, cat])
		assert.deepEqual((await player.news()).at(-1), ['RPD', bob.id]);
});

test('the host is evicted: RPD 1, then RCL "Host Disconnected"', async () => {
	const d = await startDaemon({ args: [...FAST,
		'--max-mailbox-events', '5'] });
	const { uuid, players: [ann, bob, cat] } = await makeRoom(d,
	    ['ann', 'bob', 'cat']);

	for (const player of [ann, bob, cat])
		ok(await player.events({ after: player.cursor, wait: 0 }));
	await offers(bob, 1, 5);
	d.advance(AWAY_S);
	ok(await bob.message('x'));
	assertOverflow(await ann.room());
	for (const player of [bob, cat])
		assert.deepEqual(await player.news(), [['RMK', 'x'], ['RPD', 1],
			['RCL', 'Host Disconnected']]);
	assertFailure(await cat.join(uuid), 404, 'JRB', 'room-not-found');
});

test('an eviction that closes the room being joined: the join is ' +
    'room-not-found', async () => {
	const d = await startDaemon({ args: [...FAST,
		'--max-mailbox-events', '5'] });
	const { uuid, players: [ann, bob] } = await makeRoom(d);
	const eve = await Player.register(d, 'eve');

	for (const player of [ann, bob])
		ok(await player.events({ after: player.cursor, wait: 0 }));
	await offers(bob, 1, 5);
	d.advance(AWAY_S);
	assertFailure(await eve.join(uuid), 404, 'JRB', 'room-not-found');
	assertOverflow(await ann.room());
	assert.deepEqual((await bob.news()).slice(-2),
	    [['RPD', 1], ['RCL', 'Host Disconnected']]);
	assertFailure(await eve.room(), 404, 'ICB', 'not-in-room');
	ok(await eve.create());
});

test('evictions are worked off one after the other, until none is left',
    async () => {
	const d = await startDaemon({ args: [...FAST,
		'--max-mailbox-events', '6'] });
	const { players: [ann, bob, cat, dan, eve] } = await makeRoom(d,
	    ['ann', 'bob', 'cat', 'dan', 'eve']);

	for (const player of [ann, bob, cat, dan, eve])
		ok(await player.events({ after: player.cursor, wait: 0 }));
	// A message more than bob can hold evicts it; its RPD is more than cat
	// can hold, and cat's RPD more than dan.
	await offers(ann, bob.id, 6);
	await offers(ann, cat.id, 5);
	await offers(ann, dan.id, 4);
	d.advance(AWAY_S);
	ok(await ann.message('x'));
	for (const player of [bob, cat, dan])
		assertOverflow(await player.room());
	for (const player of [ann, eve])
		assert.deepEqual(await player.news(), [['RMK', 'x'],
			['RPD', bob.id], ['RPD', cat.id], ['RPD', dan.id]]);
	assert.deepEqual(ok(await ann.room()).peers.map((each) => each.id),
	    [1, eve.id]);
});

test('one dead tab cannot silence a room', async () => {
	const d = await startDaemon({ args: [...FAST,
		'--max-mailbox-events', '20'] });
	const { players: [ann, dead, cat] } = await makeRoom(d,
	    ['ann', 'bob', 'cat']);

	d.advance(31); // it has not acknowledged what it got last
	for (let i = 0; i < 50; i++) {
		ok(await cat.message(i));
		assert.deepEqual((await ann.news()).filter(([code]) =>
		    code === 'RMK'), [['RMK', i]]);
		await cat.drain();
	}
	assertOverflow(await dead.room());
});

// --- rooms and players ---

test('a room has at most 64 members: room-full', async () => {
	const d = await startDaemon();
	const { uuid, players } = await makeRoom(d,
	    Array.from({ length: 64 }, (_, i) => `p${i}`));
	const late = await Player.register(d, 'late');

	assertFailure(await late.join(uuid), 409, 'JRB', 'room-full');
	assert.deepEqual(await players[0].drain(), []);
	ok(await players[7].leave());
	ok(await late.join(uuid));
});

test('--max-room-members sets it, and room-sealed comes before room-full',
    async () => {
	const d = await startDaemon({ args: ['--max-room-members', '2'] });
	const { uuid, players: [host] } = await makeRoom(d);
	const late = await Player.register(d, 'late');

	assertFailure(await late.join(uuid), 409, 'JRB', 'room-full');
	ok(await host.seal());
	assertFailure(await late.join(uuid), 409, 'JRB', 'room-sealed');
});

test('--max-rooms: 503 too-many-rooms with Retry-After, until one is gone',
    async () => {
	const d = await startDaemon({ args: ['--max-rooms', '2'] });
	const rooms = [await makeRoom(d, ['a']), await makeRoom(d, ['b'])];
	const player = await Player.register(d);
	const reply = await player.create();

	assertFailure(reply, 503, 'CRB', 'too-many-rooms');
	assertRetryAfter(reply);
	assert.deepEqual(await player.drain(), []);
	ok(await rooms[0].players[0].leave());
	ok(await player.create());
	await d.restart();
	assertFailure(await rooms[0].players[0].create(), 503, 'CRB',
	    'too-many-rooms');
});

test('--max-players: 503 too-many-players with Retry-After, until one is ' +
    'gone', async () => {
	const d = await startDaemon({ args: ['--max-players', '2'] });
	const players = [await Player.register(d), await Player.register(d)];
	const register = () => request(d, 'POST', '/register', { body: 'x' });
	const reply = await register();

	assertFailure(reply, 503, 'RPB', 'too-many-players');
	assertRetryAfter(reply);
	ok(await players[0].unregister());
	ok(await register());
	await d.restart();
	assertFailure(await register(), 503, 'RPB', 'too-many-players');
});

// --- rates ---

test('per player 50 commands/s with a burst of 200', async () => {
	const d = await startDaemon({ args: ['--player-timeout', '0'] });
	const player = await Player.register(d);
	const burst = (n) => player.command(Array(n).fill(
	    { command: '###!LR' }));

	for (const n of [64, 64, 64, 8])
		ok(await burst(n));
	// 64 more need 1.28 s.
	assertFailure(await burst(64), 429, 'ICB', 'rate-limited');
	d.advance(1);
	assertFailure(await burst(64), 429, 'ICB', 'rate-limited');
	d.advance(1);
	ok(await burst(64));
	d.advance(1000);
	for (const n of [64, 64, 64, 8])
		ok(await burst(n));
	assertFailure(await burst(64), 429, 'ICB', 'rate-limited');
});

const SLOW = ['--command-rate', '1', '--command-burst', '5',
	'--player-timeout', '0', '--lobby-timeout', '0'];

test('what follows a register in its array is paid for by the new player',
    async () => {
	const d = await startDaemon({ args: SLOW });
	const replies = ok(await request(d, 'POST', '/command', { body:
		[{ command: '###!RP', data: 'ann' },
			...Array(5).fill({ command: '###!LR' })] }));

	assertFailure(await request(d, 'POST', '/create-room',
	    { token: replies[0].token }), 429, 'CRB', 'rate-limited');
	d.advance(1);
	ok(await request(d, 'POST', '/create-room',
	    { token: replies[0].token }));
});

test('--command-rate and --command-burst set it; 429 has Retry-After and ' +
    'the command\'s own code, and nothing is done', async () => {
	const d = await startDaemon({ args: SLOW });
	const { players: [host, bob] } = await makeRoom(d);

	d.advance(100);
	for (let i = 0; i < 5; i++)
		ok(await bob.message(i));

	const reply = await bob.message('x');

	assertFailure(reply, 429, 'RMB', 'rate-limited');
	assertRetryAfter(reply);
	assertFailure(await bob.leave(), 429, 'LRB', 'rate-limited');
	assertFailure(await bob.offer({ id: 1 }), 429, 'ICB', 'rate-limited');
	assert.equal((await host.drain()).length, 5);
	d.advance(Number(reply.headers['retry-after']));
	ok(await bob.message('x'));
});

test('the rate is each player\'s own', async () => {
	const d = await startDaemon({ args: SLOW });
	const { players: [host, bob] } = await makeRoom(d);

	d.advance(100);
	for (let i = 0; i < 5; i++)
		ok(await bob.message(i));
	assertFailure(await bob.message(5), 429, 'RMB', 'rate-limited');
	ok(await host.message(6));
});

test('polls and GET /room are not rated', async () => {
	const d = await startDaemon({ args: SLOW });
	const { players: [host] } = await makeRoom(d, ['ann']);

	d.advance(100);
	for (let i = 0; i < 20; i++) {
		ok(await host.events({ after: host.cursor, wait: 0 }));
		ok(await host.room());
	}
	for (let i = 0; i < 5; i++)
		ok(await host.message(i));
});

test('an array takes one for each command, may overdraw a full bucket, and ' +
    'the debt is repaid at the rate', async () => {
	const d = await startDaemon({ args: SLOW });
	const { players: [host, bob] } = await makeRoom(d);
	const array = Array(20).fill({ command: '###!OO', data: { id: 1 } });

	d.advance(100);
	ok(await bob.command(array));
	assertFailure(await bob.command(array), 429, 'ICB', 'rate-limited');
	d.advance(14);
	assertFailure(await bob.message('x'), 429, 'RMB', 'rate-limited');
	d.advance(3);
	ok(await bob.message('x'));
	assertFailure(await bob.command(array), 429, 'ICB', 'rate-limited');
	d.advance(6);
	ok(await bob.command(array));
	assert.equal((await host.drain()).length, 41);
});

test('a replay counts as a command for the rate', async () => {
	const d = await startDaemon({ args: SLOW });
	const { players: [host] } = await makeRoom(d, ['ann']);
	const headers = { 'Idempotency-Key': 'k' };

	d.advance(100);
	for (let i = 0; i < 5; i++)
		ok(await host.message('x', { headers }));
	assertFailure(await host.message('x', { headers }), 429, 'RMB',
	    'rate-limited');
});

test('the replay of an array counts as one command, so that a path that loses ' +
    'replies does not use up the rate', async () => {
	const d = await startDaemon({ args: SLOW });
	const { players: [host] } = await makeRoom(d, ['ann']);
	const array = Array(4).fill({ command: '###!SM', data: 'x' });
	const send = (commands, key) => host.command(commands,
	    { headers: { 'Idempotency-Key': key } });

	d.advance(100);
	ok(await send(array, 'k'));
	assertFailure(await send(array, 'l'), 429, 'ICB', 'rate-limited');
	assert.equal((await send(array, 'k')).headers['idempotency-replayed'],
	    'true');
	assertFailure(await send(array, 'k'), 429, 'ICB', 'rate-limited');
	d.advance(1);
	// One that is refused for its key costs no more.
	assertFailure(await send(array.slice(1), 'k'), 422, 'ICB',
	    'idempotency-mismatch');
	assertFailure(await send(array.slice(1), 'k'), 429, 'ICB',
	    'rate-limited');
	assert.equal((await host.drain()).length, 4);
});

test('bad shape comes before the rate, the rate before the state',
    async () => {
	const d = await startDaemon({ args: SLOW });
	const player = await Player.register(d);

	d.advance(100);
	for (let i = 0; i < 5; i++)
		assertFailure(await player.seal(), 409, 'SRB', 'not-in-room');
	assertFailure(await player.seal(), 429, 'SRB', 'rate-limited');
	assertFailure(await player.seal({ body: 1 }), 400, 'SRB', 'bad-data');
	assertFailure(await player.message(null), 400, 'RMB', 'bad-data');
	assertFailure(await player.message(0, { text: '{' }), 400, 'RMB',
	    'bad-json');
});

test('limits per address do not apply to loopback', async () => {
	const d = await startDaemon({ args: ['--register-rate', '1',
		'--register-burst', '2'] });

	for (let i = 0; i < 10; i++)
		await Player.register(d);
});

// --- connections ---

test('a header block of more than 16 KiB is 431', async () => {
	const d = await startDaemon();
	const head = (n) => {
		const start = 'GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX: ';

		return start + 'x'.repeat(n - start.length - 4) + '\r\n\r\n';
	};

	assert.equal((await rawExchange(d, head(15_500))).responses[0].status,
	    200);
	for (const n of [16_800, 20_000]) {
		const { responses: [reply] } = await rawExchange(d, head(n));

		assertFailure(reply, 431, 'ICB', 'too-large');
	}
});

// A connection of our own: text so far, and the promise of its end.
async function connect(d, { isWaiting = false } = {})
{
	const socket = connectTo(d);
	const connection = { socket, text: '', isClosed: false };

	connection.closed = new Promise((resolve) => {
		socket.on('close', () => {
			connection.isClosed = true;
			resolve();
		});
	});
	socket.on('data', (part) => {
		connection.text += part.toString('latin1');
	});
	socket.on('error', () => {});
	// TCP gives it as soon as it is in the daemon's queue.
	await new Promise((resolve) => socket.once(
	    isWaiting ? 'connect' : readyEvent(socket), resolve));
	return connection;
}

const PARTS = [
	['nothing but a byte', 'G'],
	['half a request line', 'POST /regi'],
	['half a header', 'POST /register HTTP/1.1\r\nHost: x\r\nContent-'],
	['half a body', 'POST /register HTTP/1.1\r\nHost: x\r\n' +
	    'Content-Length: 5\r\n\r\n"an'],
];

for (const [what, bytes] of PARTS)
	test('a request that is not complete within 15 s of its first byte is ' +
	    `closed: ${what}`, async () => {
		const d = await startDaemon();
		const connection = await connect(d);

		connection.socket.write(bytes);
		await looked(d);
		d.advance(14);
		await looked(d);
		assert.equal(connection.isClosed, false);
		d.advance(2);
		await within(DEADLINE_MS, 'close', connection.closed);
	});

test('a byte now and then does not prolong the 15 s', async () => {
	const d = await startDaemon();
	const connection = await connect(d);

	connection.socket.write('GET / HTTP/1.1\r\nHost: x\r\nX: ');
	await looked(d);
	for (let i = 0; i < 3; i++) {
		d.advance(4.5);
		await looked(d);
		assert.equal(connection.isClosed, false);
		connection.socket.write('x');
	}
	d.advance(3);
	await within(DEADLINE_MS, 'close', connection.closed);
});

test('a kept-alive connection idle for 75 s is closed', async () => {
	const d = await startDaemon();
	const connection = await connect(d);
	const ask = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';

	for (let i = 1; i <= 2; i++) {
		connection.socket.write(ask);
		await until(() => parseResponses(connection.text).length === i,
		    'answer');
		await looked(d);
		d.advance(73);
		await looked(d);
		assert.equal(connection.isClosed, false);
	}
	d.advance(3);
	await within(DEADLINE_MS, 'close', connection.closed);
});

test('a connection on which nothing ever comes is closed after 15 s',
    async () => {
	const d = await startDaemon();
	const connection = await connect(d);

	await looked(d);
	// With TLS something has come.
	d.advance(d.listeners[0].isTls ? 73 : 13);
	await looked(d);
	assert.equal(connection.isClosed, false);
	d.advance(3);
	await within(DEADLINE_MS, 'close', connection.closed);
});

test('--idle-timeout keeps a connection for a balancer that keeps it longer',
    async () => {
	const config = path.join(scratchDir(), 'peerpost.conf');

	fs.writeFileSync(config, 'idle-timeout = 900\n');
	const d = await startDaemon({ args: ['--config', config] });
	const connection = await connect(d);
	const ask = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';

	for (let i = 1; i <= 2; i++) {
		connection.socket.write(ask);
		await until(() => parseResponses(connection.text).length === i,
		    'answer');
		await looked(d);
		d.advance(898);
		await looked(d);
		assert.equal(connection.isClosed, false);
	}
	// What holds from now on holds for connections that there are, too.
	const young = await connect(d);

	fs.writeFileSync(config, 'idle-timeout = 5\n');
	process.kill(d.pid, 'SIGHUP');
	await until(() => d.stderr.includes('has been reloaded'), 'reload');
	d.advance(3);
	await within(DEADLINE_MS, 'close', connection.closed);
	assert.equal(young.isClosed, false);
	d.advance(3);
	await within(DEADLINE_MS, 'close', young.closed);
});

test('a reply that nobody reads does not stay for --idle-timeout', async () => {
	const d = await startDaemon({ args: ['--idle-timeout', '3600'] });
	const connection = await connect(d);

	connection.socket.pause();
	connection.socket.write(
	    'GET /openapi.yaml HTTP/1.1\r\nHost: x\r\n\r\n'.repeat(400));
	await looked(d);
	d.advance(78);
	await looked(d);
	connection.socket.resume();
	await within(DEADLINE_MS, 'close', connection.closed);
});

test('a parked poll is not idle', async () => {
	const d = await startDaemon({ args: ['--poll-wait-max', '300',
		'--player-timeout', '0'] });
	const player = await Player.register(d);
	const connection = await connect(d);

	connection.socket.write('GET /events?after=0&wait=300 HTTP/1.1\r\n' +
	    `Host: x\r\nAuthorization: Bearer ${player.token}\r\n\r\n`);
	await looked(d);
	d.advance(200);
	await looked(d);
	assert.equal(connection.isClosed, false);
	ok(await player.create());
	await until(() => parseResponses(connection.text)[0]?.json
	    ?.events?.length === 1, 'event');
	connection.socket.destroy();
});

test('--max-connections: who comes when it is full waits for a place',
    async () => {
	const d = await startDaemon({ args: ['--max-connections', '3'] });
	const ask = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
	const held = [];

	for (let i = 0; i < 3; i++) {
		const connection = await connect(d);

		held.push(connection);
		if (i === 2) // an answer would make room
			continue;
		connection.socket.write(ask);
		await until(() => parseResponses(connection.text).length === 1,
		    'answer');
	}

	const fourth = await connect(d, { isWaiting: true });

	fourth.socket.write(ask);
	for (let i = 2; i <= 4; i++) {
		held[0].socket.write(ask);
		await until(() => parseResponses(held[0].text).length === i,
		    'answer');
		assert.equal(fourth.text, '');
	}
	held[1].socket.destroy();
	await until(() => parseResponses(fourth.text).length === 1, 'answer');
	for (const connection of [...held, fourth])
		connection.socket.destroy();
});
