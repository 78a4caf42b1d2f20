// js_mesh.test.mjs - PeerpostMesh with real connections: @roamhq/wrtc.
//
// This file runs itself again in a network namespace of its own, where there
// is nothing but loopback: so nothing gets out, and ICE has no choice.
import assert from 'node:assert/strict';
import test, { after } from 'node:test';
import { PeerpostMesh } from '../../clients/js/peerpost.js';
import { examples, fastClock, heard, loadWrtc, makeClient, runModule, Storage,
    VirtualClock, wrtcPath } from '../lib/clients.mjs';
import { inNamespaceOfItsOwn } from '../lib/namespace.mjs';
import { startDaemon, until } from '../lib/peerpost.mjs';

const wrtc = loadWrtc();

const skip = !wrtc && '@roamhq/wrtc is not installed: cp ' +
    'tests/clients/package*.json to modules/clients of the build folder, and ' +
    'npm ci there';

await inNamespaceOfItsOwn(import.meta.url, 'mesh', async () => {
	const daemon = await startDaemon();

	// The module keeps threads that Node does not wait for, nor end.
	after(() => setTimeout(() => process.exit(), 100).unref());

	function watch(mesh)
	{
		mesh.log = [];
		for (const type of ['peer', 'data', 'left', 'error'])
			mesh.addEventListener(type, (event) => mesh.log.push(event));
		mesh.of = (type) => mesh.log.filter((each) => each.type === type);
		return mesh;
	}

	async function makePlayer(name, options = {})
	{
		const { storage = null, join, ...meshOptions } = options;
		const client = makeClient(daemon.url, { storage });
		const mesh = watch(new PeerpostMesh(client,
		    { RTCPeerConnection: wrtc.RTCPeerConnection, ...meshOptions }));

		after(() => mesh.close());
		await client.connect(name);
		if (join)
			await client.joinRoom(join);
		return { client, mesh };
	}

	async function makeMesh(names)
	{
		const players = [];
		let room;

		for (const name of names) {
			const player = await makePlayer(name, { join: room });

			room ??= await player.client.createRoom();
			players.push(player);
		}
		await isFull(players);
		return { room, players };
	}

	const isFull = (players) => until(() => players.every(({ mesh }) =>
	    mesh.peers.length === players.length - 1), 'full mesh');

	// Let a client send no candidates for as long as isMute() says.
	function mute(client, isMute)
	{
		const { candidate } = client;

		for (const name of ['offer', 'answer']) {
			const command = client[name];

			client[name] = (to, { rtc, ...rest }) => command.call(client, to,
			    { ...rest, rtc: !isMute() ? rtc : { ...rtc,
				    sdp: rtc.sdp.replace(/a=candidate:.*\r\n/g, '') } });
		}
		client.candidate = async (...args) => isMute() ||
		    candidate.apply(client, args);
	}

	// Whether there has been an offer and an answer, and all candidates with
	// them.
	const areAgreed = (...players) => players.every(({ client, mesh }) =>
	    players.every((other) => {
		const pc = mesh.connection(other.client.peerId);

		return client === other.client || (pc?.remoteDescription &&
		    pc.signalingState === 'stable' &&
		    pc.iceGatheringState === 'complete');
	}));

	test('three players, a full mesh, data both ways, one leaves', async () => {
		const { players } = await makeMesh(['ann', 'bob', 'cid']);
		const ids = players.map(({ client }) => client.peerId);

		for (const { client, mesh } of players) {
			assert.deepEqual(mesh.of('peer').map(({ peerId }) => peerId)
			    .sort(), ids.filter((id) => id !== client.peerId).sort());
			assert.equal(mesh.broadcast(`from ${client.name}`), 2);
			for (const peerId of mesh.peers)
				assert.equal(mesh.send(peerId,
				    new Uint8Array([peerId & 255])), true);
		}
		await until(() => players.every(({ mesh }) =>
		    mesh.of('data').length === 4), 'data');
		for (const { client, mesh } of players)
			for (const other of players.filter((each) =>
			    each.client !== client)) {
				const data = mesh.of('data').filter(({ peerId }) =>
				    peerId === other.client.peerId)
				    .map((event) => event.data);

				assert.equal(data[0], `from ${other.client.name}`);
				assert.deepEqual([...new Uint8Array(data[1])],
				    [client.peerId & 255]);
			}
		assert.throws(() => players[0].mesh.send(ids[1], { no: 1 }), TypeError);
		assert.equal(players[0].mesh.send(99, 'nobody'), false);

		await players[2].client.leaveRoom();
		await until(() => players.slice(0, 2).every(({ mesh }) =>
		    mesh.of('left').length === 1), 'left');
		assert.equal(players[0].mesh.of('left')[0].peerId, ids[2]);
		assert.equal(players[2].mesh.of('left').length, 2);
		assert.equal(players[2].mesh.broadcast('x'), 0);
		assert.equal(players[0].mesh.broadcast('still'), 1);
		await until(() => players[1].mesh.of('data').at(-1).data === 'still',
		    'data');

		// The host leaves: the room is gone, and so are the connections.
		await players[0].client.leaveRoom();
		await heard(players[1].client, 'room-gone');
		assert.deepEqual(players[1].mesh.peers, []);
		for (const { mesh } of players)
			assert.deepEqual(mesh.of('error').map(({ error }) => error), []);
	});

	test('the README\'s mesh example runs as written', async () => {
		const [, example] = examples();
		const prepare = (room) => `import wrtc from '${wrtcPath()}';
			globalThis.RTCPeerConnection = wrtc.RTCPeerConnection;
			globalThis.PEERPOST_URL = '${daemon.url}';
			globalThis.ROOM = ${JSON.stringify(room)};`;
		const host = runModule(example, prepare(null));
		const room = await until(() => /room (\S+)\n/.exec(host.out)?.[1],
		    'room');
		const guest = runModule(example, prepare(room));

		await until(() => /\d+ Welcome!/.test(host.out) &&
		    /1 Welcome!/.test(guest.out), 'welcome');
		host.kill('SIGKILL');
		assert.doesNotMatch(host.out + guest.out, /rror/);
		guest.kill('SIGKILL');
	});

	test('offers that cross', async () => {
		const { room, players: [ann] } = await makeMesh(['ann']);
		const bob = await makePlayer('bob');

		// Both begin: they come to know of each other by a snapshot.
		bob.mesh.close();
		ann.mesh.close();
		await bob.client.joinRoom(room);
		await heard(ann.client, 'peer-connected');
		for (const player of [ann, bob])
			player.mesh = watch(new PeerpostMesh(player.client,
			    { RTCPeerConnection: wrtc.RTCPeerConnection }));
		await isFull([ann, bob]);
		assert.equal(ann.mesh.broadcast('a'), 1);
		assert.equal(bob.mesh.broadcast('b'), 1);
		await until(() => ann.mesh.of('data').length === 1 &&
		    bob.mesh.of('data').length === 1, 'data');
		for (const { client, mesh } of [ann, bob]) {
			assert.equal(client.log.filter(({ type }) => type === 'offer')
			    .length, 1);
			assert.deepEqual(mesh.of('error').map(({ error }) => error), []);
			mesh.close();
		}
	});

	test('garbage gives an error event and nothing else', async () => {
		const { room, players } = await makeMesh(['ann', 'bob']);
		const [ann] = players;
		const eve = makeClient(daemon.url);

		await eve.register('eve');
		await eve.joinRoom(room);
		await heard(ann.client, 'peer-connected', 2);

		const bad = ['v=0', 'garbage', '\r\n'.repeat(1000),
			'v=0\r\nm=application 9 x y z\r\n'];
		const rubbish = [...bad.map((sdp) => ({ rtc: { type: 'offer', sdp } })),
			...bad.map((sdp, i) => ({ rtc: { type: 'offer', sdp },
				link: `e${i}` })),
			{}, { rtc: null }, { rtc: 'x' }, { rtc: { type: 'answer',
				sdp: 'v=0' } }, { rtc: { type: 'offer', sdp: 7 } }];

		for (const data of rubbish)
			await eve.offer(1, data);
		for (const data of [{}, { rtc: 1 }, { rtc: { candidate: 1 } }])
			await eve.candidate(1, data);
		await until(() => ann.mesh.of('error').length >= rubbish.length + 3,
		    'errors');
		await eve.answer(1, { rtc: { type: 'answer', sdp: 'garbage' } });
		await eve.candidate(1, { rtc: { candidate: 'garbage', sdpMid: '0' } });
		await heard(ann.client, 'candidate', 4);
		for (const { peerId, error } of ann.mesh.of('error')) {
			assert.equal(peerId, eve.peerId);
			assert.ok(error instanceof Error || error.message, `${error}`);
		}

		// Nobody else has noticed.
		assert.deepEqual(ann.mesh.of('left'), []);
		assert.equal(ann.mesh.broadcast('on'), 1);
		await until(() => players[1].mesh.of('data').length === 1, 'data');
	});

	test('garbage from a member who is connected does not end the connection',
	    async () => {
		const { players: [ann, bob] } = await makeMesh(['ann', 'bob']);

		for (const link of [undefined, 'other'])
			await bob.client.offer(1, { rtc: { type: 'offer', sdp: 'no' },
				link });
		await until(() => ann.mesh.of('error').length === 2, 'errors');
		assert.equal(ann.mesh.broadcast('a'), 1);
		assert.equal(bob.mesh.broadcast('b'), 1);
		await until(() => ann.mesh.of('data').length === 1 &&
		    bob.mesh.of('data').length === 1, 'data');
		assert.deepEqual(ann.mesh.of('left'), []);
	});

	test('a page that is loaded again connects again, as the same player',
	    async () => {
		const storage = new Storage();
		const ann = await makePlayer('ann');
		const room = await ann.client.createRoom();
		const bob = await makePlayer('bob', { join: room, storage });
		const { id } = bob.client;

		await isFull([ann, bob]);
		bob.client.stop();
		bob.mesh.close();

		const again = await makePlayer('not asked for', { storage });

		assert.equal(again.client.id, id);
		assert.equal(again.client.room, room);
		await until(() => ann.mesh.of('peer').length === 2 &&
		    again.mesh.peers.length === 1, 'new connection');
		assert.deepEqual(ann.mesh.log.map(({ type }) => type),
		    ['peer', 'left', 'peer']);
		assert.equal(ann.mesh.broadcast('again'), 1);
		await until(() => again.mesh.of('data').length === 1, 'data');
	});

	test('a connection that is closed under it is made again', async () => {
		const { players: [ann, bob] } = await makeMesh(['ann', 'bob']);

		ann.mesh.connection(bob.client.peerId).close();
		await until(() => bob.mesh.of('left').length >= 1, 'left');
		await isFull([ann, bob]);
		await until(() => bob.mesh.broadcast('x') === 1, 'channel');
		await until(() => ann.mesh.of('data').length >= 1, 'data');
	});

	test('a connection that gets no candidates, and tells of no failure, is ' +
	    'mended', async () => {
		let isMute = true;
		const options = { clock: fastClock(10) };
		const ann = await makePlayer('ann', options);
		const bob = await makePlayer('bob', options);

		for (const { client } of [ann, bob])
			mute(client, () => isMute);
		await bob.client.joinRoom(await ann.client.createRoom());
		await until(() => areAgreed(ann, bob), 'offer and answer');
		isMute = false;
		await isFull([ann, bob]);
		for (const { mesh } of [ann, bob])
			assert.deepEqual(mesh.of('error'), []);
	});

	test('restarts that cross before there was a connection', async () => {
		let isMute = true;
		const players = [];
		const nMade = [0, 0];
		const held = [];
		let nGathered = 0;

		for (const [i, name] of ['ann', 'bob'].entries()) {
			const clock = new VirtualClock();
			const player = await makePlayer(name, { clock,
				RTCPeerConnection: function RTCPeerConnection(options)
				{
					const pc = new wrtc.RTCPeerConnection(options);

					nMade[i]++;
					pc.addEventListener('icecandidate', ({ candidate }) => {
						nGathered += candidate ? 0 : 1;
					});
					return pc;
				} });
			const { client } = player;

			players.push({ ...player, clock });
			mute(client, () => isMute);

			// Both offers are there before either is sent.
			const { offer } = client;

			client.offer = async (...args) => {
				if (!isMute)
					await new Promise((resolve) => {
						held.push(resolve);
						if (held.length === 2)
							held.forEach((goOn) => goOn());
					});
				return offer.apply(client, args);
			};
		}

		const [ann, bob] = players;

		await bob.client.joinRoom(await ann.client.createRoom());
		// Without a connection: the last candidate is not let through either.
		await until(() => areAgreed(ann, bob) && nGathered === 2 &&
		    players.every(({ clock }) => clock.timers.size > 0),
		'offer and answer');
		assert.deepEqual(players.flatMap(({ client }) => client.log.filter(
		    ({ type }) => type === 'candidate')), []);
		isMute = false;
		// So long for a channel to open, and then the first attempt.
		await bob.clock.run(10_600);
		await ann.clock.run(11_100);
		await until(() => held.length === 2, 'two offers');
		await isFull(players);
		// Each has kept what the other had agreed with.
		assert.deepEqual(nMade, [1, 1]);
		for (const { mesh } of players)
			assert.deepEqual(mesh.of('error').map(({ error }) => error), []);
	});

	// Two players; bob has a clock that stands still, and takes no offer on
	// his second connection until goOn() is called.
	async function makeHesitant()
	{
		const clock = new VirtualClock();
		const { players: [ann] } = await makeMesh(['ann']);
		const made = [];
		let goOn;
		const decided = new Promise((resolve) => {
			goOn = resolve;
		});
		const bob = await makePlayer('bob', { clock, join: ann.client.room,
			RTCPeerConnection: function RTCPeerConnection(options)
			{
				const pc = new wrtc.RTCPeerConnection(options);
				const take = pc.setRemoteDescription;

				made.push(pc);
				if (made.length === 2)
					pc.setRemoteDescription = async (description) => {
						pc.isAsked = true;
						await decided;
						return take.call(pc, description);
					};
				return pc;
			} });

		await isFull([ann, bob]);
		return { ann, bob: { ...bob, clock }, made, goOn };
	}

	const meshAgain = ({ client }) => watch(new PeerpostMesh(client,
	    { RTCPeerConnection: wrtc.RTCPeerConnection }));

	test('who is about to take an offer does not begin anew, too', async () => {
		const { ann, bob, made, goOn } = await makeHesitant();

		ann.mesh.close();
		await until(() => bob.mesh.of('left').length === 1, 'left');
		ann.mesh = meshAgain(ann);
		await until(() => made[1]?.isAsked, 'offer');
		await bob.clock.run(2000);
		goOn();
		await isFull([ann, bob]);
		assert.equal(made.length, 2);
		assert.equal(ann.mesh.broadcast('a'), 1);
		await until(() => bob.mesh.of('data').length === 1, 'data');
		assert.deepEqual(bob.mesh.log.map(({ type }) => type),
		    ['peer', 'left', 'peer', 'data']);
		ann.mesh.close();
	});

	test('but does if it is none', async () => {
		const { ann, bob, made, goOn } = await makeHesitant();

		ann.mesh.close();
		await until(() => bob.mesh.of('left').length === 1, 'left');
		await ann.client.offer(bob.client.peerId,
		    { rtc: { type: 'offer', sdp: 'no' }, link: 'other' });
		await until(() => made[1]?.isAsked, 'offer');
		await bob.clock.run(600);
		assert.equal(made.length, 2);
		goOn();
		await until(() => bob.mesh.of('error').length === 1, 'error');
		await bob.clock.run(600);
		assert.equal(made.length, 3);
		ann.mesh = meshAgain(ann);
		await isFull([ann, bob]);
		ann.mesh.close();
	});

	test('a mesh that is closed when a member is told to have left stays ' +
	    'closed', async () => {
		const { ann, bob, made, goOn } = await makeHesitant();

		goOn();
		bob.mesh.addEventListener('left', () => bob.mesh.close());

		// Another begins anew in place of the first, which is still open.
		const other = meshAgain(ann);

		await until(() => bob.mesh.of('left').length === 1, 'left');
		await until(() => made.every(({ signalingState }) =>
		    signalingState === 'closed'), 'end of the connections');
		assert.equal(made.length, 2);
		other.close();
	});

	test('ICE is restarted when a connection fails', async () => {
		// wrtc cannot be made to lose packets: let it say that it failed.
		const failed = new Set();
		const restarted = [];
		const told = (pc) => new Proxy(pc, {
			get: (target, name) => name === 'connectionState' &&
			    failed.has(target) ? 'failed' :
			    name === 'createOffer' ? (options) => {
				    restarted.push(options.iceRestart);
				    failed.delete(target);
				    return target.createOffer(options);
			    } : typeof target[name] === 'function' ?
			    target[name].bind(target) : target[name],
		});
		const { players: [ann] } = await makeMesh(['ann']);
		let pc;
		const bob = await makePlayer('bob', { join: ann.client.room,
			RTCPeerConnection: function RTCPeerConnection(options)
			{
				pc = new wrtc.RTCPeerConnection(options);
				return told(pc);
			} });

		await isFull([ann, bob]);
		assert.deepEqual(restarted, [false]);

		const password = () => /a=ice-pwd:.*/.exec(pc.localDescription.sdp)[0];
		const before = password();

		failed.add(pc);
		pc.dispatchEvent(new Event('connectionstatechange'));
		await until(() => restarted.length === 2, 'restart');
		await until(() => ann.client.log.filter(({ type }) =>
		    type === 'offer').length === 2 &&
		    pc.signalingState === 'stable', 'second offer and its answer');
		assert.equal(restarted[1], true);
		assert.notEqual(password(), before);
		assert.equal(bob.mesh.broadcast('x'), 1);
		await until(() => ann.mesh.of('data').length === 1, 'data');
		assert.deepEqual(ann.mesh.log.map(({ type }) => type),
		    ['peer', 'data']);
	});
}, { skip });
