// pages.test.mjs - pages that Godot games are in: with https and a strict policy,
// in a frame without an origin; addresses that people type; and the example, by
// mouse and keyboard.
import assert from 'node:assert/strict';
import test from 'node:test';
import { Game, assertCalm, inGodot, launchForGames, meet, packExample,
    sandboxedFrame, startArcade, startWay, talk } from '../lib/godot_web.mjs';
import { scratchDir, startDaemon } from '../lib/peerpost.mjs';
import { freePort } from '../lib/programs.mjs';
import { makeCertificate, skipTls, spkiHash } from '../lib/tls.mjs';

// Not a word that lets scripts or eval() in, and all servers that there are.
const POLICY = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; " +
    "style-src 'self'; img-src data: blob:; connect-src 'self' http: https:";

await inGodot(import.meta.url, async () => {
	const tls = makeCertificate(scratchDir());
	// A name, since browsers take an address of the machine itself for safe.
	const browser = await launchForGames([
		`--ignore-certificate-errors-spki-list=${spkiHash(tls)}`,
		'--host-resolver-rules=MAP play.example 127.0.0.1']);
	const daemon = await startDaemon({ clock: false,
		args: ['--base-path', '/signal'] });
	const url = `${daemon.url}/signal`;
	const strict = await startArcade({ tls,
		headers: { 'Content-Security-Policy': POLICY } });
	const made = {};
	const free = await startArcade({ made,
		headers: { 'Access-Control-Allow-Origin': '*' } });

	// As they come, with a session to keep.
	made['frame.html'] = sandboxedFrame({ client: { url,
		session_file: 'user://peerpost_session.json' } });

	const games = await Promise.all([
		Game.open({ browser, pages: strict, client: { url: ` ${url}// ` } }),
		Game.open({ browser, pages: free, page: 'frame.html' })]);
	const [ann, bob] = games;

	test('a page with https and a strict policy, and a frame without an ' +
	    'origin, meet below a path', async () => {
		assert.equal(await bob.frame.evaluate(() => self.origin), 'null');
		await ann.enter('Ann');
		// As it comes by mail.
		await bob.enter('Bob', ` ${ann.room.toUpperCase()
		    .replace('-', ' -')}\n`);
		assert.equal(bob.room, ann.room);
		await meet(games);
		await talk(...games);
		await assertCalm(...games);
		for (const { complaints } of games)
			assert.deepEqual(complaints.filter((text) =>
				/Content Security Policy|Refused/.test(text)), []);
	});

	async function tryAddress(game, address)
	{
		await game.begin({ client: { url: address } });

		const { ok, error, message } = await game.ask('client',
		    'register_player', 'Ann');

		assert.equal(ok, false, address);
		assert.match(message, /\w.*\.$/);
		await game.until('command_failed', 'register_player');
		return error;
	}

	test('what is wrong with an address is told at once', async () => {
		const { proxy } = await startWay();

		for (const address of ['', `127.0.0.1:${proxy.port}`, 'play.example',
			`ws://127.0.0.1:${proxy.port}`])
			assert.equal(await tryAddress(ann, address), 'bad-url');
		assert.equal(await tryAddress(ann,
		    `http://play.example:${proxy.port}`), 'mixed-content');
		assert.equal(proxy.requests.length, 0);
		await bob.begin({ client: { url: `http://play.example:${proxy.port}/` } });
		await bob.enter('Bob');
	});

	test('a server that is none, that is not there, that does not want us',
	    async () => {
		const choosy = await startDaemon({ clock: false,
			args: ['--cors-origin', 'https://elsewhere.example'] });
		const dead = `http://127.0.0.1:${await freePort()}`;

		assert.deepEqual(await Promise.all([
			tryAddress(ann, choosy.url), tryAddress(bob, dead)]),
		['origin-refused', 'unreachable']);
		assert.equal(await tryAddress(ann, free), 'not-peerpost');
		await ann.begin({ client: { url } });
		await ann.enter('Ann');
		for (const game of games)
			await game.close();
	});

	test('the example, by mouse and keyboard', async () => {
		// The address that it has.
		await startDaemon({ clock: false, listen: '127.0.0.1:8080' });

		const arcade = await startArcade({
			packs: { 'example.pck': packExample() } });
		const viewport = { width: 640, height: 400 };
		const [cleo, dora] = await Promise.all([1, 2].map(() => Game.open({
			browser, pages: arcade, pck: 'example.pck', viewport })));
		const address = ({ hint }) => /address/.test(hint);
		const code = ({ hint }) => /code/.test(hint);
		const line = ({ hint }) => /Say/.test(hint);
		const button = ({ type, usable }) => type === 'Button' && usable;
		const log = (words) => ({ type, text }) =>
			type === 'RichTextLabel' && words.test(text);

		await cleo.type(address, '127.0.0.1:8080');
		await cleo.click(button);
		await cleo.shows(log(/URL such as https:/));
		await cleo.type(address, 'http://127.0.0.1:8080/');
		await cleo.click(button);

		const { text: room } = await cleo.shows((each) =>
			code(each) && each.text.length === 36);

		await dora.type(code, room);
		await dora.click(button);
		for (const game of [cleo, dora])
			await game.shows(log(/Peer \d+ is connected/));
		for (const [game, words] of [[cleo, 'hello'], [dora, 'hello you']]) {
			await game.type((each) => line(each) && each.usable, words);
			await game.page.keyboard.press('Enter');
			for (const each of [cleo, dora])
				await each.shows(log(new RegExp(`^\\d+: ${words}$`, 'm')));
		}
		await dora.reload();
		await dora.shows(log(/You are peer \d+ in the room/));
		for (const game of [cleo, dora])
			await game.shows(log(/Peer \d+ is connected\.\n?$/));
		await cleo.close();
		await dora.shows(log(/Peer 1 has gone/));
		await dora.close();
	});
}, { lacks: skipTls });
