// late.test.mjs - a daemon that is late: what comes between being told of
// something on a socket and dealing with it (latewait.c).
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'node:test';
import { faultLibrary } from '../lib/fault_library.mjs';
import { connectTo, looked, readyEvent, startDaemon, until }
    from '../lib/peerpost.mjs';

const LATE_MS = 20;
const { env, skip } = faultLibrary('latewait');

async function connect(daemon)
{
	const socket = connectTo(daemon);

	socket.on('error', () => {});
	socket.resume();
	await new Promise((resolve) => socket.once(readyEvent(socket), resolve));
	return socket;
}

test('a request that is not complete is closed 15 s after its first byte, ' +
    'whenever that came', { skip }, async () => {
	const d = await startDaemon({ clock: 'still', env: { ...env,
		LATEWAIT_MS: String(LATE_MS) } });

	for (let ms = 0; ms <= 4 * LATE_MS; ms += LATE_MS / 4) {
		const socket = await connect(d);

		await sleep(ms);
		socket.write('G');
		await looked(d);
		d.advance(16);
		await until(() => socket.destroyed, `end of it after ${ms} ms`);
	}
});
