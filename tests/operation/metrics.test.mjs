// metrics.test.mjs - GET /metrics: that it counts what it says it counts.
// Every reply is checked by readMetrics() for what promtool would complain of.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ask, startAdministered } from '../lib/admin.mjs';
import { readMetrics } from '../lib/metrics.mjs';
import { ioThreads, makeRoom, ok, parked, Player, rawExchange, request, until }
    from '../lib/peerpost.mjs';

const srcdir = process.env.srcdir ??
    path.resolve(import.meta.dirname ?? path.dirname(
	new URL(import.meta.url).pathname), '../..');

// The difference that action makes to each of the named metrics.
async function differences(daemon, names, action)
{
	const before = await readMetrics(daemon);

	await action();
	const after = await readMetrics(daemon);

	return Object.fromEntries(Object.entries(names).map(
	    ([key, args]) => [key, after(...args) - before(...args)]));
}

test('each metric is in peerpost-metrics(7), and no other is', async () => {
	const d = await startAdministered();
	const { families } = await readMetrics(d);
	const page = fs.readFileSync(
	    path.join(srcdir, 'man/peerpost-metrics.7'), 'utf8');
	const items = [...page.matchAll(
	    /^\.It Ql (\S+) \((\w+)\)$/gm)].map((each) => each.slice(1));

	assert.deepEqual(items.map(([name, type]) => `${name} ${type}`).sort(),
	    [...families.values()].map(({ name, type }) =>
	    `${name} ${type}`).sort());
});

test('each label and each value of one is in peerpost-metrics(7)', async () => {
	const d = await startAdministered();

	await Player.register(d, 'ann');

	const { families } = await readMetrics(d);
	const page = fs.readFileSync(
	    path.join(srcdir, 'man/peerpost-metrics.7'), 'utf8');

	for (const { name, samples } of families.values())
		for (const { labels } of samples)
			for (const [label, value] of Object.entries(labels)) {
				const word = value.replace(/^loop-\d+$/, 'loop-2');

				if (label === 'le')
					continue;
				assert.match(page, new RegExp(`^\\.Ql ${label}\\b`, 'm'),
				    `${name}: ${label}`);
				if (['version', 'route', 'status'].includes(label))
					continue;
				assert.ok(page.includes(`.Cm ${word}`),
				    `${name}: ${label}="${value}"`);
			}
});

test('HEAD tells the length, POST is refused, and players have no such path',
    async () => {
	const d = await startAdministered();
	const head = await ask(d, 'HEAD', '/metrics');

	assert.equal(head.status, 200);
	assert.ok(Number(head.headers['content-length']) > 1000);
	assert.equal((await ask(d, 'POST', '/metrics')).status, 405);
	assert.equal((await request(d, 'GET', '/metrics')).status, 404);
});

test('requests by route and status, errors by word, never by path',
    async () => {
	const d = await startAdministered();

	await Player.register(d, 'ann');
	await Player.register(d, 'bob');
	await request(d, 'GET', '/nope');
	await request(d, 'GET', '/other/nope');
	await request(d, 'POST', '/register', { text: '{' });
	await request(d, 'GET', '/room', { token: 'nobody' });
	await request(d, 'HEAD', '/peerpost.js');
	await request(d, 'OPTIONS', '/message');
	await rawExchange(d, 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n');

	const metrics = await readMetrics(d);
	const requests = (route, status) => metrics('peerpost_requests_total',
	    { route, status: `${status}` });
	const errors = (error) =>
	    metrics('peerpost_request_errors_total', { error });

	assert.equal(requests('/register', 200), 2);
	assert.equal(requests('/register', 400), 1);
	assert.equal(requests('/room', 401), 1);
	assert.equal(requests('/peerpost.js', 200), 1);
	assert.equal(requests('-', 404), 2);
	assert.equal(requests('-', 204), 1);
	assert.equal(requests('-', 400), 1);
	assert.equal(metrics('peerpost_requests_total'), 9);
	assert.equal(errors('not-found'), 2);
	assert.equal(errors('bad-json'), 1);
	assert.equal(errors('no-session'), 1);
	assert.equal(errors('bad-request'), 1);
	assert.equal(metrics('peerpost_request_errors_total'), 5);
	assert.equal(metrics('peerpost_request_seconds_count'), 9);
	assert.equal(metrics('peerpost_players'), 2);
	assert.ok(metrics('peerpost_request_body_bytes_total') >= 9);
	assert.ok(metrics('peerpost_reply_body_bytes_total') > 100);
	assert.equal(metrics('peerpost_connections_accepted_total',
	    { transport: 'http' }), 2);
	assert.ok(!metrics.text.includes('nope'));
	assert.ok(!metrics.text.includes('ann'));
});

test('a message to held polls: wake-ups, deliveries, one commit, one batch',
    async () => {
	const d = await startAdministered();
	const { players } = await makeRoom(d, ['a', 'b', 'c', 'd']);

	for (const player of players)
		await player.drain();
	const held = players.map((player) =>
	    player.events({ after: player.cursor, wait: 50 }));

	await parked(d, held[3]);
	const before = await readMetrics(d);

	assert.equal(before('peerpost_polls_parked'), 4);
	assert.equal(before('peerpost_rooms'), 1);
	assert.equal(before('peerpost_players'), 4);
	const found = await differences(d, {
		woken: ['peerpost_poll_wakeups_total'],
		mail: ['peerpost_polls_total', { end: 'mail' }],
		delivered: ['peerpost_delivery_seconds_count'],
		held: ['peerpost_poll_hold_seconds_count'],
		put: ['peerpost_mailbox_events_count'],
		depth: ['peerpost_mailbox_events_sum'],
		batches: ['peerpost_batch_requests_count'],
		batched: ['peerpost_batch_requests_sum'],
		loop: ['peerpost_loop_wakeups_total'],
		commits: ['peerpost_commit_seconds_count'],
	}, async () => {
		ok(await players[0].message('hello'));
		await Promise.all(held);
	});

	// The sender's reply and four polls: one transaction, and one wake-up of
	// each loop thread.
	assert.deepEqual(found, { woken: 4, mail: 4, delivered: 4, held: 4,
		put: 4, depth: 4, batches: 1, batched: 1, loop: ioThreads,
		commits: 1 });
	assert.equal((await readMetrics(d))('peerpost_polls_parked'), 0);
});

test('who was there before a restart is counted once', async () => {
	const d = await startAdministered();

	await makeRoom(d);
	await d.restart();
	ok(await request(d, 'GET', '/healthz'));
	const metrics = await readMetrics(d);

	assert.equal(metrics('peerpost_players'), 2);
	assert.equal(metrics('peerpost_rooms'), 1);
});

test('how polls end, and for how long they were held', async () => {
	const d = await startAdministered();
	const { players: [ann, bob] } = await makeRoom(d, ['ann', 'bob']);
	const ends = (names) => Object.fromEntries(names.map(
	    (end) => [end, ['peerpost_polls_total', { end }]]));

	await ann.drain();
	await bob.drain();
	const found = await differences(d, {
		...ends(['empty', 'superseded', 'reset', 'hung-up', 'ended',
			'mail']),
		hangups: ['peerpost_hangups_total'],
		left: ['peerpost_sessions_ended_total',
			{ reason: 'unregistered' }],
		seconds: ['peerpost_poll_hold_seconds_sum'],
	}, async () => {
		await bob.events({ after: bob.cursor, wait: 0 });
		await bob.events({ after: bob.cursor + 5, wait: 9 });
		const older = bob.events({ after: bob.cursor, wait: 50 });

		await parked(d, older);
		const newer = bob.events({ after: bob.cursor, wait: 50 });

		await older;
		await parked(d, newer);
		d.advance(50);
		await newer;
		const abort = new AbortController();
		const gone = bob.events({ after: bob.cursor, wait: 50,
			signal: abort.signal }).catch(() => {});

		await parked(d, gone);
		abort.abort();
		await gone;
		await until(async () => (await readMetrics(d))(
		    'peerpost_hangups_total') === 1, 'hang-up');
		const last = bob.events({ after: bob.cursor, wait: 50 });

		await parked(d, last);
		ok(await bob.unregister());
		await last;
	});

	assert.ok(found.seconds >= 50 && found.seconds < 500, found.seconds);
	assert.deepEqual({ ...found, seconds: 0 }, { empty: 2, superseded: 1,
		reset: 1, 'hung-up': 1, ended: 1, mail: 0, hangups: 1, left: 1,
		seconds: 0 });
});

test('time-outs and evictions, by reason', async () => {
	const d = await startAdministered({ args: ['--max-mailbox-events', '5',
		'--lobby-timeout', '300'] });
	const { players: [ann] } = await makeRoom(d, ['ann', 'bob']);
	const reasons = ['stopped-polling', 'left-in-lobby',
		'mailbox-overflow'];

	await Player.register(d, 'eve');
	d.advance(31); // bob does not come for its mail
	for (let i = 0; i < 6; i++) {
		ok(await ann.message(i));
		await ann.drain();
	}
	let metrics = await readMetrics(d);

	assert.equal(metrics('peerpost_sessions_ended_total',
	    { reason: 'mailbox-overflow' }), 1);
	assert.equal(metrics('peerpost_mailbox_events_bucket', { le: '4' }) <
	    metrics('peerpost_mailbox_events_count'), true);
	d.advance(130);
	metrics = await until(async () => {
		const now = await readMetrics(d);

		return now('peerpost_players') === 0 ? now : false;
	}, 'time-out of all');
	assert.deepEqual(reasons.map((reason) => metrics(
	    'peerpost_sessions_ended_total', { reason })), [2, 0, 1]);
	assert.equal(metrics('peerpost_rooms'), 0);
});

test('what is refused to the budget for relays, in arrays too', async () => {
	const d = await startAdministered({ args: ['--relay-rate', '1',
		'--relay-burst', '100'] });
	const { players: [, bob] } = await makeRoom(d);
	const text = 'x'.repeat(60);

	ok(await bob.message(text));
	assert.equal((await bob.message(text)).status, 429);
	ok(await bob.command(Array(3).fill({ command: '###!SM', data: text })));
	assert.equal((await readMetrics(d))('peerpost_rate_limited_total',
	    { limit: 'relays' }), 4);
});

test('sessions that were never used and gave up their places', async () => {
	const d = await startAdministered({ args: ['--max-players', '2'] });

	for (let i = 0; i < 2; i++)
		await Player.register(d);
	d.advance(5);
	for (let i = 0; i < 2; i++)
		await Player.register(d);

	const metrics = await readMetrics(d);

	assert.equal(metrics('peerpost_sessions_ended_total',
	    { reason: 'unused' }), 2);
	assert.equal(metrics('peerpost_players'), 2);
});

test('refusals of each limit', async () => {
	const d = await startAdministered({ args: ['--command-rate', '1',
		'--command-burst', '2', '--register-rate', '1',
		'--register-burst', '1', '--max-connections-per-address', '2'] });
	const limited = async (limit) => (await readMetrics(d))(
	    'peerpost_rate_limited_total', { limit });
	const from = (address) =>
	    ({ headers: { 'X-Forwarded-For': address } });
	const ann = await Player.register(d, 'ann');

	for (let i = 0; i < 5; i++)
		await ann.create();
	assert.ok(await limited('commands') >= 1);
	for (let i = 0; i < 2; i++)
		await request(d, 'POST', '/register',
		    { body: 'bob', ...from('192.0.2.1') });
	assert.equal(await limited('registers'), 1);
	assert.equal(await limited('relays'), 0);

	const abort = new AbortController();
	const held = [];

	for (let i = 0; i < 2; i++) {
		const player = await Player.register(d, `p${i}`);

		held.push(player.events({ after: 0, wait: 50,
			signal: abort.signal, ...from('192.0.2.2') })
		    .catch(() => {}));
	}
	await parked(d, held[1]);
	const refused = await request(d, 'GET', '/room', { token: ann.token,
		...from('192.0.2.2') });

	assert.equal(refused.status, 429);
	assert.equal(await limited('requests'), 1);
	assert.equal(await limited('connections'), 0);
	abort.abort();
	await Promise.all(held);
});

test('the database, the process and the build', async () => {
	const d = await startAdministered();

	for (let i = 0; i < 20; i++)
		await Player.register(d, `p${i}`);
	const metrics = await readMetrics(d);

	assert.equal(metrics('peerpost_database_bytes'),
	    fs.statSync(d.database).size);
	assert.equal(metrics('peerpost_wal_bytes'),
	    fs.statSync(`${d.database}-wal`).size);
	assert.ok(metrics('peerpost_wal_bytes') > 0);
	assert.equal(metrics('peerpost_build_info'), 1);
	assert.equal(metrics('peerpost_storage_failing'), 0);
	assert.equal(metrics('peerpost_storage_errors_total'), 0);
	const { families } = metrics;
	const [{ labels: { version } }] =
	    families.get('peerpost_build_info').samples;

	assert.equal((await ask(d, 'GET', '/healthz')).json.version, version);

	// Not exactly, since time goes on.
	const status = fs.readFileSync(`/proc/${d.pid}/status`, 'utf8');
	const resident = Number(/VmRSS:\s+(\d+)/.exec(status)[1]) * 1024;
	const fds = fs.readdirSync(`/proc/${d.pid}/fd`).length;

	assert.ok(Math.abs(metrics('process_resident_memory_bytes') - resident) <
	    resident / 4);
	assert.ok(Math.abs(metrics('process_open_fds') - fds) <= 4);
	assert.ok(metrics('process_max_fds') >= fds);
	assert.ok(Math.abs(metrics('process_start_time_seconds') -
	    fs.statSync(`/proc/${d.pid}`).ctimeMs / 1000) < 60);
	const [loop, engine] = ['loop', 'engine'].map((thread) =>
	    metrics('peerpost_thread_cpu_seconds_total', { thread }));

	assert.ok(loop > 0 && engine > 0);
	assert.ok(loop + engine <= metrics('process_cpu_seconds_total') + 0.05);
});

test('through FastCGI, connections and requests count as well', async () => {
	const d = await startAdministered({ fastcgi: '127.0.0.1:0' });
	const { default: fastcgi } = await import(
	    '../lib/fastcgi_transport.mjs');
	const reply = await fastcgi.send(d, { method: 'GET', target: '/healthz',
		headers: [], body: null, listener: 0 });

	assert.equal(reply.status, 200);
	const metrics = await readMetrics(d);

	assert.equal(metrics('peerpost_connections_accepted_total',
	    { transport: 'fastcgi' }), 1);
	assert.equal(metrics('peerpost_requests_total',
	    { route: '/healthz', status: '200' }), 1);
	fastcgi.closeIdle?.(d);
});
