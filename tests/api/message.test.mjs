// message.test.mjs - messages to the whole room (protocol section 2).
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertFailure, makeRoom, ok, Player, startDaemon }
    from '../lib/peerpost.mjs';

const daemon = await startDaemon({ args: ['--command-burst', '5000'] });

test('message replies RMK with the message', async () => {
	const { players: [host] } = await makeRoom(daemon);
	const reply = await host.message('hello');

	assert.equal(`${reply.status} ${reply.text}`,
	    '200 {"command":"###!RMK","data":"hello"}');
});

test('message: every member, the sender too, gets RMK the message',
    async () => {
	const { players } = await makeRoom(daemon, ['ann', 'bob', 'cat']);

	ok(await players[1].message({ a: [1, 2] }));
	for (const player of players)
		assert.deepEqual(await player.news(), [['RMK', { a: [1, 2] }]]);
});

test('a message is any JSON value but null', async () => {
	const { players: [host] } = await makeRoom(daemon, ['ann']);

	for (const value of ['', 'null', 0, -1.5, true, false, [], [null], {},
	    { command: '###!SM', data: 1 }, 'é😀'])
		assert.deepEqual(ok(await host.message(value)).data, value);
	assert.equal((await host.drain()).length, 11);
	for (const text of ['null', ' null '])
		assertFailure(await host.message(0, { text }), 400, 'RMB',
		    'bad-data');
	assert.deepEqual(await host.drain(), []);
});

test('message without a body is bad-json', async () => {
	const { players: [host] } = await makeRoom(daemon, ['ann']);

	assertFailure(await host.post('/message'), 400, 'RMB', 'bad-json');
	assertFailure(await host.post('/message', { text: ' \n' }), 400, 'RMB',
	    'bad-json');
});

test('a message is relayed verbatim, in the reply and in the events',
    async () => {
	const { players: [host, bob] } = await makeRoom(daemon);

	for (const text of ['1.0', '-0', '1e999',
	    '123456789012345678901234567890', '"\\/\\u0041\\ud83d\\ude00"',
	    '{"a":1,"a":2,"id":1,"id":2}', '[ 1 ,\t2 ]', '{ "x" : "\\u0000" }',
	    '"\u2028"', '{"token":"x","token":"y"}']) {
		const reply = await bob.message(0, { text });

		assert.equal(reply.text, `{"command":"###!RMK","data":${text}}`);
		for (const player of [host, bob]) {
			const got = await player.events(
			    { after: player.cursor, wait: 0 });

			player.cursor++;
			assert.equal(got.text, `{"events":[{"id":${player.cursor},` +
			    `"command":"###!RMK","data":${text}}],` +
			    `"next":${player.cursor}}`);
		}
	}
});

test('white space around a message is not part of it', async () => {
	const { players: [host] } = await makeRoom(daemon);

	assert.equal((await host.message(0, { text: ' \r\n\t[1]\n ' })).text,
	    '{"command":"###!RMK","data":[1]}');
});

test('message outside a room is not-in-room', async () => {
	const player = await Player.register(daemon);

	assertFailure(await player.message(1), 409, 'RMB', 'not-in-room');
});

test('message works in a sealed room', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);

	ok(await host.seal());
	await host.drain();
	ok(await bob.message(1));
	assert.deepEqual(await host.news(), [['RMK', 1]]);
});

test('a message stays in its room', async () => {
	const one = await makeRoom(daemon);
	const two = await makeRoom(daemon);

	ok(await one.players[0].message(1));
	for (const player of two.players)
		assert.deepEqual(await player.drain(), []);
});

test('all members see a room\'s events in one and the same order',
    async () => {
	const { uuid, players } = await makeRoom(daemon,
	    ['ann', 'bob', 'cat', 'dan']);
	const late = await Player.register(daemon, 'eve');
	const work = players.flatMap((player) => Array.from({ length: 10 },
	    (_, i) => () => player.message(`${player.name} ${i}`)));

	work.splice(15, 0, async () => {
		ok(await late.join(uuid));
		return late.leave();
	});
	(await Promise.all(work.map((each) => each()))).forEach(ok);

	const seen = [];

	for (const player of players)
		seen.push(await player.news());
	assert.equal(seen[0].length, 42);
	for (const each of seen.slice(1))
		assert.deepEqual(each, seen[0]);
});

test('the reply to a POST and the events it causes are one: the event is ' +
    'there when the reply is', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);

	for (let i = 0; i < 20; i++) {
		ok(await host.message(i));
		assert.deepEqual(await bob.news(), [['RMK', i]]);
	}
});
