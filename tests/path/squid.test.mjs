// squid.test.mjs - the proxy of many schools and companies, as a client's
// settings name it: Debian's configuration, and one of a strict administrator.
//
// Debian's lets requests through to ports 1025-65535 ("Safe_ports"), so that the
// daemon's random one needs no line of its own.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertFailure, looked, makeRoom, ok, parked, Player, request,
    startDaemon } from '../lib/peerpost.mjs';
import { by, forwardWay, holdPoll, meet, onePlace, placeFreed,
    startFaultProxy } from '../lib/paths.mjs';
import { debianConfiguration, lacksSquid, startSquid } from '../lib/squid.mjs';

const skip = lacksSquid;
const ways = [];
let daemon, crowded, proxy;

// GET and POST, to a web server's ports (the daemons' here), for people who
// are here; no tunnels, and no other protocols inside of HTTP.
function strictConfiguration(ports)
{
	return `
acl web_port port ${ports.join(' ')}
acl web_method method GET POST
http_access deny !web_port
http_access deny !web_method
http_access allow localhost
http_access deny all
request_header_access Upgrade deny all
reply_header_access Upgrade deny all
via off
forwarded_for delete`;
}

if (!skip) {
	daemon = await startDaemon();
	crowded = await startDaemon({ args: onePlace });
	// Shows what arrives at the daemon.
	({ proxy } = await startFaultProxy(daemon, () => ({})));
	for (const [name, squid] of await Promise.all(Object.entries({
		"Debian's squid": debianConfiguration(),
		'strict squid': strictConfiguration(
		    [daemon.port, crowded.port, proxy.port]),
	}).map(async ([name, text]) => [name, await startSquid(text)])))
		ways.push({ name, squid, way: forwardWay(daemon, squid),
			crowdedWay: forwardWay(crowded, squid) });
} else {
	ways.push({ name: 'squid' });
}

for (const { name, squid, way, crowdedWay } of ways) {
	test(`${name}: players meet`, { skip }, async () => {
		await meet(way);
		// There and back again: the other is not behind it.
		await meet(way, daemon);
		assert.match(squid.log(), /TCP_MISS\/204/);
		assert.match(squid.log(), /TCP_MISS\/409/);
	});

	test(`${name}: a poll is held for its time`, { skip }, async () => {
		const player = await Player.register(way);
		let isOver = false;
		const poll = player.events({ after: 0, wait: 25 });

		poll.then(() => {
			isOver = true;
		});
		await request(way, 'GET', '/healthz');
		await parked(daemon, poll);
		daemon.advance(20);
		await looked(daemon);
		await request(way, 'GET', '/healthz');
		assert.ok(!isOver);
		daemon.advance(6);
		assert.deepEqual(ok(await poll), { events: [], next: 0 });
	});

	test(`${name}: a held poll is woken, again and again`, { skip },
	    async () => {
		const { players: [ann, bob] } = await makeRoom(way);

		for (let i = 0; i < 20; i++) {
			const poll = bob.events({ after: bob.cursor, wait: 55 });

			await request(way, 'GET', '/healthz');
			await parked(daemon, poll);
			ok(await ann.message(i));

			const { events, next } = ok(await poll);

			assert.deepEqual(events.map(({ data }) => data), [i]);
			bob.cursor = next;
		}
	});

	test(`${name}: it tells when the client of a held poll hangs up`,
	    { skip }, async () => {
		const other = await Player.register(crowded);
		const player = await Player.register(crowdedWay);

		// As whatever the poll is asked for.
		for (const ask of [
			(options) => player.events({ after: 0, ...options }),
			(options) => player.post('/events', { ...options,
				body: { after: 0, wait: 55 } }),
			(options) => request(crowdedWay, 'POST', '/events',
			    { ...options, body: { token: player.token } }),
			(options) => request(crowdedWay, 'GET', '/events',
			    { ...options, query: { access_token: player.token } }),
		]) {
			const { poll, hangUp } = await holdPoll(crowded, player,
			    other, { ask });

			hangUp();
			await assert.rejects(poll, { name: 'AbortError' });
			await placeFreed(crowded, other);
		}
		assert.match(squid.log(), /TCP_MISS_ABORTED/);
		// It writes no query into its log, so no tokens either.
		assert.ok(!squid.log().includes(player.token));
	});

	test(`${name}: it keeps no reply for another request`, { skip },
	    async () => {
		const { players: [ann, bob] } = await makeRoom(way);
		const once = () => bob.events({ after: bob.cursor, wait: 0 });

		assert.deepEqual(ok(await once()).events, []);
		ok(await ann.message('new'));
		assert.equal(ok(await once()).events.length, 1);
		assert.equal(ok(await once()).events.length, 1);
	});

	test(`${name}: a repeated POST is known by its key`, { skip }, async () => {
		const { players: [ann, bob] } = await makeRoom(way);
		const send = () => ann.message('once',
		    { headers: { 'Idempotency-Key': 'k' } });
		const first = await send();
		const second = await send();

		assert.equal(ok(second).data, ok(first).data);
		assert.equal(second.headers['idempotency-replayed'], 'true');
		assert.deepEqual(await bob.news(), [['RMK', 'once']]);
	});

	test(`${name}: Upgrade does not pass`, { skip }, async () => {
		const seen = proxy.requests.length;
		const reply = await request(forwardWay(proxy, squid), 'GET',
		    '/healthz', { headers: { Connection: 'Upgrade',
			    Upgrade: 'websocket', 'Sec-WebSocket-Version': '13',
			    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==' } });

		assert.equal(reply.status, 200);
		assert.equal(proxy.requests.length, seen + 1);
		assert.ok(!('upgrade' in proxy.requests[seen].headers));
	});

	test(`${name}: while the daemon is away it answers itself, in HTML`,
	    { skip }, async () => {
		const short = await startDaemon();
		// For the strict one, at a port that it knows.
		const { port } = proxy;
		const saved = proxy.target;

		proxy.target = short.listeners[0];

		const { players: [ann, bob] } =
		    await makeRoom(forwardWay({ host: '127.0.0.1', port }, squid));

		await short.kill();

		const reply = await ann.message('lost');

		assert.ok(reply.status >= 500);
		assert.match(reply.headers['content-type'], /^text\/html/);
		assert.equal(reply.json, undefined);
		await short.restart();
		ok(await ann.message('kept'));
		assert.deepEqual(await bob.news(), [['RMK', 'kept']]);
		proxy.target = saved;
	});
}

test('strict squid: what it refuses is not needed', { skip }, async () => {
	const { way, squid } = ways[1];

	for (const method of ['OPTIONS', 'HEAD', 'PUT', 'DELETE'])
		assert.equal((await request(way, method, '/healthz')).status, 403);
	// Not a port that it lets through.
	const hidden = await startDaemon();

	assert.equal((await request(forwardWay(hidden, squid), 'GET', '/healthz'))
	    .status, 403);
	assertFailure(await by(way, { token: 'x' }).room(), 401, 'ICB',
	    'no-session');
});
