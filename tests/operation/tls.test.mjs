// tls.test.mjs - what is only there over TLS: handshakes, records, and the
// certificate.  (That all else is as over plain HTTP is for node_tls.sh.)
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import tls from 'node:tls';
import { Calm } from '../lib/calm.mjs';
import { Gate } from '../lib/gate.mjs';
import { abstractName, startManager } from '../lib/manager.mjs';
import { readMetrics } from '../lib/metrics.mjs';
import { Player, connectTo, makeRoom, ok, parked, request,
    runProgram, scratchDir, startDaemon, until, within }
    from '../lib/peerpost.mjs';
import { findProgram } from '../lib/programs.mjs';
import { rest } from '../lib/rest.mjs';
import { makeCertificate, openssl, skipTls, tlsArgs } from '../lib/tls.mjs';
import { DEADLINE_MS } from '../lib/wait.mjs';
import { Wire, plain, settle } from '../lib/wire.mjs';

const RELOADED = /the configuration has been reloaded/;
const HEALTH = plain('GET', '/healthz');
const dir = scratchDir();
const certificate = skipTls ? null : makeCertificate(dir);

// A daemon that serves https, and the same in the clear for those who look on.
function startTls({ args = [], ...options } = {})
{
	return startDaemon({ listen: ['https://127.0.0.1:0', '127.0.0.1:0'],
		args: [...tlsArgs(certificate), ...args], ca: certificate.ca,
		...options });
}

// The plain listener of the same daemon.
const aside = { listener: 1 };

async function lookedAside(daemon)
{
	for (let i = 0; i < 2; i++)
		ok(await request(daemon, 'GET', '/healthz', aside));
	await rest(daemon);
}

// A connection whose bytes the gate lets through, in the handshake still.
async function beginHandshake(daemon)
{
	const gate = await Gate.start(daemon);

	gate.shut();

	const socket = connectTo(gate.daemon);
	const closed = new Promise((resolve) => {
		socket.on('close', resolve);
	});

	socket.on('error', () => {});
	await gate.holds(100);
	return { gate, socket, closed };
}

function tlsTest(name, run)
{
	test(name, { skip: skipTls }, run);
}

// --- who gets in ----------------------------------------------------------

tlsTest('curl trusts it, speaks TLS 1.3 and 1.2, and nothing older',
    async (t) => {
	if (!findProgram('curl'))
		return t.skip('needs curl');
	const daemon = await startTls();
	const curl = (...args) => spawnSync('curl', ['-s', '-w',
		'%{http_code} %{http_version}', '-o', '/dev/null', '--cacert',
		certificate.cert, ...args, `${daemon.url}/healthz`],
	    { encoding: 'utf8' });

	assert.match(daemon.url, /^https:\/\/127\.0\.0\.1:\d+$/);
	for (const version of ['1.2', '1.3'])
		assert.equal(curl(`--tlsv${version}`, '--tls-max', version).stdout,
		    '200 1.1');
	// OpenSSL would by itself not offer it.
	assert.notEqual(curl('--tlsv1.1', '--tls-max', '1.1', '--ciphers',
	    'DEFAULT@SECLEVEL=0').status, 0);
});

tlsTest('it is served on IPv6, too', async () => {
	const daemon = await startTls({ listen: 'https://[::1]:0' });

	assert.match(daemon.url, /^https:\/\/\[::1\]:\d+$/);
	ok(await request(daemon, 'GET', '/healthz'));
});

tlsTest('handshakes that come to nothing are counted', async (t) => {
	if (!findProgram('curl'))
		return t.skip('needs curl');
	const d = await startTls({ admin: '127.0.0.1:0' });
	const nFailed = async () => (await readMetrics(d))(
	    'peerpost_tls_handshake_failures_total');

	ok(await request(d, 'GET', '/healthz'));
	assert.equal(await nFailed(), 0);

	// Who does not know the authority; who speaks no TLS.
	assert.notEqual(spawnSync('curl', ['--silent', `${d.url}/healthz`],
	    { timeout: 10_000 }).status, 0);
	const wire = await Wire.open({ listeners: [{ host: d.host,
		port: d.port }] });

	await wire.send('hello\r\n\r\n').closed();
	wire.close();
	await until(async () => await nFailed() === 2 || null,
	    'two that failed');
});

tlsTest('http:// in front of an address changes nothing', async () => {
	const daemon = await startDaemon({ listen: 'http://127.0.0.1:0' });

	assert.match(daemon.url, /^http:/);
	ok(await request(daemon, 'GET', '/healthz'));
});

tlsTest('what is no handshake is closed without a word', async () => {
	const daemon = await startTls();
	const where = { listeners: [{ host: daemon.host, port: daemon.port }] };

	for (const bytes of [HEALTH, 'SSH-2.0-x\r\n', '\x16\x02'.repeat(99),
		'\x16\x03\x01\xff\xff'.repeat(9), '\0'.repeat(1000)]) {
		const wire = await Wire.open(where);

		await wire.send(bytes).closed();
		wire.close();
	}
	ok(await request(daemon, 'GET', '/healthz'));
});

// --- handshakes -----------------------------------------------------------

tlsTest('a client that stops in its handshake costs nothing, and is closed ' +
    'after 15 s', async () => {
	const daemon = await startTls({ clock: 'still' });
	const calm = await Calm.start();

	for (const nSent of [100, Infinity]) {
		const { gate, socket, closed } = await beginHandshake(daemon);
		const finished = once(socket, 'secureConnect');

		gate.release(nSent);
		// With all of it out, its own end of the handshake is there.
		if (nSent === Infinity) {
			await finished;
			await gate.holds(1);
		}
		await lookedAside(daemon);
		finished.catch(() => {});
		await calm.waitFor(daemon);
		daemon.advance(14);
		await lookedAside(daemon);
		assert.equal(gate.out.readyState, 'open');
		daemon.advance(2);
		await within(DEADLINE_MS, 'close', closed);
		gate.close();
	}
});

tlsTest('a byte now and then does not prolong a handshake', async () => {
	const daemon = await startTls({ clock: 'still' });
	const { gate, closed } = await beginHandshake(daemon);

	for (let i = 0; i < 4; i++) {
		gate.release(1);
		await lookedAside(daemon);
		assert.equal(gate.out.readyState, 'open');
		daemon.advance(4.5);
	}
	await within(DEADLINE_MS, 'close', closed);
});

tlsTest('who says nothing at all is closed after 15 s', async () => {
	const daemon = await startTls({ clock: 'still' });
	const wire = await Wire.open({ listeners: [
		{ host: daemon.host, port: daemon.port }] });

	await lookedAside(daemon);
	daemon.advance(14);
	await lookedAside(daemon);
	assert.equal(wire.isClosed, false);
	daemon.advance(2);
	await wire.closed();
});

tlsTest('after its handshake a client need not ask at once', async () => {
	const daemon = await startTls();
	const wire = await Wire.open(daemon);

	await settle(daemon);
	daemon.advance(60);
	await lookedAside(daemon);
	ok(await wire.exchange(HEALTH));
	wire.close();
});

tlsTest('a handshake and a request that come byte by byte are served',
    async () => {
	const daemon = await startTls();
	const { gate, socket } = await beginHandshake(daemon);
	const wire = new Wire(socket);

	wire.send(HEALTH);

	const answered = wire.response();
	let isOver = false;

	answered.finally(() => {
		isOver = true;
	});
	while (!isOver) {
		gate.release(1);
		await new Promise((resolve) => setImmediate(resolve));
	}
	ok(await answered);
	wire.close();
});

tlsTest('a stop with handshakes under way is an orderly one', async () => {
	const daemon = await startTls();
	const begun = [];

	for (const nSent of [0, 100, Infinity, 100]) {
		const each = await beginHandshake(daemon);

		each.gate.release(nSent);
		begun.push(each);
	}
	await lookedAside(daemon);

	const stopping = daemon.stop();

	// The two seconds in which handshakes might still be finished.
	daemon.advance(2);
	await lookedOrGone(daemon);
	daemon.advance(1);
	assert.equal(await stopping, 0);
	for (const { closed } of begun)
		await closed;
});

async function lookedOrGone(daemon)
{
	await request(daemon, 'GET', '/healthz', aside).catch(() => {});
}

// --- records --------------------------------------------------------------

tlsTest('many requests in one record, and one in many', async () => {
	const daemon = await startTls();
	const wire = await Wire.open(daemon);
	const N = 200;

	// More than what is read at once: the rest waits inside of GnuTLS, where
	// no epoll sees it.
	wire.send(HEALTH.repeat(N));
	for (let i = 0; i < N; i++)
		ok(await wire.response());
	// A poll that is held, with requests behind it.
	const { token } = await Player.register(daemon);

	wire.send(plain('GET', '/events?wait=55', { token }) + HEALTH.repeat(3));
	await settle(daemon);
	assert.equal(wire.pending.length, 0);
	daemon.advance(56);
	for (let i = 0; i < 4; i++)
		ok(await wire.response());
	for (const byte of HEALTH)
		wire.send(byte);
	ok(await wire.response());
	wire.close();
});

tlsTest('large bodies go both ways, also to one that reads slowly',
    async () => {
	const daemon = await startTls({ args: ['--max-body', '4194304',
		'--max-mailbox-bytes', '8388608'] });
	const { players: [ann, bob] } = await makeRoom(daemon);
	const text = 'x'.repeat(3_000_000);

	ok(await ann.message(text));

	const wire = await Wire.open(daemon);

	// Its socket is full, and the daemon's as well, before it reads on.
	wire.socket.pause();
	wire.send(plain('GET', `/events?after=${bob.cursor}&wait=0`,
	    { token: bob.token }));
	await settle(daemon);
	await (await Calm.start()).waitFor(daemon);
	wire.socket.resume();
	assert.equal(ok(await wire.response()).events[0].data, text);
	ok(await wire.exchange(HEALTH));
	wire.close();
});

tlsTest('a request behind a record without data is read', async (t) => {
	const daemon = await startTls();
	const gate = await Gate.start(daemon);
	const client = spawn('openssl', ['s_client', '-connect',
		`127.0.0.1:${gate.port}`, '-CAfile', certificate.cert]);
	let text = '';

	t.after(() => client.kill());
	for (const stream of [client.stdout, client.stderr])
		stream.on('data', (part) => {
			text += part;
		});
	await until(() => text.includes('Verify return code') || null);
	client.stdin.write(HEALTH);
	await until(() => text.includes('"status":"ok"') || null, 'answer');
	text = '';
	gate.shut();
	// Its command for a key update (RFC 8446, section 4.6.3).
	client.stdin.write('K\n');
	await gate.holds(1);

	const n = gate.nHeld;

	client.stdin.write(HEALTH);
	await gate.holds(n + HEALTH.length);
	gate.release();
	await until(() => text.includes('"status":"ok"') || null, 'answer');
});

tlsTest('a client that closes only its sending side is answered', async () => {
	const daemon = await startTls();
	const wire = await Wire.open(daemon);

	wire.send(plain('POST', '/register', { body: '"ann"' })).finish();
	assert.match(ok(await wire.response()).command, /RPK/);
	await wire.closed();
	wire.close();
});

tlsTest('a parked player who closes is gone, and frees the connection',
    async () => {
	const daemon = await startTls({ args: ['--max-connections', '4'] });
	const { token } = await Player.register(daemon, 'ann', aside);
	// More often than there are connections.
	for (let i = 0; i < 6; i++) {
		const wire = await Wire.open(daemon);

		wire.send(plain('GET', '/events?wait=55', { token }));
		await lookedAside(daemon);
		wire.finish();
		ok(await wire.response());
		await wire.closed();
		wire.close();
	}
});

// --- the certificate ------------------------------------------------------

// What a new connection is shown.
async function shown(daemon, ca)
{
	const socket = tls.connect({ host: daemon.host, port: daemon.port, ca });

	await once(socket, 'secureConnect');

	const { subject } = socket.getPeerCertificate();

	socket.destroy();
	return subject.CN;
}

async function hangUp(daemon, said)
{
	const from = daemon.stderr.length;

	process.kill(daemon.pid, 'SIGHUP');
	await until(() => said.test(daemon.stderr.slice(from)) || null,
	    `${said} in the log`);
}

tlsTest('SIGHUP takes the new certificate and drops nobody', async () => {
	const [old, next] = ['old', 'next'].map((name) =>
	    makeCertificate(dir, name));
	const live = { cert: path.join(dir, 'live.crt'),
		key: path.join(dir, 'live.key') };
	const put = ({ cert, key }) => {
		fs.copyFileSync(cert, live.cert);
		fs.copyFileSync(key, live.key);
	};

	put(old);
	const daemon = await startTls({ args: tlsArgs(live), ca: old.ca });
	const { players: [ann, bob] } = await makeRoom(daemon);
	const poll = bob.events({ after: bob.cursor, wait: 55 });
	const wire = await Wire.open(daemon);
	const { gate, socket, closed } = await beginHandshake(daemon);

	await parked(daemon, poll);
	// One handshake has been begun with the old one, and is finished later.
	const finished = once(socket, 'secureConnect');

	gate.release();
	await finished;
	assert.equal(await shown(daemon, old.ca), 'old');

	put(next);
	await hangUp(daemon, RELOADED);
	assert.equal(await shown(daemon, next.ca), 'next');
	gate.isOpen = true;
	gate.release();
	const begun = new Wire(socket);

	ok(await begun.exchange(HEALTH));
	ok(await wire.exchange(HEALTH));
	ok(await request(daemon, 'POST', '/message', { token: ann.token,
		body: 'hello', ...aside }));
	assert.equal(ok(await poll).events[0].data, 'hello');

	// One that cannot be used is said, and changes nothing.
	fs.copyFileSync(old.key, live.key);
	await hangUp(daemon, new RegExp('error: not reloaded, nothing has changed: ' +
	    `the key in '${live.key}' does not belong to the certificate in ` +
	    `'${live.cert}'`));
	fs.rmSync(live.cert);
	await hangUp(daemon, new RegExp('error: not reloaded, nothing has changed: ' +
	    `cannot read '${live.cert}': No such file`));
	assert.equal(await shown(daemon, next.ca), 'next');
	put(old);
	await hangUp(daemon, RELOADED);
	assert.equal(await shown(daemon, old.ca), 'old');
	ok(await begun.exchange(HEALTH));
	begun.close();
	await closed;
	ok(await wire.exchange(HEALTH));
	wire.close();
});

tlsTest('what cannot work is refused in one line', async () => {
	const { cert, key } = certificate;
	const other = makeCertificate(dir, 'other');
	const locked = path.join(dir, 'locked.key');
	const legacy = path.join(dir, 'legacy.key');
	const https = ['--listen', 'https://127.0.0.1:0'];
	const nowhere = path.join(dir, 'nowhere');
	const empty = path.join(dir, 'empty');
	const files = (c, k) => [...https, '--tls-cert', c, '--tls-key', k];

	openssl('pkcs8', '-topk8', '-in', key, '-out', locked, '-passout',
	    'pass:secret');
	openssl('ec', '-aes128', '-in', key, '-out', legacy, '-passout',
	    'pass:secret');
	fs.writeFileSync(empty, '');
	for (const [args, code, said] of [
		[https, 2, '--listen https://... needs a --tls-cert'],
		[[...https, '--tls-cert', cert], 2, '--tls-cert needs its --tls-key'],
		[[...https, '--tls-key', key], 2, 'needs a --tls-cert'],
		[['--check-config', ...files(cert, nowhere)], 2,
			`cannot read '${nowhere}': No such file`],
		[['--listen', 'https://unix:/tmp/x'], 2, 'https is not available on Unix sockets'],
		[['--listen', 'http://unix:/tmp/x'], 2, 'unix:PATH'],
		[['--listen', 'https://localhost:0'], 2, 'is not ADDR:PORT'],
		[['--listen', 'https://127.0.0.1:0/'], 2, 'is not ADDR:PORT'],
		[['--fastcgi', 'https://127.0.0.1:0'], 2, 'is not ADDR:PORT'],
		[[...https, '--tls-cert', ''], 2, '--tls-cert'],
		[files(nowhere, key), 1, `cannot read '${nowhere}': No such file`],
		[files(cert, nowhere), 1, `cannot read '${nowhere}': No such file`],
		[files(dir, key), 1, `cannot read '${dir}': Is a directory`],
		[files(key, key), 1, `'${key}' has no certificate (in PEM)`],
		[files(cert, cert), 1, `'${cert}' has no private key (in PEM)`],
		[files(empty, key), 1, `'${empty}' has no certificate`],
		[files('/dev/zero', key), 1, `cannot read '/dev/zero': it is a device`],
		[files(cert, '/dev/zero'), 1,
			`cannot read '/dev/zero': it is a device`],
		[files(cert, other.key), 1, `the key in '${other.key}' does not ` +
		    `belong to the certificate in '${cert}'`],
		[files(cert, locked), 1, `the key in '${locked}' is encrypted`],
		[files(cert, legacy), 1, `the key in '${legacy}' is encrypted`],
	]) {
		const result = runProgram(['--database', nowhere, ...args]);

		assert.equal(result.code, code, args.join(' '));
		assert.ok(result.stderr.includes(said), result.stderr);
		assert.match(result.stderr, /^peerpostd: .*\n$/);
		assert.ok(!fs.existsSync(nowhere));
	}
});

tlsTest('a certificate without an https socket is not used, but checked at reloads',
    async () => {
	const file = path.join(dir, 'unused.conf');
	const write = (cert, key) => fs.writeFileSync(file,
	    `tls-cert = ${cert}\ntls-key = ${key}\n`);

	write(certificate.cert, certificate.key);

	const daemon = await startDaemon({ clock: false,
		args: ['--config', file] });

	ok(await request(daemon, 'GET', '/healthz'));
	assert.match(daemon.stderr, /warning: --tls-cert and --tls-key are not used/);
	await hangUp(daemon, RELOADED);
	write(certificate.cert, certificate.cert);
	await hangUp(daemon, /error: not reloaded.*has no private key/);
	ok(await request(daemon, 'GET', '/healthz'));
	await daemon.stop();
});

tlsTest('an inherited socket named https needs a certificate, and speaks TLS',
    async () => {
	const sockets = [['https', '0']];
	const bare = startManager({ notify: abstractName(), sockets });

	bare.tell('start');
	assert.equal(await bare.line(/^exited/), 'exited 1');
	assert.match(bare.stderr,
	    /^peerpostd: error: [^\n]*https socket needs a --tls-cert[^\n]*\n$/);

	const manager = startManager({ notify: abstractName(), sockets,
		args: tlsArgs(certificate) });

	await manager.start();

	const [, port] = /^listening on https:\/\/127\.0\.0\.1:(\d+)$/m
	    .exec(manager.stderr);

	assert.equal(await shown({ host: '127.0.0.1', port }, certificate.ca),
	    'tls');
	await manager.stop();
});

tlsTest('a key that everybody can read, and a certificate that is out of date, ' +
    'are warned of', async () => {
	const key = path.join(dir, 'open.key');

	fs.copyFileSync(certificate.key, key);
	fs.chmodSync(key, 0o644);
	const daemon = await startTls({ args: ['--tls-key', key] });

	assert.match(daemon.stderr, new RegExp('warning: everybody can read the ' +
	    `key in '${key}'`));
	ok(await request(daemon, 'GET', '/healthz'));
	assert.doesNotMatch((await startTls()).stderr, /warning: .*key|expired/);

	// It is good for 30 days.
	daemon.advance(31 * 86400);
	await hangUp(daemon, new RegExp('warning: the certificate in ' +
	    `'${certificate.cert}' has expired`));
	daemon.advance(-62 * 86400);
	await hangUp(daemon, new RegExp('warning: the certificate in ' +
	    `'${certificate.cert}' is not valid yet`));
});
