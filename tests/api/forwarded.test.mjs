// forwarded.test.mjs - limits per address behind trusted proxies: they count
// the client that the proxy names, and believe nobody else.
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertFailure, ok, parked, Player, request, startDaemon, startStill,
    until } from '../lib/peerpost.mjs';

const ONE = ['--register-rate', '1', '--register-burst', '1'];

async function register(daemon, headers)
{
	const { status } = await request(daemon, 'POST', '/register',
	    { body: 'x', headers });

	return status;
}

// How registers from each of the headers in a row end, one a second allowed.
async function statuses(args, ...all)
{
	const daemon = await startDaemon({ args: [...ONE, ...args] });
	const found = [];

	for (const headers of all)
		found.push(await register(daemon, headers));
	return found.join(' ');
}

const via = (list) => ({ 'X-Forwarded-For': list });

test('each client that a proxy names has a limit of its own', async () => {
	assert.equal(await statuses([], via('198.51.100.1'), via('198.51.100.2'),
	    via('198.51.100.1'), via('198.51.100.2')), '200 200 429 429');
});

test('what a client puts in front of its proxy\'s word is not believed',
    async () => {
	assert.equal(await statuses([], via('198.51.100.1'),
	    via('203.0.113.9, 198.51.100.1'), via('127.0.0.1, 198.51.100.1'),
	    via('garbage, 198.51.100.1'), via(', 198.51.100.1')),
	    '200 429 429 429 429');
});

test('further trusted proxies are passed over', async () => {
	assert.equal(await statuses(['--trusted-proxy', '127.0.0.0/8',
		'--trusted-proxy', '::1', '--trusted-proxy', 'unix',
		'--trusted-proxy', '10.0.0.0/8'],
	via('198.51.100.1, 10.1.2.3'), via('198.51.100.1, 10.9.9.9, 10.0.0.1'),
	via('198.51.100.2, 10.1.2.3'),
	// Lines of one header are one list.
	via(['198.51.100.2', '10.1.2.3'])), '200 429 200 429');
});

test('IPv6 clients are counted by their /64', async () => {
	assert.equal(await statuses([], via('2001:db8:0:1::1'),
	    via('2001:db8:0:1:ffff::2'), via('[2001:db8:0:1::3]:443'),
	    via('2001:db8:0:2::1')), '200 429 429 200');
});

test('a /48 of IPv6 has eight times what a /64 has', async () => {
	const subnet = (n) => via(`2001:db8:0:${n.toString(16)}::1`);
	const daemon = await startStill({ args: ONE });
	const found = [];

	for (let n = 1; n <= 64; n++)
		found.push(await register(daemon, subnet(n)));
	assert.equal(found.filter((status) => status === 200).length, 8);
	assert.equal(found.filter((status) => status === 429).length, 56);
	// Another network has all of it, and so has IPv4 in IPv6's form.
	assert.equal(await register(daemon, via('2001:db8:1:1::1')), 200);
	assert.equal(await register(daemon, via('::ffff:198.51.100.1')), 200);
	assert.equal(await register(daemon, via('198.51.100.1')), 429);
	daemon.advance(1);
	assert.equal(await register(daemon, subnet(99)), 200);
});

test('a client\'s many /64s are limited together in what they hold',
    async () => {
	const daemon = await startDaemon({
		args: ['--max-connections-per-address', '1', '--register-rate',
			'0'] });
	const subnet = (n) => ({ headers: via(`2001:db8:0:${n.toString(16)}::1`) });
	const polls = [];

	for (let n = 1; n <= 8; n++) {
		const player = await Player.register(daemon, 'p', {});
		const poll = player.events({ after: 0, wait: 50, ...subnet(n) });

		await parked(daemon, poll);
		polls.push(poll);
	}

	const late = await Player.register(daemon, 'late', {});

	assertFailure(await late.room(subnet(9)), 429, 'ICB', 'rate-limited');
	assertFailure(await late.room(subnet(0x1000)), 429, 'ICB',
	    'rate-limited');
	assertFailure(await late.room({ headers: via('2001:db8:1:1::1') }), 404,
	    'ICB', 'not-in-room');
	daemon.advance(51);
	for (const poll of polls)
		ok(await poll);
	await until(async () => (await late.room(subnet(9))).status === 404);
});

test('Forwarded is read where there is no X-Forwarded-For', async () => {
	const forwarded = (value) => ({ Forwarded: value });

	assert.equal(await statuses([], forwarded('for=198.51.100.1;proto=https'),
	    forwarded('for=203.0.113.9, For="198.51.100.1:4711"'),
	    forwarded('for="[2001:db8::1]"'), forwarded('for="[2001:db8::2]:80"'),
	    { ...forwarded('for=198.51.100.7'), ...via('198.51.100.1') }),
	'200 429 200 429 429');
});

test('who is not trusted names nobody', async () => {
	// All that is left is the peer, and that is exempt here.
	assert.equal(await statuses(['--trusted-proxy', 'none'],
	    via('198.51.100.1'), via('198.51.100.1')), '200 200');
	assert.equal(await statuses(['--trusted-proxy', '192.0.2.0/24'],
	    via('198.51.100.1'), via('198.51.100.1')), '200 200');
});

test('what cannot be understood leaves the peer', async () => {
	assert.equal(await statuses([], via('unknown'), via('unknown'), via('_x'),
	    via('198.51.100.1,'), via('198.51.100.300'), via('')),
	'200 200 200 200 200 200');
});

test('one client\'s held polls through a proxy are limited, and make room ' +
    'when they end', async () => {
	const daemon = await startDaemon({
		args: ['--max-connections-per-address', '2'] });
	const headers = via('198.51.100.1');
	const players = [];

	for (let i = 0; i < 4; i++)
		players.push(await Player.register(daemon, 'p', { headers }));

	const polls = players.slice(0, 2).map((player) =>
	    player.events({ after: 0, wait: 50, headers }));

	for (const poll of polls)
		await parked(daemon, poll);

	const refused = await players[2].events({ after: 0, wait: 50, headers });

	assertFailure(refused, 429, 'ICB', 'rate-limited');
	assert.match(refused.headers['retry-after'], /^[1-9]/);
	// Others, and whoever comes without a proxy, are not concerned.
	assertFailure(await players[2].room({ headers: via('198.51.100.2') }),
	    404, 'ICB', 'not-in-room');
	ok(await players[2].events({ after: 0, wait: 0 }));
	ok(await players[0].create({ headers: {} }));
	ok(await polls[0]);
	await until(async () => (await players[3].events(
	    { after: 0, wait: 0, headers })).status === 200);
	daemon.advance(51);
	ok(await polls[1]);
});
