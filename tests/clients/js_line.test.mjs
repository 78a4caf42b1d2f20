// js_line.test.mjs - PeerpostClient behind a firewall that refuses one of its
// dialects, and on slow lines, where a reply takes longer than the client's
// patience with silence.
import assert from 'node:assert/strict';
import test, { after, describe } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { PeerpostClient } from '../../clients/js/peerpost.js';
import { heard, makeClient, Storage, VirtualClock } from '../lib/clients.mjs';
import { startDaemon, until } from '../lib/peerpost.mjs';
import { captivePortal, FaultProxy } from '../lib/fault_proxy.mjs';

const daemon = await startDaemon();
const FORBIDDEN = { answer: { status: 403, body: '<h1>Forbidden</h1>',
	headers: { 'Content-Type': 'text/html' } } };
const isPoll = ({ path }) => path.startsWith('/events');

async function makeProxy(script)
{
	const proxy = await FaultProxy.start({ target: daemon.url, script });

	after(() => proxy.close());
	return proxy;
}

// --- dialects ---------------------------------------------------------------

// A firewall that lets POSTs of one type through, or no other type.
const firewall = (type) => ({ method, headers }) =>
    method === 'POST' && !headers['content-type'].startsWith(type) ?
    FORBIDDEN : {};
const types = (proxy) => proxy.requests.filter(({ method }) =>
    method === 'POST').map(({ headers }) => headers['content-type']
    .split(';')[0].split('/')[1]);

// Construct it as a page does.  What a page cannot read, it is not told: a page
// of another origin, that a reply without CORS fields is there.
function makeInPage(origin, url, options)
{
	globalThis.document = { baseURI: `${origin}/` };
	globalThis.location = { origin };
	after(() => {
		delete globalThis.document;
		delete globalThis.location;
	});

	const isOther = new URL(url).origin !== origin;
	const ask = options.fetch ?? fetch;

	return makeClient(url, { page: null, backoffMs: 20, ...options,
		fetch: async (...args) => {
			const response = await ask(...args);

			if (isOther && !response.headers
			    .has('Access-Control-Allow-Origin'))
				throw new TypeError('Failed to fetch');
			return response;
		} });
}

for (const [page, passing, first, second] of [
	['another origin', 'application/json', 'plain', 'json'],
	['the same origin', 'text/plain', 'json', 'plain'],
])
	test(`only ${passing} passes, for a page of ${page}: found, and ` +
	    'remembered', async () => {
		const proxy = await makeProxy(firewall(passing));
		const origin = page === 'another origin' ? 'http://b.example' :
		    proxy.url;
		const storage = new Storage();
		const client = makeInPage(origin, proxy.url, { storage });

		await client.connect('x');
		await client.createRoom();
		await client.sendMessage('y');
		await heard(client, 'message');
		assert.deepEqual(types(proxy).slice(0, 3), [first, second, second]);
		assert.deepEqual(new Set(types(proxy).slice(1)), new Set([second]));
		assert.equal(storage.getItem(`peerpost-mode:${proxy.url}`),
		    second === 'json' ? '"headers"' : '"plain"');
		client.stop();

		// After a reload, and for a new player.
		const n = types(proxy).length;
		const again = makeInPage(origin, proxy.url, { storage });

		assert.equal((await again.connect('x')).room, client.room);
		await again.unregister();
		await again.register('z');
		assert.deepEqual(new Set(types(proxy).slice(n)), new Set([second]));
		again.stop();

		// The path is another one: it can be unlearned.
		proxy.script = firewall(first === 'plain' ? 'text/plain' :
		    'application/json');

		const third = makeInPage(origin, proxy.url, { storage });

		await third.connect('x');
		assert.equal(types(proxy).at(-1), first);
		third.stop();
	});

test('what the server refuses, and what comes later, changes no dialect',
    async () => {
	let isAway = false;
	const away = { answer: captivePortal() };
	const proxy = await makeProxy(() => isAway ? away : {});
	const client = makeInPage('http://b.example', proxy.url,
	    { storage: new Storage() });

	await assert.rejects(client.register(''), { error: 'bad-name' });
	await client.register('x');
	isAway = true;

	const room = client.createRoom();

	await until(() => proxy.count(({ action }) => action === away) > 3,
	    'portals');
	isAway = false;
	await room;
	assert.deepEqual(new Set(types(proxy)), new Set(['plain']));
	client.stop();
});

const READY = { id: 5, token: 'x'.repeat(43), name: 'x', cursor: 0 };

// A server as fetch(), where answer() may take its place: a response, or null.
const serverBehind = (answer) => async (target, { method, headers, body }) => {
	const { pathname } = new URL(target);
	const type = method === 'GET' ? 'GET' :
	    headers['Content-Type'] ?? 'text/plain';
	const response = await answer(pathname, type);

	if (response)
		return response;
	if (pathname === '/events')
		await sleep(200);
	return Response.json(pathname === '/events' ? { events: [], next: 0 } :
	    body.includes('"commands"') ?
	    { replies: [{ command: '###!RMK', data: 1 }] } :
	    { command: '###!CRK', data: 'u' },
	{ headers: { 'Access-Control-Allow-Origin': '*' } });
};
const html = (status) => new Response('<h1>', { status });

test('what fails beside a command does not change what it was sent in',
    async () => {
	const storage = new Storage();
	const posts = [];
	let nPolls = 0;
	const client = makeClient('http://a.example', { storage, page: null,
		session: READY, backoffMs: 20,
		fetch: serverBehind(async (path, type) => {
			if (type !== 'GET')
				posts.push(type);
			if (type === 'text/plain')
				return html(403);
			// The first poll fails while the command is on its way.
			if (path === '/events' && ++nPolls === 1) {
				await until(() => posts.length > 0, 'command');
				return html(502);
			}
			if (path === '/command')
				await until(() => nPolls > 1, 'another poll');
			return null;
		}) });

	client.start();
	await client.createRoom();
	await until(() => nPolls > 2, 'more polls');
	await client.sendMessage('x');
	client.stop();
	assert.deepEqual(new Set(posts), new Set(['application/json']));
	assert.equal(storage.getItem('peerpost-mode:http://a.example'), null);
});

test('the dialect that works is the one that it worked in', async () => {
	const storage = new Storage();
	const posts = [];
	const count = (prefix) => posts.filter((each) =>
	    each.startsWith(prefix)).length;
	const client = makeInPage('http://b.example', 'http://a.example', {
		storage, session: READY,
		fetch: serverBehind(async (path, type) => {
			const nPolls = count('/events');

			posts.push(`${path} ${type}`);
			// Polls fail while the command is on its way.
			if (path === '/events' && type === 'text/plain') {
				await until(() => count('/command') > 0, 'command');
				return html(502);
			}
			if (path === '/command')
				await until(() => count('/events') > nPolls,
				    'another poll');
			return null;
		}) });

	client.start();
	await client.createRoom();
	await client.sendMessage('x');
	client.stop();
	assert.deepEqual(posts.filter((each) => each.startsWith('/command')),
	    Array(2).fill('/command text/plain'));
	assert.equal(storage.getItem('peerpost-mode:http://a.example'), null);
});

test('two that fail in one dialect change it once', async () => {
	const posts = [];
	const client = makeInPage('http://b.example', 'http://a.example', {
		storage: new Storage(), session: READY,
		fetch: serverBehind(async (path, type) => {
			posts.push(`${path} ${type}`);
			if (type !== 'text/plain')
				return null;
			await until(() => posts.length > 1, 'the other one');
			return html(403);
		}) });

	client.start();
	await client.createRoom();
	client.stop();
	assert.deepEqual(posts.filter((each) => each.startsWith('/command')),
	    ['/command text/plain', '/command application/json']);
});

test('a dialect that was asked for is kept to', async () => {
	const proxy = await makeProxy(firewall('application/json'));
	const client = new PeerpostClient(proxy.url, { mode: 'plain',
		backoffMs: 20 });

	await assert.rejects(client.register('x'),
	    { error: 'not-peerpost', status: 403 });
	assert.deepEqual(types(proxy), ['plain', 'plain', 'plain']);
});

// --- slow lines -------------------------------------------------------------

const KIB_240 = 240;

// A player whose mailbox holds so many KiB, in events of 8 KiB.
async function fillMailbox(mode, options)
{
	const ann = makeClient(daemon.url);
	const direct = makeClient(daemon.url, { mode });

	await ann.register('ann');
	await direct.register('bob');
	await direct.joinRoom(await ann.createRoom());
	await heard(direct, 'peer-connected');
	direct.stop();
	ann.stop();
	for (let i = 0; i < KIB_240 / 8; i++)
		await ann.sendMessage(`${i} `.padEnd(8190, '.'));

	const bob = makeClient(daemon.url, { mode, session: direct.session,
		backoffMs: 20, ...options });

	bob.start();
	return bob;
}

function assertWhole({ log })
{
	assert.deepEqual(log.map(({ data }) => parseInt(data, 10)),
	    [...Array(KIB_240 / 8).keys()]);
}

const maxOf = ({ path, body }) => Number(/[?&]max=(\d+)/.exec(path)?.[1] ??
    /"max":(\d+)/.exec(body)?.[1] ?? 256);

// A path on which the replies to polls take time on the clock: deliver(text,
// pause, head) makes the response out of one that has come whole; pause(ms) waits.
function slowPath(clock, deliver)
{
	const line = { isSlow: true, asked: [] };

	line.fetch = async (url, options) => {
		const { pathname, search } = new URL(url);

		if (!isPoll({ path: pathname }))
			return clock.fetch(url, options);
		line.asked.push(maxOf({ path: search, body: options.body }));

		const head = await clock.fetch(url, options);
		const pause = (ms) => new Promise((resolve, reject) => {
			const timer = clock.setTimeout(resolve, ms);

			options.signal.addEventListener('abort', () => {
				clock.clearTimeout(timer);
				reject(new Error('abort'));
			});
		});

		return line.isSlow ? deliver(await head.text(), pause, head) : head;
	};
	return line;
}

// Let time pass until it is so.
const runUntil = (clock, condition, what) => until(async () => {
	await clock.run(100);
	return condition();
}, what);
const hasAll = ({ log }) => log.length >= KIB_240 / 8;

// In pieces of 8 KiB, one each 100 ms.
function inPieces(text, pause, { status, headers })
{
	const bytes = Buffer.from(text);
	let at = 0;

	return new Response(new ReadableStream({ async pull(controller) {
		await pause(100);
		controller.enqueue(new Uint8Array(bytes.subarray(at, at + 8192)));
		at += 8192;
		if (at >= bytes.length)
			controller.close();
	} }, { highWaterMark: 0 }), { status, headers });
}

// As in React Native: the head, and at 200 KiB/s the rest.
const withoutStreams = (text, pause, head) => ({ ...head, text: async () => {
	await pause(text.length / 204.8);
	return text;
} });

// What keeps a reply until it is complete, and takes 100 ms for each event.
async function buffered(text, pause, { status, headers })
{
	await pause(100 * JSON.parse(text).events.length);
	return new Response(text, { status, headers });
}

for (const mode of ['headers', 'plain'])
	describe(`${mode} mode`, () => {
		// 3 s, with patience for three quarters of one.
		test('a reply that takes long is waited for', async () => {
			const clock = new VirtualClock();
			const line = slowPath(clock, inPieces);
			const bob = await fillMailbox(mode, { timeoutMs: 750,
				waitS: 1, clock, fetch: line.fetch });

			await runUntil(clock, () => hasAll(bob), 'messages');
			assertWhole(bob);
			assert.equal(bob.exchanges[0].error, null);
			assert.ok(bob.exchanges[0].ms > 2000);
			assert.deepEqual(bob.news, []);
			bob.stop();
		});

		for (const [name, deliver] of [['without streams', withoutStreams],
			['behind a scanner that buffers', buffered]])
			test(`${name} it asks for fewer, and then for more again`,
			    async () => {
				const clock = new VirtualClock();
				const line = slowPath(clock, deliver);
				const bob = await fillMailbox(mode, { timeoutMs: 600,
					waitS: 1, maxBackoffMs: 50, clock,
					fetch: line.fetch });

				await runUntil(clock, () => hasAll(bob), 'messages');
				assertWhole(bob);
				assert.equal(line.asked[0], 256);
				assert.ok(line.asked.some((max) => max <= 32));
				line.isSlow = false;
				await runUntil(clock, () => line.asked.at(-1) === 256,
				    'more again');
				bob.stop();
			});

		test('a reply that comes to a halt is given up', async () => {
			const clock = new VirtualClock();
			const bob = makeClient('http://a.example', { mode, clock,
				session: { id: 5, token: 'x'.repeat(43), cursor: 0 },
				fetch: async (url, { signal }) => new Response(
				    new ReadableStream({ start(controller) {
					controller.enqueue(new Uint8Array([123]));
					signal.addEventListener('abort', () =>
					    controller.error(new Error('abort')));
				} })) });

			bob.start();
			await clock.run(25_000);
			assert.equal(bob.exchanges[0].ms, 20_000);
			assert.equal(bob.exchanges[0].error.error, 'timeout');
			assert.match(bob.exchanges[0].error.message,
			    /^The reply of http:\/\/a.example stalled/);
			bob.stop();
			await clock.run(1);
			assert.equal(clock.timers.size, 0);
		});

		test('a reply without an end is none of the server', async (t) => {
			let n = 0, isCancelled = false;
			// A client that reads on must neither fill the memory nor
			// keep timers from firing.
			const endless = (signal) => ({ async pull(controller) {
				await new Promise(setImmediate);
				if (signal.aborted || ++n > 128)
					controller.error(new Error('read on and on'));
				else
					controller.enqueue(new Uint8Array(1 << 16)
					    .fill(32));
			} });
			const bob = makeClient('http://a.example', { mode,
				session: { id: 5, token: 'x'.repeat(43), cursor: 0 },
				fetch: async (url, { signal }) => {
					signal.addEventListener('abort', () => {
						isCancelled = true;
					});
					return new Response(new ReadableStream(
					    endless(signal)));
				} });

			t.after(() => bob.stop());
			bob.start();
			await until(() => bob.exchanges.length > 0, 'end');
			bob.stop();
			assert.equal(bob.exchanges[0].error.error, 'not-peerpost');
			assert.equal(isCancelled, true);
			assert.ok(n <= 128, `${n}`);
		});
	});

test('the longest request has time to be sent at 16 kbit/s', async () => {
	const clock = new VirtualClock();
	const client = makeClient('http://a.example', { clock, maxAttempts: 1,
		session: { id: 5, token: 'x'.repeat(43), cursor: 0 },
		fetch: (url, { body, signal }) => new Promise((resolve, reject) => {
			const timer = clock.setTimeout(() => resolve(new Response(
			    '{"replies":[{"command":"###!RMK","data":1}]}')),
			body.length / 2);

			signal.addEventListener('abort', () => {
				clock.clearTimeout(timer);
				reject(new Error('abort'));
			});
		}) });
	const sent = client.sendMessage('x'.repeat(60_000));

	await until(() => clock.timers.size > 0, 'request');
	await clock.run(40_000);
	await sent;
});
