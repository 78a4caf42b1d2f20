// requests.test.mjs - from parameters and STDIN to a request: paths, methods,
// lengths, headers, limits.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertFailure, ok, startDaemon } from '../lib/peerpost.mjs';
import { beginRequest, encodePairs, paramsOf, record, responseOf, stream,
    toJson, Type } from '../lib/fastcgi.mjs';
import { FastcgiConnection, settleFastcgi, soon } from
    '../lib/fastcgi_connection.mjs';

const daemon = await startDaemon({ fastcgi: '127.0.0.1:0' });
const connection = await FastcgiConnection.open(daemon.fastcgi[0]);
const { token } = ok(await connection.ask('POST', '/register', { body: 'x' }));

// The response to records that the test puts together; begun by BEGIN_REQUEST.
async function answerTo(on, id, ...records)
{
	const ended = on.expect(id);

	on.send(beginRequest(id), ...records);
	return toJson(responseOf(await soon(ended)));
}

function paramsRecords(id, params)
{
	return stream(Type.PARAMS, id, encodePairs(params));
}

// A request whose parameters are exactly these, without a body.
function bare(params, on = connection)
{
	return answerTo(on, 1, paramsRecords(1, Object.entries(params)),
	    record(Type.STDIN, 1));
}

// --- paths ---

const GET = { REQUEST_METHOD: 'GET' };
const PATHS = [
	[{ REQUEST_URI: '/healthz' }, 200],
	[{ REQUEST_URI: '/healthz?a=b' }, 200],
	[{ REQUEST_URI: '/nope' }, 404],
	[{ REQUEST_URI: `/room?access_token=${token}` }, 404, 'not-in-room'],
	// It is the target; others may have rewritten what is decoded.
	[{ REQUEST_URI: '/healthz', SCRIPT_NAME: '/index.cgi' }, 200],
	[{ REQUEST_URI: '/healthz', PATH_INFO: '/nope', SCRIPT_NAME: '' }, 200],
	[{ REQUEST_URI: '/room?a', QUERY_STRING: `access_token=${token}` }, 401],
	// Without it.
	[{ SCRIPT_NAME: '/healthz' }, 200],
	[{ SCRIPT_NAME: '/healthz', PATH_INFO: '' }, 200],
	[{ PATH_INFO: '/healthz' }, 200],
	[{ SCRIPT_NAME: '', PATH_INFO: '/healthz', QUERY_STRING: '' }, 200],
	[{ REQUEST_URI: '', PATH_INFO: '/healthz' }, 200],
	[{ SCRIPT_NAME: '/room', QUERY_STRING: `access_token=${token}` }, 404,
		'not-in-room'],
	[{ PATH_INFO: '/events', QUERY_STRING: `wait=0&access_token=${token}` },
		200],
	// Mounted below a path of the web server's.
	[{ SCRIPT_NAME: '/signal', PATH_INFO: '/healthz' }, 200],
	[{ SCRIPT_NAME: '/a/b', PATH_INFO: '/room', REQUEST_URI: '/a/b/room',
		QUERY_STRING: `access_token=${token}` }, 404, 'not-in-room'],
	[{ SCRIPT_NAME: '/a', PATH_INFO: '/', REQUEST_URI: '/a/' }, 200],
	// Decoded paths hold what would be something else in a target.
	[{ PATH_INFO: '/%68ealthz' }, 404, 'not-found'],
	[{ REQUEST_URI: '/%68ealthz' }, 200],
	[{ PATH_INFO: '/healthz?x=1' }, 404, 'not-found'],
	[{ PATH_INFO: '/healthz#x' }, 404, 'not-found'],
	[{ PATH_INFO: '/healthz ' }, 404, 'not-found'],
	[{ PATH_INFO: '/h\xe9' }, 404, 'not-found'],
	// Nothing.
	[{}, 400, 'bad-request'],
	[{ REQUEST_URI: '', SCRIPT_NAME: '', PATH_INFO: '' }, 400,
		'bad-request'],
	[{ QUERY_STRING: 'a=b' }, 400, 'bad-request'],
];

for (const [params, status, word] of PATHS)
	test(`path: ${JSON.stringify(params).replace(token, 'TOKEN')}: ` +
	    `${status} ${word ?? ''}`, async () => {
		const reply = await bare({ ...GET, ...params });

		assert.equal(reply.status, status, reply.text);
		if (word)
			assert.equal(reply.json.error, word);
	});

test('path: with --base-path it is part of what was asked for', async () => {
	const d = await startDaemon({ fastcgi: '127.0.0.1:0',
		args: ['--base-path', '/signal'] });
	const on = await FastcgiConnection.open(d.fastcgi[0]);

	for (const [params, status] of [
		[{ REQUEST_URI: '/signal/healthz' }, 200],
		[{ SCRIPT_NAME: '/signal', PATH_INFO: '/healthz' }, 200],
		[{ SCRIPT_NAME: '/signal', PATH_INFO: '/healthz',
			REQUEST_URI: '/signal/healthz' }, 200],
		[{ SCRIPT_NAME: '/signal/healthz' }, 200],
		[{ PATH_INFO: '/signal/healthz' }, 200],
		[{ REQUEST_URI: '/healthz' }, 404],
		[{ PATH_INFO: '/healthz' }, 404],
		[{ SCRIPT_NAME: '/x', PATH_INFO: '/healthz' }, 404],
	])
		assert.equal((await bare({ ...GET, ...params }, on)).status,
		    status, JSON.stringify(params));
	on.close();
});

// --- methods ---

test('a method that HTTP does not know: 501; none: 400', async () => {
	const target = { REQUEST_URI: '/healthz' };
	const brew = await bare({ ...target, REQUEST_METHOD: 'BREW' });

	assert.equal(brew.status, 501);
	assert.equal(brew.json.command, '###!ICB');
	for (const params of [target, { ...target, REQUEST_METHOD: '' }])
		assertFailure(await bare(params), 400, 'ICB', 'bad-request');
	for (const method of ['PUT', 'DELETE', 'PATCH', 'TRACE', 'CONNECT'])
		assert.equal((await bare({ ...target, REQUEST_METHOD: method }))
		    .status, 405);
});

// --- bodies ---

function register(text, length)
{
	const params = { REQUEST_METHOD: 'POST', REQUEST_URI: '/register',
		...(length === undefined ? {} : { CONTENT_LENGTH: length }) };

	return answerTo(connection, 1, paramsRecords(1, Object.entries(params)),
	    stream(Type.STDIN, 1, Buffer.from(text)));
}

test('without CONTENT_LENGTH, or with an empty one, the body is what STDIN ' +
    'brings', async () => {
	for (const length of [undefined, ''])
		assert.equal(ok(await register('"ann"', length)).command,
		    '###!RPK');
	assertFailure(await register('', undefined), 400, 'RPB', 'bad-json');
	assertFailure(await register('', ''), 400, 'RPB', 'bad-json');
	assertFailure(await register('', '0'), 400, 'RPB', 'bad-json');
});

test('STDIN has to be as long as CONTENT_LENGTH says', async () => {
	ok(await register('"ann"', '5'));
	ok(await register('"ann"', '005'));
	for (const length of ['4', '6', '0', '65537', '8388608'])
		assert.equal((await register('"ann"', length)).json.error,
		    'bad-request', length);
	assert.equal((await register('', '5')).json.error, 'bad-request');
});

test('CONTENT_LENGTH that is no number: 400', async () => {
	for (const length of ['x', '5x', '-5', '+5', ' 5', '5 ', '0x5', '5.0',
	    '5,5'])
		assertFailure(await register('"ann"', length), 400, 'ICB',
		    'bad-request');
});

test('a body over --max-body: 413, after it was read', async () => {
	for (const n of [65_537, 1_000_000]) {
		const reply = await connection.ask('POST', '/message',
		    { token, text: 'x'.repeat(n) });

		assertFailure(reply, 413, 'RMB', 'too-large');
	}
	assert.equal((await connection.ask('POST', '/message',
	    { token, body: 'x'.repeat(65_534) })).json.error, 'not-in-room');

	// Not before its end has come.
	const ended = connection.expect(1);
	const params = paramsOf({ method: 'POST', target: '/message',
		headers: [['Authorization', `Bearer ${token}`]] });

	connection.send(beginRequest(1), paramsRecords(1, params),
	    record(Type.STDIN, 1, Buffer.alloc(65_535, ' ')),
	    record(Type.STDIN, 1, Buffer.alloc(65_535, ' ')));
	await settleFastcgi(daemon);
	ok(await connection.ask('GET', '/healthz'));
	assert.ok(connection.live.has(1), 'answered before the end');
	connection.send(record(Type.STDIN, 1));
	assert.equal(responseOf(await soon(ended)).status, 413);
});

for (const length of ['8388609', '99999999999', '18446744073709551615',
	'9'.repeat(40)])
	test(`${length} bytes announced, more than 8 MiB: 413 at once, and the ` +
	    'connection goes on', async () => {
		const params = paramsOf({ method: 'POST', target: '/message' },
		    { CONTENT_LENGTH: length, HTTP_AUTHORIZATION:
		    `Bearer ${token}` });
		const ended = connection.expect(1);

		connection.send(beginRequest(1), paramsRecords(1, params));
		const end = await soon(ended);

		assertFailure(toJson(responseOf(end)), 413, 'RMB', 'too-large');
		// What was under way is of no request any more.
		connection.send(stream(Type.STDIN, 1, Buffer.alloc(200_000)));
		ok(await connection.ask('GET', '/healthz', { id: 1 }));
	});

test('more than 8 MiB sent without being announced: 413 at once, and the ' +
    'connection goes on', async () => {
	const params = paramsOf({ method: 'POST', target: '/message' },
	    { CONTENT_LENGTH: null });
	const ended = connection.expect(1);
	const piece = record(Type.STDIN, 1, Buffer.alloc(65_528, ' '));
	let isOver = false;

	ended.finally(() => {
		isOver = true;
	});
	connection.send(beginRequest(1), paramsRecords(1, params));
	for (let n = 0; n < 12 << 20 && !isOver; n += piece.length)
		await connection.sendInPieces(piece, piece.length);
	assertFailure(toJson(responseOf(await soon(ended))), 413, 'RMB',
	    'too-large');
	connection.send(record(Type.STDIN, 1));
	ok(await connection.ask('GET', '/healthz', { id: 1 }));
});

test('parameters over 16 KiB: 431, and the connection goes on', async () => {
	for (const n of [16_500, 60_000, 300_000]) {
		const reply = await connection.ask('POST', '/register',
		    { body: 'x', headers: { 'X-Long': 'x'.repeat(n) } });

		assertFailure(reply, 431, 'ICB', 'too-large');
	}
	ok(await connection.ask('POST', '/register',
	    { body: 'x', headers: { 'X-Long': 'x'.repeat(15_000) } }));
	ok(await connection.ask('POST', '/register', { body: 'x',
		headers: Object.fromEntries(Array.from({ length: 500 }, (_, i) =>
		    [`X-${i}`, 'y'.repeat(10)])) }));
});

// --- headers ---

test('the headers that count arrive', async () => {
	const key = { 'Idempotency-Key': 'k1' };
	const once = await connection.ask('POST', '/create-room',
	    { token, headers: key });
	const again = await connection.ask('POST', '/create-room',
	    { token, headers: key });

	assert.equal(ok(once).command, '###!CRK');
	assert.equal(again.text, once.text);
	assert.equal(again.headers['idempotency-replayed'], 'true');
	ok(await connection.ask('POST', '/message', { token, body: 1 }));

	const news = await connection.ask('GET', '/events?after=0&wait=0',
	    { token, headers: { 'Last-Event-ID': '1' } });

	assert.deepEqual(ok(news).events.map((event) => event.id), [2]);
	// As text/plain the body is the name itself.
	assert.equal(ok(await connection.ask('POST', '/register', { text: 'ann',
		headers: { 'Content-Type': 'text/plain' } })).command, '###!RPK');
	assertFailure(await connection.ask('POST', '/register', { text: 'ann' }),
	    400, 'RPB', 'bad-json');
	ok(await connection.ask('POST', '/leave-room', { token }));
});

test('Origin is answered as --cors-origin says', async () => {
	const d = await startDaemon({ fastcgi: '127.0.0.1:0',
		args: ['--cors-origin', 'https://a.example'] });
	const on = await FastcgiConnection.open(d.fastcgi[0]);
	const allowed = async (origin) => (await on.ask('GET', '/healthz',
	    { headers: origin ? { Origin: origin } : {} })).headers;

	assert.equal((await allowed('https://a.example'))
	    ['access-control-allow-origin'], 'https://a.example');
	assert.equal((await allowed('https://b.example'))
	    ['access-control-allow-origin'], undefined);
	assert.equal((await allowed('https://b.example')).vary, 'Origin');
	assert.equal((await allowed())['access-control-allow-origin'],
	    undefined);
	on.close();
});

test('the longest headers of a reply are sent', async () => {
	const label = 'x'.repeat(63);
	const origin = `${'a'.repeat(32)}://${label}.${label}.${label}.` +
	    `${'x'.repeat(61)}:65535`;
	const servers = Array.from({ length: 16 }, (_, i) => ['--ice-server',
		`stun:${label}.example${i}.example.net:${10_000 + i}`]).flat();
	const d = await startDaemon({ fastcgi: '127.0.0.1:0',
		args: ['--cors-origin', origin, '--demo', ...servers] });
	const on = await FastcgiConnection.open(d.fastcgi[0]);
	const { token } = ok(await on.ask('POST', '/register', { body: 'ann' }));
	const headers = { Origin: origin,
		'Access-Control-Request-Headers': 'y'.repeat(1024) };

	for (const [method, target, status] of [['GET', '/ice-servers', 200],
	    ['OPTIONS', '/ice-servers', 204], ['GET', '/demo/', 200],
	    ['GET', '/nope', 404]]) {
		const reply = await on.ask(method, target, { token, headers });

		assert.equal(reply.status, status);
		assert.equal(reply.headers['access-control-allow-origin'], origin);
	}
	ok(await on.ask('GET', '/healthz'));
	on.close();
});

test('header fields without a meaning here, empty ones and other variables ' +
    'change nothing', async () => {
	ok(await bare({ '': '', A: '', HTTP_: 'x', HTTP_X: '', HTTPS: 'on',
		DOCUMENT_ROOT: '/var/www', SCRIPT_FILENAME: '/var/www/healthz',
		REDIRECT_STATUS: '200', PATH_TRANSLATED: '/var/www/healthz',
		HTTP_CONTENT_LENGTH: '99', HTTP_CONTENT_TYPE: 'x/y',
		HTTP_PROXY: 'http://x', CONTENT_TYPE: '', ...GET,
		REQUEST_URI: '/healthz' }));
});

test('a control byte in a header field: 400', async () => {
	for (const byte of ['\0', '\n', '\r', '\x7f'])
		assertFailure(await connection.ask('GET', '/healthz',
		    { headers: { 'X-Y': `a${byte}b` } }), 400, 'ICB',
		'bad-request');
});

// --- whose request it is ---

test('the client is REMOTE_ADDR, if the web server is a trusted proxy',
    async () => {
	const rated = ['--register-rate', '1', '--register-burst', '1'];
	const d = await startDaemon({ fastcgi: '127.0.0.1:0', args: rated });
	const on = await FastcgiConnection.open(d.fastcgi[0]);
	const from = async (where, address) => (await where.ask('POST',
	    '/register', { body: 'x', params: { REMOTE_ADDR: address } })).status;

	assert.equal(await from(on, '192.0.2.1'), 200);
	assert.equal(await from(on, '192.0.2.1'), 429);
	assert.equal(await from(on, '192.0.2.2'), 200);
	assert.equal(await from(on, '2001:db8::1'), 200);
	assert.equal(await from(on, '2001:db8::1'), 429);
	assert.equal(await from(on, '127.0.0.1'), 200);
	assert.equal(await from(on, '127.0.0.1'), 200);
	on.close();

	const strict = await startDaemon({ fastcgi: '127.0.0.1:0',
		args: [...rated, '--trusted-proxy', 'none'] });
	const off = await FastcgiConnection.open(strict.fastcgi[0]);

	for (let i = 0; i < 5; i++)
		assert.equal(await from(off, '192.0.2.1'), 200);
	off.close();
});

// --- time ---

test('a request that is not whole in time is given up, others go on',
    async () => {
	const d = await startDaemon({ fastcgi: '127.0.0.1:0' });
	const on = await FastcgiConnection.open(d.fastcgi[0]);
	const slow = [on.expect(1), on.expect(2)];
	const params = paramsOf({ method: 'POST', target: '/register' });

	on.send(beginRequest(1), beginRequest(2), paramsRecords(2, params),
	    record(Type.STDIN, 2, Buffer.from('"')));
	ok(await on.ask('GET', '/healthz'));
	d.advance(16);
	for (const end of slow)
		assert.equal(responseOf(await soon(end)).status, 400);
	ok(await on.ask('GET', '/healthz'));
	on.close();
});

test('the connection of this file is still the first one', () => {
	assert.equal(connection.isClosed, false);
	assert.deepEqual(connection.strays, []);
	connection.close();
});
