// shutdown.test.mjs - SIGTERM, and what is still there afterwards (protocol
// section 7).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { assertFailure, connectTo, isOverHttp, makeRoom, ok, parked, parseResponses,
    Player, rawExchange, readyEvent, request, startDaemon, startStill, until }
    from '../lib/peerpost.mjs';

test('SIGTERM: parked polls are answered 200 with no events, the cursor and ' +
    'a random poll_after_ms in 250..3000', async () => {
	const d = await startDaemon();
	const { players } = await makeRoom(d,
	    Array.from({ length: 16 }, (_, i) => `p${i}`));
	const polls = players.map((player) =>
	    player.events({ after: player.cursor, wait: 55 }));

	for (const poll of polls)
		await parked(d, poll);

	const stopping = d.stop();
	const pauses = new Set();

	for (const [i, poll] of polls.entries()) {
		const reply = await poll;
		const pause = ok(reply).poll_after_ms;

		assert.equal(reply.text, '{"events":[],' +
		    `"next":${players[i].cursor},"poll_after_ms":${pause}}`);
		assert.ok(pause >= 250 && pause <= 3000, `${pause}`);
		if (isOverHttp())
			assert.equal(reply.headers.connection, 'close');
		pauses.add(pause);
	}
	assert.ok(pauses.size > 4);
	assert.equal(await stopping, 0);
});

test('SIGTERM: exit 0, within 5 s, with idle and parked connections',
    async () => {
	const d = await startStill();
	const player = await Player.register(d);
	const poll = player.events({ after: 0, wait: 55 });
	const idle = connectTo(d).on('error', () => {});

	await new Promise((resolve) => idle.once(readyEvent(idle), resolve));
	await parked(d, poll);
	assert.equal(await d.stop(), 0);
	idle.destroy();
	// What it has waited for, by its own clock.
	assert.ok(d.passed < 5, `${d.passed}`);
	assert.equal((await poll).status, 200);
});

test('SIGINT ends it as SIGTERM does', async () => {
	const d = await startDaemon();

	assert.equal(await d.end('SIGINT'), 0);
});

test('SIGTERM: commands that still come are executed and answered with ' +
    'Connection: close, polls answered empty', async () => {
	const d = await startDaemon();
	const { players: [host, bob] } = await makeRoom(d);
	// Connections that are open when it is told to stop.
	const idle = await Player.register(d);
	const poll = idle.events({ after: 0, wait: 55 });

	await parked(d, poll);

	const auth = ({ token }) => 'HTTP/1.1\r\nHost: x\r\n' +
	    `Authorization: Bearer ${token}\r\n`;
	const slow = gated('POST /message ', auth(bob) +
	    'Content-Length: 6\r\n\r\n"last"');
	const slowPoll = gated('GET /events?after=0&wait=55 ',
	    auth(idle) + '\r\n');
	const exchanges = [slow, slowPoll].map((each) => delayed(d, each));

	for (const exchange of exchanges)
		await exchange.connected;
	for (let i = 0; i < 4; i++)
		await request(d, 'GET', '/healthz');

	const stopping = d.stop();

	ok(await poll);
	slow.send();
	slowPoll.send();

	const [message, polled] = await Promise.all(
	    exchanges.map((each) => each.done));

	assert.equal(message.status, 200, message.text);
	assert.equal(message.text, '{"command":"###!RMK","data":"last"}');
	assert.equal(message.headers.connection.toLowerCase(), 'close');
	assert.equal(polled.status, 200);
	assert.ok(ok(polled).poll_after_ms >= 250);
	assert.equal(polled.headers.connection.toLowerCase(), 'close');
	assert.equal(await stopping, 0);
	await d.restart();
	assert.deepEqual(await host.news(), [['RMK', 'last']]);
});

function gated(first, rest)
{
	let send;
	const gate = new Promise((resolve) => {
		send = resolve;
	});

	return { first, rest, gate, send };
}

// A request whose end is sent when its gate opens.
function delayed(d, { first, rest, gate })
{
	let onConnected;
	const connected = new Promise((resolve) => {
		onConnected = resolve;
	});
	const done = (async () => {
		const socket = connectTo(d);
		const parts = [];
		const closed = new Promise((resolve) => {
			socket.on('close', resolve);
		});

		socket.on('error', () => {});
		socket.on('data', (part) => parts.push(part));
		await new Promise((resolve) =>
		    socket.once(readyEvent(socket), resolve));
		await new Promise((resolve) => socket.write(first, resolve));
		onConnected();
		await gate;
		socket.write(rest);
		await closed;

		const text = Buffer.concat(parts).toString('latin1');
		const [response] = parseResponses(text);

		assert.ok(response, `no answer: ${text}`);
		return response;
	})();

	return { connected, done };
}

test('SIGTERM: 503 shutting-down only after the last commit', async () => {
	const d = await startDaemon();
	const { players: [host, bob] } = await makeRoom(d);
	const late = gated('POST /message ', 'HTTP/1.1\r\nHost: x\r\n' +
	    `Authorization: Bearer ${bob.token}\r\n` +
	    'Content-Length: 6\r\n\r\n"late"');
	const exchange = delayed(d, late);

	await exchange.connected;
	for (let i = 0; i < 4; i++)
		await request(d, 'GET', '/healthz');

	const stopping = d.stop();
	const hasDatabase = () => {
		const dir = `/proc/${d.pid}/fd`;

		return fs.readdirSync(dir).some((fd) => {
			try {
				return fs.readlinkSync(`${dir}/${fd}`) === d.database;
			} catch {
				return false;
			}
		});
	};

	assert.ok(hasDatabase());
	// The two seconds in which commands are still executed.
	d.advance(2);
	await until(() => !hasDatabase(), 'closed database');
	late.send();

	const reply = await exchange.done;

	assertFailure(reply, 503, 'RMB', 'shutting-down');
	assert.match(reply.headers['retry-after'], /^[1-9]\d*$/);
	assert.equal(reply.headers.connection.toLowerCase(), 'close');
	assert.equal(await stopping, 0);
	await d.restart();
	assert.deepEqual(await host.drain(), []);
});

test('after kill -9 every acknowledged command is there', async () => {
	const d = await startDaemon();
	const { uuid, players: [host, bob] } = await makeRoom(d);
	const acknowledged = [];
	const sending = (async () => {
		for (let i = 0;; i++) {
			ok(await bob.offer({ id: 1, rtc: i }));
			acknowledged.push(i);
			if (i === 40)
				d.kill();
		}
	})().catch(() => {});

	await sending;
	await d.exited;
	await d.restart();

	const got = (await host.news()).map(([, data]) => data.rtc);

	assert.deepEqual(got.slice(0, acknowledged.length), acknowledged);
	assert.ok(got.length <= acknowledged.length + 1);
	assert.equal(ok(await host.room()).room, uuid);
});

test('tokens, rooms, seals, members, mailboxes and event ids survive',
    async () => {
	const d = await startDaemon();
	const { uuid, players: [host, bob] } = await makeRoom(d);
	const eve = await Player.register(d, 'eve');

	ok(await host.seal());
	ok(await bob.offer({ id: 1, rtc: [1.50] }));

	const before = await host.events({ after: host.cursor, wait: 0 });
	const room = await host.room();

	for (const end of ['stop', 'kill']) {
		await d[end]();
		await d.restart();
		assert.equal((await host.events({ after: host.cursor, wait: 0 }))
		    .text, before.text);
		assert.equal((await host.room()).text, room.text);
		assertFailure(await eve.join(uuid), 409, 'JRB', 'room-sealed');
	}
	await host.drain();
	ok(await bob.message('x'));
	assert.deepEqual((await host.drain()).map((event) => event.id),
	    [host.cursor]);
});

test('event ids are never reused, though everything was acknowledged before ' +
    'the restart', async () => {
	const d = await startDaemon();
	const { players: [host] } = await makeRoom(d, ['ann']);

	for (const end of ['stop', 'kill', 'stop']) {
		ok(await host.message('x'));
		await host.drain();
		ok(await host.events({ after: host.cursor, wait: 0 }));

		const last = host.cursor;

		await d[end]();
		await d.restart();
		ok(await host.message('y'));
		assert.deepEqual((await host.drain()).map((event) => event.id),
		    [last + 1]);
	}
});

test('an acknowledgement may be forgotten by a crash: the next cursor ' +
    'repeats it', async () => {
	const d = await startDaemon();
	const { players: [host] } = await makeRoom(d, ['ann']);

	for (let i = 0; i < 3; i++)
		ok(await host.message(i));

	const n = host.cursor;

	ok(await host.events({ after: n + 2, wait: 0 }));
	await d.kill();
	await d.restart();
	assert.deepEqual(ok(await host.events({ after: n + 2, wait: 0 })).events
	    .map((event) => event.id), [n + 3]);
	assert.deepEqual(ok(await host.events({ after: n, wait: 0 })).events
	    .map((event) => event.id), [n + 3]);
});

test('what a stopped daemon acknowledged stays acknowledged', async () => {
	const d = await startDaemon();
	const { players: [host] } = await makeRoom(d, ['ann']);

	for (let i = 0; i < 3; i++)
		ok(await host.message(i));

	const n = host.cursor;

	ok(await host.events({ after: n + 2, wait: 0 }));
	await d.restart();
	assert.deepEqual((await host.drain()).map((event) => event.id),
	    [n + 3]);
});

test('a connection on which nothing is asked does not hold up the end',
    async () => {
	const d = await startDaemon();
	const idle = rawExchange(d, '');

	for (let i = 0; i < 4; i++)
		await request(d, 'GET', '/healthz');
	assert.equal(await d.stop(), 0);
	assert.ok((await idle).closed);
});
