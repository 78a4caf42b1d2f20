// crowd.test.mjs - thousands of polls held at once behind nginx, by FastCGI.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { descriptorLimit, inParallel, nDescriptors, pollAll, residentKb,
    unlimited } from '../lib/crowd.mjs';
import { makeRoom, ok, until } from '../lib/peerpost.mjs';
import { settle } from '../lib/wire.mjs';
import { servers } from './servers.mjs';
import { startServer, startUpstream, whyNot } from './web_server.mjs';

const ROOM = 20;
// The web server has two descriptors for each.
const N_ROOMS = Math.min(2000, descriptorLimit() / 2) / ROOM | 0;

const spec = servers.nginxFastcgi;

test('a crowd of held polls behind nginx', { skip: whyNot(spec) },
    async (t) => {
	const { daemon, upstream } = await startUpstream(spec,
	    { args: [...unlimited, '--durability', 'process'] });
	const front = await startServer(spec, upstream);
	const rooms = [];

	await inParallel(N_ROOMS, 8, async () => {
		const names = Array.from({ length: ROOM }, (_, i) => `player ${i}`);

		rooms.push((await makeRoom(daemon, names)).players);
	});
	const players = rooms.flat();

	daemon.agent.destroy();
	await settle(daemon);
	const before = residentKb(daemon.pid);
	const wires = await pollAll(front, players);

	await until(() => nDescriptors(daemon.pid) > players.length || null,
	    'all polls at the daemon');
	await settle(daemon);
	for (const wire of wires)
		assert.ok(wire.pending.length === 0 && !wire.isClosed,
		    `not held: ${wire.pending}`);
	const kb = (residentKb(daemon.pid) - before) / players.length;

	t.diagnostic(`${players.length} polls held, ` +
	    `${kb.toFixed(1)} KiB of the daemon's memory each`);

	await inParallel(rooms.length, 8, async (i) => {
		ok(await rooms[i][0].message(`to room ${i}`));
	});
	await Promise.all(wires.map(async (wire, i) => {
		const { events } = ok(await wire.response());

		assert.deepEqual(events.map(({ data }) => data),
		    [`to room ${i / ROOM | 0}`]);
		wire.close();
	}));
	await front.stop();
});
