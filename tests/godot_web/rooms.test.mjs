// rooms.test.mjs - three Godot games in rooms: mesh and star, and what games go
// through there.
import assert from 'node:assert/strict';
import test from 'node:test';
import { gatewayError } from '../lib/fault_scripts.mjs';
import { Game, assertCalm, carries, inGodot, launchForGames, loseUdp, meet,
    startArcade, startWay, talk } from '../lib/godot_web.mjs';
import { startImpostor } from '../lib/impostor.mjs';
import { Player, assertFailure, until, within } from '../lib/peerpost.mjs';
import { DEADLINE_MS } from '../lib/wait.mjs';

const SESSION = 'user://peerpost_session.json';
const SERVER = 1;
// Of one of three who meet, with all polls and what they ask about ICE.
const MAX_REQUESTS = 16;
// What a server answers, and how long a client has to let pass after that.
const PAUSES = [
	{ ms: 0, body: { command: '###!RPK', data: 7, token: 't'.repeat(43) } },
	{ ms: 700, body: { events: [], next: 0, poll_after_ms: 700 } },
	{ ms: 1000, status: 429, headers: { 'Retry-After': '1' }, body: {
		command: '###!ICB', data: 'No.', error: 'rate-limited' } },
	{ ms: 1000, status: 503, headers: { 'Retry-After': '1' } },
	{ ms: 600, body: { events: [], next: 0, poll_after_ms: 600 } },
];
// Two clocks need not agree on more.
const TICK_MS = 20;

await inGodot(import.meta.url, async () => {
	const browser = await launchForGames();
	const pages = await startArcade();
	const { daemon, proxy } = await startWay();
	// Cleo's session is one that survives a reload.
	const games = await Promise.all([{}, {}, { session_file: SESSION }]
	    .map((client) => Game.open({ browser, pages,
		    client: { url: proxy.url, ...client } })));
	const [ann, bob, cleo] = games;

	// All three are nobody, and then in a room of Ann's.
	async function begin({ room, client } = {})
	{
		if (!daemon.running)
			await daemon.restart();
		proxy.requests.length = 0;
		proxy.script = () => ({});
		for (const game of games)
			await game.begin({ room, client: { url: proxy.url, ...client } });
	}

	async function gather(all = games)
	{
		const uuid = await all[0].enter('Ann');

		for (const game of all.slice(1))
			await game.enter('Bob', uuid);
		return uuid;
	}

	async function assertOffline(...all)
	{
		for (const game of all) {
			const { peer, peers } = await game.state();

			assert.deepEqual({ peer, peers },
			    { peer: 'OfflineMultiplayerPeer', peers: [] });
		}
	}

	test('three meet in a mesh: RPC, a synchronizer, a seal; the host leaves',
	    async (t) => {
		const starts = await Promise.all(games.map(async (game) =>
			(await game.until('ready')).at));

		t.diagnostic(`measured: the engine starts in ${starts.join(', ')} ms`);
		await begin();

		const uuid = await gather();

		await meet(games);
		await talk(...games);

		const { requests } = proxy;

		t.diagnostic(`measured: ${requests.length} requests of three who met`);
		assert.deepEqual([...new Set(requests.map(({ method, path }) =>
			method === 'GET' ? `GET ${path.replace(/\?.*/, '')}` : method))]
		    .sort(), ['GET /ice-servers', 'POST']);
		assert.deepEqual(requests.flatMap(({ replies }) =>
			replies.map(({ status }) => status))
		    .filter((status) => status !== 200 && status !== 404), []);
		assert.ok(requests.length <= 3 * MAX_REQUESTS,
		    requests.map(({ path, body }) => `${path} ${body}`.slice(0, 90))
			.join('\n'));

		await bob.ask('game', 'say_to', 1, 'to the host');
		await ann.until('heard', bob.id, 'to the host');
		await ann.ask('game', 'move_ball', 7);
		await ann.ask('game', 'move_ball', 9);
		for (const game of games)
			await game.until('ball', 'Ball', 9);

		await bob.ask('client', 'send_message', { hello: [1, 2.5, 'x'] });
		for (const game of games)
			assert.deepEqual((await game.until('message_received')).data,
			    [{ hello: [1, 2.5, 'x'] }]);
		await ann.ask('client', 'seal_room');
		for (const game of games)
			await game.until('room_sealed');
		assertFailure(await (await Player.register(daemon)).join(uuid), 409,
		    'JRB', 'room-sealed');

		await ann.ask('client', 'leave_room');
		await ann.until('room_left');
		for (const game of [bob, cleo]) {
			await game.until('room_closed', 'Host Disconnected');
			await game.until('stopped', 'Host Disconnected');
		}
		await assertOffline(...games);
		for (const game of games) {
			assert.deepEqual((await game.said('room_entered',
			    'connected_to_room', 'started')).map(({ what }) => what),
			['room_entered', 'connected_to_room', 'started']);
			assert.equal(await game.ask('game',
			    'is_multiplayer_authority'), true);
		}
		await assertCalm(...games);
	});

	test('three meet in a star, and are told that the server has gone',
	    async () => {
		await begin({ room: { mode: SERVER } });

		let uuid = await gather();

		for (const game of [bob, cleo])
			await game.until('mp_connected_to_server');
		await meet(games);
		await talk(...games);

		// To the lobby and back.
		await bob.ask('client', 'leave_room');
		await ann.until('mp_peer_disconnected', bob.id);
		await assertOffline(bob);
		await bob.order('client', 'join_room', uuid);
		await bob.until('mp_connected_to_server', { n: 2 });
		for (const game of [ann, cleo]) {
			await game.until('mp_peer_connected', bob.id, { n: 2 });
			await bob.until('mp_peer_connected', game.id, { n: 2 });
		}
		await talk(...games);

		const n = (await bob.said('mp_server_disconnected')).length;

		await ann.ask('client', 'leave_room');
		await bob.until('mp_server_disconnected', { n: n + 1 });
		await cleo.until('mp_server_disconnected');
		for (const game of [bob, cleo])
			await game.until('stopped', 'Host Disconnected');
		await assertOffline(...games);

		// Another room, another host.
		await bob.order('client', 'create_room');
		[uuid, bob.id] = (await bob.until('room_entered', { n: 3 })).data;
		await cleo.order('client', 'join_room', uuid);
		[, cleo.id] = (await cleo.until('room_entered', { n: 2 })).data;
		await cleo.until('mp_connected_to_server', { n: 2 });
		await talk(bob, cleo);
		await assertCalm(...games);
	});

	test('with one node: host, join, leave', async () => {
		for (const game of games)
			await game.begin({ simple: { url: proxy.url, session_file: '' } });

		const code = await ann.ask('simple', 'host');

		for (const game of [bob, cleo])
			assert.equal(await game.ask('simple', 'join', code), true);
		for (const game of games)
			game.id = (await game.until('entered', code)).data[1];
		assert.equal(ann.id, 1);
		await meet(games);
		await talk(...games);
		await bob.ask('simple', 'leave');
		await bob.until('left', '');
		assert.equal(await bob.ask('simple', 'join', 'nowhere'), false);
		assert.match((await bob.until('failed')).data[0], /\w.*\.$/);
		await ann.until('mp_peer_disconnected', bob.id);
		await ann.ask('simple', 'leave');
		await cleo.until('left', 'Host Disconnected');
		assert.equal(await cleo.get('simple', 'code'), '');
		await assertOffline(...games);
	});

	test('the daemon is killed while offers, answers and candidates are on ' +
	    'their way', async () => {
		for (const code of ['JR', 'OO', 'AA', 'CC']) {
			await begin();

			let isKilled = false;
			const uuid = await ann.enter('Ann');

			for (const game of [bob, cleo])
				await game.register('Bob');
			// It has had this one, and nobody hears the reply.
			const isDead = new Promise((resolve) => {
				proxy.script = (exchange) => {
					if (carries(exchange, code) && !isKilled) {
						isKilled = true;
						exchange.forwarded.then(() => daemon.kill())
						    .then(resolve);
					}
					return {};
				};
			});

			for (const game of [bob, cleo])
				await game.order('client', 'join_room', uuid);
			await within(DEADLINE_MS, `death by ${code}`, isDead);
			for (const game of games)
				await game.until('network_trouble');
			await daemon.restart();
			for (const game of [bob, cleo])
				[, game.id] = (await game.until('room_entered')).data;
			await meet(games);
			await talk(...games);
			for (const game of games) {
				await game.until('network_restored');
				assert.deepEqual(await game.said('session_ended',
				    'command_failed', 'peer_failed'), []);
			}
		}
	});

	async function dropsOthers(game, mode)
	{
		if (mode === SERVER && game !== ann)
			return game.until('mp_server_disconnected');
		for (const { id } of games)
			if (id !== game.id)
				await game.until('mp_peer_disconnected', id);
	}

	for (const [mode, name] of [[0, 'a mesh'], [SERVER, 'a star']])
		test(`packets of UDP get lost until Godot gives up, in ${name}`,
		    async () => {
			await begin({ room: { mode } });
			await gather();
			await meet(games);
			loseUdp(true);
			try {
				for (const game of games)
					await dropsOthers(game, mode);
			} finally {
				loseUdp(false);
			}
			await meet(games, { n: 2 });
			await talk(...games);
			for (const game of games)
				assert.deepEqual(await game.said('stopped',
				    'session_ended', 'command_failed'), []);
		});

	test('with time that stands still, and a pause, a game goes on',
	    async () => {
		await begin();
		await ann.set('engine', 'time_scale', 0);
		await bob.set('tree', 'paused', true);
		await gather([ann, bob]);
		await meet([ann, bob]);
		// Each answers a poll.
		for (const n of [1, 2, 3]) {
			await bob.ask('client', 'send_message', n);
			await ann.until('message_received', n);
			await ann.ask('client', 'send_message', -n);
			await bob.until('message_received', -n);
		}
		await assertCalm(ann, bob);
		await ann.set('engine', 'time_scale', 1);
		await bob.set('tree', 'paused', false);
	});

	test('with fast time a client waits no less', async () => {
		const { url, requests } = await startImpostor((n) => PAUSES[n] && {
			...PAUSES[n], headers: { ...PAUSES[n].headers,
				'Content-Type': 'application/json',
				'Access-Control-Allow-Origin': '*',
				'Access-Control-Expose-Headers': 'Retry-After' } });

		await ann.begin({ client: { url } });
		await ann.set('engine', 'time_scale', 20);
		await ann.order('client', 'register_player', 'Ann');
		await until(() => requests.length > PAUSES.length);
		PAUSES.forEach(({ ms }, n) => {
			const took = requests[n + 1].at - requests[n].at;

			assert.ok(took >= ms - TICK_MS, `pause ${n}: ${took} ms`);
		});
		await ann.set('engine', 'time_scale', 1);
	});

	test('a client gets another parent, idle and busy', async () => {
		await begin();
		await gather([ann, bob]);
		for (const away of [true, false]) {
			await ann.ask('game', 'move_client', away);
			await bob.ask('client', 'send_message', `${away}`);
			await ann.until('message_received', `${away}`);
			await ann.ask('client', 'send_message', `mine, ${away}`);
			await bob.until('message_received', `mine, ${away}`);
		}
		await meet([ann, bob]);

		// While its requests are under way.
		let release;
		const held = new Promise((resolve) => {
			release = resolve;
		});

		await cleo.begin({ client: { url: proxy.url } });
		proxy.requests.length = 0;
		proxy.script = async (exchange) => {
			if (exchange.n === 0)
				await held;
			return {};
		};
		await cleo.order('client', 'register_player', 'Cleo');
		await proxy.saw(({ body }) => body.includes('Cleo'));
		await cleo.ask('game', 'move_client', true);
		release();
		await cleo.until('registered');
		await cleo.enterRoom(ann.room);
		await meet(games);
		await talk(...games);
		await assertCalm(...games);
	});

	test('a page that is loaded again resumes; a second tab is somebody else',
	    async () => {
		await begin({ client: { session_file: SESSION } });
		await gather();
		await meet(games);

		const { id } = await cleo.state();

		await cleo.reload();
		assert.equal(await cleo.ask('client', 'resume'), true);
		assert.equal((await cleo.state()).id, id);
		assert.deepEqual((await cleo.until('room_entered')).data.slice(0, 2),
		    [ann.room, cleo.id]);
		for (const game of [ann, bob]) {
			await game.until('mp_peer_connected', cleo.id, { n: 2 });
			await cleo.until('mp_peer_connected', game.id);
		}
		await talk(...games);
		await ann.ask('client', 'send_message', 'welcome');
		await cleo.until('message_received', 'welcome');

		const twin = await cleo.duplicate();

		assert.equal(await twin.ask('client', 'resume'), false);
		await twin.enter('Twin');
		assert.notEqual((await twin.state()).id, id);
		await twin.page.close();
		await cleo.page.bringToFront();
		await bob.ask('client', 'send_message', 'still here?');
		await cleo.until('message_received', 'still here?');
		await talk(...games);
		await assertCalm(...games);
	});

	test('resume() leaves a session alone; nobody registers beside it',
	    async () => {
		await begin({ client: { session_file: SESSION } });
		await gather();
		await meet(games);
		assert.equal(await cleo.ask('client', 'resume'), true);
		await talk(...games);
		assert.deepEqual(await bob.said('mp_peer_disconnected'), []);

		const { id } = await cleo.state();

		await cleo.reload();
		await cleo.order('client', 'resume');
		await cleo.order('client', 'register_player', 'Other');

		const { data: [, { error }] } =
		    await cleo.until('command_failed', 'register_player');

		assert.equal(error, 'already-registered');
		assert.equal((await cleo.state()).id, id);
		await cleo.until('room_entered', ann.room, cleo.id);
	});

	test('a proxy that lets nobody ask for ICE servers keeps nobody apart',
	    async () => {
		await begin();
		proxy.script = ({ path }) => path.startsWith('/ice-servers') ?
		    { answer: gatewayError(503) } : {};
		await gather();
		await meet(games);
		await talk(...games);
		await assertCalm(...games);
	});

	test('a game moves to another server, and no token goes there', async () => {
		const other = await startWay();

		await begin();
		await ann.begin({ simple: { url: proxy.url, session_file: '' } });
		await bob.enter('Bob', await ann.ask('simple', 'host'));
		await ann.set('simple', 'url', `${other.proxy.url}/`);
		assert.match(await ann.ask('simple', 'host'), /^[0-9a-f-]{36}$/);
		await bob.until('room_closed', 'Host Disconnected');
		assert.ok(carries(other.proxy.requests[0], 'RP'));
		assert.ok(!other.proxy.requests[0].body.includes('"token"'));
	});
});
