// memory.test.mjs - a held poll is small, also on a connection that has served
// requests before.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { residentKb } from '../lib/crowd.mjs';
import { Player, startDaemon, until } from '../lib/peerpost.mjs';
import { patience } from '../lib/wait.mjs';
import { Wire, plain, settle } from '../lib/wire.mjs';

const N = 400;
// Sanitizers have a malloc of their own, of which the daemon knows nothing.
const isSanitized = patience > 1;

test('polls that are held for a while give back what earlier requests of ' +
    'their connections have touched', async () => {
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

	// libmicrohttpd's memory is 32 KiB for each, all of it touched, of which
	// a poll needs two or three pages.  (Some may have been given back
	// already: so many registers take a while.)
	daemon.advance(2);
	if (!isSanitized)
		await until(() => residentKb(daemon.pid) - atStart < N * 16 ||
		    false, 'small polls');

	// They are none the worse for it.
	daemon.advance(56);
	for (const wire of wires) {
		const { status, json } = await wire.response();

		assert.equal(`${status} ${json.events.length}`, '200 0');
		wire.close();
	}
});
