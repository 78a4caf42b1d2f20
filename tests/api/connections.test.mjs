// connections.test.mjs - many connections, greedy ones, and pauses: nobody
// keeps the daemon to itself, and nobody is shut out or cut off for what
// others do.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Player, ok, request, startDaemon } from '../lib/peerpost.mjs';
import { Wire, plain } from '../lib/wire.mjs';

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

test('some connections are kept for commands when polls are held',
    async () => {
	const daemon = await startDaemon({ args: ['--max-connections', '4'] });
	const players = [];

	for (let i = 0; i < 4; i++)
		players.push(await Player.register(daemon));

	const polls = players.slice(0, 3).map((player) =>
	    player.events({ after: 0, wait: 55 }));

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
