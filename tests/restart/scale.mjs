// scale.mjs - what a parked poll costs: a measurement, not a test.
//
//	node tests/restart/scale.mjs [POLLS]
//
// Run it from the build folder.  It parks POLLS polls (10,000 when not said,
// or what the descriptor limit allows), and prints the resident memory of the
// daemon for each of them, and how much processor time one relay takes that
// wakes one of them: among 1,000 parked and among all.  The wake should cost
// the same in both: a server that walks over its waiting connections would
// show here.
//
// The polls are held by child processes, each within its own descriptor limit.
// A child wakes its players itself: it sends an offer from one to another on a
// raw connection, waits for the poll's answer, and polls again; only the
// daemon's processor time is counted.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { cpuMs, descriptorLimit, inParallel, pollAll, registerMany,
    residentKb, unlimited } from '../lib/crowd.mjs';
import { startDaemon } from '../lib/peerpost.mjs';
import { Wire, plain, settle } from '../lib/wire.mjs';

const N_WANTED = Number(process.argv[2] ?? 10_000);
const N_FEW = 1000;
const N_WAKES = 5000;
const PER_CHILD = 4000;
const IN_FLIGHT = 8;
// Nobody's time is to be up meanwhile.
const WAIT = 3600;

if (process.argv[2] === 'child')
	child();
else
	await main();

// --- the child: a part of the crowd ---------------------------------------

// Serves commands from the parent, one after the other: "add" parks n more
// polls, "wake" wakes n of them in turn.
function child()
{
	const crowd = [];
	let daemon, next = 0;

	async function add(n)
	{
		const players = await registerMany(daemon, n);

		daemon.agent.destroy();
		// In pairs: the wakes go to the joiner from its host.
		await inParallel(n >> 1, 16, async (i) => {
			const host = players[2 * i], guest = players[2 * i + 1];

			await guest.join((await host.create()).json.data);
			await host.drain();
			await guest.drain();
			guest.host = host;
		});
		daemon.agent.destroy();
		const wires = await pollAll(daemon, players, { wait: WAIT });

		players.forEach((player, i) => {
			player.wire = wires[i];
			if (player.host)
				crowd.push(player);
		});
		await settle(daemon);
		daemon.agent.destroy();
		for (const { pending, isClosed } of wires)
			if (pending.length > 0 || isClosed)
				throw new Error(`not parked: ${pending}`);
	}

	async function wake(n)
	{
		const senders = [];

		for (let i = 0; i < IN_FLIGHT; i++)
			senders.push(await Wire.open(daemon));
		let left = n;

		await Promise.all(senders.map(async (sender) => {
			while (left-- > 0) {
				const player = crowd[next++ % crowd.length];
				const done = player.wire.response();

				await sender.exchange(plain('POST', '/offer', {
					token: player.host.token,
					body: `{"id":${player.id},"rtc":"wake"}` }));
				player.cursor = (await done).json.next;
				player.wire.send(plain('GET',
				    `/events?after=${player.cursor}&wait=${WAIT}`,
				    { token: player.token }));
			}
		}));
		for (const sender of senders)
			sender.close();
		await settle(daemon);
	}

	process.on('message', async ({ verb, n, listeners, pid }) => {
		try {
			if (verb === 'daemon') {
				const http = await import('node:http');

				daemon = { listeners, pid, agent: new http.Agent(
				    { keepAlive: true }) };
			} else
				await (verb === 'add' ? add(n) : wake(n));
			process.send({ done: true });
		} catch (error) {
			process.send({ error: error.stack });
		}
	});
}

// --- the parent: daemon, figures ------------------------------------------

function tell(each, message)
{
	return new Promise((resolve, reject) => {
		each.once('message', ({ error }) => error ?
		    reject(new Error(error)) : resolve());
		each.send(message);
	});
}

// What is resident when it does not change any more.
async function settledKb(pid)
{
	for (let last = Infinity;;) {
		const kb = residentKb(pid);

		if (kb === last)
			return kb;
		last = kb;
		await new Promise((resolve) => setTimeout(resolve, 2000));
	}
}

async function main()
{
	const limit = descriptorLimit();
	const n = Math.min(N_WANTED, limit) & ~1;

	if (!(n >= 2 * N_FEW)) {
		console.error(`scale.mjs: at least ${2 * N_FEW} polls are needed; ` +
		    `the descriptor limit allows only ${limit}`);
		process.exit(1);
	}
	if (n < N_WANTED)
		console.log(`The descriptor limit allows ${n} parked polls ` +
		    `instead of ${N_WANTED} (see ulimit -n).`);
	const daemon = await startDaemon({ clock: false, args: [...unlimited,
		'--durability', 'process', '--player-timeout', '0',
		'--lobby-timeout', '0', '--poll-wait-max', `${WAIT}`] });
	const children = [];
	const rows = [];
	// Wakes every second player, those that are not hosts, once a lap; before
	// each lap all polls have been held for so long that they are small.
	const figures = async (nParked) => {
		const kb = residentKb(daemon.pid);
		let ms = 0, nWakes = 0;

		while (nWakes < N_WAKES) {
			await settledKb(daemon.pid);

			const before = cpuMs(daemon.pid);

			for (const { child: each, n: more } of children)
				await tell(each, { verb: 'wake', n: more >> 1 });
			ms += cpuMs(daemon.pid) - before;
			nWakes += nParked >> 1;
		}
		rows.push({ nParked, kb, us: ms * 1000 / nWakes,
			kbAfter: await settledKb(daemon.pid) });
	};
	const empty = residentKb(daemon.pid);

	for (let parked = 0; parked < n;) {
		const more = parked === 0 ? N_FEW : Math.min(PER_CHILD, n - parked);
		const each = fork(fileURLToPath(import.meta.url), ['child']);

		children.push({ child: each, n: more });
		await tell(each, { verb: 'daemon', listeners: daemon.listeners,
			pid: daemon.pid });
		await tell(each, { verb: 'add', n: more });
		parked += more;
		console.log(`${parked} polls parked`);
		if (parked === N_FEW || parked === n)
			await figures(parked);
	}
	console.log('\nparked polls   resident memory    per poll   ' +
	    'after wakes   processor time per wake');
	for (const { nParked, kb, kbAfter, us } of rows)
		console.log(`${String(nParked).padStart(12)}` +
		    `${(kb / 1024).toFixed(1).padStart(14)} MiB` +
		    `${((kb - empty) / nParked).toFixed(1).padStart(8)} KiB` +
		    `${(kbAfter / 1024).toFixed(1).padStart(10)} MiB` +
		    `${us.toFixed(0).padStart(23)} us`);
	console.log('\nA wake is one relayed offer: the command, its commit ' +
	    '(durability = process),\nthe poll\'s answer and the next poll on ' +
	    'the same connection.  Memory includes\nplayers and rooms; after wakes ' +
	    'it is told when all polls have been held for a\nwhile again.');
	for (const { child: each } of children)
		each.kill();
	await daemon.stop();
	process.exit();
}
