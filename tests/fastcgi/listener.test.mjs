// listener.test.mjs - where FastCGI is served: --fastcgi, --fastcgi-mode,
// --fastcgi-group.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { ok, request, runProgram, scratchDir, startDaemon }
    from '../lib/peerpost.mjs';
import { FastcgiConnection, settleFastcgi } from
    '../lib/fastcgi_connection.mjs';

const hasIpv6 = Object.values(os.networkInterfaces()).flat()
    .some((each) => each.address === '::1');

async function assertServes(where)
{
	const connection = await FastcgiConnection.open(where);

	ok(await connection.ask('GET', '/healthz'));
	connection.close();
}

function socketPath()
{
	return path.join(scratchDir(), 'fastcgi.sock');
}

test('beside HTTP, instead of it, and several', async () => {
	const both = await startDaemon({ fastcgi: '127.0.0.1:0' });

	assert.equal(both.listeners.length, 1);
	assert.match(both.stderr, /listening on fastcgi:\/\/127\.0\.0\.1:\d+\n/);
	await assertServes(both.fastcgi[0]);
	ok(await request(both, 'GET', '/healthz'));

	const alone = await startDaemon({ listen: [], fastcgi: '127.0.0.1:0' });

	assert.equal(alone.listeners.length, 0);
	assert.doesNotMatch(alone.stderr, /listening on http/);
	await assertServes(alone.fastcgi[0]);
	assert.equal(await alone.stop(), 0);

	const several = await startDaemon({ fastcgi: ['127.0.0.1:0',
		`unix:${socketPath()}`, '127.0.0.1:0',
		...(hasIpv6 ? ['[::1]:0'] : [])] });

	assert.equal(several.fastcgi.length, hasIpv6 ? 4 : 3);
	for (const where of several.fastcgi)
		await assertServes(where);
});

test('a Unix socket: 0660 unless told otherwise, gone at the end', async () => {
	const file = socketPath();
	const daemon = await startDaemon({ listen: [],
		fastcgi: `unix:${file}` });

	assert.match(daemon.stderr,
	    new RegExp(`listening on fastcgi\\+unix:${file}\\n`));
	assert.equal(fs.statSync(file).mode & 0o777, 0o660);
	await assertServes(daemon.fastcgi[0]);
	assert.equal(await daemon.stop(), 0);
	assert.equal(fs.existsSync(file), false);
});

test('--fastcgi-mode and --fastcgi-group are those of the socket, whatever ' +
    'the umask', async () => {
	const gid = process.getuid() === 0 ? process.getgid() + 1 :
	    process.getgid();
	const http = path.join(scratchDir(), 'http.sock');
	const umask = process.umask(0o077);

	try {
		for (const mode of ['0600', '0666', '660']) {
			const file = socketPath();
			const daemon = await startDaemon({
				listen: `unix:${http}`, fastcgi: `unix:${file}`,
				args: ['--fastcgi-mode', mode,
					'--fastcgi-group', String(gid)] });
			const stat = fs.statSync(file);

			assert.equal(stat.mode & 0o777, parseInt(mode, 8));
			assert.equal(stat.gid, gid);
			// Of FastCGI only.
			assert.equal(fs.statSync(http).gid, process.getgid());
			await assertServes(daemon.fastcgi[0]);
			await daemon.stop();
		}
	} finally {
		process.umask(umask);
	}
});

test('a group by its name', async () => {
	const file = socketPath();
	const [name, , gid] = fs.readFileSync('/etc/group', 'utf8').split('\n')
	    .map((line) => line.split(':'))
	    .find(([, , id]) => Number(id) === process.getgid()) ?? [];

	if (name === undefined)
		return;
	await startDaemon({ listen: [], fastcgi: `unix:${file}`,
		args: ['--fastcgi-group', name] });
	assert.equal(fs.statSync(file).gid, Number(gid));
});

test('the socket that a killed daemon left is taken over', async () => {
	const file = socketPath();
	const daemon = await startDaemon({ listen: [],
		fastcgi: `unix:${file}` });

	await daemon.kill();
	assert.ok(fs.existsSync(file));
	await daemon.restart();
	await assertServes(daemon.fastcgi[0]);
});

test('a socket on which somebody listens, and a file, are not taken away',
    async () => {
	const [file, other] = [socketPath(), socketPath()];
	const server = net.createServer();
	const database = path.join(scratchDir(), 'peerpost.db');

	await new Promise((resolve) => server.listen(file, resolve));
	fs.writeFileSync(other, 'precious');
	try {
		for (const each of [file, other]) {
			const { code, stderr } = runProgram(['--fastcgi',
				`unix:${each}`, '--database', database]);

			assert.equal(code, 1, stderr);
			assert.doesNotMatch(stderr, /listening on/);
			assert.ok(fs.existsSync(each));
		}
		assert.equal(fs.readFileSync(other, 'utf8'), 'precious');
	} finally {
		server.close();
	}
});

test('a port that is taken: exit 1', async () => {
	const daemon = await startDaemon({ fastcgi: '127.0.0.1:0' });
	const { code } = runProgram(['--fastcgi',
		`127.0.0.1:${daemon.fastcgi[0].port}`, '--database',
		path.join(scratchDir(), 'peerpost.db')]);

	assert.equal(code, 1);
});

test('what makes no sense is refused as the other options are', () => {
	const database = ['--database', path.join(scratchDir(), 'peerpost.db')];

	for (const args of [
		...['', 'nowhere', '127.0.0.1', '127.0.0.1:x', '127.0.0.1:65536',
			'unix:', `unix:/${'x'.repeat(200)}`].map((each) =>
		    ['--fastcgi', each]),
		['--fastcgi'],
		...['', '0', '99', '0999', 'rw', '-1', '01777', '0x1ff'].map(
		    (each) => ['--fastcgi-mode', each]),
		...['', 'no such group', '-1'].map((each) =>
		    ['--fastcgi-group', each]),
	]) {
		const { code, stderr } = runProgram([...args, ...database]);

		assert.equal(code, 2, `${args}: ${stderr}`);
		assert.doesNotMatch(stderr, /listening on/);
	}
});

test('--max-connections counts both transports, and an idle FastCGI ' +
    'makes room', async () => {
	const daemon = await startDaemon({ fastcgi: '127.0.0.1:0',
		args: ['--max-connections', '8'] });
	const idle = [];

	for (let i = 0; i < 8; i++) {
		const connection = await FastcgiConnection.open(
		    daemon.fastcgi[0]);

		ok(await connection.ask('GET', '/healthz'));
		idle.push(connection);
	}
	daemon.advance(2);
	ok(await request(daemon, 'GET', '/healthz'));
	await assertServes(daemon.fastcgi[0]);
	assert.ok(idle.filter((each) => each.isClosed).length <= 3);
	for (const connection of idle)
		connection.close();
});

test('an idle connection is kept for as long as the web server keeps it',
    async () => {
	const daemon = await startDaemon({ fastcgi: '127.0.0.1:0' });
	const connection = await FastcgiConnection.open(daemon.fastcgi[0]);

	ok(await connection.ask('GET', '/healthz'));
	for (let i = 0; i < 10; i++) {
		daemon.advance(100);
		await settleFastcgi(daemon);
	}
	ok(await connection.ask('GET', '/healthz'));
	connection.close();
});
