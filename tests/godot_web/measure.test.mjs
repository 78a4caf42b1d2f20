// measure.test.mjs - figures rather than a test: how long an engine takes to
// start and games to meet, and with how many requests.  Eight engines are too
// many for every day, so it runs by hand:
//
//	PEERPOST_TEST_LONG=1 sh ../tests/node.sh ../tests/godot_web/measure.test.mjs
import assert from 'node:assert/strict';
import test from 'node:test';
import { Game, assertCalm, inGodot, launchForGames, meet, startArcade, startWay,
    talk } from '../lib/godot_web.mjs';

const ROUNDS = 3;
// Of each in a mesh of eight.
const MAX_REQUESTS = 30;

function median(values)
{
	return [...values].sort((a, b) => a - b)[values.length >> 1];
}

await inGodot(import.meta.url, () =>
	test('two, five and eight games', async (t) => {
		const browser = await launchForGames();
		const pages = await startArcade();
		const { proxy } = await startWay();
		const games = [];
		const starts = [];

		while (games.length < 8) {
			const game = await Game.open({ browser, pages,
				client: { url: proxy.url } });

			starts.push((await game.until('ready')).at);
			games.push(game);
		}
		t.diagnostic('measured: one engine after the other starts in ' +
		    `${starts.join(', ')} ms`);

		for (const n of [2, 5, 8]) {
			const waits = [];
			const counts = [];

			for (let round = 0; round < ROUNDS; round++) {
				const players = games.slice(0, n);

				for (const game of players)
					await game.begin({ client: { url: proxy.url } });
				proxy.requests.length = 0;

				const uuid = await players[0].enter('Ann');

				await Promise.all(players.slice(1).map((game) =>
					game.enter('Bob', uuid)));
				await meet(players);
				counts.push(proxy.requests.length / n);
				await talk(...players);
				await assertCalm(...players);
				for (const game of players.slice(1)) {
					const connected = (await game.said(
					    'mp_peer_connected')).at(-1).at;

					waits.push(connected - game.joinedAt);
				}
			}
			t.diagnostic(`measured: ${n} games: from join to connected ` +
			    `with all ${median(waits)} ms (median of ${waits.length}; ` +
			    `${Math.min(...waits)} to ${Math.max(...waits)}), ` +
			    `${counts.map((each) => each.toFixed(1)).join(', ')} ` +
			    'requests a player');
			assert.ok(n < 8 || Math.max(...counts) < MAX_REQUESTS, counts);
		}
	}), { lacks: process.env.PEERPOST_TEST_LONG !== '1' &&
	    'needs PEERPOST_TEST_LONG=1' });
