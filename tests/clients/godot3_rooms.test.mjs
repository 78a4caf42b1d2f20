// godot3_rooms.test.mjs - the client for Godot 3: which room events are of, when
// replies and events come in another order than the server had them.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { after, test } from 'node:test';
import { Player, ok, startDaemon, until } from '../lib/peerpost.mjs';
import { FaultProxy, gatewayError } from '../lib/fault_proxy.mjs';
import { Godot, lacksGodot as skip } from '../lib/godot3.mjs';

const isJoin = ({ path, body }) => path === '/command' &&
    JSON.parse(body).command === '###!JR';
const isPoll = ({ path }) => path === '/events';
const ENTERING = ['room_entered', 'connected_to_room', 'peer_connected'];

async function start()
{
	const daemon = await startDaemon({ clock: false });
	const proxy = await FaultProxy.start({ target: daemon.url });
	const host = await Player.register(daemon, 'Host');
	const ann = new Godot(proxy.url);
	const id = await ann.register('Ann');

	after(() => proxy.close());
	return { daemon, proxy, host, room: ok(await host.create()).data, ann, id };
}

test('events wait for the reply that tells their room', { skip }, async () => {
	const { proxy, host, room, ann, id } = await start();
	let nJoins = 0;

	// The reply to the join is lost, and comes again after the events.
	proxy.script = (exchange) => isJoin(exchange) ?
	    nJoins++ === 0 ? { drop: true } : { delayMs: 1500 } : {};
	ann.do('join_room', room);
	await ann.hears(1, 'peer_connected');
	assert.deepEqual(ann.said.filter(([name]) => ENTERING.includes(name)), [
		['room_entered', room, id, [{ id: 1, name: 'Host' },
			{ id, name: 'Ann' }]],
		['connected_to_room', id], ['peer_connected', 1]]);
	assert.equal(nJoins, 2);
	// Polls did not turn round and round meanwhile.
	assert.ok(proxy.count(isPoll) < 10, `${proxy.count(isPoll)} polls`);

	const bob = await Player.register(host.daemon, 'Bob');

	ok(await bob.join(room));
	await ann.hears(2, 'peer_connected');
	ann.do('say_client', 'peers');
	assert.deepEqual((await ann.hears(1, 'peers'))[0][1],
	    { 1: 'Host', [id]: 'Ann', [bob.id]: '' });
	assert.equal((await ann.ask('fetch_room')).reply.peers.length, 3);
	ann.do('say_client', 'peers');
	assert.equal((await ann.hears(2, 'peers'))[1][1][bob.id], 'Bob');
	await ann.quit();
});

test('a room that no reply has told of', { skip }, async () => {
	const { proxy, room, host, ann, id } = await start();
	let nJoins = 0;

	// A firewall swallows the reply, and does not like the command any more.
	proxy.script = (exchange) => isJoin(exchange) ? nJoins++ === 0 ?
	    { drop: true } : { answer: { ...gatewayError(502), status: 403 } } : {};
	assert.equal((await ann.ask('join_room', room)).kind, 'foreign');
	await ann.hears(1, 'peer_connected');
	assert.deepEqual(ann.said.filter(([name]) => ENTERING.includes(name)), [
		['room_entered', room, id, [{ id: 1, name: 'Host' },
			{ id, name: 'Ann' }]],
		['connected_to_room', id], ['peer_connected', 1]]);
	ok(await host.message('Hello'));
	await ann.hears(1, 'message_received');
	await ann.quit();
});

// Whether it sees its events at once, or in its next run.
for (const isNext of [false, true])
	test(`what is left of an earlier room is kept apart${isNext ?
	    ' in the next run' : ''}`, { skip }, async () => {
		const { daemon, proxy, room, host, ann, id } = await start();
		const other = await Player.register(daemon, 'Other');
		const next = ok(await other.create()).data;

		ann.do('join_room', room);
		await ann.hears(1, 'peer_connected');
		// No polls for a while.
		proxy.script = (exchange) => isPoll(exchange) ?
		    { answer: gatewayError(502) } : {};
		for (const socket of proxy.sockets)
			socket.destroy();
		ok(await host.message('old'));
		ok(await (await Player.register(daemon, 'Late')).join(room));
		assert.ok((await ann.ask('leave_room')).ok);
		assert.ok((await ann.ask('join_room', next)).ok);
		ok(await other.message('new'));

		let game = ann;

		if (isNext) {
			ann.child.kill('SIGKILL');
			await ann.ended;
			game = new Godot(daemon.url, { session: ann.session });
			fs.writeFileSync(ann.session, fs.readFileSync(ann.session,
			    'utf8').replace(proxy.url, daemon.url));
			assert.equal(await game.ask('resume'), true);
		} else {
			proxy.script = () => ({});
		}

		await until(() => game.said.some(([name, event]) =>
		    name === 'event_received' && event.data === 'new'));
		assert.deepEqual(await game.hears(1, 'message_received'),
		    [['message_received', 'new']]);
		assert.ok(game.said.some(([name, event]) =>
		    name === 'event_received' && event.data === 'old'));
		// The other host is 1, too.
		assert.deepEqual(game.said.filter(([name]) =>
		    name === 'peer_connected').slice(isNext ? 0 : 1),
		[['peer_connected', 1]]);
		game.do('say_client', 'peers');
		assert.deepEqual((await game.hears(1, 'peers'))[0][1],
		    { 1: 'Other', [id]: 'Ann' });
		await game.quit();
	});
