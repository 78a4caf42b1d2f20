// remembered.test.mjs - remembered replies take room in the mailbox of their
// player (protocol sections 5 and 10).
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertFailure, makeRoom, ok, Player, request, startStill as startDaemon }
    from '../lib/peerpost.mjs';

const FAST = ['--command-rate', '0', '--relay-rate', '0', '--player-timeout',
	'0', '--lobby-timeout', '0'];

const keyed = (key) => ({ headers: { 'Idempotency-Key': key } });
const ofBytes = (n) => 'x'.repeat(n - 2);

// Eight joins of a room whose names are as long as they can be.
async function startJoins(n, args = [])
{
	const d = await startDaemon({ args: [...FAST, ...args] });
	const name = '\u{1F600}'.repeat(64);
	const { uuid } = await makeRoom(d, Array(n).fill(name));
	const player = await Player.register(d, name);
	const array = Array(8).fill([{ command: '###!JR', data: uuid },
		{ command: '###!LR' }]).flat();

	return { d, player, array };
}

// What a failure of one in an array is, and the number of successes.
const errorsOf = (replies) =>
	[...new Set(replies.map((each) => each?.error).filter(Boolean))];

test('arrays of joins are remembered up to the bytes of the mailbox', async () => {
	const { d, player, array } = await startJoins(60, [
		'--max-mailbox-bytes', '300000']);
	let n = 0, nJoins = 0, last;

	for (; n < 64; n++) {
		last = await player.command(array, keyed(`k${n}`));
		if (last.status !== 200)
			break;
		nJoins += last.json.filter((each) =>
			each.command === '###!JRK').length;
		await player.drain();
		ok(await player.events({ after: player.cursor, wait: 0 }));
	}
	// A join is remembered with 33 KB.
	assert.ok(nJoins >= 4 && nJoins < 9, `${nJoins} joins`);
	assert.ok(n < 64);
	assertFailure(last, 409, 'ICB', 'mailbox-full');
	assert.match(last.json.data, /own mailbox/);
	// Nothing that was remembered has been forgotten, nothing is done twice.
	const { next } = ok(await player.events({ after: 0, wait: 0, max: 0 }));

	for (let i = 0; i < n; i++)
		assert.equal((await player.command(array, keyed(`k${i}`)))
		    .headers['idempotency-replayed'], 'true');
	assertFailure(await player.command(array, keyed('new')), 409, 'ICB',
	    'mailbox-full');
	assert.equal(ok(await player.events({ after: 0, wait: 0, max: 0 })).next,
	    next);
	// Without a key there is nothing to be remembered.
	assert.deepEqual(errorsOf(ok(await player.command(
	    [{ command: '###!LR' }]))), ['not-in-room']);
	assertFailure(await player.leave(keyed('leave')), 409, 'LRB', 'not-in-room');
	// After ten minutes the oldest go.
	await player.drain();
	ok(await player.events({ after: player.cursor, wait: 0 }));
	d.advance(601);
	ok(await player.command(array, keyed('new')));
});

test('a command whose reply does not fit is not carried out, and in an array the ' +
    'others are', async () => {
	const { player, array } = await startJoins(16, [
		'--max-mailbox-bytes', '29000']);
	const replies = ok(await player.command(array, keyed('k')));
	const joins = replies.filter((each) => each.command === '###!JRK');

	assert.deepEqual(errorsOf(replies), ['mailbox-full', 'not-in-room']);
	assert.equal(joins.length, 1);
	assert.deepEqual((await player.news()).map(([code]) => code),
	    ['CTR', ...Array(16).fill('RPC')]);
	assert.equal(replies.filter((each) => each.command === '###!LRK').length, 1);
	// And so alone.
	const join = array[0].data;

	for (let i = 0; i < 2; i++)
		assertFailure(await player.join(join, keyed('alone')), 409, 'JRB',
		    'mailbox-full');
	assertFailure(await player.room(), 404, 'ICB', 'not-in-room');
	ok(await player.join(join));
});

test('what is remembered takes room for mail, over a restart too', async () => {
	const d = await startDaemon({ args: [...FAST,
		'--max-mailbox-bytes', '10000'] });
	const { players: [host, bob] } = await makeRoom(d);
	const data = (n) => ({ id: 1, rtc: 'x'.repeat(n) });
	const failing = Array(30).fill({ command: '###!SR' });

	ok(await host.events({ after: host.cursor, wait: 0 }));
	ok(await bob.offer(data(9000)));
	await host.drain();
	ok(await host.events({ after: host.cursor, wait: 0 }));
	ok(await host.seal());
	// 30 times 100 bytes or so.
	ok(await host.command(failing, keyed('k')));
	await host.drain();
	ok(await host.events({ after: host.cursor, wait: 0 }));
	assertFailure(await bob.offer(data(9000)), 409, 'ICB', 'mailbox-full');
	await d.restart();
	assertFailure(await bob.offer(data(9000)), 409, 'ICB', 'mailbox-full');
	ok(await bob.offer(data(5000)));
});

test('mail that fills a mailbox does not stop its owner\'s keyed commands',
    async () => {
	const d = await startDaemon({ args: FAST });
	const { players: [host, bob] } = await makeRoom(d);

	ok(await host.events({ after: host.cursor, wait: 0 }));
	for (let n = 65000, i = 0; n > 1 && i < 100; i++)
		if ((await bob.offer({ id: 1, rtc: 'x'.repeat(n) })).status !== 204)
			n >>= 1;
	for (let i = 0; i < 70; i++) {
		const replies = ok(await host.command(Array(64).fill(
		    { command: '###!CC', data: { id: bob.id } }), keyed(`k${i}`)));

		assert.ok(replies.every((each) => each === null));
		await bob.drain();
	}
	ok(await host.leave(keyed('leave')));
	assert.equal((await host.leave(keyed('leave')))
	    .headers['idempotency-replayed'], 'true');
});

test('a member that fills its mailbox with replies cannot silence its room',
    async () => {
	const d = await startDaemon({ args: [...FAST,
		'--max-mailbox-bytes', '100000'] });
	const { players: [ann, bob] } = await makeRoom(d);
	const failing = Array(64).fill({ command: '###!SR' });
	let i = 0;

	// About 100 bytes are remembered of each of them.
	while ((await bob.command(failing, keyed(`k${i}`))).status === 200 &&
	    i < 20)
		i++;
	assert.ok(i > 5 && i < 20);
	ok(await bob.events({ after: bob.cursor, wait: 0 }));
	ok(await ann.message(ofBytes(65536)));
	assertFailure(await bob.room(), 410, 'PTO', 'timed-out');
});

test('a register and an unregister with a key are never refused for their reply',
    async () => {
	const d = await startDaemon({ args: [...FAST,
		'--max-mailbox-bytes', '100'] });
	const key = 'k'.repeat(30);
	const { token } = ok(await request(d, 'POST', '/register',
	    { body: 'ann', ...keyed(key) }));
	const player = new Player(d, { token });

	assertFailure(await player.create(keyed('k')), 409, 'CRB', 'mailbox-full');
	ok(await player.create());
	ok(await player.leave(keyed('l')));
	ok(await player.unregister(keyed('u')));
});
