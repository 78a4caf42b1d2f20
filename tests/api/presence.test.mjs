// presence.test.mjs - presence and time-outs (protocol section 6), on the
// test clock.
//
// Any request of a player tells the daemon that it is there, so that a
// time-out is watched from outside: by another member of its room.
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertFailure, looked, makeRoom, ok, parked, Player, request,
    startStill as startDaemon, until } from '../lib/peerpost.mjs';

const NO_PLAYERS = ['--player-timeout', '0'];
const NO_LOBBY = ['--lobby-timeout', '0'];

// Let seconds pass, and the daemon look at its clock.
async function pass(d, seconds)
{
	d.advance(seconds);
	await looked(d);
}

// What happens to player's mailbox until it holds a `code`.
async function newsUntil(player, code)
{
	const all = [];

	return until(async () => {
		all.push(...await player.news());
		return all.some(([each]) => each === code) ? all : false;
	}, `###!${code}`);
}

function assertTimedOut(reply, reason)
{
	assertFailure(reply, 410, 'PTO', 'timed-out');
	assert.equal(reply.json.data, reason);
}

// --- player-timeout ---

test('player-timeout: no poll and no request for 120 s: timed out, "Player ' +
    'Stopped Polling"', async () => {
	const d = await startDaemon();
	const { players: [ann, bob] } = await makeRoom(d);

	await pass(d, 119);
	assert.equal(ok(await ann.room()).peers.length, 2);
	d.advance(2);
	assert.deepEqual(await newsUntil(ann, 'RPD'), [['RPD', bob.id]]);
	for (let i = 0; i < 3; i++)
		assertTimedOut(await bob.room(), 'Player Stopped Polling');
	assert.deepEqual(ok(await ann.room()).peers, [{ id: 1, name: 'ann' }]);
});

test('--player-timeout sets it', async () => {
	const d = await startDaemon({ args: ['--player-timeout', '30'] });
	const { players: [ann, bob] } = await makeRoom(d);

	await pass(d, 29);
	ok(await ann.room());
	d.advance(2);
	assert.deepEqual(await newsUntil(ann, 'RPD'), [['RPD', bob.id]]);
});

test('--player-timeout 0: never', async () => {
	const d = await startDaemon({ args: [...NO_PLAYERS, ...NO_LOBBY] });
	const { players: [ann, bob] } = await makeRoom(d);

	await pass(d, 10_000_000);
	assert.equal(ok(await ann.room()).peers.length, 2);
	ok(await bob.room());
});

test('any request of a player counts, commands, /room and failures too',
    async () => {
	const d = await startDaemon();
	const { players: [ann, bob] } = await makeRoom(d);

	for (const act of [() => bob.room(), () => bob.message(1),
	    () => bob.seal(), () => bob.offer({ id: 1 }),
	    () => bob.events({ after: bob.cursor, wait: 0 }),
	    () => bob.command([]), () => bob.message(null)]) {
		await pass(d, 100);
		await act();
		ok(await ann.room());
	}
	assert.equal(ok(await ann.room()).peers.length, 2);
});

test('a parked poll counts however long it is parked, and the clock starts ' +
    'when it ends', async () => {
	const d = await startDaemon({ args: ['--player-timeout', '20'] });
	const { players: [ann, bob] } = await makeRoom(d);
	const poll = bob.events({ after: bob.cursor, wait: 55 });

	await parked(d, poll);
	for (let i = 0; i < 4; i++) {
		await pass(d, 11);
		ok(await ann.room());
	}
	assert.equal(ok(await ann.room()).peers.length, 2);
	ok(await ann.message('x'));
	assert.equal(ok(await poll).events.length, 1);
	await pass(d, 19);
	assert.equal(ok(await ann.room()).peers.length, 2);
	d.advance(2);
	assert.deepEqual(await newsUntil(ann, 'RPD'),
	    [['RMK', 'x'], ['RPD', bob.id]]);
});

test('the clock starts when a client that was parked goes away', async () => {
	const d = await startDaemon({ args: ['--player-timeout', '20'] });
	const { players: [ann, bob] } = await makeRoom(d);
	const leaving = new AbortController();
	const poll = bob.events({ after: bob.cursor, wait: 55,
		signal: leaving.signal });

	await parked(d, poll);
	await pass(d, 15);
	ok(await ann.room());
	await pass(d, 15);
	leaving.abort();
	await poll.catch(() => {});
	await pass(d, 0);
	ok(await ann.room());
	await pass(d, 19);
	assert.equal(ok(await ann.room()).peers.length, 2);
	d.advance(2);
	assert.deepEqual(await newsUntil(ann, 'RPD'), [['RPD', bob.id]]);
});

test('the host times out: the others get RPD 1, then RCL "Host ' +
    'Disconnected", and are in the lobby', async () => {
	const d = await startDaemon();
	const { uuid, players: [ann, bob, cat] } = await makeRoom(d,
	    ['ann', 'bob', 'cat']);

	await pass(d, 60);
	ok(await bob.room());
	ok(await cat.room());
	d.advance(61);
	for (const player of [bob, cat]) {
		assert.deepEqual(await newsUntil(player, 'RCL'),
		    [['RPD', 1], ['RCL', 'Host Disconnected']]);
		assertFailure(await player.room(), 404, 'ICB', 'not-in-room');
	}
	assertFailure(await bob.join(uuid), 404, 'JRB', 'room-not-found');
	assertTimedOut(await ann.room(), 'Player Stopped Polling');
});

test('a time-out wakes the polls of the others', async () => {
	const d = await startDaemon();
	const { players: [ann, bob] } = await makeRoom(d);

	await pass(d, 100);

	const poll = ann.events({ after: ann.cursor, wait: 55 });

	await parked(d, poll);
	d.advance(21);
	assert.deepEqual(ok(await poll).events.map((event) =>
	    [event.command, event.data]), [['###!RPD', bob.id]]);
});

test('a timed-out token gets 410 for an hour, then 401', async () => {
	const d = await startDaemon();
	const { players: [ann, bob] } = await makeRoom(d);

	await pass(d, 60);
	ok(await ann.room());
	d.advance(61);
	await newsUntil(ann, 'RPD');
	d.advance(3500);
	assertTimedOut(await bob.room(), 'Player Stopped Polling');
	d.advance(200);
	assertFailure(await bob.room(), 401, 'ICB', 'no-session');
});

test('a timed-out token gets 410 after a restart too', async () => {
	const d = await startDaemon();
	const { players: [ann, bob] } = await makeRoom(d);

	await pass(d, 60);
	ok(await ann.room());
	d.advance(61);
	await newsUntil(ann, 'RPD');
	await d.kill();
	await d.restart();
	assertTimedOut(await bob.create(), 'Player Stopped Polling');
});

test('register with a timed-out token registers anew', async () => {
	const d = await startDaemon();
	const { players: [ann, bob] } = await makeRoom(d);

	await pass(d, 60);
	ok(await ann.room());
	d.advance(61);
	await newsUntil(ann, 'RPD');
	ok(await bob.post('/register', { body: 'bob' }));
});

// --- lobby-timeout ---

test('lobby-timeout: in no room for 1800 s, polling or not: timed out, ' +
    '"Player Took Too Long To Enter A Room"', async () => {
	const d = await startDaemon();
	const player = await Player.register(d);

	for (let i = 0; i < 17; i++) {
		await pass(d, 100);
		ok(await player.events({ after: 0, wait: 0 }));
	}
	await pass(d, 98);

	const poll = player.events({ after: 0, wait: 55 });

	await parked(d, poll);
	d.advance(3);
	assertTimedOut(await poll, 'Player Took Too Long To Enter A Room');
	assertTimedOut(await player.create(),
	    'Player Took Too Long To Enter A Room');
});

test('lobby-timeout does not touch players in rooms', async () => {
	const d = await startDaemon({ args: [...NO_PLAYERS,
		'--lobby-timeout', '60'] });
	const { players: [ann, bob] } = await makeRoom(d);

	await pass(d, 100_000);
	assert.equal(ok(await ann.room()).peers.length, 2);
	ok(await bob.room());
});

test('lobby-timeout: the clock begins when a player comes back to the lobby',
    async () => {
	const d = await startDaemon({ args: [...NO_PLAYERS,
		'--lobby-timeout', '60'] });
	const { players: [ann, bob, cat] } = await makeRoom(d,
	    ['ann', 'bob', 'cat']);

	await pass(d, 1000);
	ok(await bob.leave());
	await pass(d, 30);
	ok(await ann.leave());
	await pass(d, 28);
	assertFailure(await bob.room(), 404, 'ICB', 'not-in-room');

	const poll = bob.events({ after: bob.cursor, wait: 55 });

	await parked(d, poll);
	d.advance(3);
	assertTimedOut(await poll, 'Player Took Too Long To Enter A Room');
	for (const player of [ann, cat])
		assertFailure(await player.room(), 404, 'ICB', 'not-in-room');
	await pass(d, 30);
	for (const player of [ann, cat])
		assertTimedOut(await player.room(),
		    'Player Took Too Long To Enter A Room');
});

test('--lobby-timeout 0: never', async () => {
	const d = await startDaemon({ args: [...NO_PLAYERS, ...NO_LOBBY] });
	const player = await Player.register(d);

	await pass(d, 10_000_000);
	ok(await player.create());
});

// --- room-timeout ---

test('room-timeout: a room without any command is closed with RCL "Room Is ' +
    'Inactive"', async () => {
	const d = await startDaemon({ args: [...NO_PLAYERS, ...NO_LOBBY,
		'--room-timeout', '60'] });
	const { uuid, players } = await makeRoom(d, ['ann', 'bob']);

	await pass(d, 59);
	for (const player of players)
		assert.deepEqual(await player.news(), []);
	d.advance(2);
	for (const player of players) {
		assert.deepEqual(await newsUntil(player, 'RCL'),
		    [['RCL', 'Room Is Inactive']]);
		assertFailure(await player.room(), 404, 'ICB', 'not-in-room');
	}
	assertFailure(await players[1].join(uuid), 404, 'JRB',
	    'room-not-found');
	ok(await players[1].create());
});

test('room-timeout: every command in the room counts, candidates too',
    async () => {
	const d = await startDaemon({ args: [...NO_PLAYERS, ...NO_LOBBY,
		'--room-timeout', '60'] });
	const { uuid, players: [ann, bob] } = await makeRoom(d);
	const cat = await Player.register(d, 'cat');

	for (const act of [() => ann.message(1), () => bob.offer({ id: 1 }),
	    () => ann.answer({ id: bob.id }), () => bob.candidate({ id: 1 }),
	    () => cat.join(uuid), () => cat.leave(), () => ann.seal()]) {
		await pass(d, 50);
		ok(await act());
	}
	await pass(d, 50);
	assert.ok(!(await ann.news()).some(([code]) => code === 'RCL'));
});

test('room-timeout: polls and GET /room do not count', async () => {
	const d = await startDaemon({ args: [...NO_PLAYERS, ...NO_LOBBY,
		'--room-timeout', '60'] });
	const { players: [ann] } = await makeRoom(d);

	await pass(d, 50);
	ok(await ann.room());
	assert.deepEqual(await ann.news(), []);
	d.advance(11);
	assert.deepEqual(await newsUntil(ann, 'RCL'),
	    [['RCL', 'Room Is Inactive']]);
});

test('room-timeout and sealed-linger are off by default', async () => {
	const d = await startDaemon({ args: [...NO_PLAYERS, ...NO_LOBBY] });
	const { players: [ann, bob] } = await makeRoom(d);

	ok(await ann.seal());
	await pass(d, 10_000_000);
	assert.deepEqual(await bob.news(), [['SRK', 'null']]);
	assert.equal(ok(await ann.room()).sealed, true);
});

// --- sealed-linger ---

test('sealed-linger: a sealed room is closed this long after sealing with ' +
    'RCL "Room Cleaned Up"', async () => {
	const d = await startDaemon({ args: [...NO_PLAYERS, ...NO_LOBBY,
		'--sealed-linger', '10'] });
	const { players } = await makeRoom(d, ['ann', 'bob']);
	const other = await makeRoom(d, ['cat']);

	await pass(d, 100);
	ok(await players[0].seal());
	await pass(d, 9);
	// Commands do not prolong it.
	ok(await players[1].message('x'));
	d.advance(2);
	for (const player of players) {
		assert.deepEqual(await newsUntil(player, 'RCL'),
		    [['SRK', 'null'], ['RMK', 'x'], ['RCL', 'Room Cleaned Up']]);
		assertFailure(await player.room(), 404, 'ICB', 'not-in-room');
	}
	await pass(d, 1000);
	ok(await other.players[0].room());
});

// --- time in which the daemon is not there ---

test('time in which the daemon is stalled never counts', async () => {
	const d = await startDaemon({ args: ['--room-timeout', '200'] });
	const { players: [ann, bob] } = await makeRoom(d);
	const lobby = await Player.register(d);

	await pass(d, 60);
	d.stall(100_000);
	await until(() => d.stderr.includes('stood still'), 'notice');
	await pass(d, 0);
	assert.equal(ok(await ann.room()).peers.length, 2);
	ok(await lobby.events({ after: 0, wait: 0 }));
	// And no clock is given more than the excess.
	d.advance(66);
	assert.deepEqual(await newsUntil(ann, 'RPD'), [['RPD', bob.id]]);
});

test('a sweep that is late by a few seconds takes off nothing', async () => {
	const d = await startDaemon({ args: ['--player-timeout', '20'] });
	const { players: [ann, bob] } = await makeRoom(d);

	for (let i = 0; i < 3; i++) {
		await pass(d, 3);
		ok(await ann.room());
		d.stall(3);
		await pass(d, 0);
		ok(await ann.room());
	}
	d.advance(4);
	assert.deepEqual(await newsUntil(ann, 'RPD'), [['RPD', bob.id]]);
});

test('after a start the player clocks begin anew, and one sweep removes who ' +
    'has not been seen since', async () => {
	const d = await startDaemon();
	const { players: [ann, bob] } = await makeRoom(d);
	const eve = await Player.register(d, 'eve');

	await pass(d, 100);
	await d.stop();
	d.advance(100_000);
	await d.restart();
	await pass(d, 100);
	assert.equal(ok(await ann.room()).peers.length, 2);
	ok(await eve.events({ after: 0, wait: 0 }));
	d.advance(21);
	assert.deepEqual(await newsUntil(ann, 'RPD'), [['RPD', bob.id]]);
	ok(await eve.events({ after: 0, wait: 0 }));
	assertTimedOut(await bob.room(), 'Player Stopped Polling');
});

test('the sweep after a start finds a player in the lobby too', async () => {
	const d = await startDaemon({ args: ['--max-players', '3'] });
	const { players: [ann] } = await makeRoom(d, ['ann']);

	await Player.register(d);
	await Player.register(d);
	await d.kill();
	await d.restart();
	await pass(d, 60);
	ok(await ann.room());
	d.advance(61);
	await until(async () => (await request(d, 'POST', '/register',
	    { body: 'new' })).status === 200, 'room for a player');
	ok(await ann.room());
});

test('after a start the lobby clock begins anew', async () => {
	const d = await startDaemon({ args: [...NO_PLAYERS,
		'--lobby-timeout', '60'] });
	const player = await Player.register(d);

	await pass(d, 50);
	await d.kill();
	d.advance(1000);
	await d.restart();
	await pass(d, 58);

	const poll = player.events({ after: 0, wait: 55 });

	await parked(d, poll);
	d.advance(3);
	assertTimedOut(await poll, 'Player Took Too Long To Enter A Room');
});

test('after a start the clocks of rooms begin anew', async () => {
	const d = await startDaemon({ args: [...NO_PLAYERS, ...NO_LOBBY,
		'--room-timeout', '60', '--sealed-linger', '30'] });
	const { players: [ann] } = await makeRoom(d, ['ann']);
	const { players: [bob] } = await makeRoom(d, ['bob']);

	ok(await bob.seal());
	await bob.drain();
	await pass(d, 25);
	await d.kill();
	d.advance(1000);
	await d.restart();
	await pass(d, 28);
	assert.deepEqual(await ann.news(), []);
	assert.deepEqual(await bob.news(), []);
	d.advance(3);
	assert.deepEqual(await newsUntil(bob, 'RCL'),
	    [['RCL', 'Room Cleaned Up']]);
	await pass(d, 27);
	assert.deepEqual(await ann.news(), []);
	d.advance(3);
	assert.deepEqual(await newsUntil(ann, 'RCL'),
	    [['RCL', 'Room Is Inactive']]);
});

test('a client that just retries never notices a restart', async () => {
	const d = await startDaemon();
	const { uuid, players: [ann, bob] } = await makeRoom(d);

	ok(await bob.offer({ id: 1, rtc: 'x' }));
	await d.kill();
	await d.restart();
	assert.equal(ok(await ann.room()).room, uuid);
	assert.deepEqual(await ann.news(), [['OOO', { id: bob.id, rtc: 'x' }]]);
	ok(await ann.seal());
	assert.deepEqual(await bob.news(), [['SRK', 'null']]);
});
