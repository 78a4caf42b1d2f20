// systemd.test.mjs - what a service manager and the daemon tell each other:
// messages, the watchdog, inherited sockets.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ok, Player, request, runProgram, scratchDir, startDaemon }
    from '../lib/peerpost.mjs';
import { abstractName, startManager } from '../lib/manager.mjs';
import { Disk } from '../lib/disk.mjs';
import { makeCertificate, skipTls } from '../lib/tls.mjs';
import { Wire, plain } from '../lib/wire.mjs';

const O_CLOEXEC = 0o2000000;

test('READY is said when it serves, and STOPPING when it is told to stop',
    async () => {
	for (const notify of [abstractName(),
		path.join(scratchDir(), 'notify.sock')]) {
		const manager = startManager({ notify });

		await manager.start();
		// Of the process itself, so that NotifyAccess=main will do.
		assert.match(manager.lines.at(-1),
		    new RegExp(`^notify ${manager.pid} READY=1\\|STATUS=serving$`));
		ok(await request(manager, 'GET', '/healthz'));
		const end = manager.stop();

		assert.equal(await end, 'exited 0');
		assert.match(manager.lines.at(-2), /^notify \d+ STOPPING=1\|STATUS=/);
	}
});

test('RELOADING is said at a reload, and READY afterwards, come what may',
    async () => {
	const dir = scratchDir();
	const file = path.join(dir, 'peerpost.conf');
	const reload = async (text) => {
		fs.writeFileSync(file, text);
		manager.tell('1');
		assert.match(await manager.line(/RELOADING/),
		    /RELOADING=1\|MONOTONIC_USEC=\d+\|STATUS=reading/);
		return manager.line(/READY=1/);
	};

	fs.writeFileSync(file, '');
	const manager = startManager({ notify: abstractName(), sockets: [
		['http', '0'], ['admin', path.join(dir, 'admin.sock')]],
	args: ['--config', file] });

	await manager.start();
	assert.match(await reload('poll-wait = 1\n'), /STATUS=serving, reloaded$/);
	assert.match(await reload('poll-weight = 1\n'),
	    /STATUS=serving, not reloaded \(see the log\)$/);
	// The operator's command.
	fs.writeFileSync(file, '');
	ok(await request(manager, 'POST', '/reload', { listener: 1 }));
	await manager.line(/RELOADING=1/);
	assert.match(await manager.line(/READY=1/), /serving, reloaded$/);
});

test('READY is not said before the database is open', async () => {
	const dir = scratchDir();
	const database = path.join(dir, 'peerpost.db');

	fs.writeFileSync(database, 'something else');
	const manager = startManager({ notify: abstractName(), database });

	manager.tell('start');
	assert.equal(await manager.line(/^exited/), 'exited 1');
	assert.ok(!manager.lines.some((line) => line.startsWith('notify')));
	assert.match(manager.stderr, /is not a Peerpost database\n$/);
});

test('what systemd has told the daemon is not handed on', async () => {
	const manager = startManager({ notify: abstractName(),
		watchdogUs: 60_000_000 });

	await manager.start();
	// What is in /proc is what it started with: unsetenv() leaves it.
	assert.match(fs.readFileSync(`/proc/${manager.pid}/environ`, 'latin1'),
	    /LISTEN_PID=/);
	const dir = `/proc/${manager.pid}`;
	const sockets = fs.readdirSync(`${dir}/fd`).filter((fd) =>
	    fd > 2 && fs.readlinkSync(`${dir}/fd/${fd}`).startsWith('socket:'));

	// Those that were inherited, and the one that messages go out by.
	assert.ok(sockets.length >= 2);
	for (const fd of sockets)
		assert.ok(parseInt(/^flags:\s+(\d+)$/m.exec(
		    fs.readFileSync(`${dir}/fdinfo/${fd}`, 'latin1'))[1], 8) &
		    O_CLOEXEC, `${fd} would be inherited`);
});

// Time is made to pass by the test clock, of which the half of 60 s is seen at
// once, and a second of the real one is nothing.
function testClock()
{
	const file = path.join(scratchDir(), 'clock');
	let stalled = 0n;

	fs.writeFileSync(file, Buffer.alloc(32));
	return {
		env: { PEERPOST_TEST_CLOCK: file },
		pass: (seconds) => {
			const words = Buffer.alloc(16);

			stalled += BigInt(seconds * 1000);
			words.writeBigInt64LE(stalled, 8);
			const fd = fs.openSync(file, 'r+');

			fs.writeSync(fd, words);
			fs.closeSync(fd);
		},
	};
}

test('STATUS tells how many there are, when that has changed', async () => {
	const clock = testClock();
	const manager = startManager({ notify: abstractName(), env: clock.env });

	await manager.start();
	const ann = await Player.register(manager);

	ok(await ann.create());
	clock.pass(6);
	assert.match(await manager.line(/STATUS=serving: /),
	    /STATUS=serving: 1 players in 1 rooms, 0 polls held$/);
	ok(await ann.unregister());
	clock.pass(6);
	assert.match(await manager.line(/STATUS=serving: /),
	    /STATUS=serving: 0 players in 0 rooms, 0 polls held$/);
});

test('the watchdog is fed while the engine answers, and not when it hangs',
    async () => {
	const clock = testClock();
	const disk = new Disk();
	const manager = startManager({ notify: abstractName(),
		database: disk.database, watchdogUs: 60_000_000,
		env: { ...clock.env, ...disk.env } });

	await manager.start();
	for (let i = 0; i < 3; i++) {
		clock.pass(31);
		await manager.line(/^notify \d+ WATCHDOG=1$/);
	}
	// A sync that does not return.
	disk.hang();
	const stuck = request(manager, 'POST', '/register', { body: 'ann' });

	await disk.isMet();
	const n = manager.lines.length;

	for (let i = 0; i < 4; i++) {
		clock.pass(31);
		// The loop turns, and answers what it can alone.
		assert.equal((await request(manager, 'GET', '/nothing')).status,
		    404);
	}
	assert.deepEqual(manager.lines.slice(n), []);
	disk.heal();
	await manager.line(/^notify \d+ WATCHDOG=1$/);
	ok(await stuck);
	assert.equal(await manager.stop(), 'exited 0');
});

test('without a watchdog there is no feeding', async () => {
	const clock = testClock();
	const manager = startManager({ notify: abstractName(), env: clock.env });

	await manager.start();
	clock.pass(3600);
	for (let i = 0; i < 4; i++)
		ok(await request(manager, 'GET', '/healthz'));
	assert.equal(await manager.stop(), 'exited 0');
	assert.ok(!manager.lines.some((line) => line.includes('WATCHDOG')));
});

test('sockets are served by their names, and nothing else is opened',
    async () => {
	const dir = scratchDir();
	const http = path.join(dir, 'http.sock');
	const manager = startManager({ notify: abstractName(), sockets: [
		['fastcgi', path.join(dir, 'fastcgi.sock')], ['http', '0'],
		['http', http], ['admin', path.join(dir, 'admin.sock')],
		['http', abstractName()],
		['metrics', path.join(dir, 'metrics.sock')]] });

	await manager.start();
	const [, port] = /^socket http (\d+)$/m.exec(manager.lines.join('\n'));
	const said = manager.stderr.match(/^listening on .*$/mg);

	assert.equal(said.length, 6, manager.stderr);
	assert.equal(said[0], `listening on http://127.0.0.1:${port}`);
	assert.equal(said[1], `listening on unix:${http}`);
	assert.match(said[2], /^listening on unix:@peerpost-test-/);
	assert.equal(said[3],
	    `listening on fastcgi+unix:${path.join(dir, 'fastcgi.sock')}`);
	assert.equal(said[4],
	    `listening on admin+unix:${path.join(dir, 'admin.sock')}`);
	assert.equal(said[5],
	    `listening on metrics+unix:${path.join(dir, 'metrics.sock')}`);
	for (const [listener, target] of [[1, '/healthz'], [2, '/healthz'],
	    [3, '/readyz'], [5, '/readyz']]) {
		const wire = await Wire.open(manager, { listener });

		ok(await wire.exchange(plain('GET', target)));
		wire.close();
	}
	// They are the manager's: who comes meanwhile is served afterwards.
	assert.equal(await manager.stop(), 'exited 0');
	assert.ok(fs.existsSync(http), 'the socket file is gone');
	const early = await Wire.open(manager, { listener: 2 });

	early.send(plain('GET', '/healthz'));
	await manager.start();
	ok(await early.response());
	early.close();
});

test('options open further sockets', async () => {
	const manager = startManager({ notify: abstractName(),
		args: ['--listen', '127.0.0.1:0'] });

	await manager.start();
	assert.equal(manager.stderr.match(/^listening on http:/mg).length, 2);
});

// A manager whose daemon also has a configuration file.
// lines(port): of that file, given the port of the inherited HTTP.
async function startWithFile(lines, { sockets = [['http', '0']] } = {})
{
	const file = path.join(scratchDir(), 'peerpost.conf');
	const manager = startManager({ notify: abstractName(), sockets,
		args: ['--config', file] });
	const line = await manager.line(/^socket http /);

	fs.writeFileSync(file, lines(/\d+$/.exec(line)[0]).join('\n'));
	manager.tell('start');
	return manager;
}

test('an address that is inherited is not opened again', async () => {
	const dir = scratchDir();
	const admin = path.join(dir, 'admin.sock');
	const fastcgi = path.join(dir, 'fastcgi.sock');
	const manager = await startWithFile((port) => [
		`listen = 127.0.0.1:${port}`, `listen = http://127.0.0.1:${port}`,
		`fastcgi = unix:${fastcgi}`, `admin = unix:${admin}`,
	], { sockets: [['http', '0'], ['fastcgi', fastcgi], ['admin', admin]] });

	assert.match(await manager.line(/READY/), /STATUS=serving$/);
	assert.equal(manager.stderr.match(/^listening on /mg).length, 3,
	    manager.stderr);
	assert.equal(manager.stderr.match(/is already open: /g).length,
	    4);
	assert.doesNotMatch(manager.stderr, /not listening/);
	ok(await request(manager, 'GET', '/healthz'));
	assert.equal(await manager.stop(), 'exited 0');
	assert.ok(fs.existsSync(admin) && fs.existsSync(fastcgi));
});

test('an address within one that is inherited is served there', async () => {
	const manager = await startWithFile((port) => [
		`listen = 127.0.0.1:${port}`], { sockets: [['http', '*0']] });

	assert.match(await manager.line(/READY/), /STATUS=serving$/);
	assert.match(manager.stderr, /127\.0\.0\.1:\d+ is already open: /);
	assert.equal(manager.stderr.match(/^listening on /mg).length, 1);
	ok(await request(manager, 'GET', '/healthz'));
});

test('one that an inherited socket is in the way of is left out, with a warning',
    async () => {
	const manager = await startWithFile((port) => [
		`listen = 0.0.0.0:${port}`, 'listen = 127.0.0.1:0']);

	assert.match(await manager.line(/READY/),
	    /STATUS=serving, but not on every address \(see the log\)$/);
	assert.match(manager.stderr, new RegExp(
	    '^peerpostd: warning: not listening on 0\\.0\\.0\\.0:\\d+: ' +
	    'the service manager has passed a conflicting http socket; ' +
	    '.*systemctl edit peerpost\\.socket', 'm'));
	assert.equal(manager.stderr.match(/^listening on http:/mg).length, 2);
	ok(await request(manager, 'GET', '/healthz'));
});

test('one that is inherited for another protocol is one line, and no start',
    async () => {
	const { cert, key } = skipTls ? {} : makeCertificate(scratchDir());
	const secure = [`tls-cert = ${cert}`, `tls-key = ${key}`];

	for (const [scheme, address, more] of [
		['fastcgi', '127.0.0.1', []], ['metrics', '0.0.0.0', []],
		...cert ? [['https', '127.0.0.1', secure],
			['https', '0.0.0.0', secure]] : []]) {
		const option = scheme === 'https' ? 'listen = https://' :
		    `${scheme} = `;
		const manager = await startWithFile((port) => [
			`${option}${address}:${port}`, ...more]);

		assert.equal(await manager.line(/^exited/), 'exited 1');
		await manager.close();
		assert.match(manager.stderr, new RegExp(
		    `^peerpostd: error: cannot start: \\S*${address}:\\d+ is set to ` +
		    `serve ${scheme}, but the service manager has opened it for ` +
		    'http \\(peerpost\\.socket\\): [^\\n]*systemctl edit ' +
		    'peerpost\\.socket[^\\n]*\\n$'));
	}
});

test('an address that is no part of an inherited one is opened besides',
    async () => {
	// The same port, and another address: the kernel has no objection.
	const manager = await startWithFile((port) => [
		`listen = 127.0.0.2:${port}`, `listen = [::1]:${port}`]);

	await manager.line(/READY/);
	assert.equal(manager.stderr.match(/^listening on http:/mg).length, 3,
	    manager.stderr);
	assert.doesNotMatch(manager.stderr, /not listening/);
});

test('the line about an address in use says how to find its owner',
    async () => {
	const manager = startManager({ notify: abstractName() });
	const [, port] = /(\d+)$/.exec(await manager.line(/^socket http /));
	// It has inherited nothing.
	const { code, stderr } = runProgram(['--listen', `127.0.0.1:${port}`,
		'--database', path.join(scratchDir(), 'peerpost.db')]);

	assert.equal(code, 1);
	assert.match(stderr, new RegExp('^peerpostd: error: cannot listen on ' +
	    '127\\.0\\.0\\.1:\\d+: Address already in use \\("ss -lp" .* ' +
	    '"systemctl list-sockets" shows the unit\\)\\n$'));
});

test('sockets without names serve HTTP', async () => {
	for (const name of ['peerpost.socket', 'unknown', '']) {
		const manager = startManager({ notify: abstractName(),
			sockets: [[name, '0'], [name, '0']] });

		await manager.start();
		assert.equal(manager.stderr.match(/^listening on http:/mg).length,
		    2, name);
		ok(await request(manager, 'GET', '/healthz'));
	}
});

test('an inherited socket that makes no sense is one line, and no start',
    async () => {
	for (const [sockets, said] of [
		[[['gopher', '0']],
			/descriptor 3 is named 'gopher', not http,/],
		[[['http', '0'], ['web.socket', '0']],
			/descriptor 4 is named 'web\.socket'/],
		[[['a.socket', '0'], ['b.socket', '0']],
			/descriptor 3 is named 'a\.socket'/],
		[[['http', 'udp']], /descriptor 3 \(http\) is not a stream socket/],
		[Array.from({ length: 33 }, () => ['http', '0']), /more than 32/],
	]) {
		const manager = startManager({ notify: abstractName(), sockets });

		manager.tell('start');
		assert.equal(await manager.line(/^exited/), 'exited 1');
		await manager.close();
		assert.match(manager.stderr, said);
		assert.match(manager.stderr, /^peerpostd: error: [^\n]+\n$/);
	}
});

test('what is meant for another process is left alone', async () => {
	const daemon = await startDaemon({ clock: false, env: { LISTEN_PID: '1',
		LISTEN_FDS: '1', NOTIFY_SOCKET: '/nowhere', WATCHDOG_PID: '1',
		WATCHDOG_USEC: '1' } });

	ok(await request(daemon, 'GET', '/healthz'));
	assert.equal(await daemon.stop(), 0);
	assert.doesNotMatch(daemon.stderr, /inherited/);
});

test('a player notices nothing of all this', async () => {
	const manager = startManager({ notify: abstractName() });

	await manager.start();
	const ann = await Player.register(manager, 'ann');

	ok(await ann.create());
	assert.equal(await manager.stop(), 'exited 0');
	await manager.start();
	assert.deepEqual(ok(await ann.room()).peers.length, 1);
});
