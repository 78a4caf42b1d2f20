// simple.test.mjs - proxies that are old, slow or strict, but do as HTTP says.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertFailure, makeRoom, ok, Player, rawExchange, request,
    startDaemon } from '../lib/peerpost.mjs';
import { by, findsPlace, holdPoll, http10Way, meet, onePlace, placeFreed,
    startFaultProxy } from '../lib/paths.mjs';
import { onlyMethods } from '../lib/fault_proxy.mjs';
import { plain, settle, Wire } from '../lib/wire.mjs';

const daemon = await startDaemon();
const crowded = await startDaemon({ args: onePlace });

test('HTTP/1.0: players meet, each request on a connection of its own',
    async () => {
	for (const headers of [[], ['Connection: close'],
	    ['Connection: close', 'Host: signal.example', 'Via: 1.0 old']])
		await meet(http10Way(daemon, headers));
});

test('HTTP/1.0: a poll is held, woken, and ends with its connection',
    async () => {
	const { players: [ann, bob] } = await makeRoom(daemon);
	const poll = rawExchange(daemon, plain('GET',
	    `/events?after=${bob.cursor}&wait=55`, { token: bob.token,
		    version: 'HTTP/1.0', headers: ['Connection: close'] }));

	ok(await ann.message('late'));

	const { closed, responses: [response] } = await poll;

	assert.ok(closed);
	assert.equal(response.headers['content-length'],
	    String(response.body.length));
	assert.deepEqual(ok(response).events.map(({ data }) => data), ['late']);
});

test('HTTP/1.0: a client that hangs up frees its poll', async () => {
	const { players: [bob] } = await makeRoom(crowded, ['bob']);
	const other = await Player.register(crowded);

	for (const leave of ['close', 'finish']) {
		const wire = await Wire.open(crowded);

		wire.send(plain('GET', `/events?after=${bob.cursor}&wait=55`,
		    { token: bob.token, version: 'HTTP/1.0' }));
		await settle(crowded);
		assert.ok(!await findsPlace(crowded, other));
		wire[leave]();
		await placeFreed(crowded, other);
		wire.close();
	}
});

test('a proxy that keeps responses until they are complete', async () => {
	const { way } = await startFaultProxy(daemon, () => ({ buffer: true }));

	await meet(way);

	// Nothing is sent before it is complete, not even for polls held long.
	const player = await Player.register(way);
	const poll = player.events({ after: 0, wait: 55 });

	await poll.sent;
	ok(await player.create());
	assert.equal(ok(await poll).next, 1);
	assert.equal(Number((await poll).headers['content-length']),
	    (await poll).body.length);
});

test('a proxy that buffers tells when the client hangs up', async () => {
	const { way } = await startFaultProxy(crowded, () => ({ buffer: true }));
	const other = await Player.register(crowded);
	const { poll, hangUp } = await holdPoll(crowded,
	    await Player.register(way), other);

	hangUp();
	await assert.rejects(poll, { name: 'AbortError' });
	await placeFreed(crowded, other);
});

test('a proxy that is slow', async () => {
	const { way } = await startFaultProxy(daemon, () => ({ delayMs: 20 }));

	await meet(way);
});

test('a proxy that passes GET and POST only', async () => {
	const { way, proxy } = await startFaultProxy(daemon,
	    onlyMethods(['GET', 'POST']));

	await meet(way);
	assert.equal(proxy.count(({ end }) => end !== 'forwarded'), 0);
	assert.equal((await request(way, 'OPTIONS', '/events')).status, 403);
});

test('one player behind HTTP/1.0, the other behind a buffering proxy',
    async () => {
	const { way } = await startFaultProxy(daemon, () => ({ buffer: true }));

	await meet(http10Way(daemon), way);
	await meet(way, http10Way(daemon));
});

test('a session goes from one way to another', async () => {
	const { way } = await startFaultProxy(daemon, () => ({ buffer: true }));
	const { players: [ann, bob] } = await makeRoom(daemon);

	ok(await by(way, ann).message(1));
	ok(await by(http10Way(daemon), ann).message(2));
	assert.deepEqual(await by(way, bob).news(), [['RMK', 1], ['RMK', 2]]);
	assertFailure(await by(way, bob).seal(), 403, 'SRB', 'not-host');
});
