// soak.test.mjs - two players talk through a path that does at random all that a
// path can do.  Their clients only do what every client should: they repeat what
// was not answered by the daemon, commands with the same key, polls with the
// same cursor.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ok, Player, request, startDaemon } from '../lib/peerpost.mjs';
import { seeded, unlimited } from '../lib/crowd.mjs';
import { startFaultProxy } from '../lib/paths.mjs';
import { captivePortal, gatewayError } from '../lib/fault_proxy.mjs';

// To have a failure again: PEERPOST_TEST_SEED.
const seed = Number(process.env.PEERPOST_TEST_SEED ?? 1);
const N_WORDS = 150; // of each of the two
const WAIT_S = 1;
// Far more than bad luck can explain.
const N_TRIES = 100;

// One request in three gets through as if nothing were there.
function randomFaults(random)
{
	const ms = (max) => random(max * 8) / 8;
	const faults = [
		() => ({ cutAfterMs: ms(10) }),
		() => ({ cutAfterMs: ms(10), delayMs: ms(10) }),
		() => ({ drop: true }),
		() => ({ truncate: random(100) }),
		() => ({ delayMs: ms(5) }),
		() => ({ buffer: true, stripResponse: true }),
		() => ({ repeat: 2, forward: 'first' }),
		() => ({ repeat: 2, forward: 'last', cutAfterMs: 20 + ms(20) }),
		() => ({ repeat: 3, drop: true, forward: 'first' }),
		() => ({ answer: gatewayError(502 + random(3)) }),
		() => ({ answer: captivePortal() }),
	];

	return () => random(3) === 0 ? {} : faults[random(faults.length)]();
}

// Repeat a request until it is the daemon that answers.
async function insist(send)
{
	for (let n = 0; n < N_TRIES; n++) {
		let response;

		try {
			response = await send();
		} catch (error) {
			assert.ok(['ECONNRESET', 'EPIPE'].includes(error.code), error);
			continue;
		}
		// Answers of others are 5xx or no JSON, here in fact both.
		if (response.json || response.status === 204)
			return response;
	}
	throw new Error('the daemon does not answer any more');
}

// A client: each command has a key of its own, for all its repetitions.
class Client {
	constructor(way, name, random)
	{
		this.way = way;
		this.name = name;
		this.random = random;
		this.cursor = 0;
		this.ids = [];
		this.news = [];
	}

	async post(target, body)
	{
		const key = Array.from({ length: 24 }, () =>
		    this.random(36).toString(36)).join('');

		return ok(await insist(() => request(this.way, 'POST', target,
		    { body, token: this.player?.token,
			    headers: { 'Idempotency-Key': key } })));
	}

	async register()
	{
		const { data: id, token } = await this.post('/register', this.name);

		this.player = new Player(this.way, { id, token, name: this.name });
	}

	// Poll until all has been said, and nothing more comes.
	async receive(kinds, isOver)
	{
		for (;;) {
			const isLast = isOver();
			const { events, next } = ok(await insist(() =>
			    this.player.events({ after: this.cursor,
				    wait: isLast ? 0 : WAIT_S })));

			this.cursor = next;
			for (const { id, command, data } of events) {
				this.ids.push(id);
				if (kinds.includes(command))
					this.news.push([command, data]);
			}
			if (isLast && events.length === 0)
				return;
		}
	}

	// Say something to all, then to the other one, and so on.
	async talk(to)
	{
		for (let i = 0; i < N_WORDS; i++) {
			if (i % 2 === 0)
				await this.post('/message', [this.name, i]);
			else
				await this.post('/offer', { id: to, n: i });
		}
	}
}

const numbers = (news, name, from) => news.map(([, data]) =>
    Array.isArray(data) && data[0] === name ? data[1] :
        data.id === from ? data.n : null).filter((n) => n !== null);
const upTo = (n) => Array.from({ length: n }, (_, i) => i);
const spoken = (news) => news.filter(([command]) => command === '###!RMK');

test('two players talk through random faults: nothing lost, nothing twice, ' +
    'order kept', async (t) => {
	const daemon = await startDaemon({ args: [...unlimited,
		'--durability', 'process'] });
	const random = seeded(seed);
	const { proxy, way } = await startFaultProxy(daemon,
	    randomFaults(random));
	const [ann, bob] = ['ann', 'bob'].map((name) =>
	    new Client(way, name, random));

	await Promise.all([ann.register(), bob.register()]);
	const { data: uuid } = await ann.post('/create-room');
	const { id: bobsId } = await bob.post('/join-room', uuid);
	const kinds = ['###!RMK', '###!OOO'];
	let isOver = false;
	const talked = Promise.all([ann.talk(bobsId), bob.talk(1)]).then(() => {
		isOver = true;
	});

	await Promise.all([talked, ann.receive(kinds, () => isOver),
		bob.receive(kinds, () => isOver)]);

	assert.deepEqual(numbers(bob.news, 'ann', 1), upTo(N_WORDS));
	assert.deepEqual(numbers(ann.news, 'bob', bobsId), upTo(N_WORDS));
	assert.deepEqual(spoken(ann.news), spoken(bob.news));
	for (const { ids } of [ann, bob])
		assert.deepEqual(ids, ids.map((id, i) => i + 1));
	assert.equal(ok(await request(daemon, 'GET', '/room',
	    { token: ann.player.token })).peers.length, 2);

	const ends = {};

	for (const { end } of proxy.requests)
		ends[end] = (ends[end] ?? 0) + 1;
	t.diagnostic(`seed ${seed}, ${proxy.requests.length} requests: ` +
	    JSON.stringify(ends));
	for (const end of ['forwarded', 'answered', 'dropped', 'truncated', 'cut'])
		assert.ok(ends[end] > 10, `too few: ${end}`);
});
