// full.test.mjs - no room for more connections: the log says so once, operators
// are told, and GET /healthz is answered within a second, whatever has taken the
// room.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { ask, startAdministered } from '../lib/admin.mjs';
import { FastcgiConnection } from '../lib/fastcgi_connection.mjs';
import { readMetrics } from '../lib/metrics.mjs';
import { Player, looked, ok, request, until } from '../lib/peerpost.mjs';
import { rest } from '../lib/rest.mjs';
import { Wire, plain } from '../lib/wire.mjs';

const N = 8;
const HEALTH = plain('GET', '/healthz');

function startFull(options = {})
{
	return startAdministered({ clock: 'still', ...options, args: [
		'--max-connections', `${N}`, ...options.args ?? []] });
}

// So many connections that have sent these bytes.
async function open(daemon, n, bytesOf = () => '')
{
	const wires = [];

	daemon.dropIdle();
	await rest(daemon);
	for (let i = 0; i < n; i++) {
		const wire = await Wire.open(daemon);

		wire.send(bytesOf(i));
		wires.push(wire);
	}
	await rest(daemon);
	return wires;
}

const health = async (daemon) => ok(await ask(daemon, 'GET', '/healthz'));
const count = (daemon, text) => daemon.stderr.split(text).length - 1;

test('being full is logged once, and once that it is over; operators are told',
    async () => {
	const daemon = await startFull();
	const TAKEN = `warning: all ${N} connections are taken`;
	const OVER = 'warning: connections are free again';

	assert.equal((await health(daemon)).connections, 'ok');
	assert.equal(ok(await ask(daemon, 'GET', '/status')).full, false);
	assert.equal((await readMetrics(daemon))('peerpost_connections_max'), N);

	const wires = await open(daemon, N);
	const told = async (isFull) => {
		assert.equal((await health(daemon)).connections,
		    isFull ? 'full' : 'ok');
		assert.equal(ok(await ask(daemon, 'GET', '/status')).full, isFull);
		assert.equal((await readMetrics(daemon))(
		    'peerpost_connections_full'), Number(isFull));
	};

	await until(() => count(daemon, TAKEN) === 1, 'line of the log');
	await told(true);
	// It stays so while places are taken as fast as they are given up.
	for (let i = 0; i < 5; i++) {
		daemon.advance(1);
		wires.push(...await open(daemon, N, () => 'GET'));
		await told(true);
	}
	for (const wire of wires)
		wire.close();
	// Those that have waited are taken and seen to be closed first.
	await rest(daemon);
	daemon.advance(9);
	await looked(daemon);
	await told(true);
	assert.equal(count(daemon, OVER), 0);
	daemon.advance(2);
	await until(() => count(daemon, OVER) === 1, 'line of the log');
	await told(false);
	assert.equal(count(daemon, TAKEN), 1);
	assert.equal(await daemon.stop(), 0);
	assert.doesNotMatch(daemon.stderr, /repeats/);
});

// What takes all places, each for long.
const takers = {
	'silent connections': async (daemon) => open(daemon, N),
	'half requests': async (daemon) => open(daemon, N, () => 'GET / HTTP'),
	'idle connections that work': async (daemon) => {
		const wires = await open(daemon, N, () => HEALTH);

		// (The last one's reply made room.)
		for (const wire of wires)
			assert.equal((await wire.response()).status, 200);
		wires.push(...await open(daemon, 1));
		return wires;
	},
	'polls that are held': async (daemon) => {
		const tokens = [];

		for (let i = 0; i < 2 * N; i++)
			tokens.push((await Player.register(daemon)).token);
		return open(daemon, 2 * N, (i) => plain('GET',
		    '/events?after=0&wait=55', { token: tokens[i] }));
	},
};

for (const [what, take] of Object.entries(takers))
	test(`GET /healthz is answered within a second beside ${what}`,
	    async () => {
		// More polls than connections are not held, whoever asks for it.
		const daemon = await startFull({ args: ['--max-parked', '1000'] });
		const wires = await take(daemon);

		assert.match(daemon.stderr, /warning: --max-parked is 7, because/);
		daemon.advance(0.9);
		// Newcomers give up the place that was made as they are answered:
		// no more time passes.
		for (let i = 0; i < 3 * N; i++) {
			const wire = await Wire.open(daemon);

			assert.equal((await wire.exchange(HEALTH)).status, 200);
			wires.push(wire);
		}
		for (const wire of wires)
			wire.close();
	});

test('the same beside connections of a web server', async () => {
	const daemon = await startFull({ fastcgi: '127.0.0.1:0' });
	const connections = [];

	daemon.dropIdle();
	await rest(daemon);
	for (let i = 0; i < N; i++) {
		const connection = await FastcgiConnection.open(daemon.fastcgi[0]);

		ok(await connection.ask('GET', '/healthz'));
		connections.push(connection);
	}
	await until(async () => (await health(daemon)).connections === 'full',
	    'full');
	daemon.advance(0.9);
	for (let i = 0; i < N; i++) {
		const wire = await Wire.open(daemon);

		assert.equal((await wire.exchange(HEALTH)).status, 200);
		wire.close();
	}
	const last = await FastcgiConnection.open(daemon.fastcgi[0]);

	ok(await last.ask('GET', '/healthz'));
	for (const connection of [last, ...connections])
		connection.close();
});

const skip = spawnSync('prlimit', ['--version']).status === 0 ? false :
    'no prlimit';
// There is none for a connection, or for what several of them share.
const SHORT = /cannot accept connections|cannot make room for more/;
const limit = (pid, n) => execFileSync('prlimit', ['--pid', pid, `--nofile=${n}`]);

// As clients do: a connection that was accepted may have to be closed again.
const again = (ask) => until(async () => {
	try {
		return await ask();
	} catch (error) {
		assert.equal(error.code, 'ECONNRESET');
		return null;
	}
}, 'answer');

test('without descriptors the daemon stores, serves and tells operators',
    { skip }, async () => {
	// Without a descriptor for them, operators wait for a tick, too.
	const daemon = await startAdministered();
	const player = await Player.register(daemon);
	const wires = await open(daemon, 16);

	const used = readdirSync(`/proc/${daemon.pid}/fd`).map(Number);
	const nofile = Math.max(...used) + 1;

	limit(daemon.pid, nofile);
	// There are free numbers below the limit.
	for (let i = 0; i < nofile - used.length + 8; i++)
		wires.push(await Wire.open(daemon));
	await until(() => SHORT.test(daemon.stderr), 'line of the log');
	daemon.advance(0.9);
	const state = async () =>
	    (await again(() => health(daemon))).connections;

	ok(await again(() => request(daemon, 'GET', '/healthz')));
	assert.equal(await state(), 'full');
	for (let i = 0; i < 20; i++)
		for (const what of ['create', 'leave'])
			ok(await again(() => player[what]({ headers:
			    { 'Idempotency-Key': `${what}-${i}` } })));
	for (const wire of wires)
		wire.close();
	daemon.advance(11);
	await until(async () => await state() === 'ok', 'room');
	assert.equal(await daemon.stop(), 0);
	// Each of the two sorts of line, and what was counted at the end.
	assert.ok(daemon.stderr.match(new RegExp(SHORT, 'g')).length <= 4);
});

test('a low limit of descriptors leaves room for everything that is not a ' +
    'connection', { skip }, async () => {
	const daemon = await startAdministered({ clock: 'still',
		wrapper: ['prlimit', '--nofile=96:96', '--'] });
	const max = ok(await ask(daemon, 'GET', '/status')).max.connections;
	const player = await Player.register(daemon);

	assert.ok(max >= 24 && max < 48, `${max}`);
	const wires = await open(daemon, max);

	daemon.advance(0.9);
	for (let i = 0; i < 10; i++) {
		const wire = await Wire.open(daemon);

		assert.equal((await wire.exchange(HEALTH)).status, 200);
		wires.push(wire);
	}
	ok(await player.create());
	assert.equal((await health(daemon)).connections, 'full');
	assert.equal((await ask(daemon, 'POST', '/backup')).status, 200);
	assert.ok((await readMetrics(daemon))('process_open_fds') > 0);
	assert.doesNotMatch(daemon.stderr, SHORT);
	for (const wire of wires)
		wire.close();
});
