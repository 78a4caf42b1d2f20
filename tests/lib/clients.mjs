// clients.mjs - what the tests of the JavaScript client have in common.
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { PeerpostClient } from '../../clients/js/peerpost.js';
import { scratchDir, until } from './peerpost.mjs';

export const EVENTS = ['joined', 'peer-connected', 'peer-disconnected',
	'sealed', 'message', 'offer', 'answer', 'candidate', 'room-gone'];
export const CLIENT_EVENTS = ['session-gone', 'offline', 'online', 'resumed',
	'reset', 'room-left', 'superseded', 'session-in-use', 'command-failed'];

// A client that ends with the test, and remembers what it was told:
// client.log (mailbox events), client.news (its own), client.exchanges.
export function makeClient(url, options = {})
{
	const client = new PeerpostClient(url, options);

	client.log = [];
	client.news = [];
	client.exchanges = [];
	for (const type of EVENTS)
		client.addEventListener(type, (event) => client.log.push(event));
	for (const type of CLIENT_EVENTS)
		client.addEventListener(type, (event) => client.news.push(event));
	client.addEventListener('exchange', (event) =>
	    client.exchanges.push(event));
	after(() => client.stop());
	return client;
}

// What a client has been told, as 'type' or 'type data'.
export function told(client, types = EVENTS)
{
	return client.log.filter(({ type }) => types.includes(type))
	    .map(({ type, data }) => data === undefined ? type :
	        `${type} ${JSON.stringify(data)}`);
}

// Wait until so many (more) events of a type have come.
export function heard(client, type, n = 1)
{
	return until(() => [...client.log, ...client.news]
	    .filter((event) => event.type === type).length >= n,
	`${n} times ${type}`);
}

// The first event of a type, from now on.
export function once(target, type)
{
	return new Promise((resolve) => target.addEventListener(type, resolve,
	    { once: true }));
}

// What sessionStorage is: strings, for as long as the tab lives.
export class Storage {
	constructor()
	{
		this.items = new Map();
	}

	getItem(key)
	{
		return this.items.get(key) ?? null;
	}

	setItem(key, value)
	{
		this.items.set(key, String(value));
	}
}

// The Web Locks of all pages of a process, each granted so late.
export class Locks {
	#waiting = []; // { name, grant() }, the first of a name has it

	constructor({ lateMs = 0 } = {})
	{
		this.lateMs = lateMs;
		this.held = new Set();
	}

	request(name, { signal }, callback)
	{
		return new Promise((resolve, reject) => {
			const each = { name };
			const first = () => this.#waiting.find((other) =>
			    other.name === name);
			const leave = () => {
				const before = first();

				this.#waiting = this.#waiting.filter((other) =>
				    other !== each);
				this.held.delete(each);
				if (before === each)
					first()?.grant();
			};

			each.grant = () => setTimeout(async () => {
				if (signal.aborted)
					return;
				this.held.add(each);
				await callback();
				leave();
				resolve();
			}, this.lateMs);
			signal.addEventListener('abort', () => {
				if (this.held.has(each))
					return;
				leave();
				reject(Object.assign(new Error('abort'),
				    { name: 'AbortError' }));
			});
			this.#waiting.push(each);
			if (first() === each)
				each.grant();
		});
	}

	async query()
	{
		return { held: [...this.held] };
	}

	/** A page with these. */
	page()
	{
		return Object.assign(new EventTarget(),
		    { navigator: { locks: this } });
	}
}

// Time that goes faster: so many seconds in one.
export function fastClock(factor)
{
	return { now: () => performance.now() * factor,
		setTimeout: (callback, ms) => setTimeout(callback, ms / factor),
		clearTimeout };
}

// Time that stands still but for run(): then it jumps from timer to timer,
// whenever no request is under way.
export class VirtualClock {
	constructor()
	{
		this.time = 0;
		this.timers = new Map();
		this.n = 0;
		this.now = () => this.time;
		this.setTimeout = (callback, ms) => {
			this.timers.set(++this.n, { callback, at: this.time + ms });
			return this.n;
		};
		this.clearTimeout = (timer) => this.timers.delete(timer);
		this.nUnderWay = 0;
	}

	// A fetch that tells what is under way, to the end of the body.
	get fetch()
	{
		return async (...args) => {
			this.nUnderWay++;
			try {
				const response = await fetch(...args);
				const text = await response.text();

				return { status: response.status, type: response.type,
					headers: response.headers,
					text: async () => text };
			} finally {
				this.nUnderWay--;
			}
		};
	}

	async run(ms)
	{
		const end = this.time + ms;

		for (;;) {
			await until(() => this.nUnderWay === 0, 'quiet');
			// What follows from the last reply may ask again at once.
			for (let i = 0; i < 10; i++)
				await new Promise(setImmediate);
			if (this.nUnderWay > 0)
				continue;

			const [next] = [...this.timers].sort(([, a], [, b]) =>
			    a.at - b.at);

			if (!next || next[1].at > end)
				break;
			this.timers.delete(next[0]);
			this.time = Math.max(this.time, next[1].at);
			next[1].callback();
		}
		this.time = end;
	}
}

// @roamhq/wrtc, which bootstrap --check installs in the build folder; null
// where it is not.
export function loadWrtc()
{
	try {
		return createRequire(import.meta.url)(wrtcPath());
	} catch {
		return null;
	}
}

export function wrtcPath()
{
	return createRequire(path.resolve('modules/clients/index.js'))
	    .resolve('@roamhq/wrtc');
}

// The folder of the package, and the examples in its README.
export const packageDir = fileURLToPath(new URL('../../clients/js',
    import.meta.url));

export function examples()
{
	const text = fs.readFileSync(path.join(packageDir, 'README.md'), 'utf8');

	return [...text.matchAll(/```js\n([^]*?)```/g)].map(([, code]) => code);
}

// Run a module as somebody does who has installed the package, after some
// preparation.  The child has `out`, what it has printed so far, and `ended`,
// a promise of its exit code.
export function runModule(source, preparation)
{
	const dir = scratchDir();
	const write = (name, text) => {
		fs.writeFileSync(path.join(dir, name), text);
		return path.join(dir, name);
	};

	fs.mkdirSync(path.join(dir, 'node_modules'));
	fs.symlinkSync(packageDir, path.join(dir, 'node_modules/peerpost'));

	const child = spawn(process.execPath, ['--unhandled-rejections=strict',
		write('main.mjs', "import './prepare.mjs';\n" +
		    "await import('./example.mjs');\n")]);

	write('prepare.mjs', preparation);
	write('example.mjs', source);
	child.out = '';
	for (const stream of [child.stdout, child.stderr])
		stream.on('data', (part) => {
			child.out += part;
		});
	child.ended = new Promise((resolve) => child.on('close', resolve));
	after(() => child.kill('SIGKILL'));
	return child;
}
