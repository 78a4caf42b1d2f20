// disk.test.mjs - the disk is full, or lies.
//
// The daemon runs with faultfs.so in front of the C library (see faultfs.c),
// and the test tells that when to fail.  A full disk is a nuisance: commands
// get 503, everything else goes on, and it passes by itself.  A failed fsync
// is the end: what the kernel did with the data is unknown, so the daemon must
// acknowledge nothing more, and go.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { Disk, FULL, OFF, SYNC, skip } from '../lib/disk.mjs';
import { readMetrics } from '../lib/metrics.mjs';
import { Player, assertFailure, makeRoom, ok, parked, request,
    runProgram, scratchDir, startDaemon, until } from '../lib/peerpost.mjs';

function assertStorageFailure(response, code)
{
	assertFailure(response, 503, code, 'storage');
	assert.match(response.headers['retry-after'], /^[1-9]\d*$/);
}

async function recovered(daemon)
{
	await until(async () =>
	    (await request(daemon, 'GET', '/healthz')).status === 200 ||
	    false, 'recovery');
}

test('a full disk: commands 503, the rest goes on, and it passes',
    { skip }, async () => {
	const disk = new Disk();
	const daemon = await disk.start({ admin: '127.0.0.1:0',
		args: ['--log-format', 'json', '--log-level', 'debug'] });
	const { uuid, players: [ann, bob] } = await makeRoom(daemon);
	const carol = await Player.register(daemon, 'carol');
	const dan = await Player.register(daemon, 'dan');
	const other = ok(await dan.create()).data;

	ok(await bob.offer({ id: 1, rtc: 'before' }));
	const before = ok(await ann.room());
	const head = bob.cursor;
	const poll = bob.events({ after: bob.cursor, wait: 20 });

	await parked(daemon, poll);
	disk.set(FULL);

	// One after the other, and together in one batch.
	assertStorageFailure(await ann.message('full'), 'RMB');
	assert.ok(disk.nFailed > 0);
	assertStorageFailure(await ann.message('keyed',
	    { headers: { 'Idempotency-Key': 'k' } }), 'RMB');
	for (const [command, code] of [
		[() => ann.seal(), 'SRB'],
		[() => ann.offer({ id: bob.id }), 'ICB'],
		[() => ann.leave(), 'LRB'],
		[() => bob.unregister(), 'ICB'],
		[() => carol.create(), 'CRB'],
		[() => carol.join(uuid), 'JRB'],
		[() => request(daemon, 'POST', '/register', { body: 'eve' }), 'RPB'],
	])
		assertStorageFailure(await command(), code);
	for (const response of await Promise.all(Array.from({ length: 20 },
	    (_, i) => (i % 2 ? ann : bob).message(i))))
		assertStorageFailure(response, 'RMB');
	const health = await request(daemon, 'GET', '/healthz');

	assertStorageFailure(health, 'ICB');
	let metrics = await readMetrics(daemon);

	assert.equal(metrics('peerpost_storage_failing'), 1);
	// Once it is known to be full, what would need room is not even tried.
	assert.ok(metrics('peerpost_storage_errors_total') >= 4);
	assert.ok(metrics('peerpost_request_errors_total',
	    { error: 'storage' }) >= 29);
	// The database's complaint names the request that has met it.
	const log = daemon.stderr.trim().split('\n').map(JSON.parse);
	const complaint = log.find(({ msg }) => msg.startsWith('database: '));
	const failed = log.find(({ msg, request: id }) =>
	    msg === 'finished' && id === complaint.request);

	assert.match(complaint.request, /^[0-9a-f]{8}$/);
	assert.equal(complaint.level, 'error');
	assert.deepEqual([failed.route, failed.error], ['/message', 'storage']);
	// A warning is for what was tried in vain, once a minute.
	assert.deepEqual(log.filter(({ msg, level }) => msg === 'finished' &&
	    level === 'warning').map(({ route }) => route), ['/leave-room']);

	// What only reads is not concerned; nor is a cursor.
	assert.deepEqual(ok(await ann.room()), before);
	for (let i = 0; i < 2; i++)
		assert.deepEqual((await ann.events({ after: ann.cursor, wait: 0 }))
		    .json.events.map(({ data }) => data),
		[{ id: bob.id, rtc: 'before' }]);
	assert.deepEqual(await ann.news(),
	    [['OOO', { id: bob.id, rtc: 'before' }]]);
	assert.deepEqual(ok(await ann.events(
	    { after: ann.cursor, wait: 0 })).events, []);
	daemon.advance(21);
	assert.deepEqual(ok(await poll).events, []);
	// A failure of the request's own is still that.
	assertFailure(await ann.create(), 409, 'CRB', 'already-in-room');
	assertFailure(await ann.message(null), 400, 'RMB', 'bad-data');

	disk.set(OFF);
	await recovered(daemon);
	metrics = await readMetrics(daemon);
	assert.equal(metrics('peerpost_storage_failing'), 0);
	assert.deepEqual(ok(await ann.room()), before);
	const again = await ann.message('keyed',
	    { headers: { 'Idempotency-Key': 'k' } });

	assert.equal(ok(again).data, 'keyed');
	assert.ok(!('idempotency-replayed' in again.headers));
	const events = await bob.drain();

	// No gap where something failed.
	assert.deepEqual(events.map(({ data }) => data), ['keyed']);
	assert.equal(events[0].id, head + 1);
	ok(await carol.join(other));
	await daemon.kill();
	await daemon.restart();
	assert.deepEqual(await ann.news(), [['RMK', 'keyed']]);
});

test('whichever write it is that fails, a command is done or undone',
    { skip }, async (t) => {
	const disk = new Disk();
	const daemon = await disk.start();
	const { players: [ann, bob] } = await makeRoom(daemon);
	let n, nDone = 0;

	for (n = 0; ; n++) {
		assert.ok(n < 200, 'it never succeeds');
		disk.set(FULL, n);
		const response = await ann.message(`n${n} ${'x'.repeat(9000)}`);
		const { nFailed } = disk;

		disk.set(OFF);
		await recovered(daemon);
		const texts = [];

		for (const player of [ann, bob])
			texts.push((await player.drain()).map(({ data }) =>
			    data.split(' ')[0]));
		assert.deepEqual(texts[0], texts[1]);
		if (response.status === 200) {
			assert.deepEqual(texts[0], [`n${n}`]);
			nDone++;
			if (nFailed === 0)
				break;
		} else {
			assertStorageFailure(response, 'RMB');
			assert.deepEqual(texts[0], []);
			assert.ok(nFailed > 0);
		}
	}
	assert.ok(n > 0, 'a command that writes nothing');
	t.diagnostic(`${n} writes failed, ${nDone} commands done`);
	const [event] = (ok(await ann.message('last')), await ann.drain());

	assert.equal(event.id, ann.cursor);
	assert.equal(event.id, 2 + nDone + 1);
});

test('a disk that is full at the start is refused in one line',
    { skip }, () => {
	const disk = new Disk();

	disk.set(FULL);
	const result = runProgram(['--listen', '127.0.0.1:0', '--database',
		disk.database], { env: disk.env });

	assert.equal(result.code, 1, result.stderr);
	assert.ok(disk.nFailed > 0);
	assert.doesNotMatch(result.stderr, /listening on/);
});

// The promise of a request: its status, or why there is none.
function outcome(promise)
{
	return promise.then(({ status }) => status, (error) => error.code);
}

for (const nPass of [0, 1, 3])
	test('a failed fsync ends the daemon without an acknowledgement ' +
	    `(after ${nPass})`, { skip }, async () => {
		const disk = new Disk();
		const daemon = await disk.start();
		const { players: [ann, bob] } = await makeRoom(daemon);
		const acknowledged = [];
		const open = [];

		ok(await ann.message('before'));
		acknowledged.push('before');
		disk.set(SYNC, nPass);
		// It is going to end by itself.
		daemon.wanted = true;
		for (let i = 0; daemon.running && i < 100; i++) {
			const batch = Array.from({ length: 4 }, (_, j) => `m${i}-${j}`);
			const outcomes = await Promise.all(batch.map((text) =>
			    outcome(ann.message(text, { headers:
				{ 'Idempotency-Key': text } }))));

			for (const [j, status] of outcomes.entries())
				if (status === 200)
					acknowledged.push(batch[j]);
				else
					open.push(batch[j]);
			if (open.length > 0)
				break;
		}
		const { code, signal } = await until(() => daemon.ended, 'end');

		assert.equal(signal, null);
		assert.ok(code > 0, `exit ${code}`);
		assert.ok(disk.nFailed > 0);
		// Nobody tried it a second time.
		assert.equal(disk.nFailed, 1);
		disk.set(OFF);
		await daemon.restart();

		const there = (await bob.drain()).map(({ data }) => data);

		for (const text of acknowledged)
			assert.ok(there.includes(text), `${text} is lost`);
		// What was not acknowledged may be there; repeated, it is there
		// once.
		for (const text of open)
			ok(await ann.message(text,
			    { headers: { 'Idempotency-Key': text } }));
		there.push(...(await bob.drain()).map(({ data }) => data));
		assert.deepEqual(there.sort(),
		    [...acknowledged, ...open].sort());
	});

test('what a lost transaction handed out is handed out again, without a ' +
    'cursor too', { skip }, async () => {
	const disk = new Disk();
	const daemon = await disk.start();
	const { players: [ann] } = await makeRoom(daemon, ['ann']);

	ok(await ann.message('kept'));

	const n = ann.cursor;

	disk.set(FULL);
	// Its reply would have carried the event, had it been sent.
	assertStorageFailure(await ann.command({ commands: [{ command: '###!LR' }],
		after: n }), 'ICB');

	const events = (await ann.events({ wait: 0 })).json.events;

	assert.deepEqual(events.map((event) => event.data), ['kept']);
	disk.set(OFF);
});
