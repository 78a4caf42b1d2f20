// godot4.test.mjs - the scripts for Godot 4 can at least be parsed.  The parser
// knows the language, but no types and nothing of Godot's classes.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../clients/godot', import.meta.url));
// bootstrap --check installs the modules in the build folder.
const require = createRequire(path.resolve('modules/godot/package.json'));
const GODOT_3 = new RegExp('emit_signal|Pool\\w+Array|JSON\\.print|yield\\(|' +
    '^(export|onready|tool)\\b|File\\.new|Directory\\.new|TYPE_REAL|' +
    'pause_mode|rand_range|, self, "|\\.empty\\(\\)|OS\\.get_ticks', 'm');
let parser;
let skip = false;

try {
	const Parser = require('tree-sitter');

	parser = new Parser();
	parser.setLanguage(require('tree-sitter-gdscript'));
} catch (error) {
	skip = `needs what ./bootstrap --check installs: ${error.message.split('\n')[0]}`;
}

function* filesIn(dir, ext)
{
	for (const entry of fs.readdirSync(dir, { withFileTypes: true }))
		if (entry.isDirectory())
			yield* filesIn(path.join(dir, entry.name), ext);
		else if (entry.name.endsWith(ext))
			yield path.join(dir, entry.name);
}

function mistakes(text)
{
	const found = [];
	const visit = (node) => {
		if (node.type === 'ERROR' || node.isMissing)
			found.push(`${node.startPosition.row + 1}: ` +
			    node.text.slice(0, 60));
		node.children.forEach(visit);
	};

	// In pieces: the binding takes no string of 32 KiB or more at once.
	visit(parser.parse((index) => text.slice(index, index + 4096)).rootNode);
	return found;
}

test('scripts for Godot 4 are GDScript', { skip }, () => {
	const scripts = [...filesIn(root, '.gd')];

	assert.ok(scripts.length >= 5);
	for (const each of scripts)
		assert.deepEqual(mistakes(fs.readFileSync(each, 'utf8')), [], each);
	assert.notDeepEqual(mistakes('func f(:\n\tpass\n'), []);
});

test('scripts for Godot 4 have no words of Godot 3', () => {
	for (const each of filesIn(root, '.gd'))
		assert.doesNotMatch(fs.readFileSync(each, 'utf8'), GODOT_3, each);
	for (const each of filesIn(path.join(root, '../godot3'), 'client.gd'))
		assert.match(fs.readFileSync(each, 'utf8'), GODOT_3);
});

test('scenes name scripts, nodes and methods that there are', () => {
	for (const folder of [root, path.join(root, '../godot3')])
		for (const scene of filesIn(folder, '.tscn')) {
			const text = fs.readFileSync(scene, 'utf8');
			const script = fs.readFileSync(
			    scene.replace(/\.tscn$/, '.gd'), 'utf8');

			for (const [, file] of text.matchAll(/path="res:\/\/([^"]*)"/g))
				assert.ok(fs.existsSync(path.join(folder, file)), file);
			for (const [, from, method] of text.matchAll(
			    /^\[connection .*from="(\w+)" .*method="(\w+)"/gm)) {
				assert.ok(text.includes(`[node name="${from}"`), from);
				assert.ok(script.includes(`func ${method}(`), method);
			}
		}
});
