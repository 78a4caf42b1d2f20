// manager.mjs - a service manager for tests: tests/operation/manager.c holds
// listening sockets, starts daemons that inherit them, and hears what they say.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import http from 'node:http';
import path from 'node:path';
import { after } from 'node:test';
import { program, scratchDir, until } from './peerpost.mjs';
import { DEADLINE_MS, within } from './wait.mjs';

const binary = path.resolve(process.env.MANAGER ?? 'tests/operation/manager');

// It looks like a daemon of peerpost.mjs, as far as request() goes.
export class Manager {
	// sockets: [name, address] as manager.c takes them; notify: "/path" or
	// "@name"; args: the daemon's.
	constructor({ sockets = [['http', '0']], notify, watchdogUs, env = {},
		args = [], database })
	{
		this.dir = scratchDir();
		this.database = database ?? path.join(this.dir, 'peerpost.db');
		this.lines = [];
		this.taken = 0;
		this.stderr = '';
		this.listeners = [];
		this.fastcgi = [];
		this.agent = new http.Agent({ keepAlive: true });
		this.child = spawn(binary, [
			...sockets.map(([name, address]) => `${name}=${address}`),
			'--', program, '--database', this.database, ...args,
		], { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env,
			...notify ? { MANAGER_NOTIFY: notify } : {},
			...watchdogUs ? { WATCHDOG_USEC: String(watchdogUs) } : {},
			...env } });
		this.ended = new Promise((resolve) => {
			this.child.on('close', resolve);
		});

		let rest = '';

		this.child.stdout.setEncoding('utf8');
		this.child.stdout.on('data', (text) => {
			const lines = (rest + text).split('\n');

			rest = lines.pop();
			for (const line of lines)
				this.take(line);
		});
		this.child.stderr.setEncoding('utf8');
		this.child.stderr.on('data', (text) => {
			this.stderr += text;
		});
	}

	take(line)
	{
		const [, address] = /^socket \S* ?(\S+)$/.exec(line) ?? [];

		if (/^\d+$/.test(address))
			this.listeners.push({ host: '127.0.0.1',
				port: Number(address) });
		else if (address)
			this.listeners.push({ path: address });
		this.pid = Number(/^started (\d+)/.exec(line)?.[1] ?? this.pid);
		this.lines.push(line);
	}

	tell(command)
	{
		this.child.stdin.write(`${command}\n`);
	}

	// The next line that fits, after those that were taken so far.
	async line(pattern)
	{
		const deadline = Date.now() + DEADLINE_MS;

		for (;;) {
			const at = this.lines.findIndex((line, i) =>
			    i >= this.taken && pattern.test(line));

			if (at >= 0) {
				this.taken = at + 1;
				return this.lines[at];
			}
			if (Date.now() > deadline)
				throw new Error(`no ${pattern}; so far:\n` +
				    this.lines.join('\n') + `\n${this.stderr}`);
			await new Promise((resolve) => setTimeout(resolve, 2));
		}
	}

	// Fulfilled when the daemon says that it is ready; without a notify
	// socket, when it listens.
	async start({ isToldReady = true } = {})
	{
		const from = this.stderr.length;

		this.tell('start');
		await this.line(/^started/);
		if (isToldReady)
			await this.line(/^notify \d+ READY=1/);
		else
			await until(() => /^listening on/m.test(
			    this.stderr.slice(from)), 'listening daemon');
	}

	// SIGTERM; fulfilled with what the manager says of the end.  Connections
	// of request() that are kept would only make it wait.
	stop()
	{
		for (const sockets of Object.values(this.agent.freeSockets))
			sockets.forEach((socket) => socket.destroy());
		this.tell('15');
		return this.line(/^(exited|killed) /);
	}

	async close()
	{
		this.agent.destroy();
		this.child.stdin.end();
		await within(DEADLINE_MS, 'end of the manager', this.ended);
		assert.doesNotMatch(this.stderr,
		    /Sanitizer|runtime error:|Assertion .* failed/);
	}
}

export function startManager(options)
{
	const manager = new Manager(options);

	after(() => manager.close());
	return manager;
}

// A name for a socket that no file has: processes may run at the same time.
let nNames = 0;

export function abstractName()
{
	return `@peerpost-test-${process.pid}-${nNames++}`;
}
