// tabs.test.mjs - tabs that are copies of others: each is a player of its own.
// By Web Locks, and without them, as in a page that came by plain http.
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { CHROMIUM, duplicate, inBrowser, inPage, launch, openPlayer,
    startPages } from '../lib/browser.mjs';
import { Player, ok, startDaemon } from '../lib/peerpost.mjs';

await inBrowser(import.meta.url, async () => {
	// Loopback is as good as https, under its own names only.
	const browser = await launch({ ...CHROMIUM, args: [...CHROMIUM.args,
		'--host-resolver-rules=MAP plain.test 127.0.0.1'] });
	const secure = await startPages();
	const insecure = secure.replace('127.0.0.1', 'plain.test');
	const daemon = await startDaemon({ clock: false });
	const host = await Player.register(daemon, 'host');
	const room = ok(await host.create()).data;
	const open = (pages, options) => openPlayer({ browser, pages,
		server: daemon.url, name: 'Bob', room, alone: true, ...options });

	const stateOf = (page) => page.evaluate(() => ({
		id: globalThis.client.id, room: globalThis.client.room,
		news: globalThis.news }));

	for (const [name, pages] of [['Web Locks', secure],
		['a BroadcastChannel', insecure]])
		describe(name, () => {
			test('a duplicate is another player, and both go on',
			    async () => {
				const bob = await open(pages);
				const { id } = await stateOf(bob);

				assert.equal(await bob.evaluate(() =>
				    Boolean(navigator.locks)), pages === secure);

				const copy = await duplicate(bob);
				const state = await stateOf(copy);

				assert.notEqual(state.id, id);
				assert.equal(state.room, null);
				assert.deepEqual(state.news, ['session-in-use']);
				await copy.evaluate((uuid) => globalThis.enter(uuid),
				    room);

				const n = await bob.evaluate(() =>
				    globalThis.messages().length);

				ok(await host.message('to all'));
				for (const page of [bob, copy])
					await inPage(page, () =>
					    globalThis.messages().at(-1) === 'to all');
				assert.equal(await bob.evaluate(() =>
				    globalThis.messages().length), n + 1);

				// Stopping is not being pushed out, however soon.
				await bob.evaluate(() => {
					for (let i = 0; i < 5; i++) {
						globalThis.client.stop();
						globalThis.client.start();
					}
				});
				ok(await host.message('to all again'));
				await inPage(bob, () => globalThis.messages().at(-1) ===
				    'to all again');
				assert.deepEqual((await stateOf(bob)).news, []);

				// Each keeps its own.
				for (const [page, own] of [[bob, id],
					[copy, state.id], [bob, id]]) {
					await page.reload();
					await inPage(page, () => globalThis.isReady);
					assert.deepEqual(await stateOf(page), { id: own,
						room, news: ['resumed'] });
				}
				assert.deepEqual([...bob.complaints,
					...copy.complaints], []);
				await bob.browserContext().close();
			});

			test('a page that was kept comes back as the same player; ' +
			    'if a copy has gone on meanwhile, it has no session',
			    async (t) => {
				const bob = await open(pages);
				const { id } = await stateOf(bob);
				const url = bob.url();

				await bob.goto(`${pages}/page.mjs`);
				ok(await host.message('while it was away'));
				await bob.goBack();
				await inPage(bob, () => globalThis.messages?.().at(-1) ===
				    'while it was away');
				assert.equal((await stateOf(bob)).id, id);
				if (!await bob.evaluate(() => globalThis.isKept))
					return t.skip('the browser has not kept the page');
				await bob.goto(`${pages}/page.mjs`);

				const copy = await duplicate(bob, url);

				assert.deepEqual(await stateOf(copy), { id, room,
					news: ['resumed'] });
				await bob.goBack();
				await inPage(bob, () =>
				    globalThis.news?.includes('session-gone'));
				ok(await host.message('to the copy'));
				await inPage(copy, () => globalThis.messages().at(-1) ===
				    'to the copy');
				assert.deepEqual((await stateOf(copy)).news, ['resumed']);
				await bob.browserContext().close();
			});
		});

	test('a page that was kept learns that its session has another room',
	    async (t) => {
		const bob = await open(secure);
		const { id } = await stateOf(bob);
		const other = await Player.register(daemon, 'other');
		const elsewhere = ok(await other.create()).data;

		await bob.goto(`${bob.url()}&again`);
		await inPage(bob, () => globalThis.isReady);
		await bob.evaluate(async (uuid) => {
			await globalThis.client.leaveRoom();
			await globalThis.enter(uuid);
		}, elsewhere);
		await bob.goBack();
		await inPage(bob, () => globalThis.isReady);
		if (!await bob.evaluate(() => globalThis.isKept))
			return t.skip('the browser has not kept the page');
		await inPage(bob, (uuid) => globalThis.client.room === uuid, elsewhere);

		const state = await stateOf(bob);

		assert.equal(state.id, id);
		assert.ok(state.news.includes('resumed'), state.news);
		await bob.browserContext().close();
	});

	test('two clients of one page that keep nothing are left alone',
	    async () => {
		const bob = await open(secure, { room: undefined });
		const news = await bob.evaluate(async () => {
			const { client } = globalThis;
			const copy = new client.constructor(client.url,
			    { session: client.session, storage: null });

			await copy.resume();
			copy.stop();
			return globalThis.news;
		});

		assert.ok(!news.includes('session-in-use') &&
		    !news.includes('session-gone'), news);
		await bob.browserContext().close();
	});
});
