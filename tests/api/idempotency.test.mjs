// idempotency.test.mjs - retrying a POST (protocol section 5).
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import test from 'node:test';
import { assertFailure, makeRoom, ok, Player, request, startDaemon }
    from '../lib/peerpost.mjs';

const args = ['--player-timeout', '0', '--lobby-timeout', '0',
	'--command-burst', '100000', '--command-rate', '100000'];
const daemon = await startDaemon({ args });
const newKey = () => crypto.randomBytes(18).toString('base64url');
const keyed = (key, more) => ({ headers: { 'Idempotency-Key': key, ...more } });
const register = (d, options) => request(d, 'POST', '/register', options);

// The same reply as before, marked as replayed.
function assertReplay(reply, first)
{
	assert.equal(`${reply.status} ${reply.text}`,
	    `${first.status} ${first.text}`);
	assert.equal(reply.headers['idempotency-replayed'], 'true');
	assert.equal(first.headers['idempotency-replayed'], undefined);
}

function assertRan(reply)
{
	ok(reply);
	assert.equal(reply.headers['idempotency-replayed'], undefined);
}

// --- the key ---

test('a key has 1 to 64 printable characters, else bad-key', async () => {
	const { players: [host] } = await makeRoom(daemon, ['ann']);

	for (const key of ['x', 'x'.repeat(64), '!~{}"\\,;=',
	    '6f1c1f6e-5f0a-4d3a-9a53-0d2c8e5b7a11'])
		ok(await host.message(key, keyed(key)));
	for (const key of ['', 'x'.repeat(65), 'x'.repeat(200), 'schl\xfcssel',
	    '\x80'])
		assertFailure(await host.message('no', keyed(key)), 400, 'RMB',
		    'bad-key');
	assert.equal((await host.drain()).length, 4);
});

test('bad-key on every command, each with its own code', async () => {
	const { players: [host] } = await makeRoom(daemon, ['ann']);

	for (const [target, code] of [['/register', 'RPB'],
	    ['/create-room', 'CRB'], ['/join-room', 'JRB'],
	    ['/seal-room', 'SRB'], ['/message', 'RMB'], ['/offer', 'ICB'],
	    ['/answer', 'ICB'], ['/candidate', 'ICB'],
	    ['/leave-room', 'LRB'], ['/unregister', 'ICB'],
	    ['/command', 'ICB']])
		assertFailure(await host.post(target, keyed('x'.repeat(65))), 400,
		    code, 'bad-key');
	ok(await host.room());
});

test('bad-key comes before no-session', async () => {
	assertFailure(await request(daemon, 'POST', '/create-room',
	    keyed('x'.repeat(65))), 400, 'CRB', 'bad-key');
});

test('a key on /events and /room is ignored', async () => {
	const { players: [host] } = await makeRoom(daemon, ['ann']);
	const key = newKey();

	for (const each of [key, key, 'x'.repeat(65)]) {
		assertRan(await host.events({ after: 0, wait: 0, ...keyed(each) }));
		assertRan(await host.post('/events',
		    { body: { wait: 0 }, ...keyed(each) }));
		assertRan(await host.room(keyed(each)));
	}
	ok(await host.message(1, keyed(key)));
});

// --- repeats ---

test('create: a repeat gets the reply again and no second room', async () => {
	const player = await Player.register(daemon);
	const key = newKey();
	const first = await player.create(keyed(key));

	assertRan(first);
	assertReplay(await player.create(keyed(key)), first);
	ok(await player.leave());
	assertReplay(await player.create(keyed(key)), first);
	assertFailure(await player.room(), 404, 'ICB', 'not-in-room');
	assert.deepEqual(await player.news(), [['CTR', 1]]);
});

test('join: a repeat gets the reply as it was, whoever has come since',
    async () => {
	const { uuid, players: [host, bob] } = await makeRoom(daemon);
	const eve = await Player.register(daemon, 'eve');
	const key = newKey();
	const first = await eve.join(uuid, keyed(key));
	const dan = await Player.register(daemon, 'dan');

	ok(await bob.leave());
	ok(await dan.join(uuid));
	assertReplay(await eve.join(uuid, keyed(key)), first);
	ok(await host.leave());
	assertReplay(await eve.join(uuid, keyed(key)), first);
});

test('seal, message, leave: a repeat has no second effect', async () => {
	const { uuid, players: [host, bob] } = await makeRoom(daemon);
	const keys = [newKey(), newKey(), newKey()];
	const message = await bob.message({ a: [1.5] }, keyed(keys[0]));
	const seal = await host.seal(keyed(keys[1]));
	const leave = await bob.leave(keyed(keys[2]));

	assertReplay(await bob.message({ a: [1.5] }, keyed(keys[0])), message);
	assertReplay(await host.seal(keyed(keys[1])), seal);
	assertReplay(await bob.leave(keyed(keys[2])), leave);
	assert.deepEqual(await host.news(),
	    [['RMK', { a: [1.5] }], ['SRK', 'null'], ['RPD', bob.id]]);
	assert.equal(ok(await host.room()).room, uuid);
});

test('offer, answer, candidate: a repeat is 204 and not sent again',
    async () => {
	const { players: [host, bob] } = await makeRoom(daemon);

	for (const [target, code] of [['/offer', 'OOO'], ['/answer', 'AAA'],
	    ['/candidate', 'CCC']]) {
		const key = newKey();
		const send = () => bob.post(target,
		    { body: { id: 1, rtc: 'x' }, ...keyed(key) });
		const first = await send();

		assert.equal(first.status, 204);
		assertReplay(await send(), first);
		assert.deepEqual(await host.news(),
		    [[code, { id: bob.id, rtc: 'x' }]]);
	}
});

test('a message that cannot be rebuilt from a parsed body is replayed to ' +
    'the byte', async () => {
	const { players: [host] } = await makeRoom(daemon, ['ann']);
	const key = newKey();
	const text = '{ "a":1.0,\t"a":1e999, "s":"\\u0041\\/" }';
	const first = await host.message(0, { text, ...keyed(key) });

	assertReplay(await host.message(0, { text, ...keyed(key) }), first);
	assert.ok(first.text.includes(text));
});

test('/command with one envelope: a repeat gets the reply again', async () => {
	const player = await Player.register(daemon);
	const key = newKey();
	const first = await player.command({ command: '###!CR' }, keyed(key));

	assertReplay(await player.command({ command: '###!CR' }, keyed(key)),
	    first);
	assert.deepEqual(await player.news(), [['CTR', 1]]);
});

test('arrays are remembered as a whole, failures in them too', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);
	const key = newKey();
	const body = [{ command: '###!SM', data: 'x' }, { command: '###!SR' },
		{ command: '###!OO', data: { id: 1 } }, { command: '###!XX' }];
	const first = await bob.command(body, keyed(key));

	assert.equal(first.json[1].error, 'not-host');
	assertReplay(await bob.command(body, keyed(key)), first);
	assert.deepEqual(await host.news(),
	    [['RMK', 'x'], ['OOO', { id: bob.id }]]);
});

test('of an array with a key at most about 64 KiB of replies are kept: the ' +
    'commands after that are too-large', async () => {
	const name = '"'.repeat(64);
	const roomy = await startDaemon({ args: [...args,
		'--max-mailbox-events', '0', '--max-mailbox-bytes', '0'] });
	const host = await Player.register(roomy, name);
	const uuid = ok(await host.create()).data;
	const member = await Player.register(roomy, name);

	for (let i = 0; i < 30; i++) {
		const other = await Player.register(roomy, name);

		ok(await other.join(uuid));
	}

	const key = newKey();
	const array = Array.from({ length: 32 }, () => [
		{ command: '###!JR', data: uuid }, { command: '###!LR' }]).flat();
	const first = await member.command(array, keyed(key));
	const words = ok(first).map((reply) => reply.error ?? 'ok');
	const nRun = words.indexOf('too-large');

	assert.ok(nRun > 2, words.join());
	assert.deepEqual(words, words.map((_, i) => i < nRun ? 'ok' :
	    'too-large'));
	assert.ok(first.text.length < 200_000);
	assertReplay(await member.command(array, keyed(key)), first);
	// Without a key nothing is kept, but a reply has an end, too.
	if (nRun % 2)
		ok(await member.leave());
	const loose = await member.command(array);
	const nLoose = ok(loose).findIndex((reply) => reply.error === 'too-large');

	assert.ok(nLoose > nRun, `${nLoose}`);
	assert.ok(loose.text.length > 256 << 10, `${loose.text.length}`);
	assert.ok(loose.text.length < 300_000, `${loose.text.length}`);
});

test('events that ride on a reply are read afresh', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);
	const key = newKey();
	const n = host.cursor;
	const body = { commands: [{ command: '###!SM', data: 'x' }], after: n };
	const first = ok(await host.command(body, keyed(key)));

	ok(await bob.message('y'));

	const again = await host.command(body, keyed(key));

	assert.equal(again.headers['idempotency-replayed'], 'true');
	assert.deepEqual(ok(again).replies, first.replies);
	assert.deepEqual(again.json.events.map((event) => event.data),
	    ['x', 'y']);
	assert.equal(again.json.next, n + 2);
});

test('the key may stand in the body of /command, beside the token', async () => {
	const { players: [host, guest] } = await makeRoom(daemon);
	const { token } = host;

	for (const body of [{ command: '###!SM', data: 'one' },
		{ commands: [{ command: '###!SM', data: 'two' }] },
		{ commands: [{ command: '###!SM', data: 'three' }], after: 0 }]) {
		const text = JSON.stringify({ ...body, key: newKey(), token });
		const send = () => request(daemon, 'POST', '/command', { text,
			headers: { 'Content-Type': 'text/plain' } });
		const first = await send();
		const again = await send();

		assertRan(first);
		ok(again);
		assert.equal(again.headers['idempotency-replayed'], 'true');
	}
	assert.deepEqual(await guest.news(),
	    [['RMK', 'one'], ['RMK', 'two'], ['RMK', 'three']]);

	// It is the same key as in the header, which comes first.
	const key = newKey();
	const body = { command: '###!SM', data: 'four', key };

	assertRan(await host.command({ ...body, key: newKey() }, keyed(key)));
	assert.equal((await host.command(body)).headers['idempotency-replayed'],
	    'true');
	assertFailure(await host.command({ ...body, data: 'five' }), 422, 'RMB',
	    'idempotency-mismatch');
});

test('a key in the body of /command has 1 to 64 printable characters, ' +
    'without escapes', async () => {
	const { players: [host] } = await makeRoom(daemon, ['ann']);
	const send = (key) => host.command({},
	    { text: `{"command":"###!SM","data":1,"key":${key}}`, body: undefined });

	for (const key of ['"x"', `"${'x'.repeat(64)}"`, '"!~{},;="'])
		ok(await send(key));
	for (const key of ['""', `"${'x'.repeat(65)}"`, '"schl\u00fcssel"',
		'"schl\xfcssel"', '"a\\\\b"', '7', 'null', '{}'])
		assertFailure(await send(key), 400, 'ICB', 'bad-key');
	assertFailure(await send('"x","key":"x"'), 400, 'ICB', 'bad-json');
	assert.equal((await host.drain()).length, 3);
});

test('many repeats at once have one effect and one reply', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);
	const key = newKey();
	const replies = await Promise.all(Array.from({ length: 8 },
	    () => bob.message('x', keyed(key))));

	for (const reply of replies)
		assert.equal(`${reply.status} ${reply.text}`,
		    `200 ${replies[0].text}`);
	assert.equal(replies.filter((reply) =>
	    !reply.headers['idempotency-replayed']).length, 1);
	assert.deepEqual(await host.news(), [['RMK', 'x']]);
});

test('a failure is not remembered: the same key runs again', async () => {
	const player = await Player.register(daemon);
	const key = newKey();

	assertFailure(await player.message('x', keyed(key)), 409, 'RMB',
	    'not-in-room');
	ok(await player.create());

	const reply = await player.message('x', keyed(key));

	assertRan(reply);
	assertReplay(await player.message('x', keyed(key)), reply);

	// Nor does it bind the key to what failed.
	const other = newKey();

	assertFailure(await player.create(keyed(other)), 409, 'CRB',
	    'already-in-room');
	assertRan(await player.message('y', keyed(other)));
});

test('keys of different players are independent', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);
	const key = newKey();

	assertRan(await host.message('x', keyed(key)));
	assertRan(await bob.message('y', keyed(key)));
	assert.deepEqual(await host.news(), [['RMK', 'x'], ['RMK', 'y']]);
});

// --- what is compared ---

test('the same key for another path or command is idempotency-mismatch',
    async () => {
	const { players: [host, bob] } = await makeRoom(daemon);
	const key = newKey();

	ok(await bob.message('x', keyed(key)));
	assertFailure(await bob.message('y', keyed(key)), 422, 'RMB',
	    'idempotency-mismatch');
	assertFailure(await bob.leave(keyed(key)), 422, 'LRB',
	    'idempotency-mismatch');
	assertFailure(await bob.offer({ id: 1 }, keyed(key)), 422, 'ICB',
	    'idempotency-mismatch');
	assertFailure(await bob.command({ command: '###!SM', data: 'x' },
	    keyed(key)), 422, 'RMB', 'idempotency-mismatch');
	assert.deepEqual(await host.news(), [['RMK', 'x']]);
	assertRan(await bob.message('y', keyed(newKey())));
});

test('the same key for an array changed in any command is a mismatch',
    async () => {
	const { players: [host] } = await makeRoom(daemon, ['ann']);
	const key = newKey();
	const body = [{ command: '###!SM', data: 1 },
		{ command: '###!SM', data: 2 }];

	ok(await host.command(body, keyed(key)));
	for (const other of [[body[1], body[0]], [body[0]], [...body, body[0]],
	    [body[0], { command: '###!SM', data: 3 }]])
		assertFailure(await host.command(other, keyed(key)), 422, 'ICB',
		    'idempotency-mismatch');
	assert.equal((await host.drain()).length, 2);
});

test('token, cursor and wait are not compared', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);
	const key = newKey();
	const commands = [{ command: '###!SM', data: 'x' }];
	const n = host.cursor;

	assertRan(await host.command({ commands, after: n }, keyed(key)));
	for (const reply of [
		await host.command({ commands, after: n + 1 }, keyed(key)),
		await host.command({ commands, after: n, wait: 7 }, keyed(key)),
		await request(daemon, 'POST', '/command', { ...keyed(key),
			body: { token: host.token, commands, after: n } }),
		await request(daemon, 'POST', '/command', { ...keyed(key),
			query: { access_token: host.token, x: 1 },
			body: { after: n, commands } }),
	]) {
		assert.equal(reply.headers['idempotency-replayed'], 'true');
		assert.deepEqual(ok(reply).replies,
		    [{ command: '###!RMK', data: 'x' }]);
	}
	assert.deepEqual(await bob.news(), [['RMK', 'x']]);
});

// --- how long ---

test('the last 64 keys are remembered, and no more', async () => {
	const { players: [host] } = await makeRoom(daemon, ['ann']);
	const keys = Array.from({ length: 65 }, newKey);

	for (const key of keys.slice(0, 64))
		assertRan(await host.message('x', keyed(key)));
	for (const key of keys.slice(0, 64))
		assert.equal((await host.message('x', keyed(key)))
		    .headers['idempotency-replayed'], 'true');
	assertRan(await host.message('x', keyed(keys[64])));
	assert.equal((await host.message('x', keyed(keys[1])))
	    .headers['idempotency-replayed'], 'true');
	assertRan(await host.message('x', keyed(keys[0])));
	await host.drain();
});

test('no key younger than 10 minutes is dropped, and none is kept longer ' +
    'than needed', async () => {
	const { players: [host] } = await makeRoom(daemon, ['ann']);
	const [old, young, newer] = [newKey(), newKey(), newKey()];

	assertRan(await host.message('old', keyed(old)));
	daemon.advance(300);
	assertRan(await host.message('young', keyed(young)));
	daemon.advance(290);
	assertRan(await host.message('x', keyed(newKey())));
	assert.equal((await host.message('old', keyed(old)))
	    .headers['idempotency-replayed'], 'true');
	daemon.advance(20);
	assertRan(await host.message('newer', keyed(newer)));
	assertRan(await host.message('old', keyed(old)));
	for (const [data, key] of [['young', young], ['newer', newer]])
		assert.equal((await host.message(data, keyed(key)))
		    .headers['idempotency-replayed'], 'true');
});

test('a repeat has no second effect after a restart too', async () => {
	const d = await startDaemon({ args });
	const { players: [host, bob] } = await makeRoom(d);
	const eve = await Player.register(d, 'eve');
	const { room: uuid } = ok(await host.room());
	const sends = [
		() => bob.message({ n: 1 }, keyed('message')),
		() => bob.offer({ id: 1 }, keyed('offer')),
		() => eve.join(uuid, keyed('join')),
		() => host.command([{ command: '###!SR' }, { command: '###!XX' }],
		    keyed('array')),
	];
	const first = [];

	for (const send of sends)
		first.push(await send());
	first.forEach(assertRan);
	for (const end of ['kill', 'stop']) {
		await d[end]();
		await d.restart();
		for (const [i, send] of sends.entries())
			assertReplay(await send(), first[i]);
	}
	assert.deepEqual(await host.news(), [['RMK', { n: 1 }],
		['OOO', { id: bob.id }], ['RPC', eve.id], ['SRK', 'null']]);
});

// --- unregister ---

test('a repeated keyed unregister gets 401', async () => {
	const player = await Player.register(daemon);
	const key = newKey();

	ok(await player.unregister(keyed(key)));
	assertFailure(await player.unregister(keyed(key)), 401, 'ICB',
	    'no-session');
});

// --- register ---

test('register: a repeat gets the same id and the same token', async () => {
	const key = newKey();
	const first = await register(daemon, { body: 'ann', ...keyed(key) });

	assertRan(first);
	assert.match(first.json.token, /^[A-Za-z0-9_-]{22,}$/);
	assertReplay(await register(daemon, { body: 'ann', ...keyed(key) }),
	    first);

	const player = new Player(daemon,
	    { id: first.json.data, token: first.json.token });

	ok(await player.create());
	assertReplay(await register(daemon, { body: 'ann', ...keyed(key) }),
	    first);
	ok(await player.room());
});

test('register: a key has 22 characters or more', async () => {
	for (const key of ['x', 'x'.repeat(21)])
		assertFailure(await register(daemon,
		    { body: 'ann', ...keyed(key) }), 400, 'RPB', 'bad-key');
	ok(await register(daemon, { body: 'ann',
		...keyed(newKey().slice(0, 22)) }));
	ok(await register(daemon, { body: 'ann',
		...keyed(crypto.randomBytes(48).toString('base64url')) }));
	assertFailure(await request(daemon, 'POST', '/command', {
		body: [{ command: '###!RP', data: 'ann' }],
		...keyed('x'.repeat(21)) }), 400, 'ICB', 'bad-key');
});

test('register: the same key with another name is a mismatch', async () => {
	const key = newKey();

	ok(await register(daemon, { body: 'ann', ...keyed(key) }));
	assertFailure(await register(daemon, { body: 'bob', ...keyed(key) }),
	    422, 'RPB', 'idempotency-mismatch');
});

test('register: different keys are different players', async () => {
	const one = ok(await register(daemon, { body: 'a', ...keyed(newKey()) }));
	const two = ok(await register(daemon, { body: 'a', ...keyed(newKey()) }));

	assert.notEqual(one.data, two.data);
	assert.notEqual(one.token, two.token);
});

test('register: the token can be computed again after a restart',
    async () => {
	const d = await startDaemon({ args });
	const key = newKey();
	const first = await register(d, { body: 'ann', ...keyed(key) });

	for (const end of ['kill', 'stop']) {
		await d[end]();
		await d.restart();
		assertReplay(await register(d, { body: 'ann', ...keyed(key) }),
		    first);
	}
	ok(await new Player(d, { token: first.json.token }).create());
});

test('register: the token depends on a secret of the database', async () => {
	const key = newKey();
	const tokens = new Set();

	for (let i = 0; i < 2; i++)
		tokens.add(ok(await register(await startDaemon({ args }),
		    { body: 'ann', ...keyed(key) })).token);
	assert.equal(tokens.size, 2);
});

test('no stored reply contains a token, and of the key only a hash is stored',
    async () => {
	const d = await startDaemon({ args });
	const keys = [newKey(), newKey()];
	const { token } = ok(await register(d,
	    { body: 'ann', ...keyed(keys[0]) }));
	const [reply] = ok(await request(d, 'POST', '/command', {
		body: [{ command: '###!RP', data: 'bob' }, { command: '###!CR' }],
		...keyed(keys[1]) }));

	await d.stop();

	const bytes = fs.readFileSync(d.database);

	for (const secret of [token, reply.token, ...keys]) {
		assert.ok(!bytes.includes(secret));
		assert.ok(!bytes.includes(Buffer.from(secret, 'base64url')));
	}
});

test('register and create in one keyed call: a repeat gets all of it again',
    async () => {
	const key = newKey();
	const send = (after) => request(daemon, 'POST', '/command', {
		body: { commands: [{ command: '###!RP', data: 'ann' },
			{ command: '###!CR' }], after }, ...keyed(key) });
	const first = ok(await send(0));
	const again = await send(1);

	assert.equal(again.headers['idempotency-replayed'], 'true');
	assert.deepEqual(ok(again), { replies: first.replies, events: [],
		next: 1 });
});

test('register: when the player is gone its key registers anew', async () => {
	const key = newKey();
	const first = ok(await register(daemon, { body: 'ann', ...keyed(key) }));

	ok(await new Player(daemon, { token: first.token }).unregister());

	const second = await register(daemon, { body: 'ann', ...keyed(key) });

	assertRan(second);
	assert.notEqual(second.json.data, first.data);
	assert.notEqual(second.json.token, first.token);
});

// --- ages ---

const YEARS = 370 * 86400;

for (const [name, jump] of [['forward', YEARS], ['back', -YEARS]])
	test(`a wall clock that is set ${name} makes nothing older`, async () => {
		const d = await startDaemon({ args });
		const { players: [host] } = await makeRoom(d, ['ann']);
		const keys = [newKey(), newKey(), newKey()];
		const first = await host.message('m1', keyed(keys[0]));

		assertRan(first);
		d.setWall(jump);
		// Remembering forgets what is old.
		assertRan(await host.message('m2', keyed(keys[1])));
		assertReplay(await host.message('m1', keyed(keys[0])), first);
		await d.kill();
		await d.restart();
		assertRan(await host.message('m3', keyed(keys[2])));
		d.setWall(0);
		assertReplay(await host.message('m1', keyed(keys[0])), first);
		assert.deepEqual((await host.drain()).map(({ data }) => data),
		    ['m1', 'm2', 'm3']);
	});

test('what has ended stays known whatever the wall clock says', async () => {
	const d = await startDaemon({ args: ['--player-timeout', '60'] });
	const ann = await Player.register(d, 'ann');

	d.advance(61);
	assertFailure(await ann.room(), 410, 'PTO', 'timed-out');
	for (const jump of [YEARS, -YEARS, 0]) {
		d.setWall(jump);
		// Another end is the moment for forgetting old ones.
		await Player.register(d, 'bob');
		d.advance(61);
		assertFailure(await ann.room(), 410, 'PTO', 'timed-out');
		await d.restart();
		assertFailure(await ann.room(), 410, 'PTO', 'timed-out');
	}
});
