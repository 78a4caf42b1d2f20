// fault_library.mjs - the libraries of tests/fault/, which come before the C
// library.
import fs from 'node:fs';
import path from 'node:path';

// { skip, env }: a reason to skip, or false; what a program's environment needs
// for it.
export function faultLibrary(name)
{
	const file = path.resolve(process.env.FAULT_DIR ?? 'tests/fault',
	    `${name}.so`);

	return { skip: fs.existsSync(file) ? false : `there is no ${file}`, env: {
		LD_PRELOAD: file,
		// A preloaded library comes before the sanitizer's.
		ASAN_OPTIONS: ['verify_asan_link_order=0',
			process.env.ASAN_OPTIONS ?? ''].join(':'),
	} };
}
