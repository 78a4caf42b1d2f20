// calm.mjs - whether a daemon costs no more than one that has nothing to do.
//
// The yardstick is another daemon, which nobody talks to: it gives the length of
// the measurement as well as the cost that is allowed.  So the speed of the
// machine and its other load do not matter.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { startStill } from './peerpost.mjs';
import { until } from './wait.mjs';

// Its threads look at the test clock every 10 ms.
const N_WAKES = 100;
// An idle daemon without a test clock wakes less often than this one.
const MAX_RATIO = 3;

// Of all threads of a process: how often they have gone to sleep, and their
// processor time in nanoseconds.
function spent(pid)
{
	const sum = { wakes: 0, ns: 0 };

	for (const tid of fs.readdirSync(`/proc/${pid}/task`)) {
		const dir = `/proc/${pid}/task/${tid}`;

		sum.wakes += Number(/^voluntary_ctxt_switches:\t(\d+)/m
		    .exec(fs.readFileSync(`${dir}/status`, 'latin1'))[1]);
		sum.ns += Number(fs.readFileSync(`${dir}/schedstat`, 'latin1')
		    .split(' ')[0]);
	}
	return sum;
}

function since(before, pid)
{
	const now = spent(pid);

	return { wakes: now.wakes - before.wakes, ns: now.ns - before.ns };
}

export class Calm {
	static async start()
	{
		const calm = new Calm();

		calm.idle = await startStill();
		return calm;
	}

	// What the daemon does from now on, as multiples of what the idle one does.
	async ratiosOf({ pid })
	{
		const { idle } = this;
		const before = spent(pid), idleBefore = spent(idle.pid);

		await until(() => since(idleBefore, idle.pid).wakes >= N_WAKES,
		    'wake-ups of an idle daemon');
		const done = since(before, pid), little = since(idleBefore, idle.pid);

		return { wakes: done.wakes / little.wakes, ns: done.ns / little.ns };
	}

	// It is calm now; t, if given, is told how calm.
	async assert(daemon, { t, when = 'now' } = {})
	{
		const { wakes, ns } = await this.ratiosOf(daemon);
		const text = `${when}: ${wakes.toFixed(2)} times the wake-ups and ` +
		    `${ns.toFixed(2)} times the processor time of an idle daemon`;

		t?.diagnostic(text);
		assert.ok(wakes <= MAX_RATIO && ns <= MAX_RATIO, text);
	}

	// It is calm as soon as it has done what it was given.
	async waitFor(daemon)
	{
		await until(async () => {
			const { wakes, ns } = await this.ratiosOf(daemon);

			return wakes <= MAX_RATIO && ns <= MAX_RATIO;
		}, 'calm');
	}
}
