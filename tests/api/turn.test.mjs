// turn.test.mjs - that coturn lets in whom the daemon gives a credential, and
// nobody else (protocol section 9).
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ok, Player, scratchDir, startDaemon, until } from
    '../lib/peerpost.mjs';
import { lacksCoturn, startTurnServer, tryAllocate, TurnClient } from
    '../lib/turn.mjs';

const skip = lacksCoturn;
const SECRET = 'north-of-nowhere';
const OLD = 'south of +/= "nowhere"';
const server = skip ? null : await startTurnServer([SECRET]);

// A daemon that knows the server, and a player.
async function startPair({ url = server.url, secrets = [SECRET], ttl = 3600 } = {})
{
	const daemon = await startDaemon({ args: ['--turn-uri', url,
		...secrets.flatMap((each) => ['--turn-secret', each]),
		'--turn-ttl', String(ttl)] });

	return { daemon, player: await Player.register(daemon) };
}

async function credentialsOf(player)
{
	const { iceServers } = ok(await player.request('GET', '/ice-servers'));

	assert.equal(iceServers.length, 1);
	return iceServers[0];
}

test('a credential of the daemon is accepted', { skip }, async () => {
	const { player } = await startPair();

	assert.equal(await tryAllocate(server, await credentialsOf(player)), 200);
});

test('each part of a credential counts', { skip }, async () => {
	const { player } = await startPair();
	const { username, credential } = await credentialsOf(player);
	const [expiry, id] = username.split(':');
	const mutated = credential.replace(/^./, (c) => c === 'A' ? 'B' : 'A');

	for (const [u, c] of [
		[`${Number(expiry) + 1}:${id}`, credential],
		[`${expiry}:${Number(id) + 1}`, credential],
		[expiry, credential],
		[username, mutated],
		[username, ''],
	])
		assert.equal(await tryAllocate(server,
		    { username: u, credential: c }), 401, `${u} ${c}`);
	assert.equal(await tryAllocate(server, { username, credential }), 200);
});

test('a credential by another secret is refused', { skip }, async () => {
	const { player } = await startPair({ secrets: [SECRET + 'x'] });

	assert.equal(await tryAllocate(server, await credentialsOf(player)), 401);
});

test('an expired credential is refused, but what it has allocated stays',
    { skip }, async () => {
	// The server's clock cannot be turned, so a second has to pass.  It may
	// do so before the first attempt: then the player asks again.
	const { player } = await startPair({ ttl: 2 });
	const client = await TurnClient.open(server.port);
	let credentials;

	try {
		await until(async () => {
			credentials = await credentialsOf(player);
			return await client.allocate(credentials) === 200;
		}, 'relay');
		await until(async () => Date.now() / 1000 >
		    parseInt(credentials.username) &&
		    await tryAllocate(server, credentials) === 401, 'expiry');
		assert.equal(await client.refresh(credentials, 600), 200);
		assert.equal(await client.refresh(credentials, 0), 200);
	} finally {
		client.close();
	}
	assert.equal(await tryAllocate(server, await credentialsOf(player)), 200);
});

test('a secret can be changed without turning anybody away', { skip },
    async () => {
	const both = await startTurnServer([OLD, SECRET]);
	const file = path.join(scratchDir(), 'secret');
	const write = (...lines) => fs.writeFileSync(file,
	    lines.map((line) => `${line}\n`).join(''), { mode: 0o600 });
	const args = ['--turn-uri', both.url, '--turn-secret-file', file];

	write(OLD);
	const daemon = await startDaemon({ args });
	const player = await Player.register(daemon);
	const before = await credentialsOf(player);

	// The new one comes first, and makes credentials from now on.
	write(SECRET, OLD);
	await daemon.restart();
	const later = await credentialsOf(player);

	assert.equal(await tryAllocate(both, before), 200);
	assert.equal(await tryAllocate(both, later), 200);
	// A server that has forgotten the old one, or never knew it:
	assert.equal(await tryAllocate(server, before), 401);
	assert.equal(await tryAllocate(server, later), 200);

	write(SECRET);
	await daemon.restart();
	assert.equal(await tryAllocate(server, await credentialsOf(player)), 200);
});

test('coturn finds nothing wrong with the file of contrib/', { skip }, () => {
	assert.doesNotMatch(server.output(),
	    /bad configuration|unknown (?:argument|option)|unrecognized/i);
});
