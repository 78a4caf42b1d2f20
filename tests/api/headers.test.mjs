// headers.test.mjs - what every reply carries, and the versions of HTTP
// (protocol section 4, the last of its list).
import assert from 'node:assert/strict';
import test from 'node:test';
import { makeRoom, Player, ok, rawExchange, request, startDaemon }
    from '../lib/peerpost.mjs';

const daemon = await startDaemon();
const { players: [host, bob] } = await makeRoom(daemon);

async function samples()
{
	const player = await Player.register(daemon);

	return [
		await request(daemon, 'POST', '/register', { body: 'x' }),
		await player.create(), await player.create(),
		await player.message(1), await player.room(),
		await player.events({ after: 0, wait: 0 }),
		await player.command([]),
		await player.command({ commands: [], after: 0 }),
		await player.seal(), await player.leave(), await player.leave(),
		await player.message(0, { text: '{' }),
		await player.offer({ id: 1 }),
		await player.unregister(), await player.unregister(),
		await request(daemon, 'GET', '/nope'),
		await request(daemon, 'PUT', '/message'),
		await request(daemon, 'GET', '/healthz'),
		await request(daemon, 'POST', '/message',
		    { text: 'x'.repeat(70_000) }),
		await request(daemon, 'GET', '/room',
		    { headers: { X: 'x'.repeat(15_000), Y: 'y'.repeat(2000) } }),
		...(await rawExchange(daemon,
		    'GET /room HTTP/1.1\r\nX: y\r\n\r\n')).responses,
		...(await rawExchange(daemon,
		    'BREW /room HTTP/1.1\r\nHost: x\r\n\r\n')).responses,
	];
}

test('every reply with a body, errors too, has its headers', async () => {
	for (const reply of await samples()) {
		const what = `${reply.status} ${reply.text}`;

		assert.notEqual(reply.text, '');
		assert.equal(Number(reply.headers['content-length']),
		    reply.body.length, what);
		assert.equal(reply.headers['transfer-encoding'], undefined, what);
		assert.equal(reply.headers['content-type'],
		    'application/json; charset=utf-8', what);
		assert.equal(reply.headers['cache-control'],
		    'no-store, no-transform', what);
		assert.equal(reply.headers['x-content-type-options'], 'nosniff',
		    what);
		assert.equal(reply.headers['cross-origin-resource-policy'],
		    'cross-origin', what);
		// Compact: printed again without blanks it is the same.
		assert.equal(JSON.stringify(reply.json), reply.text);
	}
});

test('the page has its own type and the other headers', async () => {
	const { headers } = await request(daemon, 'GET', '/');

	assert.equal(headers['content-type'], 'text/html; charset=utf-8');
	assert.equal(headers['cache-control'], 'no-store');
	assert.equal(headers['x-content-type-options'], 'nosniff');
	assert.equal(headers['cross-origin-resource-policy'], 'cross-origin');
});

test('a 204 has neither length nor type, but what a page can see', async () => {
	const { text } = await rawExchange(daemon,
	    'POST /offer HTTP/1.1\r\nHost: x\r\nConnection: close\r\n' +
	    `Authorization: Bearer ${bob.token}\r\nContent-Length: 8\r\n\r\n` +
	    '{"id":1}');

	assert.match(text, /^HTTP\/1\.1 204 /);
	assert.doesNotMatch(text, /content-length|content-type|transfer-enc/i);
	assert.match(text, /^cache-control: no-store, no-transform\r$/im);
	assert.ok(text.endsWith('\r\n\r\n'));
	await host.drain();
});

test('the daemon does not tell which libraries it uses', async () => {
	const { headers } = await request(daemon, 'GET', '/healthz');

	assert.doesNotMatch(JSON.stringify(headers), /microhttpd|sqlite/i);
});

test('HTTP/1.0 clients work: no Host, a length, and the connection closes',
    async () => {
	const { responses, closed } = await rawExchange(daemon,
	    'POST /register HTTP/1.0\r\nContent-Length: 5\r\n\r\n"ann"');

	assert.ok(closed);
	assert.equal(ok(responses[0]).command, '###!RPK');
	assert.equal(Number(responses[0].headers['content-length']),
	    responses[0].body.length);
});

test('an HTTP/1.0 poll is held and woken', async () => {
	const polling = rawExchange(daemon,
	    `GET /events?after=${host.cursor}&wait=55 HTTP/1.0\r\n` +
	    `Authorization: Bearer ${host.token}\r\n\r\n`);

	for (let i = 0; i < 5; i++)
		await request(daemon, 'GET', '/healthz');
	ok(await bob.offer({ id: 1, rtc: 'x' }));

	const { responses, closed } = await polling;

	assert.ok(closed);
	assert.deepEqual(ok(responses[0]).events.map((event) => event.data),
	    [{ id: bob.id, rtc: 'x' }]);
	await host.drain();
});

test('HTTP/1.0 with keep-alive, and HTTP/1.1 with close, do as they say',
    async () => {
	const { closed } = await rawExchange(daemon,
	    'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');

	assert.ok(closed);

	const { responses } = await rawExchange(daemon,
	    ('GET /healthz HTTP/1.0\r\nConnection: keep-alive\r\n\r\n')
	    .repeat(2), { until: (text) =>
	    (text.match(/HTTP\/1/g) ?? []).length === 2 });

	assert.deepEqual(responses.map((each) => each.status), [200, 200]);
});

test('HTTP/1.1 connections are kept', async () => {
	const { responses, closed } = await rawExchange(daemon,
	    ['GET /healthz', 'GET /nope', 'GET /', 'GET /room', 'PUT /room',
		    'OPTIONS /room', 'GET /healthz'].map((line) =>
		`${line} HTTP/1.1\r\nHost: x\r\n\r\n`).join(''),
	    { until: (text) => (text.match(/HTTP\/1/g) ?? []).length === 7 &&
	        text.endsWith('}') });

	assert.equal(closed, false);
	assert.deepEqual(responses.map((each) => each.status),
	    [200, 404, 200, 401, 405, 204, 200]);
});

test('HEAD has the headers of GET and no body, on / and /healthz',
    async () => {
	for (const target of ['/', '/healthz']) {
		const get = await request(daemon, 'GET', target);
		const head = await request(daemon, 'HEAD', target);

		assert.equal(head.status, 200);
		assert.equal(head.text, '');
		for (const name of ['content-length', 'content-type',
		    'cache-control', 'access-control-allow-origin'])
			assert.equal(head.headers[name], get.headers[name]);
	}
});

test('HEAD elsewhere is 405', async () => {
	for (const target of ['/events', '/room', '/register', '/command'])
		assert.equal((await request(daemon, 'HEAD', target)).status, 405);
});

test('unknown query members are ignored on every route', async () => {
	const player = await Player.register(daemon);
	const query = '_=1&foo=bar&after=x';

	ok(await request(daemon, 'POST', '/register',
	    { body: 'x', query: '_=1' }));
	ok(await request(daemon, 'GET', '/healthz', { query: '_=1' }));
	ok(await request(daemon, 'GET', '/', { query: '_=1' }));
	ok(await player.create({ query: query.replace('&after=x', '') }));
	ok(await player.room({ query: '_=1&_=2' }));
});
