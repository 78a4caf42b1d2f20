// single.test.mjs - one daemon a database, one daemon a socket.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { test } from 'node:test';
import { Player, ok, program, request, runProgram, scratchDir, startDaemon,
    until, within } from '../lib/peerpost.mjs';
import { DEADLINE_MS } from '../lib/wait.mjs';

function assertRefused(result)
{
	assert.equal(result.code, 1, result.stderr);
	assert.doesNotMatch(result.stderr, /listening on/);
	assert.match(result.stderr, /^[^\n]+\n$/, 'one line says why');
}

function isListening(file)
{
	return new Promise((resolve) => {
		const socket = net.connect(file);

		socket.on('connect', () => {
			socket.destroy();
			resolve(true);
		});
		socket.on('error', () => resolve(false));
	});
}

test('a second daemon on the same database is refused', async () => {
	const daemon = await startDaemon({ clock: false });
	const ann = await Player.register(daemon, 'ann');
	const result = runProgram(['--listen', '127.0.0.1:0', '--database',
		daemon.database]);

	assertRefused(result);
	assert.match(result.stderr, /in use/);
	ok(await ann.create());
	await daemon.kill();
	// A killed one holds nothing.
	await daemon.restart();
	ok(await ann.room());
});

test('a daemon started while another one ends takes over from it', async () => {
	const daemon = await startDaemon({ clock: false });
	const ann = await Player.register(daemon, 'ann');
	const second = spawn(program, ['--listen', '127.0.0.1:0', '--database',
		daemon.database], { stdio: ['ignore', 'ignore', 'pipe'] });
	let stderr = '';

	try {
		second.stderr.setEncoding('utf8');
		second.stderr.on('data', (text) => {
			stderr += text;
		});
		// It has tried, and slept, and tried again: nothing else makes it
		// sleep so often before it listens.
		await until(() => Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(
		    fs.readFileSync(`/proc/${second.pid}/status`, 'utf8'))[1]) > 5,
		'second daemon at the database');
		assert.equal(stderr, '');
		assert.equal(await daemon.stop(), 0);
		const url = await until(() =>
		    /listening on (http:\S+?)\/?\n/.exec(stderr)?.[1] ?? false,
		    'second daemon');
		const response = await fetch(`${url}/events?after=0&wait=0`,
		    { headers: { Authorization: `Bearer ${ann.token}` } });

		assert.equal(response.status, 200);
	} finally {
		second.kill();
		await within(DEADLINE_MS, 'end', new Promise((resolve) => {
			if (second.exitCode !== null || second.signalCode !== null)
				resolve();
			second.on('exit', resolve);
		}));
	}
	assert.equal(second.exitCode, 0, stderr);
});

test('a socket file that a killed daemon left is used again', async () => {
	const file = path.join(scratchDir(), 'http.sock');
	const daemon = await startDaemon({ clock: false, listen: `unix:${file}` });

	await daemon.kill();
	assert.ok(fs.existsSync(file), 'nothing was left');
	assert.equal(await isListening(file), false);
	await daemon.restart();
	ok(await request(daemon, 'GET', '/healthz'));
});

test('a socket file that somebody listens on is not taken away', async () => {
	const file = path.join(scratchDir(), 'http.sock');
	const daemon = await startDaemon({ clock: false, listen: `unix:${file}` });
	const inode = fs.statSync(file).ino;

	assertRefused(runProgram(['--listen', `unix:${file}`, '--database',
		path.join(scratchDir(), 'other.db')]));
	assert.equal(fs.statSync(file).ino, inode);
	ok(await request(daemon, 'GET', '/healthz'));
});

test('a file that is not a socket is not taken away either', () => {
	const file = path.join(scratchDir(), 'notes.txt');

	fs.writeFileSync(file, 'precious');
	assertRefused(runProgram(['--listen', `unix:${file}`, '--database',
		path.join(scratchDir(), 'other.db')]));
	assert.equal(fs.readFileSync(file, 'utf8'), 'precious');
});

test('a port that is taken is refused', async () => {
	const daemon = await startDaemon({ clock: false });

	assertRefused(runProgram(['--listen', `127.0.0.1:${daemon.port}`,
		'--database', path.join(scratchDir(), 'other.db')]));
	ok(await request(daemon, 'GET', '/healthz'));
});
