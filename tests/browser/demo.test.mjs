// demo.test.mjs - the demo as people use it: one creates a room, another comes
// by the link, both chat and play, and the daemon dies meanwhile.  And the page
// at /, which leads there.
//
// Screenshots are kept in artefacts/ of the build folder.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import test, { after } from 'node:test';
import { inBrowser, inPage, launch, openPage } from '../lib/browser.mjs';
import { startDaemon, until } from '../lib/peerpost.mjs';

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844, isMobile: true, hasTouch: true,
	deviceScaleFactor: 2 };
// The host's, peer 1.
const COLOUR_OF_ANN = [0x06, 0xd6, 0xa0];
const LONG_NAME = `Bob ${'Wolfeschlegelstein'.repeat(3)}`;
const ARTEFACTS = path.resolve('artefacts');

// Where on the field the dot of a colour is: the mean of its pixels.
function placeOf(colour)
{
	const canvas = document.querySelector('#game');
	const { width, height } = canvas;
	const copy = new OffscreenCanvas(width, height).getContext('2d',
	    { willReadFrequently: true });

	copy.drawImage(canvas, 0, 0);

	const { data } = copy.getImageData(0, 0, width, height);
	const at = { x: 0, y: 0 };
	let n = 0;

	for (let i = 0; i < data.length; i += 4)
		if (colour.every((value, k) => data[i + k] === value)) {
			at.x += i / 4 % width;
			at.y += Math.floor(i / 4 / width);
			n++;
		}
	return n > 100 ? { x: at.x / n, y: at.y / n } : null;
}

await inBrowser(import.meta.url, async () => {
	let ann, bob;

	// Before the browser ends: what was there when a test failed.
	after(async () => {
		for (const [name, page] of [['ann', ann], ['bob', bob]])
			await page?.screenshot({ path: path.join(ARTEFACTS,
			    `last-${name}.png`) }).catch(() => {});
	});

	const browser = await launch();
	const daemon = await startDaemon({ args: ['--demo'] });

	fs.mkdirSync(ARTEFACTS, { recursive: true });
	ann = await openPage(browser, `${daemon.url}/demo/`,
	    { viewport: DESKTOP });

	async function shoot(page, name)
	{
		await page.bringToFront();
		await page.screenshot({ path: path.join(ARTEFACTS, `${name}.png`) });
		await page.screenshot({ fullPage: true,
			path: path.join(ARTEFACTS, `${name}-full.png`) });
	}

	async function enter(page, name, button)
	{
		await page.type('#name', name);
		await page.click(button);
		await inPage(page, () => document.querySelector('#room-link').href &&
		    !document.querySelector('#room').hidden);
	}

	// A list as people read it.
	const lines = (page, selector) => page.$$eval(`${selector} > li`,
	    (items) => items.map(({ innerText }) => innerText));
	const reads = (page, selector, ...words) => inPage(page, (list, all) => {
		const { innerText } = document.querySelector(list);

		return all.every((word) => innerText.includes(word));
	}, selector, words);

	async function chat(page, text, way)
	{
		await page.select('#chat-way', way);
		await page.type('#chat-input', text);
		await page.keyboard.press('Enter');
	}

	// Drag the dot over all of the field, until a star has been in its way.
	async function catchStar(page)
	{
		const box = await page.$eval('#game', (field) => {
			const { x, y, width, height } =
			    field.getBoundingClientRect();

			return { x, y, width, height };
		});

		await page.mouse.move(box.x + 5, box.y + 5);
		await page.mouse.down();
		for (let y = 0.05; y < 1; y += 0.06)
			for (const x of [0.03, 0.97])
				await page.mouse.move(box.x + x * box.width,
				    box.y + y * box.height, { steps: 12 });
		await page.mouse.up();
	}

	// Nothing of a page is wider than its window.
	const fits = (page) => page.evaluate((width) =>
	    document.documentElement.scrollWidth <= width,
	page.viewport().width);

	// Whether all of an element can be seen within another, and in the window
	// from left to right.
	const shows = (page, selector, within) => page.$eval(selector,
	    (part, outer) => {
		const { left, right } = part.getBoundingClientRect();
		const box = document.querySelector(outer).getBoundingClientRect();

		return right > left && left >= Math.max(box.left, 0) &&
		    right <= Math.min(box.right, innerWidth);
	}, within);

	test('one creates, the other joins by the link', async () => {
		await shoot(ann, 'desktop-entrance');
		assert.equal(await ann.$eval('#join', ({ hidden }) => hidden), true);
		assert.ok(!(await ann.$eval('#entrance', ({ innerText }) =>
		    innerText)).includes('invited'));
		await enter(ann, 'Ann', '#create');

		const link = await ann.$eval('#room-link', ({ href }) => href);

		assert.match(link, /\/demo\/#\/[0-9a-f-]{36}$/);
		bob = await openPage(browser, link, { viewport: PHONE });
		await reads(bob, '#entrance', 'You are invited', 'Join the room');
		await shoot(bob, 'phone-entrance');
		assert.ok(await fits(bob));
		await enter(bob, LONG_NAME, '#join');
		for (const page of [ann, bob]) {
			assert.equal(await page.$eval('#room-link',
			    ({ textContent }) => textContent), link);
			assert.equal(await page.$eval('#room-link .end',
			    ({ textContent }) => textContent), link.slice(-12));
			assert.ok(await shows(page, '#room-link .end', '#room-link'));
		}
		for (const page of [ann, bob]) {
			await reads(page, '#players', 'Ann', 'Bob', 'connected');
			assert.equal((await lines(page, '#players')).length, 2);
		}
	});

	test('a long name is in nobody\'s way', async () => {
		for (const page of [ann, bob]) {
			assert.ok(await fits(page));
			for (const list of ['players', 'scores'])
				for (const part of ['.dot', '.name', list === 'players' ?
				    '.way' : '.points'])
					for (const n of [1, 2])
						assert.ok(await shows(page,
						    `#${list} li:nth-child(${n}) ${part}`,
						    `#${list}`), `${list} ${n} ${part}`);
		}
	});

	test('fingers drag, and keys are for those who have them', async () => {
		for (const [page, isTouched] of [[ann, false], [bob, true]]) {
			const words = await page.$eval('#game-help',
			    ({ innerText }) => innerText);

			assert.equal(words.includes('finger'), isTouched, words);
			assert.equal(words.includes('arrow keys'), !isTouched, words);
		}
	});

	test('chat by both ways', async () => {
		for (const way of ['channel', 'room']) {
			await chat(ann, `Hello from Ann <b>by</b> ${way}`, way);
			await chat(bob, `Hello from Bob <b>by</b> ${way}`, way);
			for (const page of [ann, bob])
				await reads(page, '#chat-log',
				    `Hello from Ann <b>by</b> ${way}`,
				    `Hello from Bob <b>by</b> ${way}`);
		}
		for (const page of [ann, bob])
			assert.equal((await lines(page, '#chat-log')).length, 4);
	});

	test('the game: what one does is seen by the other', async () => {
		const findAnn = () => bob.evaluate(placeOf, COLOUR_OF_ANN);
		const before = await until(findAnn, 'dot');

		// To the corner at the lower right, where no dot begins.
		await ann.focus('#game');
		for (const key of ['ArrowRight', 'ArrowDown'])
			await ann.keyboard.down(key);
		await until(async () => {
			const at = await findAnn();

			return at && at.x > before.x && at.y > before.y;
		}, 'movement');
		for (const key of ['ArrowRight', 'ArrowDown'])
			await ann.keyboard.up(key);
		await catchStar(ann);
		// On both pages; the star may have begun where Bob stands.
		for (const page of [ann, bob])
			await until(async () => (await lines(page, '#scores'))
			    .some((line) => /^Ann\s+[1-9]/.test(line.trim())),
			'score of Ann');
		await shoot(ann, 'desktop-room');
		await shoot(bob, 'phone-room');
		for (const page of [ann, bob])
			assert.ok(await fits(page));
	});

	test('the log shows what goes over HTTP, and nothing secret', async () => {
		for (const page of [ann, bob]) {
			await reads(page, '#log', '/events', 'joined', 'message');
			assert.doesNotMatch((await lines(page, '#log')).join('\n'),
			    /token/i);
			assert.match(await page.$eval('#poll-state', (state) =>
			    state.textContent), /\w/);
		}
	});

	test('the daemon dies and comes back, and nobody is lost', async () => {
		await ann.click('#restart-proof');
		await ann.waitForSelector('#restart-dialog[open]');
		await shoot(ann, 'desktop-dialog');
		await daemon.kill();
		await ann.click('#restart-dialog button');
		await ann.waitForSelector('#restart-dialog:not([open])');
		for (const page of [ann, bob])
			await reads(page, '#banner', 'The server is away');
		// Wherever the page is scrolled to.
		await bob.$eval('#wire', (wire) => wire.scrollIntoView());
		assert.ok(await bob.$eval('#banner', (banner) =>
		    banner.getBoundingClientRect().top >= 0));
		await shoot(ann, 'desktop-outage');
		await shoot(bob, 'phone-outage');
		await chat(bob, 'nobody needs it', 'channel');
		await reads(ann, '#chat-log', 'nobody needs it');
		await chat(ann, 'when you are back', 'room');
		await daemon.restart();
		for (const page of [ann, bob])
			await reads(page, '#chat-log', 'when you are back');
		for (const page of [ann, bob])
			await inPage(page, () => /back|^$/.test(document
			    .querySelector('#banner').textContent));
		for (const page of [ann, bob])
			await inPage(page, () =>
				document.querySelector('#banner').hidden);
	});

	test('a page that is loaded again is in the room, and connected',
	    async () => {
		await bob.reload();
		for (const page of [ann, bob])
			await reads(page, '#players', 'Ann', 'Bob', 'connected');
		await chat(bob, 'here again', 'channel');
		await reads(ann, '#chat-log', 'here again');
	});

	test('when the host leaves, the guest is told, and can begin anew',
	    async () => {
		await ann.click('#leave');
		await reads(bob, '#entrance', 'The host has left',
		    'Create a room');
		assert.equal(await bob.$eval('#join', ({ hidden }) => hidden), true);
	});

	// As if it came back from the back/forward cache, and another tab had the
	// session now.
	function loseToOther()
	{
		const key = Object.keys(sessionStorage).find((each) =>
		    /^peerpost:/.test(each));
		const { id } = JSON.parse(sessionStorage.getItem(key));

		dispatchEvent(new PageTransitionEvent('pagehide'));
		navigator.locks.request(`${key}#${id}`, () => new Promise(() => {}));
		dispatchEvent(new PageTransitionEvent('pageshow',
		    { persisted: true }));
	}

	function endSession()
	{
		const key = Object.keys(sessionStorage).find((each) =>
		    /^peerpost:/.test(each));
		const { token } = JSON.parse(sessionStorage.getItem(key));

		return fetch('../unregister', { method: 'POST', headers: {
			Authorization: `Bearer ${token}` } }).then(() => null);
	}

	test('a link to a room that is gone says so', async () => {
		const guest = await openPage(browser, `${daemon.url}/demo/#/` +
		    '0f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0', { viewport: PHONE });

		await guest.type('#name', 'Cat');
		await guest.click('#join');
		await reads(guest, '#entrance-error', 'no such room');

		// Whoever is not inside stays invited, whatever becomes of it.
		await guest.evaluate(loseToOther);
		await reads(guest, '#entrance', 'You are invited',
		    'You play in another tab now.');
		await guest.reload();
		await inPage(guest, () => document.querySelector('#poll-state')
		    .textContent === 'polling');
		await guest.evaluate(endSession);
		await reads(guest, '#entrance', 'You are invited',
		    'does not know you any more');
		await guest.close();
	});

	test('the page at / has the address that the browser sees', async () => {
		// Behind a proxy that strips a prefix, and tells nobody.
		const proxy = http.createServer(({ url }, response) => {
			http.get(daemon.url + url.replace(/^\/signal/, ''), (reply) => {
				response.writeHead(reply.statusCode, reply.headers);
				reply.pipe(response);
			});
		});

		await new Promise((resolve) => {
			proxy.listen(0, '127.0.0.1', resolve);
		});
		after(() => proxy.close());
		const { port } = proxy.address();
		const indexes = [`${daemon.url}/`,
			`http://127.0.0.1:${port}/signal/`];

		for (const address of indexes) {
			const page = await openPage(browser, `${address}?x#y`,
			    { viewport: PHONE });
			const urls = await page.$$eval('pre span', (spans) =>
			    spans.map(({ textContent }) => textContent));

			assert.deepEqual([...new Set(urls)],
			    [address.replace(/\/$/, '')]);
			assert.ok(await fits(page));
			await shoot(page, 'phone-index');
			await page.browserContext().overridePermissions(
			    new URL(address).origin, ['clipboard-sanitized-write']);
			await page.click('.line button');
			await reads(page, '.line button', 'Copied');
			assert.deepEqual(page.complaints.filter((text) =>
			    !text.includes('404')), []);
			await page.close();
		}
	});

	test('no page has complained', () => {
		for (const page of [ann, bob])
			// But Chromium does when there is no server.
			assert.deepEqual(page.complaints.filter((text) =>
			    !text.includes('net::ERR_')), []);
	});
});
