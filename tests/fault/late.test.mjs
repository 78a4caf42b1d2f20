// late.test.mjs - a daemon that is late: what comes between being told of
// something on a socket and dealing with it (latewait.c).
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { faultLibrary } from '../lib/fault_library.mjs';
import { ok, scratchDir, startStill } from '../lib/peerpost.mjs';
import { rest } from '../lib/rest.mjs';
import { plain, settle, Wire } from '../lib/wire.mjs';

const { env, skip } = faultLibrary('latewait');

// How a daemon is made late.
class Lateness {
	constructor()
	{
		this.dir = scratchDir();
		this.go = path.join(this.dir, 'go');
		execFileSync('mkfifo', [this.go]);
		this.count = path.join(this.dir, 'count');
		fs.writeFileSync(this.count, new BigInt64Array([-1n]));
	}

	// After so many more events it waits before it deals with the next one.
	letThrough(n)
	{
		// In its place: the daemon has it mapped.
		fs.writeFileSync(this.count, new BigInt64Array([BigInt(n)]),
		    { flag: 'r+' });
	}

	// It goes on, and is late no more.  Was it waiting?
	end()
	{
		this.letThrough(-1);
		try {
			fs.closeSync(fs.openSync(this.go,
			    fs.constants.O_WRONLY | fs.constants.O_NONBLOCK));
			return true;
		} catch (error) {
			// Nobody has opened it for reading.
			assert.equal(error.code, 'ENXIO');
			return false;
		}
	}
}

// Without a request before it, and with one: then the connection could be idle
// for longer than 15 s.
for (const before of ['', plain('GET', '/healthz')])
	test('a request that is not complete is closed 15 s after its first ' +
	    `byte, whenever that came, ${before ? 'behind another' : 'alone'}`,
	{ skip }, async () => {
		const lateness = new Lateness();
		const d = await startStill({ env: { ...env,
			LATEWAIT_DIR: lateness.dir } });
		let isLate, n = 0;

		do {
			await settle(d);
			lateness.letThrough(n++);

			const wire = await Wire.open(d);

			wire.send(before);
			// It waits, or has nothing left to do.
			await rest(d);
			wire.send('G');
			await rest(d);
			isLate = lateness.end();
			if (before)
				ok(await wire.response());
			await settle(d);
			d.advance(16);
			await wire.closed();
		} while (isLate);
		// At least with the connection and with the byte.
		assert.ok(n > 2, `late ${n - 1} times`);
	});
