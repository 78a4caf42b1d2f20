// rest.mjs - wait until a daemon has done all that it has been given, and what
// it has said has been read.
import fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { until } from './wait.mjs';

// Of each thread, how often it has gone to sleep; or null: one is awake.
function asleep(pid)
{
	const counts = [];

	for (const tid of fs.readdirSync(`/proc/${pid}/task`)) {
		const status = fs.readFileSync(`/proc/${pid}/task/${tid}/status`,
		    'latin1');

		if (!/^State:\tS/m.test(status))
			return null;
		counts.push(/^voluntary_ctxt_switches:\t(\d+)/m.exec(status)[1]);
	}
	return counts.join();
}

// What is sent to it wakes a thread at once, which sleeps again when nothing is
// left to do.  If all sleep, and none has been awake since the first was looked
// at, there was a moment at which all slept.
export async function rest(daemon)
{
	await until(() => {
		const counts = asleep(daemon.pid);

		return counts !== null && counts === asleep(daemon.pid);
	}, 'rest of the daemon');
	// This turn of the event loop may have begun before.
	await setImmediate();
	await setImmediate();
}
