// connections.test.mjs - many connections, greedy ones, and pauses: nobody
// keeps the daemon to itself, and nobody is shut out or cut off for what
// others do.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { Player, ok, parked, request, startDaemon, until } from
    '../lib/peerpost.mjs';
import { Wire, plain, settle } from '../lib/wire.mjs';

function openMany(daemon, n)
{
	return Promise.all(Array.from({ length: n }, async () => {
		const wire = await Wire.open(daemon);

		await wire.exchange(plain('GET', '/'));
		return wire;
	}));
}

test('a client that sends requests without end does not keep others waiting',
    async () => {
	const daemon = await startDaemon();
	const wire = await Wire.open(daemon);
	const many = 'OPTIONS / HTTP/1.1\r\nHost: t\r\n\r\n'.repeat(2000);
	let isOver = false;

	wire.socket.removeAllListeners('data');
	wire.socket.resume();
	// It goes on until the others have been served, so if they had to wait
	// for it, this would never end.
	const flood = () => {
		while (!isOver && wire.socket.write(many))
			;
	};

	wire.socket.on('drain', flood);
	flood();
	for (let i = 0; i < 20; i++)
		ok(await request(daemon, 'GET', '/healthz'));
	ok(await Player.register(daemon).then((player) => player.create()));
	isOver = true;
	wire.close();
});

test('when all connections are taken, an idle one makes room', async () => {
	const daemon = await startDaemon({ args: ['--max-connections', '8'] });
	const idle = await openMany(daemon, 8);

	daemon.advance(2);
	ok(await request(daemon, 'GET', '/healthz'));
	assert.ok(idle.filter((wire) => wire.isClosed).length <= 2);
	for (const wire of idle)
		wire.close();
});

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;

test('when there are no descriptors for more connections, idle ones make room',
    { skip: hasPrlimit ? false : 'no prlimit' }, async () => {
	const daemon = await startDaemon();
	const idle = await openMany(daemon, 32);
	const used = readdirSync(`/proc/${daemon.pid}/fd`).map(Number);
	const limit = Math.max(...used) + 1;
	// There are free numbers below the limit.
	const n = limit - used.length + 8;
	const late = [];

	execFileSync('prlimit', ['--pid', daemon.pid, `--nofile=${limit}`]);
	daemon.advance(2);
	while (late.length < n) {
		const wire = await Wire.open(daemon);

		late.push(wire);
		ok(await wire.exchange(plain('POST', '/register', { body: '"x"' })));
	}
	await until(() => /warning: cannot accept connections: Too many open files/
	    .test(daemon.stderr), 'warning');
	assert.ok(idle.filter((wire) => wire.isClosed).length >= 8);
	for (const wire of [...idle, ...late])
		wire.close();
	assert.equal(await daemon.stop(), 0);
	assert.ok(daemon.stderr.match(/cannot accept/g).length <= 2);
});

test('some connections are kept for commands when polls are held',
    async () => {
	const daemon = await startDaemon({ args: ['--max-connections', '4'] });
	const players = [];

	for (let i = 0; i < 4; i++)
		players.push(await Player.register(daemon));

	const polls = players.slice(0, 3).map((player) =>
	    player.events({ after: 0, wait: 55 }));

	for (const poll of polls)
		await parked(daemon, poll);
	ok(await players[3].create());
	daemon.advance(56);
	for (const poll of polls)
		ok(await poll);
});

test('a pause of the whole daemon costs no connection and no request',
    async () => {
	const daemon = await startDaemon({ args: ['--player-timeout', '0'] });
	const wires = await openMany(daemon, 100);

	process.kill(daemon.pid, 'SIGSTOP');
	for (const wire of wires)
		wire.send(plain('POST', '/register', { body: '"a"' }));
	daemon.stall(80);
	process.kill(daemon.pid, 'SIGCONT');
	for (const wire of wires)
		ok(await wire.response());
	for (const wire of wires)
		wire.close();
});

test('a stop with many idle connections is an orderly one', async () => {
	const daemon = await startDaemon();
	const wires = await openMany(daemon, 200);

	assert.equal(await daemon.stop(), 0);
	for (const wire of wires)
		await wire.closed();
});

// Connections that are opened one after the other share one of libmicrohttpd's
// daemons in the daemon; some of them wait for the engine, others do not.
async function holdPolls(daemon, n)
{
	const polls = [];

	for (let i = 0; i < n; i++) {
		const player = await Player.register(daemon);
		const wire = await Wire.open(daemon);

		wire.send(plain('GET', '/events?after=0&wait=55',
		    { token: player.token }));
		polls.push({ player, wire });
	}
	await settle(daemon);
	return polls;
}

async function endPolls(daemon, polls)
{
	for (const { player, wire } of polls) {
		ok(await player.create());
		ok(await wire.response());
		wire.close();
	}
}

test('a slow reader beside held polls gets all of its replies', async () => {
	const daemon = await startDaemon();
	const polls = await holdPolls(daemon, 3);
	const wire = await Wire.open(daemon);
	const { text } = await wire.exchange(plain('GET', '/openapi.yaml'));
	const n = Math.ceil((20 << 20) / text.length); // no buffers are so large
	let nBytes = 0;

	wire.socket.removeAllListeners('data');
	wire.socket.on('data', (part) => {
		nBytes += part.length;
	});
	wire.socket.pause();
	wire.send(plain('GET', '/openapi.yaml').repeat(n));
	await settle(daemon);
	wire.socket.resume();
	await until(() => nBytes >= n * text.length, 'last byte');
	wire.close();
	await endPolls(daemon, polls);
});

test('large requests beside held polls are read to their end', async () => {
	const daemon = await startDaemon();
	const polls = await holdPolls(daemon, 3);
	const wire = await Wire.open(daemon);
	const padding = `X-Padding: ${'p'.repeat(15 << 10)}`;
	const body = JSON.stringify('n'.repeat(60 << 10));

	for (let i = 0; i < 10; i++) {
		const response = await wire.exchange(plain('POST', '/register',
		    { body, headers: [padding] }));

		assert.equal(response.json.error, 'bad-name');
	}
	wire.close();
	await endPolls(daemon, polls);
});

test('clients that break off while the engine has their request', async () => {
	const daemon = await startDaemon({ args: ['--command-rate', '0'] });
	const polls = await holdPolls(daemon, 2);
	const player = await Player.register(daemon);

	ok(await player.create());
	for (let i = 0; i < 50; i++) {
		const wires = await openMany(daemon, 4);

		for (const [j, wire] of wires.entries()) {
			wire.send(plain('POST', '/message', { body: '"m"',
				token: player.token,
				headers: [`Idempotency-Key: ${i}-${j}`] }));
			if (j % 2)
				wire.reset();
		}
		for (const wire of [wires[0], wires[2]]) {
			ok(await wire.response());
			wire.close();
		}
	}
	await endPolls(daemon, polls);
});

test('a connection that is never used is closed like a request that is late',
    async () => {
	const daemon = await startDaemon({ args: ['--request-timeout', '15',
		'--idle-timeout', '75'] });
	const [silent, blank, failed, served] = await Promise.all(
	    Array.from({ length: 4 }, () => Wire.open(daemon)));

	// Something has come on these.
	blank.send('\r\n');
	assert.equal((await failed.exchange(plain('GET', '/nothing'))).status,
	    404);
	ok(await served.exchange(plain('GET', '/healthz')));
	await settle(daemon);
	daemon.advance(13);
	await settle(daemon);
	assert.ok(!silent.isClosed);
	daemon.advance(3);
	// With TLS it has had a handshake, and may be one that a browser made
	// ahead of what it will ask.
	if (daemon.listeners[0].isTls)
		ok(await silent.exchange(plain('GET', '/healthz')));
	else
		await silent.closed();
	ok(await blank.exchange(plain('GET', '/healthz')));
	ok(await failed.exchange(plain('GET', '/healthz')));
	ok(await served.exchange(plain('GET', '/healthz')));
	for (const wire of [silent, blank, failed, served])
		wire.close();
});
