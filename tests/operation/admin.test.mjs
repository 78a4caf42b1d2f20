// admin.test.mjs - the admin listener: who gets in, and what is served there.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ask, startAdministered } from '../lib/admin.mjs';
import { assertFailure, ok, request, runProgram, scratchDir,
    until } from '../lib/peerpost.mjs';
import { Wire, plain, settle } from '../lib/wire.mjs';

// Status and word of a failure on the admin listener.
function assertRefused(response, status, word)
{
	assert.equal(`${response.status} ${response.json?.error}`,
	    `${status} ${word}`, response.text);
	assert.deepEqual(Object.keys(response.json), ['error', 'message']);
	assert.ok(response.json.message.length > 0);
}

test('operators and players have different doors', async () => {
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
		assert.equal(reply.headers['cache-control'], 'no-store');
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
