// ctl.mjs - runs of clients/sh/peerpostctl.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { patience, within } from './wait.mjs';

const RUN_MS = 60_000 * patience;

export const script = fileURLToPath(
    new URL('../../clients/sh/peerpostctl', import.meta.url));

// What the script needs besides a shell; a reason to skip, or false.
export const lacksTools = ['curl', 'jq'].filter((tool) =>
    !process.env.PATH.split(':').some((dir) =>
	    fs.existsSync(path.join(dir, tool)))).join(' and ') || false;

// Run it; { code, signal, stdout, stderr }.  before: shell commands that are
// run in front of it, in the same process.
export async function ctl(admin, args, { before = ':', env = {} } = {})
{
	const child = spawn('sh', ['-c', `${before}; exec sh "$@"`, 'sh', script,
		...args], { stdio: ['ignore', 'pipe', 'pipe'],
		env: { ...process.env, PEERPOST_ADMIN: admin, ...env } });
	const out = { stdout: '', stderr: '' };

	for (const name of ['stdout', 'stderr']) {
		child[name].setEncoding('utf8');
		child[name].on('data', (text) => {
			out[name] += text;
		});
	}
	return within(RUN_MS, `end of ${args.join(' ')}`,
	    new Promise((resolve) => child.on('close', (code, signal) =>
		    resolve({ code, signal, ...out }))));
}
