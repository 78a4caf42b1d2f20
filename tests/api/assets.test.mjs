// assets.test.mjs - the files that the daemon serves: /peerpost.js,
// /peerpost.d.ts, /openapi.yaml, and /demo/ if it is switched on (protocol section 9).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { assertFailure, request, startDaemon } from '../lib/peerpost.mjs';

const FILES = {
	'/peerpost.js': ['clients/js/peerpost.js',
		'text/javascript; charset=utf-8'],
	'/peerpost.d.ts': ['clients/js/peerpost.d.ts',
		'text/plain; charset=utf-8'],
	'/openapi.yaml': ['docs/openapi.yaml', 'application/yaml'],
	'/demo/': ['demo/index.html', 'text/html; charset=utf-8'],
	'/demo/demo.js': ['demo/demo.js', 'text/javascript; charset=utf-8'],
	'/demo/demo.css': ['demo/demo.css', 'text/css; charset=utf-8'],
};
const DEMO = ['/demo', '/demo/', '/demo/demo.js', '/demo/demo.css'];
const ORIGIN = 'https://game.example';

const plain = await startDaemon();
const daemon = await startDaemon({ args: ['--demo'] });
const mounted = await startDaemon({ args: ['--demo', '--base-path', '/a/b',
	'--cors-origin', ORIGIN] });
const get = (target, headers, from = daemon) =>
    request(from, 'GET', target, { headers });

test('each file is served byte for byte, with its type', async () => {
	for (const [target, [file, type]] of Object.entries(FILES)) {
		const { status, headers, body } = await get(target);

		assert.equal(status, 200, target);
		assert.equal(headers['content-type'], type);
		assert.equal(Number(headers['content-length']), body.length);
		assert.ok(body.equals(fs.readFileSync(
		    new URL(`../../${file}`, import.meta.url))), target);
	}
});

test('what else a file is sent with', async () => {
	for (const target of Object.keys(FILES)) {
		const { headers } = await get(target);

		assert.equal(headers['cache-control'], 'no-cache');
		assert.equal(headers['x-content-type-options'], 'nosniff');
		assert.equal(headers['cross-origin-resource-policy'],
		    'cross-origin');
		assert.equal(headers['access-control-allow-origin'], '*');
		assert.match(headers.etag, /^"[0-9a-f]{32}"$/);
	}
});

test('the page of the demo may load its own files only, and ask any server',
    async () => {
	for (const target of Object.keys(FILES)) {
		const { 'content-security-policy': policy,
			'referrer-policy': referrer } = (await get(target)).headers;

		if (target === '/demo/') {
			assert.equal(policy, "default-src 'none'; " +
			    "script-src 'self'; style-src 'self'; " +
			    'img-src data:; connect-src *; ' +
			    "base-uri 'none'; form-action 'none'; " +
			    "frame-ancestors 'none'");
			assert.equal(referrer, 'no-referrer');
		} else {
			assert.equal(policy, undefined, target);
		}
	}
	const { text } = await get('/demo/');

	assert.doesNotMatch(text, /<script(?![^>]*\ssrc=)/);
	assert.doesNotMatch(text, /(?:src|href)="(?:[a-z]+:)?\/\//);
	assert.doesNotMatch(text, /<style|\sstyle=|\son[a-z]+="/);
});

test('HEAD has the headers of GET', async () => {
	for (const target of [...Object.keys(FILES), '/demo']) {
		const whole = await get(target);
		const head = await request(daemon, 'HEAD', target);

		assert.equal(head.text, '');
		assert.equal(head.status, whole.status);
		for (const name of ['content-type', 'content-length', 'etag',
		    'cache-control', 'location'])
			assert.equal(head.headers[name], whole.headers[name],
			    `${target} ${name}`);
	}
});

test('a file that is known already is not sent again', async () => {
	for (const target of Object.keys(FILES)) {
		const { etag } = (await get(target)).headers;

		for (const known of [etag, `W/${etag}`, `"x", ${etag}`, '*']) {
			const reply = await get(target,
			    { 'If-None-Match': known });

			assert.equal(`${reply.status} ${reply.text}`, '304 ');
			assert.equal(reply.headers.etag, etag);
			assert.equal(reply.headers['cache-control'], 'no-cache');
			assert.equal(
			    reply.headers['access-control-allow-origin'], '*');
			assert.equal(reply.headers['content-type'], undefined);
		}
		assert.equal((await request(daemon, 'HEAD', target,
		    { headers: { 'If-None-Match': etag } })).status, 304);
		assert.equal((await get(target, { 'If-None-Match': '"x"' }))
		    .status, 200);
	}
	// Two after one another: the connection is still in step.
	assert.equal((await get('/healthz')).json.status, 'ok');
});

test('If-None-Match means nothing elsewhere', async () => {
	for (const target of ['/', '/healthz'])
		assert.equal((await get(target, { 'If-None-Match': '*' })).status,
		    200);
});

test('nothing but GET, HEAD and OPTIONS', async () => {
	for (const target of [...Object.keys(FILES), '/demo']) {
		const reply = await request(daemon, 'POST', target);

		assertFailure(reply, 405, 'ICB', 'method-not-allowed');
		assert.equal(reply.headers.allow, 'GET, HEAD, OPTIONS');
		assert.equal((await request(daemon, 'OPTIONS', target)).status,
		    204);
	}
});

test('the demo is there only with --demo', async () => {
	for (const target of DEMO) {
		assertFailure(await get(target, {}, plain), 404, 'ICB',
		    'not-found');
		assertFailure(await request(plain, 'POST', target), 404, 'ICB',
		    'not-found');
	}
	for (const target of ['/peerpost.js', '/peerpost.d.ts',
	    '/openapi.yaml'])
		assert.equal((await get(target, {}, plain)).status, 200);
	assert.doesNotMatch((await get('/', {}, plain)).text, /demo/);
});

test('other files there are none', async () => {
	for (const target of ['/demo/index.html', '/demo/x', '/peerpost.js/',
	    '/demo/../peerpost.js', '/demo/%2e%2e/peerpost.js',
	    '/demo/demo.js/',
	    '/NEWS', '/demo/demo.js%00'])
		assert.match(String((await get(target)).status), /^40[04]$/,
		    target);
});

test('/demo leads to /demo/', async () => {
	const { status, headers, text } = await get('/demo?x=1');

	assert.equal(`${status} ${headers.location} ${text}`, '308 demo/ ');
});

// Where the links of a page lead, as a browser sees it.
function linksOf(text, address)
{
	return [...text.matchAll(/href="([^"]+)"/g)].map(([, link]) =>
	    new URL(link, `http://x${address}`).pathname);
}

test('all of it works below a base path', async () => {
	for (const address of ['/a/b', '/a/b/', '/a/b?x=/']) {
		const links = linksOf((await get(address, {}, mounted)).text,
		    address);

		assert.deepEqual(links, ['/a/b/demo/', '/a/b/peerpost.js',
			'/a/b/peerpost.d.ts', '/a/b/openapi.yaml']);
		for (const link of links)
			assert.equal((await get(link, {}, mounted)).status, 200);
	}
	const { headers } = await get('/a/b/demo', {}, mounted);

	assert.equal(new URL(headers.location, 'http://x/a/b/demo').pathname,
	    '/a/b/demo/');
	assert.equal((await get('/demo/', {}, mounted)).status, 404);
});

test('the page links the demo, the client and the description', async () => {
	assert.deepEqual(linksOf((await get('/')).text, '/'),
	    ['/demo/', '/peerpost.js', '/peerpost.d.ts', '/openapi.yaml']);
	assert.deepEqual(linksOf((await get('/', {}, plain)).text, '/'),
	    ['/peerpost.js', '/peerpost.d.ts', '/openapi.yaml']);
});

test('with origins, a file is for each of them', async () => {
	for (const known of ['"x"', '*']) {
		const { headers } = await get('/a/b/peerpost.js',
		    { Origin: ORIGIN, 'If-None-Match': known }, mounted);

		assert.equal(headers['access-control-allow-origin'], ORIGIN);
		assert.equal(headers.vary, 'Origin');
	}
});
