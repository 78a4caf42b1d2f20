// sh_events.test.mjs - clients/sh/peerpost following the events.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, test } from 'node:test';
import { Player, ok, request, startDaemon, until } from '../lib/peerpost.mjs';
import { FaultProxy, captivePortal, gatewayError, inTurn }
	from '../lib/fault_proxy.mjs';
import { startImpostor, startPausing } from '../lib/impostor.mjs';
import { ShellPlayer, lacksTools } from '../lib/shell_client.mjs';

const skip = lacksTools && `needs ${lacksTools}`;
const isPoll = ({ path: target }) => target.startsWith('/events');

// The script's player in a room whose host speaks plain HTTP.
async function meet(daemon, { url = daemon.url, name = 'Shelly', ...options } = {})
{
	const host = await Player.register(daemon, 'Hanna');
	const room = ok(await host.create()).data;
	const player = new ShellPlayer(url, options);

	player.id = Number(await player.ok('register', name));
	await player.ok('join', room);
	return { host, player, room };
}

function messages(lines)
{
	return lines.filter(({ command }) => command === '###!RMK')
		.map(({ data }) => data);
}

// Wait until the messages are exactly these.
async function assertMessages(run, expected)
{
	await run.until((lines) => messages(lines).length >= expected.length,
	    `message ${expected.at(-1)}`);
	assert.deepEqual(messages(run.lines()), expected);
}

function isAlive(pid)
{
	try {
		process.kill(pid, 0);
		return true;
	} catch {
		return false;
	}
}

function nameOf(pid)
{
	return fs.readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
}

function childrenOf(pid)
{
	return fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
		.trim().split(' ').filter(Boolean).map(Number);
}

test('events come as they happen, over a kill and a restart', { skip },
    async () => {
	const daemon = await startDaemon({ clock: false });
	const { host, player } = await meet(daemon);
	const run = player.follow();

	await host.message(1);
	await assertMessages(run, [1]);
	for (let i = 2; i <= 4; i += 2) {
		await daemon.kill();
		await until(() => run.stderr.split('trying again').length > i / 2);
		await daemon.restart();
		ok(await host.message(i));
		ok(await host.message(i + 1));
		await assertMessages(run, [1, 2, 3, 4, 5].slice(0, i + 1));
	}
	await daemon.restart();
	ok(await host.message(6));
	await assertMessages(run, [1, 2, 3, 4, 5, 6]);
	assert.deepEqual(run.lines().map(({ id }) => id),
	    [1, 2, 3, 4, 5, 6, 7, 8]);
	await until(() => player.saved.cursor === 8);
	assert.match(run.stderr, /connect.*trying again\n.*connected again\n/i);
	run.child.kill('SIGTERM');
	assert.equal((await run.ended).signal, 'SIGTERM');
	assert.equal(await player.ok('events', '--pending'), '');
});

test('what a killed follower did not print comes next time', { skip },
    async () => {
	const daemon = await startDaemon({ clock: false });
	const { host, player } = await meet(daemon);
	const first = player.follow();

	await first.until((lines) => lines.length === 2);
	await until(() => player.saved.cursor === 2);
	first.child.kill('SIGKILL');
	await first.ended;
	ok(await host.message('meanwhile'));
	const lines = (await player.ok('events', '--pending')).split('\n');

	assert.deepEqual(lines.map((line) => JSON.parse(line).data),
	    ['meanwhile']);

	// Nor is what nobody reads any more.
	const second = player.follow();

	ok(await host.message('read'));
	await second.until((seen) => seen.length === 1);
	second.child.stdout.destroy();
	ok(await host.message('unread'));
	assert.equal((await second.ended).code, 141);
	assert.equal(JSON.parse(await player.ok('events', '--pending')).data,
	    'unread');
});

test('1,000 events at once all come, in order', { skip }, async () => {
	const daemon = await startDaemon(
	    { args: ['--command-rate', '0'], clock: false });
	const { host, player } = await meet(daemon);

	for (let i = 0; i < 1000; i += 50)
		ok(await host.command(Array.from({ length: 50 }, (_, j) =>
		    ({ command: '###!SM', data: i + j }))));
	const lines = (await player.ok('events', '--pending')).split('\n')
		.map((line) => JSON.parse(line));

	assert.deepEqual(messages(lines), Array.from({ length: 1000 },
	    (_, i) => i));
	assert.equal(player.saved.cursor, 1002);
});

test('the end of the session ends it, with 4', { skip }, async () => {
	const daemon = await startDaemon({ clock: false });
	const { player } = await meet(daemon);
	const run = player.follow();

	await run.until((lines) => lines.length === 2);
	await request(daemon, 'POST', '/unregister',
	    { token: player.saved.token });
	const { code, stderr } = await run.ended;

	assert.equal(code, 4);
	assert.match(stderr, /^peerpost: the session is over: .+\.\n$/);
});

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'])
	test(`${signal} ends it at once and leaves nothing`, { skip },
	    async () => {
		// Polls are held for ever.
		const { url, requests } = await startImpostor((n) => n === 0 ?
		    { body: { command: '###!RPK', data: 7,
			    token: 't'.repeat(43) } } : null);
		const player = new ShellPlayer(url);

		await player.ok('register', 'x');
		const run = player.start(signal === 'SIGHUP' ? 'watch' : 'events');

		await until(() => requests.length === 2);
		const children = childrenOf(run.child.pid);

		assert.deepEqual(children.map(nameOf), ['curl']);
		run.child.kill(signal);
		assert.equal((await run.ended).signal, signal);
		await until(() => !children.some(isAlive), 'end of children');
		assert.deepEqual(fs.readdirSync(player.tmp), []);
	});

test('two that follow at once get everything together, and say so', { skip },
    async () => {
	const daemon = await startDaemon({ clock: false });
	const proxy = await FaultProxy.start({ target: daemon.url });

	after(() => proxy.close());
	const { host, player } = await meet(daemon, { url: proxy.url });
	const runs = [player.follow(), player.follow()];
	const seen = () => new Set(runs.flatMap((run) => messages(run.lines())));
	let n = 0;

	await until(() => runs.some(({ stderr }) => stderr !== ''));
	for (; n < 5; n++) {
		ok(await host.message(n));
		await until(() => seen().size === n + 1, `message ${n}`);
	}
	assert.match(runs.map(({ stderr }) => stderr).join(''),
	    /^(peerpost: another client is reading the events.*\n){1,2}$/);
	// One poll for each event and follower, and few for the change of turns.
	assert.ok(proxy.count(isPoll) < 25, `${proxy.count(isPoll)} polls`);
	for (const run of runs) {
		const ids = run.lines().map(({ id }) => id);

		assert.deepEqual(ids, [...new Set(ids)].sort((a, b) => a - b));
	}
});

const troubles = {
	'lost replies and portals': [[{ drop: true },
		{ answer: captivePortal() }, { answer: captivePortal() }],
	/(?:peerpost: .*; trying again\n){2}peerpost: .*connected again\n/],
	'half replies and gateways': [[{ truncate: 20 },
		{ answer: { status: 204, headers: {}, body: '' } },
		{ answer: gatewayError(504) }],
	/(?:peerpost: .*; trying again\n){3}peerpost: .*connected again\n/],
};

for (const [what, [actions, told]] of Object.entries(troubles))
	test(`${what} are told once and survived`, { skip }, async () => {
		const daemon = await startDaemon({ clock: false });
		const proxy = await FaultProxy.start({ target: daemon.url });

		after(() => proxy.close());
		const { host, player } = await meet(daemon, { url: proxy.url });

		proxy.script = inTurn(actions, { match: isPoll });
		ok(await host.message('hello'));
		const run = player.follow();

		await until(() => messages(run.lines()).length === 1);
		assert.deepEqual(run.lines().map(({ id }) => id), [1, 2, 3]);
		assert.match(run.stderr, new RegExp(`^${told.source}$`));
	});

test('the server\'s pauses are kept, and nothing makes a tight loop', { skip },
    async () => {
	const { url, requests, kept } = await startPausing();
	const player = new ShellPlayer(url);

	await player.ok('register', 'x');
	const run = player.follow();

	await kept();
	assert.deepEqual(run.lines().map(({ id }) => id), [1, 2, 3]);
	assert.match(requests.at(-1).url, /\?after=3&wait=25$/);
	assert.match(run.stderr, /restored from a backup/);
});

test('polls that are cut get shorter', { skip }, async () => {
	const { url, requests } = await startImpostor((n) => n === 0 ?
	    { body: { command: '###!RPK', data: 7, token: 't'.repeat(43) } } :
	    null);
	const player = new ShellPlayer(url);

	await player.ok('register', 'x');
	const proxy = await FaultProxy.start({ target: url,
		script: ({ n }) => n === 0 ? { cutAfterMs: 6500 } : {} });

	after(() => proxy.close());
	fs.writeFileSync(player.session, JSON.stringify(
	    { ...player.saved, url: proxy.url }));
	player.options = ['-s', player.session];
	player.follow();
	await until(() => requests.length === 2);
	await until(() => requests.length === 3);
	assert.match(requests[1].url, /wait=25$/);
	assert.match(requests[2].url, /wait=5$/);
});

test('watch tells it in words, and keeps the terminal clean', { skip },
    async () => {
	const daemon = await startDaemon({ clock: false });
	const { host, player, room } = await meet(daemon);
	const run = player.start('watch');
	const guest = await Player.register(daemon, 'Gus \u202e!');

	await until(() => run.stdout.includes('Hanna'));
	ok(await guest.join(room));
	await until(() => run.stdout.includes('Gus'));
	ok(await guest.message('a\u001b[2J\u009b2J'));
	ok(await host.offer({ id: player.id, sdp: 'x'.repeat(5000) }));
	ok(await guest.leave());
	ok(await host.seal());
	ok(await host.leave());
	await until(() => run.stdout.includes('closed'));
	assert.deepEqual(run.stdout.trimEnd().split('\n'), [
		`you are in the room, as peer ${player.id}`,
		'Hanna (1) is in the room',
		`Gus ?! (${guest.id}) is in the room`,
		'message: "a\\u001b[2J?2J"',
		`offer from Hanna (1): {"sdp":"${'x'.repeat(292)}...`,
		`Gus ?! (${guest.id}) has left`,
		'the room is sealed',
		'Hanna (1) has left',
		'the room is closed: Host Disconnected',
	]);
	assert.equal(run.stderr, '');
});

// 240 KiB in events of 8 KiB, through a proxy that does something to polls.
async function fillMailbox(action)
{
	const daemon = await startDaemon({ clock: false });
	const proxy = await FaultProxy.start({ target: daemon.url,
		script: (exchange) => exchange.path.startsWith('/events') ?
		    action(Number(/max=(\d+)/.exec(exchange.path)?.[1] ?? 256)) :
		    {} });

	after(() => proxy.close());

	const player = new ShellPlayer(proxy.url,
	    { env: { PEERPOST_TIMEOUT: '1' } });
	const host = await Player.register(daemon, 'host');

	await player.ok('register', 'Ann');
	await player.ok('join', ok(await host.create()).data);
	for (let i = 0; i < 30; i++)
		ok(await host.message(`${i} `.padEnd(8190, '.')));
	return { player, asked: () => proxy.requests
		.filter(({ path }) => path.startsWith('/events'))
		.map(({ path }) => Number(/max=(\d+)/.exec(path)?.[1] ?? 256)) };
}

for (const [name, action, isPatient] of [
	// 3 s, with patience for one.
	['a reply that takes long is waited for', () =>
	    ({ bytesPerSecond: 80 * 1024 }), true],
	['a reply that is held back until it is complete: it asks for fewer',
		(max) => ({ delayMs: 100 * Math.min(30, max) }), false],
])
	test(`a slow line: ${name}`, { skip }, async () => {
		const { player, asked } = await fillMailbox(action);
		const lines = (await player.ok('events', '--pending')).split('\n')
			.map((line) => JSON.parse(line));

		assert.deepEqual(lines.slice(2).map(({ data }) =>
		    parseInt(data, 10)), [...Array(30).keys()]);
		assert.equal(asked()[0], 256);
		assert.equal(asked().some((max) => max < 30), !isPatient,
		    `${asked()}`);
	});

test('PEERPOST_TIMEOUT must be a number', { skip }, async () => {
	// With a 0 in front it would be octal, where a shell calculates.
	for (const timeout of ['0', '08', '010', '1.5', '-1', 'x']) {
		const player = new ShellPlayer(null,
		    { env: { PEERPOST_TIMEOUT: timeout } });
		const { code, stderr } = await player.run('whoami');

		assert.equal(code, 2);
		assert.match(stderr,
		    /PEERPOST_TIMEOUT must be a whole number, at least 1/);
	}
});
