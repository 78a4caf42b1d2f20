// hangup.test.mjs - a crowd that goes away at once, without a word.
//
// A parked poll is invisible to most HTTP servers until its time is up: the
// connections of those who left would fill the server.  Here they must be
// noticed by themselves, and cost nothing afterwards.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Calm } from '../lib/calm.mjs';
import { descriptorLimit, nDescriptors, pollAll, registerMany,
    unlimited } from '../lib/crowd.mjs';
import { isOverTls, ok, request, restAfterEach, startDaemon, until }
    from '../lib/peerpost.mjs';
import { settle } from '../lib/wire.mjs';

// Handshakes cost this process more than the daemon.
const N_PARKED = isOverTls() ? 300 : Math.min(5000, descriptorLimit());
// Beside the parked ones: the helpers' own kept connections.
const N_SPARE = 100;

restAfterEach();

async function assertParked(daemon, wires)
{
	await settle(daemon);
	for (const wire of wires)
		assert.ok(wire.pending.length === 0 && !wire.isClosed,
		    `not parked: ${wire.pending}`);
}

test('parked clients that leave at once free their places', async (t) => {
	const daemon = await startDaemon({ clock: false, args: [...unlimited,
		'--durability', 'process',
		// A sixteenth of them holds no poll.
		'--max-connections', `${Math.ceil(N_PARKED * 16 / 15) + N_SPARE}`,
		'--max-parked', `${N_PARKED}`] });
	const players = await registerMany(daemon, N_PARKED);
	// What the daemon needs to serve so many connections, beside them.
	const few = 100 + N_PARKED / 20;
	const calm = await Calm.start();

	t.diagnostic(`${N_PARKED} parked polls`);
	daemon.dropIdle();

	for (const leave of ['close', 'finish', 'close']) {
		const wires = await pollAll(daemon, players);

		await assertParked(daemon, wires);
		assert.ok(nDescriptors(daemon.pid) >= N_PARKED);
		await calm.waitFor(daemon);
		for (const wire of wires)
			wire[leave]();
		await until(() => nDescriptors(daemon.pid) <= few,
		    'freed descriptors');
		await calm.waitFor(daemon);
		for (const wire of wires)
			wire.close();
	}
	// All of them are still players, with their mailboxes.
	ok(await players[0].events({ after: 0, wait: 0 }));
	ok(await request(daemon, 'GET', '/healthz'));
});

test('clients that leave in the middle of a batch of mail lose none of it',
    async () => {
	const daemon = await startDaemon({ clock: false, args: unlimited });
	const [ann, ...others] = await registerMany(daemon, 60);
	const uuid = ok(await ann.create()).data;

	for (const player of others)
		ok(await player.join(uuid));
	for (const player of others)
		await player.drain();
	const wires = await pollAll(daemon, others);

	await settle(daemon);
	// Some hang up before, some while, some after the message is sent.
	const sent = ann.message('everybody?');

	wires.forEach((wire, i) => {
		if (i % 3 === 0)
			wire.close();
	});
	ok(await sent);
	wires.forEach((wire, i) => {
		if (i % 3 === 1)
			wire.close();
	});
	for (const player of others)
		assert.deepEqual(await player.news(), [['RMK', 'everybody?']]);
	for (const wire of wires)
		wire.close();
});
