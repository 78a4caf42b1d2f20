// relay_rate.test.mjs - --relay-rate: how many bytes a player may put into the
// mailboxes of others (protocol section 10).
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertFailure, makeRoom, ok, startStill as startDaemon }
    from '../lib/peerpost.mjs';

const FAST = ['--command-rate', '0'];
const SLOW = [...FAST, '--relay-rate', '100', '--relay-burst', '1000',
	'--player-timeout', '0', '--lobby-timeout', '0'];

// A JSON string of n bytes.
const ofBytes = (n) => 'x'.repeat(n - 2);

// Data for an offer from bob to the host that lands with n bytes.
function offerOf(n, bob)
{
	const data = { id: 1, rtc: '' };
	const landed = JSON.stringify({ ...data, id: bob.id }).length;

	return { ...data, rtc: 'x'.repeat(n - landed) };
}

function assertLimited(reply, code, seconds)
{
	assertFailure(reply, 429, code, 'rate-limited');
	assert.equal(reply.headers['retry-after'], String(seconds));
}

test('by default a player sends 1 MiB at once and 128 KiB a second', async () => {
	const d = await startDaemon({ args: [...FAST, '--max-mailbox-bytes', '0'] });
	const { players: [host, bob] } = await makeRoom(d);
	const body = ofBytes(65536);

	for (let i = 0; i < 16; i++)
		ok(await bob.message(body));
	assertLimited(await bob.message(body), 'RMB', 1);
	d.advance(0.5);
	ok(await bob.message(body));
	assertLimited(await bob.message(body), 'RMB', 1);
	assert.equal((await host.drain()).length, 17);
});

test('a message costs its bytes times the other members', async () => {
	const d = await startDaemon({ args: SLOW });
	const { players: [ann, bob, cat] } = await makeRoom(d,
	    ['ann', 'bob', 'cat']);

	ok(await bob.message(ofBytes(400)));
	assertLimited(await bob.message(ofBytes(101)), 'RMB', 1);
	ok(await bob.message(ofBytes(100)));
	assertLimited(await bob.message(1), 'RMB', 1);
	assertLimited(await bob.message(ofBytes(400)), 'RMB', 8);
	// Nothing of what was refused has landed, and others have their own.
	ok(await cat.message('mine'));
	assert.deepEqual((await ann.news()).map(([, data]) => data.length),
	    [398, 98, 4]);
});

test('a message to oneself alone costs nothing', async () => {
	const d = await startDaemon({ args: SLOW });
	const { players: [ann] } = await makeRoom(d, ['ann']);

	for (let i = 0; i < 5; i++)
		ok(await ann.message(ofBytes(1000)));
});

test('an offer, an answer and a candidate cost what lands', async () => {
	const d = await startDaemon({ args: SLOW });
	const { players: [host, bob] } = await makeRoom(d);

	ok(await bob.offer(offerOf(300, bob)));
	ok(await bob.answer(offerOf(300, bob)));
	ok(await bob.candidate(offerOf(300, bob)));
	for (const act of ['offer', 'answer', 'candidate'])
		assertLimited(await bob[act](offerOf(101, bob)), 'ICB', 1);
	assertLimited(await bob.offer(offerOf(600, bob)), 'ICB', 5);
	ok(await bob.offer(offerOf(100, bob)));
	assert.equal((await host.drain()).length, 4);
	d.advance(3);
	assertLimited(await bob.offer(offerOf(301, bob)), 'ICB', 1);
	ok(await bob.offer(offerOf(300, bob)));
});

test('joining, sealing and leaving cost nothing', async () => {
	const d = await startDaemon({ args: [...SLOW, '--relay-burst', '1'] });
	const { uuid, players: [ann, bob, cat] } = await makeRoom(d,
	    ['ann', 'bob', 'cat']);

	for (let i = 0; i < 20; i++) {
		ok(await bob.leave());
		ok(await bob.join(uuid));
	}
	ok(await ann.seal());
	ok(await cat.message(1)); // as much as there is
});

test('what is larger than the burst passes when that is whole, and leaves a debt',
    async () => {
	const d = await startDaemon({ args: SLOW });
	const { players: [, bob] } = await makeRoom(d, ['ann', 'bob', 'cat']);

	ok(await bob.message(ofBytes(2000))); // 4000
	assertLimited(await bob.message(1), 'RMB', 31);
	d.advance(30);
	assertLimited(await bob.message(1), 'RMB', 1);
	d.advance(9);
	assertLimited(await bob.message(ofBytes(2000)), 'RMB', 1);
	d.advance(1);
	ok(await bob.message(ofBytes(2000)));
});

test('in an array each command stands alone', async () => {
	const d = await startDaemon({ args: SLOW });
	const { uuid, players: [host, bob] } = await makeRoom(d);
	const message = (n) => ({ command: '###!SM', data: ofBytes(n) });
	const reply = await bob.command([message(600), message(600), message(400),
		{ command: '###!CC', data: { id: 1 } }, { command: '###!LR' },
		{ command: '###!JR', data: uuid }]);

	assert.deepEqual(ok(reply).map((each) => each?.error ?? each?.command),
	    ['###!RMK', 'rate-limited', '###!RMK', 'rate-limited', '###!LRK',
		    '###!JRK']);
	assert.equal(reply.headers['retry-after'], undefined);
	assert.deepEqual((await host.news()).map(([code]) => code),
	    ['RMK', 'RMK', 'RPD', 'RPC']);
});

test('a repeat that is answered from memory costs nothing', async () => {
	const d = await startDaemon({ args: SLOW });
	const { players: [host, bob] } = await makeRoom(d);
	const send = (key) => bob.message(ofBytes(1000),
	    { headers: { 'Idempotency-Key': key } });

	for (let i = 0; i < 5; i++)
		ok(await send('k'));
	assertLimited(await send('l'), 'RMB', 10);
	// A refusal is not remembered.
	d.advance(10);
	assert.equal((await send('l')).headers['idempotency-replayed'], undefined);
	assert.equal((await host.drain()).length, 2);
});

test('a full mailbox costs its sender nothing', async () => {
	const d = await startDaemon({ args: [...SLOW, '--max-mailbox-events', '3'] });
	const { players: [host, bob] } = await makeRoom(d);

	ok(await host.events({ after: host.cursor, wait: 0 }));
	for (let i = 0; i < 3; i++)
		ok(await bob.offer(offerOf(100, bob)));
	for (let i = 0; i < 5; i++) {
		assertFailure(await bob.offer(offerOf(700, bob)), 409, 'ICB',
		    'mailbox-full');
		assertFailure(await bob.message(ofBytes(700)), 409, 'RMB',
		    'mailbox-full');
	}
	await host.drain();
	ok(await host.events({ after: host.cursor, wait: 0 }));
	ok(await bob.message(ofBytes(700)));
});

test('0, for either, is no limit; a reload changes it', async () => {
	for (const args of [['--relay-rate', '0'], ['--relay-burst', '0']]) {
		const d = await startDaemon({ args: [...SLOW, ...args] });
		const { players: [, bob] } = await makeRoom(d);

		for (let i = 0; i < 5; i++)
			ok(await bob.message(ofBytes(5000)));
	}
});
