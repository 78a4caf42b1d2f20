// framing.test.mjs - requests that two readers could read in two ways, behind
// each web server.
//
// A server may read them in another way than the daemon does, pass them on in
// its own words, or refuse them.  But nobody gets more replies than there are
// requests in what the strictest reader sees, no request reaches the daemon
// whose reply does not reach its sender, and nothing hangs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { unlimited } from '../lib/crowd.mjs';
import { cases } from '../lib/framing_corpus.mjs';
import { Player, ok, request } from '../lib/peerpost.mjs';
import { restTogether } from '../lib/rest.mjs';
import { Wire, plain } from '../lib/wire.mjs';
import { servers } from './servers.mjs';
import { startServer, startUpstream, whyNot } from './web_server.mjs';

// Below a path that the daemon does not know.
const bases = new Map([[servers.nginxLocation, '/signal']]);

// The statuses of the replies that have come, interim ones excepted.
function statusesOf(wire)
{
	const text = wire.pending.toString('latin1');

	return [...text.matchAll(/HTTP\/1\.[01] (\d\d\d) /g)]
	    .map(([, status]) => Number(status))
	    .filter((status) => status >= 200);
}

// All cases at once, each on a connection of its own.  A second request in one
// is a message with the name of the case.
async function sendAll(front, base, { token })
{
	const sent = [];

	for (const each of cases) {
		const wire = await Wire.open(front);

		wire.send(each.bytes({ base, inner: plain('POST',
		    `${base}/message`, { token, body: JSON.stringify(each.name) }) }));
		sent.push({ ...each, wire });
	}
	return sent;
}

for (const spec of Object.values(servers))
	test(`${cases.length} requests behind ${spec.name}`,
	    { skip: whyNot(spec) }, async (t) => {
		// A test clock is looked at more often than all threads of a large
		// server can be.
		const { daemon, upstream } = await startUpstream(spec,
		    { args: unlimited, clock: false });
		const front = await startServer(spec, upstream);
		const base = bases.get(spec) ?? '';
		const ann = await Player.register(daemon);
		const settled = () => restTogether(() =>
		    [daemon.pid, ...front.processes()], spec.name);

		ok(await ann.create());
		await ann.drain();
		const sent = await sendAll(front, base, ann);

		// Some wait for more, and get an end.
		await settled();
		for (const { wire } of sent)
			wire.finish();
		await settled();
		const messages = (await ann.drain()).map(({ data }) => data);

		for (const { name, most, wire } of sent) {
			const statuses = statusesOf(wire);
			const n = messages.filter((each) => each === name).length;

			assert.ok(statuses.length <= most,
			    `${name}: ${statuses.join()}`);
			assert.ok(n < Math.max(statuses.length, 1),
			    `${name}: smuggled, beside ${statuses.join()}`);
			wire.close();
		}
		await settled();
		ok(await request(front, 'GET', `${base}/healthz`));
		t.diagnostic(`${sent.filter(({ wire }) => statusesOf(wire)[0] < 400)
		    .length} served, ${messages.length} second messages`);
	});
