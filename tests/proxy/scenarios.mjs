// scenarios.mjs - what a client must be able to rely on behind each server.
//
// One daemon and one web server for all of them; the daemon holds one poll only
// (see holding.mjs).
import assert from 'node:assert/strict';
import { execFile, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { networkInterfaces } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Player, assertFailure, makeRoom, ok, program, request, scratchDir,
    until } from '../lib/peerpost.mjs';
import { patience } from '../lib/wait.mjs';
import { settle } from '../lib/wire.mjs';
import { empty, hold, isHolding } from './holding.mjs';
import { passes } from './passing.mjs';
import { shippedText, startServer, startUpstream, whyNot } from
    './web_server.mjs';

const TUTORIAL_MS = 120_000 * patience;
const isLong = process.env.PEERPOST_TEST_LONG === '1';

// A player as it is to be: it polls with its cursor, and whatever goes wrong
// it tries again.
class Listener {
	constructor(player)
	{
		this.player = player;
		this.events = [];
		this.statuses = new Set();
		this.stopped = new AbortController();
		this.done = this.run();
	}

	async run()
	{
		const { player, stopped: { signal } } = this;

		while (!signal.aborted) {
			try {
				const response = await player.events({
					after: player.cursor, wait: 20, signal });

				this.statuses.add(response.status);
				if (response.status === 200) {
					this.events.push(...response.json.events);
					player.cursor = response.json.next;
				}
			} catch {
				this.statuses.add('cut');
			}
			await new Promise((resolve) => setTimeout(resolve, 20));
		}
	}

	// What it has heard of messages.
	get messages()
	{
		return this.events.filter(({ command }) => command === '###!RMK')
		    .map(({ data }) => data);
	}

	async stop()
	{
		this.stopped.abort();
		await this.done;
	}
}

// One command that is repeated until it works.
function insist(player, text)
{
	return until(async () => {
		try {
			const response = await player.message(text,
			    { headers: { 'Idempotency-Key': text } });

			return response.status === 200 || null;
		} catch {
			return null;
		}
	}, `reply to ${text}`);
}

// Messages that come while something goes wrong: all of them, once, in order.
async function disturb({ daemon, front, probe }, disturbances)
{
	const { players: [ann, bob] } = await makeRoom(front);
	const listener = new Listener(bob);
	const sent = [];

	try {
		for (const [i, cause] of disturbances.entries()) {
			await until(async () => await isHolding(daemon, probe) ||
			    null, 'poll at the daemon');
			await cause();
			sent.push(`message ${i}`);
			await insist(ann, sent.at(-1));
			await until(() => listener.messages.length >= sent.length ||
			    null, `message after ${listener.statuses}`);
		}
		sent.push('the last');
		await insist(ann, sent.at(-1));
		await until(() => listener.messages.length >= sent.length || null,
		    'the last message');
	} finally {
		await listener.stop();
	}
	assert.deepEqual(listener.messages, sent);
	assert.deepEqual(listener.events.map(({ id }) => id),
	    listener.events.map((_, i) => listener.events[0].id + i));
	return listener.statuses;
}

// --- the scenarios --------------------------------------------------------

// docs/tutorial.sh, as it is; only that the daemon which it starts says the
// web server's address in the place of its own.
async function tutorial(t, { daemon, front, upstream, spec })
{
	if (spec.isVariant)
		return t.skip('as with the shipped file');
	for (const tool of ['curl', 'jq'])
		if (spawnSync(tool, ['--version']).error)
			return t.skip(`${tool} is not installed`);
	const wrapper = path.join(scratchDir(), 'peerpostd');
	const where = spec.upstream === 'http' ? `--listen ${upstream}` :
	    `--listen 127.0.0.1:0 --fastcgi ${upstream} --fastcgi-mode 0666`;
	const url = `http://${front.host}:${front.port}`;

	// $4: the database.  The daemon keeps the process, which is killed in
	// the course of it.
	fs.writeFileSync(wrapper, `#!/bin/sh
		(until curl -sf -o /dev/null ${url}/healthz; do
			kill -0 $$ || exit
			sleep 0.05
		done
		echo "peerpostd: listening on ${url}" >&2) &
		exec '${program}' ${where} --database "$4" 2>>'${wrapper}.log'
	`, { mode: 0o755 });

	const script = fileURLToPath(
	    new URL('../../docs/tutorial.sh', import.meta.url));

	await daemon.stop();
	try {
		await promisify(execFile)('sh', [script], {
			env: { ...process.env, PEERPOSTD: wrapper },
			timeout: TUTORIAL_MS });
	} catch (error) {
		throw new Error(error.stdout.slice(-1000) + error.stderr);
	} finally {
		await daemon.restart();
	}
}

async function fullHold(t, { daemon, front, probe })
{
	const player = await Player.register(front);
	const { poll } = await hold(daemon, probe, () => player.events({
		after: 0, wait: 55, deadline: 70_000 }));
	const from = Date.now();

	// What the web server waits for is real time.
	if (!isLong)
		daemon.advance(56);
	assert.deepEqual(ok(await poll), { events: [], next: 0 });
	if (isLong)
		t.diagnostic(`held for ${(Date.now() - from) / 1000} s`);
}

async function wakeUp(t, { daemon, front, probe })
{
	const { players: [ann, bob] } = await makeRoom(front);
	const { poll } = await hold(daemon, probe, () => bob.events({
		after: bob.cursor, wait: 55 }));

	ok(await ann.message('wake up'));
	assert.deepEqual(ok(await poll).events.map(({ data }) => data),
	    ['wake up']);
}

async function hangUp(t, { daemon, front, probe, spec })
{
	const player = await Player.register(front);
	let client;
	const { poll } = await hold(daemon, probe, () => {
		client = new AbortController();
		return player.events({ after: 0, wait: 55,
			signal: client.signal });
	});

	client.abort();
	await assert.rejects(poll);
	if (!spec.tellsHangUp) {
		await settle(daemon);
		daemon.advance(60);
	}
	await until(async () => !await isHolding(daemon, probe) || null,
	    'daemon that knows of the hang-up');
}

async function reload(t, place)
{
	const statuses = await disturb(place, [() => place.front.reload(),
		() => place.front.reload()]);

	await place.front.settle();
	t.diagnostic(`the client saw ${[...statuses].join(', ')}`);
	// Nobody need notice.
	for (const status of statuses)
		assert.ok(status === 200 || status === 'cut', `status ${status}`);
}

async function restart(t, place)
{
	const { daemon, spec } = place;
	const statuses = await disturb(place, [
		() => daemon.restart(),
		async () => {
			await daemon.kill();
			await daemon.restart();
		},
	]);

	t.diagnostic(`the client saw ${[...statuses].join(', ')}`);
	for (const status of statuses)
		assert.ok(status === 200 || status === 'cut' ||
		    spec.onCut.includes(status), `status ${status}`);
}

async function addresses(t, { spec })
{
	const host = Object.values(networkInterfaces()).flat()
	    .find((each) => !each.internal && each.family === 'IPv4')?.address;

	if (!host)
		return t.skip('this machine has no address but loopback');
	const { daemon, upstream } = await startUpstream(spec,
	    { args: ['--register-rate', '1', '--register-burst', '3'] });
	const front = await startServer(spec, upstream, { host });
	const register = (at, headers) => request(at, 'POST', '/register',
	    { body: 'x', headers });

	// Whatever the client says, it is the same client.
	const { response } = await until(async () => {
		const n = Math.ceil(Math.random() * 250);
		const reply = await register(front, {
			'X-Forwarded-For': `198.51.100.${n}`,
			Forwarded: `for=203.0.113.${n}`,
			'X-Real-IP': `203.0.113.${n}` });

		return reply.status === 429 ? { response: reply } : null;
	}, 'limit');

	assertFailure(response, 429, 'RPB', 'rate-limited');
	// For another client nothing has happened yet.
	ok(await register(daemon, { 'X-Forwarded-For': '198.51.100.251' }));
	assert.equal((await register(daemon, { 'X-Forwarded-For': host }))
	    .status, 429);
	// The daemon would wait for connections that are kept.
	await front.stop();
}

async function logs(t, { front, spec })
{
	const player = await Player.register(front);

	ok(await request(front, 'GET', '/events', { query: {
		access_token: player.token, wait: 0 } }));
	await front.stop();
	if (spec.log)
		assert.match(front.logText(), /GET \/events/);
	assert.ok(!front.everythingSaid().includes(player.token));
}

function holdsLongEnough(t, { spec })
{
	if (!spec.holdsFor)
		return t.skip('it has no such limit');
	const [, seconds] = spec.holdsFor.exec(shippedText(spec));

	assert.ok(Number(seconds) > 60);
}

const scenarios = {
	'the tutorial': tutorial,
	'a poll that is held for its full time': fullHold,
	'its limit is longer than any poll': holdsLongEnough,
	'a message reaches a held poll': wakeUp,
	'a client that hangs up': hangUp,
	'a reload in mid-poll loses nothing': reload,
	'a restart of the daemon in mid-poll loses nothing': restart,
	'replies pass unchanged': passes,
	'clients are told apart by their addresses': addresses,
	'no tokens in its logs': logs,
};

// All of them, as one test with a test for each.
export function testServer(spec)
{
	test(spec.name, { skip: whyNot(spec) }, async (t) => {
		const { daemon, upstream } = await startUpstream(spec, { args: [
			'--max-parked', '1', '--register-rate', '0',
			'--command-rate', '1', '--command-burst', '100',
			'--player-timeout', '0', '--lobby-timeout', '0',
			'--ice-server', 'stun:a.example', '--ice-server',
			'turn:b.example,ann,"x"', '--ice-server',
			'turns:b.example,ann,"x"'] });
		const front = await startServer(spec, upstream);
		const probe = await Player.register(daemon, 'probe');
		const place = { spec, daemon, upstream, front, probe };

		for (const [name, run] of Object.entries(scenarios))
			await t.test(name, async (t) => {
				front.forgetConnections();
				await empty(place);
				await run(t, place);
			});
	});
}

// The same, below a path of the web server; with, and without the daemon's
// knowing of it.
export function testBelowPath(spec, prefix)
{
	for (const args of [[], ['--base-path', prefix]])
		test(`${spec.name}, ${args.join(' ') || 'no --base-path'}`,
		    { skip: whyNot(spec) }, async () => {
			const { upstream } = await startUpstream(spec, { args });
			const front = await startServer(spec, upstream);
			const { token } = ok(await request(front, 'POST',
			    `${prefix}/register`, { body: 'ann' }));

			ok(await request(front, 'GET', `${prefix}/healthz`));
			ok(await request(front, 'POST', `${prefix}/create-room`,
			    { token }));
			assert.deepEqual(ok(await request(front, 'GET',
			    `${prefix}/events`, { token, query: { after: 0,
				wait: 5 } })).events.map(({ data }) => data), [1]);
			assertFailure(await request(front, 'GET',
			    `${prefix}/nowhere`), 404, 'ICB', 'not-found');
			assert.equal((await request(front, 'GET', '/healthz'))
			    .status, 404);
		});
}
