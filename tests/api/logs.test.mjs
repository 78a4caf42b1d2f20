// logs.test.mjs - what the daemon writes about its clients: never a token, a
// query string or a message (protocol section 3).
import assert from 'node:assert/strict';
import test from 'node:test';
import { ask } from '../lib/admin.mjs';
import { assertFailure, makeRoom, ok, parked, Player, rawExchange, request,
    startDaemon, startStill, until } from '../lib/peerpost.mjs';

test('a full run at --log-level debug never logs a token, a query string, a ' +
    'key, a name, a message or a description', async () => {
	const d = await startDaemon({ admin: '127.0.0.1:0',
		args: ['--log-level', 'debug', '--access-log', '--lobby-timeout',
			'600', '--max-mailbox-events', '20'] });
	const SECRET = 'zzsecretzz';
	const { uuid, players } = await makeRoom(d,
	    ['ann', 'bob', 'cat'].map((name) => name + SECRET));
	const [host, bob, cat] = players;
	const idle = await Player.register(d, SECRET);
	const headers = { 'Idempotency-Key': `${SECRET}-${SECRET}-key`,
		'User-Agent': SECRET, Referer: SECRET, Cookie: SECRET,
		Origin: `https://${SECRET}.example` };
	const tokens = [...players, idle].map((player) => player.token);

	// Successes.
	ok(await bob.message(SECRET, { headers }));
	ok(await bob.message(SECRET, { headers }));
	ok(await bob.offer({ id: 1, rtc: { type: 'offer', sdp: 'v=0\r\no=- 42 2 ' +
	    `IN IP4 203.0.113.9\r\ns=${SECRET}\r\na=fingerprint:sha-256 4A` } }));
	ok(await bob.candidate({ id: 1, rtc: { candidate: 'candidate:1 1 UDP 1 ' +
	    '203.0.113.9 40000 typ host', usernameFragment: SECRET } }));
	await bob.offer({ id: 99, rtc: 'a=fingerprint:sha-256 4A' });
	await bob.candidate({ id: 'x', rtc: 'candidate:1 typ host' });
	ok(await bob.command([{ command: '###!SM', data: SECRET },
		{ command: SECRET }, { command: '###!JR', data: SECRET }]));
	ok(await request(d, 'POST', '/command', { body: {
		token: bob.token, command: '###!SM', data: SECRET } }));
	ok(await request(d, 'GET', '/room', { query: {
		access_token: bob.token, [SECRET]: SECRET } }));
	ok(await request(d, 'GET', '/events', { query: {
		access_token: bob.token, after: 0, wait: 0, x: SECRET } }));

	const { token } = ok(await request(d, 'POST', '/register',
	    { body: SECRET, headers }));

	tokens.push(token);

	// Failures.
	await bob.message(0, { text: `{"${SECRET}` });
	await bob.join(SECRET);
	await bob.offer({ id: SECRET });
	await bob.leave({ headers });
	await request(d, 'GET', '/room', { token: SECRET });
	await request(d, 'GET', '/nope', { query: `access_token=${bob.token}` });
	await request(d, 'GET', '/room',
	    { query: `access_token=${bob.token}&%` });
	await request(d, 'PUT', '/room', { query: SECRET, headers });
	await request(d, 'POST', '/message', { text: SECRET.repeat(7000),
		token: bob.token });
	await rawExchange(d, `GET /room?${SECRET} HTTP/1.1\r\nHost: x\r\n` +
	    `Host: ${SECRET}\r\nAuthorization: Bearer ${bob.token}\r\n\r\n`);
	await rawExchange(d, `${SECRET} /room?${SECRET} HTTP/1.1\r\n` +
	    'Host: x\r\n\r\n');
	await rawExchange(d, `${SECRET} ${SECRET}\r\n\r\n`, { half: true });

	// Polls, an eviction, time-outs, a restart, the end.
	const poll = host.events({ after: host.cursor + 99, wait: 55 });

	await parked(d, poll);
	await poll;
	d.advance(31); // cat does not come for its mail
	for (let i = 0; i < 30; i++) {
		ok(await host.message(SECRET + i));
		await host.drain();
		await bob.drain();
	}
	assert.equal((await cat.room()).status, 410);
	d.advance(100);
	await host.drain();
	d.advance(30);
	await until(async () => (await host.news()).some(([code]) =>
	    code === 'RPD'), 'time-out');
	// What an operator does.
	const late = await Player.register(d, SECRET);

	ok(await ask(d, 'GET', '/rooms', { query: SECRET }));
	ok(await ask(d, 'GET', `/rooms/${uuid}`));
	ok(await ask(d, 'POST', `/players/${late.id}/kick`, { headers:
	    { 'User-Agent': SECRET } }));
	await ask(d, 'POST', `/players/${SECRET}/kick`);
	await ask(d, 'POST', '/log-level', { text: SECRET });
	ok(await ask(d, 'POST', `/rooms/${uuid}/close`));
	await d.restart();
	ok(await host.create());
	ok(await host.unregister());
	assert.equal(await d.stop(), 0);

	assert.ok(d.stderr.length > 1000, d.stderr);
	assert.match(d.stderr, /finished/);
	assert.doesNotMatch(d.stderr, new RegExp(SECRET, 'i'));
	for (const each of tokens)
		assert.ok(!d.stderr.includes(each));
	assert.doesNotMatch(d.stderr, /access_token|Bearer|\?/);
	assert.doesNotMatch(d.stderr,
	    /203\.0\.113|fingerprint|candidate:|IN IP4|typ host|v=0/);
	assert.match(d.stderr, /route=\/candidate /);
	// A room is not named either, unless an operator has ended it.
	const [before, after] = d.stderr.split(`admin: room ${uuid} closed`);

	assert.ok(!before.includes(uuid) && !after.includes(uuid));
});

test('--log-level error is silent about clients', async () => {
	const d = await startDaemon();
	const loud = d.stderr.length;

	assert.ok(loud > 0);
	for (let i = 0; i < 3; i++) {
		await Player.register(d);
		await request(d, 'GET', '/nope');
	}
	assert.doesNotMatch(d.stderr.slice(loud), /debug|nope/);
});

// As many registers that a full table refuses.
async function refused(daemon, n)
{
	for (let i = 0; i < n; i++)
		assertFailure(await request(daemon, 'POST', '/register',
		    { body: 'late' }), 503, 'RPB', 'too-many-players');
}

const COUNT = /repeats that are not logged kind=too-many-players count=(\d+) /g;
const counts = (text) => [...text.matchAll(COUNT)].map(([, n]) => Number(n));

test('a flood of 503 makes two lines a minute, and every one is counted',
    async () => {
	const d = await startStill({ args: ['--max-players', '1',
		'--player-timeout', '0'] });

	// One that keeps its place.
	ok(await (await Player.register(d)).create());

	const before = d.stderr.length;

	await refused(d, 1);
	// The first is there at once, with all that a line has.
	await until(() => / finished .* status=503 error=too-many-players /
	    .test(d.stderr), 'first line');
	await refused(d, 1000);
	assert.ok(d.stderr.length - before < 300, d.stderr.slice(before));
	// The count comes though nothing else does.
	d.advance(60);
	await until(() => counts(d.stderr).length, 'count');
	await refused(d, 500);
	d.advance(60);
	await until(() => counts(d.stderr).length === 2, 'second count');
	await refused(d, 7);
	assert.equal(await d.stop(), 0);
	assert.deepEqual(counts(d.stderr), [1000, 500, 7]);
	assert.ok(d.stderr.length - before < 1000, d.stderr.slice(before));
});

test('an access log has every request, and its warnings no flood', async () => {
	const d = await startStill({ args: ['--max-players', '1', '--access-log',
		'--log-format', 'json'] });

	await Player.register(d);
	await refused(d, 50);
	assert.equal(await d.stop(), 0);

	const lines = d.stderr.split('\n').filter((line) => line.startsWith('{'))
	    .map((line) => JSON.parse(line));
	const levels = lines.filter(({ msg, error }) => msg === 'finished' &&
	    error === 'too-many-players').map(({ level }) => level);

	assert.deepEqual(levels, ['warning', ...Array(49).fill('info')]);
	assert.deepEqual(lines.filter(({ msg }) => /repeats/.test(msg))
	    .map(({ level, kind, count }) => [level, kind, count]),
	[['warning', 'too-many-players', 49]]);
});
