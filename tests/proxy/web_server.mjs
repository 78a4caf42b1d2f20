// web_server.mjs - one of servers.mjs, running in front of a daemon.
//
// In a scratch folder, on a port that is free, as an unprivileged user where the
// tests are root.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { scratchDir, startDaemon, until } from '../lib/peerpost.mjs';
import { freePort } from '../lib/programs.mjs';
import { makeCertificate, skipTls } from '../lib/tls.mjs';
import { DEADLINE_MS, within } from '../lib/wait.mjs';

const contrib = fileURLToPath(new URL('../../contrib/', import.meta.url));
// Debian has this user always; web servers do not care to run as root.
const USER = 'www-data';

const isRoot = process.getuid() === 0;
const running = new Set();

process.on('exit', () => {
	for (const server of running)
		server.killAll();
});

export function shippedText(spec)
{
	return fs.readFileSync(path.join(contrib, spec.shipped), 'utf8');
}

function replaceAll(text, pairs)
{
	for (const [from, to] of pairs) {
		assert.ok(text.includes(from), `there is no ${from} in it`);
		text = text.replaceAll(from, to);
	}
	return text;
}

export function isInstalled(program)
{
	return spawnSync(program, ['-v'], { env: environment() })
	    .error === undefined;
}

function environment(dir)
{
	return { ...process.env, PATH: `${process.env.PATH}:/usr/sbin:/sbin`,
		HOME: dir, XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir };
}

// A web server in front of an upstream; for request(), Player and Wire it is
// what a daemon is.
export class WebServer {
	constructor(spec, upstream, host)
	{
		this.spec = spec;
		this.upstream = upstream;
		this.host = host;
		this.output = '';
		this.older = [];
		this.forgetConnections();
	}

	// Old generations of a server close theirs when they like.
	forgetConnections()
	{
		this.agent?.destroy();
		this.agent = new http.Agent({ keepAlive: true });
		this.tlsAgent?.destroy();
		this.tlsAgent = new https.Agent({ keepAlive: true,
			ca: this.certificate?.ca });
	}

	// As the user that the server runs as.
	spawn(command)
	{
		if (isRoot)
			command = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`,
				'--clear-groups', '--', ...command];
		const child = spawn(command[0], command.slice(1), {
			cwd: this.dir, env: environment(this.dir),
			// A process group of its own, to be ended as a whole.
			detached: true, stdio: ['ignore', 'pipe', 'pipe'] });

		for (const stream of [child.stdout, child.stderr]) {
			stream.setEncoding('utf8');
			stream.on('data', (text) => {
				this.output += text;
			});
			stream.unref();
		}
		child.unref();
		return child;
	}

	async start()
	{
		this.dir = scratchDir();
		this.port = await freePort({ host: this.host });
		const { spec, dir } = this;

		this.listeners = [{ host: this.host, port: this.port,
			isTls: spec.isTls }];
		if (spec.isTls) {
			const { cert, key, ca } = makeCertificate(dir);

			this.certificate = { cert, key, ca,
				both: path.join(dir, 'both.pem') };
			fs.writeFileSync(this.certificate.both,
			    Buffer.concat([ca, fs.readFileSync(key)]));
			this.forgetConnections();
		}
		const shipped = replaceAll(shippedText(spec),
		    [...spec.names(this), ...(spec.edit ?? [])]);

		for (const [name, text] of
		    Object.entries(spec.wrap(shipped, this)))
			fs.writeFileSync(path.join(dir, name), text);
		if (isRoot)
			giveTo(dir);
		this.child = this.spawn(spec.command(this));
		running.add(this);
		this.exited = new Promise((resolve) => {
			this.child.on('close', () => {
				this.hasEnded = true;
				resolve();
			});
		});
		await until(async () => {
			if (this.hasEnded)
				throw new Error(`${spec.name} ended:\n` +
				    this.everythingSaid());
			return await this.accepts() || null;
		}, `${spec.name} that listens`);
		return this;
	}

	accepts()
	{
		return new Promise((resolve) => {
			const socket = net.connect(this.port, this.host);

			socket.on('connect', () => resolve(true));
			socket.on('error', () => resolve(false));
			socket.on('connect', () => socket.destroy());
		});
	}

	// The processes of the one that was started, those that end excepted.
	children()
	{
		const { pid } = this.child;

		return fs.readFileSync(`/proc/${pid}/task/${pid}/children`,
		    'utf8').trim().split(' ').sort().join(' ');
	}

	// All of its processes.
	processes()
	{
		const found = [this.child.pid];

		for (const pid of found)
			found.push(...childrenOf(pid));
		return found;
	}

	// All that it has written, its logs of requests included.
	everythingSaid()
	{
		return this.output + fs.readdirSync(this.dir)
		    .filter((name) => name.endsWith('.log'))
		    .map((name) => fs.readFileSync(path.join(this.dir, name),
			'utf8')).join('');
	}

	logText()
	{
		return this.spec.log === 'output' ? this.output :
		    fs.readFileSync(path.join(this.dir, this.spec.log), 'utf8');
	}

	// Read its configuration anew, as an operator has it do; fulfilled when
	// that is done.
	async reload()
	{
		const { reload, generation, missesReloads } = this.spec;

		if (typeof reload === 'function') {
			const child = this.spawn(reload(this));
			const code = await within(DEADLINE_MS, 'reload',
			    new Promise((resolve) => child.on('close', resolve)));

			assert.equal(code, 0, this.output);
			return;
		}
		const before = generation(this);

		this.older = this.children().split(' ');
		for (let n = 0;; n++) {
			if (n === 0 || (missesReloads && n % 100 === 0))
				this.child.kill(reload);
			if (generation(this) !== before)
				break;
			assert.ok(n < 2000, `no reload of ${this.spec.name}`);
			await new Promise((resolve) => setTimeout(resolve, 5));
		}
	}

	// Wait for the end of those who served before the reload: whoever still
	// gets a connection from them sees it closed.
	async settle()
	{
		this.forgetConnections();
		await until(() => !this.older.some((pid) => pid &&
		    this.children().split(' ').includes(pid)) || null,
		`${this.spec.name} that is done with its reload`);
	}

	async stop()
	{
		this.agent.destroy();
		this.tlsAgent.destroy();
		if (!this.child)
			return;
		if (!this.hasEnded)
			this.child.kill(this.spec.stop);
		try {
			await within(DEADLINE_MS, `end of ${this.spec.name}`,
			    this.exited);
		} finally {
			this.killAll();
			running.delete(this);
		}
	}

	killAll()
	{
		try {
			process.kill(-this.child.pid, 'SIGKILL');
		} catch {
			// There is nobody left.
		}
	}
}

// Those that any of its threads has started; none of one that has just ended.
function childrenOf(pid)
{
	try {
		return fs.readdirSync(`/proc/${pid}/task`).flatMap((tid) =>
			fs.readFileSync(`/proc/${pid}/task/${tid}/children`, 'utf8')
			    .split(' ').filter(Boolean).map(Number));
	} catch (error) {
		if (!['ENOENT', 'ESRCH'].includes(error.code))
			throw error;
		return [];
	}
}

function giveTo(dir)
{
	const [uid, gid] = ['-u', '-g'].map((option) =>
	    Number(spawnSync('id', [option, USER], { encoding: 'utf8' }).stdout));

	for (const name of ['', ...fs.readdirSync(dir)])
		fs.chownSync(path.join(dir, name), uid, gid);
}

// A folder that the web server's user can look into.
export function openDir()
{
	const dir = scratchDir();

	fs.chmodSync(dir, 0o755);
	return dir;
}

// Start a web server; it is stopped when the current test ends.
export async function startServer(spec, upstream, { host = '127.0.0.1' } = {})
{
	const server = new WebServer(spec, upstream, host);

	after(() => server.stop());
	return server.start();
}

// Why the server cannot be tried here, or false.
export function whyNot(spec)
{
	return isInstalled(spec.program) ? spec.isTls && skipTls :
	    `${spec.program} is not installed`;
}

// A daemon with the listener that the server wants; its first one is HTTP.
export async function startUpstream(spec, { args = [], clock = true,
    admin } = {})
{
	if (spec.upstream === 'http') {
		const daemon = await startDaemon({ args, clock, admin });

		return { daemon, upstream: `127.0.0.1:${daemon.port}` };
	}
	const upstream = `unix:${path.join(openDir(), 'fastcgi.sock')}`;
	const daemon = await startDaemon({ clock, admin, fastcgi: upstream,
		args: [...args, '--fastcgi-mode', '0666'] });

	return { daemon, upstream };
}
