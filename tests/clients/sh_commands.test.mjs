// sh_commands.test.mjs - clients/sh/peerpost, one command at a time.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { Player, ok, request, runProgram, scratchDir, startDaemon, until }
	from '../lib/peerpost.mjs';
import { FaultProxy, captivePortal, gatewayError, inTurn }
	from '../lib/fault_proxy.mjs';
import { startImpostor } from '../lib/impostor.mjs';
import { ShellPlayer, lacksTools } from '../lib/shell_client.mjs';

const skip = lacksTools && `needs ${lacksTools}`;

async function register(daemon, name, options)
{
	const player = new ShellPlayer(daemon.url, options);

	player.id = Number(await player.ok('register', name));
	return player;
}

async function startProxy(daemon, script)
{
	const proxy = await FaultProxy.start({ target: daemon.url, script });

	after(() => proxy.close());
	return proxy;
}

// A run's exit status, with a sentence on stderr and nothing on stdout.
function assertFails({ code, stdout, stderr }, status, sentence)
{
	assert.equal(code, status, stderr);
	assert.match(stderr, sentence);
	assert.match(stderr, /^peerpost: .*\n$/s);
	assert.equal(stdout, '');
}

test('two players do everything', { skip }, async () => {
	const daemon = await startDaemon();
	const ann = await register(daemon, 'Ann "the host" Ä');
	const bob = await register(daemon, 'Bob');
	const room = await ann.ok('create');
	const joined = JSON.parse(await bob.ok('join', room));
	const peers = [{ id: 1, name: 'Ann "the host" Ä' },
		{ id: bob.id, name: 'Bob' }];

	assert.deepEqual(joined, { room, id: bob.id, peers });
	assert.equal(await bob.ok('offer', '1', '{"sdp":"o"}'), '');
	assert.equal(await ann.ok('answer', String(bob.id), '{"sdp":"a"}'), '');
	assert.equal(await bob.ok('candidate', '1', '{}'), '');
	assert.equal(await ann.ok('seal'), '');
	assert.equal(await ann.ok('send', '["hello",1]'), '');
	assert.deepEqual(JSON.parse(await ann.ok('whoami')),
	    { url: daemon.url, id: ann.id, name: peers[0].name, room, peer: 1 });
	assert.deepEqual(JSON.parse(await bob.ok('room')), { room, host: 1,
		sealed: true, id: bob.id, peers, next: 5 });
	assert.equal(await bob.ok('leave'), '');
	assert.equal(JSON.parse(await bob.ok('whoami')).room, null);

	const events = async (player) =>
	    (await player.ok('events', '--pending')).split('\n')
		.filter((line) => line !== '').map((line) => JSON.parse(line))
		.map(({ id, command, data }) => [id, command.slice(4), data]);

	assert.deepEqual(await events(ann), [[1, 'CTR', 1], [2, 'RPC', bob.id],
		[3, 'OOO', { id: bob.id, sdp: 'o' }], [4, 'CCC', { id: bob.id }],
		[5, 'SRK', 'null'], [6, 'RMK', ['hello', 1]],
		[7, 'RPD', bob.id]]);
	assert.deepEqual(await events(ann), []);
	assert.equal(ann.saved.cursor, 7);
	assert.equal((await events(bob)).length, 5);
	await ann.ok('unregister');
	assert.ok(!fs.existsSync(ann.session));
	assert.ok(await ann.ok('register', 'Ann again'));
});

test('what is relayed stays as it is, but for the id', { skip }, async () => {
	const daemon = await startDaemon();
	const host = await Player.register(daemon);
	const room = ok(await host.create()).data;
	const bob = await register(daemon, 'Bob');

	await bob.ok('join', room);
	await bob.ok('offer', '1', '\n { "n":1.50,"é":"\\u0041 \\\\ %s"  } ');
	await bob.ok('offer', '1', '{\t}');

	const run = bob.start('candidate', '1', '-');

	run.child.stdin.end(`{"big":"${'x'.repeat(50_000)}"}\n`);
	assert.equal((await run.ended).code, 0);

	const { text } = await host.events({ after: 2 });

	assert.ok(text.includes(`{"id":${bob.id}, "n":1.50,"é":"\\u0041 ` +
	    '\\\\ %s"  }'), text.slice(0, 500));
	assert.ok(text.includes(`"data":{"id":${bob.id}\t}`));
	assert.ok(text.includes(`,"big":"${'x'.repeat(50_000)}"}`));
});

test('a refusal is the server\'s sentence, and 1', { skip }, async () => {
	const daemon = await startDaemon();
	const ann = await register(daemon, 'Ann');

	assertFails(await ann.run('join', '0e4982c2-364b-41d1-b5cf-2a3785b19a03'),
	    1, /no such room/i);
	assertFails(await ann.run('send', '{"no json'), 1, /JSON/);
	assertFails(await ann.run('room'), 1, /not in a room/i);
	assertFails(await ann.run('register', 'Ann'), 1, /registered/);
	assert.equal(JSON.parse(await ann.ok('whoami')).id, ann.id);

	// The token is not for another server.
	const other = await startDaemon();

	for (const args of [['register', 'x'], ['whoami']]) {
		const { code, stderr } = await new ShellPlayer(other.url,
		    { env: { PEERPOST_URL: daemon.url } })
			.run('-s', ann.session, ...args);

		assert.equal(code, args[0] === 'register' ? 1 : 2);
		assert.ok(stderr.includes(ann.session), stderr);
	}
	assert.equal(JSON.parse(await ann.ok('whoami')).id, ann.id);
});

test('wrong usage is 2', { skip }, async () => {
	const daemon = await startDaemon();
	const ann = await register(daemon, 'Ann');

	for (const args of [[], ['fly'], ['register'], ['join'], ['seal', 'x'],
		['offer', '1'], ['offer', '0', '{}'], ['offer', '1x', '{}'],
		['offer', '-1', '{}'], ['offer', '1', '[1]'], ['-x'], ['-u'],
		['-t', 'many', 'room'], ['events', '--all'],
		['-u', 'ftp://x', 'room'], ['-u', 'http://', 'room'],
		['-u', 'http://x/"y', 'room'], ['-u', 'http://x?y', 'room'],
		['-u', 'http://x y', 'room'], ['-u', 'http://x\ny', 'room']])
		assertFails(await ann.run(...args), 2, /peerpost --help/);
	fs.writeFileSync(ann.session, '{"url":"http://x"}');
	assertFails(await ann.run('room'), 2, /not a valid session file/);
	fs.writeFileSync(ann.session, JSON.stringify({ url: daemon.url, id: 7,
		cursor: 0, token: 'x"\nurl = "http://elsewhere' }));
	assertFails(await ann.run('room'), 2, /not a valid session file/);
	fs.rmSync(path.dirname(ann.session), { recursive: true });
	fs.writeFileSync(path.dirname(ann.session), '');
	assertFails(await ann.run('register', 'x'), 2, /its directory cannot be created/);
});

test('without a live session it is 4', { skip }, async () => {
	const daemon = await startDaemon();
	const ann = await register(daemon, 'Ann');
	const nobody = new ShellPlayer(daemon.url);

	assertFails(await nobody.run('create'), 4, /register NAME/);
	daemon.advance(3600 - 100);
	await until(async () => (await request(daemon, 'GET', '/room',
	    { token: ann.saved.token })).status === 410);
	assertFails(await ann.run('create'), 4, /session is over: Player/);
	assertFails(await ann.run('whoami'), 4, /session is over: Player/);
	assert.notEqual(Number(await ann.ok('register', 'Ann')), ann.id);
	await request(daemon, 'POST', '/unregister', { token: ann.saved.token });
	assertFails(await ann.run('unregister'), 4, /session is over/);
	assert.ok(!fs.existsSync(ann.session));
});

test('a server that is gone is 3, and a short outage nothing', { skip },
    async () => {
	const daemon = await startDaemon();
	const ann = await register(daemon, 'Ann');

	await daemon.kill();
	assertFails(await ann.run('-t', '1', 'create'), 3, /connect/i);

	const run = ann.start('create');

	run.child.stdin.end();
	await until(() => run.stderr.includes('trying again'));
	await daemon.restart();
	const { code, stdout } = await run.ended;

	assert.equal(code, 0);
	assert.equal(JSON.parse(await ann.ok('room')).room, stdout.trim());
});

test('what is no Peerpost server is 3, and said so', { skip }, async () => {
	const html = { 'Content-Type': 'text/html' };
	const replies = {
		portal: captivePortal(),
		notFound: { status: 404, headers: html, body: '<p>what?' },
		login: { status: 401, headers: html, body: '<p>who?' },
		otherJson: { body: { command: 'hello' } },
		twice: { body: '{"command":"###!RPK"} {"command":"###!RPK"}' },
		nothing: { status: 204 },
	};

	for (const [name, reply] of Object.entries(replies)) {
		const { url, requests } = await startImpostor(() => reply);
		const player = new ShellPlayer(url);

		assertFails(await player.run('register', 'x'), 3,
		    /not a Peerpost server.*is the address right/);
		assert.equal(requests.length, 1, name);
		assert.ok(!fs.existsSync(player.session));
	}

	const moved = await startImpostor(() => ({ status: 301,
		headers: { Location: 'https://elsewhere.example/' } }));

	assertFails(await new ShellPlayer(moved.url).run('register', 'x'), 3,
	    /moved to https:\/\/elsewhere\.example\//);

	// An error of a gateway passes, and is tried again; but not for ever.
	const { url, requests } = await startImpostor(() => gatewayError(502));

	assertFails(await new ShellPlayer(url, { tries: 2 }).run('register', 'x'),
	    3, /status 502/);
	assert.equal(requests.length, 2);
	assert.equal(requests[0].headers['idempotency-key'],
	    requests[1].headers['idempotency-key']);
});

test('a lost reply is asked for again, with the same key', { skip },
    async () => {
	const daemon = await startDaemon();
	const isCommand = ({ method }) => method === 'POST';
	const proxy = await startProxy(daemon, ({ n }) =>
	    n % 2 === 0 ? { drop: true } : {});
	const ann = await register(proxy, 'Ann');
	const room = await ann.ok('create');

	assert.equal(ann.saved.id, ann.id);
	await ann.ok('send', '"once"');
	await ann.ok('send', '"once"');
	assert.deepEqual((await ok(await request(daemon, 'GET', '/events',
	    { token: ann.saved.token, query: { after: 0 } }))).events
		.map(({ data }) => data), [1, 'once', 'once']);
	await ann.ok('unregister');
	assert.ok(!fs.existsSync(ann.session));
	assert.match(room, /^[0-9a-f-]{36}$/);

	const keys = proxy.requests.filter(isCommand)
		.map(({ headers }) => headers['idempotency-key']);

	assert.equal(keys.length, 10);
	assert.equal(new Set(keys).size, 5);
	for (let i = 0; i < keys.length; i += 2)
		assert.equal(keys[i], keys[i + 1]);
	assert.ok(keys.every((each) => each.length >= 22));
});

test('Retry-After is waited for', { skip }, async () => {
	const daemon = await startDaemon();
	const busy = { status: 503, headers: { 'Retry-After': '2' },
		body: '{"command":"###!RPB","data":"Full.","error":"storage"}' };
	const times = [];
	const script = inTurn([{ answer: busy }]);
	const proxy = await startProxy(daemon, (exchange) => {
		times.push(performance.now());
		return script(exchange);
	});

	await register(proxy, 'Ann');
	assert.equal(times.length, 2);
	assert.ok(times[1] - times[0] >= 2000);

	const { url } = await startImpostor(() => busy);

	assertFails(await new ShellPlayer(url, { tries: 1 }).run('register', 'x'),
	    1, /Full\./);
});

test('a Retry-After that is octal, to the shell', { skip }, async () => {
	const daemon = await startDaemon();
	const proxy = await startProxy(daemon, inTurn([{ answer: { status: 503,
		headers: { 'Retry-After': '08' }, body: '<h1>Busy</h1>' } }]));

	await register(proxy, 'Ann');
});

test('no secret is on a command line, and the file is private', { skip },
    async () => {
	const daemon = await startDaemon();
	const dir = scratchDir();
	const log = path.join(dir, 'log');

	for (const tool of ['curl', 'jq', 'sed', 'tr', 'od', 'cat', 'mktemp']) {
		const real = process.env.PATH.split(':')
			.map((each) => path.join(each, tool)).find(fs.existsSync);

		fs.writeFileSync(path.join(dir, tool), '#!/bin/sh\n' +
		    `{ echo ${tool} "$@"; env; } >>'${log}'\n` +
		    `exec '${real}' "$@"\n`, { mode: 0o755 });
	}

	const ann = await register(daemon, 'Ann',
	    { env: { PATH: `${dir}:${process.env.PATH}` } });
	const { token } = ann.saved;

	await ann.ok('create');
	await ann.ok('send', '1');
	await ann.ok('whoami');
	await ann.ok('events', '--pending');
	const seen = fs.readFileSync(log, 'utf8');

	assert.match(seen, /^curl /m);
	assert.match(seen, /^jq /m);
	assert.ok(!seen.includes(token));
	assert.equal(fs.statSync(ann.session).mode & 0o777, 0o600);
	assert.deepEqual(fs.readdirSync(path.dirname(ann.session)), ['session']);
	assert.deepEqual(fs.readdirSync(ann.tmp), []);
});

test('the places of file and address', { skip }, async () => {
	const daemon = await startDaemon();
	const dir = scratchDir();
	const env = { XDG_STATE_HOME: path.join(dir, 'state'), HOME: dir,
		PEERPOST_URL: `${daemon.url}//` };
	const player = new ShellPlayer(null, { env });

	player.options = [];
	await player.ok('register', 'x');
	player.session = path.join(dir, 'state/peerpost/session');
	assert.equal(player.saved.url, daemon.url);
	delete player.env.XDG_STATE_HOME;
	await player.ok('register', 'y');
	player.session = path.join(dir, '.local/state/peerpost/session');
	assert.equal(player.saved.name, 'y');
	player.env.PEERPOST_SESSION = path.join(dir, 'third');
	await player.ok('register', 'z');
	assert.ok(fs.existsSync(path.join(dir, 'third')));
});

test('ice-servers prints what the server has', { skip }, async () => {
	const daemon = await startDaemon();
	const servers = { iceServers: [{ urls: 'stun:stun.example' }] };
	const proxy = await startProxy(daemon, ({ path: target }) =>
	    target === '/ice-servers' ? { answer: { status: 200, headers: {},
		    body: JSON.stringify(servers) } } : {});
	const ann = await register(proxy, 'Ann');

	assert.deepEqual(JSON.parse(await ann.ok('ice-servers')), servers);
});

test('help, version and manual agree', { skip }, async () => {
	const player = new ShellPlayer(null);
	const help = await player.ok('--help');
	const manual = fs.readFileSync(
	    new URL('../../man/peerpost.1', import.meta.url), 'utf8');
	const commands = [...help.matchAll(/^ {2}([a-z][a-z-]+)/gm)];

	assert.equal(commands.length, 15);
	for (const [, command] of commands)
		assert.match(manual, new RegExp(`^\\.It Cm ${command}\\b`, 'm'));
	assert.equal(await player.ok('--version'), runProgram(['--version'])
		.stdout.trim().replace('peerpostd', 'peerpost'));
});
