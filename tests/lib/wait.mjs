// wait.mjs - deadlines: how long a test waits before it says that something
// does not happen.

// For daemons under a sanitizer or valgrind: all deadlines times this.
export const patience = Number(process.env.PEERPOST_TEST_PATIENCE ?? 1);

// What has not happened after so long does not happen.
export const DEADLINE_MS = 30_000 * patience;

// Give the promise a deadline: what is awaited must happen, and soon.
export function within(ms, what, promise)
{
	let timer;
	const late = new Promise((resolve, reject) => {
		timer = setTimeout(() => reject(new Error(`no ${what} within ${ms} ms`)),
		    ms);
	});

	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

// Ask until the answer is true (anything but false, null, undefined), and
// return it.  For effects that no event announces.
export async function until(condition, what = 'expected state')
{
	const deadline = Date.now() + DEADLINE_MS;

	for (;;) {
		const answer = await condition();

		if (answer !== false && answer !== null && answer !== undefined)
			return answer;
		if (Date.now() > deadline)
			throw new Error(`no ${what} within ${DEADLINE_MS} ms`);
		await new Promise((resolve) => setTimeout(resolve, 5));
	}
}
