// js_path.test.mjs - PeerpostClient on bad paths: nothing is lost, nothing comes
// twice, the order is kept, and nobody is asked in a tight loop.  Rates are
// counted by the proxy, in the client's own time.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test, { after, describe } from 'node:test';
import { fastClock, heard, makeClient, Storage, told, VirtualClock }
    from '../lib/clients.mjs';
import { startDaemon, until } from '../lib/peerpost.mjs';
import { captivePortal, FaultProxy, gatewayError, inTurn }
    from '../lib/fault_proxy.mjs';

const MODES = ['headers', 'plain'];
const HOUR_MS = 3_600_000;
const isPoll = ({ path }) => path.startsWith('/events');
const isCommand = ({ path }) => path.startsWith('/command');
const quick = { backoffMs: 10, maxBackoffMs: 50, maxAttempts: 50 };
const anybody = { id: 5, token: 'x'.repeat(43), cursor: 0 };
const daemon = await startDaemon();

async function makeProxy(script, target = daemon.url)
{
	const proxy = await FaultProxy.start({ target, script });

	after(() => proxy.close());
	return proxy;
}

// A client on a good path, and one behind the proxy, in a room.
async function makePair(url, options, direct = daemon.url)
{
	const ann = makeClient(direct, quick);
	let bob = makeClient(url, { ...quick, ...options, clock: undefined });

	await ann.register('ann');
	await bob.register('bob');
	// A fast clock leaves no time for that: 9 s, with a new server.
	if (options?.clock) {
		bob.stop();
		bob = makeClient(url, { ...quick, ...options,
			session: bob.session });
		bob.start();
	}
	await bob.joinRoom(await ann.createRoom());
	await heard(ann, 'peer-connected');
	await heard(bob, 'peer-connected');
	return { ann, bob };
}

// Both talk at the same time.
async function talk({ ann, bob }, n = 30)
{
	const sent = [];

	for (let i = 0; i < n; i++) {
		sent.push(ann.sendMessage(`a${i}`), bob.sendMessage(`b${i}`),
		    bob.offer(1, { rtc: `o${i}` }),
		    bob.candidate(1, { rtc: `c${i}` }),
		    ann.answer(bob.id, { rtc: `r${i}` }));
		if (i % 3 === 0)
			await sent.at(-1);
	}
	await Promise.all(sent);
	await heard(ann, 'message', 2 * n);
	await heard(bob, 'message', 2 * n);
	await heard(bob, 'answer', n);
	await heard(ann, 'candidate', n);
	assertTold({ ann, bob }, n);
}

function assertTold({ ann, bob }, n)
{
	const all = told(ann, ['message']);
	const own = (letter) => [...Array(n).keys()].map((i) =>
	    `message "${letter}${i}"`);

	assert.equal(all.length, 2 * n);
	assert.deepEqual(told(bob, ['message']), all);
	assert.deepEqual(all.filter((each) => each.includes('"a')), own('a'));
	assert.deepEqual(all.filter((each) => each.includes('"b')), own('b'));
	assert.deepEqual(ann.log.filter(({ type }) => type === 'offer' ||
	    type === 'candidate').map(({ data }) => data.rtc),
	[...Array(n).keys()].flatMap((i) => [`o${i}`, `c${i}`]));
	assert.deepEqual(bob.log.filter(({ type }) => type === 'answer')
	    .map(({ data }) => data.rtc), [...Array(n).keys()].map((i) =>
	    `r${i}`));
	for (const { log } of [ann, bob])
		assert.deepEqual(log.map(({ id }) => id),
		    log.map((_, i) => i + 1));
}

// Every nth request of a kind meets an accident.
function often(accidents, every = 2)
{
	let n = 0;

	return () => n++ % every === 1 ?
	    accidents[Math.floor(n / every) % accidents.length] : {};
}

for (const mode of MODES)
	describe(`${mode} mode`, () => {
		for (const [name, accidents] of [
			['replies are lost', [{ drop: true }]],
			['replies are cut in their middle', [{ truncate: 5 }]],
			['gateways answer', [502, 503, 504].map((status) =>
			    ({ answer: gatewayError(status) }))],
			['a captive portal answers', [{ answer: captivePortal() }]],
			['all of it', [{ drop: true }, { answer: captivePortal() },
				{ truncate: 20 }, { cutAfterMs: 0 },
				{ answer: gatewayError(502) }]],
		])
			test(`${name}: nothing is lost or doubled`, async () => {
				const proxy = await makeProxy(often(accidents));

				await talk(await makePair(proxy.url, { mode }));
				assert.ok(proxy.count(({ action }) =>
				    accidents.includes(action)) > 5);
			});

		test('commands are repeated by the path: they are done once',
		    async () => {
			const proxy = await makeProxy((exchange) =>
			    isCommand(exchange) ? { repeat: 3, forward: exchange.n % 2 ?
			        'first' : 'last' } : {});

			await talk(await makePair(proxy.url, { mode }));
		});

		test('polls are repeated by the path: the client goes on', async () => {
			let n = 0;
			const proxy = await makeProxy((exchange) => isPoll(exchange) &&
			    n++ % 3 === 0 ? { repeat: 2 } : {});
			const pair = await makePair(proxy.url, { mode,
				clock: fastClock(50) });

			await talk(pair, 5);
			assert.equal(pair.bob.state === 'idle', false);
		});

		test('replies without header fields, and an Idempotency-Key that ' +
		    'is the same on every try', async () => {
			const keys = new Map();
			const keyOf = ({ headers, body }) =>
			    headers['idempotency-key'] ?? JSON.parse(body).key;
			const proxy = await makeProxy((exchange) => {
				if (!isCommand(exchange))
					return { stripResponse: true };

				const key = keyOf(exchange);
				const n = (keys.get(key) ?? 0) + 1;

				keys.set(key, n);
				return n < 3 ? { drop: true } : { stripResponse: true };
			});

			await talk(await makePair(proxy.url, { mode }), 3);
			assert.ok([...keys].every(([key, n]) =>
			    key.length >= 22 && n === 3), `${[...keys]}`);
		});

		test('the daemon is killed and started again, mid-way', async () => {
			const own = await startDaemon();
			const proxy = await makeProxy(() => ({}), own.url);
			const pair = await makePair(proxy.url, { mode }, own.url);
			const { ann, bob } = pair;

			for (let i = 0; i < 3; i++) {
				await own.kill();

				const sent = [ann.sendMessage(`a${i}`),
					bob.offer(1, { rtc: `o${i}` }),
					bob.candidate(1, { rtc: `c${i}` }),
					ann.answer(bob.id, { rtc: `r${i}` }),
					bob.sendMessage(`b${i}`)];

				await heard(ann, 'offline', i + 1);
				await own.restart();
				await Promise.all(sent);
				await heard(ann, 'online', i + 1);
			}
			await heard(bob, 'message', 6);
			await heard(ann, 'message', 6);
			assertTold(pair, 3);
			for (const { news } of [ann, bob])
				assert.ok(!news.some(({ type }) =>
				    type === 'session-gone'));
		});

		test('two clients of one session do not push each other out for ' +
		    'ever', async () => {
			const proxy = await makeProxy(() => ({}));
			const clock = fastClock(100);
			const { ann, bob } = await makePair(proxy.url, { mode, clock });
			const copy = makeClient(proxy.url, { ...quick, mode, clock,
				session: bob.session });
			const waits = () => proxy.requests.filter(isPoll).map((each) =>
			    Number(/wait"?[=:](\d+)/.exec(each.path +
			        each.body)[1]));
			const peeks = () => waits().filter((wait) => wait === 0).length;

			await copy.resume();
			await until(() => peeks() >= 12, 'peeks');
			assert.ok([bob, copy].some(({ news }) =>
			    news.some(({ type }) => type === 'superseded')));
			// The held polls: each is at most once pushed out for each
			// time that a yield has ended, which takes longer and longer.
			assert.ok(waits().length - peeks() <= 10,
			    `${waits()}`);
			for (let i = 0; i < 5; i++)
				await ann.sendMessage(i);
			await until(() => new Set([...bob.log, ...copy.log]
			    .filter(({ type }) => type === 'message')
			    .map(({ id }) => id)).size === 5, 'all messages');
			for (const { log } of [bob, copy]) {
				const ids = log.map(({ id }) => id);

				assert.deepEqual(ids, [...new Set(ids)].sort((a, b) =>
				    a - b));
			}
		});

		test('away: offline, then online, and then all that came meanwhile',
		    async () => {
			let isAway = false;
			const proxy = await makeProxy(() => isAway ?
			    { answer: captivePortal() } : {});
			const { ann, bob } = await makePair(proxy.url, { mode });

			isAway = true;
			for (const socket of proxy.sockets)
				socket.destroy();
			await heard(bob, 'offline');
			assert.equal(bob.news[0].error.error, 'not-peerpost');
			await ann.sendMessage('meanwhile');

			const late = bob.sendMessage('late');

			isAway = false;
			await late;
			await heard(bob, 'message', 2);
			assert.deepEqual(bob.news.map(({ type }) => type),
			    ['offline', 'online']);
			assert.deepEqual(told(bob, ['message']),
			    ['message "meanwhile"', 'message "late"']);
		});

		// In an hour, at most one request every 7.5 s (half of the longest
		// back-off), and those of the beginning.
		for (const [name, answer] of [
			['a captive portal', captivePortal()],
			['a gateway without a server', gatewayError(502)],
			['somebody else\'s JSON', { status: 200, body: '{"a":1}' }],
			['nonsense for events', { status: 200,
				body: '{"events":[{"id":"x"}],"next":0}' }],
			['a reset to nonsense', { status: 200, body:
			    '{"events":[],"next":0,"reset":true,"room":{}}' }],
			['a cache with no events', { status: 200,
				body: '{"events":[],"next":0}' }],
			['a cache with an old event', { status: 200, body:
			    '{"events":[{"id":1,"command":"###!X","data":1}],' +
			    '"next":1,"more":true}' }],
			['a redirection', { status: 302,
				headers: { Location: '/events?wait=0' } }],
			['a server error of ours', { status: 503, body:
			    '{"command":"###!ICB","data":"x","error":"storage"}' }],
			['a refusal of ours', { status: 404, body:
			    '{"command":"###!ICB","data":"x","error":"not-found"}' }],
			['a rate limit of ours', { status: 429, body: '{"command":' +
			    '"###!ICB","data":"x","error":"rate-limited"}' }],
		])
			test(`${name}, for an hour: no tight loop`, async () => {
				const clock = new VirtualClock();
				const proxy = await makeProxy(() => ({ answer }));
				const client = makeClient(proxy.url, { mode, clock,
					fetch: clock.fetch, session: anybody });

				client.start();
				await clock.run(HOUR_MS);
				assert.ok(proxy.requests.length <= 500 &&
				    proxy.requests.length >= 100,
				`${proxy.requests.length}`);
				assert.equal(client.state, 'backing-off');
				client.stop();
				await clock.run(HOUR_MS);
				assert.ok(proxy.requests.length <= 501);
			});

		test('a wrong address: an error, soon', async () => {
			const clock = new VirtualClock();
			const page = await makeProxy(() => ({ answer:
			    { status: 404, body: '<html>No such page</html>' } }));
			const client = makeClient(page.url, { mode, clock,
				fetch: clock.fetch });
			const failed = assert.rejects(client.connect('x'),
			    { name: 'PeerpostError', error: 'not-peerpost',
				    status: 404 });

			await clock.run(60_000);
			await failed;
			assert.equal(page.requests.length, 3);

			const wrongPath = makeClient(`${daemon.url}/wrong/`, { mode });

			await assert.rejects(wrongPath.connect('x'),
			    { error: 'not-found', status: 404 });
			assert.throws(() => makeClient('http://['), TypeError);
		});

		test('nobody there: an error in the end', async () => {
			const clock = new VirtualClock();
			const client = makeClient('http://127.0.0.1:1', { mode, clock,
				fetch: clock.fetch });
			const failed = assert.rejects(client.register('x'),
			    { error: 'network', status: 0 });

			await clock.run(10_000);
			await failed;
			assert.ok(client.exchanges.length >= 3);
			assert.deepEqual(client.news.map(({ type }) => type),
			    ['offline', 'command-failed']);

			// Whose session is kept, has been there: it may come back.
			const known = makeClient('http://127.0.0.1:1', { mode, clock,
				fetch: clock.fetch, session: anybody });
			const gone = assert.rejects(known.resume(),
			    { error: 'network', message: /http:\/\/127.0.0.1:1 / });

			await clock.run(300_000);
			await gone;
			assert.equal(known.exchanges.length, 10);
		});

		test('wrong addresses: each is named within ten seconds', async () => {
			const html = { status: 404, body: '<html>No such page</html>' };
			const silent = (url, { signal }) =>
			    new Promise((resolve, reject) => {
				signal.addEventListener('abort', () =>
				    reject(new Error('abort')));
			});

			for (const [error, answer, fetch] of [
				['not-peerpost', html],
				['not-peerpost', gatewayError(502)],
				['not-peerpost', captivePortal()],
				['timeout', null, silent],
			]) {
				const clock = new VirtualClock();
				const proxy = await makeProxy(() => ({ answer }));
				const client = makeClient(`${proxy.url}/where/`, { mode,
					clock, fetch: fetch ?? clock.fetch });
				const failed = assert.rejects(client.connect('x'),
				    (failure) => failure.error === error &&
				    failure.message.includes(`${proxy.url}/where`));

				await clock.run(9999);
				await failed;
				// And nothing is left over.
				assert.equal(clock.timers.size, 0);
			}
		});

		test('a rate limit takes no attempt', async () => {
			const body = '{"command":"###!ICB","data":"x",' +
			    '"error":"rate-limited"}';
			const slow = { answer: { status: 429, body } };
			const clock = new VirtualClock();
			const proxy = await makeProxy(inTurn(
			    [slow, slow, slow, { drop: true }, slow, slow],
			    { rest: { answer: gatewayError(502) } }));
			const client = makeClient(proxy.url, { mode, clock,
				maxAttempts: 2, fetch: clock.fetch });
			const failed = assert.rejects(client.register('x'),
			    { error: 'not-peerpost', status: 502 });

			await clock.run(60_000);
			await failed;
			assert.equal(proxy.requests.length, 7);
		});

		test('Retry-After counts, and without it the word does', async () => {
			const times = [];
			const clock = new VirtualClock();
			const body = '{"command":"###!ICB","data":"x",' +
			    '"error":"shutting-down"}';
			const proxy = await makeProxy(inTurn([
				{ answer: { status: 503, body,
					headers: { 'Retry-After': '100' } } },
				{ answer: { status: 429, body: body.replace(
				    'shutting-down', 'rate-limited') } },
			]));
			const client = makeClient(proxy.url, { mode, clock,
				fetch: (...args) => {
					times.push(clock.time);
					return clock.fetch(...args);
				} });
			const registered = client.register('x');

			await until(() => times.length === 1, 'request');
			// What follows is a held poll: the clock will not go on.
			const running = clock.run(130_000);

			await registered;
			assert.ok(times[1] - times[0] >= 100_000 &&
			    times[1] - times[0] <= 121_000, `${times}`);
			assert.ok(times[2] - times[1] >= 1000, `${times}`);
			client.stop();
			await running;
		});
	});

test('a network that is back is used at once, but not again and again',
    async () => {
	const clock = new VirtualClock();
	const page = new EventTarget();
	const proxy = await makeProxy(() => ({ answer: gatewayError(502) }));
	const client = makeClient(proxy.url, { clock, page, fetch: clock.fetch,
		session: anybody });

	client.start();
	await clock.run(600_000);
	for (let i = 1; i <= 3; i++) {
		const n = proxy.requests.length;

		for (let j = 0; j < 100; j++)
			page.dispatchEvent(new Event('online'));
		await until(() => proxy.requests.length > n, 'request');
		await until(() => client.state === 'backing-off', 'answer');
		for (let j = 0; j < 100; j++)
			page.dispatchEvent(new Event('online'));
		await clock.run(1500);
		assert.equal(proxy.requests.length, n + 1);
	}
	client.stop();
});

test('a rate limit of the server: everything gets through, in order',
    async () => {
	const own = await startDaemon({ args: ['--command-burst', '5',
		'--command-rate', '5'] });
	// A server that has not answered yet has 9 s, which is 0.45 here.
	const client = makeClient(own.url, { ...quick, clock: fastClock(20) });
	const sent = [];

	await client.register('x');
	await client.createRoom();
	for (let i = 0; i < 20; i++) {
		sent.push(client.sendMessage(i));
		await new Promise(setImmediate);
	}

	const ticking = setInterval(() => own.advance(1), 10);

	await Promise.all(sent);
	clearInterval(ticking);
	await heard(client, 'message', 20);
	assert.deepEqual(told(client, ['message']), [...Array(20).keys()]
	    .map((i) => `message ${i}`));
	assert.deepEqual(client.news, []);
});

// A server for the learning of hold times, in virtual time: it holds as long
// as it is asked to, and the path cuts after cutMs().
function holding(clock, cutMs, waits)
{
	return (url, { signal }) => {
		const wait = Number(new URL(url).searchParams.get('wait'));
		const isCut = wait * 1000 > cutMs(wait);

		waits.push(wait);
		return new Promise((resolve, reject) => {
			const timer = clock.setTimeout(() => isCut ?
			    reject(new TypeError('cut')) : resolve({ status: 200,
				    text: async () => '{"events":[],"next":0}' }),
			Math.min(cutMs(wait), wait * 950));

			signal.addEventListener('abort', () => {
				clock.clearTimeout(timer);
				reject(new Error('abort'));
			});
		});
	};
}

test('how long the path can hold a poll is learned, kept, and unlearned',
    async () => {
	const clock = new VirtualClock();
	const pathStorage = new Storage();
	const waits = [];
	let limitMs = 10_000;
	const make = () => makeClient('http://a.example', { clock, pathStorage,
		session: anybody, fetch: holding(clock, () => limitMs, waits) });
	const client = make();

	client.start();
	await clock.run(20_000);
	assert.deepEqual(waits.slice(0, 3), [25, 0, 7]);
	await clock.run(HOUR_MS);

	// Now and then it tries if it may be longer.
	const isCut = (wait) => wait * 1000 > limitMs;

	assert.ok(waits.filter(isCut).length < waits.length / 8);
	assert.ok(waits.filter(isCut).length > 5);
	assert.deepEqual(client.news, []);
	client.stop();

	const next = make();

	waits.length = 0;
	next.start();
	await clock.run(1000);
	assert.ok(waits[0] >= 7 && waits[0] <= 11, `${waits}`);

	// The path has become better.
	limitMs = Infinity;
	await clock.run(HOUR_MS);
	assert.equal(waits.at(-1), 25);
	next.stop();
	await clock.run(HOUR_MS);
});

test('an outage in the middle of a poll teaches nothing', async () => {
	const clock = new VirtualClock();
	const waits = [];
	let isOut = false;
	const server = holding(clock, () => isOut ? 0 : Infinity, waits);
	const client = makeClient('http://a.example', { clock, session: anybody,
		fetch: (...args) => {
			const answer = server(...args);

			if (!isOut)
				return new Promise((resolve, reject) => {
					answer.then(resolve, reject);
					clock.setTimeout(() => isOut &&
					    reject(new TypeError('out')), 5000);
				});
			tolerantly(answer);
			return Promise.reject(new TypeError('out'));
		} });

	client.start();
	await clock.run(1000);
	isOut = true;
	await clock.run(60_000);
	isOut = false;
	await clock.run(60_000);
	assert.equal(waits.at(-1), 25, `${waits}`);
	assert.deepEqual(client.news.map(({ type }) => type),
	    ['offline', 'online']);
	client.stop();
});

function tolerantly(promise)
{
	promise.catch(() => {});
}

test('a poll that nobody answers, nor cuts, ends too', async () => {
	const clock = new VirtualClock();
	let n = 0;
	const client = makeClient('http://a.example', { clock, session: anybody,
		fetch: (url, { signal }) => new Promise((resolve, reject) => {
			n++;
			signal.addEventListener('abort', () =>
			    reject(new Error('abort')));
		}) });

	client.start();
	await clock.run(HOUR_MS);
	assert.ok(n > 50 && n < 250, `${n}`);
	assert.equal(client.news[0].error.error, 'timeout');
	client.stop();
	await clock.run(HOUR_MS);
});

test('clocks that jump: nothing is lost, and there is no tight loop',
    async () => {
	const proxy = await makeProxy(often([{ drop: true }], 3));
	let shift = 0;
	const clock = { ...fastClock(1), now: () => performance.now() + shift };
	const jumping = setInterval(() => {
		shift = shift === 0 ? 1e9 : shift > 0 ? -1e9 : 0;
	}, 5);

	try {
		await talk(await makePair(proxy.url, { clock }));
		assert.ok(proxy.requests.length < 1000);
	} finally {
		clearInterval(jumping);
	}
	// The wall clock, which does jump, is not even looked at.
	assert.doesNotMatch(fs.readFileSync(new URL(
	    '../../clients/js/peerpost.js', import.meta.url), 'utf8'),
	/\bDate\b/);
});

test('a poll that the path really cuts', async () => {
	const proxy = await makeProxy((exchange) => isPoll(exchange) ?
	    { cutAfterMs: 2600 } : {});
	const { ann, bob } = await makePair(proxy.url);
	const waits = () => proxy.requests.filter(isPoll).map(({ path }) =>
	    Number(/wait=(\d+)/.exec(path)[1]));

	await until(() => waits().at(-1) === 1, 'shorter wait');
	await ann.sendMessage('x');
	await heard(bob, 'message');
	assert.deepEqual(bob.news, []);
});
