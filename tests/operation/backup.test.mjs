// backup.test.mjs - copies of the database while it is in use, and what
// becomes of players when one is put in its place.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ask, startAdministered } from '../lib/admin.mjs';
import { Disk, FULL, OFF, TIGHT, skip as noFaults } from '../lib/disk.mjs';
import { Player, assertFailure, looked, makeRoom, ok, request, scratchDir,
    until } from '../lib/peerpost.mjs';
import { Wire } from '../lib/wire.mjs';

const noSqlite = spawnSync('sqlite3', ['--version']).status === 0 ? false :
    'needs sqlite3';
const LARGE = ['--max-body', '1000000', '--max-mailbox-bytes', '100000000',
	'--durability', 'process', '--relay-rate', '0'];
const BACKUP = 'POST /backup HTTP/1.1\r\nHost: localhost\r\n' +
    'Content-Length: 0\r\n\r\n';

function sqlite(file, sql)
{
	return execFileSync('sqlite3', ['-readonly', '-cmd', '.timeout 0', file,
		sql], { encoding: 'utf8', maxBuffer: 1 << 26 }).trim();
}

// A database of some mebibytes: a copy takes many rounds, and does not fit into
// the buffers of a socket.
async function fill(player, n = 20)
{
	const text = 'x'.repeat(500_000);

	for (let i = 0; i < n; i++)
		ok(await player.message(text));
}

// Ask for a copy, and put it into a file.
async function backUp(daemon, file)
{
	const reply = await ask(daemon, 'POST', '/backup');

	assert.equal(reply.status, 200, reply.text.slice(0, 1000));
	assert.equal(reply.headers['content-type'], 'application/vnd.sqlite3');
	assert.equal(Number(reply.headers['content-length']), reply.body.length);
	fs.writeFileSync(file, reply.body);
	return reply;
}

// The descriptors of copies that the daemon still has.
function copiesOf(daemon)
{
	// The daemon may be the child of setpriv's, which has become it.
	const dir = `/proc/${daemon.pid}/fd`;

	return fs.readdirSync(dir).filter((fd) => {
		try {
			return fs.readlinkSync(`${dir}/${fd}`).includes('-backup');
		} catch {
			return false; /* closed meanwhile */
		}
	}).length;
}

function assertNothingLeft(daemon)
{
	assert.deepEqual(fs.readdirSync(path.dirname(daemon.database))
		.filter((name) => name.includes('backup')), []);
}

test('a copy that is made under load is consistent, and has all that was ' +
    'acknowledged', { skip: noSqlite }, async () => {
	const daemon = await startAdministered(
	    { args: [...LARGE, '--command-rate', '0'] });
	const { players: [ann, bob] } = await makeRoom(daemon);
	const file = path.join(scratchDir(), 'copy.db');

	await fill(ann);
	let isOver = false;
	const acknowledged = [];
	const load = [0, 1, 2, 3].map(async (worker) => {
		for (let i = 0; !isOver; i++) {
			ok(await bob.message({ worker, i }));
			acknowledged.push(`{"worker":${worker},"i":${i}}`);
		}
	});

	await until(() => acknowledged.length > 50, 'load');
	const before = acknowledged.length;
	const reply = await backUp(daemon, file);

	isOver = true;
	await Promise.all(load);
	assert.ok(reply.body.length > 10_000_000);
	assert.equal(sqlite(file, 'PRAGMA integrity_check'), 'ok');
	assert.equal(sqlite(file, 'PRAGMA foreign_key_check'), '');
	const kept = new Set(sqlite(file,
	    'SELECT body FROM message WHERE length(body) < 1000').split('\n'));

	for (const body of acknowledged.slice(0, before))
		assert.ok(kept.has(body), body);
	// Of each mailbox all up to some event, without gaps.
	for (const { id } of [ann, bob])
		assert.match(sqlite(file, 'SELECT count(*) = max(id) - min(id) + 1 ' +
		    `FROM event WHERE player = ${id}`), /^1$/);
	assert.equal(sqlite(file, 'SELECT count(*) FROM message WHERE refs <> ' +
	    '(SELECT count(*) FROM event WHERE event.message = message.id)'), '0');
	await until(() => copiesOf(daemon) === 0, 'end of the copy');
	assertNothingLeft(daemon);
});

test('one copy at a time is made', async () => {
	const daemon = await startAdministered({ args: LARGE });
	const { players: [ann] } = await makeRoom(daemon);
	const operator = { listeners: daemon.admin };

	await fill(ann);
	const wires = [await Wire.open(operator), await Wire.open(operator)];

	// So that both are there when it looks.
	process.kill(daemon.pid, 'SIGSTOP');
	for (const wire of wires)
		wire.send(BACKUP);
	process.kill(daemon.pid, 'SIGCONT');
	const replies = await Promise.all(wires.map((wire) => wire.response()));

	assert.deepEqual(replies.map(({ status }) => status).sort(), [200, 409]);
	const refused = replies.find(({ status }) => status === 409);

	assert.equal(refused.json.error, 'backup-running');
	// Nor does a copy that is only being sent stand in the way.
	const slow = await Wire.open(operator);

	slow.socket.pause();
	slow.send(BACKUP);
	await until(() => copiesOf(daemon) === 1, 'copy on its way');
	await until(async () => !ok(await ask(daemon, 'GET', '/status')).backup,
	    'whole copy');
	ok(await ask(daemon, 'POST', '/backup'));
	for (const wire of [...wires, slow])
		wire.close();
	await until(() => copiesOf(daemon) === 0, 'end of the copies');
});

test('a client that goes away leaves nothing of its copy', async () => {
	const daemon = await startAdministered({ args: LARGE });
	const { players: [ann] } = await makeRoom(daemon);

	await fill(ann);
	for (let i = 0; i < 6; i++) {
		const wire = await Wire.open({ listeners: daemon.admin });

		// What is not read is still there to be seen.
		wire.socket.pause();
		wire.send(BACKUP);
		if (i % 2)
			await until(() => copiesOf(daemon) > 0, 'copy');
		wire.close();
		await until(async () =>
		    !ok(await ask(daemon, 'GET', '/status')).backup &&
		    copiesOf(daemon) === 0, 'end of the copy');
	}
	assertNothingLeft(daemon);
	ok(await ask(daemon, 'POST', '/backup'));
});

test('no space for a copy: 503, and the daemon goes on',
    { skip: noFaults }, async () => {
	const disk = new Disk('-backup');
	const daemon = await disk.start({ admin: '127.0.0.1:0', args: LARGE });
	const { players: [ann] } = await makeRoom(daemon);

	await fill(ann);
	for (const [mode, nPass] of [[FULL, 0], [FULL, 1000], [TIGHT, 0]]) {
		disk.set(mode, nPass);
		const reply = await ask(daemon, 'POST', '/backup');

		assert.equal(`${reply.status} ${reply.json?.error}`, '503 storage');
		assert.ok(reply.json.message.startsWith(
		    `${disk.database}-backup cannot be written: `), reply.text);
		assert.match(reply.json.message, /o.* space left on device$/);
		await until(() => /^peerpostd: error: backup: .*-backup/m
		    .test(daemon.stderr), 'error in the log');
		assert.ok(disk.nFailed > 0);
		ok(await ann.message('it goes on'));
		ok(await request(daemon, 'GET', '/healthz'));
		assert.equal(copiesOf(daemon), 0);
		assertNothingLeft(daemon);
	}
	disk.set(OFF);
	ok(await ask(daemon, 'POST', '/backup'));
});

test('killed or stopped while it copies, nothing is left', async () => {
	const daemon = await startAdministered({ args: LARGE });
	const { players: [ann] } = await makeRoom(daemon);

	await fill(ann);
	for (const end of ['kill', 'stop']) {
		const wire = await Wire.open({ listeners: daemon.admin });

		wire.socket.pause();
		wire.send(BACKUP);
		await until(() => copiesOf(daemon) > 0, 'copy');
		const status = await daemon[end]();

		if (end === 'stop') {
			assert.equal(status, 0);
			assertNothingLeft(daemon);
		}
		wire.close();
		// Killed in just the wrong moment, it has left an empty file.
		await daemon.restart();
		assertNothingLeft(daemon);
	}
	ok(await ann.room());
});

test('a backup is put in place: who is ahead of it gets a reset', async () => {
	const daemon = await startAdministered();
	const { uuid, players: [ann, bob] } = await makeRoom(daemon);
	const copy = path.join(scratchDir(), 'copy.db');

	ok(await bob.message('before'));
	assert.deepEqual(await ann.news(), [['RMK', 'before']]);
	await backUp(daemon, copy);

	const headThen = ann.cursor;

	ok(await bob.message('after'));
	assert.deepEqual(await ann.news(), [['RMK', 'after']]);
	const cid = await Player.register(daemon, 'cid');

	ok(await cid.join(uuid));
	await ann.drain();
	await daemon.stop();
	assert.ok(!fs.existsSync(`${daemon.database}-wal`));
	fs.copyFileSync(copy, daemon.database);
	await daemon.start();
	assertFailure(await cid.room(), 401, 'ICB', 'no-session');

	const { events, reset, next, room } = ok(await ann.events(
	    { after: ann.cursor, wait: 20 }));

	assert.deepEqual([events, reset, next], [[], true, headThen]);
	assert.deepEqual(room.peers.map(({ name }) => name), ['ann', 'bob']);
	ann.cursor = next;
	ok(await bob.message('again'));
	assert.deepEqual(await ann.news(), [['RMK', 'again']]);
	await looked(daemon);
	assert.doesNotMatch(daemon.stderr, /error/);
});
