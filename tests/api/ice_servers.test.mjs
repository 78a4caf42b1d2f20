// ice_servers.test.mjs - GET /ice-servers, and the options behind it (protocol
// section 9).  turn.test.mjs shows that coturn agrees.
import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { assertFailure, looked, ok, Player, request, runProgram, scratchDir,
    startDaemon, until } from '../lib/peerpost.mjs';

const SECRET = 'north-of-nowhere';
const dir = scratchDir();
const plain = await startDaemon();
const turn = await startDaemon({ args: ['--ice-server', 'stun:stun.example',
	'--turn-uri', 'turn:turn.example?transport=udp',
	'--turn-uri', 'turns:turn.example:443?transport=tcp',
	'--turn-secret', SECRET, '--turn-secret', 'another',
	'--turn-ttl', '600', '--player-timeout', '100',
	'--lobby-timeout', '100000', '--command-rate', '1',
	'--command-burst', '1'] });

function iceServers(player, options)
{
	return player.request('GET', '/ice-servers', options);
}

function credentialOf(secret, username)
{
	return createHmac('sha1', secret).update(username).digest('base64');
}

// The values of the Link headers, one by one.
function links({ rawHeaders })
{
	return rawHeaders.filter((each, i) =>
	    i % 2 === 1 && rawHeaders[i - 1].toLowerCase() === 'link');
}

function secretFile(name, text, mode = 0o600)
{
	const file = path.join(dir, name);

	fs.writeFileSync(file, text);
	fs.chmodSync(file, mode);
	return file;
}

test('without any option it is an empty list', async () => {
	const reply = await iceServers(await Player.register(plain));

	assert.equal(reply.status, 200);
	assert.equal(reply.text, '{"iceServers":[]}');
	assert.deepEqual(links(reply), []);
	assert.equal(reply.headers['content-type'],
	    'application/json; charset=utf-8');
	assert.equal(reply.headers['cache-control'], 'no-store, no-transform');
});

test('static servers come in the order of the options, as they are',
    async () => {
	const d = await startDaemon({ args: [
		'--ice-server', 'stun:stun.example',
		'--ice-server=stuns:stun.example:5349',
		'--ice-server', 'turn:[2001:db8::1]:3478?transport=udp,ann,a"b\\,c',
		'--ice-server', 'turns:turn.example,bob,x'] });
	const reply = await iceServers(await Player.register(d));

	assert.equal(reply.text, JSON.stringify({ iceServers: [
		{ urls: ['stun:stun.example', 'stuns:stun.example:5349'] },
		{ urls: ['turn:[2001:db8::1]:3478?transport=udp'],
			username: 'ann', credential: 'a"b\\,c' },
		{ urls: ['turns:turn.example'], username: 'bob',
			credential: 'x' },
	] }));
	// RFC 9725, section 4.6.
	assert.deepEqual(links(reply), [
		'<stun:stun.example>; rel="ice-server"',
		'<stuns:stun.example:5349>; rel="ice-server"',
		'<turn:[2001:db8::1]:3478?transport=udp>; rel="ice-server"; ' +
		    'username="ann"; credential="a\\"b\\\\,c"; ' +
		    'credential-type="password"',
		'<turns:turn.example>; rel="ice-server"; username="bob"; ' +
		    'credential="x"; credential-type="password"',
	]);
});

test('each player gets a credential of its own, by the first secret',
    async () => {
	for (const name of ['ann', 'bob']) {
		const player = await Player.register(turn, name);
		const from = Math.floor(Date.now() / 1000);
		const reply = await iceServers(player);
		const to = Math.floor(Date.now() / 1000);
		const { username, credential } = reply.json.iceServers[1];
		const [, expiry, id] = /^(\d+):(\d+)$/.exec(username);

		assert.equal(Number(id), player.id);
		assert.ok(Number(expiry) >= from + 600 &&
		    Number(expiry) <= to + 600, `${expiry} at ${from}..${to}`);
		assert.equal(credential, credentialOf(SECRET, username));
		assert.equal(reply.text, JSON.stringify({ iceServers: [
			{ urls: ['stun:stun.example'] },
			{ urls: ['turn:turn.example?transport=udp',
				'turns:turn.example:443?transport=tcp'],
				username, credential },
		], ttl: 600 }));

		const rest = `; rel="ice-server"; username="${username}"; ` +
		    `credential="${credential}"; credential-type="password"`;

		assert.deepEqual(links(reply), [
			'<stun:stun.example>; rel="ice-server"',
			`<turn:turn.example?transport=udp>${rest}`,
			`<turns:turn.example:443?transport=tcp>${rest}`]);
	}
});

test('a byte order mark and CR LF are no part of a secret', async () => {
	const d = await startDaemon({ args: ['--turn-uri', 'turn:turn.example',
		'--turn-secret-file',
		secretFile('marked', `\ufeff\r\n${SECRET}\r\nx\r\n`)] });
	const { iceServers: [{ username, credential }] } = ok(await iceServers(
	    await Player.register(d)));

	assert.equal(credential, credentialOf(SECRET, username));
});

test('a credential counts from when it is asked for', async () => {
	const player = await Player.register(turn);
	const expiry = async () => parseInt(ok(await iceServers(player))
	    .iceServers[1].username);
	const first = await expiry();

	turn.advance(50);
	await looked(turn);
	assert.ok(await expiry() >= first + 50);
});

test('asking is a sign of life and costs nothing', async () => {
	const asking = await Player.register(turn);
	const silent = await Player.register(turn);

	for (let i = 0; i < 5; i++) {
		turn.advance(60);
		await looked(turn);
		ok(await iceServers(asking));
	}
	await until(async () =>
	    (await iceServers(silent)).status === 410, 'time-out');
	assertFailure(await iceServers(silent), 410, 'PTO', 'timed-out');
});

test('a session is needed: 401, and the token may be in the query', async () => {
	const player = await Player.register(turn);

	for (const token of [undefined, 'x'.repeat(43)]) {
		const reply = await request(turn, 'GET', '/ice-servers', { token });

		assertFailure(reply, 401, 'ICB', 'no-session');
		assert.deepEqual(links(reply), []);
		assert.doesNotMatch(reply.text, /turn/);
	}
	assert.equal(ok(await request(turn, 'GET', '/ice-servers',
	    { query: { access_token: player.token } })).iceServers.length, 2);
	ok(await player.unregister());
	assertFailure(await iceServers(player), 401, 'ICB', 'no-session');
});

test('the next reply on a connection has none of the links', async () => {
	const player = await Player.register(turn);

	assert.equal(links(await iceServers(player)).length, 3);
	assert.deepEqual(links(await player.room()), []);
});

test('pages of other origins can read the links', async () => {
	const player = await Player.register(turn);
	const reply = await iceServers(player,
	    { headers: { Origin: 'https://game.example' } });

	assert.equal(reply.headers['access-control-allow-origin'], '*');
	assert.match(reply.headers['access-control-expose-headers'],
	    /(?:^|, )Link(?:$|,)/);
});

test('secrets come from files too, and the first of all makes credentials',
    async () => {
	const file = secretFile('two', '\nfrom the file\nold\n');

	for (const [args, wanted] of [
		[['--turn-secret-file', file], 'from the file'],
		[['--turn-secret-file', file, '--turn-secret', 'x'],
			'from the file'],
		[['--turn-secret', 'x', '--turn-secret-file', file], 'x'],
	]) {
		const d = await startDaemon({ args: ['--turn-uri',
			'turn:turn.example', ...args] });
		const { iceServers: [{ username, credential }], ttl } =
		    ok(await iceServers(await Player.register(d)));

		assert.equal(credential, credentialOf(wanted, username));
		assert.equal(ttl, 43_200);
		await d.stop();
		assert.doesNotMatch(d.stderr, /can read/);
	}
});

test('a file that everybody can read is warned of, and used', async () => {
	const d = await startDaemon({ args: ['--turn-uri', 'turn:turn.example',
		'--turn-secret-file', secretFile('open', SECRET, 0o644)] });

	assert.match(d.stderr,
	    /^peerpostd: warning: everybody can read .*\/open'$/m);
	assert.equal(ok(await iceServers(await Player.register(d)))
	    .iceServers.length, 1);
});

test('neither secrets nor credentials are ever logged', async () => {
	const d = await startDaemon({ args: ['--log-level', 'debug',
		'--ice-server', 'turn:turn.example,ann,zzhiddenzz',
		'--turn-uri', 'turn:turn.example', '--turn-secret', SECRET,
		'--turn-secret-file', secretFile('open too', 'zzhiddenzz', 0o644)] });
	const { iceServers: [, { credential }] } =
	    ok(await iceServers(await Player.register(d)));

	await d.stop();
	assert.match(d.stderr, /route=\/ice-servers status=200/);
	for (const hidden of [SECRET, 'zzhiddenzz', credential])
		assert.ok(!d.stderr.includes(hidden));
});

test('options that make no sense are one line and exit 2, without the secret',
    () => {
	const hidden = 'zzhiddenzz';

	for (const [args, what] of [
		[['--ice-server', ''], 'ice-server'],
		[['--ice-server', hidden], 'ice-server'],
		[['--ice-server', `http://turn.example,ann,${hidden}`],
			'ice-server'],
		[['--ice-server', 'stun://stun.example'], '//'],
		[['--ice-server', 'stun:stun.example?transport=udp'], 'STUN'],
		[['--ice-server', `stun:stun.example,ann,${hidden}`], 'username'],
		[['--ice-server', 'turn:turn.example'], 'USERNAME,CREDENTIAL'],
		[['--ice-server', `turn:turn.example,${hidden}`], 'credential'],
		[['--ice-server', `turn:turn.example:0,ann,${hidden}`], 'port'],
		[['--ice-server', `turn:turn.example,ann,${hidden}\n`],
			'printable'],
		[['--turn-uri', 'stun:stun.example', '--turn-secret', hidden],
			'turn-uri'],
		[['--turn-uri', 'turn:turn.example'], 'turn-secret-file'],
		[['--turn-secret', hidden], 'turn-uri'],
		[['--turn-secret', ''], 'turn-secret'],
		[['--turn-secret', `${hidden}\t`], 'control'],
		[['--turn-secret-file', ''], 'turn-secret-file'],
		[['--turn-secret-file', dir], 'directory'],
		[['--turn-secret-file', path.join(dir, 'none')], 'No such file'],
		[['--turn-secret-file', secretFile('empty', '\n')], 'no secret'],
		[['--turn-secret-file', secretFile('blank',
		    `x\r\n${hidden} \r\n`)], 'line 2'],
		[['--turn-ttl', '0'], 'turn-ttl'],
		[[`--turn-secert=${hidden}`], 'turn-secert'],
		[Array.from({ length: 17 }, () =>
		    ['--ice-server', 'stun:stun.example']).flat(), '16'],
		[Array.from({ length: 16 }, (_, i) => ['--ice-server',
			`turn:${'x'.repeat(60)}${i},ann,${hidden}`]).flat(),
			'Link'],
	]) {
		const end = runProgram([...args, '--listen', '127.0.0.1:0',
			'--database', path.join(dir, 'refused.db')]);

		assert.equal(end.code, 2, `${args}: ${end.stderr}`);
		assert.equal(end.stdout, '');
		assert.match(end.stderr, /^peerpostd: [^\n]+\n$/);
		assert.ok(end.stderr.includes(what), end.stderr);
		assert.ok(!end.stderr.includes(hidden), end.stderr);
	}
	assert.equal(fs.existsSync(path.join(dir, 'refused.db')), false);
});

test('the most that is let through comes through whole', async () => {
	// 16 lines, and 2,040 bytes of values or so.
	const args = Array.from({ length: 16 }, (_, i) => ['--ice-server',
		`turn:${'x'.repeat(30)}${i % 10},ann${i},y`]).flat();
	const d = await startDaemon({ args });
	const reply = await iceServers(await Player.register(d));

	assert.equal(ok(reply).iceServers.length, 16);
	assert.equal(links(reply).length, 16);
	assert.equal(reply.headers['x-content-type-options'], 'nosniff');
	assert.ok(reply.headers['access-control-expose-headers']);
});
