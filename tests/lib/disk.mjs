// disk.mjs - a daemon on a disk that fails, or hangs, when a test says so
// (faultfs.c).
import fs from 'node:fs';
import path from 'node:path';
import { faultLibrary } from './fault_library.mjs';
import { scratchDir, startDaemon, until } from './peerpost.mjs';

const library = faultLibrary('faultfs');

// A reason to skip, or false.
export const { skip } = library;

export const OFF = 0, FULL = 1, SYNC = 2, HANG = 3, TIGHT = 4;

// A database on a disk of moods.
export class Disk {
	// suffix: only the files fail whose names begin with the database's and
	// this.
	constructor(suffix = '')
	{
		const dir = fs.realpathSync(scratchDir());

		this.database = path.join(dir, 'peerpost.db');
		this.control = path.join(dir, 'control');
		this.env = {
			...library.env,
			FAULTFS_FILES: this.database + suffix,
			FAULTFS_CONTROL: this.control,
		};
		fs.writeFileSync(this.control, Buffer.alloc(12));
	}

	// From now on; the first so many calls still succeed.
	set(mode, nPass = 0)
	{
		const fd = fs.openSync(this.control, 'r+');
		const words = new Int32Array([mode, nPass, 0]);

		// n_pass must stand before mode makes it count.
		fs.writeSync(fd, Buffer.from(new Int32Array([OFF]).buffer), 0, 4, 0);
		fs.writeSync(fd, Buffer.from(words.buffer, 4, 8), 0, 8, 4);
		fs.writeSync(fd, Buffer.from(words.buffer, 0, 4), 0, 4, 0);
		fs.closeSync(fd);
	}

	// Let syncs hang, and go on.
	hang()
	{
		this.set(HANG);
	}

	heal()
	{
		this.set(OFF);
	}

	// Something fails, or hangs.
	isMet()
	{
		return until(() => this.nFailed > 0, 'fault');
	}

	// How many calls have failed since set().
	get nFailed()
	{
		return fs.readFileSync(this.control).readInt32LE(8);
	}

	async start(options = {})
	{
		return startDaemon({ database: this.database, env: this.env,
			...options });
	}
}
