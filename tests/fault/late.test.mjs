// late.test.mjs - a daemon that is late: what comes between being told of
// something on a socket and dealing with it (latewait.c).
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { faultLibrary } from '../lib/fault_library.mjs';
import { startStill } from '../lib/peerpost.mjs';
import { settle, Wire } from '../lib/wire.mjs';

const LATE_MS = 20;
const { env, skip } = faultLibrary('latewait');

test('a request that is not complete is closed 15 s after its first byte, ' +
    'whenever that came', { skip }, async () => {
	const d = await startStill({ env: { ...env,
		LATEWAIT_MS: String(LATE_MS) } });

	for (let ms = 0; ms <= 4 * LATE_MS; ms += LATE_MS / 4) {
		const wire = await Wire.open(d);

		// Some of these are in the midst of being late.
		await sleep(ms);
		wire.send('G');
		await settle(d);
		d.advance(16);
		await wire.closed();
	}
});
