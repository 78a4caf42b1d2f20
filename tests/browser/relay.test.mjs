// relay.test.mjs - data channels through a TURN server, with the credentials of
// GET /ice-servers, and nothing but through it (protocol section 9).
import assert from 'node:assert/strict';
import test from 'node:test';
import { inBrowser, inPage, launch, openPair, startPages, talk }
    from '../lib/browser.mjs';
import { startDaemon } from '../lib/peerpost.mjs';
import { lacksCoturn, startTurnServer } from '../lib/turn.mjs';

const SECRET = 'north-of-nowhere';

await inBrowser(import.meta.url, async () => {
	const skip = lacksCoturn;
	const browser = await launch();
	const pages = await startPages();
	const turn = skip ? null : await startTurnServer([SECRET],
	    { toLoopback: true });

	async function openRelayed(secret)
	{
		const daemon = await startDaemon({ args: ['--turn-uri', turn.url,
			'--turn-secret', secret] });

		return openPair({ browser, pages, server: daemon.url,
			rtc: { iceTransportPolicy: 'relay' } });
	}

	async function close(players)
	{
		for (const page of players)
			await page.browserContext().close();
	}

	test('the credentials of the daemon let a channel through', { skip },
	    async () => {
		const players = await openRelayed(SECRET);

		await talk(...players);
		for (const page of players) {
			const types = await page.evaluate(async () => {
				const { mesh } = globalThis;
				const stats = await mesh.connection(mesh.peers[0])
				    .getStats();
				const { selectedCandidatePairId } = [...stats.values()]
				    .find(({ type }) => type === 'transport');
				const pair = stats.get(selectedCandidatePairId);

				return [pair.localCandidateId, pair.remoteCandidateId]
				    .map((id) => stats.get(id).candidateType);
			});

			assert.deepEqual(types, ['relay', 'relay']);
			assert.deepEqual(page.complaints, []);
		}
		await close(players);
	});

	test('credentials by another secret do not', { skip }, async () => {
		const players = await openRelayed(`${SECRET}x`);

		for (const page of players) {
			await inPage(page, () => globalThis.iceErrors.includes(401) &&
			    globalThis.iceCandidates.includes('end'));
			assert.deepEqual(await page.evaluate(() =>
			    [globalThis.mesh.peers, globalThis.iceCandidates
			    .filter((type) => type !== 'end')]), [[], []]);
		}
		await close(players);
	});
});
