// wait.mjs - deadlines: how long a test waits before it says that something
// does not happen.

// For daemons under a sanitizer or valgrind: all deadlines times this.
export const patience = Number(process.env.PEERPOST_TEST_PATIENCE ?? 1);

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
