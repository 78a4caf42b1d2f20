// kill.test.mjs - kill -9 under load, again and again.
//
// Six players in two rooms send messages, relays and arrays of relays as fast
// as they are answered, and poll with cursors, while the daemon is killed and
// started again.  Every command carries an Idempotency-Key and is repeated
// until it is answered.  In the end every mailbox is compared with the log of
// what was sent: each thing is there, once, in the order of its sender, and
// nothing else is.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { makeRoom, ok, startDaemon } from '../lib/peerpost.mjs';
import { persist, seeded, unlimited } from '../lib/crowd.mjs';

const ROUNDS = 30;

class Load {
	constructor(daemon, random)
	{
		this.daemon = daemon;
		this.random = random;
		this.members = [];
		this.isEnding = false;
		this.isDone = false;
		this.isOver = false;
		this.nAnswered = 0;
		this.nRepeated = 0;
		this.nReplayed = 0;
		this.target = null;
		this.up = Promise.resolve();
	}

	// From now on nobody sends anything, until setUp() is called.
	setDown()
	{
		this.up = new Promise((resolve) => {
			this.setUp = resolve;
		});
	}

	// Everybody stops where he is.
	abandon()
	{
		this.isEnding = this.isDone = this.isOver = true;
		this.setUp?.();
	}

	async whenUp()
	{
		await this.up;
		if (this.isOver)
			throw new Error('abandoned');
	}

	async addRoom(index, names)
	{
		const { uuid, players } = await makeRoom(this.daemon, names);

		for (const player of players)
			this.members.push({ player, room: index, uuid,
				isHost: player === players[0], n: 0,
				sent: [], got: [], seen: [] });
	}

	// Fulfilled when n more commands have been answered.
	progress(n)
	{
		return new Promise((resolve) => {
			this.target = { at: this.nAnswered + n, resolve };
		});
	}

	answered()
	{
		this.nAnswered++;
		if (this.target && this.nAnswered >= this.target.at)
			this.target.resolve();
	}

	persist(member, method, target, options)
	{
		return persist(this.daemon, method, target,
		    { token: member.player.token, ...options }, () => this.whenUp());
	}

	// A command of a kind drawn by lot, answered; it stands in the log only
	// then, and the loop goes on only then.
	async send(member)
	{
		const others = this.members.filter((each) =>
		    each.room === member.room && each !== member);
		const value = () => ({ from: member.player.id, n: member.n++,
			text: 'x'.repeat(this.random(300)) });
		const relay = () => {
			const to = others[this.random(others.length)];
			const data = value();

			member.sent.push({ to: [to], command: '###!CCC', n: data.n });
			return { id: to.isHost ? 1 : to.player.id, ...data };
		};
		const kind = this.random(3);
		let target, body, status;

		if (kind === 0) {
			body = value();
			target = '/message';
			status = 200;
			member.sent.push({ to: [member, ...others],
				command: '###!RMK', n: body.n });
		} else if (kind === 1) {
			body = relay();
			target = '/candidate';
			status = 204;
		} else {
			body = [relay(), relay(), relay()].map((data) =>
			    ({ command: '###!CC', data }));
			target = '/command';
			status = 200;
		}
		const { response, n } = await this.persist(member, 'POST', target, {
			body, headers: { 'Idempotency-Key': `k${member.n}` } });

		assert.equal(response.status, status, response.text);
		if (kind === 2)
			assert.deepEqual(response.json, [null, null, null]);
		this.nRepeated += n - 1;
		if (response.headers['idempotency-replayed'])
			this.nReplayed++;
		this.answered();
	}

	async sendAll(member)
	{
		while (!this.isEnding)
			await this.send(member);
	}

	async poll(member, wait)
	{
		const { player, got, seen } = member;
		const reply = ok((await this.persist(member, 'GET', '/events',
		    { query: { after: player.cursor, wait } })).response);

		assert.equal(reply.reset, undefined);
		assert.equal(reply.next, reply.events.at(-1)?.id ?? player.cursor);
		reply.events.forEach((event, i) => {
			const text = JSON.stringify(event);

			assert.equal(event.id, player.cursor + 1 + i, 'a gap');
			// What comes again is what came before.
			assert.equal(text, seen[event.id] ?? text);
			seen[event.id] = text;
		});
		// Now and then the reply is lost on its way.
		if (this.random(5) !== 0) {
			got.push(...reply.events);
			player.cursor = reply.next;
		}
		return reply;
	}

	async pollAll(member)
	{
		while (!this.isDone)
			await this.poll(member, 2);
		const { next: head } = ok(await member.player.room());

		while (member.player.cursor < head)
			assert.ok((await this.poll(member, 0)).events.length > 0,
			    `events after ${member.player.cursor} are lost`);
	}

	check()
	{
		for (const member of this.members) {
			const { got } = member;
			const room = this.members.filter((each) =>
			    each.room === member.room);

			for (const sender of room) {
				const expected = sender.sent
				    .filter(({ to }) => to.includes(member))
				    .map(({ command, n }) => `${command} ${n}`);
				const seen = got
				    .filter(({ data }) => data.from === sender.player.id)
				    .map(({ command, data }) => `${command} ${data.n}`);

				assert.deepEqual(seen, expected);
			}
			const strangers = got.filter(({ data }) => !room.some(
			    (each) => each.player.id === data.from));

			assert.deepEqual(strangers, []);
		}
		for (const index of new Set(this.members.map(({ room }) => room))) {
			const orders = this.members
			    .filter(({ room }) => room === index)
			    .map(({ got }) => got
				.filter(({ command }) => command === '###!RMK')
				.map(({ data }) => `${data.from} ${data.n}`));

			for (const order of orders)
				assert.deepEqual(order, orders[0]);
		}
	}
}

async function run(t, durability)
{
	const seed = Date.now() % 1e9;
	const random = seeded(seed);
	const daemon = await startDaemon({ clock: false,
		args: [...unlimited, '--durability', durability] });
	const load = new Load(daemon, random);

	t.diagnostic(`seed ${seed}`);
	await load.addRoom(0, ['ann', 'bob', 'cid']);
	await load.addRoom(1, ['dan', 'eve', 'fay']);
	const senders = load.members.map((each) => load.sendAll(each));
	const pollers = load.members.map((each) => load.pollAll(each));
	// What goes wrong there must end the rounds here.
	const failed = Promise.all([...senders, ...pollers]);

	try {
		for (let round = 0; round < ROUNDS; round++) {
			await Promise.race([load.progress(1 + random(40)), failed]);
			load.setDown();
			await daemon.kill();
			await daemon.restart();
			load.setUp();
		}
		await Promise.race([load.progress(20), failed]);
		load.isEnding = true;
		await Promise.race([Promise.all(senders), failed]);
		load.isDone = true;
		await failed;
	} finally {
		load.abandon();
	}
	load.check();
	t.diagnostic(`${load.nAnswered} commands, ${load.nRepeated} repeated, ` +
	    `${load.nReplayed} of these answered from the store`);
	assert.ok(load.nRepeated > 0, 'no command ever met a kill');
	assert.equal(await daemon.stop(), 0);
}

for (const durability of ['power', 'process'])
	test(`nothing acknowledged is lost or doubled by kill -9 (${durability})`,
	    (t) => run(t, durability));
