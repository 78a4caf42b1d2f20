// memory.test.mjs - a held poll is small, also on a connection that has served
// requests before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { residentKb } from '../lib/crowd.mjs';
import { Player, startDaemon } from '../lib/peerpost.mjs';
import { patience } from '../lib/wait.mjs';
import { Wire, plain, settle } from '../lib/wire.mjs';

const N = 400;
// Sanitizers have a malloc of their own, which keeps more.
const isSanitized = patience > 1;

test('held polls are small, whatever their connections have served',
    async (t) => {
	const daemon = await startDaemon({ args: ['--register-rate', '0'] });
	const wires = [];
	const atStart = residentKb(daemon.pid);

	for (let i = 0; i < N; i++) {
		const { token } = await Player.register(daemon);
		const wire = await Wire.open(daemon);

		await wire.exchange(plain('GET', '/events?wait=0', { token }));
		wire.send(plain('GET', '/events?after=0&wait=55', { token }));
		wires.push(wire);
	}
	await settle(daemon);

	const each = (residentKb(daemon.pid) - atStart) / N;

	t.diagnostic(`${each} KiB each`);
	if (!isSanitized)
		assert.ok(each < 16, `${each} KiB each`);

	// They are none the worse for it.
	daemon.advance(56);
	for (const wire of wires) {
		const { status, json } = await wire.response();

		assert.equal(`${status} ${json.events.length}`, '200 0');
		wire.close();
	}
});
