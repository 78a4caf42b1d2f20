// upgrade.test.mjs - a database that the first release wrote is opened by
// today's daemon, and nobody who was connected then has lost anything.
//
// In tests/fixtures/schema-1.sql Ada is the host of a room with Böb and Cleo,
// and has sent an offer and a message; Böb has answered, and acknowledged his
// first three events.  Dora, who had registered with a key, is the host of a
// sealed room with Emil.  Fay's session had ended, for she had stopped polling.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { assertFailure, ok, Player, request, scratchDir, startDaemon }
    from '../lib/peerpost.mjs';

const fixture = new URL('../fixtures/schema-1.sql', import.meta.url);
const skip = spawnSync('sqlite3', ['--version']).status === 0 ? false :
    'no sqlite3';

const ROOM = '28d23451-7a0d-46da-987e-4b5918e2b3c0';
const SEALED = '8fbe55be-2f5b-4e10-ad87-a0fb96613e85';
const DORAS_KEY = { 'Idempotency-Key': 'register-of-dora-in-0.1.0' };
const sessions = {
	ada: { id: 1420230160, name: 'Ada',
		token: '_QjwjCJgjPn_NSw-mx80PV1_CNF7RgNo-TBHEhHPoNE' },
	bob: { id: 154446548, name: 'Böb',
		token: 'yUWNhO_0WrIaImaVgYdrL73Jh-oB6dqoNoMxU-KMKiU' },
	cleo: { id: 1376409401, name: 'Cleo',
		token: '87iUP9r9F5CVsrlC5xhAmTEae7qFKVH2dVP6RZFHsj4' },
	dora: { id: 239109196, name: 'Dora',
		token: 'c1LpN4H0a0djbGvc2eFbz4Emugfb2S_JFiRZhhJ6cWw' },
	emil: { id: 1996390802, name: 'Emil',
		token: 'HqhZKBHtdLRNFJzPW0cnBK34RDW9hB__NSvU-Tph9tc' },
	fay: { id: 985730448, name: 'Fay',
		token: 'kEf3PNRKH0QLHiHqgXu1cmxWSHWYxE7vTy0uZWsqiEg' },
};
const members = [{ id: 1, name: 'Ada' }, { id: 154446548, name: 'Böb' },
	{ id: 1376409401, name: 'Cleo' }];
const offer = { id: 154446548, rtc: { type: 'offer', sdp: 'v=0 Ada' } };
const message = { text: "it's 🚀", n: 1 };

// The database of the first release, as a file of this test's own.
function oldDatabase()
{
	const file = path.join(scratchDir(), 'peerpost.db');
	const made = spawnSync('sqlite3', ['-bail', file],
	    { input: fs.readFileSync(fixture), encoding: 'utf8' });

	assert.equal(made.status, 0, made.stderr);
	return file;
}

function query(file, sql)
{
	const { status, stdout, stderr } =
	    spawnSync('sqlite3', [file, sql], { encoding: 'utf8' });

	assert.equal(status, 0, stderr);
	return stdout.trim();
}

async function start(database)
{
	const daemon = await startDaemon({ database });
	const players = Object.fromEntries(Object.entries(sessions)
	    .map(([key, each]) => [key, new Player(daemon, each)]));

	return { daemon, ...players };
}

// What waits for a player after a cursor, without holding the poll.
async function pending(player, after)
{
	return ok(await player.events({ after, wait: 0 }));
}

// One daemon for all of these, in this order: each goes on from what the ones
// before it have left.
const { daemon, ada, bob, cleo, dora, emil, fay } =
    skip ? {} : await start(oldDatabase());

test('rooms, seals, seats and tokens are as they were', { skip },
    async () => {
	const room = ok(await cleo.room());

	assert.equal(room.room, ROOM);
	assert.equal(room.sealed, false);
	assert.deepEqual(room.peers, members);
	assert.equal(ok(await emil.room()).room, SEALED);
	assert.equal(ok(await emil.room()).sealed, true);
});

test('undelivered events are delivered', { skip }, async () => {
	assert.deepEqual(await pending(ada, 0), { events: [
		{ id: 1, command: '###!CTR', data: 1 },
		{ id: 2, command: '###!RPC', data: bob.id },
		{ id: 3, command: '###!RPC', data: cleo.id },
		{ id: 4, command: '###!AAA', data: { id: bob.id,
			rtc: { type: 'answer', sdp: 'v=0 Böb' } } },
		{ id: 5, command: '###!RMK', data: message },
	], next: 5 });
	assert.deepEqual((await pending(cleo, 3)).events,
	    [{ id: 4, command: '###!RMK', data: message }]);
	assert.deepEqual((await pending(emil, 2)).events,
	    [{ id: 3, command: '###!SRK', data: 'null' }]);
});

test('a cursor goes on where it was', { skip }, async () => {
	assert.deepEqual((await pending(bob, 3)).events, [
		{ id: 4, command: '###!OOO', data: { ...offer, id: 1 } },
		{ id: 5, command: '###!RMK', data: message },
	]);
	// No number is given out twice.
	ok(await cleo.message('new'));
	assert.deepEqual((await pending(bob, 5)).events,
	    [{ id: 6, command: '###!RMK', data: 'new' }]);
	assert.deepEqual((await pending(ada, 5)).events,
	    [{ id: 6, command: '###!RMK', data: 'new' }]);
});

test('a command is remembered, and not done twice', { skip }, async () => {
	const headers = { 'Idempotency-Key': 'offer-1' };
	const again = await ada.offer(offer, { headers });

	assert.equal(again.status, 204);
	assert.equal(again.headers['idempotency-replayed'], 'true');
	assertFailure(await ada.offer({ ...offer, n: 2 }, { headers }),
	    422, 'ICB', 'idempotency-mismatch');
	assert.deepEqual((await pending(bob, 6)).events, []);

	const created = await ada.create(
	    { headers: { 'Idempotency-Key': 'create-1' } });

	assert.equal(created.headers['idempotency-replayed'], 'true');
	assert.equal(created.json.data, ROOM);
});

test('a keyed register leads to the same token', { skip }, async () => {
	const again = await request(daemon, 'POST', '/register',
	    { body: 'Dora', headers: DORAS_KEY });

	assert.equal(again.headers['idempotency-replayed'], 'true');
	assert.equal(again.json.data, dora.id);
	assert.equal(again.json.token, dora.token);
});

test('who was ended is still told why', { skip }, async () => {
	assertFailure(await fay.events({ wait: 0 }), 410, 'PTO',
	    'timed-out');
});

test('new players meet old ones', { skip }, async () => {
	const gina = await Player.register(daemon, 'Gina');

	assertFailure(await gina.join(SEALED), 409, 'JRB',
	    'room-sealed');
	assert.deepEqual(ok(await gina.join(ROOM)).data,
	    ['Ada', 'Böb', 'Cleo', 'Gina']);
	assert.deepEqual((await pending(ada, 6)).events,
	    [{ id: 7, command: '###!RPC', data: gina.id }]);
});

test('it is upgraded once, and what it becomes is opened again', { skip },
    async () => {
	const file = oldDatabase();

	assert.equal(query(file, 'PRAGMA user_version'), '1');
	await (await start(file)).daemon.stop();

	const version = query(file, 'PRAGMA user_version; ' +
	    'PRAGMA schema_version; PRAGMA integrity_check; ' +
	    'PRAGMA foreign_key_check');

	// The same as of a file that today's daemon has made.
	const fresh = path.join(scratchDir(), 'peerpost.db');

	await (await startDaemon({ database: fresh })).stop();
	const schema = "SELECT type, name, sql FROM sqlite_schema " +
	    "WHERE name NOT LIKE 'sqlite_%' ORDER BY type, name; " +
	    'PRAGMA user_version; PRAGMA application_id; ' +
	    'PRAGMA journal_mode; PRAGMA auto_vacuum';

	assert.equal(query(file, schema), query(fresh, schema));
	// Incremental: what it does not need any more can go.
	assert.equal(query(file, 'PRAGMA auto_vacuum'), '2');

	const again = await start(file);

	assert.equal((await pending(again.bob, 3)).next, 5);
	await again.daemon.stop();
	assert.equal(query(file, 'PRAGMA user_version; ' +
	    'PRAGMA schema_version; PRAGMA integrity_check; ' +
	    'PRAGMA foreign_key_check'), version);
});
