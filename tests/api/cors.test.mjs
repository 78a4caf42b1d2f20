// cors.test.mjs - pages of other origins, and a path of our own below
// somebody else's (protocol section 8).
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertFailure, makeRoom, ok, Player, rawExchange, request,
    startDaemon, until } from '../lib/peerpost.mjs';

const daemon = await startDaemon();
const { players: [host] } = await makeRoom(daemon, ['ann']);
const Origin = 'https://game.example';
const PATHS = ['/register', '/create-room', '/join-room', '/seal-room',
	'/message', '/offer', '/answer', '/candidate', '/leave-room',
	'/unregister', '/command', '/events', '/room', '/ice-servers', '/', '/healthz',
	'/nope'];
const list = (text) => (text ?? '').split(',').map((each) => each.trim()
    .toLowerCase()).filter(Boolean).sort();

// One reply of each kind, success and failure.
function replies(d, player, headers)
{
	const send = (method, target, options = {}) => request(d, method, target,
	    { token: player.token, ...options,
		    headers: { ...headers, ...options.headers } });

	return Promise.all([
		[200, send('POST', '/message', { body: 1 })],
		[200, send('GET', '/events', { query: { after: 0, wait: 0 } })],
		[200, send('GET', '/room')],
		[200, send('GET', '/healthz')],
		[200, send('GET', '/')],
		[200, send('POST', '/register', { body: 'x', token: null })],
		[200, send('POST', '/command', { body: [] })],
		[400, send('POST', '/message', { text: '{' })],
		[400, send('POST', '/message', { body: 1, headers:
		    { 'Idempotency-Key': 'x'.repeat(65) } })],
		[400, send('GET', '/room?x=%')],
		[401, send('GET', '/room', { token: 'x'.repeat(43) })],
		[404, send('GET', '/nope')],
		[404, send('POST', '/offer', { body: { id: 99 } })],
		[405, send('PUT', '/message')],
		[405, send('HEAD', '/events')],
		[409, send('POST', '/create-room')],
		[413, send('POST', '/message', { text: 'x'.repeat(70_000) })],
		[431, send('GET', '/room', { headers: { X: 'x'.repeat(15_000),
			Y: 'y'.repeat(2_000) } })],
	].map(async ([status, promise]) => {
		const reply = await promise;

		assert.equal(reply.status, status, reply.text);
		return reply;
	}));
}

test('Access-Control-Allow-Origin is * on every reply, on every failure too',
    async () => {
	for (const headers of [{ Origin }, {}])
		for (const reply of await replies(daemon, host, headers)) {
			assert.equal(reply.headers['access-control-allow-origin'], '*',
			    `${reply.status} ${reply.text}`);
			assert.equal(reply.headers['access-control-allow-credentials'],
			    undefined);
		}
});

test('Retry-After, Idempotency-Replayed and Link are exposed on every reply',
    async () => {
	for (const reply of await replies(daemon, host, { Origin }))
		assert.deepEqual(
		    list(reply.headers['access-control-expose-headers'])
		    .filter((each) => each !== 'www-authenticate'),
		    ['idempotency-replayed', 'link', 'retry-after']);
});

test('a relay\'s 204 has the headers too', async () => {
	const { players: [, bob] } = await makeRoom(daemon);
	const reply = await bob.offer({ id: 1 }, { headers: { Origin } });

	assert.equal(reply.status, 204);
	assert.equal(reply.headers['access-control-allow-origin'], '*');
});

test('410, 422, 429 and 503 have the headers too', async () => {
	const d = await startDaemon({ args: ['--max-players', '1',
		'--lobby-timeout', '60', '--command-burst', '2', '--command-rate',
		'1'] });
	const player = await Player.register(d);
	const headers = { Origin, 'Idempotency-Key': 'k' };

	ok(await player.message(1, { headers }).then(() => player.create(
	    { headers })));

	const seen = [
		await request(d, 'POST', '/register',
		    { body: 'x', headers: { Origin } }),
		await player.leave({ headers }),
	];

	d.advance(10);
	seen.push(await player.leave({ headers }));
	ok(await player.leave());
	seen.push(await player.create({ headers: { Origin } }));
	d.advance(61);
	seen.push(await until(async () => {
		const reply = await player.room({ headers: { Origin } });

		return reply.status === 404 ? false : reply;
	}, 'time-out'));
	assert.deepEqual(seen.map((reply) => reply.status),
	    [503, 429, 422, 429, 410]);
	for (const reply of seen)
		assert.equal(reply.headers['access-control-allow-origin'], '*');
});

test('what the guard refuses has the headers too', async () => {
	const { responses } = await rawExchange(daemon,
	    `GET /room HTTP/1.1\r\nHost: x\r\nHost: y\r\nOrigin: ${Origin}` +
	    '\r\n\r\n');

	assert.equal(responses[0].status, 400);
	assert.equal(responses[0].headers['access-control-allow-origin'], '*');
});

test('OPTIONS is answered 204 with methods, headers and Max-Age on every ' +
    'path, without a session', async () => {
	for (const target of PATHS) {
		const reply = await request(daemon, 'OPTIONS', target, { headers: {
			Origin, 'Access-Control-Request-Method': 'POST',
			'Access-Control-Request-Headers': 'authorization' } });

		assert.equal(reply.status, 204);
		assert.equal(reply.text, '');
		assert.equal(reply.headers['content-length'], undefined);
		assert.equal(reply.headers['content-type'], undefined);
		assert.equal(reply.headers['access-control-allow-origin'], '*');
		assert.equal(reply.headers['access-control-max-age'], '86400');
		assert.deepEqual(list(reply.headers['access-control-allow-headers']),
		    ['authorization', 'content-type', 'idempotency-key',
			    'last-event-id']);
		for (const method of list(
		    reply.headers['access-control-allow-methods']))
			assert.ok(['get', 'post', 'head', 'options'].includes(method));
		for (const method of ['get', 'post'])
			assert.ok(list(reply.headers['access-control-allow-methods'])
			    .includes(method));
	}
});

test('OPTIONS * is answered', async () => {
	const { responses } = await rawExchange(daemon,
	    'OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');

	assert.equal(responses[0].status, 204);
});

test('only GET, POST, HEAD and OPTIONS are ever needed', async () => {
	for (const target of PATHS.filter((each) => each !== '/nope')) {
		const reply = await request(daemon, 'PUT', target);

		assert.equal(reply.status, 405);
		for (const method of list(reply.headers.allow))
			assert.ok(['get', 'post', 'head', 'options'].includes(method));
	}
});

test('configured origins are echoed, with Vary: Origin, and others are not',
    async () => {
	const d = await startDaemon({ args: ['--cors-origin', Origin,
		'--cors-origin', 'http://localhost:8080'] });
	const { players: [player] } = await makeRoom(d, ['ann']);

	for (const origin of [Origin, 'http://localhost:8080'])
		for (const reply of await replies(d, player, { Origin: origin })) {
			assert.equal(reply.headers['access-control-allow-origin'],
			    origin);
			assert.ok(list(reply.headers.vary).includes('origin'));
		}
	for (const headers of [{}, { Origin: 'https://evil.example' },
	    { Origin: Origin + '.evil.example' }, { Origin: 'null' },
	    { Origin: 'http://game.example' }])
		for (const reply of await replies(d, player, headers)) {
			assert.equal(reply.headers['access-control-allow-origin'],
			    undefined);
			assert.ok(list(reply.headers.vary).includes('origin'));
		}

	const preflight = await request(d, 'OPTIONS', '/events',
	    { headers: { Origin } });

	assert.equal(preflight.status, 204);
	assert.equal(preflight.headers['access-control-allow-origin'], Origin);
	assert.ok(list(preflight.headers.vary).includes('origin'));
});

test('a simple request without a preflight does everything: text/plain, the ' +
    'token in the body', async () => {
	const headers = { Origin, 'Content-Type': 'text/plain;charset=UTF-8' };
	const send = (target, value) => request(daemon, 'POST', target,
	    { text: typeof value === 'string' ? value : JSON.stringify(value),
		    headers });
	const { token } = ok(await send('/register', 'ann'));
	const { data: uuid } = ok(await send('/command',
	    { token, command: '###!CR' }));

	assert.match(uuid, /^[0-9a-f-]{36}$/);
	assert.equal(ok(await send('/events', { token, after: 0, wait: 0 }))
	    .events.length, 1);
	ok(await send('/command', { token, command: '###!LR' }));
});

test('named origins may send credentials, and * may not', async () => {
	const d = await startDaemon({ args: ['--cors-origin', Origin,
		'--cors-origin', 'null'] });
	const { players: [player] } = await makeRoom(d, ['ann']);
	const credentials = async (origin) => (await request(d, 'OPTIONS', '/events',
	    { headers: { Origin: origin } }))
	    .headers['access-control-allow-credentials'];

	for (const reply of await replies(d, player, { Origin }))
		assert.equal(reply.headers['access-control-allow-credentials'],
		    'true');
	assert.equal(await credentials(Origin), 'true');
	// Whoever has no origin may be anybody.
	assert.equal(await credentials('null'), undefined);
	assert.equal(await credentials('https://evil.example'), undefined);

	const open = await startDaemon({ args: ['--cors-origin', Origin,
		'--cors-origin', '*'] });
	const { headers } = await request(open, 'GET', '/healthz',
	    { headers: { Origin } });

	assert.equal(headers['access-control-allow-origin'], '*');
	assert.equal(headers['access-control-allow-credentials'], undefined);
	assert.equal(headers.vary, undefined);
});

test('a * stands for the first label or labels of a host', async () => {
	const d = await startDaemon({ args: ['--cors-origin',
		'https://*.Itch.zone', '--cors-origin', 'HTTP://Localhost:80'] });

	for (const [origin, isAllowed] of [['https://html.itch.zone', true],
	    ['https://a.b.itch.zone', true], ['http://localhost', true],
	    ['https://itch.zone', false], ['https://.itch.zone', false],
	    ['https://evilitch.zone', false], ['http://html.itch.zone', false],
	    ['https://html.itch.zone:8443', false],
	    ['https://html.itch.zone.evil.com', false],
	    ['https://evil.com/.itch.zone', false], ['https://*.itch.zone', false],
	    ['http://localhost:80', false]]) {
		const { headers } = await request(d, 'GET', '/healthz',
		    { headers: { Origin: origin } });

		assert.equal(headers['access-control-allow-origin'],
		    isAllowed ? origin : undefined, origin);
		assert.ok(list(headers.vary).includes('origin'));
	}
});

test('the headers that a preflight asks for are allowed', async () => {
	const plain = 'Authorization, Content-Type, Idempotency-Key, ' +
	    'Last-Event-ID';
	const allowed = async (asked) => (await request(daemon, 'OPTIONS',
	    '/command', { headers: { Origin,
		    'Access-Control-Request-Method': 'POST',
		    'Access-Control-Request-Headers': asked } }))
	    .headers['access-control-allow-headers'];

	assert.equal(await allowed(
	    'authorization,baggage,sentry-trace,traceparent'),
	`${plain}, baggage,sentry-trace,traceparent`);
	assert.equal(await allowed('content-type'), plain);
	assert.equal(await allowed('x'.repeat(1024)),
	    `${plain}, ${'x'.repeat(1024)}`);
	for (const bad of ['x'.repeat(1025), 'a b', 'a,,b', 'a;b', 'a:b', ''])
		assert.equal(await allowed(bad), plain);
	// Only a preflight is asked.
	assert.equal((await request(daemon, 'GET', '/healthz', { headers:
	    { 'Access-Control-Request-Headers': 'baggage' } }))
	    .headers['access-control-allow-headers'], undefined);
});

test('the longest origin and the longest list are answered', async () => {
	const label = 'x'.repeat(63);
	const host = [label, label, label, 'x'.repeat(61)].join('.');
	const scheme = 'a'.repeat(32);
	const d = await startDaemon({ args: ['--demo', '--cors-origin',
		`${scheme}://${host}:65535`, '--cors-origin', 'https://*.b.example'] });
	const long = `https://${host.slice(0, 253 - '.b.example'.length)}.b.example`;

	assert.equal(host.length, 253);
	for (const origin of [`${scheme}://${host}:65535`, long])
		for (const [method, target] of [['OPTIONS', '/x'],
		    ['GET', '/demo/'], ['GET', '/room'], ['GET', '/']]) {
			const { headers } = await request(d, method, target,
			    { headers: { Origin: origin,
				    'Access-Control-Request-Headers':
				    'y'.repeat(1024) } });

			assert.equal(headers['access-control-allow-origin'], origin);
			assert.equal(headers['access-control-allow-credentials'],
			    'true');
			if (method === 'OPTIONS')
				assert.match(headers['access-control-allow-headers'],
				    /, y{1024}$/);
		}
});

// --- base-path ---

test('base-path serves everything below a prefix and nothing beside it',
    async () => {
	const d = await startDaemon({ args: ['--base-path', '/play/peer'] });
	const at = (method, target, options) => request(d, method,
	    '/play/peer' + target, options);
	const { token } = ok(await at('POST', '/register', { body: 'ann' }));

	ok(await at('POST', '/create-room', { token }));
	assert.equal(ok(await at('GET', '/events?after=0&wait=0', { token }))
	    .events.length, 1);
	ok(await at('GET', '/room', { token }));
	ok(await at('GET', '/healthz'));
	for (const target of ['', '/', '?x'])
		assert.match((await at('GET', target)).headers['content-type'],
		    /^text\/html/);
	for (const target of ['/healthz', '/', '/register', '/play', '/play/',
	    '/play/healthz', '/play/peerhealthz', '/play/peers/healthz',
	    '/PLAY/peer/healthz'])
		assertFailure(await request(d, 'GET', target), 404, 'ICB',
		    'not-found');
	assert.equal((await request(d, 'OPTIONS', '/play/peer/events')).status,
	    204);
});
