// tabs.test.mjs - more tabs of one browser than it has HTTP/1.1 connections to a
// server, with HTTP/2 in front of the daemon: all polls are held, and commands
// pass.
import assert from 'node:assert/strict';
import test from 'node:test';
import { CHROMIUM, inBrowser, inPage, launch, startPages }
    from '../lib/browser.mjs';
import { readMetrics } from '../lib/metrics.mjs';
import { until } from '../lib/peerpost.mjs';
import { spkiHash } from '../lib/tls.mjs';
import { tlsServers } from '../proxy/servers.mjs';
import { startServer, startUpstream, whyNot } from '../proxy/web_server.mjs';

const N_TABS = 8;
const [spec] = tlsServers;

await inBrowser(import.meta.url, () => test(`${N_TABS} tabs behind ` +
    spec.name, { skip: whyNot(spec) }, async () => {
	const { daemon, upstream } = await startUpstream(spec,
	    { admin: '127.0.0.1:0', clock: false });
	const front = await startServer(spec, upstream);
	// Trusted by its key, and nothing else is: RFC 7469, section 2.4.
	const browser = await launch({ ...CHROMIUM, args: [...CHROMIUM.args,
		'--ignore-certificate-errors-spki-list=' +
		spkiHash(front.certificate)] });
	const pages = await startPages();
	const tabs = [];
	let room;

	for (let i = 0; i < N_TABS; i++) {
		const tab = await browser.newPage();

		await tab.goto(`${pages}/page.html?` + new URLSearchParams({
			server: `https://${front.host}:${front.port}`,
			name: `tab ${i}`, client: '{}', rtc: '{}', alone: true }));
		await inPage(tab, () => globalThis.isReady);
		room = await tab.evaluate((uuid) => globalThis.enter(uuid), room);
		tabs.push(tab);
	}
	await until(async () => (await readMetrics(daemon))(
	    'peerpost_polls_parked') === N_TABS || null, 'held polls');
	await tabs.at(-1).evaluate(() => globalThis.client.sendMessage('hello'));
	for (const tab of tabs)
		assert.ok(await inPage(tab, () =>
			globalThis.messages().includes('hello')));
}));
