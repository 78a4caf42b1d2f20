// js_readme.test.mjs - what the README of the JavaScript client promises: its
// example runs as written, and the package is what it says.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import * as peerpost from '../../clients/js/peerpost.js';
import { scratchDir, startDaemon } from '../lib/peerpost.mjs';
import { within } from '../lib/wait.mjs';

const folder = fileURLToPath(new URL('../../clients/js', import.meta.url));
const read = (name) => fs.readFileSync(path.join(folder, name), 'utf8');

// Run a module as somebody does who has installed the package.
async function run(source, url)
{
	const dir = scratchDir();
	const file = path.join(dir, 'example.mjs');

	fs.mkdirSync(path.join(dir, 'node_modules'));
	fs.symlinkSync(folder, path.join(dir, 'node_modules/peerpost'));
	fs.writeFileSync(file, source);
	fs.writeFileSync(path.join(dir, 'url.mjs'),
	    `globalThis.PEERPOST_URL = '${url}';\n`);

	const child = spawn(process.execPath, ['--unhandled-rejections=strict',
		'--import', path.join(dir, 'url.mjs'), file]);
	let out = '';

	for (const stream of [child.stdout, child.stderr])
		stream.on('data', (part) => {
			out += part;
		});
	try {
		const code = await within(60_000, 'end of the example',
		    new Promise((resolve) => child.on('close', resolve)));

		return { code, out };
	} finally {
		child.kill('SIGKILL');
	}
}

test('the ten-line example runs as written', async () => {
	const daemon = await startDaemon();
	const [, example] = /```js\n([^]*?)```/.exec(read('README.md'));

	assert.ok(example.trim().split('\n').filter((line) => line &&
	    !line.startsWith('import')).length <= 10);
	assert.deepEqual(await run(example, daemon.url),
	    { code: 0, out: 'Bob hears: Hello, Bob!\n' });
});

test('the mesh example has ten lines, all of which are there', () => {
	const [, , example] = read('README.md').split(/```js\n/);
	const code = example.split('```')[0];

	assert.ok(code.trim().split('\n').filter((line) => line &&
	    !line.startsWith('import')).length <= 10);
	for (const [, method] of code.matchAll(/client\.(\w+)\(/g))
		assert.equal(typeof peerpost.PeerpostClient.prototype[method],
		    'function', method);
});

test('one file, no dependencies, nothing imported', () => {
	const { dependencies, exports, files, types } =
	    JSON.parse(read('package.json'));

	assert.equal(dependencies, undefined);
	for (const name of [...files, types, exports['.'].default,
		exports['.'].types])
		assert.ok(fs.existsSync(path.join(folder, name)), name);
	assert.doesNotMatch(read('peerpost.js'), /^\s*(import|export .* from)\b/m);
	assert.equal(read('COPYING'),
	    fs.readFileSync(path.join(folder, '../../COPYING'), 'utf8'));
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
