// errors.test.mjs - every way to be wrong: bad JSON, paths, methods, requests
// that are no HTTP (protocol section 2, the table of statuses).
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertFailure, makeRoom, ok, Player, rawExchange, request,
    startDaemon } from '../lib/peerpost.mjs';

// No connection goes because of a time-out.
const daemon = await startDaemon({ clock: 'still', args: [
	'--command-burst', '100000', '--command-rate', '100000'] });
const { players: [host, bob] } = await makeRoom(daemon);

// path -> [methods, code of its failures]
const ROUTES = {
	'/register': [['POST'], 'RPB'],
	'/create-room': [['POST'], 'CRB'],
	'/join-room': [['POST'], 'JRB'],
	'/seal-room': [['POST'], 'SRB'],
	'/message': [['POST'], 'RMB'],
	'/offer': [['POST'], 'ICB'],
	'/answer': [['POST'], 'ICB'],
	'/candidate': [['POST'], 'ICB'],
	'/leave-room': [['POST'], 'LRB'],
	'/unregister': [['POST'], 'ICB'],
	'/command': [['POST'], 'ICB'],
	'/events': [['GET', 'POST'], 'ICB'],
	'/room': [['GET'], 'ICB'],
	'/ice-servers': [['GET'], 'ICB'],
	'/': [['GET', 'HEAD'], 'ICB'],
	'/healthz': [['GET', 'HEAD'], 'ICB'],
};

// Strings, and arrays of bytes.
function bytes(...parts)
{
	return Buffer.concat(parts.map((part) => Buffer.from(part)));
}

// --- JSON ---

const MALFORMED = [
	'{', '}', '[', ']', '"', '{"a"}', '{"a":}', '{"a":1,}', '{,}', '{1:2}',
	'{"a":1 "b":2}', '{"a":1,,"b":2}', '{a:1}', '{"a" 1}', '[1,]', '[,1]',
	'[1 2]', '[1]]', '[}', '{"a":1]', '\'a\'', '{\'a\':1}',
	'NaN', 'nan', 'Infinity', '-Infinity', 'undefined', 'None',
	'tru', 'True', 'TRUE', 'nul', 'nullx', 'Null', 'falsee',
	'01', '-01', '00', '1.', '.5', '-.5', '+1', '-', '1e', '1e+', '1.e1',
	'0x1', '1_000', '1a', '- 1', '1 .5',
	'/**/1', '1//x', '1/**/', '#1',
	'1 2', '{}{}', '[][]', '1x', '{}x', '"a""b"', 'x', 'null,',
	'"\\x"', '"\\u12"', '"\\u12g4"', '"\\U0041"', '"\\"', '"\\\'"', '"a',
	'"\n"', '"\t"', '"\x01"', '"\x1f"', '"\x00"', '1\x00', '\x00', '1\x00x',
	'\v1', '\f1', '\u00a01', '1\ufeff', '\ufeff\ufeff1', ' \ufeff1', '1\u2028',
	'"\\ud800"', '"\\udc00"', '"\\udfff\\ud800"', '"\\ud800\\u0041"',
	'"\\ud800x"', '"\\ud83d\\ud83d\\ude00"', '"\\udbff\\n"',
	['"', [0xff], '"'], ['"', [0x80], '"'], ['"', [0xc0, 0x80], '"'],
	['"', [0xc1, 0xbf], '"'], ['"', [0xe0, 0x80, 0x80], '"'],
	['"', [0xe0, 0x9f, 0xbf], '"'], ['"', [0xed, 0xa0, 0x80], '"'],
	['"', [0xed, 0xbf, 0xbf], '"'], ['"', [0xf0, 0x80, 0x80, 0x80], '"'],
	['"', [0xf4, 0x90, 0x80, 0x80], '"'], ['"', [0xf5, 0x80, 0x80, 0x80], '"'],
	['"', [0xe2, 0x82], '"'], ['"', [0xf0, 0x9f, 0x98], '"'],
	['"', [0xfc, 0x80, 0x80, 0x80, 0x80, 0x80], '"'], ['"', [0xe9], 't"'],
	['{"', [0xff], '":1}'],
].map((parts) => bytes(...[parts].flat()));

for (const [target, code, before, after] of [
	['/message', 'RMB', '', ''],
	['/offer', 'ICB', '{"id":1,"rtc":', '}'],
	['/answer', 'ICB', '{"rtc":[', '],"id":1}'],
	['/candidate', 'ICB', '{"id":1,"rtc":{"a":{"b":', '}}}'],
	['/command', 'ICB', '{"command":"###!SM","data":', '}'],
	['/command', 'ICB', '[{"command":"###!SM","data":1},' +
	    '{"command":"###!SM","data":', '}]'],
	['/command', 'ICB', '{"commands":[{"command":"###!SM","data":', '}]}'],
	['/events', 'ICB', '{"wait":0,"x":', '}'],
	['/create-room', 'CRB', '', ''],
	['/seal-room', 'SRB', '', ''],
	['/leave-room', 'LRB', '', ''],
	['/unregister', 'ICB', '', ''],
	['/register', 'RPB', '', ''],
])
	test(`${target} refuses malformed JSON with bad-json` +
	    (before && `: ${before}`), async () => {
		for (const text of MALFORMED) {
			const reply = await bob.post(target,
			    { text: bytes(before, text, after),
				    token: target === '/register' ? null : bob.token });

			assertFailure(reply, 400, code, 'bad-json');
		}
		assert.deepEqual(await host.drain(), []);
		assert.deepEqual(await bob.drain(), []);
	});

test('well-formed JSON of every kind is relayed', async () => {
	const values = ['0', '-0', '1', '-1', '0.0', '1e1', '1E1', '1e+1',
		'1e-1', '1.5e10', 'true', 'false', '""', '"a"', '"\\u0000"',
		'"\\ud800\\udc00"', '"\\uDBFF\\uDFFF"', '"\\"\\\\\\/\\b\\f\\n\\r\\t"',
		'"\x7f\u0080\u07ff\u0800\ud7ff\ue000\uffff\u{10000}\u{10ffff}"',
		'[]', '[ ]', '{}', '{ }', '[null]', '{"":null}', '{"a":{},"b":[]}'];

	for (const text of values) {
		assert.equal((await bob.message(0, { text })).text,
		    `{"command":"###!RMK","data":${text}}`);
		ok(await bob.offer(0, { text: `{"rtc":${text},"id":1}` }));
	}

	const got = await host.events({ after: host.cursor, wait: 0 });
	let id = host.cursor;

	assert.equal(got.text, `{"events":[${values.map((text) =>
		`{"id":${++id},"command":"###!RMK","data":${text}},` +
		`{"id":${++id},"command":"###!OOO",` +
		`"data":{"rtc":${text},"id":${bob.id}}}`).join()}],` +
	    `"next":${id}}`);
	await host.drain();
	await bob.drain();
});

test('nesting of 32 is fine, of 33 bad-json, counted from the root of the ' +
    'body', async () => {
	const arrays = (n) => '['.repeat(n) + ']'.repeat(n);
	const objects = (n) => '{"a":'.repeat(n) + '0' + '}'.repeat(n);

	for (const nest of [arrays, objects]) {
		ok(await bob.message(0, { text: nest(32) }));
		assertFailure(await bob.message(0, { text: nest(33) }), 400, 'RMB',
		    'bad-json');
		ok(await bob.offer(0, { text: `{"id":1,"rtc":${nest(31)}}` }));
		assertFailure(await bob.offer(0,
		    { text: `{"id":1,"rtc":${nest(32)}}` }), 400, 'ICB',
		'bad-json');

		const envelope = (n) => `{"command":"###!SM","data":${nest(n)}}`;

		ok(await bob.command(0, { text: envelope(31) }));
		assertFailure(await bob.command(0, { text: envelope(32) }), 400,
		    'ICB', 'bad-json');
		ok(await bob.command(0, { text: `[${envelope(30)}]` }));
		assertFailure(await bob.command(0,
		    { text: `[${envelope(31)}]` }), 400, 'ICB', 'bad-json');
		assertFailure(await bob.message(0,
		    { text: nest(10_000).slice(0, 60_000) }), 400, 'RMB',
		'bad-json');
	}
	await host.drain();
	await bob.drain();
});

// --- paths and methods ---

test('a path that is not there is not-found', async () => {
	for (const target of ['/nope', '/Register', '/regi/ster', '/events/0',
	    '/register/x', '/room.json', '/.', '/..',
	    '/../register', '/room%2fx', '/ro%20om',
	    '/' + 'x'.repeat(300), '/metrics', '/demo/', '/%72egister%20'])
		for (const method of ['GET', 'POST'])
			assertFailure(await request(daemon, method, target), 404, 'ICB',
			    'not-found');
});

test('a percent escape in the path means its character', async () => {
	ok(await request(daemon, 'GET', '/%68ealth%7a'));
	ok(await host.request('GET', '/%72oom'));
});

test('a bad percent escape in path or query, and %00, are bad-request',
    async () => {
	for (const target of ['/%', '/%4', '/%zz', '/room%0', '/%00', '/room%00',
	    '/room?a=%', '/room?%zz=1', '/room?a=%0g', '/room?a=%00',
	    '/events?after=1%'])
		assertFailure(await host.request('GET', target), 400, 'ICB',
		    'bad-request');
});

for (const [target, [methods, code]] of Object.entries(ROUTES))
	test(`${target} takes ${methods.join(' and ')} only: else ` +
	    'method-not-allowed with Allow', async () => {
		for (const method of ['GET', 'POST', 'PUT', 'DELETE', 'PATCH',
		    'TRACE', 'HEAD']) {
			if (methods.includes(method))
				continue;

			const reply = await bob.request(method, target);

			if (method === 'HEAD')
				assert.equal(reply.status, 405);
			else
				assertFailure(reply, 405, code, 'method-not-allowed');

			const allow = reply.headers.allow.split(/, */);

			assert.deepEqual(allow.filter((each) => each !== 'OPTIONS')
			    .sort(), [...methods].sort());
		}
	});

test('not-found comes before method-not-allowed', async () => {
	assertFailure(await request(daemon, 'DELETE', '/nope'), 404, 'ICB',
	    'not-found');
});

test('an unknown method is 501 method-not-allowed and the connection closes',
    async () => {
	for (const method of ['BREW', 'PROPFIND', 'get', 'FOO-BAR']) {
		const { responses, closed } = await rawExchange(daemon,
		    `${method} /room HTTP/1.1\r\nHost: x\r\n\r\n`);

		assert.ok(closed);
		assert.equal(responses.length, 1);
		assertFailure(responses[0], 501, 'ICB', 'method-not-allowed');
	}
});

// --- the order of the checks ---

test('method-not-allowed comes before too-large and before no-session',
    async () => {
	assertFailure(await request(daemon, 'PUT', '/message',
	    { text: 'x'.repeat(70_000) }), 405, 'RMB', 'method-not-allowed');
	assertFailure(await request(daemon, 'GET', '/create-room'), 405, 'CRB',
	    'method-not-allowed');
});

test('too-large comes before bad-key and no-session', async () => {
	assertFailure(await request(daemon, 'POST', '/message', {
		text: 'x'.repeat(70_000), headers: { 'Idempotency-Key':
		'x'.repeat(65) } }), 413, 'RMB', 'too-large');
});

test('no-session comes before bad-json, bad-json before bad-data, bad-data ' +
    'before the state', async () => {
	const lobby = await Player.register(daemon);

	assertFailure(await request(daemon, 'POST', '/message', { text: '{' }),
	    401, 'RMB', 'no-session');
	assertFailure(await lobby.message(0, { text: '{' }), 400, 'RMB',
	    'bad-json');
	assertFailure(await lobby.message(null), 400, 'RMB', 'bad-data');
	assertFailure(await lobby.offer({}), 400, 'ICB', 'bad-data');
	assertFailure(await lobby.message(1), 409, 'RMB', 'not-in-room');
	assertFailure(await host.join('x'), 400, 'JRB', 'bad-data');
	assertFailure(await host.create({ body: 1 }), 400, 'CRB', 'bad-data');
});

// --- requests that are no HTTP, or dangerous ---

const AMBIGUOUS = {
	'two Content-Lengths': 'POST /register HTTP/1.1\r\nHost: x\r\n' +
	    'Content-Length: 3\r\nContent-Length: 3\r\n\r\n"a"',
	'two different Content-Lengths': 'POST /register HTTP/1.1\r\nHost: x\r\n' +
	    'Content-Length: 3\r\nContent-Length: 4\r\n\r\n"a"',
	'Content-Length and Transfer-Encoding': 'POST /register HTTP/1.1\r\n' +
	    'Host: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n' +
	    '3\r\n"a"\r\n0\r\n\r\n',
	'two Transfer-Encodings': 'POST /register HTTP/1.1\r\nHost: x\r\n' +
	    'Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n' +
	    '3\r\n"a"\r\n0\r\n\r\n',
	'a coding other than chunked': 'POST /register HTTP/1.1\r\nHost: x\r\n' +
	    'Transfer-Encoding: gzip\r\n\r\n',
	'a list of codings': 'POST /register HTTP/1.1\r\nHost: x\r\n' +
	    'Transfer-Encoding: gzip, chunked\r\n\r\n3\r\n"a"\r\n0\r\n\r\n',
	'Transfer-Encoding in HTTP/1.0': 'POST /register HTTP/1.0\r\nHost: x\r\n' +
	    'Transfer-Encoding: chunked\r\n\r\n3\r\n"a"\r\n0\r\n\r\n',
	'two Hosts': 'GET /healthz HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n',
	'no Host in HTTP/1.1': 'GET /healthz HTTP/1.1\r\nX: y\r\n\r\n',
	'a blank before the colon': 'GET /healthz HTTP/1.1\r\nHost: x\r\n' +
	    'X : y\r\n\r\n',
	'a blank before the colon of Content-Length': 'POST /register HTTP/1.1' +
	    '\r\nHost: x\r\nContent-Length : 3\r\n\r\n"a"',
	'a header name that is no token': 'GET /healthz HTTP/1.1\r\nHost: x\r\n' +
	    'X(y): z\r\n\r\n',
	'a control byte in a header value': 'GET /healthz HTTP/1.1\r\n' +
	    'Host: x\r\nX: a\x01b\r\n\r\n',
	'DEL in a header value': 'GET /healthz HTTP/1.1\r\n' +
	    'Host: x\r\nX: a\x7fb\r\n\r\n',
};

for (const [what, text] of Object.entries(AMBIGUOUS))
	test(`${what}: bad-request, and the connection closes`, async () => {
		const { responses, closed } = await rawExchange(daemon, text);

		assert.ok(closed);
		assert.equal(responses.length, 1);
		assertFailure(responses[0], 400, 'ICB', 'bad-request');
	});

test('what stands behind a bad request is not run', async () => {
	const smuggled = 'POST /seal-room HTTP/1.1\r\nHost: x\r\n' +
	    `Authorization: Bearer ${host.token}\r\n\r\n`;

	for (const text of Object.values(AMBIGUOUS))
		await rawExchange(daemon, text + smuggled);
	assert.equal(ok(await host.room()).sealed, false);
});

test('garbage never brings the daemon down', async () => {
	for (const text of ['\r\n\r\n', '\x00\x00\x00\x00\r\n\r\n', 'GET\r\n\r\n',
	    'GET /\r\n\r\n', 'GET / HTTP/9.9\r\n\r\n', 'GET / HTTP/1.1\r\n\r\n',
	    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
	    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'GET  /  HTTP/1.1\r\n\r\n',
	    'GET nowhere HTTP/1.1\r\nHost: x\r\n\r\n',
	    'POST /register HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\n',
	    'POST /register HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
	    'POST /register HTTP/1.1\r\nHost: x\r\nContent-Length: ' +
	    '99999999999999999999999\r\n\r\n',
	    'POST /register HTTP/1.1\r\nHost: x\r\n' +
	    'Transfer-Encoding: chunked\r\n\r\nzz\r\n'])
		await rawExchange(daemon, text, { half: true });
	ok(await request(daemon, 'GET', '/healthz'));
});

// --- HTTP that is fine ---

test('a chunked request is a request', async () => {
	const { responses } = await rawExchange(daemon,
	    'POST /register HTTP/1.1\r\nHost: x\r\nConnection: close\r\n' +
	    'Transfer-Encoding: chunked\r\n\r\n2\r\n"a\r\n3;x=y\r\nnn"\r\n' +
	    '0\r\n\r\n');

	assert.equal(ok(responses[0]).command, '###!RPK');
});

test('a request may come byte by byte', async () => {
	const { responses } = await rawExchange(daemon, [...'POST /register ' +
	    'HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 5' +
	    '\r\n\r\n"ann"']);

	assert.equal(ok(responses[0]).command, '###!RPK');
});

test('requests may be pipelined and are answered in order', async () => {
	const send = (data) => 'POST /message HTTP/1.1\r\nHost: x\r\n' +
	    `Authorization: Bearer ${bob.token}\r\n` +
	    `Content-Length: ${String(data).length}\r\n\r\n${data}`;
	const { responses } = await rawExchange(daemon, [1, 22, 333, 4444]
	    .map(send).join(''), { until: /4444/ });

	assert.deepEqual(responses.map((each) => each.json.data),
	    [1, 22, 333, 4444]);
	assert.deepEqual((await host.drain()).map((event) => event.data),
	    [1, 22, 333, 4444]);
});

const HALF_CLOSED = {
	'a command': ['POST /register HTTP/1.1\r\nHost: x\r\n' +
	    'Content-Length: 5\r\n\r\n"ann"', [200]],
	'a read': ['GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n', [200]],
	'a page': ['GET / HTTP/1.1\r\nHost: x\r\n\r\n', [200]],
	'a failure': ['GET /nope HTTP/1.1\r\nHost: x\r\n\r\n', [404]],
	'a refusal': ['GET / HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n', [400]],
	'half a request': ['POST /register HTTP/1.1\r\nHost: x\r\n' +
	    'Content-Length: 5\r\n\r\n"an', []],
};

// Several times: it depends on whether the end comes with the request, while
// it is worked on, or after the answer.
for (const [what, [text, statuses]] of Object.entries(HALF_CLOSED))
	test('a client that closes its half after its request is answered and ' +
	    `not kept: ${what}`, async () => {
		for (let i = 0; i < 20; i++) {
			const { responses, closed } = await rawExchange(daemon, text,
			    { half: true });

			assert.deepEqual(responses.map((each) => each.status),
			    statuses);
			assert.ok(closed);
		}
	});

test('a poll whose client has closed its half is answered at once and not ' +
    'held', async () => {
	const player = await Player.register(daemon);
	const { responses } = await rawExchange(daemon,
	    'GET /events?after=0&wait=55 HTTP/1.1\r\nHost: x\r\n' +
	    `Authorization: Bearer ${player.token}\r\n\r\n`,
	    { half: true });

	// It may as well have gone away altogether: nobody can tell.
	assert.ok(responses.length <= 1);
	if (responses.length)
		assert.deepEqual(ok(responses[0]).events, []);
});

test('a target in absolute form is that path', async () => {
	const { responses } = await rawExchange(daemon,
	    'GET http://example.org/healthz?x HTTP/1.1\r\n' +
	    'Host: example.org\r\nConnection: close\r\n\r\n');

	assert.equal(responses[0].status, 200);
});
