// js_client.test.mjs - PeerpostClient against the daemon, on a good path.
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { PeerpostClient, PeerpostError } from '../../clients/js/peerpost.js';
import { heard, makeClient, once, Storage, told } from '../lib/clients.mjs';
import { looked, startDaemon, until } from '../lib/peerpost.mjs';
import { FaultProxy } from '../lib/fault_proxy.mjs';

const daemon = await startDaemon({ args: ['--command-burst', '5000',
	'--command-rate', '5000'] });
const NO_ROOM = '6f1c1f6e-5f0a-4d3a-9a53-0d2c8e5b7a11';

const fails = (promise, status, code, error) => assert.rejects(promise,
    (failure) => {
	assert.ok(failure instanceof PeerpostError, `${failure?.stack}`);
	assert.equal(`${failure.status} ${failure.code} ${failure.error}`,
	    `${status} ${code} ${error}`);
	assert.notEqual(failure.message, '');
	return true;
});

const commands = (client) => client.exchanges.filter(({ path }) =>
    path === '/command');

async function makePair(mode, names = ['ann', 'bob'])
{
	const clients = [];
	let room;

	for (const name of names) {
		const client = makeClient(daemon.url, { mode });

		await client.register(name);
		if (room)
			await client.joinRoom(room);
		room ??= await client.createRoom();
		clients.push(client);
	}
	for (const client of clients)
		await heard(client, 'peer-connected', names.length - 1);
	return { room, clients };
}

for (const mode of ['headers', 'plain'])
	describe(`${mode} mode`, () => {
		test('players meet', async () => {
			const { room, clients: [ann, bob] } = await makePair(mode);

			assert.match(room, /^[0-9a-f-]{36}$/);
			assert.equal(ann.room, room);
			assert.equal(bob.room, room);
			assert.equal(ann.peerId, 1);
			assert.equal(bob.peerId, bob.id);
			assert.deepEqual([...bob.peers], [[1, 'ann']]);
			assert.deepEqual((await ann.getRoom()).peers.map(({ name }) =>
			    name), ['ann', 'bob']);
			assert.deepEqual([...ann.peers], [[bob.id, 'bob']]);
			assert.equal(bob.state, 'polling');

			await bob.offer(1, { rtc: { sdp: 'o' }, more: [1] });
			await ann.answer(bob.id, { rtc: 'a' });
			await bob.candidate(1, { rtc: 'c' });
			await ann.sendMessage({ 'h\u00e9': '\ud83d\ude00' });
			await ann.sealRoom();
			await bob.leaveRoom();
			await heard(ann, 'peer-disconnected');
			await heard(bob, 'sealed');
			assert.equal(bob.room, null);
			assert.equal(bob.peerId, null);
			assert.equal(ann.peers.size, 0);
			assert.deepEqual(told(ann), ['joined 1',
				`peer-connected ${bob.id}`,
				`offer {"rtc":{"sdp":"o"},"more":[1],"id":${bob.id}}`,
				`candidate {"rtc":"c","id":${bob.id}}`,
				'message {"h\u00e9":"\ud83d\ude00"}', 'sealed "null"',
				`peer-disconnected ${bob.id}`]);
			assert.deepEqual(told(bob), [`joined ${bob.id}`,
				'peer-connected 1', 'answer {"rtc":"a","id":1}',
				'message {"h\u00e9":"\ud83d\ude00"}', 'sealed "null"']);
			assert.deepEqual(ann.log.map(({ id }) => id),
			    [1, 2, 3, 4, 5, 6, 7]);
			assert.equal(ann.log[2].peerId, bob.id);
			assert.equal(await bob.getRoom(), null);
			assert.deepEqual(await ann.iceServers(), []);
			await ann.unregister();
			assert.equal(ann.session, null);
			await bob.unregister();
			for (const { news, state } of [ann, bob]) {
				assert.equal(state, 'idle');
				assert.deepEqual(news.map(({ type }) => type).filter(
				    (type) => type !== 'room-left'), []);
			}
		});

		test('the room is gone', async () => {
			const { clients: [ann, bob] } = await makePair(mode);

			await ann.unregister();
			await heard(bob, 'room-gone');
			assert.equal(bob.log.at(-1).reason, 'Host Disconnected');
			assert.equal(bob.room, null);
			assert.equal(bob.peers.size, 0);
		});

		test('failures say status, code and word', async () => {
			const { room, clients: [ann, bob] } = await makePair(mode);

			await fails(ann.createRoom(), 409, '###!CRB',
			    'already-in-room');
			await fails(bob.sealRoom(), 403, '###!SRB', 'not-host');
			await fails(ann.offer(99, {}), 404, '###!ICB',
			    'peer-not-found');
			await fails(ann.sendMessage(null), 400, '###!RMB', 'bad-data');
			await fails(ann.sendMessage(undefined), 400, '###!RMB',
			    'bad-data');
			await fails(ann.sendMessage(() => {}), 0, '', 'bad-data');
			await fails(ann.sendMessage(1n), 0, '', 'bad-data');
			await bob.leaveRoom();
			await fails(bob.sendMessage(1), 409, '###!RMB', 'not-in-room');
			await fails(bob.joinRoom('x'), 400, '###!JRB', 'bad-data');
			await fails(bob.joinRoom(NO_ROOM), 404, '###!JRB',
			    'room-not-found');
			await ann.sealRoom();
			await fails(bob.joinRoom(room), 409, '###!JRB', 'room-sealed');
			await fails(bob.register('x'), 409, '', 'already-registered');
			await fails(makeClient(daemon.url, { mode }).register(''), 400,
			    '###!RPB', 'bad-name');
		});

		test('commands of a tick share requests, in the order of the calls',
		    async () => {
			const { clients: [ann, bob] } = await makePair(mode);
			const before = commands(bob).length;
			const sent = [bob.offer(1, { rtc: 'o' })];

			for (let i = 0; i < 20; i++)
				sent.push(bob.candidate(1, { rtc: i }));
			await Promise.all(sent);
			assert.equal(commands(bob).length, before + 1);
			assert.deepEqual(commands(bob).at(-1).commands,
			    ['###!OO', ...Array(20).fill('###!CC')]);
			await heard(ann, 'candidate', 20);
			assert.deepEqual(ann.log.slice(2).map(({ data }) => data.rtc),
			    ['o', ...Array(20).keys()]);

			// Later ones wait for what is under way.
			const late = bob.offer(1, { rtc: 'o2' });

			await null;
			await null;
			for (let i = 0; i < 100; i++)
				tolerantly(bob.candidate(1, { rtc: i }));
			await late;
			await heard(ann, 'candidate', 120);
			assert.deepEqual(ann.log.slice(23).map(({ data }) => data.rtc),
			    ['o2', ...Array(100).keys()]);
			assert.ok(commands(bob).length <= before + 4);
		});

		test('one that cannot be read does not spoil its neighbours',
		    async () => {
			const { clients: [ann, bob] } = await makePair(mode);
			const results = await Promise.allSettled([
				bob.candidate(1, { rtc: 1 }),
				bob.candidate(1, { rtc: '\ud800' }),
				bob.candidate(77, { rtc: 2 }),
				bob.candidate(1, { rtc: 3 }),
				bob.sendMessage('x'.repeat(70_000)),
				bob.sendMessage('last')]);

			assert.deepEqual(results.map(({ reason }) => reason?.error),
			    [undefined, 'bad-json', 'peer-not-found', undefined,
				    'too-large', undefined]);
			await heard(ann, 'message');
			assert.deepEqual(told(ann).slice(2).map((each) =>
			    each.split(' ')[1].slice(0, 8)),
			['{"rtc":1', '{"rtc":3', '"last"']);
		});

		test('a thousand events at once', async () => {
			const { clients: [ann, bob] } = await makePair(mode);
			const N = 1000;
			const seen = [];
			const reading = (async () => {
				for await (const { type, data } of bob)
					if (type === 'message' && seen.push(data) === N)
						break;
			})();

			bob.stop();
			bob.start();
			assert.equal(await reading, undefined); // stop() ended it
			bob.stop();
			await Promise.all(Array.from({ length: N }, (_, i) =>
			    ann.sendMessage(i)));
			bob.start();

			const again = (async () => {
				for await (const { type, data } of bob)
					if (type === 'message' && seen.push(data) === N)
						break;
			})();

			await heard(bob, 'message', N);
			await again;
			assert.deepEqual(seen, [...Array(N).keys()]);
			assert.deepEqual(bob.log.slice(2).map(({ data }) => data), seen);
		});

		test('a reload goes on as the same player, and loses nothing',
		    async () => {
			const storage = new Storage();
			const { room, clients: [ann] } = await makePair(mode, ['ann']);
			const bob = makeClient(daemon.url, { mode, storage });

			await bob.connect('bob');
			await bob.joinRoom(room);
			await ann.sendMessage(1);
			await heard(bob, 'message');
			bob.stop();
			await ann.sendMessage(2);

			const again = makeClient(daemon.url, { mode, storage });

			assert.deepEqual(await again.connect('other'),
			    { id: bob.id, name: 'bob', room, resumed: true });
			assert.equal(again.name, 'bob');
			assert.equal(again.room, room);
			assert.equal(again.peerId, bob.id);
			assert.deepEqual([...again.peers], [[1, 'ann']]);
			assert.equal(again.news[0].type, 'resumed');
			assert.equal(again.news[0].room.room, room);
			await ann.sendMessage(3);
			await heard(again, 'message', 2);
			assert.deepEqual(told(again), ['message 2', 'message 3']);
			await again.unregister();
			assert.equal(await makeClient(daemon.url, { mode, storage })
			    .resume(), false);
		});

		test('a token of another server', async () => {
			const other = await startDaemon();
			const stranger = makeClient(other.url);

			await stranger.register('x');

			const { session } = stranger;
			const client = makeClient(daemon.url, { mode, session });
			const gone = once(client, 'session-gone');
			const command = client.createRoom();

			client.start();
			await fails(command, 401, '###!CRB', 'no-session');
			assert.equal((await gone).error.status, 401);

			const n = client.exchanges.length;

			await fails(client.createRoom(), 401, '', 'no-session');
			await looked(daemon);
			assert.equal(client.exchanges.length, n);
			assert.equal(client.state, 'idle');
			assert.equal(client.news.filter(({ type }) =>
			    type === 'session-gone').length, 1);

			const fresh = makeClient(daemon.url, { mode, session });

			assert.deepEqual(await fresh.connect('y'), { id: fresh.id,
				name: 'y', room: null, resumed: false });
			assert.notEqual(fresh.id, stranger.id);
		});

		test('a session that has timed out', async () => {
			const own = await startDaemon();
			const client = makeClient(own.url, { mode });
			const thrown = fails((async () => {
				for await (const event of client)
					assert.fail(event.type);
			})(), 410, '###!PTO', 'timed-out');

			await client.register('x');
			own.advance(1801);
			await looked(own);
			await thrown;
			await heard(client, 'session-gone');
			assert.match(client.news[0].error.message,
			    /^Player (Stopped Polling|Took Too Long To Enter A Room)$/);
			assert.equal(client.state, 'idle');
			assert.equal(client.id, null);
			await client.register('again');
			assert.equal(client.state, 'polling');
		});

		test('a cursor from the future: reset', async () => {
			const client = makeClient(daemon.url, { mode });

			await client.register('x');
			const room = await client.createRoom();
			await heard(client, 'joined');
			client.stop();

			const again = makeClient(daemon.url, { mode,
				session: { ...client.session, cursor: 1000 } });

			await again.resume();
			await heard(again, 'reset');
			assert.equal(again.news.at(-1).room.room, room);
			assert.equal(again.room, room);
			await again.sendMessage('on');
			await heard(again, 'message');
			assert.deepEqual(told(again), ['message "on"']);
		});
	});

function tolerantly(promise)
{
	promise.catch(() => {});
}

test('what goes over the wire: plain mode needs no preflight', async () => {
	const proxy = await FaultProxy.start({ target: daemon.url });
	const client = makeClient(proxy.url, { mode: 'plain' });

	await client.register('x');
	await client.createRoom();
	await client.sendMessage(1);
	await heard(client, 'message');
	await client.getRoom();
	for (const { method, target, headers } of proxy.requests) {
		assert.match(`${method} ${target}`, /^POST \/(command|events)$/);
		assert.match(headers['content-type'], /^text\/plain/);
		for (const name of ['authorization', 'idempotency-key',
			'last-event-id'])
			assert.equal(headers[name], undefined);
	}
	client.stop();

	// The other mode has the token in no address.
	const other = makeClient(proxy.url);
	const n = proxy.requests.length;

	await other.register('y');
	await other.createRoom();
	await other.iceServers();
	await heard(other, 'joined');
	for (const { target, headers } of proxy.requests.slice(n)) {
		assert.ok(!target.includes(other.session.token));
		if (target !== '/command')
			assert.equal(headers.authorization,
			    `Bearer ${other.session.token}`);
	}
	other.stop();
	await proxy.close();
});

test('the mode follows the page: another origin is spoken to plainly',
    async () => {
	const kinds = [];
	const pretend = async (origin) => {
		globalThis.document = { baseURI: `${origin}/game/` };
		globalThis.location = { origin };
		try {
			const client = new PeerpostClient('https://a.example/p/',
			    { maxAttempts: 1, page: null,
				    fetch: async (url, { headers }) => {
					kinds.push(url, Object.keys(headers).length);
					return { status: 200, text: async () => '' };
				} });

			await client.register('x').catch(() => {});
		} finally {
			delete globalThis.document;
			delete globalThis.location;
		}
	};

	await pretend('https://a.example');
	await pretend('https://b.example');
	assert.deepEqual(kinds, ['https://a.example/p/command', 2,
		'https://a.example/p/command', 0]);
});

test('storage that is not there, forbidden, full or full of nonsense',
    async () => {
	const throwing = {
		getItem() { throw new Error('SecurityError'); },
		setItem() { throw new Error('QuotaExceededError'); },
	};
	const nonsense = { getItem: () => '{"id":1,"token":', setItem() {} };
	const wrong = { getItem: () => '{"id":"x","token":5,"cursor":-1}',
		setItem() {} };

	for (const storage of [null, throwing, nonsense, wrong]) {
		const client = makeClient(daemon.url, { storage,
			pathStorage: storage });

		assert.equal(await client.resume(), false);
		await client.connect('x');
		await client.createRoom();
		await heard(client, 'joined');
	}
});

test('a page that closes leaves when it has been asked to', async () => {
	const sent = [];
	const makePage = () => Object.assign(new EventTarget(), { navigator: {
		sendBeacon(...args)
		{
			sent.push(args);
			return true;
		} } });

	for (const leaveOnPagehide of [false, true]) {
		const storage = new Storage();
		const page = makePage();
		const client = makeClient(daemon.url, { page, storage,
			leaveOnPagehide });

		await client.register('x');

		const { token } = client.session;

		page.dispatchEvent(new Event('pagehide'));
		if (!leaveOnPagehide) {
			assert.deepEqual(sent, []);
			continue;
		}
		const [[url, body]] = sent;

		assert.equal(url, `${daemon.url}/command`);
		assert.equal(await new Response(body).text(),
		    JSON.stringify({ token, command: '###!UP' }));
		assert.equal(await makeClient(daemon.url, { storage }).resume(),
		    false);

		// As a browser sends it.
		assert.equal((await fetch(url, { method: 'POST', body })).status,
		    200);
		await heard(client, 'session-gone');
	}
});

test('a page that comes back from the back/forward cache polls anew',
    async () => {
	const page = new EventTarget();
	const client = makeClient(daemon.url, { page });
	const polls = () => client.exchanges.filter(({ path }) =>
	    path === '/events');

	await client.register('x');
	page.dispatchEvent(Object.assign(new Event('pageshow'),
	    { persisted: false }));
	page.dispatchEvent(Object.assign(new Event('pageshow'),
	    { persisted: true }));
	await until(() => polls().length === 1, 'end of the old poll');
	assert.equal(polls()[0].error.error, 'aborted');
	assert.equal(client.state, 'polling');
	await client.createRoom();
	await heard(client, 'joined');
	assert.deepEqual(client.news, []);
});

test('a command can be taken back', async () => {
	const client = makeClient(daemon.url);
	const aborter = new AbortController();

	await client.register('x');

	const create = client.createRoom();
	const message = client.sendMessage(1, { signal: aborter.signal });

	aborter.abort();
	await fails(message, 0, '', 'aborted');
	await fails(client.sendMessage(1, { signal: aborter.signal }), 0, '',
	    'aborted');
	await create;
	await client.sendMessage(2);
	await heard(client, 'message');
	assert.deepEqual(told(client, ['message']), ['message 2']);
});

test('events of a room that has been left are marked', async () => {
	const { clients: [ann, bob] } = await makePair('headers');

	bob.stop();
	await ann.sendMessage('old');
	await bob.leaveRoom();

	const room = await bob.createRoom();

	await ann.joinRoom(room).catch(() => ann.leaveRoom());
	await ann.joinRoom(room);
	bob.start();
	await heard(bob, 'peer-connected', 2);
	assert.deepEqual(bob.log.slice(2).map(({ type, stale }) =>
	    `${type}${stale ? ' stale' : ''}`),
	['message stale', 'joined', 'peer-connected']);
	assert.deepEqual([...bob.peers.keys()], [ann.id]);
	assert.equal(bob.peerId, 1);
});
