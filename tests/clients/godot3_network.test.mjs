// godot3_network.test.mjs - the client for Godot 3 on bad networks, with servers
// that are away or none, and in games that stand still, hurry or move it.
import assert from 'node:assert/strict';
import net from 'node:net';
import { after, test } from 'node:test';
import { Player, ok, startDaemon, until } from '../lib/peerpost.mjs';
import { FaultProxy, gatewayError } from '../lib/fault_proxy.mjs';
import { Godot, lacksGodot as skip } from '../lib/godot3.mjs';

const isPoll = ({ path, body }) => path === '/events' && !isLook({ body });
// For the room: with a cursor ahead of everything.
const isLook = ({ body }) => JSON.parse(body).after > 1e9;
const isCommand = ({ path }) => path === '/command';
const bodyOf = ({ body }) => JSON.parse(body);

async function startProxied(script)
{
	const daemon = await startDaemon({ clock: false });
	const proxy = await FaultProxy.start({ target: daemon.url, script });

	after(() => proxy.close());
	return { daemon, proxy };
}

// A game in a room of a host that is not Godot.
async function startGuest(url, daemon, options)
{
	const host = await Player.register(daemon, 'host');
	const guest = new Godot(url, options);

	await guest.register('Ann');
	guest.do('join_room', ok(await host.create()).data);
	await guest.hears(1, 'peer_connected');
	return { host, guest };
}

const nHeard = (game, name) => game.said.filter(([what]) => what === name).length;

test('commands go to one address, and share requests', { skip }, async () => {
	const { daemon, proxy } = await startProxied();
	const { host, guest } = await startGuest(proxy.url, daemon);
	const n = proxy.count(isCommand);
	let deep = 1;

	for (let i = 0; i < 40; i++)
		deep = [deep];
	guest.do('send_offer', 1, { sdp: 'o' });
	for (let i = 0; i < 20; i++)
		guest.do('send_candidate', 1, { i });
	await until(() => nHeard(guest, 'result') === 2 + 21);
	assert.deepEqual((await host.news()).slice(2).map(([code, data]) =>
	    [code, data.sdp ?? data.i]), [['OOO', 'o'],
		...[...Array(20).keys()].map((i) => ['CCC', i])]);

	const sent = proxy.requests.filter(isCommand);

	// The orders may have come in two or three frames.
	assert.ok(sent.length - n <= 5, `${sent.length - n} requests`);
	for (const { method, headers, body } of sent) {
		const { token, key, command } = JSON.parse(body);

		assert.equal(method, 'POST');
		assert.equal(headers['content-type'], 'application/json');
		assert.equal(headers.authorization, undefined);
		assert.equal(headers['idempotency-key'], undefined);
		assert.match(key, /^[0-9a-f]{32}$/);
		assert.equal(Boolean(token), command !== '###!RP');
	}
	assert.equal(new Set(sent.map((each) => bodyOf(each).key)).size,
	    sent.length);

	// They wait for one another; on a busy machine perhaps not for long enough.
	let isShared = false;

	for (let i = 0; i < 10 && !isShared; i++) {
		const nBefore = proxy.count(isCommand);
		const nDone = nHeard(guest, 'command_done');

		guest.do('drip', 1);
		await until(() => nHeard(guest, 'command_done') === nDone + 3);
		isShared = proxy.count(isCommand) === nBefore + 1;
	}
	assert.ok(isShared);

	// What no server reads spoils nothing but itself.
	guest.do('send_message', 'before');
	guest.do('send_message', deep);
	guest.do('send_message', 'behind');
	assert.deepEqual((await guest.hears(2, 'message_received'))
	    .map(([, data]) => data), ['before', 'behind']);
	assert.deepEqual((await guest.hears(1, 'command_failed'))
	    .map(([, command, { kind, status, error }]) =>
	        [command, kind, status, error]),
	[['send_message', 'refused', 400, 'bad-json']]);
	assert.deepEqual((await guest.ask('fetch_ice_servers')).reply,
	    { iceServers: [] });
	await guest.quit();
});

test('what fails in an array for the moment is sent again', { skip },
    async () => {
	const { daemon, proxy } = await startProxied();
	const { guest } = await startGuest(proxy.url, daemon);
	let nLeft = 1;

	proxy.script = (exchange) => isCommand(exchange) && nLeft-- > 0 ?
	    { answer: { status: 200, body: JSON.stringify({ replies: [{
		    command: '###!RMB', data: 'Wait a little.',
		    error: 'rate-limited' }] }) } } : {};
	assert.equal((await guest.ask('send_message', 'once')).kind, 'ok');
	await guest.hears(1, 'message_received');
	assert.equal(nLeft, -1);
	assert.equal(nHeard(guest, 'command_failed'), 0);
	await guest.quit();
});

test('a token follows no redirection', { skip }, async () => {
	const { proxy: elsewhere } = await startProxied();
	const { proxy } = await startProxied(() => ({ answer: { status: 302,
		headers: { Location: `${elsewhere.url}/command` } } }));
	const game = new Godot(proxy.url);
	const { kind, error, message } = await game.ask('register_player', 'Ann');

	assert.deepEqual([kind, error], ['foreign', 'not-peerpost']);
	assert.match(message, /a redirection answered/);
	assert.equal(elsewhere.count(), 0);
	await game.quit();
});

test('commands outlast an outage, and the polls after it are as long',
    { skip }, async () => {
	const { daemon, proxy } = await startProxied();
	const { guest } = await startGuest(proxy.url, daemon);

	// A pause menu, such as games have it.
	guest.do('set_time_scale', 0);
	guest.do('set_paused', true);
	guest.do('send_message', 'first');
	await guest.hears(1, 'message_received');
	await proxy.saw((each) => isPoll(each) && bodyOf(each).after === 3);
	await new Promise((resolve) => setTimeout(resolve, 1200));
	await daemon.kill();

	const n = proxy.requests.length;

	guest.do('send_message', 'second');
	await until(() => proxy.requests.slice(n).filter(isCommand).length >= 10);

	const tries = proxy.requests.slice(n).filter(isCommand)
		.map(({ body }) => String(body));

	assert.equal(new Set(tries).size, 1, 'the key is the same');
	await daemon.restart();
	assert.deepEqual((await guest.hears(2, 'message_received'))[1],
	    ['message_received', 'second']);
	await guest.hears(1, 'network_restored');
	assert.equal(nHeard(guest, 'network_trouble'), 1);
	assert.equal(nHeard(guest, 'command_failed'), 0);

	// Until it was answered, to see at once; then as before.
	const waits = () => proxy.requests.slice(n).filter(isPoll)
		.map((each) => bodyOf(each).wait);

	await until(() => waits().at(-1) > 0);
	assert.equal(waits().at(-1), 25);
	assert.ok(waits().slice(0, -1).every((wait) => wait === 0), `${waits()}`);
	await guest.quit();
});

test('one failure is no news, two are, until anything is answered', { skip },
    async () => {
	const { daemon, proxy } = await startProxied();
	const { guest } = await startGuest(proxy.url, daemon);
	let nLeft = 1;

	proxy.script = (exchange) => isCommand(exchange) && nLeft-- > 0 ?
	    { answer: gatewayError(502) } : {};
	guest.do('send_message', 1);
	await guest.hears(1, 'message_received');
	assert.equal(nHeard(guest, 'network_trouble'), 0);
	nLeft = 2;
	guest.do('send_message', 2);
	await guest.hears(2, 'message_received');
	await guest.hears(1, 'network_trouble');
	await guest.hears(1, 'network_restored');

	// A refusal is an answer, while polls go on to fail.
	proxy.script = (exchange) => isPoll(exchange) ?
	    { answer: gatewayError(502) } : {};
	for (const each of proxy.sockets)
		each.destroy();
	await guest.hears(2, 'network_trouble');
	assert.equal((await guest.ask('seal_room')).error, 'not-host');
	assert.ok(nHeard(guest, 'network_restored') >= 2);
	await guest.quit();
});

test('polls that are cut are no trouble, and get shorter', { skip }, async () => {
	const { daemon, proxy } = await startProxied((exchange) =>
	    isPoll(exchange) ? { cutAfterMs: 3000 } : {});
	const { host, guest } = await startGuest(proxy.url, daemon);
	const waits = () => proxy.requests.filter((each) => isPoll(each) &&
	    bodyOf(each).after >= 2).map((each) => bodyOf(each).wait);

	await until(() => waits().length >= 4);
	// 0.7 times what it was cut after, and that is 3 s or a little more.
	assert.deepEqual(waits().slice(0, 4).map((wait) => wait === 3 ? 2 : wait),
	    [25, 0, 2, 2]);
	ok(await host.message('still'));
	await guest.hears(1, 'message_received');

	// Nor with the one failure that comes behind it.
	let nPeeks = 0;

	proxy.script = (exchange) => !isPoll(exchange) ? {} :
	    bodyOf(exchange).wait > 0 ? { cutAfterMs: 1100 } :
	    nPeeks++ % 2 === 0 ? { answer: gatewayError(502) } : {};
	await until(() => nPeeks >= 4);
	assert.equal(nHeard(guest, 'network_trouble'), 0);
	await guest.quit();
});

// One that takes connections, and says nothing.
async function startMute()
{
	const sockets = new Set();
	const server = net.createServer((socket) => {
		sockets.add(socket);
		socket.on('error', () => {});
	});

	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	after(() => {
		server.close();
		for (const socket of sockets)
			socket.destroy();
	});
	return `http://127.0.0.1:${server.address().port}`;
}

test('a server that is none is told soon', { skip }, async () => {
	const closed = net.createServer();

	await new Promise((resolve) => closed.listen(0, '127.0.0.1', resolve));
	const nobody = `http://127.0.0.1:${closed.address().port}`;

	await new Promise((resolve) => closed.close(resolve));
	const games = [nobody, await startMute()].map((url) => new Godot(url));

	await Promise.all(games.map(async (game) => {
		const { ok: isOk, kind, error, message } =
		    await game.ask('register_player', 'Ann');

		assert.deepEqual([isOk, kind, error], [false, 'lost', 'unreachable']);
		assert.match(message, /^http:\/\/127\.0\.0\.1:\d+ cannot be reached: /);
		await game.quit();
	}));
	// Once there is a session, no outage is long enough to give up; see above.
});

test('addresses that are none, and those that are nearly right', { skip },
    async () => {
	const { proxy } = await startProxied();
	const game = new Godot('play.example');

	for (const url of ['play.example', '', 'http://', 'ftp://play.example',
		'http://play.example/?room=1', 'http://play example']) {
		game.do('set_client', 'url', url);
		const { kind, error, message } =
		    await game.ask('register_player', 'Ann');

		assert.deepEqual([kind, error], ['refused', 'bad-url'], url);
		assert.match(message, /must be a URL such as https:/);
	}
	game.do('set_client', 'url', ` ${proxy.url.replace('http', 'HTTP')}/// \n`);
	assert.equal((await game.ask('register_player', 'Ann')).kind, 'ok');
	assert.equal(proxy.requests[0].path, '/command');
	assert.deepEqual(game.said.filter(([name]) => name === 'url').at(-1),
	    ['url', proxy.url]);
	await game.quit();
});

test('a client that gets another parent goes on', { skip }, async () => {
	const { daemon, proxy } = await startProxied();
	const { host, guest } = await startGuest(proxy.url, daemon);
	const isHeld = (each) => isPoll(each) && bodyOf(each).after === 2;

	await proxy.saw(isHeld);
	for (const ms of [0, 300]) {
		const n = proxy.count(isHeld);

		guest.do('reparent', ms);
		await until(() => proxy.count(isHeld) > n);
	}
	// With a command under way, of which the reply is on its way.
	proxy.script = (exchange) => isCommand(exchange) ? { delayMs: 1000 } : {};
	guest.do('send_message', 'once');
	await proxy.saw((each) => isCommand(each) && bodyOf(each).commands);
	proxy.script = () => ({});
	guest.do('reparent', 100);
	await guest.hears(1, 'message_received');
	ok(await host.message('later'));
	assert.deepEqual((await guest.hears(2, 'message_received'))
	    .map(([, text]) => text), ['once', 'later']);
	assert.equal(nHeard(guest, 'command_failed'), 0);
	assert.equal(nHeard(guest, 'network_trouble'), 0);
	await guest.quit();
});
