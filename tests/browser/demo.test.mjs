// demo.test.mjs - the demo as people use it: one creates a room, another comes
// by the link, both chat and play, and the daemon dies meanwhile.
//
// Screenshots are kept in artefacts/ of the build folder.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test, { after } from 'node:test';
import { inBrowser, inPage, launch, openPage } from '../lib/browser.mjs';
import { startDaemon, until } from '../lib/peerpost.mjs';

const DESKTOP = { width: 1280, height: 800 };
const PHONE = { width: 390, height: 844, isMobile: true, hasTouch: true,
	deviceScaleFactor: 2 };
// The host's, peer 1.
const COLOUR_OF_ANN = [0x06, 0xd6, 0xa0];
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
		await inPage(page, () => document.querySelector('#room-link').value &&
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

	// Nothing of a page is wider than its window.
	const fits = (page) => page.evaluate(() =>
	    document.documentElement.scrollWidth <= innerWidth);

	test('one creates, the other joins by the link', async () => {
		await shoot(ann, 'desktop-entrance');
		assert.equal(await ann.$eval('#join', ({ hidden }) => hidden), true);
		await enter(ann, 'Ann', '#create');

		const link = await ann.$eval('#room-link', ({ value }) => value);

		assert.match(link, /\/demo\/#\/[0-9a-f-]{36}$/);
		bob = await openPage(browser, link, { viewport: PHONE });
		await shoot(bob, 'phone-entrance');
		assert.ok(await fits(bob));
		await enter(bob, 'Bob', '#join');
		for (const page of [ann, bob]) {
			await reads(page, '#players', 'Ann', 'Bob', 'connected');
			assert.equal((await lines(page, '#players')).length, 2);
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
			await reads(page, '#status', 'away');
		await chat(bob, 'nobody needs it', 'channel');
		await reads(ann, '#chat-log', 'nobody needs it');
		await chat(ann, 'when you are back', 'room');
		await daemon.restart();
		for (const page of [ann, bob])
			await reads(page, '#chat-log', 'when you are back');
	});

	test('a page that is loaded again is in the room, and connected',
	    async () => {
		await bob.reload();
		for (const page of [ann, bob])
			await reads(page, '#players', 'Ann', 'Bob', 'connected');
		await chat(bob, 'here again', 'channel');
		await reads(ann, '#chat-log', 'here again');
	});

	test('no page has complained', () => {
		for (const page of [ann, bob])
			// But Chromium does when there is no server.
			assert.deepEqual(page.complaints.filter((text) =>
			    !text.includes('net::ERR_')), []);
	});
});
