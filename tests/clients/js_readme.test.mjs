// js_readme.test.mjs - what the README of the JavaScript client promises: its
// example runs as written, and the package is what it says.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import * as peerpost from '../../clients/js/peerpost.js';
import { examples, packageDir, runModule } from '../lib/clients.mjs';
import { startDaemon, within } from '../lib/peerpost.mjs';

const read = (name) => fs.readFileSync(path.join(packageDir, name), 'utf8');

test('the examples have ten lines', () => {
	for (const example of examples())
		assert.equal(example.split('\n').filter(Boolean).length, 10, example);
});

test('the ten-line example runs as written', async () => {
	const daemon = await startDaemon();
	const [example] = examples();
	const child = runModule(example,
	    `globalThis.PEERPOST_URL = '${daemon.url}';`);

	assert.equal(await within(60_000, 'end of the example', child.ended), 0,
	    child.out);
	assert.equal(child.out, 'Bob hears: Hello, Bob!\n');
});

test('one file, no dependencies, nothing imported', () => {
	const { dependencies, exports, files, types } =
	    JSON.parse(read('package.json'));

	assert.equal(dependencies, undefined);
	for (const name of [...files, types, exports['.'].default,
		exports['.'].types])
		assert.ok(fs.existsSync(path.join(packageDir, name)), name);
	assert.doesNotMatch(read('peerpost.js'), /^\s*(import|export .* from)\b/m);
	assert.equal(read('LICENSE'),
	    fs.readFileSync(path.join(packageDir, '../../LICENSE'), 'utf8'));
});

test('links of the README lead somewhere from npm, too', () => {
	const { files, homepage } = JSON.parse(read('package.json'));
	const links = [...read('README.md').matchAll(/\]\(([^)]*)\)/g)]
	    .map(([, link]) => link);

	assert.ok(links.length > 0);
	for (const link of links)
		assert.ok(link.startsWith(homepage) || link.startsWith('#') ||
		    files.includes(link), link);
});

test('the types name what there is', () => {
	const types = read('peerpost.d.ts');
	const declared = [...types.matchAll(/^export (?:declare )?class (\w+)/gm)]
	    .map(([, name]) => name);

	assert.deepEqual(declared.sort(), Object.keys(peerpost).sort());
	for (const name of ['PeerpostClient', 'PeerpostMesh']) {
		const [, body] = new RegExp(`class ${name} [^]*?\\{\\n([^]*?)\\n\\}`)
		    .exec(types);
		const members = new Set([...body.matchAll(
		    /^\t(?:readonly )?(\w+)[(:<]/gm)].map(([, member]) => member));
		const real = Object.getOwnPropertyNames(peerpost[name].prototype);

		if (name === 'PeerpostClient')
			real.push('url');
		members.delete('addEventListener');
		members.delete('removeEventListener');
		members.add('constructor');
		assert.deepEqual([...members].sort(), real.sort(), name);
	}
});
