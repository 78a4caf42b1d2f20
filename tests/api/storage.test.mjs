// storage.test.mjs - what the database may hold (--max-database).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { readMetrics } from '../lib/metrics.mjs';
import { assertFailure, looked, makeRoom, ok, Player, request, startDaemon,
    until } from '../lib/peerpost.mjs';

const MAX = 1 << 20;
const args = ['--max-database', '1M', '--command-rate', '0',
	'--relay-rate', '0', '--register-rate', '0', '--max-mailbox-bytes', '0',
	'--player-timeout', '0'];

function start(more = [], options = {})
{
	return startDaemon({ admin: '127.0.0.1:0', args: [...args, ...more],
		...options });
}

// Send until nothing more is stored.
async function fill(sender)
{
	const sizes = [10_000, 2000, 100, 1];
	let n = 0;

	for (const size of sizes)
		for (;;) {
			const reply = await sender.offer({ id: 1, x: 'y'.repeat(size) });

			if (reply.status !== 204) {
				assertStorage(reply, 'ICB');
				break;
			}
			n++;
		}
	return n;
}

function assertStorage(reply, code)
{
	assertFailure(reply, 503, code, 'storage');
	assert.match(reply.headers['retry-after'], /^[1-9]\d*$/);
}

// Acknowledged mail goes a second later.
async function forgotten(daemon, sender)
{
	await until(async () => {
		daemon.advance(1);
		return (await sender.offer({ id: 1 })).status === 204 || false;
	}, 'room');
}

test('above it what grows gets 503 storage, and the rest goes on', async () => {
	const d = await start(['--log-format', 'json']);
	const { uuid, players: [ann, bob] } = await makeRoom(d);
	const carol = await Player.register(d, 'carol');
	const dan = await Player.register(d, 'dan');
	const { players: [eve, fred] } = await makeRoom(d, ['eve', 'fred']);
	const n = await fill(bob);

	assert.ok(n > 90);
	for (const [command, code] of [
		[() => request(d, 'POST', '/register', { body: 'eve' }), 'RPB'],
		[() => carol.create(), 'CRB'],
		[() => carol.join(uuid), 'JRB'],
		[() => ann.seal(), 'SRB'],
		[() => ann.message(1), 'RMB'],
		[() => bob.offer({ id: 1 }), 'ICB'],
		[() => bob.answer({ id: 1 }), 'ICB'],
		[() => bob.candidate({ id: 1 }), 'ICB'],
	])
		assertStorage(await command(), code);
	// What an array would have remembered with its key counts, too.
	assertStorage(await bob.command([{ command: '###!SM', data: 1 },
		{ command: '###!SM', data: 2 }],
	{ headers: { 'Idempotency-Key': 'k' } }), 'ICB');
	// Failures of the request's own are still that.
	assertFailure(await ann.create(), 409, 'CRB', 'already-in-room');
	assertFailure(await carol.join(uuid.replace(/^./, (c) =>
	    c === '0' ? '1' : '0')), 404, 'JRB', 'room-not-found');
	assertFailure(await ann.offer({ id: 7 }), 404, 'ICB', 'peer-not-found');
	assertFailure(await ann.message(null), 400, 'RMB', 'bad-data');
	// In an array it fails alone.
	const replies = ok(await eve.command([{ command: '###!SM', data: 1 },
		{ command: '###!LR' }]));

	assert.deepEqual(replies.map(({ command, error }) => [command, error]),
	    [['###!RMB', 'storage'], ['###!LRK', undefined]]);
	assert.deepEqual(await fred.news(), [['RPD', 1],
		['RCL', 'Host Disconnected']]);
	ok(await dan.unregister());
	assert.equal((await request(d, 'GET', '/healthz')).status, 200);

	d.advance(1);
	await looked(d);
	const metrics = await readMetrics(d);

	assert.equal(metrics('peerpost_database_max_bytes'), MAX);
	assert.ok(metrics('peerpost_database_used_bytes') <= MAX + (64 << 10));
	assert.equal(metrics('peerpost_storage_errors_total'), 0);
	assert.equal(metrics('peerpost_storage_failing'), 0);
	// It is said once, whoever meets it.
	const log = d.stderr.trim().split('\n').map(JSON.parse)
	    .filter(({ level }) => level === 'warning')
	    .filter(({ msg }) => !msg.startsWith('running as root'));

	assert.deepEqual(log.map(({ msg }) => msg.replace(/\d+/, 'N')),
	    ['the database holds N bytes, its limit: nothing new is stored ' +
	     'until something is deleted']);

	const events = (await ann.drain()).filter(({ command }) =>
	    command === '###!OOO');

	assert.equal(events.length, n);
	await forgotten(d, bob);
	ok(await carol.join(uuid));
});

test('the file stays within it, however often it is filled', async () => {
	const d = await start();
	const { players: [ann, bob] } = await makeRoom(d);

	for (let i = 0; i < 3; i++) {
		await fill(bob);
		await ann.drain();
		await forgotten(d, bob);
	}
	assert.ok(fs.statSync(d.database).size <= MAX + (256 << 10));
	await d.stop();
	assert.ok(fs.statSync(d.database).size <= MAX + (256 << 10));
});

test('what times out gives room back', async () => {
	const d = await start(['--player-timeout', '60']);
	const { players: [, bob] } = await makeRoom(d);

	await fill(bob);
	await until(async () => {
		d.advance(61);
		return (await request(d, 'POST', '/register', { body: 'x' }))
		    .status === 200 || false;
	}, 'room');
});

test('a keyed command that was refused runs when there is room', async () => {
	const d = await start();
	const { players: [ann, bob] } = await makeRoom(d);
	const headers = { 'Idempotency-Key': 'a-key' };

	await fill(bob);
	assertStorage(await bob.message('again', { headers }), 'RMB');
	await ann.drain();
	await forgotten(d, bob);
	const reply = await bob.message('again', { headers });

	ok(reply);
	assert.equal(reply.headers['idempotency-replayed'], undefined);
});

test('0 is no bound', async () => {
	const d = await start(['--max-database', '0']);
	const { players: [, bob] } = await makeRoom(d);

	for (let i = 0; i < 40; i++)
		assert.equal((await bob.offer({ id: 1, x: 'y'.repeat(50_000) }))
		    .status, 204);
	assert.equal((await readMetrics(d))('peerpost_database_max_bytes'), 0);
});

test('when it is quiet the file becomes small again', async () => {
	const d = await start(['--max-database', '0']);
	const { players: [ann, bob] } = await makeRoom(d);
	const size = () => fs.statSync(d.database).size;

	for (let i = 0; i < 250; i++)
		ok(await bob.offer({ id: 1, x: 'y'.repeat(60_000) }));
	// What stays is last in the file.
	ok(await bob.offer({ id: 1, x: 'z'.repeat(60_000) }));
	await ann.events({ after: ann.cursor + 250, wait: 0 });
	await until(() => {
		d.advance(3);
		return size() < 2 << 20 || false;
	}, 'a small file');
	await looked(d);
	const [last] = await ann.drain();

	assert.equal(last.data.x, 'z'.repeat(60_000));
});
