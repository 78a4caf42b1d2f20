// disk.mjs - a daemon on a disk that fails when a test says so (faultfs.c).
import fs from 'node:fs';
import path from 'node:path';
import { scratchDir, startDaemon } from './peerpost.mjs';

const library = path.resolve(process.env.FAULTFS ?? 'tests/fault/faultfs.so');
// A reason to skip, or false.
export const skip = fs.existsSync(library) ? false : `there is no ${library}`;

export const OFF = 0, FULL = 1, SYNC = 2, TIGHT = 3,
    HANG = 4;

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
			LD_PRELOAD: library,
			FAULTFS_FILES: this.database + suffix,
			FAULTFS_CONTROL: this.control,
			// A preloaded library comes before the sanitizer's.
			ASAN_OPTIONS: ['verify_asan_link_order=0',
				process.env.ASAN_OPTIONS ?? ''].join(':'),
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

	// How many calls have failed, or begun to hang, since set().
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
