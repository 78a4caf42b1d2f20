// newcomers.test.mjs - when all places are taken (--max-players), a register that
// was never used gives up its own (protocol section 10).
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertFailure, ok, Player, request, startStill as startDaemon }
    from '../lib/peerpost.mjs';

const UNUSED_S = 5;

function startSmall(n, args = [])
{
	return startDaemon({ args: ['--max-players', String(n), ...args] });
}

const tryRegister = (d, options = {}) =>
	request(d, 'POST', '/register', { body: 'x', ...options });

function assertFull(reply)
{
	assertFailure(reply, 503, 'RPB', 'too-many-players');
	assert.match(reply.headers['retry-after'], /^[1-9]\d*$/);
}

test('the oldest register that was never used gives up its place', async () => {
	const d = await startSmall(3);
	const first = await Player.register(d);
	const second = await Player.register(d);
	const used = await Player.register(d);

	ok(await used.create());
	assertFull(await tryRegister(d));
	d.advance(UNUSED_S);
	const third = await Player.register(d);

	// A newcomer is safe for a while.
	const fourth = await Player.register(d);

	assertFull(await tryRegister(d));
	for (const player of [first, second])
		assertFailure(await player.room(), 401, 'ICB', 'no-session');
	for (const player of [third, fourth])
		assertFailure(await player.room(), 404, 'ICB', 'not-in-room');
	ok(await used.room());
	d.advance(100);
	assertFull(await tryRegister(d));
});

for (const [what, use] of [
	['a poll', (player) => player.events({ wait: 0 })],
	['a command, even one that fails', (player) => player.seal()],
	['GET /room', (player) => player.room()],
	['GET /ice-servers', (player) => player.request('GET', '/ice-servers')]])
	test(`${what} makes a place safe`, async () => {
		const d = await startSmall(1);
		const player = await Player.register(d);

		await use(player);
		d.advance(60);
		assertFull(await tryRegister(d));
		ok(await player.create());
	});

test('so does being in a room, for as long as that lasts', async () => {
	const d = await startSmall(2);
	const register = (...rest) => request(d, 'POST', '/command', { body: [
		{ command: '###!RP', data: 'x' }, { command: '###!CR' }, ...rest] });
	const [{ token }] = ok(await register());
	const host = new Player(d, { token });

	ok(await register({ command: '###!LR' }));
	d.advance(60);
	ok(await tryRegister(d));
	assertFull(await tryRegister(d));
	ok(await host.room());
});

test('a register that is repeated has its time anew, and one that has lost its ' +
    'place makes a new player', async () => {
	const d = await startSmall(2);
	const keys = ['a', 'b'].map((each) => ({ headers:
		{ 'Idempotency-Key': each.repeat(32) } }));
	const [first, second] = [ok(await tryRegister(d, keys[0])),
		ok(await tryRegister(d, keys[1]))];

	d.advance(UNUSED_S - 1);
	assert.equal(ok(await tryRegister(d, keys[0])).token, first.token);
	d.advance(1);
	ok(await tryRegister(d));
	assertFull(await tryRegister(d));
	assertFailure(await new Player(d, second).room(), 401, 'ICB',
	    'no-session');
	assert.equal(ok(await tryRegister(d, keys[0])).data, first.data);
	d.advance(UNUSED_S);

	const again = ok(await tryRegister(d, keys[1]));

	assert.notEqual(again.data, second.data);
	assertFailure(await new Player(d, again).room(), 404, 'ICB',
	    'not-in-room');
});

test('who has used its session is safe in the lobby, too, wherever it comes from',
    async () => {
	const d = await startSmall(2);
	const host = await Player.register(d);
	const { data: uuid } = ok(await host.create());
	const member = await Player.register(d);

	ok(await member.join(uuid));
	ok(await host.leave());
	d.advance(60);
	assertFull(await tryRegister(d));
	ok(await host.create());
	ok(await member.join(ok(await host.room()).room));
	// The member is not heard of before it is in the lobby again.
	await d.restart();
	ok(await host.leave());
	d.advance(60);
	assertFull(await tryRegister(d));
	ok(await member.create());
});

test('after a restart everybody counts as one who uses its session', async () => {
	const d = await startSmall(1);
	const player = await Player.register(d);

	await d.restart();
	d.advance(60);
	assertFull(await tryRegister(d));
	ok(await player.create());
});

test('a flood of registers throws out itself, and nobody who plays', async () => {
	const d = await startSmall(50);
	const player = await Player.register(d);

	ok(await player.create());
	for (let i = 0; i < 200; i++) {
		d.advance(i % 50 === 48 ? UNUSED_S : 0);
		await tryRegister(d);
	}
	d.advance(UNUSED_S);
	const late = await Player.register(d);

	ok(await late.join(ok(await player.room()).room));
	ok(await player.room());
});
