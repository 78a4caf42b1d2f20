// authentication.test.mjs - who is asking (protocol section 3).
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertFailure, makeRoom, ok, Player, request, startDaemon }
    from '../lib/peerpost.mjs';

const daemon = await startDaemon();
const UUID = '6f1c1f6e-5f0a-4d3a-9a53-0d2c8e5b7a11';
const UNKNOWN = 'A'.repeat(43);

// Every route that needs a session: method, path, code of its failures, body.
const ROUTES = [
	['POST', '/create-room', 'CRB', undefined],
	['POST', '/join-room', 'JRB', UUID],
	['POST', '/seal-room', 'SRB', undefined],
	['POST', '/message', 'RMB', 'hi'],
	['POST', '/offer', 'ICB', { id: 1 }],
	['POST', '/answer', 'ICB', { id: 1 }],
	['POST', '/candidate', 'ICB', { id: 1 }],
	['POST', '/leave-room', 'LRB', undefined],
	['POST', '/unregister', 'ICB', undefined],
	['POST', '/command', 'CRB', { command: '###!CR' }],
	['POST', '/command', 'ICB', [{ command: '###!CR' }]],
	['POST', '/events', 'ICB', { wait: 0 }],
	['GET', '/events', 'ICB', undefined],
	['GET', '/room', 'ICB', undefined],
	['GET', '/ice-servers', 'ICB', undefined],
];

function assertNoSession(reply, code)
{
	assertFailure(reply, 401, code, 'no-session');
	assert.equal(reply.headers['www-authenticate'], 'Bearer');
}

for (const [method, target, code, body] of ROUTES) {
	const what = `${method} ${target}${Array.isArray(body) ? ' [..]' : ''}`;

	test(`${what} without a token is 401 no-session`,
	    async () => {
		assertNoSession(await request(daemon, method, target, { body }),
		    code);
	});

	test(`${what} with a token that was never known is 401`,
	    async () => {
		assertNoSession(await request(daemon, method, target,
		    { body, token: UNKNOWN }), code);
		assertNoSession(await request(daemon, method, target,
		    { body, query: { access_token: UNKNOWN } }), code);
	});

	test(`${what} takes Authorization: Bearer`, async () => {
		const player = await Player.register(daemon);
		const reply = await player.request(method, target,
		    { body, ...(method === 'GET' ? { query: { wait: 0 } } : {}) });

		assert.notEqual(reply.status, 401);
	});

	test(`${what} takes ?access_token`, async () => {
		const { token } = await Player.register(daemon);
		const reply = await request(daemon, method, target,
		    { body, query: { wait: 0, access_token: token } });

		assert.notEqual(reply.status, 401);
	});
}

test('no session comes before bad JSON, where the token is not in the body',
    async () => {
	for (const [method, target, code] of ROUTES)
		if (method === 'POST' && !/command|events/.test(target))
			assertNoSession(await request(daemon, method, target,
			    { text: '{' }), code);
	for (const target of ['/command', '/events']) {
		assertFailure(await request(daemon, 'POST', target,
		    { text: '{' }), 400, 'ICB', 'bad-json');
		assertNoSession(await request(daemon, 'POST', target,
		    { text: '{', token: UNKNOWN }), 'ICB');
	}
});

test('the name of the scheme may have letters of either case', async () => {
	const { token } = await Player.register(daemon);

	for (const scheme of ['bearer', 'BEARER', 'Bearer'])
		assertFailure(await request(daemon, 'GET', '/room',
		    { headers: { Authorization: `${scheme} ${token}` } }), 404,
		'ICB', 'not-in-room');
});

test('an Authorization that is not Bearer TOKEN counts as absent', async () => {
	const { token } = await Player.register(daemon);

	for (const value of ['Basic YTpi', 'Bearer', token, `Bearer${token}`,
	    `Token ${token}`]) {
		assertNoSession(await request(daemon, 'GET', '/room',
		    { headers: { Authorization: value } }), 'ICB');
		assertFailure(await request(daemon, 'GET', '/room', {
			headers: { Authorization: value },
			query: { access_token: token } }), 404, 'ICB',
		'not-in-room');
	}
});

test('Authorization wins over ?access_token', async () => {
	const { players: [host] } = await makeRoom(daemon, ['ann']);

	ok(await host.room({ query: { access_token: UNKNOWN } }));
	assertNoSession(await request(daemon, 'GET', '/room', { token: UNKNOWN,
		query: { access_token: host.token } }), 'ICB');
});

test('the token as a member of the body works for /command and /events only',
    async () => {
	const { players: [{ token }] } = await makeRoom(daemon, ['ann']);

	ok(await request(daemon, 'POST', '/events',
	    { body: { token, after: 0, wait: 0 } }));
	ok(await request(daemon, 'POST', '/command',
	    { body: { token, command: '###!SM', data: 1 } }));
	for (const [method, target, code] of ROUTES)
		if (method === 'POST' && !/command|events/.test(target))
			assertNoSession(await request(daemon, method, target,
			    { body: { token, id: 1 } }), code);
});

test('a token in the body must be a string', async () => {
	for (const token of [1, null, true, [], {}]) {
		const reply = await request(daemon, 'POST', '/command',
		    { body: { token, command: '###!CR' } });

		assert.ok([400, 401].includes(reply.status), reply.text);
	}
});

test('a token changed in any character is another token', async () => {
	const { token } = await Player.register(daemon);
	const other = (char) => char === 'A' ? 'B' : 'A';

	for (const wrong of [other(token[0]) + token.slice(1), token + 'A',
	    token.slice(0, -1), token.toLowerCase() === token ?
		token.toUpperCase() : token.toLowerCase()])
		assertNoSession(await request(daemon, 'GET', '/room',
		    { token: wrong }), 'ICB');
});

test('a token that timed out is 410 PTO on every route, with its reason',
    async () => {
	const d = await startDaemon({ args: ['--lobby-timeout', '60'] });
	const player = await Player.register(d);
	const poll = player.events({ after: 0, wait: 55 });

	poll.catch(() => {});
	d.advance(61);
	await poll;
	for (const [method, target, , body] of ROUTES)
		for (const options of [{ token: player.token },
		    { query: { access_token: player.token } }]) {
			const reply = await request(d, method, target,
			    { body, ...options });

			assertFailure(reply, 410, 'PTO', 'timed-out');
			assert.equal(reply.json.data,
			    'Player Took Too Long To Enter A Room');
		}
	for (const target of ['/command', '/events'])
		assertFailure(await request(d, 'POST', target, { body: {
			token: player.token, command: '###!CR' } }), 410, 'PTO',
		'timed-out');
});

test('one player cannot act for another', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);

	assertFailure(await bob.seal(), 403, 'SRB', 'not-host');
	ok(await bob.unregister());
	ok(await host.seal());
});
