// paths.mjs - ways to a daemon, and what has to work on each of them.
//
// A way is what request() and Player take for a daemon: where to connect, and
// a transport if requests look different there.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after } from 'node:test';
import { assertFailure, httpTransport, ok, parked, Player, rawExchange, request,
    until } from './peerpost.mjs';
import { settle } from './wire.mjs';
import { FaultProxy } from './fault_proxy.mjs';

// --- ways ---------------------------------------------------------------

// Through a gateway, which has one daemon behind it.  keepAlive: whether the
// client keeps its connections.
export function gatewayWay({ host, port }, { keepAlive = true } = {})
{
	return { listeners: [{ host, port }], transport: httpTransport,
		agent: new http.Agent({ keepAlive }) };
}

// Through a proxy that the client's settings name: it gets absolute URLs.
export function forwardWay(daemon, { host, port })
{
	const origin = `http://${daemon.host}:${daemon.port}`;

	return { ...gatewayWay({ host, port }), transport: {
		send: (way, what) => httpTransport.send(way, { ...what,
			target: origin + what.target,
			headers: [['Host', `${daemon.host}:${daemon.port}`],
			    ...what.headers] }),
	} };
}

// As HTTP/1.0, each request on a connection of its own, which the daemon closes.
// headers: more lines.
export function http10Way(daemon, headers = [])
{
	const send = async (way, what) => {
		const lines = [`${what.method} ${what.target} HTTP/1.0`,
			...headers,
			...what.headers.map(([name, value]) => `${name}: ${value}`)];
		const exchange = rawExchange(daemon, Buffer.concat([
			Buffer.from(lines.join('\r\n') + '\r\n\r\n'),
			what.body ?? Buffer.alloc(0)]));

		what.onSent();
		const { closed, reset, responses } = await exchange;

		assert.deepEqual({ closed, reset, n: responses.length },
		    { closed: true, reset: false, n: 1 });
		return responses[0];
	};

	return { listeners: daemon.listeners, transport: { send } };
}

// A fault proxy before the daemon, and the way through it.  It ends with the
// test or file.
export async function startFaultProxy(daemon, script)
{
	const proxy = await FaultProxy.start({ target: daemon.listeners[0],
		script });

	after(() => proxy.close());
	return { proxy, way: gatewayWay(proxy) };
}

// The same player by another way.  It goes on from the same cursor, but from
// then on each has its own.
export function by(way, player)
{
	const other = new Player(way, player);

	other.cursor = player.cursor;
	return other;
}

// --- what has to work -----------------------------------------------------

// Two players meet, say all that there is to say, are refused what is wrong, and
// part.  Each goes its own way.
export async function meet(annsWay, bobsWay = annsWay)
{
	const ann = await Player.register(annsWay, 'ann');
	const bob = await Player.register(bobsWay, 'bob');
	const uuid = ok(await ann.create()).data;

	assertFailure(await bob.message('too early'), 409, 'RMB', 'not-in-room');
	assertFailure(await bob.join('6f1c1f6e-5f0a-4d3a-9a53-0d2c8e5b7a11'), 404,
	    'JRB', 'room-not-found');
	ok(await bob.join(uuid));
	assert.deepEqual(await ann.news(), [['CTR', 1], ['RPC', bob.id]]);
	assert.deepEqual(await bob.news(), [['CTR', bob.id], ['RPC', 1]]);

	// A poll that is held, or about to be, gets what comes.
	const poll = ann.events({ after: ann.cursor, wait: 55 });

	await poll.sent;
	await relay(bob, '/offer', { id: 1, rtc: { sdp: 'v=0' } });
	assert.deepEqual(ok(await poll).events.map(({ data }) => data),
	    [{ id: bob.id, rtc: { sdp: 'v=0' } }]);
	await relay(ann, '/answer', { id: bob.id, rtc: 'yes' });
	assert.deepEqual(ok(await bob.command([1, 2].map((n) =>
	    ({ command: '###!CC', data: { id: 1, rtc: n } })))), [null, null]);
	ok(await ann.message('h\u00e9llo'));
	ok(await ann.seal());

	const shared = [['RMK', 'h\u00e9llo'], ['SRK', 'null']];

	assert.deepEqual(await ann.news(), [['OOO', { id: bob.id,
		rtc: { sdp: 'v=0' } }], ['CCC', { id: bob.id, rtc: 1 }],
	['CCC', { id: bob.id, rtc: 2 }], ...shared]);
	assert.deepEqual(await bob.news(),
	    [['AAA', { id: 1, rtc: 'yes' }], ...shared]);
	assert.deepEqual(ok(await bob.room()).peers.map(({ name }) => name),
	    ['ann', 'bob']);
	ok(await ann.leave());
	assert.deepEqual(await bob.news(),
	    [['RPD', 1], ['RCL', 'Host Disconnected']]);
	ok(await ann.unregister());
	assertFailure(await ann.room(), 401, 'ICB', 'no-session');
	ok(await bob.unregister());
}

// A 204 passes as it is.
async function relay(player, target, body)
{
	const response = await player.post(target, { body });

	assert.equal(`${response.status} ${response.text}`, '204 ');
}

// --- the one place ------------------------------------------------------

// The arguments of a daemon in which the following can see whether a poll is
// held.
export const onePlace = ['--max-parked', '1'];

// Have another player try to be held, directly: whether there was a place.
export async function findsPlace(daemon, other)
{
	const abort = new AbortController();
	const poll = other.events({ wait: 55, signal: abort.signal });
	const answer = await Promise.race([
		poll.then(ok, () => null),
		parked(daemon, poll).then(() => null),
	]);

	abort.abort();
	await poll.catch(() => {});
	// Not to be in the way of the next one.
	await settle(daemon);
	if (answer)
		assert.ok(answer.poll_after_ms > 0, JSON.stringify(answer));
	return !answer;
}

// Let the player's poll be held; it comes by a way of its own.  other: some
// other player, known to the daemon itself.  ask: the request.
export async function holdPoll(daemon, player, other,
    { ask = (options) => player.events({ after: player.cursor, wait: 55,
	    ...options }) } = {})
{
	return until(async () => {
		const abort = new AbortController();
		const poll = ask({ signal: abort.signal });
		let isOver = false;

		poll.then(() => {
			isOver = true;
		}, () => {});
		await poll.sent;
		await request(player.daemon, 'GET', '/healthz');
		await settle(daemon);
		if (!await findsPlace(daemon, other) && !isOver)
			return { poll, hangUp: () => abort.abort() };
		// It was slower than the other one: once more.
		abort.abort();
		return null;
	}, 'held poll');
}

// The place is free again.
export async function placeFreed(daemon, other)
{
	await until(() => findsPlace(daemon, other), 'freed place');
}
