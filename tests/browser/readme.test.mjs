// readme.test.mjs - the examples of the JavaScript client's README as pages, in
// Chromium: loaded, reloaded, left and come back to.
import assert from 'node:assert/strict';
import test from 'node:test';
import { inBrowser, inPage, launch, openPage, startPages }
    from '../lib/browser.mjs';
import { examples } from '../lib/clients.mjs';
import { startDaemon, until } from '../lib/peerpost.mjs';

await inBrowser(import.meta.url, async () => {
	const browser = await launch();
	const daemon = await startDaemon({ clock: false });
	const [hello, game] = examples();
	// What the README says to put before it; the address is in the page's.
	const page = (example) => `<!DOCTYPE html><title>x</title>
		<link rel="icon" href="data:,">
		<script type="importmap">{ "imports": {
			"peerpost": "${daemon.url}/peerpost.js" } }</script>
		<script>
		const query = new URLSearchParams(location.search);
		if (query.has('server'))
			globalThis.PEERPOST_URL = query.get('server');
		globalThis.ROOM = query.get('room');
		globalThis.said = () => document.title;
		</script>
		<script type="module">${example}
		globalThis.game = { client: globalThis.client, isReady: true };
		</script>`;
	const pages = await startPages({ 'hello.html': page(hello),
		'game.html': page(game.replace('const { room }',
		    'Object.assign(globalThis, { client, mesh }); const { room }')) });
	const server = `server=${encodeURIComponent(daemon.url)}`;

	// What the page has logged since it was asked last.
	function logOf(tab)
	{
		tab.log = [];
		tab.on('console', (message) => tab.log.push(message.text()));
		return tab;
	}

	const hears = (tab, what) => until(() => tab.log.find((line) =>
	    what.test(line)), `${what}`);
	const roomOf = async (tab) => {
		await inPage(tab, () => globalThis.game?.isReady);
		return tab.evaluate(() => globalThis.client.room);
	};

	test('the first example, again and again', async () => {
		const tab = logOf(await openPage(browser,
		    `${pages}/hello.html?${server}`));

		for (let i = 0; i < 3; i++) {
			await hears(tab, /^Bob hears: Hello, Bob!$/);
			await inPage(tab, () => globalThis.game?.isReady);
			tab.log.length = 0;
			await tab.reload();
		}
		// Polls that end with their players; Chromium says so itself.
		assert.deepEqual(tab.complaints.filter((text) =>
		    !text.includes('status of 401')), []);
		await tab.browserContext().close();
	});

	test('a game in ten lines: both reload, follow a link, and go back',
	    async () => {
		const host = logOf(await openPage(browser,
		    `${pages}/game.html?${server}`));
		const room = await roomOf(host);
		const guest = logOf(await openPage(browser,
		    `${pages}/game.html?${server}&room=${room}`));

		await hears(host, /^\d+ Welcome!$/);
		await hears(guest, /^1 Welcome!$/);
		for (const [one, other] of [[host, guest], [guest, host],
			[host, guest]]) {
			one.log.length = other.log.length = 0;
			await one.reload();
			assert.equal(await roomOf(one), room);
			for (const tab of [one, other])
				await hears(tab, /^\d+ Welcome!$/);
		}
		assert.deepEqual(host.log.filter((line) =>
		    line.startsWith('room')), [`room ${room}`]);

		// Another invitation in the same tab, and back.
		const third = logOf(await openPage(browser,
		    `${pages}/game.html?${server}`));
		const elsewhere = await roomOf(third);

		await guest.goto(`${pages}/game.html?${server}&room=${elsewhere}`);
		await hears(third, /^\d+ Welcome!$/);
		assert.equal(await roomOf(guest), elsewhere);
		host.log.length = 0;
		await guest.goBack();
		assert.equal(await roomOf(guest), room);
		await hears(host, /^\d+ Welcome!$/);

		// To a page that is none of the game, and back.  If the browser has
		// kept the page, its connection may never have been away.
		await guest.goto(`${pages}/page.mjs`);
		await guest.goBack();
		assert.equal(await roomOf(guest), room);
		await until(async () => {
			await guest.evaluate(() => globalThis.mesh.broadcast('Back!'));
			return host.log.find((line) => /^\d+ Back!$/.test(line));
		}, 'word of it');
		for (const tab of [host, guest, third]) {
			assert.deepEqual(tab.complaints, []);
			await tab.browserContext().close();
		}
	});

	test('no address, or one without a scheme: said at once', async () => {
		for (const [query, wrong] of [['', 'undefined'],
			['server=localhost:8080', "'localhost:8080'"],
			['server=signal.example', "'signal.example'"]]) {
			const tab = await openPage(browser,
			    `${pages}/game.html?${query}`);

			await until(() => tab.complaints.length > 0, 'complaint');
			assert.match(tab.complaints[0], new RegExp('TypeError: The ' +
			    'address of the server must be a URL such as .*, not ' +
			    `${wrong}\\.`));
			await tab.browserContext().close();
		}
	});
});
