// godot_pack.mjs - makes a .pck, which Godot 4's export templates run, of a
// project as it lies in the editor's folder: nothing is imported or compiled,
// scripts, scenes and settings stay text.
//
// The layout, all numbers little-endian:
//
//	0	"GDPC"
//	4	u32 version of the format: 3
//	8	u32 major, minor, patch of the engine that it is for: none later
//		than the engine's own
//	20	u32 flags: 2, offsets of files count from the file base
//	24	u64 file base: where the files begin
//	32	u64 where the directory begins
//	40	zeros, up to the file base
//	112	the files, each at a multiple of 16
//	...	the directory: u32 number of files, and of each: u32 length of its
//		path, the path without "res://" and with zeros up to a multiple of
//		4, u64 offset, u64 size, 16 bytes of MD5, u32 flags (0)
import crypto from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';

const ENGINE_VERSION = [4, 6, 0];
const FILE_BASE = 112;
const REL_FILEBASE = 2;

function padded(what, unit)
{
	const bytes = Buffer.from(what);

	return Buffer.concat([bytes, Buffer.alloc(-bytes.length & (unit - 1))]);
}

function numbers(size, ...values)
{
	const bytes = Buffer.alloc(size * values.length);

	values.forEach((n, i) => size === 8 ?
	    bytes.writeBigUInt64LE(BigInt(n), i * size) :
	    bytes.writeUInt32LE(n, i * size));
	return bytes;
}

function pack(files)
{
	const bodies = [];
	const entries = [];
	let offset = 0;

	for (const [name, what] of [...files].sort()) {
		const body = Buffer.from(what);
		const file = padded(body, 16);
		const where = padded(name, 4);

		entries.push(numbers(4, where.length), where,
		    numbers(8, offset, body.length),
		    crypto.createHash('md5').update(body).digest(), numbers(4, 0));
		bodies.push(file);
		offset += file.length;
	}

	const head = Buffer.concat([Buffer.from('GDPC'),
		numbers(4, 3, ...ENGINE_VERSION, REL_FILEBASE),
		numbers(8, FILE_BASE, FILE_BASE + offset)]);

	return Buffer.concat([head, Buffer.alloc(FILE_BASE - head.length),
		...bodies, numbers(4, files.size), ...entries]);
}

// What the editor writes down when it has looked through a project: where the
// classes are that scripts name by class_name.  A template looks at nothing else.
function classCache(files)
{
	const list = [];

	for (const [name, what] of files) {
		const text = what.toString();
		const word = name.endsWith('.gd') &&
		    /^class_name\s+(\w+)/m.exec(text)?.[1];
		const base = /^extends\s+(\w+)/m.exec(text)?.[1] ?? 'RefCounted';

		if (word)
			list.push(`{"base": &"${base}", "class": &"${word}", ` +
			    '"icon": "", "is_abstract": false, "is_tool": false, ' +
			    `"language": &"GDScript", "path": "res://${name}"}`);
	}
	return `list=[${list.join(', ')}]\n`;
}

function readFolder(folder, at)
{
	return fs.readdirSync(folder, { withFileTypes: true }).flatMap((each) => {
		const file = path.join(folder, each.name);
		const name = path.posix.join(at, each.name);

		return each.isDirectory() ? readFolder(file, name) :
		    [[name, fs.readFileSync(file)]];
	});
}

// A project: folders by their place in it, '' for its top.  What the editor
// makes of pictures is not there, so they are left out.  change(files) may change
// the Map of names and contents.
export function packProject(folders, change = () => {})
{
	const files = new Map(Object.entries(folders).flatMap(([at, folder]) =>
		readFolder(folder, at)).filter(([name]) =>
		!/\.(png|svg|import)$/.test(name)));

	change(files);
	files.set('.godot/global_script_class_cache.cfg', classCache(files));
	return pack(files);
}
