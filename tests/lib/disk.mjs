// disk.mjs - a disk whose syncs hang when a test says so: faultfs.c under a
// database that it is told of.
import fs from 'node:fs';
import path from 'node:path';
import { scratchDir, until } from './peerpost.mjs';

const HANGS = 3, WORKS = 0; // enum mode of faultfs.c
const library = path.resolve(process.env.FAULTFS ?? 'tests/fault/faultfs.so');

export class Disk {
	constructor()
	{
		const dir = scratchDir();

		this.control = path.join(dir, 'control');
		this.database = path.join(dir, 'peerpost.db');
		fs.writeFileSync(this.control, Buffer.alloc(12));
	}

	// For the daemon.
	get env()
	{
		return {
			LD_PRELOAD: library,
			FAULTFS_FILES: this.database,
			FAULTFS_CONTROL: this.control,
			// A preloaded library comes before the sanitizer's.
			ASAN_OPTIONS: ['verify_asan_link_order=0',
				process.env.ASAN_OPTIONS].filter(Boolean).join(':'),
		};
	}

	set(mode)
	{
		const words = Buffer.alloc(12);

		words.writeInt32LE(mode, 0);
		fs.writeFileSync(this.control, words, { flag: 'r+' });
	}

	hang()
	{
		this.set(HANGS);
	}

	heal()
	{
		this.set(WORKS);
	}

	// Something hangs.
	isMet()
	{
		return until(() => fs.readFileSync(this.control).readInt32LE(8) > 0,
		    'hanging sync');
	}
}
