// shell_client.mjs - clients/sh/peerpost in a scratch folder: players that are
// session files, and runs of the script, whole or under way.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { patience, within } from './wait.mjs';
import { scratchDir, until } from './peerpost.mjs';

export const script = fileURLToPath(
    new URL('../../clients/sh/peerpost', import.meta.url));

const RUN_MS = 60_000 * patience;

// What the script needs besides a shell; a reason to skip, or false.
export const lacksTools = ['curl', 'jq'].filter((tool) =>
    !process.env.PATH.split(':').some((dir) =>
	    fs.existsSync(path.join(dir, tool)))).join(' and ') || false;

// One session file, and its server.  url: null for none on the command line.
export class ShellPlayer {
	constructor(url, { env = {}, tries } = {})
	{
		this.dir = scratchDir();
		this.session = path.join(this.dir, 'state', 'session');
		this.tmp = path.join(this.dir, 'tmp');
		fs.mkdirSync(this.tmp);
		this.options = ['-s', this.session,
			...(url ? ['-u', url] : []),
			...(tries ? ['-t', String(tries)] : [])];
		this.env = { ...process.env, TMPDIR: this.tmp, no_proxy: '*',
			...env };
	}

	get saved()
	{
		return JSON.parse(fs.readFileSync(this.session, 'utf8'));
	}

	// Begin a run.  The object has stdout and stderr as they grow, lines()
	// of stdout as JSON, and a promise `ended` of { code, signal, stdout,
	// stderr }.
	start(...args)
	{
		const child = spawn('sh', [script, ...this.options, ...args],
		    { env: this.env, stdio: ['pipe', 'pipe', 'pipe'] });
		const run = { child, stdout: '', stderr: '' };

		run.lines = () => run.stdout.split('\n').slice(0, -1)
			.map((line) => JSON.parse(line));
		for (const name of ['stdout', 'stderr']) {
			child[name].setEncoding('utf8');
			child[name].on('data', (text) => {
				run[name] += text;
			});
		}
		child.stdin.on('error', () => {});
		run.ended = within(RUN_MS, `end of ${args.join(' ')}`,
		    new Promise((resolve) => child.on('close', (code, signal) =>
			    resolve({ code, signal, stdout: run.stdout,
				    stderr: run.stderr }))));
		run.ended.catch(() => child.kill('SIGKILL'));
		after(() => child.kill('SIGTERM'));
		return run;
	}

	run(...args)
	{
		const run = this.start(...args);

		run.child.stdin.end();
		return run.ended;
	}

	// The output of a run that must succeed, without its newline.
	async ok(...args)
	{
		const { code, stdout, stderr } = await this.run(...args);

		if (code !== 0)
			throw new Error(`${args.join(' ')}: exit ${code}: ${stderr}`);
		return stdout.replace(/\n$/, '');
	}

	// Follow the events; until is a shorthand.
	follow()
	{
		const run = this.start('events');

		run.until = (enough, what) => until(() => enough(run.lines()),
		    what ?? 'events');
		return run;
	}
}
