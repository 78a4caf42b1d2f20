// bootstrap.test.mjs - ./bootstrap --run: it prints the daemon's address, and the
// daemon does not run as root.
//
// The tree has a built daemon already: configure and make do nothing here, and no
// package is missing.
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { program, scratchDir, until } from '../lib/peerpost.mjs';

const bootstrap = fileURLToPath(new URL('../../bootstrap', import.meta.url));
const isRoot = process.getuid() === 0;

// A tree as bootstrap needs it, that others can enter.
function tree()
{
	const dir = scratchDir();
	const put = (name, text) => {
		fs.mkdirSync(path.dirname(path.join(dir, name)), { recursive: true });
		fs.writeFileSync(path.join(dir, name), text, { mode: 0o755 });
	};

	fs.chmodSync(dir, 0o755);
	for (const name of ['configure.ac', 'Makefile.am', 'tests/tests.am'])
		put(name, '');
	put('configure', '#!/bin/sh\necho all: >Makefile\n');
	put('bin/dpkg-query', '#!/bin/sh\necho install ok installed\n');
	put('build/src/peerpostd', fs.readFileSync(program));
	put('bootstrap', fs.readFileSync(bootstrap));
	return dir;
}

// Run it until it has printed its instructions.
async function run(dir, ...args)
{
	const child = spawn('sh', [path.join(dir, 'bootstrap'), '--run', ...args], {
		env: { ...process.env, SUDO_USER: '',
			PATH: `${dir}/bin:${process.env.PATH}` },
		stdio: ['ignore', 'ignore', 'pipe'] });
	const it = { child, said: '', pid: child.pid,
		end: new Promise((resolve) => child.on('close', resolve)) };

	child.stderr.setEncoding('utf8');
	child.stderr.on('data', (text) => {
		it.said += text;
	});
	after(() => child.kill('SIGKILL'));
	await until(() => /Stop it with Ctrl-C/.test(it.said) ||
	    child.exitCode !== null, `words in ${it.said}`);
	assert.equal(child.exitCode, null, it.said);
	return it;
}

// On a connection that does not last.
function statusOf(url)
{
	return new Promise((resolve, reject) => {
		http.get(url, { agent: false }, (reply) => {
			reply.resume();
			reply.on('end', () => resolve(reply.statusCode));
		}).on('error', reject);
	});
}

test('--run prints the address that the daemon listens on', async () => {
	for (const host of ['127.0.0.1', '0.0.0.0', '[::1]']) {
		const { child, said, end } = await run(tree(), '--listen',
		    `${host}:0`);
		const [, address] = /^listening on (http:\S+)$/m.exec(said);
		const url = address.replace('0.0.0.0', '127.0.0.1');

		assert.equal(address.startsWith(`http://${host}:`), true);
		assert.ok(said.includes(`\n  ${url}/demo/\n`), said);
		assert.ok(said.includes(
		    `\n  curl -d '"Alice"' ${url}/register\n`), said);
		assert.equal(said.includes('Other machines use'),
		    host === '0.0.0.0');
		assert.equal(await statusOf(`${url}/demo/`), 200);
		child.kill('SIGINT');
		assert.equal(await end, 0);
	}
});

test('--run prints what the daemon is told about path and database', async () => {
	for (const args of [(base, file) => ['--base-path', base, '--database',
		file], (base, file) => ['--database=x', `--base-path=${base}/`,
		`--database=${file}`]]) {
		const dir = tree();
		const user = isRoot ? ['--user=root'] : [];
		const { child, said, end } = await run(dir, ...user, '--listen',
		    '127.0.0.1:0', ...args('/signal', 'build/other.db'));
		const [, address] = /^listening on (http:\S+)$/m.exec(said);

		assert.match(said, / is kept in build\/other\.db\.$/m);
		assert.ok(fs.existsSync(path.join(dir, 'build/other.db')));
		assert.ok(said.includes(`\n  ${address}/signal/demo/\n`), said);
		assert.ok(said.includes(`' ${address}/signal/register\n`), said);
		assert.ok(said.includes(`' ${address}/signal/events\n`), said);
		assert.equal(await statusOf(`${address}/signal/demo/`), 200);
		child.kill('SIGINT');
		assert.equal(await end, 0);
	}
});

test('--run on a Unix socket prints commands that use it', async () => {
	const dir = tree();
	const user = isRoot ? ['--user=root'] : [];

	for (const file of ['build/sock', path.join(scratchDir(), 'sock')]) {
		const { child, said, end } = await run(dir, ...user, '--listen',
		    `unix:${file}`, '--base-path', '/signal');
		const [command] = /^ {2}curl .*\/register$/m.exec(said);

		assert.ok(command.startsWith('  curl --unix-socket ' +
		    `${path.resolve(dir, file)} `), command);
		assert.equal(said.match(/^ {2}curl --unix-socket /mg).length, 3);
		assert.doesNotMatch(said, /two tabs/);
		// In whatever folder.
		assert.match(execFileSync('sh', ['-c', command], { cwd: '/',
			encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
		/"token":/);
		child.kill('SIGINT');
		assert.equal(await end, 0);
	}
});

test('--run as root runs the daemon as nobody', { skip: !isRoot &&
    'needs root' }, async () => {
	const dir = tree();
	const nobody = Number(execFileSync('id', ['-u', 'nobody']));
	const { child, pid, said, end } = await run(dir, '--listen',
	    '127.0.0.1:0');

	assert.match(fs.readFileSync(`/proc/${pid}/status`, 'utf8'),
	    new RegExp(`^Uid:\\t${nobody}\\t${nobody}\\t`, 'm'));
	assert.doesNotMatch(said, /running as root/);
	assert.match(said, /is kept in build\/run\/peerpost\.db\./);
	assert.equal(fs.statSync(path.join(dir, 'build/run/peerpost.db')).uid,
	    nobody);
	child.kill('SIGINT');
	assert.equal(await end, 0);
	// The database is good for the next time, too.
	const again = await run(dir, '--listen', '127.0.0.1:0');

	again.child.kill('SIGINT');
	assert.equal(await again.end, 0);
});

test('--run with a --user leaves that to the daemon', { skip: !isRoot &&
    'needs root' }, async () => {
	const { child, pid, end } = await run(tree(), '--user=root', '--listen',
	    '127.0.0.1:0');

	assert.match(fs.readFileSync(`/proc/${pid}/status`, 'utf8'),
	    /^Uid:\t0\t0\t/m);
	child.kill('SIGINT');
	assert.equal(await end, 0);
});
