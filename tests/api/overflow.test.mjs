// overflow.test.mjs - a mailbox that is full although its owner comes for its
// mail: what is for it is refused to its sender, and nobody is thrown out
// (protocol section 10).  Who does not come for its mail is in limits.test.mjs.
import assert from 'node:assert/strict';
import { setTimeout as sleep } from 'node:timers/promises';
import test from 'node:test';
import { assertFailure, makeRoom, ok, parked, Player, startDaemon, startStill,
    until } from '../lib/peerpost.mjs';

const FAST = ['--command-rate', '0', '--relay-rate', '0'];

// A room whose members hold at most five events each, have been there for a
// while, and have just polled and acknowledged all.
async function startSmall(names = ['ann', 'bob', 'cat'])
{
	const d = await startStill({ args: [...FAST,
		'--max-mailbox-events', '5', '--player-timeout', '0'] });
	const { uuid, players } = await makeRoom(d, names);

	d.advance(60);
	for (const player of players)
		ok(await player.events({ after: player.cursor, wait: 0 }));
	return { d, uuid, players };
}

async function fill(from, to, n)
{
	for (let i = 0; i < n; i++)
		ok(await from.offer({ id: to.id }));
}

const codes = async (player) => (await player.news()).map(([code]) => code);

function assertOverflow(reply)
{
	assertFailure(reply, 410, 'PTO', 'timed-out');
	assert.equal(reply.json.data, 'Mailbox Overflow');
}

// Read a mailbox without pause, with a path to the daemon that takes half of
// rttMs each way, until isOver is set.  Collects what has come, and the reply that
// has ended it.
function startReader(player, rttMs)
{
	const reader = { events: [], end: null, isOver: false };

	reader.done = (async () => {
		let after = player.cursor;

		while (!reader.isOver) {
			await sleep(rttMs / 2);

			const reply = await player.events({ after, wait: 1 });

			await sleep(rttMs / 2);
			if (reply.status !== 200) {
				reader.end = reply;
				return;
			}
			reader.events.push(...reply.json.events);
			after = reply.json.next;
		}
	})();
	return reader;
}

// 20 messages of 64 KB in a burst, while all poll with a round trip of rttMs, and
// their sender without one.  Which errors it gets.
async function burst(args, rttMs)
{
	const d = await startDaemon({ args });
	const { players } = await makeRoom(d, ['host', 'v1', 'v2', 'v3', 'evil']);
	const evil = players.at(-1);
	const readers = players.map((player) =>
		startReader(player, player === evil ? 0 : rttMs));
	const replies = await Promise.all(Array.from({ length: 20 },
	    () => evil.message('y'.repeat(64_000))));
	const n = replies.filter((each) => each.status === 200).length;

	// Everybody is there, and gets all that was not refused.
	for (const player of players)
		assert.equal(ok(await player.room()).peers.length, 5);
	for (const reader of readers) {
		await until(() => reader.end || reader.events.length === n,
		    'messages');
		reader.isOver = true;
		await reader.done;
		assert.equal(reader.end, null, reader.end?.text);
		assert.ok(reader.events.every((event) =>
		    event.command === '###!RMK'));
	}
	return new Set(replies.map((each) => each.json.error));
}

for (const rttMs of [20, 100]) {
	test('20 messages of 64 KB from one member throw nobody out who polls ' +
	    `with a round trip of ${rttMs} ms`, async () => {
		assert.ok((await burst([], rttMs)).has('rate-limited'));
	});

	test(`nor do they with --relay-rate 0, at ${rttMs} ms`, async () => {
		// On a slow machine the readers may keep up.
		for (const error of await burst(['--relay-rate', '0'], rttMs))
			assert.ok([undefined, 'mailbox-full'].includes(error));
	});
}

test('a message that meets the full mailbox of somebody who has polled within ' +
    'the last 10 s is refused, and nobody gets it', async () => {
	const { d, players: [ann, bob, cat] } = await startSmall();

	await fill(ann, bob, 5);
	d.advance(9);
	assertFailure(await ann.message('x'), 409, 'RMB', 'mailbox-full');
	for (const player of [ann, cat])
		assert.deepEqual(await player.news(), []);
	assert.deepEqual(await codes(bob), Array(5).fill('OOO'));
	ok(await bob.events({ after: bob.cursor, wait: 0 }));
	ok(await ann.message('x'));
	for (const player of [ann, bob, cat])
		assert.deepEqual(await player.news(), [['RMK', 'x']]);
});

test('in an array a refused message stands alone', async () => {
	const { players: [ann, bob, cat] } = await startSmall();

	await fill(ann, bob, 4);
	assert.deepEqual(ok(await ann.command(['a', 'b'].map((data) =>
	    ({ command: '###!SM', data })).concat({ command: '###!OO',
	    data: { id: cat.id } }))).map((each) => each?.error ?? each?.data),
	['a', 'mailbox-full', undefined]);
	assert.deepEqual(await codes(cat), ['RMK', 'OOO']);
});

test('so is one that meets a poll held since long ago, and what came for it',
    async () => {
	const { d, players: [ann, bob] } = await startSmall();
	const poll = bob.events({ after: bob.cursor, wait: 55 });

	await parked(d, poll);
	d.advance(20);
	// One transaction: the poll is answered after it.
	const replies = ok(await ann.command(Array(7).fill(
	    { command: '###!SM', data: 'x' })));

	assert.deepEqual(replies.map((each) => each.error ?? 'fine'),
	    [...Array(5).fill('fine'), 'mailbox-full', 'mailbox-full']);
	assert.equal(ok(await poll).events.length, 5);
	// It holds that answer now, and that counts for longer than 10 s.
	d.advance(20);
	assertFailure(await ann.message('y'), 409, 'RMB', 'mailbox-full');
	ok(await bob.room());
});

test('an answer that is never acknowledged counts for 30 s', async () => {
	const { d, players: [ann, bob] } = await startSmall();

	await fill(ann, bob, 5);
	ok(await bob.events({ after: bob.cursor, wait: 0 }));
	d.advance(29);
	assertFailure(await ann.message('x'), 409, 'RMB', 'mailbox-full');
	d.advance(2);
	ok(await ann.message('x'));
	assertOverflow(await bob.room());
});

test('a member that polls and never acknowledges cannot silence a room',
    async () => {
	const { d, players: [ann, bob] } = await startSmall();

	await fill(ann, bob, 5);
	for (let s = 0; s < 30; s++) {
		ok(await bob.events({ after: bob.cursor, wait: 0 }));
		if (s % 10 === 0)
			assertFailure(await ann.message('x'), 409, 'RMB',
			    'mailbox-full');
		d.advance(1);
	}
	ok(await ann.message('x'));
	assertOverflow(await bob.room());
});

test('commands are no polls: who sends and does not read is evicted', async () => {
	const { d, players: [ann, bob] } = await startSmall();

	await fill(ann, bob, 5);
	for (let s = 0; s < 11; s++) {
		ok(await bob.offer({ id: 1 }));
		await ann.drain();
		d.advance(1);
	}
	ok(await ann.message('x'));
	assertOverflow(await bob.room());
});

test('a join is refused whose news throw out a member and by that the host',
    async () => {
	const { d, uuid, players: [ann, bob, cat] } = await startSmall();

	await fill(cat, bob, 5);
	await fill(cat, ann, 4);
	d.advance(11);

	const dan = await Player.register(d, 'dan');

	assertFailure(await dan.join(uuid), 404, 'JRB', 'room-not-found');
	assert.deepEqual(await codes(dan),
	    ['CTR', 'RPC', 'RPC', 'RPC', 'RPD', 'RPD', 'RCL']);
	ok(await dan.events({ after: dan.cursor, wait: 0 }));
	assertOverflow(await ann.room());
	assertOverflow(await bob.room());
	ok(await dan.create());
	ok(await cat.create());
});

test('joins, seals and leaves get through to a full mailbox whose owner polls',
    async () => {
	const { d, uuid, players: [ann, bob, cat] } = await startSmall();
	const dan = await Player.register(d, 'dan');

	await fill(ann, bob, 5);
	ok(await dan.join(uuid));
	ok(await ann.seal());
	ok(await cat.leave());
	ok(await ann.unregister());
	assert.deepEqual(await codes(bob), [...Array(5).fill('OOO'), 'RPC', 'SRK',
		'RPD', 'RPD', 'RCL']);
	ok(await bob.events({ after: bob.cursor, wait: 0 }));
	ok(await bob.create());
});

test('so does a time-out', async () => {
	const { d, players: [ann, bob, cat] } = await startSmall();

	await d.restart({ args: [...FAST, '--max-mailbox-events', '5',
		'--player-timeout', '60'] });
	await fill(ann, bob, 5);
	for (let s = 0; s < 60; s += 6) {
		d.advance(6);
		ok(await ann.events({ wait: 0 }));
		ok(await bob.events({ after: bob.cursor, wait: 0 }));
		if (s === 24) // it has to acknowledge now and then
			bob.cursor += 5;
		if (s === 30)
			await fill(ann, bob, 5);
	}
	assertFailure(await cat.room(), 410, 'PTO', 'timed-out');
	assert.deepEqual(await codes(bob), [...Array(5).fill('OOO'), 'RPD']);
});

test('a room is not joined for which the joiner\'s own mailbox is too full',
    async () => {
	const { d, uuid, players: [ann, bob] } = await startSmall();
	const { uuid: other, players: [eve, dan] } = await makeRoom(d,
	    ['eve', 'dan']);

	ok(await dan.events({ after: dan.cursor, wait: 0 }));
	await fill(eve, dan, 3);
	ok(await dan.leave());
	// It would take four more: CTR, and an RPC for each member.
	assertFailure(await dan.join(uuid), 409, 'JRB', 'mailbox-full');
	assertFailure(await dan.room(), 404, 'ICB', 'not-in-room');
	assert.deepEqual(await ann.news(), []);
	assert.deepEqual(await bob.news(), []);
	ok(await dan.join(other));
	ok(await dan.leave());
	ok(await eve.leave());
	assertFailure(await dan.create(), 409, 'CRB', 'mailbox-full');
	await dan.drain();
	ok(await dan.events({ after: dan.cursor, wait: 0 }));
	ok(await dan.join(uuid));
});
