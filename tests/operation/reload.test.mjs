// reload.test.mjs - SIGHUP: what changes while the daemon runs and polls are
// held, what does not, and that a mistake changes nothing.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { assertFailure, ioThreads, looked, makeRoom, ok, parked, Player, program,
    request, scratchDir, startDaemon, until } from '../lib/peerpost.mjs';
import { patience } from '../lib/wait.mjs';

const SECRET = 'north-of-nowhere';
const OLD_SECRET = 'south-of-somewhere';

// A daemon with a configuration file that can be changed.
class Configured {
	static async start(lines = [], options = {})
	{
		const self = new Configured();

		self.file = path.join(scratchDir(), 'peerpost.conf');
		self.write(lines);
		self.daemon = await startDaemon({ clock: 'still', ...options, args:
		    ['--config', self.file, ...options.args ?? []] });
		return self;
	}

	write(lines)
	{
		fs.writeFileSync(this.file, lines.map((each) => `${each}\n`)
		    .join(''), { mode: 0o600 });
	}

	// SIGHUP; what the daemon says about it.
	async hangUp()
	{
		const from = this.daemon.stderr.length;

		this.daemon.child.kill('SIGHUP');
		return until(() => {
			const said = this.daemon.stderr.slice(from);

			return /(has been|not) reloaded.*\n/.test(said) ? said : null;
		}, 'reload');
	}

	// Go on with these lines, which must be fine.
	async reload(lines)
	{
		this.write(lines);

		const said = await this.hangUp();

		assert.doesNotMatch(said, /not reloaded/);
		return said;
	}
}

// A poll that is held now: { reply: its promise, isOver: whether it has come }.
async function hold(player, options = {})
{
	const reply = player.events({ after: player.cursor, ...options });
	const poll = { reply, isOver: false };

	reply.then(() => {
		poll.isOver = true;
	}, () => {});
	await parked(player.daemon, reply);
	assert.equal(poll.isOver, false, 'the poll is held');
	return poll;
}

async function eventsOf(poll)
{
	return ok(await poll.reply).events.map(({ data }) => data);
}

test('held polls outlive reloads, and get their events', async () => {
	const c = await Configured.start();
	const { players: [ann, bob] } = await makeRoom(c.daemon);
	const poll = await hold(ann, { wait: 50 });

	for (let i = 0; i < 5; i++)
		await c.reload([`max-body = ${1000 + i}`, `poll-wait = ${i}`]);
	assert.equal(poll.isOver, false);
	ok(await bob.message('still there'));
	assert.deepEqual(await eventsOf(poll), ['still there']);
});

test('limits of requests and rates', async () => {
	const c = await Configured.start();
	const { players: [ann, bob] } = await makeRoom(c.daemon);
	const poll = await hold(bob, { wait: 50 });
	const long = 'x'.repeat(200);

	ok(await ann.message(long));
	await poll.reply;
	await c.reload(['max-body = 100']);
	assertFailure(await ann.message(long), 413, 'RMB', 'too-large');
	ok(await ann.message('short'));
	await c.reload(['command-rate = 1', 'command-burst = 2']);
	ok(await ann.message(long));
	ok(await ann.message(long));
	assertFailure(await ann.message(long), 429, 'RMB', 'rate-limited');
	await c.reload(['relay-rate = 100', 'relay-burst = 150']);
	c.daemon.advance(10);
	ok(await ann.message(long));
	assertFailure(await ann.message(long), 429, 'RMB', 'rate-limited');
	// What is not in the file any more has its default again.
	await c.reload([]);
	c.daemon.advance(1);
	ok(await ann.message(long));
});

test('what is above a smaller limit stays, and nothing is added', async () => {
	const c = await Configured.start();
	const d = c.daemon;
	const { players: [ann, bob], uuid } = await makeRoom(d);
	const { players: [eve] } = await makeRoom(d, ['eve']);

	for (const text of ['a', 'b', 'c'])
		ok(await ann.message(text));
	await c.reload(['max-rooms = 1', 'max-players = 1', 'max-room-members = 1',
		'max-mailbox-events = 2']);
	assert.equal((await request(d, 'POST', '/register', { body: 'x' })).status,
	    503);
	ok(await eve.room());
	ok(await eve.leave());
	assert.equal((await eve.create()).json.error, 'too-many-rooms');
	assert.equal((await eve.join(uuid)).json.error, 'room-full');
	assert.equal((await ann.offer({ id: bob.id })).json.error, 'mailbox-full');
	// All that bob has is still there.
	assert.deepEqual(await bob.news(),
	    ['a', 'b', 'c'].map((text) => ['RMK', text]));
	assert.deepEqual(await bob.news(), []);
	ok(await ann.offer({ id: bob.id }));
	await c.reload(['max-rooms = 2']);
	ok(await eve.create());
});

test('how much the database may hold', async () => {
	const c = await Configured.start();
	const { players: [, bob] } = await makeRoom(c.daemon);
	const more = ['command-rate = 0', 'relay-rate = 0',
		'max-mailbox-bytes = 0'];
	const offer = () => bob.offer({ id: 1, x: 'y'.repeat(50_000) });

	await c.reload(['max-database = 1M', ...more]);
	for (let i = 0; i < 20; i++)
		await offer();
	assert.equal((await offer()).json.error, 'storage');
	await c.reload(['max-database = 2M', ...more]);
	ok(await offer());
	// What the disk has room for, as at the start.
	await c.reload(more);
	for (let i = 0; i < 40; i++)
		ok(await offer());
});

test('how long polls are held, and how many', async () => {
	const c = await Configured.start();
	const { players: [ann, bob, eve] } =
	    await makeRoom(c.daemon, ['ann', 'bob', 'eve']);
	const old = await hold(ann);

	await c.reload(['poll-wait = 2', 'max-parked = 2']);

	const fresh = await hold(bob);

	// No third.
	assert.deepEqual(ok(await eve.events({ after: eve.cursor, wait: 50 }))
	    .events, []);
	c.daemon.advance(3);
	assert.deepEqual(await eventsOf(fresh), []);
	await looked(c.daemon);
	assert.equal(old.isOver, false);
	await c.reload(['poll-wait-max = 5', 'poll-wait = 5']);

	const short = await hold(bob, { wait: 3600 });

	c.daemon.advance(6);
	assert.deepEqual(await eventsOf(short), []);
	ok(await eve.message('x'));
	assert.deepEqual(await eventsOf(old), ['x']);
});

test('time-outs of players and rooms', async () => {
	const c = await Configured.start(['player-timeout = 0',
		'lobby-timeout = 0']);
	const { players: [ann, bob] } = await makeRoom(c.daemon);
	const eve = await Player.register(c.daemon, 'eve');

	c.daemon.advance(5000);
	ok(await ann.room());
	ok(await bob.room());
	await c.reload(['player-timeout = 100', 'lobby-timeout = 10']);
	await until(async () => (await eve.room()).json.error !== 'not-in-room' ||
	    null, 'end of a session');
	c.daemon.advance(99);
	ok(await ann.room());
	c.daemon.advance(1);
	await looked(c.daemon);
	assert.equal((await bob.room()).json.error, 'timed-out');
	await c.reload(['player-timeout = 0', 'room-timeout = 50']);
	c.daemon.advance(51);
	await until(async () => (await ann.room()).json.error === 'not-in-room' ||
	    null, 'end of the room');
});

test('origins, trusted proxies, base path and demo', async () => {
	const c = await Configured.start(['register-rate = 1', 'register-burst = 1']);
	const d = c.daemon;
	const { players: [ann] } = await makeRoom(d, ['ann']);
	const poll = await hold(ann, { wait: 50 });
	const originOf = async (origin) => (await request(d, 'GET', '/healthz',
	    { headers: { origin } })).headers['access-control-allow-origin'];
	const register = async (base) => (await request(d, 'POST',
	    `${base}/register`, { body: 'x',
		    headers: { 'X-Forwarded-For': '192.0.2.1' } })).status;

	assert.equal(await originOf('https://a.example'), '*');
	assert.equal((await request(d, 'GET', '/demo/')).status, 404);
	assert.equal(await register(''), 200);
	assert.equal(await register(''), 429);
	await c.reload(['register-rate = 1', 'register-burst = 1',
		'trusted-proxy = none', 'demo = yes',
		'cors-origin = https://a.example',
		'cors-origin = https://b.example']);
	assert.equal(await originOf('https://a.example'), 'https://a.example');
	assert.equal(await originOf('https://b.example'), 'https://b.example');
	assert.equal(await originOf('https://c.example'), undefined);
	assert.equal((await request(d, 'GET', '/demo/')).status, 200);
	assert.equal(await register(''), 200);
	await c.reload(['cors-origin = https://*.itch.zone']);
	assert.equal(await originOf('https://html.itch.zone'),
	    'https://html.itch.zone');
	assert.equal(await originOf('https://a.example'), undefined);
	await c.reload(['base-path = /signal', 'cors-origin = https://c.example']);
	d.basePath = '/signal';
	d.advance(1);
	assert.equal((await request(d, 'GET', '/healthz')).status, 404);
	assert.equal(await register('/signal'), 200);
	assert.equal((await request(d, 'GET', '/signal/healthz', { headers:
	    { origin: 'https://c.example' } }))
	    .headers['access-control-allow-origin'], 'https://c.example');
	await c.reload([]);
	d.basePath = '';
	assert.equal(poll.isOver, false);
	ok(await ann.leave());
	assert.equal(await originOf('https://a.example'), '*');
});

test('a TURN secret is changed in its file, under held polls', async () => {
	const file = path.join(scratchDir(), 'secret');
	const lines = (host) => [`turn-uri = turn:${host}`,
		`turn-secret-file = ${file}`, `ice-server = stun:${host}`,
		`ice-server = turn:${host},ann,${host}-pw`, 'turn-ttl = 100'];

	fs.writeFileSync(file, OLD_SECRET, { mode: 0o600 });

	const c = await Configured.start(lines('old'));
	const { players: [ann, bob] } = await makeRoom(c.daemon);
	const poll = await hold(bob, { wait: 50 });
	const assertServers = async (secret, host) => {
		const { iceServers } = ok(await ann.request('GET', '/ice-servers'));
		const [stun, fixed, own] = iceServers;

		assert.equal(iceServers.length, 3);
		assert.match(JSON.stringify(stun), new RegExp(`stun:${host}"`));
		assert.equal(fixed.credential, `${host}-pw`);
		assert.equal(own.credential, createHmac('sha1', secret)
		    .update(own.username).digest('base64'));
	};

	await assertServers(OLD_SECRET, 'old');
	fs.writeFileSync(file, `${SECRET}\n${OLD_SECRET}\n`);
	// Texts of the settings before are freed: the sanitizer sees any use.
	for (const host of ['a', 'b', 'new']) {
		await c.reload(lines(host));
		await assertServers(SECRET, host);
	}
	fs.writeFileSync(file, '\n');
	assert.match(await c.hangUp(), /not reloaded.*has no secret/);
	await assertServers(SECRET, 'new');
	await c.reload([]);
	assert.deepEqual(ok(await ann.request('GET', '/ice-servers')).iceServers,
	    []);
	ok(await ann.message('x'));
	assert.deepEqual(await eventsOf(poll), ['x']);
	assert.doesNotMatch(c.daemon.stderr,
	    new RegExp(`${SECRET}|${OLD_SECRET}|-pw`));
});

test('the log level', async () => {
	const c = await Configured.start(['log-level = debug']);
	const isLogged = async () => {
		const from = c.daemon.stderr.length;

		await request(c.daemon, 'GET', '/healthz');
		c.daemon.child.kill('SIGHUP');
		// The next thing that it says comes after the request's line.
		return /healthz/.test(await until(() => {
			const said = c.daemon.stderr.slice(from);

			return /reloaded.*\n/.test(said) ? said : null;
		}));
	};

	c.write(['log-level = info']);
	assert.equal(await isLogged(), true);
	assert.equal(await isLogged(), false);
	c.write(['log-level = debug']);
	assert.equal(await isLogged(), false);
	assert.equal(await isLogged(), true);
});

test('the number of connections', async () => {
	const c = await Configured.start();
	const { players: [ann, bob] } = await makeRoom(c.daemon);
	const polls = [await hold(ann, { wait: 50 }), await hold(bob, { wait: 50 })];

	c.daemon.dropIdle();
	await c.reload(['max-connections = 2']);
	assert.deepEqual(polls.map((each) => each.isOver), [false, false]);

	const third = request(c.daemon, 'GET', '/healthz');
	let isAnswered = false;

	third.then(() => {
		isAnswered = true;
	});
	await third.sent;
	// It waits in the kernel, whatever else the daemon does.
	for (let i = 0; i < 3; i++)
		await c.hangUp();
	assert.equal(isAnswered, false);
	await c.reload(['max-connections = 3']);
	assert.equal((await third).status, 200);
	assert.deepEqual(polls.map((each) => each.isOver), [false, false]);
	ok(await ann.message('x'));
	assert.deepEqual(await eventsOf(polls[1]), ['x']);
});

test('a mistake is one line, and nothing changes', async () => {
	const c = await Configured.start(['max-body = 100']);
	const { players: [ann, bob] } = await makeRoom(c.daemon);
	const poll = await hold(bob, { wait: 50 });

	for (const [lines, what] of [
		[['max-body = 50', 'max-bodies = 5'], ':2: unknown option'],
		[['max-body = 50', 'poll-wait = 60'], ':2: --poll-wait (60)'],
		[['max-body = 50', `turn-secret: ${SECRET}`], ':2: the line'],
		[['max-body = 50', `turn-secret = ${SECRET} ;`], ':2: turn-secret: '],
		[['database = /nowhere/x.db', 'max-body = x'], ':2: max-body: ']]) {
		c.write(lines);
		assert.ok((await c.hangUp()).startsWith('peerpostd: error: ' +
		    `not reloaded, nothing has changed: ${c.file}${what}`));
	}
	fs.rmSync(c.file);

	const said = await c.hangUp();

	assert.match(said, /^[^\n]*not reloaded[^\n]*No such file[^\n]*\n$/);
	assertFailure(await ann.message('x'.repeat(150)), 413, 'RMB', 'too-large');
	ok(await ann.message('x'.repeat(80)));
	assert.equal((await eventsOf(poll)).length, 1);
	assert.doesNotMatch(c.daemon.stderr, new RegExp(SECRET));
});

test('what cannot change is warned of and stays, the rest changes', async () => {
	const c = await Configured.start(['listen = 127.0.0.1:0'],
	    { listen: [] });
	const d = c.daemon;

	await until(() => d.listeners.length || null);

	const ann = await Player.register(d);
	const warnings = (said) => [...said.matchAll(
	    /^peerpostd: warning: --([a-z-]+) has changed: .*at the next start$/gm)]
	    .map(([, name]) => name);
	const lines = ['listen = 127.0.0.1:0', 'listen = 127.0.0.1:1',
		'fastcgi = 127.0.0.1:0', 'fastcgi-mode = 0600',
		'fastcgi-group = 0', 'durability = process', 'io-threads = 2'];

	// What the command line has wins, and has not changed.
	const named = ['listen', 'fastcgi', 'fastcgi-mode', 'fastcgi-group',
		'durability', ...ioThreads > 1 ? [] : ['io-threads']];

	assert.deepEqual(warnings(await c.reload(lines)), named);
	// As long as it is so, each time.
	assert.equal(warnings(await c.reload([...lines, 'max-body = 50'])).length,
	    named.length);
	assertFailure(await ann.message('x'.repeat(60)), 413, 'RMB', 'too-large');
	assert.equal(d.listeners.length, 1);
	assert.equal(d.fastcgi.length, 0);
	assert.deepEqual(warnings(await c.reload(['listen = 127.0.0.1:0'])), []);
	// The command line has --database.
	assert.deepEqual(warnings(await c.reload(['listen = 127.0.0.1:0',
		'database = x.db'])), []);
	ok(await ann.create());
});

test('the command line wins at each reload', async () => {
	const pidFile = path.join(scratchDir(), 'pid');
	const c = await Configured.start(['max-body = 200'],
	    { args: ['--max-body', '100', '--pid-file', pidFile] });
	const { players: [ann] } = await makeRoom(c.daemon, ['ann']);

	for (const size of [300, 400]) {
		await c.reload([`max-body = ${size}`]);
		assertFailure(await ann.message('x'.repeat(150)), 413, 'RMB',
		    'too-large');
	}
	// What was opened by a name of then is still known by it.
	assert.equal(Number(fs.readFileSync(pidFile)), c.daemon.pid);
	await c.daemon.stop();
	assert.equal(fs.existsSync(pidFile), false);
});

test('when its terminal goes, the daemon stops in order', { skip:
	spawnSync('script', ['--version']).status === 0 ? false :
	    'no script' }, async () => {
	const dir = scratchDir();
	const pidFile = path.join(dir, 'pid');
	const terminal = spawn('script', ['-qec', `exec '${program}' ` +
	    `--listen 127.0.0.1:0 --database ${dir}/x.db --pid-file ${pidFile}`,
	    '/dev/null'], { stdio: ['pipe', 'pipe', 'ignore'] });
	let said = '';

	terminal.stdout.on('data', (text) => {
		said += text;
	});

	const hasEnded = new Promise((resolve) => terminal.on('close', resolve));

	try {
		await until(() => fs.existsSync(pidFile) &&
		    fs.readFileSync(pidFile).length > 0, 'pid file');

		const pid = Number(fs.readFileSync(pidFile));

		process.on('exit', () => {
			if (fs.existsSync(pidFile))
				process.kill(pid, 'SIGKILL');
		});
		process.kill(pid, 'SIGHUP');
		await until(() => /reloaded/.test(said), 'reload');
	} finally {
		terminal.kill('SIGKILL');
		await hasEnded;
	}
	// Only who stops in order takes it away.
	await until(() => !fs.existsSync(pidFile), 'end');
	assert.deepEqual(fs.readdirSync(dir), ['x.db', 'x.db-reserve']);
});

test('many reloads take no more memory than a few', { skip: patience > 1 ?
	'the sanitizer keeps what is freed for a while' : false }, async () => {
	const c = await Configured.start();
	const lines = (i) => [...Array.from({ length: 250 }, (_, j) =>
	    `cors-origin = https://${`${'x'.repeat(50)}.`.repeat(4)}${i}.${j}.example`),
	    'database = elsewhere.db'];
	const resident = () => Number(/^VmRSS:\s+(\d+)/m.exec(fs.readFileSync(
	    `/proc/${c.daemon.pid}/status`, 'latin1'))[1]);
	const reloadOften = async (n) => {
		for (let i = 0; i < n; i++)
			await c.reload(lines(i));
		return resident();
	};
	const before = await reloadOften(20);

	// More than 100 KB each, 10 MB if they were kept.
	assert.ok(await reloadOften(100) < before + 2000);
});

// The first example after a sentence of a manual page, as it is typed.
function manualExample(page, begin)
{
	const text = fs.readFileSync(new URL(`../../man/${page}`,
	    import.meta.url), 'utf8');
	const [, example] = text.slice(text.indexOf(begin)).match(
	    /\n\.Bd [^\n]*\n([^]*?)\n\.Ed\n/);

	return example.replaceAll('\\e', '\\');
}

for (const shell of ['bash', 'sh'])
	test(`the manual's example of a reload works in ${shell}`, async (t) => {
		const dir = scratchDir();
		const file = path.join(dir, 'peerpost.conf');
		let said = '';

		fs.symlinkSync(program, path.join(dir, 'peerpostd'));
		fs.writeFileSync(file, 'listen = 127.0.0.1:0\n');
		// Its lines come one after the other, as if they were typed.
		const child = spawn(shell, ['-s'], { cwd: dir,
			stdio: ['pipe', 'ignore', 'pipe'],
			env: { ...process.env, PATH: `${dir}:${process.env.PATH}` } });

		child.stderr.setEncoding('utf8').on('data', (text) => {
			said += text;
		});
		t.after(() => child.kill('SIGKILL'));
		child.stdin.write(`${manualExample('peerpostd.8',
		    'Run it from a configuration file')}\n`);
		await until(() => said.includes('listening on'), 'daemon');
		const pid = Number(await until(() => fs.readFileSync(
		    path.join(dir, 'peerpostd.pid'), 'utf8').trim(), 'pid file'));

		t.after(() => {
			try {
				process.kill(pid, 'SIGKILL');
			} catch {
				// It has ended.
			}
		});
		// A mistake is shown, and the daemon hears nothing of it.
		fs.writeFileSync(file, 'listen = 127.0.0.1:0\nmax-rooms = x\n');
		const reload = manualExample('peerpostd.8',
		    'When the file has been changed');

		child.stdin.write(`${reload}\n`);
		await until(() => said.includes('max-rooms'), 'complaint');
		fs.writeFileSync(file, 'listen = 127.0.0.1:0\nmax-rooms = 7\n');
		child.stdin.write(`${reload}\n`);
		await until(() => said.includes('reloaded'), 'reload');
		assert.match(said, /the configuration has been reloaded/);
		assert.doesNotMatch(said, /not reloaded/);
		child.stdin.end('kill $(cat peerpostd.pid); wait; exit 0\n');
		await until(() => child.exitCode !== null, 'end of the shell');
		assert.equal(child.exitCode, 0);
	});
