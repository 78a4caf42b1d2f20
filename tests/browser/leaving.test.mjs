// leaving.test.mjs - pages that are closed, and pages that are left and come back
// to, by the browser's back button.
import assert from 'node:assert/strict';
import test from 'node:test';
import { inBrowser, inPage, launch, openPlayer, startPages }
    from '../lib/browser.mjs';
import { Player, ok, startDaemon, until } from '../lib/peerpost.mjs';

await inBrowser(import.meta.url, async () => {
	const browser = await launch();
	const pages = await startPages();

	// A page in the room of a player who is none.
	async function openGuest(options)
	{
		const daemon = await startDaemon();
		const host = await Player.register(daemon, 'host');
		const { data: room } = ok(await host.create());
		const page = await openPlayer({ browser, pages, room,
			server: daemon.url, name: 'Bob', alone: true, ...options });

		return { daemon, host, page };
	}

	const nMembers = async (host) => ok(await host.room()).peers.length;

	test('a page that is closed unregisters its player if it was told to',
	    async () => {
		const { host, page } = await openGuest({
			client: { leaveOnPagehide: true } });

		assert.equal(await nMembers(host), 2);
		await page.close();
		await until(async () => await nMembers(host) === 1 || null,
		    'leaving');
	});

	test('and else its player stays, for it may come back', async () => {
		const { daemon, host, page } = await openGuest({});

		await page.close();
		// Whatever the page said last has arrived by then.
		daemon.advance(60);
		assert.equal(await nMembers(host), 2);
	});

	test('a page that was kept goes on where it was', async (t) => {
		const { host, page } = await openGuest({});
		const id = await page.evaluate(() => globalThis.client.id);

		await page.evaluate(() => {
			globalThis.marker = 'the same page';
		});
		await page.goto(`${pages}/page.mjs`);
		ok(await host.message('while it was away'));
		await page.goBack();
		await inPage(page, () => globalThis.messages?.().length === 1);
		if (!await page.evaluate(() => globalThis.isKept))
			return t.skip('the browser has not kept the page');
		assert.deepEqual(await page.evaluate(() =>
		    [globalThis.marker, globalThis.client.id,
			    ...globalThis.messages()]),
		['the same page', id, 'while it was away']);
		ok(await host.message('and again'));
		await inPage(page, () => globalThis.messages().length === 2);
	});
});
