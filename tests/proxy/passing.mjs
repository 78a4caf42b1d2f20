// passing.mjs - requests of all kinds, and whether their replies are the same
// behind a web server.
import assert from 'node:assert/strict';
import { makeRoom, ok, request, until } from '../lib/peerpost.mjs';

// Requests and what is to become of them, at any server: [name, response].
async function ask(server)
{
	const { players: [ann, bob] } = await makeRoom(server);
	const found = [];
	const add = async (name, status, response) => {
		response = await response;
		assert.equal(response.status, status,
		    `${name}: ${response.text}`);
		found.push([name, response]);
	};
	const key = { 'Idempotency-Key': `key ${ann.id}` };
	const origin = { Origin: 'https://game.example' };

	await add('a message', 200, ann.message('x', { headers: key }));
	await add('it again', 200, ann.message('x', { headers: key }));
	await add('the key again', 422, ann.message('y', { headers: key }));
	await add('an offer', 204, ann.offer({ id: bob.id, rtc: 1 },
	    { headers: origin }));
	await add('no session', 401, request(server, 'POST', '/create-room'));
	await add('not host', 403, bob.seal());
	await add('no such path', 404, request(server, 'GET', '/nowhere'));
	await add('no such method', 405, ann.request('PUT', '/message'));
	await add('no such command', 404, ann.command({ command: '###!XX' }));
	await add('bad JSON', 400, ann.post('/message', { text: '{' }));
	await add('a bad cursor', 400, ann.events({ after: 'x' }));
	await add('in a room already', 409, ann.create());
	await add('a coded body', 415, ann.message('x',
	    { headers: { 'Content-Encoding': 'gzip' } }));
	await add('too much', 413, ann.message('x'.repeat(70_000)));
	await add('a preflight', 204, request(server, 'OPTIONS', '/message', {
		headers: { ...origin, 'Access-Control-Request-Method': 'POST',
			'Access-Control-Request-Headers': 'authorization' } }));
	await add('health', 200, request(server, 'GET', '/healthz'));
	await add('its head', 200, request(server, 'HEAD', '/healthz'));
	// It shows where it was asked for.
	await add('the page', 200, request(server, 'GET', '/',
	    { headers: { Host: 'signal.example' } }));
	await add('ICE servers', 200, ann.request('GET', '/ice-servers'));
	const file = await request(server, 'GET', '/peerpost.js');

	await add('a file', 200, file);
	await add('its head', 200, request(server, 'HEAD', '/peerpost.js'));
	await add('a file that is known', 304, request(server, 'GET',
	    '/peerpost.js', { headers: { 'If-None-Match':
		    file.headers.etag } }));
	await add('JSON that may be compressed', 200, ann.message(
	    'x'.repeat(20_000), { headers: { 'Accept-Encoding': 'gzip' } }));
	await add('a token in the body', 200, request(server, 'POST',
	    '/events', {
		text: JSON.stringify({ token: bob.token, wait: 0 }),
		headers: { 'Content-Type': 'text/plain' } }));
	await add('a token in the query', 200, request(server, 'GET',
	    '/events', {
		query: { access_token: bob.token, wait: 0, after: 0 } }));
	await add('a cursor in a header', 200, bob.events({ wait: 0,
		headers: { 'Last-Event-ID': '2' } }));
	for (let i = 0; i < 4; i++)
		ok(await ann.message(`${i}`.repeat(60_000)));
	await add('large replies', 200, bob.events({ after: 4, wait: 0 }));
	const { response } = await until(async () => {
		const reply = await ann.leave();

		return reply.status === 429 ? { response: reply } : null;
	}, 'limit');

	await add('too often', 429, response);
	return { found, names: [`${ann.id}`, `${bob.id}`] };
}

const PASSED_ON = ['content-type', 'cache-control', 'x-content-type-options',
	'cross-origin-resource-policy', 'access-control-allow-origin',
	'access-control-allow-methods', 'access-control-allow-headers',
	'access-control-max-age', 'access-control-expose-headers', 'vary',
	'allow', 'retry-after', 'idempotency-replayed', 'link', 'etag',
	'content-security-policy', 'referrer-policy', 'content-encoding',
	'access-control-allow-credentials', 'accept-encoding'];

export async function passes(t, { daemon, front })
{
	const [there, here] = [await ask(daemon), await ask(front)];
	// But for ids, which nobody gets twice.
	const withoutNames = ({ names }, text) => names.reduce(
	    (so, name) => so.replaceAll(name, 'ID'), text);

	for (const [i, [name, direct]] of there.found.entries()) {
		const [, through] = here.found[i];

		assert.equal(withoutNames(here, through.text),
		    withoutNames(there, direct.text), name);
		for (const header of PASSED_ON)
			assert.equal(through.headers[header],
			    direct.headers[header], `${name}: ${header}`);
		// How long it is a web server may say in chunks.
		if (name !== 'its head' && direct.status !== 204 &&
		    direct.status !== 304 &&
		    !through.headers['transfer-encoding'])
			assert.equal(Number(through.headers['content-length']),
			    through.body.length, name);
		if (direct.status === 204)
			assert.equal(through.headers['content-type'], undefined);
	}
}
