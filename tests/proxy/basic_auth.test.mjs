// basic_auth.test.mjs - a site behind HTTP basic authentication, by nginx: the
// header Authorization is the site's then, and the token goes into the body.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PeerpostClient } from '../../clients/js/peerpost.js';
import { ok, request } from '../lib/peerpost.mjs';
import { servers } from './servers.mjs';
import { startServer, startUpstream, whyNot } from './web_server.mjs';

const SITE = { Authorization: `Basic ${btoa('site:secret')}` };

// The daemon below /signal/ of a site that asks everybody for a password; but
// below /open/ it does not.
const spec = {
	...servers.nginxLocation,
	wrap: (text, place) => ({
		...servers.nginxLocation.wrap(`
			auth_basic "The site";
			auth_basic_user_file ${place.dir}/htpasswd;
			${text}
			${text.replace('location /signal/ {',
			    'location /open/ {\nauth_basic off;')
			    .replace('^(/signal)(/.*)$', '^(/open)(/.*)$')}`, place),
		htpasswd: 'site:{PLAIN}secret\n',
	}),
};

// What a browser does with its own site's password: it is sent along, unless
// the page itself sets the header.
function browserFetch(url, { headers, ...rest })
{
	return fetch(url, { ...rest, headers: { ...SITE, ...headers } });
}

test('behind basic authentication', { skip: whyNot(spec) }, async (t) => {
	const { upstream } = await startUpstream(spec);
	const front = await startServer(spec, upstream);
	const url = `http://${front.host}:${front.port}`;
	const ask = (method, path, { token, body, headers = SITE } = {}) =>
	    request(front, method, path, { token, text: body &&
		JSON.stringify(body), headers });
	const { token } = ok(await ask('POST', '/signal/register',
	    { body: 'ann' }));

	await t.test('nothing gets through without the site\'s password', async () => {
		for (const headers of [{}, { Authorization: `Bearer ${token}` }]) {
			const reply = await ask('GET', '/signal/room', { headers });

			assert.equal(reply.status, 401);
			assert.match(reply.headers['www-authenticate'], /^Basic/);
			assert.match(reply.text, /<html>/);
		}
	});

	await t.test('a token in the body, or the query, does', async () => {
		const { room } = ok(await ask('POST', '/signal/command', { body: {
			token, commands: [{ command: '###!CR' }], after: 0 } }));

		assert.equal(room, undefined);
		assert.deepEqual(ok(await ask('POST', '/signal/events',
		    { body: { token, after: 0, wait: 0 } })).events
		    .map(({ command }) => command), ['###!CTR']);
		ok(await ask('GET', `/signal/room?access_token=${token}`));
		ok(await ask('GET', `/signal/ice-servers?access_token=${token}`));
		ok(await ask('POST', `/signal/leave-room?access_token=${token}`));
	});

	await t.test('without either, the daemon asks for a token', async () => {
		const reply = await ask('GET', '/signal/room');

		assert.equal(`${reply.status} ${reply.json.error}`,
		    '401 no-session');
		assert.equal(reply.headers['www-authenticate'], 'Bearer');
	});

	await t.test('the JavaScript client meets others in plain mode', async () => {
		const options = { storage: null, mode: 'plain',
			fetch: browserFetch };
		const [ann, bob] = [0, 1].map(() =>
			new PeerpostClient(`${url}/signal`, options));

		try {
			await Promise.all([ann.register('Ann'),
				bob.register('Bob')]);
			await bob.joinRoom(await ann.createRoom());
			assert.deepEqual(await bob.iceServers(), []);
			ann.sendMessage('hello');
			for await (const { type, data } of bob)
				if (type === 'message') {
					assert.equal(data, 'hello');
					break;
				}
		} finally {
			await Promise.all([ann.unregister(), bob.unregister()]);
		}
	});

	await t.test('a path that is left out of it needs nothing', async () => {
		ok(await request(front, 'POST', '/open/create-room', { token }));
		ok(await request(front, 'GET', '/open/room', { token }));
	});
});
