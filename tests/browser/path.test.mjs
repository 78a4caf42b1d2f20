// path.test.mjs - the JavaScript client in two browsers behind a web server that
// knows nothing of WebSockets and keeps each reply until it is complete.
import assert from 'node:assert/strict';
import test from 'node:test';
import { inBrowser, inPage, launch, openPair, startPages, talk }
    from '../lib/browser.mjs';
import { servers } from '../proxy/servers.mjs';
import { startServer, startUpstream, whyNot } from '../proxy/web_server.mjs';

// As shipped, except for what strict proxies do: no way to change the protocol,
// nothing passed on before it is all there, and all of it compressed.
const strict = (spec, fields) => ({ ...spec, edit: [...spec.edit ?? [],
	['\t\tgzip off;\n', ''], ['\tlocation / {\n', `\tlocation / {\n${fields.map((line) =>
	    `\t\t${line};\n`).join('')}`]] });
const HTTP = strict(servers.nginxHttp, ['proxy_set_header Upgrade ""',
	'gzip on', 'gzip_types application/json text/javascript',
	'gzip_min_length 1', 'proxy_buffers 8 64k']);

await inBrowser(import.meta.url, async () => {
	const browser = await launch();
	const pages = await startPages();

	for (const spec of [HTTP, servers.nginxFastcgi])
		test(spec.name, { skip: whyNot(spec) }, async () => {
			const { upstream } = await startUpstream(spec);
			const nginx = await startServer(spec, upstream);
			const server = `http://${nginx.host}:${nginx.port}`;
			const players = await openPair({ browser, pages, server });

			await talk(...players);
			for (const page of players)
				await page.evaluate(() =>
				    globalThis.client.sendMessage(globalThis.client.name));
			for (const page of players) {
				await inPage(page, () => globalThis.messages().length === 2);
				assert.deepEqual(await page.evaluate(() =>
				    globalThis.messages()), ['Ann', 'Bob']);
				assert.deepEqual(page.complaints, []);
				await page.browserContext().close();
			}
		});
});
