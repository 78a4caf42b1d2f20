// drain.test.mjs - SIGTERM: everybody is told, nobody is cut off.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isOverTls, Player, makeRoom, ok, parked, startStill }
    from '../lib/peerpost.mjs';
import { pollAll, registerMany, unlimited } from '../lib/crowd.mjs';
import { Wire, plain, settle } from '../lib/wire.mjs';

// Handshakes cost this process more than the daemon.
const N_PARKED = isOverTls() ? 300 : 1000;

function isClosing(response)
{
	return response.headers.connection?.toLowerCase() === 'close';
}

test('many parked polls are answered and the daemon ends with 0', async () => {
	const daemon = await startStill({ args: unlimited });
	const players = await registerMany(daemon, N_PARKED);
	const wires = await pollAll(daemon, players);

	await settle(daemon);
	for (const wire of wires)
		assert.equal(wire.pending.length, 0, 'not parked');
	const stopped = daemon.stop();
	const pauses = [];

	await Promise.all(wires.map(async (wire) => {
		const response = await wire.response();
		const reply = ok(response);

		assert.deepEqual(reply.events, []);
		assert.equal(reply.next, 0);
		assert.ok(reply.poll_after_ms >= 250 && reply.poll_after_ms <= 3000,
		    response.text);
		assert.ok(isClosing(response));
		pauses.push(reply.poll_after_ms);
		await wire.closed();
	}));
	assert.equal(await stopped, 0);
	// By its own clock.
	assert.ok(daemon.passed < 5, `${daemon.passed} s`);
	assert.equal(pauses.length, N_PARKED);
	// Spread over the time, so that they do not come back in step.
	assert.ok(new Set(pauses).size > N_PARKED / 2);
	assert.ok(Math.min(...pauses) < 600 && Math.max(...pauses) > 2600);
});

test('commands are still executed while it drains, and they last', async () => {
	const daemon = await startStill({ args: unlimited });
	const { players: [ann, bob] } = await makeRoom(daemon);
	const [poll] = await pollAll(daemon, [bob]);
	const begun = await Wire.open(daemon);
	const idle = await Wire.open(daemon);
	const body = '{"id":1,"rtc":"begun before, finished after"}';
	const offer = plain('POST', '/offer', { token: bob.token, body });

	ok(await idle.exchange(plain('GET', '/healthz')));
	begun.send(offer.slice(0, -10));
	await settle(daemon);
	const stopped = daemon.stop();

	// The drain has begun when the parked poll is answered.
	ok(await poll.response());
	const message = await idle.exchange(plain('POST', '/message',
	    { token: ann.token, body: '"still here"' }));

	assert.equal(ok(message).data, 'still here');
	assert.ok(isClosing(message));
	await idle.closed();
	const response = await begun.exchange(offer.slice(-10));

	assert.equal(response.status, 204);
	assert.ok(isClosing(response));
	await begun.closed();
	assert.equal(await stopped, 0);

	await daemon.restart();
	assert.deepEqual(await ann.news(), [['RMK', 'still here'],
		['OOO', { id: bob.id, rtc: 'begun before, finished after' }]]);
	assert.deepEqual(await bob.news(), [['RMK', 'still here']]);
});

test('a poll that comes during the drain is answered at once', async () => {
	const daemon = await startStill({ args: unlimited });
	const [ann, bob] = await registerMany(daemon, 2);
	const [poll] = await pollAll(daemon, [ann]);
	const late = await Wire.open(daemon);
	const request = plain('GET', '/events?after=0&wait=55',
	    { token: bob.token });

	late.send(request.slice(0, -2));
	await settle(daemon);
	const stopped = daemon.stop();

	ok(await poll.response());
	const response = await late.exchange(request.slice(-2));
	const reply = ok(response);

	assert.deepEqual(reply.events, []);
	assert.ok(reply.poll_after_ms >= 250 && reply.poll_after_ms <= 3000);
	assert.ok(isClosing(response));
	assert.equal(await stopped, 0);
});

test('a client that only retries never notices a restart', async () => {
	const daemon = await startStill({ args: unlimited });
	const { uuid, players: [ann, bob] } = await makeRoom(daemon);

	ok(await ann.message('before'));
	ok(await ann.seal());
	const before = ok(await bob.room());
	// Has both, and says so.
	ann.cursor += 2;
	const poll = ann.events({ after: ann.cursor, wait: 55 });

	await parked(daemon, poll);
	await daemon.restart();
	assert.deepEqual(ok(await poll).events, []);
	assert.deepEqual(ok(await bob.room()), before);
	assert.equal(before.sealed, true);
	assert.deepEqual(await bob.news(), [['RMK', 'before'], ['SRK', 'null']]);
	ok(await bob.message('after'));
	assert.deepEqual((await ann.drain()).map(({ data }) => data),
	    ['after']);
	const carol = await Player.register(daemon, 'carol');

	assert.equal((await carol.join(uuid)).json.error, 'room-sealed');
});
