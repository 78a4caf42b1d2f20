// crowd.mjs - many players at once, and what a process shows of itself.
import fs from 'node:fs';
import { spawnSync } from 'node:child_process';
import { Player, request } from './peerpost.mjs';
import { Wire, plain } from './wire.mjs';

// All of the crowd comes from one address and does as much as it can.
export const unlimited = ['--command-rate', '0', '--poll-rate', '0',
	'--relay-rate', '0', '--register-rate', '0',
	'--max-connections-per-address', '0'];

// Do work(index) for 0 .. n-1, so many at a time.
export async function inParallel(n, width, work)
{
	let next = 0;
	const worker = async () => {
		while (next < n)
			await work(next++);
	};

	await Promise.all(Array.from({ length: Math.min(n, width) }, worker));
}

export async function registerMany(daemon, n)
{
	const players = new Array(n);

	await inParallel(n, 64, async (i) => {
		players[i] = await Player.register(daemon, `player ${i}`);
	});
	return players;
}

// A poll of each player on a connection of its own, all of them sent.
export async function pollAll(daemon, players, { wait = 55 } = {})
{
	const wires = new Array(players.length);

	await inParallel(players.length, 256, async (i) => {
		const { token, cursor } = players[i];

		wires[i] = await Wire.open(daemon);
		wires[i].send(plain('GET', `/events?after=${cursor}&wait=${wait}`,
		    { token }));
	});
	return wires;
}

// How many sockets this process may still open: what the shell allows, less
// a reserve for what Node itself needs.
export function descriptorLimit()
{
	const limit = spawnSync('sh', ['-c', 'ulimit -n'], { encoding: 'utf8' })
	    .stdout.trim();

	return (limit === 'unlimited' ? 1_000_000 : Number(limit)) - 200;
}

export function nDescriptors(pid)
{
	return fs.readdirSync(`/proc/${pid}/fd`).length;
}

// User and system time of all threads, living and dead, in milliseconds.
export function cpuMs(pid)
{
	const stat = fs.readFileSync(`/proc/${pid}/stat`, 'utf8');
	const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');

	// Fields 14 and 15 of proc(5), in ticks of 10 ms.
	return (Number(fields[11]) + Number(fields[12])) * 10;
}

export function residentKb(pid)
{
	const status = fs.readFileSync(`/proc/${pid}/status`, 'utf8');

	return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)[1]);
}

// Random numbers that can be had again: a function that gives an integer in
// 0 .. n-1.
export function seeded(seed)
{
	let state = seed >>> 0;

	return (n) => {
		// mulberry32
		state = (state + 0x6d2b79f5) >>> 0;
		let t = state;

		t = Math.imul(t ^ (t >>> 15), t | 1);
		t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
		return ((t ^ (t >>> 14)) >>> 0) % n;
	};
}

// One request that has to succeed, whatever happens to the daemon meanwhile:
// repeated, with the same key, whenever the connection breaks, as soon as
// isUp() is fulfilled again.  Returns the response, and how often it took.
export async function persist(daemon, method, target, options, isUp)
{
	for (let n = 1;; n++) {
		await isUp();
		try {
			return { response: await request(daemon, method, target,
			    options), n };
		} catch (error) {
			if (!['ECONNRESET', 'ECONNREFUSED', 'EPIPE']
			    .includes(error.code))
				throw error;
		}
	}
}
