// squid.mjs - squid as Debian has it, in the foreground, in a scratch folder.
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { scratchDir } from './peerpost.mjs';
import { findProgram, freePort, keep } from './programs.mjs';
import { DEADLINE_MS, within } from './wait.mjs';

const N_TRIES = 5;

// The package's configuration.
const DEFAULTS = '/etc/squid/squid.conf';
// Where things are: the only lines of it that are replaced.
const PLACES = /^(http_port|access_log|cache_log|pid_filename|coredump_dir)\b/;

const program = findProgram('squid');

// Why tests with squid cannot run here, or false.
export const lacksSquid = !program ? 'needs squid' :
    !fs.existsSync(DEFAULTS) ? `needs ${DEFAULTS}` : false;

// What Debian's administrator has before changing anything.
export function debianConfiguration()
{
	return fs.readFileSync(DEFAULTS, 'utf8').split('\n')
	    .filter((line) => /^[^#\s]/.test(line) && !PLACES.test(line))
	    .join('\n');
}

// Start it: where it listens, and a function that gives its access log.  It is
// stopped when the file ends.
export async function startSquid(configuration)
{
	const dir = scratchDir();

	// Started by root, it becomes another user, who has to write there.
	if (process.getuid() === 0)
		fs.chownSync(dir, Number(spawnSync('id', ['-u', 'proxy'],
		    { encoding: 'utf8' }).stdout), -1);
	// It does not take port 0, and a free one may be taken meanwhile.
	for (let n = 1;; n++) {
		const port = await freePort();

		const squid = run(dir, [configuration,
			`http_port 127.0.0.1:${port}`,
			`access_log stdio:${dir}/access.log`,
			`cache_log ${dir}/cache.log`,
			`pid_filename ${dir}/squid.pid`,
			`coredump_dir ${dir}`,
			'shutdown_lifetime 0 seconds']);
		if (await within(DEADLINE_MS, 'squid', Promise.race([
			squid.listening.then(() => true),
			squid.ended.then(() => false)])))
			return { host: '127.0.0.1', port, log: () =>
			    fs.readFileSync(`${dir}/access.log`, 'utf8') };
		if (n === N_TRIES || !/cannot bind|in use/i.test(squid.output))
			throw new Error(`squid ended: ${squid.output}`);
	}
}

function run(dir, configuration)
{
	const file = path.join(dir, 'squid.conf');

	fs.writeFileSync(file, `${configuration.join('\n')}\n`);

	const child = spawn(program, ['-N', '-d', '1', '-f', file],
	    { stdio: ['ignore', 'ignore', 'pipe'] });

	keep(child);
	child.listening = new Promise((resolve) => {
		child.stderr.on('data', () => {
			if (/Accepting HTTP Socket connections/.test(child.output))
				resolve();
		});
	});
	return child;
}
