// js_misuse.test.mjs - PeerpostClient and PeerpostMesh in the wrong hands, and
// in places that lack something: a clear error at once, or it works.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { getEventListeners } from 'node:events';
import test from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PeerpostClient, PeerpostMesh } from '../../clients/js/peerpost.js';
import { heard, Locks, makeClient, Storage, VirtualClock }
    from '../lib/clients.mjs';
import { Player, ok, startDaemon, until } from '../lib/peerpost.mjs';

const daemon = await startDaemon();
const { url } = daemon;

test('an address that is none', () => {
	for (const wrong of [undefined, null, '', 'localhost:8080',
		'signal.example', 'signal.example/x', 'ftp://a', 'http://[', 5, {},
		'/signal', '..', 'javascript:alert(1)', 'file:///tmp', '//a',
		Object.create(null), { href: 5 }, Symbol('a')])
		assert.throws(() => new PeerpostClient(wrong), (error) =>
		    error instanceof TypeError &&
		    /^The address of the server must be a URL such as https:/
		    .test(error.message) && (typeof wrong !== 'string' ||
		    error.message.includes(`not '${wrong}'`)), typeof wrong);
	for (const [right, sense] of [['http://a/', 'http://a'],
		[new URL('HTTPS://A:443/p//'), 'https://a/p'],
		[{ href: 'http://a/p' }, 'http://a/p']])
		assert.equal(new PeerpostClient(right).url, sense);

	// In a page, relative to it if that is meant.
	globalThis.document = { baseURI: 'https://a.example/game/x.html' };
	try {
		for (const [right, sense] of [['..', 'https://a.example'],
			['.', 'https://a.example/game'],
			['/signal', 'https://a.example/signal'],
			['./s', 'https://a.example/game/s']])
			assert.equal(new PeerpostClient(right).url, sense);
		for (const wrong of [undefined, 'undefined', 'signal.example'])
			assert.throws(() => new PeerpostClient(wrong), TypeError);
		globalThis.document.baseURI = 'file:///home/x.html';
		assert.throws(() => new PeerpostClient('..'), TypeError);
	} finally {
		delete globalThis.document;
	}
});

test('options that are unknown or of the wrong type', () => {
	const make = (options) => new PeerpostClient(url, options);

	assert.throws(() => make({ waitSec: 5 }), { name: 'TypeError',
		message: /no option 'waitSec'; the options are mode, storage, / });
	for (const wrong of [{ mode: 'fast' }, { storage: 'localStorage' },
		{ storage: {} }, { pathStorage: 1 }, { session: {} },
		{ session: 'x' }, { leaveOnPagehide: 'yes' }, { waitS: '25' },
		{ waitS: 0 }, { waitS: 56 }, { waitS: NaN }, { maxAttempts: 0 },
		{ maxAttempts: 1.5 }, { backoffMs: -1 }, { maxBackoffMs: Infinity },
		{ timeoutMs: null }, { fetch: 'fetch' }, { clock: {} }, { page: 5 }])
		assert.throws(() => make(wrong), (error) =>
		    error instanceof TypeError && new RegExp('^The option ' +
		    `${Object.keys(wrong)} must be .*, not .*\\.$`)
		    .test(error.message), JSON.stringify(wrong));
	for (const wrong of [null, 'x', 5])
		assert.throws(() => make(wrong), { name: 'TypeError' });
	// Not given is not wrong.
	make({ mode: undefined, waitS: undefined, session: undefined });

	const client = make();
	const mesh = (options) => new PeerpostMesh(client, options);
	const RTCPeerConnection = class {};

	mesh({ RTCPeerConnection, rtc: undefined }).close();
	for (const wrong of [{ RTCPeerConnection, rct: {} },
		{ RTCPeerConnection, rtc: 'x' }, { RTCPeerConnection, channel: 5 },
		{ RTCPeerConnection: {} }, { RTCPeerConnection, clock: null }])
		assert.throws(() => mesh(wrong), { name: 'TypeError' });
	assert.throws(() => new PeerpostMesh(url, { RTCPeerConnection }),
	    { name: 'TypeError', message: /must be a PeerpostClient, not 'http/ });
});

test('arguments of the wrong type reject, and nothing is sent', async () => {
	const client = makeClient(url);

	for (const wrong of [undefined, null, 5, {}, ['x']]) {
		await assert.rejects(client.connect(wrong), { error: 'bad-name',
			message: /^The name must be a string, not / });
		await assert.rejects(client.register(wrong), { error: 'bad-name' });
	}
	await client.register('x');
	await client.createRoom();

	const n = client.exchanges.length;
	const isNoPoll = ({ path }) => path !== '/events';

	for (const method of ['offer', 'answer', 'candidate']) {
		for (const data of ['x', 5, null, undefined, ['x'], () => {}])
			await assert.rejects(client[method](1, data),
			    { error: 'bad-data', message: /must be an object/ });
		for (const peerId of ['1', 0, -1, 1.5, NaN, undefined, null,
			Object.create(null), Symbol('a')])
			await assert.rejects(client[method](peerId, {}),
			    { error: 'bad-data', message: /peer id must be/ });
		await assert.rejects(client[method](1, { toJSON() {
			throw new Error('no');
		} }), { error: 'bad-data', message: /cannot be written as JSON/ });
	}
	for (const room of [undefined, null, 5, {}, Object.create(null),
		Symbol('a')])
		await assert.rejects(client.joinRoom(room),
		    { error: 'bad-data', message: /^The room must be a string/ });
	for (const options of [5, { signal: 5 }, { signals: null }, null])
		for (const method of ['createRoom', 'sealRoom', 'leaveRoom',
			'unregister'])
			await assert.rejects(client[method](options),
			    { error: 'bad-options' });
	await assert.rejects(client.sendMessage(1, { timeout: 5 }),
	    { error: 'bad-options', message: /no option 'timeout'; .* signal\./ });
	assert.deepEqual(client.exchanges.slice(n).filter(isNoPoll), []);
	assert.notEqual(client.room, null);
});

test('what has toJSON() is relayed as that says', async () => {
	// As the browser's RTCSessionDescription: no members of its own.
	class Description {
		get sdp() { return 'v=0'; }
		toJSON() { return { type: 'offer', sdp: this.sdp }; }
	}

	const client = makeClient(url);
	const host = await Player.register(daemon, 'host');

	await client.register('x');
	await client.joinRoom(ok(await host.create()).data);
	await client.offer(1, new Description());
	assert.deepEqual((await host.news()).at(-1),
	    ['OOO', { type: 'offer', sdp: 'v=0', id: client.id }]);
});

test('the events after the end of the session are an error', async () => {
	const storage = new Storage();
	const client = makeClient(url, { storage });
	const loop = async () => {
		for await (const event of client)
			if (event.type === 'joined')
				return 'joined';
		return 'end';
	};

	await client.register('x');

	const first = loop();

	await client.unregister();
	assert.equal(await first, 'end');
	await assert.rejects(loop(), { error: 'no-session', status: 401 });
	await assert.rejects(loop(), { error: 'no-session' });

	// A new session has new events.
	await client.register('y');

	const second = loop();

	await client.createRoom();
	assert.equal(await second, 'joined');

	// Ended by the server, before anybody looks.
	await fetch(`${url}/unregister`, { method: 'POST', headers: {
		Authorization: `Bearer ${client.session.token}` } });
	await heard(client, 'session-gone');
	await assert.rejects(loop(), { error: 'no-session' });
});

test('the name of connect() is used, except in a room', async () => {
	const storage = new Storage();
	const old = makeClient(url, { storage });

	await old.connect('Ann');

	const { token } = old.session;

	old.stop();

	const client = makeClient(url, { storage });
	const { id, ...rest } = await client.connect('Bob');

	assert.deepEqual(rest, { name: 'Bob', room: null, resumed: false });
	assert.notEqual(id, old.id);
	assert.equal(client.name, 'Bob');
	// The old one is not left to time out.
	assert.equal((await fetch(`${url}/room`, { headers: {
		Authorization: `Bearer ${token}` } })).status, 401);

	const room = await client.createRoom();

	assert.equal((await client.getRoom()).peers[0].name, 'Bob');
	client.stop();

	const again = makeClient(url, { storage });

	assert.deepEqual(await again.connect('Cid'),
	    { id, name: 'Bob', room, resumed: true });
	// Of one that is going, too.
	await again.leaveRoom();
	assert.equal((await again.connect('Bob')).id, id);
	assert.notEqual((await again.connect('Dan')).id, id);
	assert.equal(again.name, 'Dan');
	assert.equal(again.state, 'polling');
	assert.deepEqual(again.news.filter(({ type }) =>
	    type === 'session-gone'), []);
});

// --- several clients of one page -------------------------------------------

const keptIn = (storage) => JSON.parse(storage.getItem(`peerpost:${url}`));
const inPage = (locks, storage, options) => makeClient(url, { storage,
	page: locks.page(), ...options });

// As React does in StrictMode.
test('stop() ends connect(): who takes its place has the session', async () => {
	for (const isKept of [true, false]) {
		const locks = new Locks();
		const storage = new Storage();
		let room = null;

		if (isKept) {
			const old = inPage(locks, storage);

			await old.connect('x');
			room = await old.createRoom();
			old.stop();
		}

		const kept = keptIn(storage);
		const first = inPage(locks, storage);
		const connecting = first.connect('x');

		first.stop();

		const second = inPage(locks, storage);
		const connected = second.connect('x');

		await assert.rejects(connecting, { error: 'aborted' });
		assert.equal((await connected).room, room);
		assert.equal(isKept && second.id, isKept && kept.id);
		await sleep(1200);
		assert.deepEqual([first.state, first.id, second.state],
		    ['idle', null, 'polling']);
		assert.equal(keptIn(storage).id, second.id);
		assert.deepEqual([...first.news, ...second.news]
		    .map(({ type }) => type).filter((type) =>
		        type !== 'command-failed'), isKept ? ['resumed'] : []);
		second.stop();
	}
});

test('stop() while the server is asked: nothing polls, nobody is left',
    async () => {
	const storage = new Storage();
	const tokens = [];
	let client;
	const stopping = async (...args) => {
		const response = await fetch(...args);

		if (String(args[0]).endsWith('/command'))
			tokens.push((await response.clone().json()).token);
		client.stop();
		return response;
	};

	client = makeClient(url, { storage, fetch: stopping });
	await assert.rejects(client.connect('x'), { error: 'aborted' });
	assert.deepEqual([client.state, client.id, keptIn(storage)],
	    ['idle', null, null]);
	await until(async () => (await fetch(`${url}/room`, { headers: {
		Authorization: `Bearer ${tokens[0]}` } })).status === 401, 'end');

	const old = makeClient(url, { storage });

	await old.register('x');
	old.stop();
	client = makeClient(url, { storage, fetch: stopping });
	await assert.rejects(client.resume(), { error: 'aborted' });
	assert.deepEqual([client.state, client.id], ['idle', null]);
	assert.equal(keptIn(storage).id, old.id);
});

test('a second client takes nothing from the first', async () => {
	const locks = new Locks();
	const storage = new Storage();
	const first = inPage(locks, storage);
	const second = inPage(locks, storage);

	await first.connect('x');
	assert.equal(await second.resume(), false);
	assert.equal(second.news[0].type, 'session-in-use');
	assert.equal(keptIn(storage).id, first.id);
	await first.createRoom();
	await heard(first, 'joined');

	// Nor does one that went on elsewhere, and finds it taken.
	first.stop();

	const third = inPage(locks, storage);

	assert.equal(await third.resume(), true);
	first.start();
	await heard(first, 'session-gone');
	assert.equal(first.news.at(-1).error.error, 'session-in-use');
	assert.equal(keptIn(storage).id, third.id);
});

test('a lock that comes late is not taken', async () => {
	const locks = new Locks({ lateMs: 2500 });
	const storage = new Storage();
	const first = inPage(locks, storage);

	await first.connect('x');
	await until(() => locks.held.size === 1, 'lock');
	assert.deepEqual(first.news, []);
	first.stop();

	const second = inPage(locks, storage);

	assert.equal((await second.connect('x')).id, keptIn(storage).id);
	assert.deepEqual(second.news.map(({ type }) => type), ['resumed']);
	// And one that is, is.
	locks.lateMs = 0;
	assert.equal(await inPage(locks, storage).resume(), false);
});

test('who listens before connect() hears the session that comes of it',
    async () => {
	const locks = new Locks();
	const hears = async (client) => {
		for await (const { type, data } of client)
			if (type === 'message')
				return data;
		return 'end';
	};
	const played = async (name) => {
		const storage = new Storage();
		const client = inPage(locks, storage);

		await client.register(name);
		return { client, storage };
	};

	for (const kind of ['over', 'in use', 'renamed']) {
		const { client, storage } = await played('x');

		if (kind === 'over')
			await fetch(`${url}/unregister`, { method: 'POST', headers: {
				Authorization: `Bearer ${client.session.token}` } });
		if (kind !== 'in use')
			client.stop();

		for (const options of [{}, { session: client.session }]) {
			const next = inPage(locks, storage, options);
			const hearing = hears(next);

			assert.equal((await next.connect('y')).resumed, false);
			await next.createRoom();
			await next.sendMessage(kind);
			assert.equal(await hearing, kind);

			// But the events of one that was polled are at their end.
			const last = hears(next);

			await next.leaveRoom();
			await next.connect('z');
			assert.equal(await last, 'end');
			next.stop();
			storage.setItem(`peerpost:${url}`,
			    JSON.stringify(client.session));
		}
	}
});

test('joining the room that one is in', async () => {
	const host = makeClient(url);
	const guest = makeClient(url);

	await host.register('host');
	await guest.register('guest');

	const room = await host.createRoom();
	const first = await guest.joinRoom(room);

	await heard(guest, 'peer-connected');
	for (let i = 0; i < 2; i++)
		assert.deepEqual(await guest.joinRoom(room.toUpperCase()), first);
	assert.deepEqual(await host.joinRoom(room), { ...first, id: 1 });
	assert.deepEqual([...guest.peers], [[1, 'host']]);
	// What comes after is not considered old.
	await host.sendMessage(1);
	await heard(guest, 'message');
	assert.equal(guest.log.at(-1).stale, false);
	assert.deepEqual(guest.news, []);

	// Of another room it is an error, as before.
	const other = makeClient(url);

	await other.register('other');
	await assert.rejects(guest.joinRoom(await other.createRoom()),
	    { error: 'already-in-room', status: 409 });
	await assert.rejects(guest.createRoom(), { error: 'already-in-room' });
	assert.equal(guest.room, room);

	// One that did not know of it.
	guest.stop();

	const copy = makeClient(url, { session: guest.session });

	copy.start();
	assert.deepEqual(await copy.joinRoom(room), first);
	assert.equal(copy.room, room);
	assert.deepEqual([...copy.peers], [[1, 'host']]);
	assert.deepEqual(copy.news.map(({ type }) => type), ['resumed']);
	await host.sendMessage(2);
	await until(() => copy.log.some(({ data, stale }) => data === 2 && !stale),
	    'message');
});

test('neither listeners nor timers are left behind', async () => {
	const { signal } = new AbortController();
	const clock = new VirtualClock();
	const page = new EventTarget();
	const listeners = () => getEventListeners(signal, 'abort').length;
	const client = makeClient(url, { page, clock, storage: new Storage() });

	await client.register('x', { signal });
	await client.createRoom({ signal });
	await Promise.all(Array.from({ length: 20 }, (_, i) =>
	    client.sendMessage(i, { signal })));
	await assert.rejects(client.offer(77, {}, { signal }),
	    { error: 'peer-not-found' });
	await assert.rejects(client.sendMessage(() => {}, { signal }),
	    { error: 'bad-data' });
	assert.equal(listeners(), 0);
	for (let i = 0; i < 5; i++) {
		client.stop();
		client.start();
	}
	for (const type of ['online', 'pagehide', 'pageshow'])
		assert.equal(getEventListeners(page, type).length, 1);
	client.stop();
	for (const type of ['online', 'pagehide', 'pageshow'])
		assert.equal(getEventListeners(page, type).length, 0);
	// The polls that were broken off are done with a moment later.
	await until(() => clock.timers.size === 0, 'no timers');

	// What is taken back, and what fails with the session.
	const aborter = new AbortController();
	const left = () => getEventListeners(aborter.signal, 'abort').length;
	const waiting = [1, 2].map((i) => client.createRoom({
		signal: i === 1 ? aborter.signal : signal }));

	aborter.abort();
	await assert.rejects(waiting[0], { error: 'aborted' });
	await assert.rejects(waiting[1], { error: 'already-in-room' });
	await client.unregister({ signal });
	assert.equal(left() + listeners(), 0);
	await until(() => clock.timers.size === 0, 'no timers');
});

// As in React Native; and nothing else of the DOM is there in Node anyway.
for (const missing of [['Event'], ['EventTarget'], ['Event', 'EventTarget',
	'TextEncoder', 'TextDecoder', 'BroadcastChannel']])
	test(`without global ${missing.join(', ')}`, () => {
		const module = new URL('../../clients/js/peerpost.js', import.meta.url);
		const { status, stdout, stderr } = spawnSync(process.execPath,
		    ['--unhandled-rejections=strict', '--input-type=module', '-e', `
			// Node's own fetch is made at its first use, and needs them.
			await fetch('data:,');
			for (const name of ${JSON.stringify(missing)})
				delete globalThis[name];
			const { PeerpostClient } = await import('${module}');
			const client = new PeerpostClient('${url}');
			const said = [];
			const hear = ({ type, target, data }) =>
				said.push(type + (target === client) + (data ?? ''));
			const aborter = new AbortController();
			const never = () => said.push('never');
			client.addEventListener('message', hear);
			client.addEventListener('message', hear);
			client.addEventListener('message', { handleEvent: hear },
				{ once: true });
			client.addEventListener('message', never,
				{ signal: aborter.signal });
			client.addEventListener('joined', never);
			client.removeEventListener('joined', never);
			aborter.abort();
			await client.connect('n\\u00e4me');
			await client.createRoom();
			const events = client[Symbol.asyncIterator]();
			await client.sendMessage('\\u00e41');
			await client.sendMessage(2);
			while ((await events.next()).value.data !== 2);
			await client.unregister();
			console.log(said.join());
		`], { encoding: 'utf8', timeout: 60_000 });

		assert.equal(stderr, '');
		assert.equal(status, 0);
		assert.equal(stdout, 'messagetrue\u00e41,messagetrue\u00e41,messagetrue2\n');
	});
