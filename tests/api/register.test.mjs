// register.test.mjs - becoming a player (protocol sections 1 and 2).
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import fs from 'node:fs';
import test from 'node:test';
import { assertFailure, ok, Player, request, startDaemon }
    from '../lib/peerpost.mjs';

const daemon = await startDaemon();
const register = (options) => request(daemon, 'POST', '/register', options);
const plain = (text, type = 'text/plain') =>
    register({ text, headers: { 'Content-Type': type } });

// The name as the others see it.
async function nameOf(reply)
{
	const player = new Player(daemon,
	    { id: ok(reply).data, token: reply.json.token });

	ok(await player.create());
	return ok(await player.room()).peers[0].name;
}

test('register replies RPK with the player id, then the token', async () => {
	const reply = await register({ body: 'ann' });

	assert.equal(reply.status, 200);
	assert.match(reply.text,
	    /^\{"command":"###!RPK","data":\d+,"token":"[A-Za-z0-9_-]+"\}$/);
});

test('player ids are unique, random, and in 2 .. 2^31-1', async () => {
	const ids = [];

	for (let i = 0; i < 30; i++)
		ids.push((await Player.register(daemon)).id);
	assert.equal(new Set(ids).size, ids.length);
	for (const id of ids)
		assert.ok(Number.isInteger(id) && id >= 2 && id <= 2 ** 31 - 1);
	// 30 ids below 2^24 by chance: 1 in 2^210.
	assert.ok(ids.some((id) => id >= 2 ** 24), ids.join());
	assert.ok(ids.some((id, i) => i > 0 && Math.abs(id - ids[i - 1]) > 1e6));
});

test('a token has at least 128 bits, is base64url and never repeats',
    async () => {
	const tokens = [];

	for (let i = 0; i < 10; i++)
		tokens.push((await Player.register(daemon)).token);
	assert.equal(new Set(tokens).size, tokens.length);
	for (const token of tokens)
		assert.match(token, /^[A-Za-z0-9_-]{22,}$/);
});

test('the database keeps the SHA-256 of a token and not the token',
    async () => {
	const other = await startDaemon();
	const { token } = await Player.register(other, 'ann');

	await other.stop();

	const bytes = fs.readFileSync(other.database);

	assert.ok(!bytes.includes(token));
	assert.ok(!bytes.includes(Buffer.from(token, 'base64url')));
	assert.ok(bytes.includes(
	    crypto.createHash('sha256').update(token).digest()));
});

test('a name has 1 to 64 code points', async () => {
	for (const name of ['a', 'x'.repeat(64), 'é'.repeat(64),
	    '😀'.repeat(64)])
		assert.equal(await nameOf(await register({ body: name })), name);
	for (const name of ['', 'x'.repeat(65), '😀'.repeat(65)])
		assertFailure(await register({ body: name }), 400, 'RPB',
		    'bad-name');
});

test('a name has no control characters', async () => {
	const controls = [...Array(0x20).keys(), 0x7f,
		...Array.from({ length: 0x20 }, (_, i) => 0x80 + i)];

	for (const code of controls) {
		const escape = '\\u' + code.toString(16).padStart(4, '0');

		assertFailure(await register({ text: `"a${escape}b"` }), 400,
		    'RPB', 'bad-name');
	}
	assertFailure(await register({ text: '"a\x7fb"' }), 400, 'RPB',
	    'bad-name');
	assertFailure(await register({ text: '"a\u0085b"' }), 400, 'RPB',
	    'bad-name');
	ok(await register({ text: '"a\u00a0b"' }));
});

test('a name may be escaped in JSON and is the same name', async () => {
	assert.equal(await nameOf(await register(
	    { text: ' "\\u0061\\/\\"\\\\\\ud83d\\ude00" ' })), 'a/"\\😀');
});

test('a name that is JSON but no string is bad-name', async () => {
	for (const text of ['1', 'null', 'true', '[]', '["ann"]', '{}',
	    '{"name":"ann"}'])
		assertFailure(await register({ text }), 400, 'RPB', 'bad-name');
});

test('two players may have the same name', async () => {
	const [one, two] = [await Player.register(daemon, 'twin'),
		await Player.register(daemon, 'twin')];

	assert.notEqual(one.id, two.id);
});

test('register without a body is bad-json', async () => {
	assertFailure(await register({}), 400, 'RPB', 'bad-json');
	assertFailure(await register({ text: ' ' }), 400, 'RPB', 'bad-json');
});

test('the body is JSON whatever its Content-Type says', async () => {
	for (const type of ['application/x-www-form-urlencoded',
	    'application/json; charset=utf-8', 'text/html', 'nonsense',
	    'text/plainer', 'multipart/form-data; boundary=x']) {
		assert.equal(await nameOf(await plain('"ann"', type)), 'ann');
		assertFailure(await plain('ann', type), 400, 'RPB', 'bad-json');
	}
	assertFailure(await register({ text: 'ann' }), 400, 'RPB', 'bad-json');
});

test('text/plain takes a body that does not begin with a quote as the name',
    async () => {
	for (const name of ['ann', '123', 'null', '{"a":1}', ' ann', 'a"b',
	    'é😀'])
		assert.equal(await nameOf(await plain(name)), name);
	assert.equal(await nameOf(
	    await plain('ann', 'Text/Plain;charset=UTF-8')), 'ann');
});

test('text/plain takes a body that begins with a quote as JSON', async () => {
	assert.equal(await nameOf(await plain('"an\\u006e"')), 'ann');
	assertFailure(await plain('"ann'), 400, 'RPB', 'bad-json');
});

test('a text/plain name follows the rules of names', async () => {
	for (const text of ['', 'ann\n', 'a\tb', 'x'.repeat(65),
	    Buffer.from([0x61, 0xff]), Buffer.from([0xed, 0xa0, 0x80]),
	    Buffer.from([0x61, 0x00])])
		assertFailure(await plain(text), 400, 'RPB', 'bad-name');
	ok(await plain('😀'.repeat(64)));
});

test('register with a live token is already-registered', async () => {
	const { token } = await Player.register(daemon);

	assertFailure(await register({ body: 'ann', token }), 409, 'RPB',
	    'already-registered');
	assertFailure(await register({ body: 'ann',
		query: { access_token: token } }), 409, 'RPB',
	    'already-registered');
	assertFailure(await request(daemon, 'POST', '/command', { token,
		body: { command: '###!RP', data: 'ann' } }), 409, 'RPB',
	    'already-registered');
});

test('register with a token that is not live just registers', async () => {
	const gone = await Player.register(daemon);

	ok(await gone.unregister());
	ok(await register({ body: 'ann', token: gone.token }));
	ok(await register({ body: 'ann', token: 'x'.repeat(43) }));
	ok(await register({ body: 'ann',
		headers: { Authorization: 'Basic abc' } }));
});

test('bad-name comes before already-registered', async () => {
	const { token } = await Player.register(daemon);

	assertFailure(await register({ body: '', token }), 400, 'RPB',
	    'bad-name');
});
