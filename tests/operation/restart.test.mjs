// restart.test.mjs - a manager holds the listening socket and restarts the
// daemon under clients that are busy, idle and parked: not one request fails.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ok, request, until } from '../lib/peerpost.mjs';
import { abstractName, startManager } from '../lib/manager.mjs';
import { Disk } from '../lib/disk.mjs';
import { seeded, unlimited } from '../lib/crowd.mjs';
import { Wire, plain } from '../lib/wire.mjs';

const N_RESTARTS = 5;
const N_BUSY = 40, N_IDLE = 25, N_PARKED = 25, N_SLEEPING = 10;
const IDLE_MS = 400; // at most, between two requests of an idle one
const random = seeded(6);

// A client as there are many: it keeps its connection, and opens another when
// it has seen the old one end.  Whatever else happens to it fails the test.
class Client {
	constructor(manager)
	{
		this.manager = manager;
		this.n_requests = 0;
		this.n_connections = 0;
	}

	async ask(method, target, options)
	{
		if (!this.wire || this.wire.isClosed) {
			assert.ok(!this.wire?.isReset, 'connection was reset');
			this.wire?.close();
			this.wire = await Wire.open(this.manager);
			this.n_connections++;
		}
		const response = await this.wire.exchange(plain(method, target,
		    { token: this.token, ...options }));

		this.n_requests++;
		if (response.headers.connection?.toLowerCase() === 'close') {
			await this.wire.closed();
			assert.ok(!this.wire.isReset, 'connection was reset');
		}
		return ok(response);
	}

	async register()
	{
		const reply = await this.ask('POST', '/register',
		    { body: '"player"' });

		this.token = reply.token;
		this.cursor = 0;
		await this.ask('POST', '/create-room');
		return this;
	}

	// What has come since the last time.
	async poll(wait)
	{
		const { events, next } = await this.ask('GET',
		    `/events?after=${this.cursor}&wait=${wait}`);

		this.cursor = next;
		return events;
	}

	// Send oneself a message, and read it: each number just once.
	async talk()
	{
		this.n_sent = (this.n_sent ?? 0) + 1;
		await this.ask('POST', '/message', { body: String(this.n_sent) });
		assert.deepEqual((await this.poll(0))
		    .filter(({ command }) => command === '###!RMK')
		    .map(({ data }) => data), [this.n_sent]);
	}
}

test(`${N_RESTARTS} restarts under 100 clients, and no request fails`,
    async () => {
	const manager = startManager({ notify: abstractName(), args: unlimited });

	await manager.start();
	const of = async (n) => Promise.all(Array.from({ length: n },
	    () => new Client(manager).register()));
	const busy = await of(N_BUSY), idle = await of(N_IDLE);
	const parked = await of(N_PARKED), sleeping = await of(N_SLEEPING);
	const all = [...busy, ...idle, ...parked, ...sleeping];
	let isOver = false, failure;
	const repeat = async (work) => {
		while (!isOver)
			await work();
	};
	const running = [
		...busy.map((client) => repeat(() => client.talk())),
		...idle.map((client) => repeat(async () => {
			await client.talk();
			await new Promise((resolve) =>
			    setTimeout(resolve, random(IDLE_MS)));
		})),
		...parked.map((client) => repeat(() => client.poll(55))),
	].map((each) => each.catch((error) => {
		failure ??= error;
	}));
	// Everybody has been served by the daemon that runs now.
	const served = async () => {
		const before = [...busy, ...idle].map((client) => client.n_requests);

		await until(() => failure || [...busy, ...idle].every((client, i) =>
		    client.n_requests > before[i]), 'answers to all');
		if (failure)
			throw failure;
	};

	for (let i = 0; i < N_RESTARTS; i++) {
		await served();
		const polls = parked.map((client) => client.n_requests);
		const stopped = manager.stop();

		// Those whom nothing tells see the end, and no error, though
		// they have been silent for all of the time.
		await until(() => sleeping.every(({ wire }) => wire.isClosed),
		    'end of the silent connections');
		assert.equal(await stopped, 'exited 0');
		await manager.start();
		await until(() => failure || parked.every((client, j) =>
		    client.n_requests > polls[j]), 'answers to polls');
		await Promise.all(sleeping.map((client) => client.talk()));
	}
	await served();
	isOver = true;
	// The polls that are held are answered when it stops.
	assert.equal(await manager.stop(), 'exited 0');
	await manager.start();
	await Promise.all(running);
	if (failure)
		throw failure;

	const sum = (name) => all.reduce((n, client) => n + client[name], 0);

	assert.ok(all.every((client) => client.n_connections > N_RESTARTS),
	    'somebody was not there');
	console.log(`${sum('n_requests')} requests, ` +
	    `${sum('n_connections')} connections`);
	assert.doesNotMatch(manager.stderr, / 50\d$/m);
});

test('a connection between two requests is closed before the database is, ' +
    'rather than answered 503 afterwards', async () => {
	const disk = new Disk();
	const manager = startManager({ notify: abstractName(),
		database: disk.database, env: disk.env });

	await manager.start();
	ok(await request(manager, 'POST', '/register', { body: 'ann' }));
	const idle = await Wire.open(manager);

	ok(await idle.exchange(plain('GET', '/healthz')));
	disk.hang();
	const stopped = manager.stop();

	await disk.isMet();
	await idle.closed();
	assert.ok(!idle.isReset);
	disk.heal();
	assert.equal(await stopped, 'exited 0');
});
