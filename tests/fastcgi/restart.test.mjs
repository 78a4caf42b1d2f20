// restart.test.mjs - SIGTERM and SIGKILL with web servers at the other end.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRoom, ok, Player, request, startDaemon }
    from '../lib/peerpost.mjs';
import { registerMany, unlimited } from '../lib/crowd.mjs';
import { beginRequest, encodePairs, paramsOf, record, responseOf, stream,
    toJson, Type } from '../lib/fastcgi.mjs';
import { FastcgiConnection, settleFastcgi, soon } from
    '../lib/fastcgi_connection.mjs';

const start = (options = {}) => startDaemon({ clock: false, args: unlimited,
	fastcgi: '127.0.0.1:0', ...options });
const open = (daemon) => FastcgiConnection.open(daemon.fastcgi[0]);
const answer = async (promise) => toJson(responseOf(await soon(promise)));

function poll({ token, cursor })
{
	return { method: 'GET', target: `/events?after=${cursor}&wait=55`,
		headers: [['Authorization', `Bearer ${token}`]] };
}

function assertSentAway(response)
{
	const reply = ok(response);

	assert.deepEqual(reply.events, []);
	assert.ok(reply.poll_after_ms >= 250 && reply.poll_after_ms <= 3000,
	    response.text);
}

for (const [how, listen] of [['beside HTTP', '127.0.0.1:0'], ['alone', []]])
	test(`SIGTERM: held polls are answered, connections closed, exit 0 ` +
	    `(${how})`, async () => {
		const daemon = await start({ listen });
		const [many, one, idle] = [await open(daemon),
			await open(daemon), await open(daemon)];
		const tokens = [];

		for (let i = 0; i < 60; i++)
			tokens.push(ok(await many.ask('POST', '/register',
			    { body: 'x' })).token);
		const polls = tokens.map((token, i) => (i === 0 ? one : many)
		    .request(poll({ token, cursor: 0 }), { keep: i !== 0 }));

		await settleFastcgi(daemon);
		assert.equal(many.live.size + one.live.size, 60);
		const stopped = daemon.stop();

		for (const { ended } of polls)
			assertSentAway(await answer(ended));
		for (const connection of [many, one, idle])
			await connection.closed();
		assert.equal(await stopped, 0);
	});

test('SIGTERM: what comes while it drains is carried out, and lasts',
    async () => {
	const daemon = await start();
	const { players: [ann, bob] } = await makeRoom(daemon);
	const [held, begun, late] = [await open(daemon), await open(daemon),
		await open(daemon)];
	const body = Buffer.from('{"id":1,"rtc":"begun before"}');
	const offer = { method: 'POST', target: '/offer', body,
		headers: [['Authorization', `Bearer ${bob.token}`]] };
	const { ended } = held.request(poll(bob));
	const offered = begun.expect(1);
	const lated = late.expect(1);

	begun.send(beginRequest(1), stream(Type.PARAMS, 1,
	    encodePairs(paramsOf(offer))),
	record(Type.STDIN, 1, body.subarray(0, 9)));
	late.send(beginRequest(1), record(Type.PARAMS, 1,
	    encodePairs(paramsOf(poll(ann)))));
	await settleFastcgi(daemon);
	const stopped = daemon.stop();

	// It has begun when this is answered; every answer is a connection's
	// last one then.
	assertSentAway(await answer(ended));
	await held.closed();
	begun.send(stream(Type.STDIN, 1, body.subarray(9)));
	late.send(record(Type.PARAMS, 1), record(Type.STDIN, 1));
	assert.equal(responseOf(await soon(offered)).status, 204);
	// Either has mail by then, or is sent away.
	const { events } = ok(await answer(lated));

	assert.ok(events.length <= 1);
	await begun.closed();
	await late.closed();
	assert.equal(await stopped, 0);

	await daemon.restart();
	assert.deepEqual(await ann.news(),
	    [['OOO', { id: bob.id, rtc: 'begun before' }]]);
});

test('SIGTERM: requests under way on one connection are all answered',
    async () => {
	const daemon = await start();
	const { players: [ann] } = await makeRoom(daemon, ['ann']);
	const connection = await open(daemon);
	const asked = Array.from({ length: 50 }, (_, i) => connection.request({
		method: 'POST', target: '/message', body: Buffer.from(`${i}`),
		headers: [['Authorization', `Bearer ${ann.token}`]] }));

	await settleFastcgi(daemon);
	const stopped = daemon.stop();

	for (const { ended } of asked)
		ok(await answer(ended));
	await connection.closed();
	assert.equal(await stopped, 0);
	await daemon.restart();
	assert.equal((await ann.drain()).length, 50);
});

test('SIGTERM: a web server that reads nothing does not hold up the end',
    async () => {
	const daemon = await start();
	const { players: [ann] } = await makeRoom(daemon, ['ann']);
	const connection = await open(daemon);

	for (let i = 0; i < 4; i++)
		ok(await ann.message('x'.repeat(50_000)));
	connection.socket.pause();
	for (let i = 0; i < 200; i++)
		connection.request({ ...poll(ann),
			target: '/events?after=0&wait=0' });
	await settleFastcgi(daemon);
	assert.equal(await daemon.stop(), 0);
	connection.close();
});

test('killed and started again: sessions go on', async () => {
	const daemon = await start();
	const ask = async (connection, player, method, target, value) =>
	    connection.ask(method, target, { token: player.token,
		    ...(value === undefined ? {} : { body: value }) });
	let connection = await open(daemon);
	const [ann, bob] = await registerMany(daemon, 2);
	const uuid = ok(await ask(connection, ann, 'POST', '/create-room')).data;

	ok(await ask(connection, bob, 'POST', '/join-room', uuid));
	ok(await ask(connection, ann, 'POST', '/message', 'before'));
	const before = await ask(connection, bob, 'GET',
	    '/events?after=0&wait=0');
	const { ended } = connection.request(poll({ token: bob.token,
		cursor: ok(before).next }));

	await settleFastcgi(daemon);
	await daemon.kill();
	await connection.closed();
	await assert.rejects(ended, { code: 'ECONNRESET' });
	await daemon.restart();

	connection = await open(daemon);
	assert.equal((await ask(connection, bob, 'GET', '/events?after=0&wait=0'))
	    .text, before.text);
	assert.equal(ok(await ask(connection, bob, 'GET', '/room')).room, uuid);
	ok(await ask(connection, ann, 'POST', '/message', 'after'));
	assert.deepEqual(ok(await ask(connection, bob, 'GET',
	    `/events?after=${before.json.next}&wait=55`)).events
	    .map(({ data }) => data), ['after']);
	connection.close();
});

test('a player may come through either transport at any time', async () => {
	const daemon = await start();
	const connection = await open(daemon);
	const ann = await Player.register(daemon);
	const { ended } = connection.request(poll(ann));

	await settleFastcgi(daemon);
	// Newest wins, whatever the transport.
	const newest = ann.events({ after: 0, wait: 55 });

	assert.equal(ok(await answer(ended)).superseded, true);
	ok(await connection.ask('POST', '/create-room', { token: ann.token }));
	assert.equal(ok(await newest).events.length, 1);
	ok(await request(daemon, 'GET', '/room', { token: ann.token }));
	connection.close();
});
