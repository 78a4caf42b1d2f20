// firewall.test.mjs - the JavaScript client in two browsers behind ModSecurity
// with the OWASP core rules: pages of another origin find the dialect that
// passes, and real descriptions and candidates get through.
import assert from 'node:assert/strict';
import test from 'node:test';
import { CHROMIUM, inBrowser, inPage, launch, openPair, startPages, talk }
    from '../lib/browser.mjs';
import { firewall, lacksFirewall, objections } from '../proxy/modsecurity.mjs';
import { startServer, startUpstream } from '../proxy/web_server.mjs';

await inBrowser(import.meta.url, async () => {
	const browser = await launch({ ...CHROMIUM, args: [...CHROMIUM.args,
		'--host-resolver-rules=MAP signal.test 127.0.0.1'] });
	const pages = await startPages();

	test('two meet behind a firewall, and again after a reload',
	    { skip: lacksFirewall }, async () => {
		const spec = firewall();
		const { upstream } = await startUpstream(spec, { clock: false });
		const front = await startServer(spec, upstream);
		const server = `http://signal.test:${front.port}`;
		const players = await openPair({ browser, pages, server });

		await talk(...players);
		for (const page of players) {
			assert.equal(await page.evaluate(() => sessionStorage.getItem(
			    Object.keys(sessionStorage).find((key) =>
			        key.startsWith('peerpost-mode:')))), '"headers"');
			// The one that was refused, and Chromium says so.
			assert.deepEqual(page.complaints.filter((text) =>
			    !/CORS policy|net::ERR_FAILED/.test(text)), []);
			page.complaints = [];
		}
		assert.deepEqual(objections(front).filter((id) => id < '949'),
		    ['920420']);
		await players[1].reload();
		await inPage(players[1], () => globalThis.isReady);
		await talk(...players);
		assert.deepEqual(players[1].complaints, []);
		for (const page of players)
			await page.browserContext().close();
	});
});
