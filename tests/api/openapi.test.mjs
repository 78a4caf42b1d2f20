// openapi.test.mjs - docs/openapi.yaml has every path, method, status and error
// word that the sources have, and nothing else; it is clean; and the check of
// replies against it, which request() makes, finds what is wrong.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { modulesDir, OpenapiDocument, whyNot } from '../lib/openapi.mjs';
import { runProgram } from '../lib/peerpost.mjs';

const top = fileURLToPath(new URL('../../', import.meta.url));
const source = (file) => fs.readFileSync(path.join(top, file), 'utf8');
const api = whyNot ? null : new OpenapiDocument();
const METHODS = ['get', 'head', 'post', 'put', 'delete', 'options', 'patch',
	'trace'];

const sorted = (set) => [...new Set(set)].sort();

// [path, method] of every operation, and the pointer to it.
function operations()
{
	return Object.entries(api.doc.paths).flatMap(([where, item]) =>
	    Object.keys(item).filter((key) => METHODS.includes(key))
	    .map((method) => [where, method, '/paths/' +
		where.replaceAll('/', '~1') + `/${method}`]));
}

// 'STATUS WORD' of every failure that is documented anywhere.
function documentedFailures()
{
	const found = [];

	for (const at of ['/x-elsewhere', ...operations().map((each) => each[2])])
		for (const status of Object.keys(
		    api.resolve(`${at}/responses`).value))
			for (const word of api.wordsOf(
			    `${at}/responses/${status}`))
				found.push(`${status} ${word}`);
	return sorted(found);
}

test('the document has the paths and methods of route.c, and no others',
    { skip: whyNot }, () => {
	const text = source('src/api/route.c');
	const allowed = Object.fromEntries([...text.matchAll(
	    /^#define (ALLOW_\w+) "(.*)"/gm)].map(([, name, list]) =>
	    [name, list.toLowerCase().split(', ')]));
	const routes = [...text.matchAll(/^\t\{ "([^"]+)",\s+\w+,\s+(ALLOW_\w+)/gm)]
	    .flatMap(([, where, name]) => allowed[name]
		.filter((method) => method !== 'options')
		.map((method) => `${method} ${where}`));

	assert.ok(routes.length > 20);
	// /demo/ is told with /demo, which leads there.
	assert.deepEqual(sorted(operations().map(([where, method]) =>
	    `${method} ${where}`)),
	sorted(routes.map((each) => each.replace(/ \/demo\/$/, ' /demo'))));
});

test('the document has the statuses and words of err.h, and no others',
    { skip: whyNot }, () => {
	const rows = [...source('src/base/err.h').matchAll(
	    /^\tX\(\w+,\s*(\d+), "([^"]*)"/gm)].map(([, status, word]) =>
	    [status, word]).filter(([, word]) => word && word !== 'internal');

	assert.ok(rows.length > 20);
	assert.deepEqual(documentedFailures(),
	    sorted(rows.map(([status, word]) => `${status} ${word}`)));
	assert.deepEqual(sorted(
	    api.doc.components.schemas.Failure.properties.error.enum),
	sorted(rows.map(([, word]) => word)));
});

test('what has a Retry-After in err.h has it in the document',
    { skip: whyNot }, () => {
	for (const [, status, retry] of source('src/base/err.h').matchAll(
	    /^\tX\(\w+,\s*(\d+), "[^"]+", ".*", (\d+)\)/gm))
		for (const [where, method, at] of operations()) {
			const { value } = api.resolve(
			    `${at}/responses/${status}`);

			if (value && status !== '500')
				assert.equal(Boolean(value.headers?.['Retry-After']),
				    retry !== '0', `${method} ${where} ${status}`);
		}
});

test('the document has the codes of the commands', { skip: whyNot }, () => {
	const commands = fs.readdirSync(path.join(top, 'src/api/command'))
	    .filter((file) => /\.c$/.test(file))
	    .flatMap((file) => source(`src/api/command/${file}`)
		.split(/^const struct command /m).slice(1))
	    .map((text) => Object.fromEntries([...text.matchAll(
		/^\t\.(code|path|ok|failed) = "(.*)",/gm)].map(
		([, key, value]) => [key, value])));

	assert.deepEqual(
	    sorted(api.doc.components.schemas.Command.properties.command.enum),
	    sorted(commands.map(({ code }) => code)));
	for (const { path: where, ok, failed } of commands) {
		const { post } = api.doc.paths[where];
		const at = `/paths/${where.replace('/', '~1')}/post/responses/200` +
		    '/content/application~1json/schema';

		assert.equal(post['x-failure-code'], failed, where);
		if (ok)
			assert.equal(
			    api.resolve(at).value.properties.command.const, ok);
		else
			assert.ok(post.responses['204'], where);
	}
});

test('the document has the version of the daemon', { skip: whyNot }, () => {
	assert.equal(runProgram(['--version']).stdout.trim(),
	    `peerpostd ${api.doc.info.version}`);
});

// Run a program of the modules: { status, output }.
function runModule(program, ...args)
{
	const { status, stdout, stderr } = spawnSync(process.execPath,
	    [path.join(modulesDir, 'node_modules', program), ...args],
	    { encoding: 'utf8', env: { ...process.env, REDOCLY_TELEMETRY: 'off',
		    REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true' } });

	return { status, output: stdout + stderr };
}

const document = path.join(top, 'docs/openapi.yaml');

test('redocly lint has nothing to say', { skip: whyNot }, () => {
	const { status, output } = runModule('@redocly/cli/bin/cli.js', 'lint',
	    '--config', path.join(top, 'tests/openapi/redocly.yaml'), document);

	assert.equal(status, 0, output);
	assert.match(output, /is valid/);
	assert.doesNotMatch(output, /warning/i);
});

test('spectral lint has nothing to say', { skip: whyNot }, () => {
	const { status, output } = runModule(
	    '@stoplight/spectral-cli/dist/index.js', 'lint',
	    '--fail-severity', 'hint', '--ruleset',
	    path.join(top, 'tests/openapi/spectral.yaml'), document);

	assert.equal(status, 0, output);
	assert.match(output, /No results with a severity of 'hint' or higher/);
});

test('types can be generated from it, and say what clients rely on',
    { skip: whyNot }, () => {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'peerpost-types-'));

	try {
		const made = runModule('openapi-typescript/bin/cli.js', document,
		    '--output', path.join(dir, 'generated.ts'));

		assert.equal(made.status, 0, made.output);
		fs.copyFileSync(path.join(top, 'tests/openapi/types.ts'),
		    path.join(dir, 'types.ts'));
		const compiled = runModule('typescript/bin/tsc', '--noEmit',
		    '--strict', '--target', 'es2022', '--module', 'nodenext',
		    path.join(dir, 'types.ts'));

		assert.equal(compiled.status, 0, compiled.output);
	} finally {
		fs.rmSync(dir, { recursive: true });
	}
});

// A reply as request() gives it.
function reply(status, json, headers = {})
{
	return { status, json, text: json ? JSON.stringify(json) : '',
		headers: { 'cache-control': 'no-store', ...(json ? { 'content-type':
		    'application/json; charset=utf-8' } : {}), ...headers } };
}

const TOKEN = 'x'.repeat(43);
const FULL = { command: '###!JRB', data: 'Full.', error: 'room-full' };
const GOOD = {
	'a register': ['POST', '/register',
		reply(200, { command: '###!RPK', data: 5, token: TOKEN })],
	'an offer': ['POST', '/offer', reply(204)],
	'a failure': ['POST', '/join-room', reply(409, FULL)],
	'events': ['GET', '/events?after=1', reply(200, { events: [
		{ id: 2, command: '###!RMK', data: [] },
		{ id: 3, command: '###!OOO', data: { id: 1, more: 1 } }],
		next: 3, more: true })],
	'a preflight': ['OPTIONS', '/events', reply(204, null, {
		'access-control-allow-methods': 'GET, POST, HEAD, OPTIONS',
		'access-control-allow-headers': 'X',
		'access-control-max-age': '86400' })],
	'no such path': ['GET', '/nope', reply(404,
	    { ...FULL, command: '###!ICB', error: 'not-found' })],
	'replies': ['POST', '/command', reply(200, [null, FULL,
		{ command: '###!LRK', data: 'null' }])],
};
const BAD = {
	'an undocumented member': ['POST', '/register', reply(200,
	    { command: '###!RPK', data: 5, token: TOKEN, name: 'ann' })],
	'a member missing': ['POST', '/register',
		reply(200, { command: '###!RPK', data: 5 })],
	'an id that is none': ['POST', '/register',
		reply(200, { command: '###!RPK', data: 0, token: TOKEN })],
	'the code of another command': ['POST', '/create-room',
		reply(409, { ...FULL, error: 'already-in-room' })],
	'a word that is none': ['POST', '/join-room',
		reply(409, { ...FULL, error: 'room-shut' })],
	'the word of another command': ['POST', '/leave-room',
		reply(409, { ...FULL, command: '###!LRB' })],
	'the word of another status': ['POST', '/join-room', reply(404, FULL)],
	'a failure with another member': ['POST', '/join-room',
		reply(409, { ...FULL, room: 'x' })],
	'an undocumented status': ['POST', '/join-room', reply(403, FULL)],
	'an undocumented status elsewhere': ['GET', '/nope', reply(200, FULL)],
	'a body with 204': ['POST', '/offer', reply(204, FULL)],
	'another type': ['POST', '/join-room',
		reply(409, FULL, { 'content-type': 'text/html' })],
	'no JSON': ['POST', '/join-room',
		{ ...reply(409, FULL), json: undefined }],
	'no Retry-After': ['POST', '/message', reply(429,
	    { command: '###!RMB', data: 'x', error: 'rate-limited' })],
	'a Retry-After that is none': ['POST', '/message', reply(429,
	    { command: '###!RMB', data: 'x', error: 'rate-limited' },
	    { 'retry-after': 'soon' })],
	'nothing that a page sees': ['POST', '/offer',
		reply(204, undefined, { 'cache-control': undefined })],
	'an undocumented header': ['POST', '/join-room',
		reply(409, FULL, { location: '/' })],
	'an event that is none': ['GET', '/events', reply(200, { events: [
		{ id: 1, command: '###!XXX', data: 1 }], next: 1 })],
	'an event with another member': ['GET', '/events', reply(200, { events: [
		{ id: 1, command: '###!CTR', data: 1, at: 0 }], next: 1 })],
	'data of another event': ['GET', '/events', reply(200, { events: [
		{ id: 1, command: '###!CTR', data: 'x' }], next: 1 })],
	'a reset without a room': ['GET', '/events',
		reply(200, { events: [], next: 0, reset: true })],
	'a reply that is none': ['POST', '/command', reply(200, [{ x: 1 }])],
};

test('the check of replies lets pass what is right', { skip: whyNot }, () => {
	for (const [what, args] of Object.entries(GOOD))
		assert.doesNotThrow(() => api.check(...args), what);
});

test('the check of replies finds what is wrong', { skip: whyNot }, () => {
	for (const [what, args] of Object.entries(BAD))
		assert.throws(() => api.check(...args),
		    { code: 'ERR_ASSERTION' }, what);
});

test('the check of replies knows the base path', { skip: whyNot }, () => {
	const [method, target, right] = GOOD['a register'];

	api.check(method, `/a/b${target}`, right, '/a/b');
	assert.throws(() => api.check(method, target, right, '/a/b'));
});
