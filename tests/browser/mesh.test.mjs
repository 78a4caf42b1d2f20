// mesh.test.mjs - the JavaScript client in two browsers: a room, data channels,
// a daemon that dies meanwhile, a page that is loaded again.
import assert from 'node:assert/strict';
import test from 'node:test';
import { inBrowser, inPage, launch, openPair, openPlayer, startPages, talk }
    from '../lib/browser.mjs';
import { startFaultProxy } from '../lib/paths.mjs';
import { startDaemon } from '../lib/peerpost.mjs';

await inBrowser(import.meta.url, async () => {
	const browser = await launch();
	const pages = await startPages();

	// A way to a daemon that writes down the requests.
	async function startRecorded()
	{
		const daemon = await startDaemon();
		const { proxy } = await startFaultProxy(daemon, () => ({}));

		return { daemon, server: `http://${proxy.host}:${proxy.port}`,
			methods: () => new Set(proxy.requests.map(({ method }) =>
			    method)) };
	}

	async function close(...players)
	{
		for (const page of players) {
			assert.deepEqual(page.complaints, []);
			await page.browserContext().close();
		}
	}

	test('a page of another origin: messages and data both ways, ' +
	    'without a preflight', async () => {
		const { server, methods } = await startRecorded();
		const players = await openPair({ browser, pages, server });

		await talk(...players);
		for (const page of players)
			await page.evaluate(() => globalThis.client.sendMessage(
			    { from: globalThis.client.name }));
		for (const page of players) {
			await inPage(page, () => globalThis.messages().length === 2);
			assert.deepEqual(await page.evaluate(() =>
			    globalThis.messages().map(({ from }) => from)),
			['Ann', 'Bob']);
		}
		assert.deepEqual(methods(), new Set(['GET', 'POST']));
		await close(...players);
	});

	test('with header fields there are preflights, and it works, too',
	    async () => {
		const { server, methods } = await startRecorded();
		const players = await openPair({ browser, pages, server,
			client: { mode: 'headers' } });

		await talk(...players);
		assert.ok(methods().has('OPTIONS'));
		await close(...players);
	});

	test('the daemon dies between offer and answer', async () => {
		const daemon = await startDaemon();
		const given = { browser, pages, server: daemon.url };
		const ann = await openPlayer({ ...given, name: 'Ann' });
		let nDeaths = 0;

		await ann.exposeFunction('beforeAnswer', async () => {
			if (++nDeaths === 1)
				await daemon.kill();
		});
		await ann.evaluate(() => {
			const { client } = globalThis;
			const { answer } = client;

			client.answer = async (...args) => {
				await globalThis.beforeAnswer();
				return answer.apply(client, args);
			};
		});

		const bob = await openPlayer({ ...given, name: 'Bob',
			room: ann.room });

		// The answer is on its way, and both have seen that nobody is there.
		for (const page of [ann, bob])
			await inPage(page, () => globalThis.news.includes('offline'));
		await daemon.restart();
		await talk(ann, bob);
		assert.equal(nDeaths, 1);
		for (const page of [ann, bob]) {
			const news = await page.evaluate(() => globalThis.news);

			// The first connection, not one that was tried later.
			assert.equal(news.filter((type) => type === 'offer' ||
			    type === 'answer').length, 1, news);
			assert.equal(news.filter((type) => type === 'peer').length, 1);
			// Chromium tells its console that there was no connection.
			page.complaints = page.complaints.filter((text) =>
			    !text.includes('net::ERR_'));
		}
		await close(ann, bob);
	});

	test('a page that is loaded again goes on as the same player, and has ' +
	    'missed nothing', async () => {
		const daemon = await startDaemon();
		const [ann, bob] = await openPair({ browser, pages,
			server: daemon.url });
		const before = await bob.evaluate(() => globalThis.client.id);
		const sent = [];
		// While the page goes, is away and comes.
		const say = async () => {
			const n = sent.push(sent.length);

			await ann.evaluate((i) => globalThis.client.sendMessage(i),
			    n - 1);
		};

		await talk(ann, bob);
		for (let round = 0; round < 3; round++) {
			await say();

			let isDone = false;
			const reloaded = bob.reload().then(() => {
				isDone = true;
			});

			do
				await say();
			while (!isDone);
			await reloaded;
			await inPage(bob, () => globalThis.isReady);
			await say();
			await inPage(bob, (n) => globalThis.messages().length >= n,
			    sent.length);
			assert.deepEqual(await bob.evaluate(() =>
			    globalThis.messages()), sent);
			assert.deepEqual(await bob.evaluate(() =>
			    [globalThis.client.id, globalThis.client.room]),
			[before, ann.room]);
			await talk(ann, bob);
		}
		// A reload is no error, such as Chromium's "User-Initiated Abort".
		assert.deepEqual(await ann.evaluate(() => globalThis.news.filter(
		    (type) => /^(peer|left|error)/.test(type))),
		['peer', ...Array(3).fill(['left', 'peer'])].flat());
		await close(ann, bob);
	});
});
