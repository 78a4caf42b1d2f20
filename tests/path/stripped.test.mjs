// stripped.test.mjs - proxies that take header fields away.  In replies, no
// field is needed that HTTP itself does not need; in requests, those that are
// can be said otherwise.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertFailure, makeRoom, ok, Player, request, startDaemon, until }
    from '../lib/peerpost.mjs';
import { by, meet, startFaultProxy } from '../lib/paths.mjs';
import { inTurn } from '../lib/fault_proxy.mjs';

const daemon = await startDaemon();
const RETRY = { headers: { 'Idempotency-Key': 'k' } };

function fields({ rawHeaders })
{
	return rawHeaders.filter((each, i) => i % 2 === 0)
	    .map((name) => name.toLowerCase())
	    .filter((name) => !['connection', 'keep-alive'].includes(name));
}

test('replies without header fields: players meet', async () => {
	const { way } = await startFaultProxy(daemon,
	    () => ({ stripResponse: true }));

	await meet(way);
	assert.deepEqual(fields(await request(way, 'GET', '/healthz')),
	    ['content-length']);
});

test('replies without header fields: the body says when to poll again',
    async () => {
	const { way } = await startFaultProxy(daemon,
	    () => ({ stripResponse: true }));
	const player = await Player.register(way);
	const older = player.events({ after: 0, wait: 55 });

	await older.sent;
	await request(way, 'GET', '/healthz');

	const newer = player.events({ after: 0, wait: 55 });
	const reply = await Promise.race([older, newer]);

	assert.deepEqual(fields(reply), ['content-length']);
	assert.deepEqual(reply.json, { events: [], next: 0, superseded: true,
		poll_after_ms: 5000 });
	daemon.advance(56);
	for (const poll of [older, newer])
		ok(await poll);
});

test('replies without header fields: every failure has its word in the body',
    async () => {
	const strict = await startDaemon({ args: ['--command-burst', '2',
		'--command-rate', '1', '--max-rooms', '1'] });
	const { way } = await startFaultProxy(strict,
	    () => ({ stripResponse: true }));
	const ann = await Player.register(way, 'ann');
	const bob = await Player.register(way, 'bob');
	const failed = [];

	ok(await ann.create());
	for (const [reply, ...failure] of [
		[await bob.create(), 503, 'CRB', 'too-many-rooms'],
		[await bob.message('x'), 409, 'RMB', 'not-in-room'],
		[await until(async () => {
			const reply = await bob.message('x');

			return reply.status === 409 ? null : reply;
		}, 'too many commands'), 429, 'RMB', 'rate-limited'],
		[await request(way, 'GET', '/room'), 401, 'ICB', 'no-session'],
		[await request(way, 'GET', '/no'), 404, 'ICB', 'not-found'],
		[await request(way, 'PUT', '/room'), 405, 'ICB',
			'method-not-allowed'],
	]) {
		assertFailure(reply, ...failure);
		failed.push(fields(reply));
	}
	assert.deepEqual(failed, failed.map(() => ['content-length']));
});

test('replies without header fields: a replayed one is the same', async () => {
	const { way } = await startFaultProxy(daemon,
	    () => ({ stripResponse: true }));
	const { players: [ann, bob] } = await makeRoom(daemon);
	const send = () => by(way, ann).message('once', RETRY);
	const [first, second] = [await send(), await send()];

	assert.equal(ok(second).data, ok(first).data);
	assert.equal(second.text, first.text);
	assert.deepEqual(await bob.news(), [['RMK', 'once']]);
});

test('replies without header fields: after the end of a session, why',
    async () => {
	const { way } = await startFaultProxy(daemon,
	    () => ({ stripResponse: true }));
	const player = await Player.register(way);

	ok(await player.unregister());
	assertFailure(await player.events(), 401, 'ICB', 'no-session');
});

test('requests without Authorization: the token in the body or in the query',
    async () => {
	const { way, proxy } = await startFaultProxy(daemon,
	    () => ({ stripRequest: ['Authorization'] }));
	const ann = await Player.register(way, 'ann');
	const bob = await Player.register(way, 'bob');
	const command = (player, body) => request(way, 'POST', '/command',
	    { body: { token: player.token, ...body } });
	const events = (player, more = {}) => request(way, 'POST', '/events',
	    { body: { token: player.token, ...more } });

	assertFailure(await ann.create(), 401, 'CRB', 'no-session');
	assert.ok('authorization' in proxy.requests.at(-1).headers);

	const { data: uuid } = ok(await command(ann, { command: '###!CR' }));
	const joined = ok(await command(bob, { after: 0, commands: [
		{ command: '###!JR', data: uuid },
		{ command: '###!OO', data: { id: 1, rtc: 'o' } }] }));

	assert.deepEqual(joined.replies.map((reply) => reply?.command),
	    ['###!JRK', undefined]);
	assert.deepEqual(joined.events.map(({ data }) => data), [bob.id, 1]);

	const got = ok(await events(ann, { after: 0, wait: 55 }));

	assert.deepEqual(got.events.map(({ command: code, data }) =>
	    [code, data]), [['###!CTR', 1], ['###!RPC', bob.id],
	    ['###!OOO', { id: bob.id, rtc: 'o' }]]);

	// And all of the rest with the query, if need be.
	const query = { access_token: ann.token };

	assert.equal(ok(await request(way, 'GET', '/room', { query })).room, uuid);
	ok(await request(way, 'POST', '/message', { query, body: 'm' }));
	assert.deepEqual(ok(await request(way, 'GET', '/events',
	    { query: { ...query, after: got.next, wait: 0 } })).events
	    .map(({ data }) => data), ['m']);
});

test('requests without any header field: players meet all the same',
    async () => {
	const { way } = await startFaultProxy(daemon,
	    () => ({ stripRequest: true, stripResponse: true }));
	// What Player would say in Authorization.
	const bare = { ...way, transport: { send: (to, what) =>
		way.transport.send(to, { ...what, target: withToken(what) }) } };

	await meet(bare);
});

test('requests without Idempotency-Key: the room tells what has been done',
    async () => {
	const { way, proxy } = await startFaultProxy(daemon,
	    () => ({ stripRequest: ['Idempotency-Key'] }));
	const player = await Player.register(way);
	const lose = async (sending) => {
		proxy.script = inTurn([{ stripRequest: ['Idempotency-Key'],
			drop: true }]);
		await assert.rejects(sending(), { code: 'ECONNRESET' });
		proxy.script = () => ({ stripRequest: ['Idempotency-Key'] });
		return sending();
	};

	assertFailure(await lose(() => player.create(RETRY)), 409, 'CRB',
	    'already-in-room');
	assert.equal(ok(await player.room()).id, 1);
	assertFailure(await lose(() => player.leave(RETRY)), 409, 'LRB',
	    'not-in-room');
	// But what is relayed comes twice.
	ok(await player.create());
	await player.drain();
	ok(await lose(() => player.message('m', RETRY)));
	assert.deepEqual(await player.news(), [['RMK', 'm'], ['RMK', 'm']]);
});

function withToken({ target, headers })
{
	const [, token] = headers.find(([name]) => name === 'Authorization') ?? [];

	return !token ? target : target + (target.includes('?') ? '&' : '?') +
	    `access_token=${token.replace('Bearer ', '')}`;
}
