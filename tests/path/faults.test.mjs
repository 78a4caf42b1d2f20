// faults.test.mjs - proxies that cut, lose, repeat, or answer instead of the
// daemon.  Whatever they do, nothing is lost, nothing comes twice, and the order
// stays.
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import { test } from 'node:test';
import { assertFailure, looked, makeRoom, ok, Player, request, startDaemon, until }
    from '../lib/peerpost.mjs';
import { by, findsPlace, onePlace, placeFreed, startFaultProxy }
    from '../lib/paths.mjs';
import { captivePortal, gatewayError, inTurn } from '../lib/fault_proxy.mjs';
import { patience } from '../lib/wait.mjs';
import { settle } from '../lib/wire.mjs';

// Sessions end before idle connections do (75 s), so that the one can be waited
// for without the other.
const SESSION_S = 60;
const daemon = await startDaemon({ args: ['--player-timeout',
	String(SESSION_S)] });
const crowded = await startDaemon({ args: onePlace });
const datas = (events) => events.map(({ data }) => data);
const keyed = (key) => ({ headers: { 'Idempotency-Key': key } });

// --- cut ------------------------------------------------------------------

test('every request is cut after a while: shorter polls lose nothing',
    async () => {
	const { players: [ann, bob] } = await makeRoom(daemon);
	const { way, proxy } = await startFaultProxy(daemon,
	    () => ({ cutAfterMs: 1000 * patience }));
	const bobBehind = by(way, bob);

	// Longer than the path can hold: the client is cut off, ...
	await assert.rejects(bobBehind.events(
	    { after: bob.cursor, wait: 3 * patience }), { code: 'ECONNRESET' });
	assert.equal(proxy.requests[0].end, 'cut');
	ok(await ann.message(1));
	ok(await ann.message(2));

	// ... so it asks for less, and gets what came in between.
	assert.deepEqual(await bobBehind.news(), [['RMK', 1], ['RMK', 2]]);

	// Held for less than that, it is answered, with nothing or with something.
	for (const come of [
		() => daemon.advance(1),
		async () => ok(await ann.message(3)),
	]) {
		const { n } = proxy.requests.at(-1);
		const poll = bobBehind.events({ after: bobBehind.cursor, wait: 1 });

		await (await proxy.saw((exchange) => exchange.n > n)).forwarded;
		await settle(daemon);
		await come();
		bobBehind.cursor = ok(await poll).next;
		assert.equal(await proxy.requests.at(-1).done, 'forwarded');
	}
	// Unless it took longer than a second until it came.
	const { next } = ok(await bobBehind.events(
	    { after: bobBehind.cursor, wait: 0 }));

	assert.equal(next, bob.cursor + 3);
});

test('a poll that is cut is over at the daemon, too', async () => {
	const player = await Player.register(crowded);
	const other = await Player.register(crowded);
	const { way, proxy } = await startFaultProxy(crowded,
	    () => ({ cutAfterMs: 1000 * patience }));
	const cut = assert.rejects(
	    by(way, player).events({ after: 0, wait: 55 }),
	    { code: 'ECONNRESET' });
	const exchange = await proxy.saw();

	await exchange.forwarded;
	await settle(crowded);
	// Unless this machine was slower than the proxy.
	assert.ok(!await findsPlace(crowded, other) || exchange.end);
	await cut;
	assert.equal(exchange.end, 'cut');
	await placeFreed(crowded, other);
});

test('a reply is cut in the middle: the next poll has all of it', async () => {
	const { players: [ann, bob] } = await makeRoom(daemon);
	const { way, proxy } = await startFaultProxy(daemon,
	    inTurn([0, 1, 40, 60].map((n) => ({ truncate: n }))));
	const bobBehind = by(way, bob);

	for (let i = 0; i < 4; i++) {
		ok(await ann.message(i));
		await assert.rejects(bobBehind.events({ after: bob.cursor }),
		    { code: 'ECONNRESET' });
		assert.equal(proxy.requests[i].replies[0].status, 200);
	}
	assert.deepEqual(await bobBehind.news(),
	    [0, 1, 2, 3].map((n) => ['RMK', n]));
});

// --- lost -----------------------------------------------------------------

test('a lost reply to a poll: the same cursor gets the same events',
    async () => {
	const { players: [ann, bob] } = await makeRoom(daemon);
	const { way, proxy } = await startFaultProxy(daemon,
	    inTurn([{ drop: true }, { drop: true }]));
	const bobBehind = by(way, bob);

	ok(await ann.message('a'));
	ok(await ann.message('b'));
	for (let i = 0; i < 2; i++)
		await assert.rejects(bobBehind.events({ after: bob.cursor }),
		    { code: 'ECONNRESET' });

	const reply = await bobBehind.events({ after: bob.cursor });

	assert.deepEqual(datas(ok(reply).events), ['a', 'b']);
	// It is what had been lost, byte for byte.
	for (const { end, replies } of proxy.requests.slice(0, 2))
		assert.equal(`${end} ${replies[0].body}`,
		    `dropped ${reply.text}`);
});

test('a lost reply to a POST: repeated with its key, it is not done twice',
    async () => {
	const { uuid, players: [ann, bob] } = await makeRoom(daemon);
	const { way, proxy } = await startFaultProxy(daemon,
	    ({ n }) => n % 2 === 0 ? { drop: true } : {});
	const annBehind = by(way, ann);
	const again = async (send) => {
		await assert.rejects(send(), { code: 'ECONNRESET' });

		const reply = await send();
		const [lost] = proxy.requests.at(-2).replies;

		ok(reply);
		assert.equal(reply.headers['idempotency-replayed'], 'true');
		assert.equal(`${reply.status} ${reply.text}`,
		    `${lost.status} ${lost.body}`);
		assert.ok(!('idempotency-replayed' in lost.headers));
		return reply.json;
	};

	await again(() => annBehind.message('once', keyed('1')));
	await again(() => annBehind.offer({ id: bob.id, rtc: 'o' }, keyed('2')));
	await again(() => annBehind.command([1, 2].map((n) =>
	    ({ command: '###!CC', data: { id: bob.id, rtc: n } })), keyed('3')));
	await again(() => annBehind.seal(keyed('4')));
	await again(() => annBehind.leave(keyed('5')));
	assert.deepEqual(await bob.news(), [['RMK', 'once'],
	    ['OOO', { id: 1, rtc: 'o' }], ['CCC', { id: 1, rtc: 1 }],
	    ['CCC', { id: 1, rtc: 2 }], ['SRK', 'null'], ['RPD', 1],
	    ['RCL', 'Host Disconnected']]);

	const created = await again(() => annBehind.create(keyed('6')));

	assert.notEqual(created.data, uuid);
	ok(await bob.join(created.data));
});

test('a lost reply to register: the key gives the same player and token',
    async () => {
	const { way, proxy } = await startFaultProxy(daemon,
	    inTurn([{ drop: true }]));
	const options = { body: 'ann',
		...keyed(crypto.randomBytes(18).toString('base64url')) };

	await assert.rejects(request(way, 'POST', '/register', options),
	    { code: 'ECONNRESET' });

	const reply = await request(way, 'POST', '/register', options);
	const player = new Player(way, { id: ok(reply).data,
		token: reply.json.token, name: 'ann' });

	assert.equal(reply.headers['idempotency-replayed'], 'true');
	assert.equal(reply.text, String(proxy.requests[0].replies[0].body));
	assert.equal(ok(await player.create()).id, 1);
});

// --- repeated -------------------------------------------------------------

test('polls are repeated, and the client gets the superseded reply: it goes on',
    async () => {
	const { players: [ann, bob] } = await makeRoom(daemon);
	const { way } = await startFaultProxy(daemon,
	    () => ({ repeat: 2, forward: 'first' }));
	const bobBehind = by(way, bob);

	for (let i = 0; i < 5; i++) {
		// The other one is held and has no client any more, ...
		assert.deepEqual(ok(await bobBehind.events(
		    { after: bobBehind.cursor, wait: 55 })),
		{ events: [], next: bobBehind.cursor, superseded: true,
			poll_after_ms: 5000 });
		// ... so what it is given has to come again.
		ok(await ann.message(i));
		assert.deepEqual(await bobBehind.news(), [['RMK', i]]);
	}
});

test('polls are repeated, and the client gets the reply of the newer',
    async () => {
	const { players: [ann, bob] } = await makeRoom(daemon);
	const { way, proxy } = await startFaultProxy(daemon,
	    () => ({ repeat: 2, forward: 'last' }));
	const bobBehind = by(way, bob);

	for (let i = 0; i < 5; i++) {
		const poll = bobBehind.events({ after: bobBehind.cursor, wait: 55 });
		const exchange = await proxy.saw(({ n }) => n === i);
		const superseded = await until(() => exchange.replies[0]);

		assert.equal(JSON.parse(superseded.body).superseded, true);
		ok(await ann.message(i));

		const { events, next, ...more } = ok(await poll);

		assert.deepEqual(datas(events), [i]);
		assert.deepEqual(more, {});
		bobBehind.cursor = next;
	}
});

test('POSTs are repeated: those with a key are done once', async () => {
	const { players: [ann, bob] } = await makeRoom(daemon);
	const { way, proxy } = await startFaultProxy(daemon,
	    () => ({ repeat: 2, forward: 'last' }));
	const annBehind = by(way, ann);

	for (let i = 0; i < 5; i++)
		ok(await annBehind.message(i, keyed(`m${i}`)));
	assert.deepEqual(await bob.news(), [0, 1, 2, 3, 4].map((n) =>
	    ['RMK', n]));
	for (const { replies } of proxy.requests)
		assert.equal(replies.filter(({ headers }) =>
		    headers['idempotency-replayed'] === 'true').length, 1);

	const registered = request(way, 'POST', '/register', { body: 'eve',
		...keyed(crypto.randomBytes(18).toString('base64url')) });

	ok(await registered);
	assert.equal(new Set(proxy.requests.at(-1).replies.map(({ body }) =>
	    String(body))).size, 1);
});

// --- answered by others -----------------------------------------------------

// Other than a reply of the daemon, which is JSON with a command or events, or
// a 204: something that the client has to repeat.
test('a captive portal in between: afterwards the session goes on',
    async () => {
	const { players: [ann, bob] } = await makeRoom(daemon);
	const { way, proxy } = await startFaultProxy(daemon);
	const bobBehind = by(way, bob);

	ok(await ann.message('before'));
	assert.deepEqual(await bobBehind.news(), [['RMK', 'before']]);
	proxy.script = () => ({ answer: captivePortal() });
	for (const reply of [
		await bobBehind.events({ after: bobBehind.cursor }),
		await bobBehind.message('said', keyed('k')),
		await bobBehind.room()]) {
		assert.equal(reply.status, 200);
		assert.match(reply.headers['content-type'], /^text\/html/);
		assert.equal(reply.json, undefined);
	}
	ok(await ann.message('meanwhile'));
	proxy.script = () => ({});
	ok(await bobBehind.message('said', keyed('k')));
	assert.deepEqual(await bobBehind.news(),
	    [['RMK', 'meanwhile'], ['RMK', 'said']]);
	assert.equal(proxy.count(({ end }) => end === 'answered'), 3);
});

test('502, 503 and 504 of a gateway: what was asked is asked again',
    async () => {
	const { players: [ann, bob] } = await makeRoom(daemon);
	const { way } = await startFaultProxy(daemon, inTurn(
	    [502, 503, 504].map((status) => ({ answer: gatewayError(status) }))));
	const annBehind = by(way, ann);

	for (const status of [502, 503, 504]) {
		const reply = await annBehind.message('x', keyed('k'));

		assert.equal(reply.status, status);
		assert.equal(reply.json, undefined);
	}
	ok(await annBehind.message('x', keyed('k')));
	assert.deepEqual(await bob.news(), [['RMK', 'x']]);
});

test('away for longer than a session lives: the player is told why',
    async () => {
	const { way, proxy } = await startFaultProxy(daemon);
	const player = await Player.register(way);

	proxy.script = () => ({ answer: captivePortal() });
	assert.equal((await player.events({ after: 0, wait: 0 })).json, undefined);
	daemon.advance(SESSION_S + 5);
	await looked(daemon);
	proxy.script = () => ({});

	const reply = await player.events({ after: 0, wait: 0 });

	assertFailure(reply, 410, 'PTO', 'timed-out');
	assert.equal(reply.json.data, 'Player Stopped Polling');
});
