// io_threads.test.mjs - several loop threads: clients see one server.  (Under
// sanitizers all other tests have them, too; see tests/node.sh.)
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ask, startAdministered } from '../lib/admin.mjs';
import { beginRequest, Status } from '../lib/fastcgi.mjs';
import { FastcgiConnection, soon } from '../lib/fastcgi_connection.mjs';
import { readMetrics } from '../lib/metrics.mjs';
import { makeRoom, ok, parked, Player, program, request, runProgram,
    scratchDir, until } from '../lib/peerpost.mjs';
import { rest } from '../lib/rest.mjs';
import { Wire, plain } from '../lib/wire.mjs';

const N = 4;
const USER = 54322; // nobody's
const LOOPS = ['loop', 'loop-2', 'loop-3', 'loop-4'];

function startThreads(args = [], options = {})
{
	return startAdministered({ args: ['--io-threads', `${N}`, ...args],
		...options });
}

function threadNames(pid)
{
	return fs.readdirSync(`/proc/${pid}/task`).map((id) =>
	    fs.readFileSync(`/proc/${pid}/task/${id}/comm`, 'utf8').trim());
}

test('one thread is the default, and each has a name', async () => {
	const one = await startAdministered({ args: ['--io-threads', '1'] });
	const many = await startThreads();

	assert.match(runProgram(['--check-config']).stdout,
	    /^io-threads = 1$/m);
	assert.deepEqual(threadNames(one.pid).sort(), ['engine', 'peerpostd']);
	assert.deepEqual(threadNames(many.pid).sort(),
	    ['engine', 'loop-2', 'loop-3', 'loop-4', 'peerpostd']);
});

test('connections are spread evenly, and all threads serve', async () => {
	const d = await startThreads();
	const cpu = async () => {
		const metrics = await readMetrics(d);

		return LOOPS.map((thread) =>
		    metrics('peerpost_thread_cpu_seconds_total', { thread }));
	};
	// One that is about to be closed would be counted.
	await until(async () =>
	    (await readMetrics(d))('peerpost_connections') === 0 || null);

	const wires = await Promise.all(Array.from({ length: N },
	    () => Wire.open(d)));
	const before = await cpu();
	let worked;

	// Far more than threads do that have nothing to do; some must wait more
	// than others until they may.
	do {
		for (const wire of wires)
			ok(await wire.exchange(plain('GET', '/healthz')));
		worked = (await cpu()).map((s, i) => s - before[i]);
		assert.ok(Math.max(...worked) < 3, `${worked}`);
	} while (Math.min(...worked) < 0.02);
	wires.forEach((wire) => wire.close());
});

test('what one thread takes is delivered by the others, once and in order',
    async () => {
	const d = await startThreads(['--command-rate', '0']);
	const { players } = await makeRoom(d, ['a', 'b', 'c', 'd', 'e', 'f']);
	const got = players.map(() => []);
	const EACH = 40;
	const listen = async (player, into) => {
		while (into.length < EACH * players.length) {
			const reply = ok(await player.events(
			    { after: player.cursor, wait: 20 }));

			player.cursor = reply.next;
			into.push(...reply.events.map(({ data }) => data));
		}
	};
	const talk = async (player, who) => {
		for (let i = 0; i < EACH; i++)
			ok(await player.message([who, i]));
	};

	await Promise.all([
		...players.map((player, i) => listen(player, got[i])),
		...players.map(talk),
	]);
	for (const each of got) {
		// All mailboxes have the same order, and each sender's own.
		assert.deepEqual(each, got[0]);
		players.forEach((_, who) => assert.deepEqual(
		    each.filter(([from]) => from === who).map(([, i]) => i),
		    Array.from({ length: EACH }, (_, i) => i)));
	}
});

test('the newest poll wins, whatever thread has the one before', async () => {
	const d = await startThreads();
	const { players: [ann] } = await makeRoom(d);
	let last = null;

	for (let i = 0; i < 2 * N; i++) {
		const poll = ann.events({ after: ann.cursor, wait: 50 });

		await parked(d, poll);
		if (last)
			assert.equal(ok(await last).superseded, true);
		last = poll;
	}
	ok(await ann.message('x'));
	assert.equal(ok(await last).events.length, 1);
});

test('limits hold for all threads together', async () => {
	const d = await startThreads(['--max-connections', '8',
		'--max-connections-per-address', '2']);
	const players = [];

	for (let i = 0; i < 3; i++)
		players.push(await Player.register(d));

	const headers = { 'x-forwarded-for': '192.0.2.7' };
	const polls = players.slice(0, 2).map((player) =>
	    player.events({ after: 0, wait: 50, headers }));

	for (const poll of polls)
		await parked(d, poll);
	const refused = await players[2].events({ after: 0, wait: 50, headers });

	assert.equal(refused.status, 429);
	// Two are held, so two of these have to wait; when the others have been
	// idle for long enough, they go.
	const wires = await Promise.all(Array.from({ length: 8 },
	    () => Wire.open(d)));

	d.advance(2);
	for (let i = 0; i < 8; i++)
		ok(await request(d, 'GET', '/healthz',
		    { headers: { connection: 'close' } }));
	assert.ok((await readMetrics(d))('peerpost_connections') <= 8);
	wires.forEach((wire) => wire.close());
	d.advance(60);
	for (const poll of polls)
		ok(await poll);
});

test('so does the limit of FastCGI requests', async () => {
	const d = await startThreads(['--max-connections', `${N}`],
	    { fastcgi: '127.0.0.1:0' });
	const connections = await Promise.all(Array.from({ length: N },
	    () => FastcgiConnection.open(d.fastcgi[0])));
	const first = connections[0];

	// As many as there may be, but none of them complete.
	for (const connection of connections) {
		connection.expect(1);
		connection.send(beginRequest(1));
		// It has been read when this is answered.
		await connection.getValues(['FCGI_MAX_REQS']);
	}
	const refused = first.expect(2);

	first.send(beginRequest(2));
	assert.equal((await soon(refused)).protocolStatus, Status.OVERLOADED);
	connections.forEach((connection) => connection.close());
});

test('for one that comes, no more than two that are idle have to go',
    async () => {
	const d = await startThreads(['--max-connections', '8']);

	for (let round = 0; round < 20; round++) {
		const wires = await Promise.all(Array.from({ length: 8 },
		    async () => {
			const wire = await Wire.open(d);

			ok(await wire.exchange(plain('GET', '/healthz')));
			return wire;
		}));

		d.advance(2);
		ok(await request(d, 'GET', '/healthz',
		    { headers: { connection: 'close' } }));
		await rest(d);
		// One for it, and one for the next.
		assert.ok(wires.filter((wire) => wire.isClosed).length <= 2);
		wires.forEach((wire) => wire.close());
		await rest(d);
	}
});

test('descriptors are set aside for each, as peerpostd(8) says', () => {
	for (const [limit, threads, connections] of [[1064, 1, 888],
		[1064, 3, 872], [129, 1, 56], [96, 1, 40], [300, 16, 128]]) {
		// It ends when it comes to the database.
		const { stderr } = spawnSync('prlimit', [`--nofile=${limit}`, '--',
			program, '--listen', '127.0.0.1:0', '--database', '/',
			'--max-connections', '1000000', '--io-threads',
			`${threads}`], { encoding: 'utf8', timeout: 60_000 });

		assert.match(stderr, new RegExp('warning: the descriptor limit ' +
		    `allows only ${connections} connections`));
	}
});

test('a thread that cannot be started ends the start', {
	skip: process.getuid() !== 0 && 'needs root',
}, () => {
	const dir = scratchDir();

	fs.chmodSync(dir, 0o755);
	fs.chownSync(dir, USER, USER);
	// Two threads fit, and then two loops.
	const { status, stderr } = spawnSync('prlimit', ['--nproc=4',
		'setpriv', `--reuid=${USER}`, `--regid=${USER}`,
		'--clear-groups', '--', program, '--listen', '127.0.0.1:0',
		'--io-threads', '16', '--database', path.join(dir, 'p.db')],
	    { encoding: 'utf8', timeout: 60_000 });

	assert.equal(status, 1, stderr);
	assert.match(stderr, /^peerpostd: error: cannot start a thread: .*\n$/m);
	// It has been closed in order.
	assert.deepEqual(fs.readdirSync(dir).sort(), ['p.db', 'p.db-reserve']);
});

test('a reload reaches every thread, under load', async () => {
	const file = path.join(scratchDir(), 'peerpost.conf');
	const write = (maxBody) => fs.writeFileSync(file,
	    `max-body = ${maxBody}\n`, { mode: 0o600 });

	write(1000);
	const d = await startThreads(['--config', file]);
	const wires = await Promise.all(Array.from({ length: 2 * N },
	    () => Wire.open(d)));
	const tooLong = plain('POST', '/register',
	    { body: JSON.stringify('x'.repeat(500)) });
	const statuses = () => Promise.all(wires.map(async (wire) =>
	    (await wire.exchange(tooLong)).status));

	for (let i = 0; i < 10; i++) {
		const [before, after] = i % 2 ? [413, 400] : [400, 413];

		for (const status of await statuses())
			assert.equal(status, before);
		const meanwhile = statuses();

		write(after === 413 ? 100 : 1000);
		ok(await ask(d, 'POST', '/reload'));
		for (const status of await meanwhile)
			assert.ok([before, after].includes(status));
		for (const status of await statuses())
			assert.equal(status, after);
	}
	wires.forEach((wire) => wire.close());
});
