// firefox.test.mjs - the JavaScript client in Firefox: what is most likely to
// differ from Chromium.
import assert from 'node:assert/strict';
import test from 'node:test';
import { duplicate, FIREFOX, inBrowser, inPage, launch, openPair, startPages,
    talk } from '../lib/browser.mjs';
import { startDaemon } from '../lib/peerpost.mjs';

await inBrowser(import.meta.url, async () => {
	const browser = await launch(FIREFOX);
	const pages = await startPages();

	test('a room, channels, and a page that is loaded again', async () => {
		const daemon = await startDaemon();
		const [ann, bob] = await openPair({ browser, pages,
			server: daemon.url });
		const id = await bob.evaluate(() => globalThis.client.id);

		await talk(ann, bob);
		await bob.reload();
		await inPage(bob, () => globalThis.isReady);
		assert.equal(await bob.evaluate(() => globalThis.client.id), id);
		await talk(ann, bob);
		await ann.evaluate(() => globalThis.client.sendMessage('m'));
		for (const page of [ann, bob]) {
			await inPage(page, () => globalThis.messages().length === 1);
			assert.deepEqual(page.complaints, []);
		}
		// A reload is no error.
		assert.deepEqual(await ann.evaluate(() => globalThis.news.filter(
		    (type) => /^(peer|left|error)/.test(type))),
		['peer', 'left', 'peer']);

		// A tab that is duplicated is another player.
		const copy = await duplicate(bob);

		assert.deepEqual(await copy.evaluate(() => globalThis.news),
		    ['session-in-use']);
		assert.notEqual(await copy.evaluate(() => globalThis.client.id), id);
		await bob.reload();
		await inPage(bob, () => globalThis.isReady);
		assert.equal(await bob.evaluate(() => globalThis.client.id), id);
		await talk(ann, bob);
	});
}, FIREFOX);
