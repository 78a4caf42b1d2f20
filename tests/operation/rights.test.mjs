// rights.test.mjs - --user, --group and --pid-file; what a daemon without
// rights cannot have.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { ok, program, request, runProgram, scratchDir, startDaemon }
    from '../lib/peerpost.mjs';

const NOBODY = 65534; // on any Debian; its group as well
const NUMBER = 54321; // nobody's
const asRoot = { skip: process.getuid() !== 0 && 'needs root' };
const asNobody = ['--reuid', String(NOBODY), '--regid', String(NOBODY),
	'--clear-groups', '--'];
const skipAsNobody = { skip: asRoot.skip || spawnSync('setpriv',
    [...asNobody, program, '--version']).status !== 0 &&
    'nobody cannot run the daemon here' };

// A folder of a user's, others may look into it.
function folderOf(uid)
{
	const dir = scratchDir();

	fs.chmodSync(dir, 0o755);
	fs.chownSync(dir, uid, uid);
	return dir;
}

// The program as nobody, to its end.
function runAsNobody(args)
{
	const { status, stderr } = spawnSync('setpriv',
	    [...asNobody, program, ...args], { encoding: 'utf8' });

	return { code: status, stderr };
}

// One line, and no start.
function assertRefused({ code, stderr }, pattern, status = 1)
{
	assert.equal(code, status, stderr);
	assert.match(stderr, /^peerpostd: [^\n]+\n$/);
	assert.match(stderr, pattern);
}

function statusOf(pid)
{
	return Object.fromEntries(fs.readFileSync(`/proc/${pid}/status`, 'utf8')
	    .split('\n').map((line) => line.split(':\t')));
}

test('a group or a folder that is not the daemon\'s is told with the cure',
    { skip: skipAsNobody.skip || spawnSync('unshare', ['-m', 'true'])
	.status !== 0 && 'no namespace can be made here' }, () => {
	const dir = folderOf(NOBODY);
	const inside = (flags, script, listen) => spawnSync('unshare', [...flags,
		'sh', '-c', `${script}; exec "$@"`, 'sh', program, '--database',
		path.join(dir, 'peerpost.db'), '--listen', listen],
	{ encoding: 'utf8' });
	const cure = / \(under systemd, set it in a socket unit: see UNIX SOCKETS in peerpostd\(8\)\)\n$/;

	for (const [said, { status, code = status, stderr }] of [
		['its group cannot be set: Operation not permitted',
			runAsNobody(['--database', path.join(dir, 'peerpost.db'),
				'--listen', `unix:${dir}/sock,group=0`])],
		// As PrivateUsers= makes it.
		['its group cannot be set: Invalid argument', inside(['-r'], 'true',
			`unix:${scratchDir()}/sock,group=33`)],
		// As ProtectSystem=strict does.
		['Read-only file system', inside(['-m'],
			'mount -t tmpfs -o ro none /mnt', 'unix:/mnt/sock')]]) {
		assertRefused({ code, stderr }, cure);
		assert.ok(stderr.includes(`: ${said} (`), stderr);
	}
});

test('--user: the process, the database and the sockets are that user\'s',
    asRoot, async () => {
	for (const [args, uid, gid, groups] of [
		[['--user', 'nobody'], NOBODY, NOBODY, `${NOBODY}`],
		[['--user', `${NOBODY}`, '--group', 'daemon'], NOBODY, 1,
			`1 ${NOBODY}`],
		[['--user', `${NUMBER}`, '--group', `${NUMBER}`], NUMBER, NUMBER,
			`${NUMBER}`],
	]) {
		const dir = folderOf(uid);
		const socket = path.join(dir, 'http.sock');
		const daemon = await startDaemon({ clock: false, args,
			database: path.join(dir, 'peerpost.db'),
			listen: `unix:${socket}` });
		const status = statusOf(daemon.pid);

		assert.equal(status.Uid, `${uid}\t`.repeat(3) + uid);
		assert.equal(status.Gid, `${gid}\t`.repeat(3) + gid);
		// initgroups(3) adds the groups that a user is in.
		for (const group of status.Groups.trim().split(' '))
			assert.ok(groups.split(' ').includes(group),
			    status.Groups);
		assert.match(status.CapEff, /^0+$/);
		assert.match(status.CapPrm, /^0+$/);
		for (const file of fs.readdirSync(dir)) {
			const { uid: owner, gid: group } =
			    fs.statSync(path.join(dir, file));

			assert.equal(`${owner} ${group}`, `${uid} ${gid}`, file);
		}
		assert.ok(fs.existsSync(`${daemon.database}-wal`));
		assert.doesNotMatch(daemon.stderr, /as root/);
		ok(await request(daemon, 'POST', '/register', { body: 'ann' }));
		assert.equal(await daemon.stop(), 0);
		assert.ok(!fs.existsSync(socket));
	}
});

test('--user: a folder that is not theirs is named, and so are they', asRoot,
    () => {
	for (const file of [path.join(folderOf(0), 'peerpost.db'),
		path.join(folderOf(NOBODY), 'missing', 'peerpost.db')])
		assertRefused(runProgram(['--user', 'nobody', '--listen',
			'127.0.0.1:0', '--database', file]),
		new RegExp(`error: ${file} cannot be opened: its directory cannot be ` +
		    'written: (Permission denied|No such file or directory) ' +
		    `\\(as user ${NOBODY}\\)$`, 'm'));
});

test('a folder that cannot be written is refused, the file as it may be',
    skipAsNobody, () => {
	const dir = folderOf(0);
	const file = path.join(dir, 'peerpost.db');
	const args = ['--listen', '127.0.0.1:0', '--database', file];
	const said = /peerpost\.db cannot be opened: its directory cannot be written: P/;

	assertRefused(runAsNobody(args), said);
	fs.writeFileSync(file, '');
	fs.chownSync(file, NOBODY, NOBODY);
	assertRefused(runAsNobody(args), said);
	assert.deepEqual(fs.readdirSync(dir), ['peerpost.db']);
	// And one that they may not read.
	fs.chownSync(dir, NOBODY, NOBODY);
	fs.chownSync(file, 0, 0);
	fs.chmodSync(file, 0o600);
	assertRefused(runAsNobody(args),
	    /peerpost\.db cannot be opened: Permission denied$/m);
});

test('only root can change to another user, and everybody can stay who they are',
    skipAsNobody, () => {
	const dir = folderOf(NOBODY);
	const args = ['--listen', '127.0.0.1:0', '--database',
		path.join(dir, 'missing', 'x.db')];

	assertRefused(runAsNobody(['--user', 'root', ...args]),
	    /cannot change to --user and --group: only root can/);
	assertRefused(runAsNobody(['--user', 'nobody', '--group', 'daemon',
		...args]), /only root can/);
	// As far as the database, at least.
	assertRefused(runAsNobody(['--user', 'nobody', ...args]),
	    /missing\/x\.db cannot be opened/);
});

test('as root without --user: a warning; with it, be it root: none', asRoot,
    async () => {
	const first = await startDaemon({ clock: false });

	assert.match(first.stderr, /^peerpostd: warning: running as root, .*$/m);
	const second = await startDaemon({ clock: false,
		args: ['--user', 'root'] });

	ok(await request(second, 'GET', '/healthz'));
	assert.doesNotMatch(second.stderr, /warning/);
});

test('users and groups that there are not are refused', () => {
	for (const [args, said] of [
		[['--user', 'no-such-user'], /--user: there is no user 'no-such-user'/],
		[['--user', ''], /--user/],
		[['--user', '4294967295'], /--user/],
		[['--user', '-1'], /--user/],
		[['--group', 'no-such-group'],
			/--group: there is no group 'no-such-group'/],
		[['--group', '0'], /--group needs a --user/],
		[['--user', `${NUMBER}`], /needs a --group/],
	])
		assertRefused(runProgram(args), said, 2);
});

test('--pid-file: there when it is ready, gone at the end', async () => {
	const file = path.join(scratchDir(), 'peerpostd.pid');
	const daemon = await startDaemon({ clock: false,
		args: ['--pid-file', file] });

	assert.equal(fs.readFileSync(file, 'utf8'), `${daemon.pid}\n`);
	assertRefused(runProgram(['--pid-file', file, '--listen', '127.0.0.1:0',
		'--database', path.join(scratchDir(), 'x.db')]),
	new RegExp(`cannot use the pid file ${file}: it is in use by process ` +
	    `${daemon.pid}$`, 'm'));
	assert.equal(fs.readFileSync(file, 'utf8'), `${daemon.pid}\n`);
	assert.equal(await daemon.stop(), 0);
	assert.ok(!fs.existsSync(file));
});

test('--pid-file: what a killed daemon has left is used again', async () => {
	const file = path.join(scratchDir(), 'peerpostd.pid');
	const daemon = await startDaemon({ clock: false,
		args: ['--pid-file', file] });
	const { pid } = daemon;

	await daemon.kill();
	assert.equal(fs.readFileSync(file, 'utf8'), `${pid}\n`);
	// One that does not start leaves no number.
	fs.writeFileSync(`${daemon.database}x`, 'something else');
	assertRefused(runProgram(['--pid-file', file, '--listen', '127.0.0.1:0',
		'--database', `${daemon.database}x`]), /not a Peerpost database/);
	assert.ok(!fs.existsSync(file));
	fs.writeFileSync(file, `${pid}\n`);
	await daemon.restart();
	ok(await request(daemon, 'GET', '/healthz'));
	assert.equal(fs.readFileSync(file, 'utf8'), `${daemon.pid}\n`);
});

test('--pid-file: in a folder that is root\'s, it is emptied at the end',
    asRoot, async () => {
	const file = path.join(folderOf(0), 'peerpostd.pid');
	const daemon = await startDaemon({ clock: false,
		database: path.join(folderOf(NOBODY), 'peerpost.db'),
		args: ['--pid-file', file, '--user', 'nobody'] });

	ok(await request(daemon, 'GET', '/healthz'));
	assert.equal(fs.readFileSync(file, 'utf8'), `${daemon.pid}\n`);
	// Who takes the daemon over cannot have another process killed.
	assert.equal(fs.statSync(file).uid, 0);
	assert.equal(await daemon.stop(), 0);
	assert.equal(fs.readFileSync(file, 'utf8'), '');
});

test('--pid-file: files that are none, links and folders are left alone', () => {
	const dir = scratchDir();
	const other = path.join(dir, 'precious');
	const link = path.join(dir, 'link');

	fs.writeFileSync(other, '1\n2\n');
	fs.symlinkSync(path.join(dir, 'elsewhere'), link);
	for (const [file, said] of [
		[other, /precious: its content is not a process id$/m],
		[link, /link: Too many levels of symbolic links$/m],
		[dir, /Is a directory$/m],
		[path.join(dir, 'missing', 'x'), /No such file or directory$/m],
		['/dev/null', /null: its content is not a process id$/m],
	])
		assertRefused(runProgram(['--pid-file', file, '--listen',
			'127.0.0.1:0', '--database', path.join(dir, 'x.db')]), said);
	assert.equal(fs.readFileSync(other, 'utf8'), '1\n2\n');
	assert.deepEqual(fs.readdirSync(dir).sort(), ['link', 'precious']);
	assertRefused(runProgram(['--pid-file', '']), /--pid-file/, 2);
});
