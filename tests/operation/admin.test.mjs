// admin.test.mjs - the admin listener: who gets in, and what is served there.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ask, startAdministered } from '../lib/admin.mjs';
import { Player, assertFailure, makeRoom, ok, parked, request, runProgram,
    scratchDir, until } from '../lib/peerpost.mjs';
import { Wire, plain, settle } from '../lib/wire.mjs';

// Status and word of a failure on the admin listener.
function assertRefused(response, status, word)
{
	assert.equal(`${response.status} ${response.json?.error}`,
	    `${status} ${word}`, response.text);
	assert.deepEqual(Object.keys(response.json), ['error', 'message']);
	assert.ok(response.json.message.length > 0);
}

test('operators and players have different listeners', async () => {
	const socket = path.join(scratchDir(), 'admin.sock');
	const daemon = await startAdministered(
	    { admin: ['127.0.0.1:0', `unix:${socket}`] });

	assert.equal(daemon.admin.length, 2);
	for (const listener of [0, 1]) {
		for (const [method, target] of [['POST', '/register'],
			['GET', '/events'], ['GET', '/room'], ['GET', '/'],
			['GET', '/peerpost.js'], ['GET', '/nothing']])
			assertRefused(await ask(daemon, method, target,
			    { listener }), 404, 'not-found');
		for (const target of ['/healthz', '/readyz'])
			assert.equal((await ask(daemon, 'GET', target,
			    { listener })).status, 200, target);
	}
	for (const target of ['/readyz', '/status', '/rooms', '/backup',
		'/log-level', '/metrics', '/rooms/x/close', '/players/1/kick'])
		for (const method of ['GET', 'POST'])
			assertFailure(await request(daemon, method, target), 404,
			    'ICB', 'not-found');
	assert.match(daemon.stderr, /^listening on admin:\/\/127\.0\.0\.1:\d+$/m);
	assert.match(daemon.stderr,
	    new RegExp(`^listening on admin\\+unix:${socket}$`, 'm'));
	assert.doesNotMatch(daemon.stderr, /warning: --admin/);
});

test('methods, headers, and no word of CORS', async () => {
	const daemon = await startAdministered();
	const wrong = await ask(daemon, 'POST', '/healthz');

	assertRefused(wrong, 405, 'method-not-allowed');
	assert.equal(wrong.headers.allow, 'GET, HEAD');
	const preflight = await ask(daemon, 'OPTIONS', '/healthz');

	assertRefused(preflight, 405, 'method-not-allowed');
	const health = await ask(daemon, 'GET', '/healthz');

	assert.equal(ok(health).status, 'ok');
	for (const reply of [wrong, preflight, health]) {
		assert.equal(reply.headers['cache-control'],
		    'no-store, no-transform');
		assert.equal(reply.headers['cross-origin-resource-policy'],
		    'same-origin');
		for (const name of Object.keys(reply.headers))
			assert.doesNotMatch(name, /^access-control|^vary/);
	}
	const head = await ask(daemon, 'HEAD', '/readyz');

	assert.equal(head.status, 200);
	assert.equal(head.text, '');
	assertRefused(await ask(daemon, 'GET', '/healthz',
	    { text: 'x'.repeat(5000) }), 413, 'too-large');
});

test('what a web page may be behind is refused', async () => {
	const socket = path.join(scratchDir(), 'admin.sock');
	const daemon = await startAdministered(
	    { admin: ['127.0.0.1:0', `unix:${socket}`] });

	for (const listener of [0, 1])
		for (const headers of [{ Origin: 'http://localhost' },
			{ Origin: 'null' }, { 'Sec-Fetch-Site': 'cross-site' },
			{ 'Sec-Fetch-Site': 'same-site' }])
			for (const target of ['/healthz', '/nothing'])
				assertRefused(await ask(daemon, 'GET', target,
				    { listener, headers }), 403, 'cross-site');
	assertRefused(await ask(daemon, 'GET', '/healthz',
	    { headers: { Host: 'rebound.example:80' } }), 403, 'cross-site');
	ok(await ask(daemon, 'GET', '/healthz',
	    { headers: { Host: 'localhost:80' } }));
	ok(await ask(daemon, 'GET', '/healthz',
	    { listener: 1, headers: { Host: 'anything' } }));
	ok(await ask(daemon, 'GET', '/healthz',
	    { headers: { 'Sec-Fetch-Site': 'none' } }));
});

test('the socket is the owner\'s, or as --admin-mode says', async () => {
	const mode = (file) => (fs.statSync(file).mode & 0o777).toString(8);
	const dir = scratchDir();
	const own = await startAdministered({ admin: `unix:${dir}/own` });

	assert.equal(mode(`${dir}/own`), '600');
	const shared = await startAdministered({ admin: `unix:${dir}/shared`,
		args: ['--admin-mode', '0660', '--admin-group',
			String(process.getgid())] });

	assert.equal(mode(`${dir}/shared`), '660');
	ok(await ask(shared, 'GET', '/healthz'));
	await own.stop();
	assert.ok(!fs.existsSync(`${dir}/own`));
	for (const [option, value] of [['--admin', 'localhost:9000'],
		['--admin-mode', '99'], ['--admin-group', 'no such group']]) {
		const result = runProgram([option, value]);

		assert.equal(result.code, 2);
		assert.match(result.stderr, new RegExp(`^peerpostd: ${option}: `));
	}
});

test('a warning where others than this machine can reach it', async () => {
	const daemon = await startAdministered({ admin: '0.0.0.0:0' });

	assert.match(daemon.stderr, /^peerpostd: warning: --admin 0\.0\.0\.0:0: /m);
});

test('an operator gets in when players have taken all connections',
    async () => {
	const daemon = await startAdministered(
	    { args: ['--max-connections', '2'] });
	const wires = [];

	for (let i = 0; i < 2; i++) {
		const wire = await Wire.open(daemon);

		await wire.exchange(plain('GET', '/healthz'));
		wires.push(wire);
	}
	ok(await ask(daemon, 'GET', '/readyz'));
	// And all operators together do not get stuck: the idlest goes.
	const operators = [];

	for (let i = 0; i < 17; i++) {
		const wire = await Wire.open({ listeners: daemon.admin });

		wire.send(plain('GET', '/healthz',
		    { headers: [] }).replace('Host: test', 'Host: localhost'));
		operators.push(wire);
		if (i < 15)
			assert.equal((await wire.response()).status, 200);
	}
	daemon.advance(2);
	for (const wire of operators.slice(15))
		assert.equal((await wire.response()).status, 200);
	for (const wire of [...operators, ...wires])
		wire.close();
});

test('/readyz is 503 while the daemon stops', async () => {
	const daemon = await startAdministered();
	const player = await Wire.open(daemon);
	const operator = await Wire.open({ listeners: daemon.admin });
	const readyz = 'GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n';

	await player.exchange(plain('GET', '/healthz'));
	assert.equal((await operator.exchange(readyz)).status, 200);
	// A request that is under way keeps the daemon for two seconds.
	player.send('GET /healthz HTTP/1.1\r\n');
	await settle(daemon);
	const stopping = daemon.stop();

	await until(() => /stopping/.test(daemon.stderr), 'stop');
	const reply = await operator.exchange(readyz);

	assert.equal(reply.status, 503);
	assert.equal(reply.json.error, 'shutting-down');
	player.close();
	assert.equal(await stopping, 0);
});

test('GET /rooms: pages of rooms', async () => {
	const daemon = await startAdministered();
	const hosts = [];

	assert.deepEqual(ok(await ask(daemon, 'GET', '/rooms')),
	    { rooms: [], next: 0 });
	for (let i = 0; i < 5; i++) {
		const host = await Player.register(daemon, `host "${i}"`);

		hosts.push({ room: ok(await host.create()).data, host: host.id,
			sealed: i === 3, host_name: `host "${i}"`,
			members: i === 4 ? 2 : 1 });
		if (i === 3)
			ok(await host.seal());
	}
	ok(await (await Player.register(daemon)).join(hosts[4].room));
	assert.deepEqual(ok(await ask(daemon, 'GET', '/rooms')).rooms, hosts);

	const seen = [];
	let page = { next: 0, more: true };

	while (page.more) {
		page = ok(await ask(daemon, 'GET', '/rooms',
		    { query: { after: page.next, max: 2 } }));
		assert.ok(page.rooms.length <= 2);
		seen.push(...page.rooms);
	}
	assert.deepEqual(seen, hosts);
	assert.deepEqual(ok(await ask(daemon, 'GET', '/rooms',
	    { query: { max: 5 } })).more, undefined);
	for (const query of ['max=-1', 'after=x', 'max=', 'after=%'])
		assert.equal((await ask(daemon, 'GET', '/rooms',
		    { query })).status, 400, query);
});

test('GET /rooms/UUID: a room and its members', async () => {
	const socket = path.join(scratchDir(), 'admin.sock');
	const daemon = await startAdministered(
	    { admin: ['127.0.0.1:0', `unix:${socket}`] });
	const { uuid, players: [ann, bob] } = await makeRoom(daemon);

	ok(await bob.events({ after: bob.cursor, wait: 0 }));
	ok(await ann.message('12345'));
	const poll = ann.events({ after: ann.cursor + 1, wait: 20 });

	await parked(daemon, poll);
	daemon.advance(7);
	for (const listener of [0, 1])
		for (const name of [uuid, uuid.toUpperCase()])
			assert.deepEqual(ok(await ask(daemon, 'GET',
			    `/rooms/${name}`, { listener })), {
				room: uuid, host: ann.id, sealed: false,
				members: [
					{ id: ann.id, name: 'ann', peer: 1,
						parked: true, idle_s: 0,
						mailbox: { events: 0, bytes: 0 } },
					{ id: bob.id, name: 'bob', peer: bob.id,
						parked: false, idle_s: 7,
						mailbox: { events: 1, bytes: 7 } },
				] });
	for (const name of ['x', '0b5ddd58-3b31-4a6f-9a53-2d2d9a0b9d4b'])
		assertRefused(await ask(daemon, 'GET', `/rooms/${name}`), 404,
		    'room-not-found');
	ok(await bob.message('over'));
	ok(await poll);
});

test('closing a room: its members are told, and are in the lobby', async () => {
	const daemon = await startAdministered();
	const { uuid, players: [ann, bob] } = await makeRoom(daemon);
	const poll = bob.events({ after: bob.cursor, wait: 20 });

	await parked(daemon, poll);
	assertRefused(await ask(daemon, 'GET', `/rooms/${uuid}/close`), 405,
	    'method-not-allowed');
	assert.deepEqual(ok(await ask(daemon, 'POST', `/rooms/${uuid}/close`)),
	    { room: uuid, members: 2 });
	assert.deepEqual(ok(await poll).events.map(({ command, data }) =>
	    [command, data]), [['###!RCL', 'Room Closed By Operator']]);
	assert.deepEqual(await ann.news(), [['RCL', 'Room Closed By Operator']]);
	assertFailure(await ann.room(), 404, 'ICB', 'not-in-room');
	assertFailure(await bob.join(uuid), 404, 'JRB', 'room-not-found');
	assertRefused(await ask(daemon, 'POST', `/rooms/${uuid}/close`), 404,
	    'room-not-found');
	// Nothing is left of it after a restart.
	await daemon.kill();
	await daemon.restart();
	assert.deepEqual(ok(await ask(daemon, 'GET', '/rooms')).rooms, []);
	ok(await ann.create());
});

test('kicking a player: it is told why, the others that it has gone',
    async () => {
	const daemon = await startAdministered();
	const { players: [ann, bob, cid] } = await makeRoom(daemon,
	    ['ann', 'bob', 'cid']);
	const kicked = (response) => {
		assertFailure(response, 410, 'PTO', 'timed-out');
		assert.equal(response.json.data, 'Player Kicked By Operator');
	};
	const poll = bob.events({ after: bob.cursor, wait: 20 });

	await parked(daemon, poll);
	assert.deepEqual(ok(await ask(daemon, 'POST', `/players/${bob.id}/kick`)),
	    { id: bob.id });
	kicked(await poll);
	kicked(await bob.room());
	assert.deepEqual(await ann.news(), [['RPD', bob.id]]);
	for (const id of [bob.id, 1, 0, 'x', '-1', '99999999999'])
		assertRefused(await ask(daemon, 'POST', `/players/${id}/kick`),
		    404, 'player-not-found');
	// The host goes, and the room with it.
	ok(await ask(daemon, 'POST', `/players/${ann.id}/kick`));
	assert.deepEqual(await cid.news(), [['RPD', bob.id], ['RPD', 1],
		['RCL', 'Host Disconnected']]);
	await daemon.kill();
	await daemon.restart();
	kicked(await ann.room());
});

test('the log level changes until the next start', async () => {
	const daemon = await startAdministered();
	const says = async (level) => {
		const from = daemon.stderr.length;

		ok(await ask(daemon, 'GET', '/healthz'));
		ok(await ask(daemon, 'GET', '/healthz'));
		assert.equal(/debug: finished .* route=\/healthz status=200/.test(
		    daemon.stderr.slice(from)), level === 'debug');
		assert.equal(ok(await ask(daemon, 'GET', '/status')).log_level,
		    level);
	};

	await says('info');
	for (const text of ['{"level":"debug"}', '"debug"', 'debug', 'debug\n']) {
		assert.deepEqual(ok(await ask(daemon, 'POST', '/log-level',
		    { text })), { level: 'debug' });
		await says('debug');
		ok(await ask(daemon, 'POST', '/log-level', { text: 'error' }));
		await says('error');
	}
	for (const text of ['', 'loud', '{}', '{"level":1}', '["debug"]', 'null',
		'"DEBUG"', '{"level":"debugdebugdebugdebug"}'])
		assertRefused(await ask(daemon, 'POST', '/log-level', { text }),
		    400, 'bad-level');
	await daemon.restart();
	await says('info');
});

test('GET /status: how it is doing', async () => {
	const daemon = await startAdministered({ args: ['--durability', 'process',
		'--max-players', '7', '--max-connections', '9'] });
	const { players: [ann] } = await makeRoom(daemon);
	const poll = ann.events({ after: ann.cursor, wait: 20 });

	await parked(daemon, poll);
	daemon.advance(5);
	const { uptime_s: up, database: { bytes, log_bytes: logBytes, ...database },
		connections, ...status } = ok(await ask(daemon, 'GET', '/status'));

	assert.deepEqual(status, {
		version: '0.1.0', pid: status.pid, state: 'ready', storage: 'ok',
		players: 2, rooms: 1, parked: 1,
		full: false,
		max: { players: 7, rooms: 10000, parked: 8, connections: 9 },
		backup: false, log_level: 'info',
	});
	assert.match(fs.readFileSync(`/proc/${status.pid}/comm`, 'utf8'),
	    /peerpostd/);
	assert.deepEqual(database, { file: fs.realpathSync(daemon.database),
		durability: 'process' });
	assert.equal(bytes, fs.statSync(daemon.database).size);
	assert.equal(logBytes, fs.statSync(`${daemon.database}-wal`).size);
	assert.ok(up >= 5 && up < 60);
	assert.ok(connections >= 1 && connections <= 9);
	ok(await ann.message('over'));
	ok(await poll);
});

test('POST /reload: the configuration is read again, or all stays',
    async () => {
	const config = path.join(scratchDir(), 'peerpost.conf');

	fs.writeFileSync(config, 'log-level = info\n');
	const daemon = await startAdministered({ args: ['--config', config] });
	const level = async () =>
		ok(await ask(daemon, 'GET', '/status')).log_level;

	fs.writeFileSync(config, 'log-level = warning\n');
	assert.deepEqual(ok(await ask(daemon, 'POST', '/reload')),
	    { reloaded: true });
	assert.equal(await level(), 'warning');
	fs.writeFileSync(config, 'log-level = debug\nno such line\n');
	const reply = await ask(daemon, 'POST', '/reload');

	assertRefused(reply, 422, 'bad-configuration');
	assert.match(reply.json.message, /peerpost\.conf:2: /);
	assert.equal(await level(), 'warning');
});
