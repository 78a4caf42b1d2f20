// godot3.test.mjs - the client for Godot 3, run by Godot 3 without a window.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Player, ok, request, scratchDir, startDaemon, until, within }
	from '../lib/peerpost.mjs';
import { FaultProxy, captivePortal, gatewayError, inTurn }
	from '../lib/fault_proxy.mjs';
import { Godot, godot, lacksGodot as skip } from '../lib/godot3.mjs';
import { DEADLINE_MS } from '../lib/wait.mjs';
import { startPausing } from '../lib/impostor.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));

test('two meet, over a restart between offer and answer', { skip },
    async () => {
	const daemon = await startDaemon({ clock: false });
	const [ann, bob] = [new Godot(daemon.url), new Godot(daemon.url)];
	const annId = await ann.register('Ann');
	const bobId = await bob.register('Bob');

	assert.ok(annId >= 2 && bobId >= 2);
	ann.do('create_room');
	const [[, room]] = await ann.hears(1, 'room_entered');

	bob.do('join_room', room);
	assert.deepEqual(await bob.hears(1, 'room_entered'),
	    [['room_entered', room, bobId,
		    [{ id: 1, name: 'Ann' }, { id: bobId, name: 'Bob' }]]]);
	assert.deepEqual(await bob.hears(1, 'peer_connected'),
	    [['peer_connected', 1]]);
	assert.deepEqual(await ann.hears(1, 'peer_connected'),
	    [['peer_connected', bobId]]);
	assert.deepEqual(await ann.hears(1, 'connected_to_room'),
	    [['connected_to_room', 1]]);

	bob.do('send_offer', 1, { sdp: 'o', type: 'offer' });
	for (let i = 0; i < 3; i++)
		bob.do('send_candidate', 1, { n: `c${i}` });
	assert.deepEqual(await ann.hears(4, 'offer_received',
	    'candidate_received'), [
		['offer_received', bobId, { sdp: 'o', type: 'offer', id: bobId }],
		...[0, 1, 2].map((i) => ['candidate_received', bobId,
			{ n: `c${i}`, id: bobId }])]);

	await daemon.kill();
	ann.do('send_answer', bobId, { sdp: 'a' });
	ann.do('send_candidate', bobId, { n: 'c' });
	await ann.hears(1, 'network_trouble');
	await bob.hears(1, 'network_trouble');
	await daemon.restart();
	assert.deepEqual(await bob.hears(2, 'answer_received',
	    'candidate_received'), [
		['answer_received', 1, { sdp: 'a', id: 1 }],
		['candidate_received', 1, { n: 'c', id: 1 }]]);
	await ann.hears(1, 'network_restored');

	ann.do('send_message', ['hello', { 'x': 1.5 }]);
	for (const each of [ann, bob])
		assert.deepEqual(await each.hears(1, 'message_received'),
		    [['message_received', ['hello', { 'x': 1.5 }]]]);
	ann.do('seal_room');
	await bob.hears(1, 'room_sealed');
	ann.do('leave_room');
	await ann.hears(1, 'room_left');
	assert.deepEqual(await bob.hears(1, 'room_closed'),
	    [['room_closed', 'Host Disconnected']]);
	bob.do('unregister');
	assert.deepEqual(await bob.hears(1, 'session_ended'),
	    [['session_ended', '']]);
	assert.ok(!fs.existsSync(bob.session));
	assert.equal(bob.said.filter(([name]) => name === 'command_failed')
		.length, 0);
	await ann.quit();
	await bob.quit();
});

test('a session goes on in the next run', { skip }, async () => {
	const daemon = await startDaemon({ clock: false });
	const host = await Player.register(daemon, 'Host');
	const room = ok(await host.create()).data;
	const first = new Godot(daemon.url);
	const id = await first.register('Ann');

	first.do('join_room', room);
	await first.hears(1, 'peer_connected');
	await until(() => JSON.parse(fs.readFileSync(first.session, 'utf8'))
		.cursor === 2);
	first.child.kill('SIGKILL');
	await first.ended;
	ok(await host.message('meanwhile'));

	const second = new Godot(daemon.url, { session: first.session });

	assert.equal(await second.ask('resume'), true);
	assert.deepEqual(await second.hears(1, 'message_received'),
	    [['message_received', 'meanwhile']]);
	// As if it were entered just now.
	assert.deepEqual(second.said.filter(([name]) => ['room_entered',
		'connected_to_room', 'peer_connected'].includes(name)), [
		['room_entered', room, id, [{ id: 1, name: 'Host' },
			{ id, name: 'Ann' }]],
		['connected_to_room', id], ['peer_connected', 1]]);
	second.do('fetch_room');
	const [[, command, reply]] = await second.hears(1, 'command_done');

	assert.equal(command, 'fetch_room');
	assert.equal(reply.room, room);
	assert.equal(reply.id, id);
	assert.equal((await second.ask('create_room')).error, 'already-in-room');
	assert.equal((await second.ask('register_player', 'Ann')).error,
	    'already-registered');
	await second.quit();

	// There is none any more: nobody hears that it has ended.
	const { token } = JSON.parse(fs.readFileSync(first.session, 'utf8'));

	await request(daemon, 'POST', '/unregister', { token });
	const third = new Godot(daemon.url, { session: first.session });

	assert.equal(await third.ask('resume'), false);
	assert.ok(!fs.existsSync(first.session));
	assert.equal(await third.ask('resume'), false);
	await third.register('Ann');
	assert.equal(third.said.filter(([name]) => name === 'session_ended')
		.length, 0);
	await third.quit();
});

test('a session that the server has from a backup', { skip }, async () => {
	const daemon = await startDaemon({ clock: false });
	const host = await Player.register(daemon, 'Host');
	const room = ok(await host.create()).data;
	const first = new Godot(daemon.url);
	const id = await first.register('Ann');

	first.do('join_room', room);
	await first.hears(1, 'peer_connected');
	first.child.kill('SIGKILL');
	await first.ended;
	// The server has forgotten most of its events.
	fs.writeFileSync(first.session, JSON.stringify({
		...JSON.parse(fs.readFileSync(first.session, 'utf8')),
		cursor: 1000 }));

	const second = new Godot(daemon.url, { session: first.session });

	assert.equal(await second.ask('resume'), true);
	const [[, now]] = await second.hears(1, 'session_reset');

	assert.equal(now.room, room);
	assert.equal(now.id, id);
	ok(await host.message('on'));
	await second.hears(1, 'message_received');
	await second.quit();
});

test('whoever waits for a command hears of it, at any rate', { skip },
    async () => {
	const daemon = await startDaemon({ clock: false });
	const ann = new Godot(daemon.url);

	for (const [name, ...args] of [['create_room'], ['send_message', 1],
		['fetch_room'], ['fetch_ice_servers'], ['unregister']])
		assert.equal((await ann.ask(name, ...args)).error, 'no-session');
	assert.equal(await ann.ask('resume'), false);

	const registered = await ann.ask('register_player', 'Ann');
	const created = await ann.ask('create_room');

	assert.deepEqual(Object.keys(registered).sort(), ['code', 'error', 'kind',
		'message', 'ok', 'reply', 'status']);
	assert.ok(registered.ok);
	assert.match(created.reply.data, /^[0-9a-f-]{36}$/);
	for (const [name, value] of [['room', created.reply.data],
		['peer_id', 1], ['peers', { 1: 'Ann' }]]) {
		ann.do('say_client', name);
		assert.deepEqual(await ann.hears(1, name), [[name, value]]);
	}
	assert.equal((await ann.ask('send_offer', 1, 'text')).error, 'bad-data');
	assert.equal((await ann.ask('send_offer', 2, {})).error, 'peer-not-found');
	assert.equal((await ann.ask('send_message', null)).error, 'bad-data');
	assert.ok((await ann.ask('unregister')).ok);
	await ann.hears(1, 'session_ended');
	await ann.quit();
});

test('failures are told apart', { skip }, async () => {
	const daemon = await startDaemon();
	const ann = new Godot(daemon.url);

	await ann.register('Ann');
	ann.do('join_room', '0e4982c2-364b-41d1-b5cf-2a3785b19a03');
	ann.do('fetch_room');
	const failed = await ann.hears(2, 'command_failed');

	assert.deepEqual(failed.map(([, , { kind, status, error }]) =>
	    [kind, status, error]), [['refused', 404, 'room-not-found'],
		['refused', 404, 'not-in-room']]);
	const { token } = JSON.parse(fs.readFileSync(ann.session, 'utf8'));

	await request(daemon, 'POST', '/unregister', { token });
	await ann.hears(1, 'session_ended');
	ann.do('create_room');
	assert.equal((await ann.hears(3, 'command_failed'))[2][2].error,
	    'no-session');
	await ann.quit();
});

test('lost replies and portals do no harm', { skip }, async () => {
	const daemon = await startDaemon({ clock: false });
	const isPoll = ({ path: target }) => target === '/events';
	const polls = inTurn([{ drop: true }, { answer: captivePortal() },
		{ answer: gatewayError(504) }]);
	const proxy = await FaultProxy.start({ target: daemon.url,
		script: (exchange) => {
			if (isPoll(exchange))
				return polls(exchange);
			return exchange.n % 2 === 0 ? { drop: true } : {};
		} });

	after(() => proxy.close());
	const ann = new Godot(proxy.url);

	await ann.register('Ann');
	ann.do('create_room');
	await ann.hears(1, 'room_entered');
	ann.do('send_message', 'once');
	await ann.hears(1, 'message_received');
	ann.do('send_message', 'twice');
	await ann.hears(2, 'message_received');
	await ann.hears(4, 'command_done');
	await ann.quit();

	const wrong = await FaultProxy.start({ target: daemon.url,
		script: () => ({ answer: captivePortal() }) });

	after(() => wrong.close());
	const bob = new Godot(wrong.url);

	bob.do('register_player', 'Bob');
	const [[, , error]] = await bob.hears(1, 'command_failed');

	assert.equal(error.kind, 'foreign');
	assert.equal(error.error, 'not-peerpost');
	assert.equal(wrong.count(), 3);
	await bob.quit();
});

test('the server\'s pauses are kept, and nothing makes a tight loop', { skip },
    async () => {
	const { url, kept } = await startPausing();
	const ann = new Godot(url);

	// Nothing of that is the game's time.
	ann.do('set_time_scale', 20);
	await ann.register('Ann');
	// Answers are seen in frames.
	await kept(50);
	// It never was in a room: they are of none.
	assert.deepEqual((await ann.hears(3, 'event_received'))
	    .map(([, event]) => event.id), [1, 2, 3]);
	await ann.hears(1, 'session_reset');
	await ann.quit();
});

test('the example starts', { skip }, async () => {
	const dir = scratchDir();

	fs.cpSync(here('../../clients/godot3'), dir, { recursive: true });
	const child = spawn(godot, ['--path', dir, '--quit'], {
		env: { ...process.env, HOME: dir, XDG_DATA_HOME: dir },
		stdio: ['ignore', 'pipe', 'pipe'] });
	let output = '';

	after(() => child.kill('SIGKILL'));
	for (const stream of [child.stdout, child.stderr])
		stream.on('data', (text) => {
			output += text;
		});
	assert.equal(await within(DEADLINE_MS, 'end of Godot',
	    new Promise((resolve) => child.on('close', resolve))), 0);
	assert.doesNotMatch(output, /SCRIPT ERROR|Parse Error|Failed|res:/);
});

test('the example: two chat, and no failure is hidden', { skip }, async () => {
	const daemon = await startDaemon({ clock: false });
	const [ann, bob] = [0, 1].map(() => new Godot(daemon.url,
	    { script: 'visitor.gd' }));
	const says = async (visitor, pattern) => {
		const found = () => visitor.said.map(([line]) => line)
			.find((line) => pattern.test(line));

		try {
			return await until(() => found());
		} catch {
			throw new Error(`no ${pattern}:\n${visitor.output}`);
		}
	};

	ann.do('Server', 'play.example');
	ann.do('Enter');
	await says(ann, /^register_player failed: .* must be a URL/);
	ann.do('Server', `${daemon.url}/`);
	ann.do('Enter');
	const [room] = /[0-9a-f-]{36}/.exec(await says(ann,
	    /^You are peer 1 in the room /));

	bob.do('Server', daemon.url);
	bob.do('Room', room.replace(/^./, (digit) => digit === '0' ? '1' : '0'));
	bob.do('Enter');
	await says(bob, /^join_room failed: /);
	// As it comes out of a mail.
	bob.do('Room', ` ${room.slice(0, 20)}\n${room.slice(20).toUpperCase()} `);
	bob.do('Enter');
	await says(bob, /^Peer 1 is here/);
	ann.do('Line', 'Hello');
	for (const each of [ann, bob])
		await says(each, /^1: Hello$/);
	await ann.quit();
	await bob.quit();
});

// 240 KiB in events of 8 KiB.
async function fillMailbox(daemon, godotPlayer)
{
	const host = await Player.register(daemon, 'host');

	await godotPlayer.register('Ann');
	godotPlayer.do('join_room', ok(await host.create()).data);
	await godotPlayer.hears(1, 'peer_connected');
	godotPlayer.child.kill('SIGKILL');
	await godotPlayer.ended;
	for (let i = 0; i < 30; i++)
		ok(await host.message(`${i} `.padEnd(8190, '.')));
}

const isPoll = ({ path: target }) => target === '/events';

for (const [name, action, isPatient] of [
	// 3 s, with patience for one.
	['a reply that takes long is waited for', () =>
	    ({ bytesPerSecond: 80 * 1024 }), true],
	['a reply that breaks off: it asks for fewer', ({ body }) =>
	    (JSON.parse(body).max ?? 30) >= 30 ? { truncate: 128 * 1024 } : {},
	false],
])
	test(`a slow line: ${name}`, { skip }, async () => {
		const daemon = await startDaemon({ clock: false });
		const proxy = await FaultProxy.start({ target: daemon.url });

		after(() => proxy.close());
		const first = new Godot(proxy.url);

		await fillMailbox(daemon, first);

		const n = proxy.count();
		const second = new Godot(proxy.url, { session: first.session,
			silence: 1 });

		proxy.script = (exchange) => isPoll(exchange) ?
		    action(exchange) : {};
		second.do('resume');
		assert.deepEqual((await second.hears(30, 'message_received'))
		    .map(([, text]) => parseInt(text, 10)), [...Array(30).keys()]);

		const asked = proxy.requests.slice(n).filter(isPoll)
		    .map(({ body }) => JSON.parse(body).max ?? 256);

		assert.equal(asked[0], 256);
		assert.equal(asked.some((max) => max < 30), !isPatient, `${asked}`);
		await second.quit();
	});
