// https.test.mjs - each web server with what its file in contrib/ has about
// HTTPS; and that with HTTP/2 one connection holds more polls than HTTP/1.1 has
// connections, which is what a browser with many tabs needs.
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import { after, test } from 'node:test';
import { unlimited } from '../lib/crowd.mjs';
import { readMetrics } from '../lib/metrics.mjs';
import { makeRoom, ok, Player, request, until } from '../lib/peerpost.mjs';
import { tlsServers } from './servers.mjs';
import { startServer, startUpstream, whyNot } from './web_server.mjs';

async function nHeld(daemon)
{
	return (await readMetrics(daemon))('peerpost_polls_parked');
}

// A request on a connection of HTTP/2: { status, text }.
function ask(session, path, { token })
{
	const stream = session.request({ ':path': path,
		authorization: `Bearer ${token}` });

	return new Promise((resolve, reject) => {
		let status, text = '';

		stream.setEncoding('utf8');
		stream.on('response', (headers) => {
			status = headers[':status'];
		});
		stream.on('data', (part) => {
			text += part;
		});
		stream.on('end', () => resolve({ status, text }));
		stream.on('error', reject);
	});
}

for (const spec of tlsServers)
	test(spec.name, { skip: whyNot(spec) }, async (t) => {
		const { daemon, upstream } = await startUpstream(spec,
		    { args: unlimited, admin: '127.0.0.1:0', clock: false });
		const front = await startServer(spec, upstream);
		const where = `${front.host}:${front.port}`;

		await t.test('players meet', async () => {
			const { players: [ann, bob] } = await makeRoom(front);
			const poll = bob.events({ after: bob.cursor, wait: 55 });

			await until(async () => await nHeld(daemon) === 1, 'poll');
			ok(await ann.message('over TLS'));
			assert.deepEqual(ok(await poll).events
			    .map(({ data }) => data), ['over TLS']);
		});

		await t.test('the page at / knows that it is HTTPS', async () => {
			const { text } = await request(front, 'GET', '/',
			    { headers: { Host: where } });
			const [, url] = /'<span>([^<]*)<\/span>/.exec(text);

			assert.equal(url, `https://${spec.losesPort ?
			    front.host : where}`);
		});

		// Of HTTP/1.1 a browser has six connections to a server.
		await t.test('many polls and a command on one connection',
		    { skip: !spec.nPolls }, async () => {
			const players = await Promise.all(Array.from(
			    { length: spec.nPolls }, () => Player.register(front)));
			const session = http2.connect(`https://${where}`,
			    { ca: front.certificate.ca });

			after(() => session.destroy());
			const polls = players.map((player) => ask(session,
			    '/events?after=0&wait=55', player));

			await until(async () => await nHeld(daemon) === spec.nPolls,
			    'held polls');
			assert.equal((await ask(session, '/room', players[0]))
			    .status, 404);
			for (const player of players)
				ok(await player.create());
			for (const { status, text } of await Promise.all(polls)) {
				assert.equal(status, 200);
				assert.equal(JSON.parse(text).events.length, 1);
			}
		});
	});
