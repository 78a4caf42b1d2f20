// peerpostctl.test.mjs - the operators' command against a daemon, and against
// what is none.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import { test } from 'node:test';
import { startAdministered } from '../lib/admin.mjs';
import { ctl, lacksTools } from '../lib/ctl.mjs';
import { assertFailure, makeRoom, ok, parked, scratchDir } from '../lib/peerpost.mjs';

const skip = lacksTools ? `needs ${lacksTools}` : false;

// A daemon, and run() on its Unix socket.
async function start(options = {})
{
	const dir = scratchDir();
	const socket = `${dir}/admin.sock`;
	const daemon = await startAdministered({
		admin: [`unix:${socket}`, '127.0.0.1:0'], ...options });
	const run = (...args) => ctl(`unix:${socket}`, args);
	// What it prints when all is well.
	const say = async (...args) => {
		const { code, stdout, stderr } = await run(...args);

		assert.equal(code, 0, stderr);
		assert.equal(stderr, '');
		return stdout.trimEnd();
	};

	return { daemon, dir, run, say,
		tcp: `127.0.0.1:${daemon.admin.find(({ port }) => port).port}` };
}

function assertRefused(result, code, why)
{
	assert.equal(result.code, code, result.stderr);
	assert.equal(result.stdout, '');
	assert.match(result.stderr, /^peerpostctl: [^\n]+\n$/, 'one line');
	assert.match(result.stderr, why);
}

test('status, rooms, and a room, for people and for programs', { skip },
    async () => {
	const { daemon, say, tcp } = await start();

	assert.match(await say('rooms'), /^UUID .*HOST$/);
	const { uuid, players: [ann, bob] } = await makeRoom(daemon,
	    ['ann\u202e', 'bob']);
	const poll = bob.events({ after: bob.cursor, wait: 20 });

	await parked(daemon, poll);
	daemon.advance(93784);
	const status = await say('status');

	assert.match(status, /^peerpostd 0\.1\.0, pid \d+, up 1 d 02:03:0\d, ready$/m);
	assert.match(status, /^players +\d of 100000$/m);
	assert.match(status, /^polls held +\d of \d+$/m);
	assert.match(status, new RegExp(
	    `^database +${fs.realpathSync(daemon.database)}$`, 'm'));
	assert.match(status, /^size +[\d.]+ KiB, log [\d.]+ KiB$/m);
	assert.match(status, /^storage +ok$/m);
	for (const args of [['--admin', tcp], [`--admin=${tcp}`]])
		assert.equal(JSON.parse(await say(...args, '--json', 'status'))
			.version, '0.1.0');
	await poll;
	assert.ok(ann.id && uuid);
});

test('rooms and one of them', { skip }, async () => {
	const { daemon, say, run } = await start();
	const { uuid, players: [ann, bob] } = await makeRoom(daemon,
	    ['ann\u202e', 'bob']);

	for (const player of [ann, bob])
		ok(await player.events({ after: player.cursor, wait: 0 }));
	ok(await ann.message('hello'));
	assert.equal((await say('rooms')).split('\n')[1],
	    `${uuid}  2        no      ${ann.id} ann?`);
	assert.deepEqual(JSON.parse(await say('--json', 'rooms')), { room: uuid,
		host: ann.id, sealed: false, host_name: 'ann\u202e', members: 2 });
	const [head, , one, other] = (await say('room', uuid)).split('\n');

	assert.equal(head, `room ${uuid}, host ${ann.id}, open`);
	assert.match(one, / 00:00:0\d /);
	assert.deepEqual(one.replace(/ 00:00:0\d/, '').split(/ +/),
	    [String(ann.id), '1', '-', '1,', '7',
		'bytes', 'ann?']);
	assert.deepEqual(other.split(/ +/).slice(0, 3),
	    [String(bob.id), String(bob.id), '-']);
	assert.equal(JSON.parse(await say('--json', 'room', uuid)).members.length,
	    2);
	assertRefused(await run('room', '0b5ddd58-3b31-4a6f-9a53-2d2d9a0b9d4b'),
	    1, /There is no such room/);
});

test('metrics, close, kick, log-level, reload', { skip }, async () => {
	const dir = scratchDir();
	const config = path.join(dir, 'peerpost.conf');

	fs.writeFileSync(config, 'log-level = warning\n');
	const { daemon, say, run } = await start(
	    { args: ['--config', config] });
	const { uuid, players: [ann, bob] } = await makeRoom(daemon);

	assert.match(await say('metrics'), /^peerpost_players 2$/m);
	assert.equal(await say('close', uuid),
	    `room ${uuid} is closed; members: 2`);
	assert.deepEqual(await bob.news(), [['RCL', 'Room Closed By Operator']]);
	assertRefused(await run('close', uuid), 1, /There is no such room/);
	assert.equal(await say('kick', String(ann.id)),
	    `the session of player ${ann.id} is over`);
	assertFailure(await ann.room(), 410, 'PTO', 'timed-out');
	assertRefused(await run('kick', String(ann.id)), 1, /no such player/);

	const level = async () =>
		JSON.parse(await say('--json', 'status')).log_level;

	assert.equal(await level(), 'warning');
	assert.equal(await say('log-level', 'debug'), 'the log level is debug');
	assert.equal(await level(), 'debug');
	assertRefused(await run('log-level', 'loud'), 1,
	    /level is 'loud': it must be error, warning, info or debug/);
	assert.equal(await say('reload'), 'the configuration has been reloaded');
	assert.equal(await level(), 'warning');
	fs.writeFileSync(config, 'log-level = error\nmax-rooms = many\n');
	assertRefused(await run('reload'), 1, /peerpost\.conf:2: max-rooms: 'many'/);
	assert.equal(await level(), 'warning');
});

test('backup: a whole file or none, in the place of the old one', { skip },
    async () => {
	const { daemon, dir, say, run } = await start();
	const { players: [ann] } = await makeRoom(daemon);
	const file = `${dir}/backup.db`;
	const names = () => fs.readdirSync(dir).sort();

	fs.writeFileSync(file, 'the old one');
	// A disk that is full for whoever writes more than 5 KiB.
	assertRefused(await ctl(`unix:${dir}/admin.sock`, ['backup', file],
	    { before: 'trap "" XFSZ; ulimit -f 10' }), 1,
	/backup\.db: cannot be written: is the disk full\?/);
	assert.equal(fs.readFileSync(file, 'utf8'), 'the old one');
	assert.deepEqual(names(), ['admin.sock', 'backup.db']);
	assertRefused(await run('backup', `${dir}/none/backup.db`), 2,
	    /cannot be written/);
	assertRefused(await run('backup', dir), 2, /is a directory/);

	assert.match(await say('backup', file), /backup\.db: \d+ bytes$/);
	assert.equal((fs.statSync(file).mode & 0o777).toString(8), '600');
	assert.deepEqual(names(), ['admin.sock', 'backup.db']);
	// Put in place, it serves.
	ok(await ann.message('lost'));
	await daemon.stop();
	fs.copyFileSync(file, daemon.database);
	await daemon.start();
	assert.equal(ok(await ann.room()).next, ann.cursor);
});

// Something that answers every request with these bytes, or what a function of
// the URL says.
async function impostor(t, status, answer, { length: announced } = {})
{
	const server = http.createServer((req, res) => {
		const body = typeof answer === 'function' ?
		    answer(new URL(req.url, 'http://localhost')) : answer;
		const length = announced ?? body.length;

		res.writeHead(status, { 'Content-Length': length });
		res.end(body, () => {
			if (length !== body.length)
				req.socket.destroy();
		});
	});

	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	t.after(() => server.close());
	return `127.0.0.1:${server.address().port}`;
}

test('more rooms than one page has', { skip }, async (t) => {
	const page = (room, rest) => JSON.stringify({ rooms: [{ room, host: 2,
		sealed: true, host_name: 'x', members: 1 }], ...rest });
	const admin = await impostor(t, 200, (url) =>
		url.searchParams.get('after') === '0' ?
		    page('first', { next: 7, more: true }) :
		    page(`after ${url.searchParams.get('after')}`, { next: 9 }));
	const { stdout } = await ctl(admin, ['rooms']);

	assert.match(stdout, /^UUID.*\nfirst .*\nafter 7 .*yes.*\n$/);
});

test('what is no whole database is not kept', { skip }, async (t) => {
	const dir = scratchDir();
	const database = Buffer.alloc(8192);

	database.write('SQLite format 3\0', 'latin1');
	database.writeUInt16BE(4096, 16);
	database.writeUInt32BE(2, 28);
	for (const [body, options, code, why] of [
		[database.subarray(0, 4096), {}, 1, /not a complete database/],
		[Buffer.alloc(8192), {}, 1, /not a complete database/],
		[Buffer.alloc(0), {}, 1, /not a complete database/],
		[database.subarray(0, 4096), { length: 8192 }, 3, /127\.0\.0\.1/],
	]) {
		assertRefused(await ctl(await impostor(t, 200, body, options),
		    ['backup', `${dir}/x.db`]), code, why);
		assert.deepEqual(fs.readdirSync(dir), []);
	}
	// It is none of those things that the file was refused for.
	const { code } = await ctl(await impostor(t, 200, database),
	    ['backup', `${dir}/x.db`]);

	assert.equal(code, 0);
});

test('no daemon, another one, a wrong command line', { skip }, async (t) => {
	const { daemon, dir, run } = await start();
	const nothing = (admin) => ctl(admin, ['status']);

	assertRefused(await nothing(`unix:${dir}/nothing`), 3,
	    /nothing: there is no such socket/);
	assertRefused(await nothing(`127.0.0.1:${daemon.port}`), 3,
	    /not the admin listener/);
	assertRefused(await nothing(await impostor(t, 404, '<html>')), 3,
	    /not the admin listener/);
	await daemon.kill();
	assertRefused(await run('status'), 3, /nothing listens there/);
	await daemon.start();
	for (const args of [[], ['dance'], ['status', 'x'], ['room'],
		['room', '../status'], ['kick', 'ann'], ['close', 'x y'],
		['--nothing', 'status'], ['--admin'], ['--admin', 'x', 'status'],
		['--admin', 'unix:', 'status'],
		['--admin', 'evil.example:1/x:1', 'status']])
		assertRefused(await run(...args), 2, /see peerpostctl --help|nor/);
	assert.match((await run('--help')).stdout, /^usage: peerpostctl/);
	assert.equal((await run('--version')).stdout, 'peerpostctl 0.1.0\n');
});
