// godot3.mjs - players that are clients/godot3, run by Godot 3 without a window.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratchDir, until, within } from './peerpost.mjs';
import { DEADLINE_MS } from './wait.mjs';

export const godot = process.env.PATH.split(':')
	.map((dir) => path.join(dir, 'godot3-server')).find(fs.existsSync);
export const lacksGodot = !godot && 'needs godot3-server';
const here = (name) => fileURLToPath(new URL(name, import.meta.url));

// A project with the addon, the example and a script of these tests.
function makeProject(script)
{
	const dir = scratchDir();

	fs.writeFileSync(path.join(dir, 'project.godot'),
	    'config_version=4\n[application]\nconfig/name="test"\n');
	for (const name of ['addons', 'example'])
		fs.cpSync(here(`../../clients/godot3/${name}`),
		    path.join(dir, name), { recursive: true });
	fs.copyFileSync(here(`../clients/godot3/${script}`),
	    path.join(dir, script));
	return dir;
}

// A player, which ends with the test.
export class Godot {
	// silence: the client's silence_seconds.  script: player.gd, or one that
	// takes other orders.
	constructor(url, { session = path.join(scratchDir(), 'session'),
		silence = 20, script = 'player.gd' } = {})
	{
		const dir = makeProject(script);

		this.session = session;
		this.orders = path.join(dir, 'orders');
		fs.writeFileSync(this.orders, '');
		this.output = '';
		this.child = spawn(godot, ['--path', dir, '-s', script], {
			env: { ...process.env, HOME: dir, XDG_DATA_HOME: dir,
				PEERPOST_URL: url, PEERPOST_SESSION: session,
				PEERPOST_TEST_ORDERS: this.orders,
				PEERPOST_TEST_SILENCE: String(silence) },
			stdio: ['ignore', 'pipe', 'pipe'] });
		for (const stream of [this.child.stdout, this.child.stderr]) {
			stream.setEncoding('utf8');
			stream.on('data', (text) => {
				this.output += text;
			});
		}
		this.ended = new Promise((resolve) =>
		    this.child.on('close', (code) => resolve(code)));
		after(() => this.child.kill('SIGKILL'));
	}

	// What has been said, [signal, ...values].
	get said()
	{
		return this.output.split('\n').slice(0, -1)
			.filter((line) => line.startsWith('> '))
			.map((line) => JSON.parse(line.slice(2)));
	}

	// All that was said of these signals, as soon as there are n of them.
	async hears(n, ...names)
	{
		const found = () => this.said.filter(([name]) =>
		    names.includes(name));
		const isBroken = () => /SCRIPT ERROR|Parse Error/.test(this.output);

		try {
			await until(() => found().length >= n || isBroken());
			assert.ok(!isBroken());
		} catch {
			throw new Error(`no ${n} ${names}:\n${this.output}`);
		}
		assert.equal(found().length, n, this.output);
		return found();
	}

	// The result of a command, or of resume().
	async ask(...order)
	{
		const [name] = order;
		const results = () => this.said.filter(([what, command]) =>
		    what === 'result' && command === name);
		const n = results().length;

		this.do(...order);
		try {
			await until(() => results().length > n);
		} catch {
			throw new Error(`no result of ${name}:\n${this.output}`);
		}
		return results()[n][2];
	}

	do(...order)
	{
		fs.appendFileSync(this.orders, JSON.stringify(order) + '\n');
	}

	async quit()
	{
		this.do('quit');
		assert.equal(await within(DEADLINE_MS, 'end of Godot',
		    this.ended), 0);
		assert.doesNotMatch(this.output, /SCRIPT ERROR|Parse Error/);
	}

	async register(name)
	{
		this.do('register_player', name);
		return (await this.hears(1, 'registered'))[0][1];
	}
}
