// holding.mjs - does the daemon hold a poll at the moment?
//
// What a web server has passed on, and what not, cannot be seen from outside.
// So the daemon is told to hold one poll only: a second player's poll is then
// answered at once as long as it does.
import assert from 'node:assert/strict';
import { ok, until } from '../lib/peerpost.mjs';
import { Wire, plain, settle } from '../lib/wire.mjs';

// Is the one poll that the daemon can hold another player's?
export async function isHolding(daemon, probe)
{
	const wire = await Wire.open(daemon);

	wire.send(plain('GET', '/events?after=0&wait=55',
	    { token: probe.token }));
	await settle(daemon);
	const isAnswered = wire.pending.length > 0;

	wire.close();
	return isAnswered;
}

// Wait until the daemon holds a poll that start() sends; the promise of its
// answer is `poll`.  (Our own asking may be in its way: then it is sent again.)
export async function hold(daemon, probe, start)
{
	for (;;) {
		const poll = start();
		let isAnswered = false;

		poll.then(() => {
			isAnswered = true;
		}, () => {});
		if (await until(async () => isAnswered ? 'answered' :
		    await isHolding(daemon, probe) ? 'held' : null,
		'poll at the daemon') === 'held')
			return { poll };
		assert.ok(ok(await poll).poll_after_ms, 'answered, not held');
	}
}

// Let the daemon answer what it still holds for clients that have gone.  (Time
// passes only where it must: connections that are kept would be idle for longer
// than the web server knows.)
export async function empty({ daemon, probe, spec })
{
	if (!spec.tellsHangUp)
		daemon.advance(60);
	await until(async () => !await isHolding(daemon, probe) || null,
	    'daemon that holds nothing');
}
