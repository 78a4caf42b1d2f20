// outages.test.mjs - Godot games and a server that is away, or far, or silent;
// and a page that is not seen.  Most of this is waiting, so all of it goes on at
// the same time.
import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { Game, assertCalm, carries, inGodot, launchForGames, meet, startArcade,
    startWay, talk } from '../lib/godot_web.mjs';
import { Player, ok, startDaemon } from '../lib/peerpost.mjs';
import { patience, until, within } from '../lib/wait.mjs';
import { servers } from '../proxy/servers.mjs';
import { startServer, whyNot } from '../proxy/web_server.mjs';

const AWAY_MS = 100_000;
// What comes at the end of an outage of any kind, on a busy machine.
const LONG_MS = 150_000 * patience;
// Of Chromium, to one server.
const N_CONNECTIONS = 6;
const PLAYER_TIMEOUT = 10;

// Somebody comes into the room and says nothing, until the server takes them for
// gone; a member waits for that, and the host is not.
async function outliveSomebody(daemon, uuid, member)
{
	const idle = await Player.register(daemon, 'idle');
	let isGone = false;

	ok(await idle.join(uuid));
	while (!isGone) {
		const { events, next } = ok(await member.events(
		    { after: member.cursor, wait: 5 }));

		member.cursor = next;
		for (const { command, data } of events) {
			assert.notEqual(command, '###!RCL');
			isGone ||= command === '###!RPD' && data === idle.id;
		}
	}
}

await inGodot(import.meta.url, async () => {
	// Pages that are not seen are to be slow, as for everybody but puppeteer.
	const browser = await launchForGames([], { ignoreDefaultArgs: [
		'--disable-background-timer-throttling',
		'--disable-backgrounding-occluded-windows',
		'--disable-renderer-backgrounding'] });
	const pages = await startArcade();
	const open = (url, options) => Game.open({ browser, pages, ...options,
		client: { url, ...options?.client } });

	// The longest begins before all others, and they are over before it.
	const { daemon, proxy } = await startWay();
	const [ann, bob] = await Promise.all([open(proxy.url), open(proxy.url)]);
	const uuid = await ann.enter('Ann');
	let isKilled = false;

	proxy.script = (exchange) => {
		if (carries(exchange, 'JR') && !isKilled) {
			isKilled = true;
			exchange.forwarded.then(() => daemon.kill());
		}
		return {};
	};
	await bob.register('Bob');
	await bob.order('client', 'join_room', uuid);
	for (const game of [ann, bob])
		await game.until('network_trouble');
	await bob.order('client', 'send_message', 'from the outage');

	const isOver = pause(AWAY_MS);

	// As shipped but for the pages beside it, a proxy that packs all replies
	// and has no patience.
	const strict = { ...servers.nginxHttp, edit: [['\t\tgzip off;\n', ''],
		['proxy_read_timeout 75s', 'proxy_read_timeout 20s'],
		['\tlocation / {\n', `\tlocation /pages/ {\n\t\tgzip off;\n\t\tproxy_pass ${
			pages}/;\n\t}\n\tlocation / {\n`]] };

	describe('at the same time', { concurrency: true }, () => {
		test('the daemon is away for 100 s, from the moment of a join',
		    async (t) => {
			await isOver;
			await daemon.restart();

			const back = await Promise.all([ann, bob].map((game) =>
				game.now()));

			[, bob.id] = (await bob.until('room_entered',
			    { ms: LONG_MS })).data;
			await meet([ann, bob]);
			await talk(ann, bob);
			for (const game of [ann, bob]) {
				await game.until('message_received', 'from the outage');
				assert.equal((await game.said('message_received'))
				    .length, 1);
				assert.deepEqual(await game.said('command_failed',
				    'session_ended', 'peer_failed'), []);
			}

			const late = await Promise.all([ann, bob].map(async (game, i) =>
				(await game.until('network_restored')).at - back[i]));

			t.diagnostic('measured: after 100 s without a daemon two games ' +
			    `are back ${late.join(' and ')} ms after it`);
		});

		test('behind an nginx that packs replies and cuts polls, on its own ' +
		    'origin and below a path', { skip: whyNot(strict) }, async () => {
			const daemon = await startDaemon({ clock: false,
				args: ['--base-path', '/signal'] });
			const nginx = await startServer(strict,
			    `127.0.0.1:${daemon.port}`);
			const origin = `http://${nginx.host}:${nginx.port}`;
			const players = await Promise.all([1, 2].map(() => open(
			    `${origin}/signal`, { pages: `${origin}/pages` })));
			const nCuts = () => nginx.logText().split('\n').filter((line) =>
				/\/signal\/events" 504/.test(line)).length;

			await players[1].enter('Bob',
			    await players[0].enter('Ann'));
			await meet(players);
			await talk(...players);
			// Both, unless one had cut its polls short before.
			await until(() => nCuts() >= 1, 'poll that was cut');
			for (const game of players)
				await game.ask('client', 'send_message', 'hello');
			for (const game of players)
				await game.until('message_received', { n: 2 });
			await assertCalm(...players);
		});

		test('a hole in the network: nobody answers', async () => {
			const { proxy } = await startWay();
			const ann = await open(proxy.url,
			    { client: { silence_seconds: 2 } });
			let release;
			const hole = new Promise((resolve) => {
				release = resolve;
			});

			await ann.register('Ann');

			// More than there are connections: some have been given up.
			const isDeep = new Promise((resolve) => {
				let n = 0;

				proxy.script = async () => {
					if (++n > N_CONNECTIONS + 1)
						resolve();
					await hole;
					return {};
				};
			});

			await ann.order('client', 'create_room');
			await ann.order('client', 'send_message', 'x');
			await within(LONG_MS, 'requests in the hole', isDeep);
			await ann.until('network_trouble');
			release();
			await ann.until('message_received', 'x');
			await ann.until('network_restored');
			assert.deepEqual(await ann.said('command_failed',
			    'session_ended'), []);
		});

		test('a page that is not seen keeps its player, and its room',
		    async () => {
			const { daemon } = await startWay(['--player-timeout',
				`${PLAYER_TIMEOUT}`]);
			const ann = await open(daemon.url);
			const uuid = await ann.enter('Ann');
			const eve = await Player.register(daemon, 'eve');
			const other = await ann.context.newPage();

			await other.bringToFront();
			await ann.frame.waitForFunction(() =>
				document.visibilityState === 'hidden', { polling: 100 });
			ok(await eve.join(uuid));
			// Twice as long as somebody lives who says nothing.
			for (let n = 0; n < 2; n++)
				await outliveSomebody(daemon, uuid, eve);
			ok(await eve.message('are you there?'));
			assert.equal(ok(await eve.room()).peers.length, 2);
			await other.close();
			await ann.page.bringToFront();
			await ann.until('message_received', 'are you there?');
			await ann.until('peer_connected', eve.id);
			await ann.ask('client', 'send_message', 'yes');
			await assertCalm(ann);
		});
	});
});
