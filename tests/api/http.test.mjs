// http.test.mjs - HTTP itself, byte by byte.
//
// What a proxy, a scanner or an attacker can send that no well-behaved client
// library would: ambiguous requests, unusual methods, pipelined and broken-off
// requests, half-closed connections.  The contract behind it: whatever two
// parties on a path could read in two ways is refused and ends the connection;
// whatever is merely unusual works.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Player, assertFailure, makeRoom, ok, parked, request, restAfterEach,
    startDaemon } from '../lib/peerpost.mjs';
import { Wire, plain, settle } from '../lib/wire.mjs';

// No case here is about rates, and one test may register often.
const daemon = await startDaemon({ args: ['--register-rate', '0'] });

restAfterEach();

// What every reply with a body has.
function assertHeaders(response)
{
	const { headers } = response;

	assert.equal(headers['access-control-allow-origin'], '*');
	assert.ok(!('transfer-encoding' in headers), 'chunked');
	if (response.status === 204) {
		assert.ok(!('content-length' in headers), '204 with a length');
		assert.ok(!('content-type' in headers), '204 with a type');
		return;
	}
	assert.match(headers['content-length'], /^\d+$/);
	assert.equal(headers['x-content-type-options'], 'nosniff');
	assert.equal(headers['cross-origin-resource-policy'], 'cross-origin');
}

function assertJson(response)
{
	assertHeaders(response);
	assert.equal(response.headers['content-type'],
	    'application/json; charset=utf-8');
	assert.equal(response.headers['cache-control'],
	    'no-store, no-transform');
}

// A request that is refused for its HTTP, with the connection.
async function assertRefused(bytes, status, word, to = daemon)
{
	const wire = await Wire.open(to);

	try {
		const response = await wire.exchange(bytes);

		assertFailure(response, status, 'ICB', word);
		assertJson(response);
		assert.equal(response.headers.connection?.toLowerCase(), 'close');
		await wire.closed();
	} finally {
		wire.close();
	}
}

// --- ambiguous requests ---------------------------------------------------

const ambiguous = {
	'a blank before the colon':
	    'POST /register HTTP/1.1\r\nHost: t\r\nContent-Length : 3\r\n\r\n"a"',
	'a header name that is no token':
	    'GET /healthz HTTP/1.1\r\nHost: t\r\nX(Y): 1\r\n\r\n',
	'a control byte in a value':
	    'GET /healthz HTTP/1.1\r\nHost: t\r\nX: a\x01b\r\n\r\n',
	'a DEL in a value':
	    'GET /healthz HTTP/1.1\r\nHost: t\r\nX: a\x7fb\r\n\r\n',
	'two equal Content-Lengths':
	    'POST /register HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n' +
	    'Content-Length: 3\r\n\r\n"a"',
	'two different Content-Lengths':
	    'POST /register HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n' +
	    'Content-Length: 40\r\n\r\n"a"',
	'two Transfer-Encodings':
	    'POST /register HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n' +
	    'Transfer-Encoding: chunked\r\n\r\n3\r\n"a"\r\n0\r\n\r\n',
	'Content-Length and Transfer-Encoding':
	    'POST /register HTTP/1.1\r\nHost: t\r\nContent-Length: 13\r\n' +
	    'Transfer-Encoding: chunked\r\n\r\n3\r\n"a"\r\n0\r\n\r\n',
	'the same two the other way round':
	    'POST /register HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n' +
	    'Content-Length: 13\r\n\r\n3\r\n"a"\r\n0\r\n\r\n',
	'an unknown transfer coding':
	    'POST /register HTTP/1.1\r\nHost: t\r\n' +
	    'Transfer-Encoding: xchunked\r\n\r\n3\r\n"a"\r\n0\r\n\r\n',
	'identity as a transfer coding':
	    'POST /register HTTP/1.1\r\nHost: t\r\n' +
	    'Transfer-Encoding: identity\r\n\r\n',
	'a list of transfer codings':
	    'POST /register HTTP/1.1\r\nHost: t\r\n' +
	    'Transfer-Encoding: gzip, chunked\r\n\r\n3\r\n"a"\r\n0\r\n\r\n',
	'an empty transfer coding':
	    'POST /register HTTP/1.1\r\nHost: t\r\nTransfer-Encoding:\r\n\r\n',
	'a transfer coding in HTTP/1.0':
	    'POST /register HTTP/1.0\r\nHost: t\r\n' +
	    'Transfer-Encoding: chunked\r\n\r\n3\r\n"a"\r\n0\r\n\r\n',
	'two Hosts':
	    'GET /healthz HTTP/1.1\r\nHost: t\r\nHost: u\r\n\r\n',
	'no Host in HTTP/1.1':
	    'GET /healthz HTTP/1.1\r\nAccept: */*\r\n\r\n',
};

for (const [what, bytes] of Object.entries(ambiguous))
	test(`refused: ${what}`, () => assertRefused(bytes, 400, 'bad-request'));

test('a refused request does not smuggle a second one', async () => {
	const { players: [ann] } = await makeRoom(daemon, ['ann']);
	const inner = plain('POST', '/message', { token: ann.token, body: '"in"' });

	await assertRefused('POST /healthz HTTP/1.1\r\nHost: t\r\n' +
	    `Content-Length: ${inner.length}\r\nTransfer-Encoding: chunked\r\n\r\n` +
	    `0\r\n\r\n${inner}`, 400, 'bad-request');
	assert.deepEqual(await ann.drain(), []);
});

test('a NUL in a header hides nothing', async () => {
	for (const line of ['X: a\0b', 'X\0Y: a', '\0X: a', 'Host\0: t',
		'Content-Length: 0\x0040', 'Content-Length\0: 40'])
		await assertRefused('GET /healthz HTTP/1.1\r\nHost: t\r\n' +
		    `${line}\r\n\r\n`, 400, 'bad-request');
});

test('garbage ends the connection and nothing else', async () => {
	for (const bytes of ['\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
		'GET\r\n\r\n', '\r\n\r\n\r\n \r\n\r\n', 'GET / HTTP/9.9\r\n\r\n'])
		await assertRefused(bytes, 400, 'bad-request');
	ok(await request(daemon, 'GET', '/healthz'));
});

// --- methods and targets --------------------------------------------------

test('an unknown method is 501 and closes', async () => {
	for (const method of ['BREW', 'PROPFIND', 'post', 'G'])
		await assertRefused(plain(method, '/register'), 501,
		    'method-not-allowed');
});

test('a known method in the wrong place is 405 with Allow', async () => {
	const wire = await Wire.open(daemon);
	const cases = [
		['PUT', '/register', 'RPB', 'POST'],
		['GET', '/register', 'RPB', 'POST'],
		['DELETE', '/create-room', 'CRB', 'POST'],
		['PATCH', '/message', 'RMB', 'POST'],
		['TRACE', '/offer', 'ICB', 'POST'],
		['POST', '/room', 'ICB', 'GET'],
		['PUT', '/events', 'ICB', 'GET'],
		['PUT', '/events', 'ICB', 'POST'],
	];

	for (const [method, path, code, allowed] of cases) {
		const response = await wire.exchange(plain(method, path,
		    method === 'GET' || method === 'TRACE' ? {} : { body: '1' }));

		assertFailure(response, 405, code, 'method-not-allowed');
		assertJson(response);
		const allow = response.headers.allow.split(/ *, */);

		assert.ok(allow.includes(allowed), response.headers.allow);
		assert.ok(!allow.includes(method), response.headers.allow);
	}
	wire.close();
	assertFailure(await request(daemon, 'PUT', '/nowhere'), 404, 'ICB',
	    'not-found');
});

test('HEAD serves the page and the health check, and has no body', async () => {
	const wire = await Wire.open(daemon);

	for (const path of ['/', '/healthz']) {
		const got = await wire.exchange(plain('GET', path));
		const head = await wire.exchange(plain('HEAD', path), { head: true });

		assert.equal(head.status, 200);
		for (const name of ['content-length', 'content-type'])
			assert.equal(head.headers[name], got.headers[name], name);
	}
	const head = await wire.exchange(plain('HEAD', '/events'), { head: true });

	assert.equal(head.status, 405);
	assert.match(head.headers.allow, /\bGET\b/);
	ok(await wire.exchange(plain('GET', '/healthz')));
	wire.close();
});

test('OPTIONS is answered on every path, and on *', async () => {
	const wire = await Wire.open(daemon);

	for (const target of ['*', '/', '/register', '/events', '/nowhere']) {
		const response = await wire.exchange(plain('OPTIONS', target, {
			headers: ['Origin: https://game.example',
				'Access-Control-Request-Method: POST'],
		}));

		assert.equal(response.status, 204, target);
		assertHeaders(response);
		assert.equal(response.headers['access-control-max-age'], '86400');
		for (const method of ['GET', 'POST'])
			assert.match(response.headers['access-control-allow-methods'],
			    new RegExp(`\\b${method}\\b`));
		for (const name of ['Authorization', 'Content-Type',
			'Idempotency-Key', 'Last-Event-ID'])
			assert.match(response.headers['access-control-allow-headers'],
			    new RegExp(`\\b${name}\\b`, 'i'));
	}
	wire.close();
});

test('a target may be absolute, and its path may be escaped', async () => {
	const wire = await Wire.open(daemon);

	for (const target of ['http://elsewhere.example/healthz',
		'HTTP://elsewhere.example:81/healthz?x=1', '/%68ealthz',
		'/health%7A?', '/healthz?cache-buster&&=&a=%20', '/healthz/', '//healthz',
		'/healthz%2f', '///healthz///?x', 'http://elsewhere.example//healthz'])
		assert.equal((await wire.exchange(plain('GET', target))).json?.status,
		    'ok', target);
	for (const target of ['/HEALTHZ', '/healthz/x', '/./healthz', `/${'a'.repeat(5000)}`])
		assertFailure(await wire.exchange(plain('GET', target)), 404, 'ICB',
		    'not-found');
	wire.close();
});

test('a target that cannot be read is 400', async () => {
	for (const target of ['/healthz%00', '/%', '/healthz%2', '/%zz',
		'/%u0041', 'healthz']) {
		const wire = await Wire.open(daemon);
		const response = await wire.exchange(plain('GET', target));

		assertFailure(response, 400, 'ICB', 'bad-request');
		assertJson(response);
		wire.close();
	}
	const ann = await Player.register(daemon);

	for (const query of ['after=%', 'after=0&after=0', 'after=%00',
		'wait=1&%77ait=1']) {
		const wire = await Wire.open(daemon);

		assertFailure(await wire.exchange(plain('GET', `/events?${query}`,
		    { token: ann.token })), 400, 'ICB', 'bad-request');
		wire.close();
	}
});

// --- the header block -----------------------------------------------------

test('a header block beyond 16 KiB is 431, whatever it is made of', async () => {
	const fill = 'x'.repeat(1000);
	const many = Array.from({ length: 17 }, (_, i) => `X-${i}: ${fill}`);

	await assertRefused(plain('GET', '/healthz', { headers: many }), 431,
	    'too-large');
	await assertRefused(plain('GET', '/healthz',
	    { headers: [`X: ${'x'.repeat(17 * 1024)}`] }), 431, 'too-large');
	await assertRefused(plain('GET', `/healthz?${'x'.repeat(17 * 1024)}`), 431,
	    'too-large');
	await assertRefused(plain('POST', '/register', { headers: many,
		body: '"ann"' }), 431, 'too-large');
});

test('a header block just below 16 KiB is served', async () => {
	const wire = await Wire.open(daemon);
	const headers = Array.from({ length: 15 },
	    (_, i) => `X-${i}: ${'x'.repeat(1000)}`);

	ok(await wire.exchange(plain('GET', '/healthz', { headers })));
	ok(await wire.exchange(plain('POST', '/register',
	    { headers, body: '"ann"' })));
	wire.close();
});

test('an enormous header block is refused too', async () => {
	const wire = await Wire.open(daemon);

	wire.send(plain('GET', '/healthz',
	    { headers: [`X: ${'x'.repeat(200 * 1024)}`] }));
	// It may stop reading before it has seen the end.
	await wire.waitFor('close', () => wire.isClosed ? true : undefined);
	assert.match(wire.pending.toString('latin1', 0, 12),
	    /^$|^HTTP\/1\.1 4/);
	wire.close();
	ok(await request(daemon, 'GET', '/healthz'));
});

// --- versions and connections ---------------------------------------------

test('HTTP/1.0 is answered and closed', async () => {
	const wire = await Wire.open(daemon);
	const response = await wire.exchange('GET /healthz HTTP/1.0\r\n\r\n');

	ok(response);
	assertJson(response);
	await wire.closed();
});

test('HTTP/1.0 with keep-alive is kept', async () => {
	const wire = await Wire.open(daemon);

	for (let i = 0; i < 3; i++) {
		const response = await wire.exchange(plain('POST', '/register', {
			version: 'HTTP/1.0', headers: ['Connection: keep-alive'],
			body: '"ann"' }));

		ok(response);
		assertJson(response);
		assert.equal(response.headers.connection?.toLowerCase(),
		    'keep-alive');
	}
	wire.close();
});

test('Connection: close is honoured', async () => {
	const ann = await Player.register(daemon);

	for (const [method, target, options] of [
		['GET', '/healthz', {}],
		['POST', '/register', { body: '"bob"' }],
		['GET', '/events?after=0&wait=0', { token: ann.token }],
		['POST', '/create-room', { token: ann.token, body: '' }],
	]) {
		const wire = await Wire.open(daemon);
		const response = await wire.exchange(plain(method, target,
		    { ...options, headers: ['Connection: close'] }));

		ok(response);
		assert.equal(response.headers.connection?.toLowerCase(), 'close');
		await wire.closed();
	}
});

test('one connection carries any number of requests', async () => {
	const wire = await Wire.open(daemon);

	for (let i = 0; i < 100; i++) {
		const response = await wire.exchange(i % 2 ?
		    plain('GET', '/nowhere') : plain('GET', '/healthz'));

		assert.equal(response.status, i % 2 ? 404 : 200);
	}
	wire.close();
});

test('pipelined commands are run and answered in order', async () => {
	const { players: [ann] } = await makeRoom(daemon, ['ann']);
	const wire = await Wire.open(daemon);
	const values = [1, 2, 3, 4, 5];

	wire.send(values.map((n) => plain('POST', '/message',
	    { token: ann.token, body: `${n}` })).join(''));
	for (const n of values)
		assert.equal(ok(await wire.response()).data, n);
	assert.deepEqual((await ann.drain()).map(({ data }) => data), values);
	wire.close();
});

test('a poll pipelined after a command sees what the command did', async () => {
	const { players: [ann] } = await makeRoom(daemon, ['ann']);
	const wire = await Wire.open(daemon);

	wire.send(plain('POST', '/message', { token: ann.token, body: '"a"' }) +
	    plain('GET', `/events?after=${ann.cursor}&wait=55`,
	    { token: ann.token }));
	assert.equal(ok(await wire.response()).data, 'a');
	assert.deepEqual(ok(await wire.response()).events.map(({ data }) => data),
	    ['a']);
	wire.close();
});

test('a command pipelined after a poll waits for the poll', async () => {
	const { players: [ann, bob] } = await makeRoom(daemon);
	const wire = await Wire.open(daemon);

	wire.send(plain('GET', `/events?after=${ann.cursor}&wait=55`,
	    { token: ann.token }) +
	    plain('POST', '/message', { token: ann.token, body: '"second"' }));
	await settle(daemon);
	assert.equal(wire.pending.length, 0);
	ok(await bob.message('first'));
	assert.deepEqual(ok(await wire.response()).events.map(({ data }) => data),
	    ['first']);
	assert.equal(ok(await wire.response()).data, 'second');
	wire.close();
});

test('a request in single bytes is a request', async () => {
	const wire = await Wire.open(daemon);

	for (const byte of plain('POST', '/register', { body: '"ann"' })) {
		wire.send(byte);
		await new Promise((resolve) => setImmediate(resolve));
	}
	ok(await wire.response());
	wire.close();
});

// --- bodies ---------------------------------------------------------------

function chunked(parts)
{
	return parts.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`)
	    .join('') + '0\r\n\r\n';
}

test('a chunked body is put together', async () => {
	const { players: [ann] } = await makeRoom(daemon, ['ann']);
	const wire = await Wire.open(daemon);
	const post = (headers, body) => wire.exchange(plain('POST', '/message',
	    { token: ann.token, headers }) + body);

	assert.equal(ok(await post(['Transfer-Encoding: chunked'],
	    chunked(['"a', 'b', 'c"']))).data, 'abc');
	assert.equal(ok(await post(['Transfer-Encoding: Chunked'],
	    '5;extension="x"\r\n"def"\r\n0\r\n\r\n')).data, 'def');
	assertFailure(await post(['Transfer-Encoding: chunked'], chunked([])), 400,
	    'RMB', 'bad-json');
	assert.equal(ok(await post(['Transfer-Encoding: chunked'],
	    chunked(['"ghi"']))).data, 'ghi');
	wire.close();
});

test('a broken chunk ends the connection without an effect', async () => {
	const { players: [ann] } = await makeRoom(daemon, ['ann']);

	for (const body of ['x\r\n"a"\r\n0\r\n\r\n', '-3\r\n"a"\r\n0\r\n\r\n',
		'3\r\n"a"GET / HTTP/1.1\r\n\r\n'])
		await assertRefused(plain('POST', '/message', { token: ann.token,
			headers: ['Transfer-Encoding: chunked'] }) + body, 400,
		    'bad-request');
	assert.deepEqual(await ann.drain(), []);
});

test('bytes beyond the announced length are no part of the body', async () => {
	const { players: [ann] } = await makeRoom(daemon, ['ann']);
	const wire = await Wire.open(daemon);

	wire.send(plain('POST', '/message', { token: ann.token,
		headers: ['Content-Length: 3'] }) + '"a"junk\r\n\r\n');
	assert.equal(ok(await wire.response()).data, 'a');
	// The rest is the next request, which is none.
	assertFailure(await wire.response(), 400, 'ICB', 'bad-request');
	await wire.closed();
	assert.deepEqual((await ann.drain()).map(({ data }) => data), ['a']);
});

test('a body shorter than announced, then gone: no effect', async () => {
	const { players: [ann] } = await makeRoom(daemon, ['ann']);

	for (const leave of ['close', 'finish']) {
		const wire = await Wire.open(daemon);

		wire.send(plain('POST', '/message', { token: ann.token,
			headers: ['Content-Length: 10'] }) + '"a"');
		await settle(daemon);
		wire[leave]();
		await wire.waitFor('close', () => wire.isClosed ? true : undefined);
		wire.close();
	}
	await settle(daemon);
	assert.deepEqual(await ann.drain(), []);
});

test('a GET may have a body, which means nothing', async () => {
	const wire = await Wire.open(daemon);

	ok(await wire.exchange(plain('GET', '/healthz', { body: 'GET / x' })));
	ok(await wire.exchange(plain('GET', '/healthz')));
	wire.close();
});

const small = await startDaemon({ args: ['--max-body', '1024'] });

test('a body a little too large is drained: 413, and on it goes', async () => {
	const { players: [ann] } = await makeRoom(small, ['ann']);
	const wire = await Wire.open(small);
	const post = (length) => plain('POST', '/message', { token: ann.token,
		body: `"${'x'.repeat(length - 2)}"` });

	ok(await wire.exchange(post(1024)));
	for (const length of [1025, 5000, 300_000]) {
		const response = await wire.exchange(post(length));

		assertFailure(response, 413, 'RMB', 'too-large');
		assertJson(response);
	}
	assertFailure(await wire.exchange(plain('POST', '/message', {
		token: ann.token, headers: ['Transfer-Encoding: chunked'] }) +
	    chunked(['"', 'x'.repeat(3000), '"'])), 413, 'RMB', 'too-large');
	ok(await wire.exchange(post(5)));
	assert.equal((await ann.drain()).length, 2);
	wire.close();
});

test('a body much too large is refused before it comes', async () => {
	const ann = await Player.register(small);
	const wire = await Wire.open(small);
	const response = await wire.exchange(plain('POST', '/message', {
		token: ann.token, headers: [`Content-Length: ${9 << 20}`] }));

	assertFailure(response, 413, 'RMB', 'too-large');
	assertJson(response);
	await wire.closed();
});

test('chunks much too large are refused: announced, or piled up', async () => {
	const ann = await Player.register(small);
	const refused = async (body) => {
		const wire = await Wire.open(small);

		wire.send(plain('POST', '/message', { token: ann.token,
			headers: ['Transfer-Encoding: chunked'] })).send(body);
		const response = await wire.response();

		assertFailure(response, 413, 'RMB', 'too-large');
		assertJson(response);
		await wire.closed();
	};

	await refused('900000\r\n"');
	await refused(`10000\r\n${'x'.repeat(65536)}\r\n`.repeat(128) +
	    `1000\r\n${'x'.repeat(4096)}\r\n`);
	// As long as it ends, it is drained.
	const wire = await Wire.open(small);

	wire.send(plain('POST', '/message', { token: ann.token,
		headers: ['Transfer-Encoding: chunked'] }));
	assertFailure(await wire.exchange(
	    `100000\r\n${'x'.repeat(1 << 20)}\r\n`.repeat(7) + '0\r\n\r\n'),
	413, 'RMB', 'too-large');
	ok(await wire.exchange(plain('GET', '/healthz')));
	wire.close();
});

test('Expect: 100-continue gets 100, then the answer', async () => {
	const wire = await Wire.open(small);

	for (const body of ['"ann"', '"bob"']) {
		wire.send(plain('POST', '/register', { headers: [
			'Expect: 100-continue', `Content-Length: ${body.length}`] }));
		assert.equal((await wire.response()).status, 100);
		wire.send(body);
		assert.equal(ok(await wire.response()).command, '###!RPK');
	}
	wire.close();
});

test('Expect: 100-continue for a body too large gets 413, no 100', async () => {
	const wire = await Wire.open(small);
	const response = await wire.exchange(plain('POST', '/register', { headers: [
		'Expect: 100-continue', 'Content-Length: 1025'] }));

	assertFailure(response, 413, 'RPB', 'too-large');
	assertJson(response);
	await wire.closed();
});

// --- headers of replies ---------------------------------------------------

test('every reply has CORS headers and a length, failures too', async () => {
	const ann = await Player.register(daemon);
	const wire = await Wire.open(daemon);
	const token = ann.token;
	const origin = { headers: ['Origin: https://game.example'] };
	const cases = [
		[404, 'GET', '/nowhere', {}],
		[405, 'GET', '/register', {}],
		[401, 'POST', '/create-room', { body: '' }],
		[400, 'POST', '/message', { token, body: '{' }],
		[409, 'POST', '/message', { token, body: '1' }],
		[404, 'POST', '/join-room', { token,
			body: '"00000000-0000-4000-8000-000000000000"' }],
		[400, 'GET', '/events?after=x', { token }],
		[200, 'GET', '/events?after=0&wait=0', { token }],
		[200, 'POST', '/create-room', { token, body: '' }],
		[404, 'POST', '/offer', { token, body: '{"id":7}' }],
		[200, 'GET', '/room', { token }],
		[200, 'POST', '/command', { token, body: '[]' }],
		[401, 'GET', '/room', { token: 'unknown' }],
	];

	for (const [status, method, target, options] of cases) {
		const response = await wire.exchange(plain(method, target,
		    { ...options, ...origin }));

		assert.equal(response.status, status, `${method} ${target}`);
		assertJson(response);
		assert.match(response.headers['access-control-expose-headers'],
		    /Retry-After/i);
		assert.match(response.headers['access-control-expose-headers'],
		    /Idempotency-Replayed/i);
		assert.equal('www-authenticate' in response.headers,
		    status === 401);
	}
	const bob = await Player.register(daemon);

	ok(await bob.join(ok(await ann.room()).room));
	const response = await wire.exchange(plain('POST', '/offer',
	    { token: bob.token, body: '{"id":1}' }));

	assert.equal(response.status, 204);
	assertHeaders(response);
	wire.close();
});

// --- half-closed connections ----------------------------------------------

test('a command whose sender half-closes is run and answered', async () => {
	const { players: [ann] } = await makeRoom(daemon, ['ann']);
	const wire = await Wire.open(daemon);

	wire.send(plain('POST', '/message', { token: ann.token, body: '"a"' }))
	    .finish();
	assert.equal(ok(await wire.response()).data, 'a');
	await wire.closed();
});

test('a poll whose sender has half-closed is answered, not held', async () => {
	const { players: [ann] } = await makeRoom(daemon, ['ann']);
	const wire = await Wire.open(daemon);

	wire.send(plain('GET', `/events?after=${ann.cursor}&wait=55`,
	    { token: ann.token })).finish();
	// Nothing happens in the room and the clock stands still: a poll that
	// was held would not be answered here.
	assert.deepEqual(ok(await wire.response()).events, []);
	await wire.closed();
});

test('a half-closed connection is not kept after its reply', async () => {
	// The end may come with the request, or just after the reply: neither
	// may wait for a time-out.
	const still = await startDaemon({ clock: 'still' });

	for (let i = 0; i < 30; i++) {
		const wire = await Wire.open(still);

		wire.send(plain('GET', i % 2 ? '/nowhere' : '/healthz'));
		if (i % 3 === 0)
			await wire.response();
		wire.finish();
		if (i % 3 !== 0)
			await wire.response();
		await wire.closed();
	}
});

// --- requests that never end ----------------------------------------------
// On the test clock: it does not move but when told to.

async function assertOpen(wire, to)
{
	await settle(to);
	assert.ok(!wire.isClosed, 'closed too early');
}

const slow = await startDaemon({ clock: 'still', args: ['--request-timeout',
	'15', '--player-timeout', '0', '--lobby-timeout', '0'] });

test('a header block that trickles in is cut off', async () => {
	const wire = await Wire.open(slow);

	wire.send('GET /healthz HTTP/1.1\r\nHost: t\r\n');
	await settle(slow);
	for (let i = 0; i < 2; i++) {
		slow.advance(7);
		wire.send('X: y\r\n');
		await assertOpen(wire, slow);
	}
	slow.advance(2);
	await wire.closed();
});

test('a body that trickles in is cut off', async () => {
	const ann = await Player.register(slow);
	const wire = await Wire.open(slow);

	wire.send(plain('POST', '/message', { token: ann.token,
		headers: ['Content-Length: 1000'] }) + '"');
	await settle(slow);
	for (let i = 0; i < 2; i++) {
		slow.advance(7);
		wire.send('x');
		await assertOpen(wire, slow);
	}
	slow.advance(2);
	await wire.closed();
});

test('a body too large does not buy time', async () => {
	const wire = await Wire.open(slow);

	wire.send(plain('POST', '/register',
	    { headers: ['Content-Length: 1000000'] }) + 'x'.repeat(500_000));
	await settle(slow);
	slow.advance(14);
	wire.send('x');
	await assertOpen(wire, slow);
	slow.advance(2);
	await wire.closed();
});

test('half a request line is cut off', async () => {
	const wire = await Wire.open(slow);

	wire.send('GET /heal');
	await settle(slow);
	slow.advance(80);
	await wire.closed();
});

test('a request that is slow but in time is answered', async () => {
	const wire = await Wire.open(slow);

	for (let i = 0; i < 3; i++) {
		wire.send('POST /register HTTP/1.1\r\nHost: t\r\n');
		await settle(slow);
		slow.advance(7);
		wire.send('Content-Length: 5\r\n\r\n"a');
		await settle(slow);
		slow.advance(7);
		wire.send('nn"');
		ok(await wire.response());
	}
	wire.close();
});

test('an idle connection is closed after 75 s, a fresh one after 15 s, not before',
    async () => {
	const fresh = await Wire.open(slow);
	const used = await Wire.open(slow);
	// With TLS a client has said something.
	const limit = slow.listeners[0].isTls ? 75 : 15;

	await settle(slow);
	slow.advance(limit - 2);
	await assertOpen(fresh, slow);
	ok(await used.exchange(plain('GET', '/healthz')));
	await settle(slow);
	slow.advance(3);
	await fresh.closed();
	await assertOpen(used, slow);
	slow.advance(71);
	await assertOpen(used, slow);
	slow.advance(3);
	await used.closed();
});

test('an empty line behind a body begins no request', async () => {
	const wire = await Wire.open(slow);

	for (let i = 0; i < 2; i++) {
		ok(await wire.exchange(`${plain('POST', '/register',
		    { body: '"ann"' })}\r\n`));
		await settle(slow);
		slow.advance(20);
		await assertOpen(wire, slow);
	}
	slow.advance(60);
	await wire.closed();
});

test('neither limit touches a poll that is parked', async () => {
	const { players: [ann, bob] } = await makeRoom(slow);
	const poll = ann.events({ after: ann.cursor, wait: 55 });

	await parked(slow, poll);
	slow.advance(30);
	await settle(slow);
	ok(await bob.message('here'));
	assert.deepEqual(ok(await poll).events.map(({ data }) => data), ['here']);
});

// --- the prefix -----------------------------------------------------------

test('base-path serves everything below a prefix', async () => {
	const prefixed = await startDaemon({ args: ['--base-path', '/game/post'] });
	const wire = await Wire.open(prefixed);
	const get = (target) => wire.exchange(plain('GET', target));

	assert.equal(ok(await get('/game/post/healthz')).status, 'ok');
	for (const target of ['/game/post', '/game/post/'])
		assert.match((await get(target)).headers['content-type'],
		    /^text\/html/);
	for (const target of ['/healthz', '/game/healthz', '/game/posthealthz',
		'/', '/game/post/game/post/healthz', '/game/poster/healthz'])
		assertFailure(await get(target), 404, 'ICB', 'not-found');
	const reply = ok(await wire.exchange(plain('POST', '/game/post/register',
	    { body: '"ann"' })));

	ok(await wire.exchange(plain('GET', '/game/post/events?after=0&wait=0',
	    { token: reply.token })));
	assert.equal((await wire.exchange(plain('OPTIONS',
	    '/game/post/register'))).status, 204);
	wire.close();
});
