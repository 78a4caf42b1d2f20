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
});
