// events.test.mjs - the long poll: cursors, acknowledgement, holding
// (protocol section 4).
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertFailure, looked, makeRoom, ok, parked, Player, request,
    startDaemon, until, within } from '../lib/peerpost.mjs';
import { DEADLINE_MS } from '../lib/wait.mjs';

const daemon = await startDaemon({ args: ['--command-burst', '10000',
	'--command-rate', '10000'] });

// A host alone in its room, with events 1 (CTR) .. n.
async function withEvents(n)
{
	const host = await Player.register(daemon);

	ok(await host.create());
	for (let i = 2; i <= n; i += 64)
		ok(await host.command(Array.from(
		    { length: Math.min(64, n - i + 1) },
		    (_, j) => ({ command: '###!SM', data: i + j }))));
	return host;
}

const ids = (reply) => ok(reply).events.map((event) => event.id);

function same(reply, text)
{
	assert.equal(`${reply.status} ${reply.text}`, `200 ${text}`);
}

// A poll that is parked (in an object: an async function that returned it
// would wait for it).
async function hold(player)
{
	const poll = player.events({ after: player.cursor, wait: 55 });

	await parked(daemon, poll);
	return { poll };
}

// --- the cursor ---

test('an empty mailbox is answered 200 with no events and the cursor',
    async () => {
	const player = await Player.register(daemon);

	same(await player.events({ after: 0, wait: 0 }),
	    '{"events":[],"next":0}');
});

test('next is the greatest of the last id delivered, after, and what is ' +
    'acknowledged', async () => {
	const player = await withEvents(3);

	assert.equal(ok(await player.events({ after: 0, wait: 0 })).next, 3);
	assert.equal(ok(await player.events({ after: 1, wait: 0, max: 1 })).next,
	    2);
	assert.equal(ok(await player.events({ after: 3, wait: 0 })).next, 3);
	assert.equal(ok(await player.events({ after: 0, wait: 0 })).next, 3);
	same(await player.events({ after: 0 }), '{"events":[],"next":3}');
});

test('reading deletes nothing: the same cursor gets the same events again',
    async () => {
	const player = await withEvents(3);
	const first = await player.events({ after: 0, wait: 0 });

	for (let i = 0; i < 3; i++)
		same(await player.events({ after: 0, wait: 0 }), first.text);
	assert.deepEqual(ids(first), [1, 2, 3]);
});

test('after=N acknowledges everything up to N and returns what is later',
    async () => {
	const player = await withEvents(5);

	assert.deepEqual(ids(await player.events({ after: 2, wait: 0 })),
	    [3, 4, 5]);
	assert.deepEqual(ids(await player.events({ after: 0, wait: 0 })),
	    [3, 4, 5]);
	assert.deepEqual(ids(await player.events({ after: 5, wait: 0 })), []);
	assert.deepEqual(ids(await player.events({ after: 0, wait: 0 })), []);
});

test('acknowledgement never goes back: an older cursor gets what is still ' +
    'kept above it', async () => {
	const player = await withEvents(4);

	ok(await player.events({ after: 3, wait: 0 }));
	assert.deepEqual(ids(await player.events({ after: 1, wait: 0 })), [4]);
	assert.deepEqual(ids(await player.events({ after: 3, wait: 0 })), [4]);
});

test('an older cursor is answered at once and never held', async () => {
	const player = await withEvents(4);

	ok(await player.events({ after: 4, wait: 0 }));
	for (const after of [0, 1, 3])
		same(await player.events({ after, wait: 55 }),
		    '{"events":[],"next":4}');
});

test('event ids go on counting after events were acknowledged', async () => {
	const player = await withEvents(4);

	ok(await player.events({ after: 4, wait: 0 }));
	ok(await player.message('x'));
	assert.deepEqual(ids(await player.events({ after: 4, wait: 0 })), [5]);
});

test('Last-Event-ID means the same as after', async () => {
	const player = await withEvents(4);

	assert.deepEqual(ids(await player.events({ wait: 0,
		headers: { 'Last-Event-ID': '2' } })), [3, 4]);
	assert.deepEqual(ids(await player.events({ after: 0, wait: 0 })),
	    [3, 4]);
});

test('Last-Event-ID wins over the query and the body', async () => {
	const player = await withEvents(5);
	const headers = { 'Last-Event-ID': '2' };

	assert.deepEqual(ids(await player.events({ after: 4, wait: 0,
		headers })), [3, 4, 5]);
	assert.deepEqual(ids(await player.post('/events', { headers,
		body: { after: 4, wait: 0 } })), [3, 4, 5]);
});

// --- no cursor ---

test('no cursor: each call acknowledges what the call before it was given',
    async () => {
	const player = await withEvents(3);

	same(await player.events({ wait: 0, max: 2 }), '{"events":[' +
	    '{"id":1,"command":"###!CTR","data":1},' +
	    '{"id":2,"command":"###!RMK","data":2}],"next":2,"more":true}');
	assert.deepEqual(ids(await player.events({ wait: 0 })), [3]);
	same(await player.events({ wait: 0 }), '{"events":[],"next":3}');
	assert.deepEqual(ids(await player.events({ after: 0, wait: 0 })), []);
});

test('no cursor: what was never given is not acknowledged', async () => {
	const player = await withEvents(2);

	assert.deepEqual(ids(await player.events({ wait: 0 })), [1, 2]);
	ok(await player.message('x'));
	assert.deepEqual(ids(await player.events({ wait: 0 })), [3]);
});

test('no cursor, no wait: a bare loop is held and woken', async () => {
	const player = await withEvents(1);

	assert.deepEqual(ids(await player.events()), [1]);

	const poll = player.events();

	await parked(daemon, poll);
	ok(await player.message('x'));
	assert.deepEqual(ids(await poll), [2]);
});

// --- a cursor ahead ---

test('a cursor ahead of what was ever sent: reset, a snapshot, no events, ' +
    'the true head', async () => {
	const player = await withEvents(2);
	const room = await player.room();

	same(await player.events({ after: 3, wait: 55 }),
	    `{"events":[],"next":2,"reset":true,"room":${room.text}}`);
});

test('reset outside a room: "room" is null', async () => {
	const player = await Player.register(daemon);

	same(await player.events({ after: 1, wait: 55 }),
	    '{"events":[],"next":0,"reset":true,"room":null}');
	same(await player.events({ after: 2 ** 53 - 1, wait: 55 }),
	    '{"events":[],"next":0,"reset":true,"room":null}');
});

test('a cursor ahead acknowledges nothing', async () => {
	const player = await withEvents(3);

	assert.equal(ok(await player.events({ after: 9, wait: 0 })).reset, true);
	assert.deepEqual(ids(await player.events({ after: 0, wait: 0 })),
	    [1, 2, 3]);
});

test('a cursor ahead by Last-Event-ID and in /command is a reset too',
    async () => {
	const player = await withEvents(2);
	const { text: room } = await player.room();

	same(await player.events({ headers: { 'Last-Event-ID': '7' } }),
	    `{"events":[],"next":2,"reset":true,"room":${room}}`);
	same(await player.command({ commands: [], after: 7 }), '{"replies":[],' +
	    `"events":[],"next":2,"reset":true,"room":${room}}`);
});

// --- bad members ---

test('a cursor, wait or max that is no integer in 0..2^53-1 is bad-cursor',
    async () => {
	const player = await withEvents(2);

	for (const bad of ['-1', 'x', '', '1.5', '1e-3', ' 1', '+1', '0x1', 'NaN',
	    '1.0abc', '1.', '.0', '1e999999999', '-1.0', '9007199254740992.0',
	    '9007199254740992', '99999999999999999999', '1,2', 'null',
	    '0'.repeat(256) + '1'])
		for (const name of ['after', 'wait', 'max'])
			assertFailure(await player.events({
				query: { after: '0', [name]: bad } }), 400, 'ICB',
			'bad-cursor');
	for (const bad of ['-1', 'x', '1.5', '1.0abc', '1e999999999',
	    '9007199254740992', '1, 2'])
		assertFailure(await player.events({ wait: 0,
			headers: { 'Last-Event-ID': bad } }), 400, 'ICB',
		'bad-cursor');
	for (const bad of [-1, 1.5, 'x', true, [], {}, 2 ** 53])
		for (const name of ['after', 'wait', 'max'])
			assertFailure(await player.post('/events', {
				body: { wait: 0, [name]: bad } }), 400, 'ICB',
			'bad-cursor');
	assert.deepEqual(ids(await player.events({ after: 0, wait: 0 })),
	    [1, 2]);
});

test('the greatest cursor, wait and max are accepted', async () => {
	const player = await withEvents(2);
	const most = 2 ** 53 - 1;

	assert.deepEqual(ids(await player.events({ after: 0, wait: most,
		max: most })), [1, 2]);
});

test('unknown query members (cache-busters) are ignored', async () => {
	const player = await withEvents(2);

	assert.deepEqual(ids(await player.events({
		query: '_=123&after=1&wait=0&x&y=&=z&&After=7' })), [2]);
});

test('the same query member twice is bad-request', async () => {
	const player = await withEvents(2);

	for (const query of ['after=0&after=1&wait=0', 'wait=0&wait=0',
	    'max=1&wait=0&max=1', 'after=0&%61fter=1&wait=0',
	    'access_token=x&access_token=y&wait=0'])
		assertFailure(await player.events({ query }), 400, 'ICB',
		    'bad-request');
});

// --- POST /events ---

test('POST /events takes the same members', async () => {
	const player = await withEvents(4);

	same(await player.post('/events', { body: { after: 2, wait: 0,
		max: 1 } }), '{"events":[{"id":3,"command":"###!RMK","data":3}],' +
	    '"next":3,"more":true}');
});

test('POST /events with the token in the body, as text/plain', async () => {
	const player = await withEvents(2);
	const reply = await request(daemon, 'POST', '/events', {
		headers: { 'Content-Type': 'text/plain' },
		text: JSON.stringify({ token: player.token, after: 1, wait: 0 }) });

	assert.deepEqual(ids(reply), [2]);
});

test('POST /events may have no body', async () => {
	const player = await withEvents(2);

	for (const text of ['', 'null', '"null"', '{}'])
		assert.deepEqual(ids(await player.post('/events',
		    { text, query: { after: 0, wait: 0 } })), [1, 2]);
});

test('POST /events: members of the body win over the query', async () => {
	const player = await withEvents(4);

	assert.deepEqual(ids(await player.post('/events', {
		body: { after: 1, wait: 0 }, query: { after: 3, wait: 55,
			max: 2 } })), [2, 3]);
});

test('POST /events with a body that is no object is bad-data', async () => {
	const player = await withEvents(2);

	for (const text of ['[]', '1', '"x"', 'true', '[{"after":1}]'])
		assertFailure(await player.post('/events', { text }), 400, 'ICB',
		    'bad-data');
});

test('POST /events with a duplicate member is bad-json', async () => {
	const player = await withEvents(2);

	for (const text of ['{"after":0,"after":0}', '{"wait":0,"wait":0}',
	    '{"max":1,"m\\u0061x":1}', '{"token":"x","token":"x"}'])
		assertFailure(await player.post('/events', { text }), 400, 'ICB',
		    'bad-json');
});

// --- how much ---

test('max: at most that many events, "more" says that there are more',
    async () => {
	const player = await withEvents(3);

	for (const [max, got, more] of [[1, [1], true], [2, [1, 2], true],
	    [3, [1, 2, 3], undefined], [4, [1, 2, 3], undefined]]) {
		const reply = await player.events({ after: 0, wait: 0, max });

		assert.deepEqual(ids(reply), got);
		assert.equal(reply.json.more, more);
	}
});

test('max=0 delivers nothing and says more', async () => {
	const player = await withEvents(2);

	same(await player.events({ after: 0, wait: 0, max: 0 }),
	    '{"events":[],"next":0,"more":true}');
	same(await player.events({ after: 1, wait: 55, max: 0 }),
	    '{"events":[],"next":1,"more":true}');
	same(await player.events({ after: 2, wait: 0, max: 0 }),
	    '{"events":[],"next":2}');
});

test('max: default and ceiling are 256', async () => {
	const player = await withEvents(300);

	for (const max of [undefined, 256, 257, 100000]) {
		const reply = await player.events({ after: 0, wait: 0, max });

		assert.equal(ids(reply).length, 256);
		assert.equal(reply.json.next, 256);
		assert.equal(reply.json.more, true);
	}
	assert.equal(ids(await player.events({ after: 256, wait: 0 })).length,
	    44);
});

test('after "more" the next call answers at once', async () => {
	const player = await withEvents(300);
	const first = ok(await player.events({ after: 0, wait: 55 }));

	assert.equal(first.more, true);
	assert.equal(ids(await player.events({ after: first.next, wait: 55 }))
	    .length, 44);
});

test('at most 256 KiB of events', async () => {
	const player = await withEvents(1);
	const big = 'x'.repeat(60_000);

	for (let i = 0; i < 6; i++)
		ok(await player.message(big));

	const first = await player.events({ after: 0, wait: 0 });

	assert.deepEqual(ids(first), [1, 2, 3, 4, 5]);
	assert.ok(first.body.length <= 256 * 1024);
	assert.equal(first.json.more, true);
	assert.deepEqual(ids(await player.events({ after: 5, wait: 0 })),
	    [6, 7]);
});

test('a single event larger than 256 KiB is delivered alone', async () => {
	const roomy = await startDaemon({ args: ['--max-body', '600000'] });
	const { players: [host] } = await makeRoom(roomy, ['ann']);
	const n = host.cursor;

	ok(await host.message('small'));
	ok(await host.message('x'.repeat(400_000)));
	ok(await host.message('small'));
	for (const [id, more] of [[n + 1, true], [n + 2, true],
	    [n + 3, undefined]]) {
		const reply = await host.events({ after: id - 1, wait: 0 });

		assert.deepEqual(ids(reply), [id]);
		assert.equal(reply.json.more, more);
	}
});

// --- holding ---

test('a parked poll is woken by mail', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);
	const { poll } = await hold(host);

	ok(await bob.offer({ id: 1, rtc: 'x' }));
	assert.deepEqual(ok(await poll).events,
	    [{ id: host.cursor + 1, command: '###!OOO',
		    data: { id: bob.id, rtc: 'x' } }]);
});

test('the sender\'s own parked poll is woken too', async () => {
	const { players: [host] } = await makeRoom(daemon);
	const { poll } = await hold(host);

	ok(await host.message('x'));
	assert.deepEqual(ids(await poll), [host.cursor + 1]);
});

test('every kind of event wakes', async () => {
	const host = await Player.register(daemon, 'ann');
	const bob = await Player.register(daemon, 'bob');
	const steps = [
		[host, () => host.create(), 'CTR'],
		[host, () => bob.join(uuid), 'RPC'],
		[bob, () => host.message(1), 'CTR RPC RMK'],
		[bob, () => host.seal(), 'SRK'],
		[host, () => bob.leave(), 'RMK SRK RPD'],
	];
	let uuid;

	for (const [player, act, expected] of steps) {
		const seen = [];
		const watch = (async () => {
			do {
				const reply = ok(await player.events(
				    { after: player.cursor, wait: 55 }));

				player.cursor = reply.next;
				seen.push(...reply.events.map((event) =>
				    event.command.slice(4)));
			} while (seen.length < expected.split(' ').length);
		})();
		const { data } = ok(await act());

		uuid ??= data;
		await within(DEADLINE_MS, expected, watch);
		assert.equal(seen.join(' '), expected);
	}
});

test('mail of one batch arrives in one answer', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);
	const { poll } = await hold(host);

	ok(await bob.command([1, 2, 3].map((i) =>
	    ({ command: '###!CC', data: { id: 1, i } }))));
	assert.deepEqual(ids(await poll),
	    [1, 2, 3].map((i) => host.cursor + i));
});

test('wait=0 answers now', async () => {
	const player = await withEvents(1);

	same(await player.events({ after: 1, wait: 0 }),
	    '{"events":[],"next":1}');
});

// That a poll is held for 90 to 100 % of the seconds, by the daemon's clock.
async function assertHeld(d, wait, seconds)
{
	const player = await Player.register(d);
	const poll = player.events({ after: 0, ...(wait === undefined ? {} :
	    { wait }) });
	let answered = false;

	poll.then(() => {
		answered = true;
	});
	await parked(d, poll);
	// Real time passes too, so not up to the last moment.
	d.advance(seconds * 0.9 - 1);
	await looked(d);
	assert.equal(answered, false, `wait ${wait}`);
	d.advance(seconds * 0.1 + 1);
	same(await within(DEADLINE_MS, `end of wait ${wait}`, poll),
	    '{"events":[],"next":0}');
}

test('wait: default 25 s, at most 55 s, less up to 10 % at random',
    async () => {
	const d = await startDaemon();

	for (const [wait, seconds] of [[undefined, 25], [25, 25], [55, 55],
	    [56, 55], [2 ** 53 - 1, 55], [10, 10], [5, 5]])
		await assertHeld(d, wait, seconds);
});

test('--poll-wait and --poll-wait-max set default and ceiling', async () => {
	const d = await startDaemon({ args: ['--poll-wait', '20',
		'--poll-wait-max', '40'] });

	await assertHeld(d, undefined, 20);
	await assertHeld(d, 55, 40);
});

test('the time held is random, so that a crowd does not return in step',
    async () => {
	const d = await startDaemon({ clock: 'still' });
	const players = [];

	for (let i = 0; i < 16; i++)
		players.push(await Player.register(d));

	let left = players.length;
	const polls = players.map((player) => {
		const poll = player.events({ after: 0, wait: 50 });

		poll.then(() => left--);
		return poll;
	});

	for (const poll of polls)
		await parked(d, poll);
	d.advance(47.5);
	// Of 16 waits in 45 .. 50 s, all on one side by chance: 1 in 2^15.
	await until(() => left < 16, 'early poll');
	assert.ok(left > 0);
	d.advance(3);
	await Promise.all(polls);
});

// --- newest wins ---

test('newest wins: the older poll is answered superseded, poll_after_ms 5000',
    async () => {
	const { players: [host, bob] } = await makeRoom(daemon);
	const { poll: older } = await hold(host);
	const { poll: newer } = await hold(host);

	same(await older, `{"events":[],"next":${host.cursor},` +
	    '"superseded":true,"poll_after_ms":5000}');
	ok(await bob.message('x'));
	assert.deepEqual(ids(await newer), [host.cursor + 1]);
});

test('newest wins for GET and POST, with and without a cursor', async () => {
	const player = await Player.register(daemon);
	const { poll: first } = await hold(player);
	const second = player.post('/events', { body: { after: 0, wait: 55 } });

	await parked(daemon, second);
	assert.equal(ok(await first).superseded, true);

	const third = player.events();

	await parked(daemon, third);
	assert.equal(ok(await second).superseded, true);
	ok(await player.create());
	assert.deepEqual(ids(await third), [1]);
});

test('wait=0 never supersedes a parked poll', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);
	const { poll } = await hold(host);

	same(await host.events({ after: host.cursor, wait: 0 }),
	    `{"events":[],"next":${host.cursor}}`);
	ok(await host.command({ commands: [], after: host.cursor }));
	ok(await bob.message('x'));
	assert.deepEqual(ids(await poll), [host.cursor + 1]);
});

test('polls of different players do not supersede each other', async () => {
	const { players } = await makeRoom(daemon, ['ann', 'bob', 'cat']);
	const polls = [];

	for (const player of players)
		polls.push((await hold(player)).poll);
	ok(await players[0].message('x'));
	for (const [i, poll] of polls.entries())
		assert.deepEqual(ids(await poll), [players[i].cursor + 1]);
});

test('when no more polls can be held, a poll is answered at once with ' +
    'poll_after_ms', async () => {
	const d = await startDaemon({ args: ['--max-parked', '2'] });
	const polls = [];

	for (let i = 0; i < 2; i++) {
		const player = await Player.register(d);
		const poll = player.events({ after: 0, wait: 55 });

		await parked(d, poll);
		polls.push(poll);
	}

	const third = await Player.register(d);
	const reply = ok(await third.events({ after: 0, wait: 55 }));

	assert.deepEqual(Object.keys(reply), ['events', 'next',
		'poll_after_ms']);
	assert.deepEqual(reply.events, []);
	assert.ok(reply.poll_after_ms > 0);
	d.advance(60);
	for (const poll of polls)
		assert.equal(ok(await poll).poll_after_ms, undefined);

	const poll = third.events({ after: 0, wait: 55 });

	await parked(d, poll);
	ok(await third.create());
	assert.deepEqual(ids(await poll), [1]);
});

// --- going away ---

test('a client that goes away while parked loses nothing', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);

	for (let i = 0; i < 10; i++) {
		const leaving = new AbortController();
		const poll = host.events({ after: host.cursor, wait: 55,
			signal: leaving.signal });

		await parked(daemon, poll);

		const sending = bob.message(i);

		leaving.abort();
		await poll.catch(() => {});
		ok(await sending);
		assert.deepEqual(await host.news(), [['RMK', i]]);
	}
});

test('no cursor: what a client that went away was never given is kept',
    async () => {
	const { players: [host, bob] } = await makeRoom(daemon);
	const leaving = new AbortController();
	const poll = host.events({ wait: 55, signal: leaving.signal });

	await parked(daemon, poll);
	leaving.abort();
	await poll.catch(() => {});
	// What is answered before the daemon has noticed counts as given: time
	// for the hang-up to get there.
	for (let i = 0; i < 4; i++)
		await request(daemon, 'GET', '/healthz');
	ok(await bob.message(1));
	assert.deepEqual(ok(await host.events({ wait: 0 })).events.map(
	    (event) => event.data), [1]);
});

test('a client that goes away while parked is noticed at once', async () => {
	const d = await startDaemon({ args: ['--max-parked', '1'] });
	const ann = await Player.register(d);
	const bob = await Player.register(d);
	const leaving = new AbortController();
	const gone = ann.events({ after: 0, wait: 55, signal: leaving.signal });

	await parked(d, gone);
	assert.ok(ok(await bob.events({ after: 0, wait: 55 })).poll_after_ms);
	leaving.abort();
	await gone.catch(() => {});
	// Its place is free again: nobody's clock has moved.
	await until(async () => {
		const asking = new AbortController();
		const poll = bob.events({ after: 0, wait: 55,
			signal: asking.signal });
		const answer = Promise.race([poll, parked(d, poll)]);

		if ((await answer) === undefined) {
			asking.abort();
			await poll.catch(() => {});
			return true;
		}
		return false;
	}, 'free place');
});

// --- the rest ---

test('HEAD on /events is 405 and acknowledges nothing', async () => {
	const player = await withEvents(2);
	const reply = await player.request('HEAD', '/events',
	    { query: { after: 1 } });

	assert.equal(reply.status, 405);
	assert.match(reply.headers.allow, /\bGET\b.*\bPOST\b/);
	assert.deepEqual(ids(await player.events({ after: 0, wait: 0 })),
	    [1, 2]);
});

test('a player unregisters: its parked poll gets 401', async () => {
	const player = await Player.register(daemon);
	const { poll } = await hold(player);

	ok(await player.unregister());
	assertFailure(await poll, 401, 'ICB', 'no-session');
});

test('events are visible to a poll only after the commit: a woken poll ' +
    'finds them, and a poll after the reply does', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);

	for (let i = 0; i < 30; i++) {
		const poll = host.events({ after: host.cursor, wait: 55 });

		ok(await bob.message(i));

		const reply = ok(await poll);

		assert.deepEqual(reply.events.map((event) => event.data), [i]);
		host.cursor = reply.next;
	}
});

test('an event is delivered while others poll, relay and leave', async () => {
	const { players: [host, ...others] } = await makeRoom(daemon,
	    ['ann', 'bob', 'cat', 'dan']);
	const got = [];
	const reading = (async () => {
		while (got.length < 60) {
			const reply = ok(await host.events(
			    { after: host.cursor, wait: 55 }));

			host.cursor = reply.next;
			got.push(...reply.events);
		}
	})();

	await Promise.all(others.map(async (player) => {
		for (let i = 0; i < 20; i++)
			ok(await player.candidate({ id: 1, i }));
	}));
	await within(DEADLINE_MS, 'all events', reading);
	assert.equal(got.length, 60);
	got.forEach((event, i) => {
		assert.equal(event.id, got[0].id + i);
	});
	for (const player of others)
		assert.deepEqual(got.filter((event) =>
		    event.data.id === player.id).map((event) => event.data.i),
		Array.from({ length: 20 }, (_, i) => i));
});
