// rooms.test.mjs - create, join, seal, leave, unregister, and what each puts
// into whose mailbox (protocol section 2): replies to the byte, events in
// exact order.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import test from 'node:test';
import { assertFailure, makeRoom, ok, Player, startDaemon }
    from '../lib/peerpost.mjs';

const daemon = await startDaemon();
const UUID4 = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const NOTHINGS = ['', ' \n\t', 'null', ' null ', '"null"', ' "null"\r\n'];
const SOMETHINGS = ['{}', '[]', '0', 'false', '""', '"nul"', '"NULL"',
	'"null "', '[null]'];

function same(reply, text)
{
	assert.equal(`${reply.status} ${reply.text}`, `200 ${text}`);
}

// --- create ---

test('create replies CRK with the room UUID, then id 1', async () => {
	const player = await Player.register(daemon);
	const reply = await player.create();

	assert.match(reply.json.data, UUID4);
	same(reply, `{"command":"###!CRK","data":"${reply.json.data}","id":1}`);
});

test('create: the host gets CTR 1', async () => {
	const player = await Player.register(daemon);

	await player.create();
	same(await player.events({ after: 0, wait: 0 }),
	    '{"events":[{"id":1,"command":"###!CTR","data":1}],"next":1}');
});

test('create and the other commands without data take nothing, null or "null"',
    async () => {
	for (const text of NOTHINGS) {
		const player = await Player.register(daemon);

		ok(await player.create({ text }));
		ok(await player.seal({ text }));
		ok(await player.leave({ text }));
		ok(await player.unregister({ text }));
	}
});

test('commands without data refuse data', async () => {
	const { players: [host] } = await makeRoom(daemon, ['ann']);
	const lobby = await Player.register(daemon);

	for (const text of SOMETHINGS) {
		assertFailure(await lobby.create({ text }), 400, 'CRB', 'bad-data');
		assertFailure(await host.seal({ text }), 400, 'SRB', 'bad-data');
		assertFailure(await host.leave({ text }), 400, 'LRB', 'bad-data');
		assertFailure(await host.unregister({ text }), 400, 'ICB',
		    'bad-data');
	}
	assert.equal(ok(await host.room()).sealed, false);
	assertFailure(await lobby.room(), 404, 'ICB', 'not-in-room');
});

test('create while in a room is already-in-room', async () => {
	const { players: [host, member] } = await makeRoom(daemon);

	assertFailure(await host.create(), 409, 'CRB', 'already-in-room');
	assertFailure(await member.create(), 409, 'CRB', 'already-in-room');
	assert.deepEqual(await host.drain(), []);
});

test('every room has a UUID of its own', async () => {
	const uuids = new Set();

	for (let i = 0; i < 10; i++)
		uuids.add((await makeRoom(daemon, ['ann'])).uuid);
	assert.equal(uuids.size, 10);
});

// --- join ---

test('join replies JRK with all names, the joiner last, then room, id, peers',
    async () => {
	const { uuid, players: [ann, bob] } = await makeRoom(daemon,
	    ['ann', 'b"ö/b']);
	const eve = await Player.register(daemon, 'eve😀');

	same(await eve.join(uuid),
	    '{"command":"###!JRK","data":["ann","b\\"ö/b","eve😀"],' +
	    `"room":"${uuid}","id":${eve.id},"peers":[` +
	    '{"id":1,"name":"ann"},' +
	    `{"id":${bob.id},"name":"b\\"ö/b"},` +
	    `{"id":${eve.id},"name":"eve😀"}]}`);
	assert.ok(ann.id > 1);
});

test('join: the joiner gets CTR its peer id, then RPC for each member in join ' +
    'order', async () => {
	const { uuid, players: [, bob, cat] } = await makeRoom(daemon,
	    ['ann', 'bob', 'cat']);
	const eve = await Player.register(daemon, 'eve');

	await eve.join(uuid);
	same(await eve.events({ after: 0, wait: 0 }), '{"events":[' +
	    `{"id":1,"command":"###!CTR","data":${eve.id}},` +
	    '{"id":2,"command":"###!RPC","data":1},' +
	    `{"id":3,"command":"###!RPC","data":${bob.id}},` +
	    `{"id":4,"command":"###!RPC","data":${cat.id}}],"next":4}`);
});

test('join: each member gets RPC the joiner', async () => {
	const { uuid, players } = await makeRoom(daemon, ['ann', 'bob']);
	const eve = await Player.register(daemon, 'eve');

	await eve.join(uuid);
	for (const player of players)
		assert.deepEqual(await player.news(), [['RPC', eve.id]]);
});

test('join order outlives a member that left', async () => {
	const { uuid, players: [, bob, cat] } = await makeRoom(daemon,
	    ['ann', 'bob', 'cat']);

	ok(await bob.leave());
	assert.deepEqual(ok(await bob.join(uuid)).peers.map((each) => each.id),
	    [1, cat.id, bob.id]);
});

test('join takes a bare UUID, a JSON string, and letters of either case',
    async () => {
	const { uuid } = await makeRoom(daemon, ['ann']);

	for (const text of [uuid, uuid.toUpperCase(), `"${uuid}"`,
	    ` "${uuid.toUpperCase()}" `]) {
		const player = await Player.register(daemon);

		assert.equal(ok(await player.join(null, { text })).room, uuid);
	}

	// curl -d
	const player = await Player.register(daemon);

	ok(await player.join(null, { text: uuid, headers: {
		'Content-Type': 'application/x-www-form-urlencoded' } }));
});

test('join with JSON that is no UUID is bad-data', async () => {
	const player = await Player.register(daemon);
	const uuid = crypto.randomUUID();

	for (const body of ['', 'null', 'room', uuid.slice(1), uuid + '0',
	    uuid.replaceAll('-', ''), `{${uuid}}`, ` ${uuid}`,
	    uuid.replace(/^./, 'g'), 7, null, true, [uuid], { room: uuid }])
		assertFailure(await player.join(body), 400, 'JRB', 'bad-data');
});

test('join with bare text that is no UUID is bad-json', async () => {
	const player = await Player.register(daemon);
	const uuid = crypto.randomUUID();

	for (const text of ['', 'room', uuid.slice(0, -1), uuid + '0',
	    uuid.replace(/^./, 'g'), `'${uuid}'`])
		assertFailure(await player.join(null, { text }), 400, 'JRB',
		    'bad-json');
});

test('join: a room that is not there is room-not-found', async () => {
	const player = await Player.register(daemon);

	assertFailure(await player.join(crypto.randomUUID()), 404, 'JRB',
	    'room-not-found');
	assertFailure(await player.join('00000000-0000-0000-0000-000000000000'),
	    404, 'JRB', 'room-not-found');
});

test('join while in a room is already-in-room, whatever the other room',
    async () => {
	const { uuid, players: [host, member] } = await makeRoom(daemon);
	const other = await makeRoom(daemon, ['cat']);

	for (const player of [host, member])
		for (const each of [uuid, other.uuid, crypto.randomUUID()])
			assertFailure(await player.join(each), 409, 'JRB',
			    'already-in-room');
});

test('a failed join changes nothing for anybody', async () => {
	const { uuid, players: [host] } = await makeRoom(daemon);
	const eve = await Player.register(daemon, 'eve');

	ok(await host.seal());
	await host.drain();
	assertFailure(await eve.join(uuid), 409, 'JRB', 'room-sealed');
	assert.deepEqual(await host.drain(), []);
	assert.deepEqual(await eve.drain(), []);
	ok(await eve.create());
});

// --- seal ---

test('seal replies SRK "null"', async () => {
	const { players: [host] } = await makeRoom(daemon);

	same(await host.seal(), '{"command":"###!SRK","data":"null"}');
});

test('seal: every member, the host too, gets SRK "null"', async () => {
	const { players } = await makeRoom(daemon, ['ann', 'bob', 'cat']);

	ok(await players[0].seal());
	for (const player of players)
		same(await player.events({ after: player.cursor, wait: 0 }),
		    `{"events":[{"id":${player.cursor + 1},` +
		    '"command":"###!SRK","data":"null"}],' +
		    `"next":${player.cursor + 1}}`);
});

test('a sealed room cannot be joined', async () => {
	const { uuid, players: [host, member] } = await makeRoom(daemon);
	const eve = await Player.register(daemon, 'eve');

	ok(await host.seal());
	assertFailure(await eve.join(uuid), 409, 'JRB', 'room-sealed');
	ok(await member.leave());
	assertFailure(await member.join(uuid), 409, 'JRB', 'room-sealed');
});

test('seal by a member that is not the host is not-host', async () => {
	const { players: [host, member] } = await makeRoom(daemon);

	assertFailure(await member.seal(), 403, 'SRB', 'not-host');
	assert.equal(ok(await host.room()).sealed, false);
	assert.deepEqual(await host.drain(), []);
});

test('seal outside a room is not-in-room', async () => {
	const player = await Player.register(daemon);

	assertFailure(await player.seal(), 409, 'SRB', 'not-in-room');
});

test('seal a second time is room-sealed', async () => {
	const { players: [host, member] } = await makeRoom(daemon);

	ok(await host.seal());
	await member.drain();
	assertFailure(await host.seal(), 409, 'SRB', 'room-sealed');
	assertFailure(await member.seal(), 403, 'SRB', 'not-host');
	assert.deepEqual(await member.drain(), []);
});

// --- leave ---

test('leave replies LRK "null"', async () => {
	const { players: [host, member] } = await makeRoom(daemon);

	same(await member.leave(), '{"command":"###!LRK","data":"null"}');
	same(await host.leave(), '{"command":"###!LRK","data":"null"}');
});

test('a member leaves: the others get RPD its peer id, it gets nothing',
    async () => {
	const { players: [ann, bob, cat] } = await makeRoom(daemon,
	    ['ann', 'bob', 'cat']);

	ok(await bob.leave());
	same(await ann.events({ after: ann.cursor, wait: 0 }),
	    `{"events":[{"id":${ann.cursor + 1},"command":"###!RPD",` +
	    `"data":${bob.id}}],"next":${ann.cursor + 1}}`);
	assert.deepEqual(await cat.news(), [['RPD', bob.id]]);
	assert.deepEqual(await bob.drain(), []);
	assertFailure(await bob.room(), 404, 'ICB', 'not-in-room');
	assert.deepEqual(ok(await ann.room()).peers.map((each) => each.id),
	    [1, cat.id]);
});

test('the host leaves: the others get RPD 1, then RCL "Host Disconnected"',
    async () => {
	const { players: [ann, bob, cat] } = await makeRoom(daemon,
	    ['ann', 'bob', 'cat']);

	ok(await ann.leave());
	same(await bob.events({ after: bob.cursor, wait: 0 }), '{"events":[' +
	    `{"id":${bob.cursor + 1},"command":"###!RPD","data":1},` +
	    `{"id":${bob.cursor + 2},"command":"###!RCL",` +
	    '"data":"Host Disconnected"}],' + `"next":${bob.cursor + 2}}`);
	assert.deepEqual(await cat.news(),
	    [['RPD', 1], ['RCL', 'Host Disconnected']]);
	assert.deepEqual(await ann.drain(), []);
});

test('the host leaves: the room is gone and everybody is in the lobby',
    async () => {
	const { uuid, players } = await makeRoom(daemon, ['ann', 'bob', 'cat']);
	const eve = await Player.register(daemon, 'eve');

	ok(await players[0].leave());
	assertFailure(await eve.join(uuid), 404, 'JRB', 'room-not-found');
	for (const player of players) {
		assertFailure(await player.room(), 404, 'ICB', 'not-in-room');
		assertFailure(await player.leave(), 409, 'LRB', 'not-in-room');
	}
	ok(await players[1].create());
});

test('a host that created again is 1 in the new room', async () => {
	const { players: [ann, bob] } = await makeRoom(daemon);

	ok(await ann.leave());
	const { data: uuid } = ok(await bob.create());
	assert.deepEqual(ok(await ann.join(uuid)).peers,
	    [{ id: 1, name: 'bob' }, { id: ann.id, name: 'ann' }]);
});

test('leave outside a room is not-in-room', async () => {
	const player = await Player.register(daemon);

	assertFailure(await player.leave(), 409, 'LRB', 'not-in-room');
});

test('a member may leave a sealed room', async () => {
	const { players: [host, member] } = await makeRoom(daemon);

	ok(await host.seal());
	await host.drain();
	ok(await member.leave());
	assert.deepEqual(await host.news(), [['RPD', member.id]]);
});

// --- unregister ---

test('unregister replies UPK "null"', async () => {
	const player = await Player.register(daemon);

	same(await player.unregister(), '{"command":"###!UPK","data":"null"}');
});

test('a player unregisters: every later request gets 401', async () => {
	const player = await Player.register(daemon);

	ok(await player.unregister());
	assertFailure(await player.create(), 401, 'CRB', 'no-session');
	assertFailure(await player.events({ after: 0, wait: 0 }), 401, 'ICB',
	    'no-session');
	assertFailure(await player.unregister(), 401, 'ICB', 'no-session');
});

test('a member unregisters: the others get RPD its peer id', async () => {
	const { players: [ann, bob, cat] } = await makeRoom(daemon,
	    ['ann', 'bob', 'cat']);

	ok(await bob.unregister());
	assert.deepEqual(await ann.news(), [['RPD', bob.id]]);
	assert.deepEqual(await cat.news(), [['RPD', bob.id]]);
});

test('the host unregisters: the others get RPD 1, then RCL, and the room is ' +
    'gone', async () => {
	const { uuid, players: [ann, bob, cat] } = await makeRoom(daemon,
	    ['ann', 'bob', 'cat']);

	ok(await ann.unregister());
	for (const player of [bob, cat])
		assert.deepEqual(await player.news(),
		    [['RPD', 1], ['RCL', 'Host Disconnected']]);
	assertFailure(await bob.join(uuid), 404, 'JRB', 'room-not-found');
});

// --- order ---

test('event ids count 1, 2, 3 per player, without gaps, through rooms and ' +
    'failures', async () => {
	const player = await Player.register(daemon);

	for (let i = 0; i < 5; i++) {
		ok(await player.create());
		assertFailure(await player.create(), 409, 'CRB',
		    'already-in-room');
		ok(await player.message(i));
		ok(await player.leave());
	}
	assert.deepEqual((await player.drain()).map((event) => event.id),
	    [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
});

test('an event is id, command, data in this order', async () => {
	const { players: [host] } = await makeRoom(daemon, ['ann']);

	ok(await host.message({ a: 1 }));

	const reply = ok(await host.events({ after: host.cursor, wait: 0 }));

	assert.deepEqual(Object.keys(reply), ['events', 'next']);
	assert.deepEqual(Object.keys(reply.events[0]),
	    ['id', 'command', 'data']);
});
