// overload.test.mjs - a server that is full, of whatever it may be: newcomers
// get in, and a connection that works keeps its place.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Player, assertFailure, looked, makeRoom, ok, parked, startStill, until }
    from '../lib/peerpost.mjs';
import { startAdministered } from '../lib/admin.mjs';
import { readMetrics } from '../lib/metrics.mjs';
import { rest } from '../lib/rest.mjs';
import { Wire, plain, settle } from '../lib/wire.mjs';

const N = 12;
const FULL = ['--max-connections', `${N}`, '--register-rate', '0',
	'--command-rate', '0', '--relay-rate', '0', '--poll-rate', '0'];

// A player with so much mail that its replies fill any socket's buffers.
async function richPlayer(daemon)
{
	const { players: [ann, bob] } = await makeRoom(daemon);

	for (let i = 0; i < 12; i++)
		ok(await bob.offer({ id: 1, x: 'y'.repeat(60_000) }));
	return ann;
}

// Fill the server with connections that have sent these bytes, and read
// nothing.
async function fill(daemon, n, bytesOf)
{
	const wires = [];

	daemon.dropIdle();
	await settle(daemon);
	for (let i = 0; i < n; i++) {
		const wire = await Wire.open(daemon);

		wire.socket.pause();
		wire.send(bytesOf(i));
		wires.push(wire);
	}
	// (There may be no place for the connection of settle().)
	await rest(daemon);
	return wires;
}

const floods = {
	'silent connections': () => '',
	'half requests': () => 'GET /events HTTP/1.1\r\nHost: x\r\nX-A: ',
	'half bodies': () =>
	    'POST /register HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n"abc',
	'unread replies': (i, token) => plain('GET', '/events?after=0&wait=0',
	    { token }).repeat(60),
};

for (const [what, bytesOf] of Object.entries(floods))
	test(`a server full of ${what} lets newcomers in`, async () => {
		const daemon = await startStill({ args: FULL });
		const { token } = await richPlayer(daemon);
		const wires = await fill(daemon, N, (i) => bytesOf(i, token));

		daemon.advance(1.1);
		// Each takes a place.
		for (let i = 0; i < N; i++) {
			const wire = await Wire.open(daemon);

			ok(await wire.exchange(plain('POST', '/register',
			    { body: '"new"' })));
			wires.push(wire);
		}
		for (const wire of wires)
			wire.close();
	});

test('a connection that has served a request outlives those that have not',
    async () => {
	const daemon = await startStill({ args: FULL });

	daemon.dropIdle();
	await settle(daemon);
	const old = await Wire.open(daemon);

	ok(await old.exchange(plain('GET', '/healthz')));
	const wires = await fill(daemon, N - 1, floods['half requests']);

	daemon.advance(0.6);
	for (let i = 0; i < N - 1; i++) {
		const wire = await Wire.open(daemon);

		ok(await wire.exchange(plain('GET', '/healthz')));
		wires.push(wire);
	}
	ok(await old.exchange(plain('GET', '/healthz')));
	for (const wire of [old, ...wires])
		wire.close();
});

test('a crowd of polls in the lobby takes no place from polls in rooms',
    async () => {
	const daemon = await startStill({ args: [...FULL, '--max-parked', '4'] });
	const { players: [ann, bob] } = await makeRoom(daemon);
	const poll = ann.events({ after: ann.cursor, wait: 55 });
	const crowd = [];

	await parked(daemon, poll);
	for (let i = 0; i < 8; i++) {
		const player = await Player.register(daemon);
		const wire = await Wire.open(daemon);

		wire.send(plain('GET', '/events?after=0&wait=55',
		    { token: player.token }));
		crowd.push(wire);
		await settle(daemon);
		daemon.advance(0.3);
	}
	// Those that were held for longest have been answered.
	for (const wire of crowd.slice(0, 5)) {
		const reply = ok(await wire.response());

		assert.deepEqual(reply.events, []);
		assert.ok(reply.poll_after_ms >= 1000);
	}
	for (const wire of crowd.slice(5))
		assert.equal(wire.pending.length, 0);
	ok(await bob.message('still there?'));
	assert.deepEqual(ok(await poll).events.map(({ data }) => data),
	    ['still there?']);
	for (const wire of crowd)
		wire.close();
});

test('when all polls are young the newest is answered', async () => {
	const daemon = await startStill({ args: ['--max-parked', '2'] });
	const rooms = [await makeRoom(daemon), await makeRoom(daemon)];
	const [ann, bob, cid] = [...rooms[0].players, ...rooms[1].players];
	const polls = [];

	// One after the other: the first is the oldest.
	for (const player of [ann, bob]) {
		polls.push(player.events({ after: player.cursor, wait: 55 }));
		await parked(daemon, polls.at(-1));
	}
	assert.ok(ok(await cid.events({ after: cid.cursor, wait: 55 }))
	    .poll_after_ms >= 1000);
	daemon.advance(1.1);
	const late = cid.events({ after: cid.cursor, wait: 55 });

	assert.ok(ok(await polls[0]).poll_after_ms >= 1000);
	await parked(daemon, late);
	daemon.advance(56);
	assert.equal(ok(await polls[1]).poll_after_ms, undefined);
	ok(await late);
});

test('without room, a poll that brings nothing ends its connection',
    async () => {
	const daemon = await startStill({ args: ['--max-connections', '3'] });
	const player = await Player.register(daemon);
	const poll = plain('GET', '/events?after=0&wait=0',
	    { token: player.token });

	daemon.dropIdle();
	await settle(daemon);
	const wire = await Wire.open(daemon);

	assert.equal(ok(await wire.exchange(poll)).next, 0);
	const others = [await Wire.open(daemon), await Wire.open(daemon)];

	// A newcomer's first reply would make room.
	await rest(daemon);
	const last = await wire.exchange(poll);

	assert.deepEqual(ok(last).events, []);
	assert.equal(last.headers.connection?.toLowerCase(), 'close');
	await wire.closed();
	for (const other of others)
		other.close();
});

test('--max-unsent: replies that nobody reads do not fill memory', async () => {
	const daemon = await startAdministered({ args: ['--max-unsent', '1000000',
		'--poll-rate', '0', '--relay-rate', '0'] });
	const { token } = await richPlayer(daemon);
	const wires = await fill(daemon, 60, (i) =>
	    floods['unread replies'](i, token));

	await until(async () => (await readMetrics(daemon))(
	    'peerpost_rate_limited_total', { limit: 'unsent' }) > 0, 'closed ones');
	await settle(daemon);
	assert.ok((await readMetrics(daemon))('peerpost_unsent_bytes') <=
	    1_000_000);
	// Who reads gets all.
	const wire = await Wire.open(daemon);

	for (let i = 0; i < 20; i++)
		assert.ok(ok(await wire.exchange(plain('GET',
		    '/events?after=0&wait=0', { token }))).events.length >= 4);
	for (const each of [wire, ...wires])
		each.close();
	await until(async () => (await readMetrics(daemon))(
	    'peerpost_unsent_bytes') < 10_000, 'freed replies');
});

test('--poll-rate: what acknowledges nothing is limited, mail is not',
    async () => {
	const daemon = await startStill({ args: ['--poll-rate', '1',
		'--poll-burst', '5'] });
	const { players: [ann, bob] } = await makeRoom(daemon);
	const again = () => ann.events({ after: ann.cursor, wait: 0 });

	await ann.drain();
	for (let i = 0; i < 5; i++)
		ok(await bob.message(i));
	daemon.advance(10);
	await looked(daemon);
	for (let i = 0; i < 5; i++)
		ok(await again());
	for (const reply of [await again(), await ann.room(),
		await ann.request('GET', '/ice-servers')]) {
		assertFailure(reply, 429, 'ICB', 'rate-limited');
		assert.equal(reply.headers['retry-after'], '1');
	}
	// Another player has a bucket of its own, and so have commands.
	ok(await bob.room());
	ok(await ann.message('mine'));
	for (let i = 1; i < 5; i++)
		assert.equal(ok(await ann.events({ after: ann.cursor + i,
			wait: 0 })).events[0].data, i);
	ann.cursor += 4;
	daemon.advance(1);
	await looked(daemon);
	ok(await again());
	assertFailure(await again(), 429, 'ICB', 'rate-limited');
});

test('a long burst that is refused for its rate ends with the connection',
    async () => {
	const daemon = await startStill({ args: ['--poll-rate', '1',
		'--poll-burst', '5'] });
	const { players: [ann] } = await makeRoom(daemon, ['ann']);

	daemon.advance(10);
	await looked(daemon);
	const wire = await Wire.open(daemon);

	wire.send(plain('GET', '/room', { token: ann.token }).repeat(300));
	for (let i = 0; i < 5; i++)
		ok(await wire.response());
	for (let i = 0; i < 3; i++)
		assertFailure(await wire.response(), 429, 'ICB', 'rate-limited');
	const last = await wire.response();

	assertFailure(last, 429, 'ICB', 'rate-limited');
	assert.equal(last.headers.connection?.toLowerCase(), 'close');
	await wire.waitFor('close', () => wire.isClosed ? true : undefined);
	// One by one they are refused, and nothing else happens.
	const calm = await Wire.open(daemon);

	for (let i = 0; i < 70; i++)
		assertFailure(await calm.exchange(plain('GET', '/room',
		    { token: ann.token })), 429, 'ICB', 'rate-limited');
	calm.close();
});
