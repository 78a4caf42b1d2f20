// rest.mjs - wait until a daemon has done all that it has been given, and what
// it has said has been read.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { setImmediate } from 'node:timers/promises';
import { until } from './wait.mjs';

// Of each thread, how often it has gone to sleep; or null: one is awake, or has
// just ended.
function asleep(pids)
{
	const counts = [];

	try {
		for (const pid of pids)
			for (const tid of fs.readdirSync(`/proc/${pid}/task`)) {
				const status = fs.readFileSync(
				    `/proc/${pid}/task/${tid}/status`, 'latin1');

				if (!/^State:\tS/m.test(status))
					return null;
				counts.push(/^voluntary_ctxt_switches:\t(\d+)/m
				    .exec(status)[1]);
			}
	} catch (error) {
		if (!['ENOENT', 'ESRCH'].includes(error.code))
			throw error;
		return null;
	}
	return counts.join();
}

// What is sent to a process wakes a thread at once, which sleeps again when
// nothing is left to do.  If all of them sleep, and none has been awake since
// the first was looked at, there was a moment at which all slept.
// find: gives the numbers of the processes, which may change.
export async function restTogether(find, what)
{
	await until(() => {
		const counts = asleep(find());

		return counts !== null && counts === asleep(find());
	}, `rest of ${what}`);
	// This turn of the event loop may have begun before.
	await setImmediate();
	await setImmediate();
}

export async function rest(daemon)
{
	await restTogether(() => {
		assert.ok(fs.existsSync(`/proc/${daemon.pid}`), 'the daemon is gone');
		return [daemon.pid];
	}, 'the daemon');
}
