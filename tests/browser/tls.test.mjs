// tls.test.mjs - the demo over the daemon's own https, in Chromium.
import assert from 'node:assert/strict';
import test from 'node:test';
import { CHROMIUM, inBrowser, inPage, launch, openPage }
    from '../lib/browser.mjs';
import { scratchDir, startDaemon, until } from '../lib/peerpost.mjs';
import { makeCertificate, skipTls, spkiHash, tlsArgs } from '../lib/tls.mjs';

// Somebody creates a room, or joins the one whose link it is.
async function enter(page, name, button)
{
	await page.type('#name', name);
	await page.click(button);
	await inPage(page, () => document.querySelector('#room-link').href);
}

await inBrowser(import.meta.url, () => test('two meet, talk, and stay when ' +
    'the certificate is replaced', { skip: skipTls }, async () => {
	const certificate = makeCertificate(scratchDir());
	// Trusted by its key, and nothing else is: RFC 7469, section 2.4.
	const browser = await launch({ ...CHROMIUM, args: [...CHROMIUM.args,
		`--ignore-certificate-errors-spki-list=${spkiHash(certificate)}`] });
	const daemon = await startDaemon({ listen: 'https://127.0.0.1:0',
		args: ['--demo', ...tlsArgs(certificate)], ca: certificate.ca });
	const ann = await openPage(browser, `${daemon.url}/demo/`);

	await enter(ann, 'Ann', '#create');

	const link = await ann.$eval('#room-link', ({ href }) => href);

	assert.ok(link.startsWith(`${daemon.url}/demo/`), link);

	const bob = await openPage(browser, link);

	await enter(bob, 'Bob', '#join');
	for (const page of [ann, bob])
		await inPage(page, () => document.querySelector('#players')
		    .innerText.includes('connected'));
	process.kill(daemon.pid, 'SIGHUP');
	await until(() => daemon.stderr.includes('reloaded') || null);
	// By the room: through their polls, which are held on old connections.
	await ann.select('#chat-way', 'room');
	await ann.type('#chat-input', 'Hello from Ann');
	await ann.keyboard.press('Enter');
	for (const page of [ann, bob]) {
		await inPage(page, () => document.querySelector('#chat-log')
		    .innerText.includes('Hello from Ann'));
		assert.deepEqual(page.complaints, []);
	}
}));
