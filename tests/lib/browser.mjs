// browser.mjs - browsers for the tests: pages that have the JavaScript client
// from a daemon of another origin, or whatever else a server has.
//
// A file with such tests runs itself again in namespaces of its own: of the
// network (namespace.mjs), where ICE has no choice, and of processes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import { createRequire } from 'node:module';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inNamespaceOfItsOwn } from './namespace.mjs';
import { scratchDir } from './peerpost.mjs';
import { findProgram } from './programs.mjs';
import { patience } from './wait.mjs';

// Four at once on two slow cores take their time.
const START_MS = 120_000 * patience;
const PAGE_MS = 60_000 * patience;
const FILE_MS = 300_000 * patience;
const PAGE_DIR = fileURLToPath(new URL('../browser/page/', import.meta.url));

// --- where it runs --------------------------------------------------------

// puppeteer-core, which bootstrap --check installs in the build folder.
function loadPuppeteer()
{
	try {
		return createRequire(path.resolve('modules/browser/index.js'))(
		    'puppeteer-core');
	} catch {
		return null;
	}
}

const puppeteer = loadPuppeteer();

// Run the tests of a file, given as a function, where they can do no harm; and
// no browser outlives it.  url is its import.meta.url; setUp: shell commands that
// prepare the place; lacks: what else is missing, or false.
export function inBrowser(url, tests, { program = 'chromium', setUp,
	lacks = false } = {})
{
	const skip = !findProgram(program) ?
	    `needs a browser (Debian: ${program})` :
	    !puppeteer ? 'puppeteer-core is not installed: cp ' +
	    'tests/browser/package*.json to modules/browser of the build folder, ' +
	    'and npm ci there' : lacks;
	// Not as root in there, but for root: web servers would want to become
	// somebody else.
	const who = process.getuid() === 0 ? [] : ['-c', '--keep-caps'];

	return inNamespaceOfItsOwn(url, 'in a browser', tests, { skip, setUp,
		timeout: FILE_MS,
		unshare: [...who, '-npf', '--mount-proc', '--kill-child'] });
}

// --- the browser ------------------------------------------------------------

// Either lets ICE have loopback only if asked, and hides addresses from pages
// that may not use the microphone: see openPage().
export const CHROMIUM = { program: 'chromium', browser: 'chrome',
	args: ['--no-sandbox', '--disable-dev-shm-usage',
		'--allow-loopback-in-peer-connection'] };
export const FIREFOX = { program: 'firefox-esr', browser: 'firefox',
	extraPrefsFirefox: { 'media.peerconnection.ice.loopback': true,
		'permissions.default.microphone': 1 } };

// A browser that ends with the file.
export async function launch({ program, ...options } = CHROMIUM)
{
	const dir = scratchDir();
	const browser = await puppeteer.launch({
		...options, executablePath: findProgram(program),
		userDataDir: path.join(dir, 'profile'),
		// They write to other places than the profile, too.
		env: { ...process.env, HOME: dir, XDG_CONFIG_HOME: dir,
			XDG_CACHE_HOME: dir },
		timeout: START_MS, protocolTimeout: START_MS,
	});

	after(async () => {
		browser.process().kill('SIGKILL');
		await browser.close().catch(() => {});
	});
	process.on('exit', () => browser.process()?.kill('SIGKILL'));
	return browser;
}

// A page in a context of its own, as somebody else's browser: what it complains
// about is kept in page.complaints.
export async function openPage(browser, url, { viewport } = {})
{
	const context = await browser.createBrowserContext();

	// Firefox has a preference for that, and no command; and no page of plain
	// http may, except from loopback.
	if (!(await browser.version()).startsWith('firefox') &&
	    new URL(url).hostname === '127.0.0.1')
		await context.overridePermissions(new URL(url).origin,
		    ['microphone']);

	const page = await context.newPage();

	page.complaints = [];
	page.on('console', (message) => {
		if (['error', 'warn'].includes(message.type()))
			page.complaints.push(message.text());
	});
	page.on('pageerror', (error) => page.complaints.push(String(error)));
	page.setDefaultTimeout(PAGE_MS);
	if (viewport)
		await page.setViewport(viewport);
	await page.goto(url);
	return page;
}

// Wait until a function is true in the page, and return what it says.
export async function inPage(page, condition, ...args)
{
	try {
		const handle = await page.waitForFunction(condition,
		    { polling: 20 }, ...args);

		return await handle.jsonValue();
	} catch (error) {
		const state = await page.evaluate(() => globalThis.said?.())
		    .catch((reason) => String(reason));

		throw new Error(`${error.message}\nwaiting for ${condition}\n` +
		    `in a page with ${JSON.stringify(state)}\n` +
		    page.complaints.join('\n'));
	}
}

// --- the test page ----------------------------------------------------------

// Serve tests/browser/page/, on an origin of its own; and made, name -> text.
export async function startPages(made = {})
{
	const server = http.createServer((request, response) => {
		const name = path.basename(new URL(request.url, 'http://x').pathname);
		const file = path.join(PAGE_DIR, name);

		if (!name || !(name in made || fs.existsSync(file))) {
			response.writeHead(name === 'favicon.ico' ? 204 : 404).end();
			return;
		}
		response.writeHead(200, { 'Content-Type': name.endsWith('.html') ?
			'text/html; charset=utf-8' : 'text/javascript' });
		response.end(made[name] ?? fs.readFileSync(file));
	});

	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	server.unref();
	after(() => server.close());
	return `http://127.0.0.1:${server.address().port}`;
}

// A page with a client of the server and a mesh: see page/page.mjs.
// alone: without the mesh.
export async function openPlayer({ browser, pages, server, name, room,
	client = {}, rtc = {}, alone = false })
{
	const page = await openPage(browser, `${pages}/page.html?` +
	    new URLSearchParams({ server, name, client: JSON.stringify(client),
		    rtc: JSON.stringify(rtc), ...(alone ? { alone } : {}) }));

	await inPage(page, () => globalThis.isReady);
	page.room = await page.evaluate((uuid) => globalThis.enter(uuid), room);
	return page;
}

// A copy of such a page, as by the browser's "Duplicate": with what is in its
// sessionStorage.
export async function duplicate(page, url = page.url())
{
	const opened = new Promise((resolve) => {
		page.once('popup', resolve);
	});

	await page.evaluate((where) => {
		globalThis.open(where);
	}, url);

	const copy = await opened;

	copy.complaints = [];
	await inPage(copy, () => globalThis.isReady);
	return copy;
}

// Two of them in one room.
export async function openPair(given)
{
	const ann = await openPlayer({ ...given, name: 'Ann' });
	const bob = await openPlayer({ ...given, name: 'Bob', room: ann.room });

	return [ann, bob];
}

// Both have a channel to the other, and it carries strings and bytes.
export async function talk(...players)
{
	const word = `word ${Math.random()}`;

	for (const page of players)
		await inPage(page, (n) => globalThis.mesh.peers.length === n,
		    players.length - 1).catch(async (error) => {
			const others = await Promise.all(players.map((each) =>
			    each.evaluate(() => globalThis.said())));

			throw new Error(error.message + JSON.stringify(others));
		});
	for (const page of players)
		assert.equal(await page.evaluate((text) => {
			const { mesh, client } = globalThis;

			mesh.broadcast(new Uint8Array([1, 0, 255]));
			return mesh.broadcast(`${text} of ${client.name}`);
		}, word), players.length - 1);
	for (const page of players)
		await inPage(page, (text, n) => {
			const { data, client } = globalThis;
			const at = data.findIndex((each) => each.startsWith?.(text));

			return at > 0 && data[at - 1].toString() === '1,0,255' &&
			    data[at] !== `${text} of ${client.name}` &&
			    data.filter((each) => each.startsWith?.(text)).length === n;
		}, word, players.length - 1);
}
