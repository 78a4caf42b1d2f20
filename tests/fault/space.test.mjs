// space.test.mjs - real filesystems that are full, and get room again.
//
// A disk that is full must not be full for ever: deleting needs room, too.  Each
// filesystem here is filled to its end, by mail or by a file of somebody else's;
// then all mail is acknowledged, and writing must work again, with the daemon that
// met it and with one that is started there after kill -9.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { after, test } from 'node:test';
import { readMetrics } from '../lib/metrics.mjs';
import { inNamespaceOfItsOwn } from '../lib/namespace.mjs';
import { assertFailure, looked, makeRoom, ok, request, scratchDir, startDaemon,
    until } from '../lib/peerpost.mjs';

const MIB = 1 << 20;
const SIZE = 32 * MIB;
const SIZES = [500, 5000, 60_000];

function run(...command)
{
	const { status, stderr } = spawnSync(command[0], command.slice(1),
	    { encoding: 'utf8' });

	return status === 0 ? null : stderr || `no ${command[0]}`;
}

// A directory to mount something on.
function mountPoint()
{
	const dir = scratchDir();

	after(() => run('umount', '-l', dir));
	return dir;
}

// A filesystem of its own: { dir, fault }.
function mountTmpfs()
{
	const dir = mountPoint();

	return { dir, fault: run('mount', '-t', 'tmpfs', '-o', `size=${SIZE}`,
	    'tmpfs', dir) };
}

function mountExt4()
{
	const dir = mountPoint();
	const image = path.join(scratchDir(), 'image');

	fs.writeFileSync(image, '');
	fs.truncateSync(image, SIZE);
	// No blocks are kept for root.
	return { dir, fault: run('mkfs.ext4', '-q', '-m', '0', image) ??
	    run('mount', '-o', 'loop', image, dir) };
}

const filesystems = [['tmpfs', mountTmpfs], ['ext4', mountExt4]];

function start(dir, args = [])
{
	return startDaemon({ database: path.join(dir, 'peerpost.db'),
		admin: '127.0.0.1:0', args: ['--command-rate', '0',
			'--register-rate', '0', '--player-timeout', '0',
			'--lobby-timeout', '0', '--max-database', '0', ...args] });
}

// Send mail until isEnough(response, bytes); its receivers.
async function fill(daemon, isEnough)
{
	const receivers = [];
	let response, n = 0, bytes = 0;

	do {
		const { players: [ann, bob] } = await makeRoom(daemon);

		receivers.push({ ann, bob });
		do {
			const size = SIZES[n++ % SIZES.length];

			response = await bob.offer({ id: 1, x: 'y'.repeat(size) });
			bytes += size;
		} while (response.status === 204 && !isEnough(response, bytes));
	} while (!isEnough(response, bytes) && response.status === 409);
	return { receivers, response };
}

const isFull = ({ status }) => status === 503;

// Write into the file until there is not a byte left.
function fillWithFile(file)
{
	const fd = fs.openSync(file, 'w');

	for (let size = MIB; size >= 1; size >>= 1)
		try {
			for (;;)
				fs.writeSync(fd, Buffer.alloc(size, 1));
		} catch (error) {
			assert.equal(error.code, 'ENOSPC');
		}
	fs.closeSync(fd);
}

async function usedBytes(daemon)
{
	// It is counted once a second.
	daemon.advance(1);
	await looked(daemon);
	return (await readMetrics(daemon))('peerpost_database_used_bytes');
}

// Fetch and acknowledge everything.
async function acknowledge(receivers)
{
	let n = 0;

	for (const { ann } of receivers)
		n += (await ann.drain()).length;
	return n;
}

// Time passes, and with it what has been acknowledged.
async function works(daemon, { bob })
{
	await until(async () => {
		daemon.advance(1);
		return (await bob.offer({ id: 1, x: 'small' })).status === 204 ||
		    false;
	}, 'a command that is stored again');
	await until(async () =>
	    (await request(daemon, 'GET', '/healthz')).status === 200 || false,
	'health');
}

// Without --max-database: what the disk has room for.
function testAuto(name, dir)
{
	test(`${name}: mail is refused before the disk is full`, async () => {
		clear(dir);
		const daemon = await start(dir, ['--max-database', 'auto']);
		// The engine runs.
		await request(daemon, 'GET', '/healthz');
		const max = (await readMetrics(daemon))(
		    'peerpost_database_max_bytes');

		assert.ok(max > SIZE / 3 && max < SIZE * 0.9, `${max}`);
		const { receivers, response } = await fill(daemon, isFull);

		assertFailure(response, 503, 'ICB', 'storage');
		assert.ok(await usedBytes(daemon) < max);
		assert.ok(await usedBytes(daemon) > max - MIB);
		assert.equal((await request(daemon, 'GET', '/healthz')).status, 200);
		assert.match(daemon.stderr, /the database holds \d+ bytes/);
		assert.doesNotMatch(daemon.stderr, /full/);
		await acknowledge(receivers);
		await works(daemon, receivers[0]);
	});
}

// ulimit -f, for which the kernel sends SIGXFSZ.
test('a limit on the size of files is a full disk like any other',
    { skip: run('prlimit', '--version') ?? false }, async () => {
	const dir = scratchDir();
	const daemon = await start(dir);
	const limit = 8 * MIB;

	assert.equal(run('prlimit', '--pid', `${daemon.pid}`,
	    `--fsize=${limit}`), null);
	const { receivers, response } = await fill(daemon, isFull);

	assertFailure(response, 503, 'ICB', 'storage');
	assert.ok(await usedBytes(daemon) > limit / 2);
	assert.ok(fs.statSync(daemon.database).size <= limit);
	await acknowledge(receivers);
	await works(daemon, receivers[0]);
});

// The log, too, which is shorter than it would ever become otherwise.
test('a limit that the log meets first', { skip: run('prlimit',
    '--version') ?? false }, async () => {
	const daemon = await start(scratchDir());
	const { players: [ann, bob] } = await makeRoom(daemon);
	let n = 0;

	assert.equal(run('prlimit', '--pid', `${daemon.pid}`,
	    `--fsize=${MIB}`), null);
	for (let i = 0; i < 200; i++) {
		const { status } = await bob.offer({ id: 1,
			x: 'y'.repeat(10_000) });

		assert.ok(status === 204 || status === 503, `${status}`);
		n += status === 204;
		if (i % 10 === 0)
			await ann.drain();
		daemon.advance(2);
	}
	assert.ok(n > 100, `${n} of 200`);
});

function clear(dir)
{
	for (const each of fs.readdirSync(dir))
		fs.rmSync(path.join(dir, each), { recursive: true });
}

function testOn(name, dir)
{
	const database = path.join(dir, 'peerpost.db');
	const filler = path.join(dir, 'filler');

	for (const [how, again] of [
		['', async () => {}],
		[', after kill -9', async (daemon) => {
			await daemon.kill();
			await daemon.restart();
		}],
		[', after a restart', async (daemon) => daemon.restart()],
	]) {
		test(`${name} full of mail: acknowledged, writing works${how}`,
		    async () => {
			clear(dir);
			const daemon = await start(dir);
			const { receivers, response } = await fill(daemon, isFull);

			assertFailure(response, 503, 'ICB', 'storage');
			assert.ok(receivers.length > 15, `${receivers.length}`);
			await again(daemon);
			assert.ok(await acknowledge(receivers) > 300);
			await works(daemon, receivers[0]);
			// It has become small, and goes on becoming large.
			await until(async () => {
				daemon.advance(3);
				return fs.statSync(database).size < 4 * MIB || false;
			}, 'a short file');
			const more = await fill(daemon, (_, bytes) => bytes > 8 * MIB);

			assert.equal(more.response.status, 204);
			await daemon.stop();
		});

		test(`${name} filled by another: acknowledged, writing works${how}`,
		    async () => {
			clear(dir);
			const daemon = await start(dir);
			const { receivers } = await fill(daemon,
			    (_, bytes) => bytes > 8 * MIB);
			const before = await usedBytes(daemon);
			const { players: [, dan] } = await makeRoom(daemon);

			daemon.advance(3);
			await until(async () => fs.statSync(`${database}-wal`).size === 0 ||
			    false, 'an empty log');
			fillWithFile(filler);
			assertFailure(await dan.offer({ id: 1 }), 503, 'ICB', 'storage');
			// What gives room back is done.
			ok(await dan.leave());
			await again(daemon);
			await acknowledge(receivers);
			await works(daemon, receivers[0]);
			assert.ok(await usedBytes(daemon) < before / 2);
			// All of that on the little that it had.
			assert.ok(fs.statSync(filler).size > 8 * MIB);
			fs.rmSync(filler);
			daemon.advance(2);
			const more = await fill(daemon, (_, bytes) => bytes > 8 * MIB);

			assert.equal(more.response.status, 204);
			await daemon.stop();
		});
	}
}

await inNamespaceOfItsOwn(import.meta.url, 'filesystems that are full',
    async () => {
	for (const [name, mount] of filesystems) {
		const { dir, fault } = mount();

		if (fault)
			test(`${name}`, { skip: `cannot be mounted: ${fault}` },
			    () => {});
		else {
			testAuto(name, dir);
			testOn(name, dir);
		}
	}
}, { unshare: process.getuid() === 0 ? ['-m', '-n'] : ['-r', '-m', '-n'] });
