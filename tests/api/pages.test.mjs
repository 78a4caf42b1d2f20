// pages.test.mjs - GET /, /healthz and /room (protocol section 9).
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import test from 'node:test';
import { promisify } from 'node:util';
import { assertFailure, makeRoom, ok, Player, request, runProgram,
    startDaemon } from '../lib/peerpost.mjs';

const daemon = await startDaemon();
const version = runProgram(['--version']).stdout.match(/\d+\.\d+\S*/)[0];

test('GET / is a page for people: what this is, and its version', async () => {
	const reply = await request(daemon, 'GET', '/');

	assert.equal(reply.status, 200);
	assert.match(reply.headers['content-type'], /^text\/html/);
	assert.match(reply.text, /^<!doctype html>/i);
	assert.match(reply.text, /Peerpost/);
	assert.ok(reply.text.includes(version));
});

test('GET / needs nothing from elsewhere', async () => {
	const { text } = await request(daemon, 'GET', '/');

	assert.doesNotMatch(text, /<(script|img|link|iframe)[^>]*\/\/[^>]*>/i);
});

test('GET / may use its own style and script and nothing else, in nobody\'s frame',
    async () => {
	for (const method of ['GET', 'HEAD']) {
		const { headers } = await request(daemon, method, '/');
		const { text } = await request(daemon, 'GET', '/');
		const [style, script] = ['style', 'script'].map((tag) => {
			const all = text.split(`<${tag}>`);

			assert.equal(all.length, 2);
			return crypto.createHash('sha256').update(
			    all[1].split(`</${tag}>`)[0]).digest('base64');
		});

		assert.equal(headers['content-security-policy'],
		    `default-src 'none'; script-src 'sha256-${script}'; ` +
		    `style-src 'sha256-${style}'; base-uri 'none'; ` +
		    "form-action 'none'; frame-ancestors 'none'");
		assert.equal(headers['referrer-policy'], 'no-referrer');
		assert.doesNotMatch(text, /<script |\sstyle=|\son[a-z]+="/);
	}
});

// The address that the page tells people to use.
async function shownUrl(to, headers, target = '/')
{
	const { text } = await request(to, 'GET', target, { headers });
	const urls = [...text.matchAll(/'<span>([^<]*)<\/span>/g)]
	    .map(([, url]) => url);

	assert.equal(urls.length, 4);
	assert.equal(new Set(urls).size, 1);
	return urls[0];
}

test('the page has the address by which it was asked for', async () => {
	const mounted = await startDaemon({ args: ['--base-path', '/a/b',
		'--trusted-proxy', 'none'] });
	const Host = 'signal.example:8443';

	assert.equal(await shownUrl(daemon, { Host }), `http://${Host}`);
	assert.equal(await shownUrl(daemon, { Host: '[::1]' }), 'http://[::1]');
	for (const [proto, scheme] of [['https', 'https'], ['HTTPS', 'https'],
	    ['https, http', 'https'], ['http', 'http'], ['http, https', 'http'],
	    ["javascript:'", 'http'], ['', 'http']])
		assert.equal(await shownUrl(daemon, { Host,
			'X-Forwarded-Proto': proto }), `${scheme}://${Host}`);
	for (const target of ['/a/b', '/a/b/', '/a/b/?x'])
		assert.equal(await shownUrl(mounted, { Host,
			'X-Forwarded-Proto': 'https' }, target),
		`http://${Host}/a/b`);
});

test('the lines for a shell do what the page says', {
	skip: spawnSync('curl', ['--version']).error ? 'needs curl' : false,
}, async () => {
	const { text } = await request(daemon, 'GET', '/',
	    { headers: { Host: new URL(daemon.url).host } });
	const lines = [...text.matchAll(/<pre[^>]*>(.*?)<\/pre>/gs)]
	    .map(([, line]) => line.replace(/<\/?span>/g, ''))
	    .filter((line) => line.includes('curl'));
	const { stdout } = await promisify(execFile)('sh',
	    ['-euc', lines.join('\necho\n')]);
	const [, created, events] = stdout.split('\n').map((line) =>
	    JSON.parse(line || 'null'));

	assert.equal(lines.length, 3);
	assert.equal(created.command, '###!CRK');
	assert.deepEqual(events.events.map(({ command }) => command),
	    ['###!CTR']);
});

test('the page has the colours of the demo, light and dark', async () => {
	const colours = (text) => text.match(/--[a-z-]+: #[0-9a-f]{6};/g);
	const { text } = await request(daemon, 'GET', '/');
	const demo = colours(fs.readFileSync(
	    new URL('../../demo/demo.css', import.meta.url), 'utf8'));

	assert.equal(colours(text).length, 14);
	// In their order: first those for the light, then those for the dark.
	assert.deepEqual(colours(text), demo.filter((each) =>
	    colours(text).includes(each)));
});

test('GET /healthz is 200 with status and version', async () => {
	const reply = await request(daemon, 'GET', '/healthz');

	assert.equal(`${reply.status} ${reply.text}`,
	    `200 {"status":"ok","version":"${version}"}`);
});

test('/ and /healthz need no session and are told nothing by a wrong one',
    async () => {
	for (const target of ['/', '/healthz']) {
		ok(await request(daemon, 'GET', target, { token: 'x'.repeat(43) }));
		assert.equal((await request(daemon, 'GET', target)).status, 200);
	}
});

test('GET /room is a snapshot: room, host, sealed, id, peers, next',
    async () => {
	const { uuid, players: [ann, bob] } = await makeRoom(daemon,
	    ['ann', 'b"öb']);
	const peers = '[{"id":1,"name":"ann"},' +
	    `{"id":${bob.id},"name":"b\\"öb"}]`;

	for (const [player, id] of [[ann, 1], [bob, bob.id]]) {
		const reply = await player.room();

		assert.equal(`${reply.status} ${reply.text}`,
		    `200 {"room":"${uuid}","host":1,"sealed":false,"id":${id},` +
		    `"peers":${peers},"next":${player.cursor}}`);
	}
	ok(await ann.seal());

	const reply = await bob.room();

	assert.equal(reply.text, `{"room":"${uuid}","host":1,"sealed":true,` +
	    `"id":${bob.id},"peers":${peers},"next":${bob.cursor + 1}}`);
});

test('"next" of a snapshot is the head: from there on nothing is missed',
    async () => {
	const { players: [ann, bob] } = await makeRoom(daemon);

	ok(await bob.message('before'));

	const { next } = ok(await ann.room());

	ok(await bob.message('after'));
	assert.deepEqual(ok(await ann.events({ after: next, wait: 0 })).events
	    .map((event) => event.data), ['after']);
});

test('GET /room acknowledges nothing', async () => {
	const player = await Player.register(daemon);

	ok(await player.create());
	ok(await player.room());
	assert.equal(ok(await player.events({ after: 0, wait: 0 })).events
	    .length, 1);
});

test('GET /room outside a room is not-in-room', async () => {
	const player = await Player.register(daemon);

	assertFailure(await player.room(), 404, 'ICB', 'not-in-room');
});

test('GET /room lists the peers in join order', async () => {
	const { uuid, players } = await makeRoom(daemon,
	    ['ann', 'bob', 'cat', 'dan']);

	ok(await players[1].leave());
	ok(await players[1].join(uuid));
	assert.deepEqual(ok(await players[2].room()).peers.map(
	    (peer) => peer.name), ['ann', 'cat', 'dan', 'bob']);
});

test('a query of thousands of arguments gets a reply', async () => {
	for (const piece of ['&', 'a&', 'a=b&', '&&a=b'])
		for (const n of [500, 2000, 7000]) {
			// FastCGI has it twice in its parameters, of 16 KiB.
			const query = piece.repeat(n).slice(0, 7500);
			const { status } = await request(daemon, 'GET', '/healthz',
			    { query });

			assert.equal(status, 200, `${piece} ${n}`);
		}
});
