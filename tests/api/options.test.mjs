// options.test.mjs - the command line, listeners, and databases that are
// refused.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { makeRoom, ok, Player, request, runProgram, scratchDir, startDaemon }
    from '../lib/peerpost.mjs';

const SECONDS = ['player-timeout', 'lobby-timeout', 'room-timeout',
	'idle-timeout',
	'sealed-linger', 'poll-wait', 'poll-wait-max', 'request-timeout',
	'turn-ttl'];
const COUNTS = ['max-body', 'max-mailbox-events', 'max-mailbox-bytes',
	'max-room-members', 'max-rooms', 'max-players', 'max-connections',
	'max-connections-per-address', 'max-unsent', 'max-parked',
	'poll-rate', 'poll-burst', 'command-rate', 'command-burst',
	'relay-rate', 'relay-burst', 'register-rate', 'register-burst'];
const OTHERS = ['config', 'check-config', 'listen', 'fastcgi',
	'fastcgi-mode', 'fastcgi-group', 'admin', 'admin-mode', 'admin-group',
	'metrics', 'trusted-proxy', 'database', 'durability',
	'max-database', 'io-threads', 'base-path',
	'cors-origin', 'ice-server', 'turn-uri', 'turn-secret',
	'turn-secret-file', 'demo', 'user', 'group', 'pid-file', 'log-level',
	'log-format', 'access-log',
	'help', 'version'];
const dir = scratchDir();

// A command line that must be refused: one line on stderr, nothing else.
function assertRefused(args, code = 2)
{
	const end = runProgram(args);
	const what = `${args.join(' ')}: ${end.stderr}`;

	assert.equal(end.code, code, what);
	assert.equal(end.stdout, '', what);
	assert.match(end.stderr, /^peerpostd: [^\n]+\n$/, what);
	return end.stderr;
}

test('--help goes to stdout, exits 0 and lists every option', () => {
	const { code, stdout, stderr } = runProgram(['--help']);

	assert.equal(`${code} ${stderr}`, '0 ');
	for (const option of [...SECONDS, ...COUNTS, ...OTHERS])
		assert.match(stdout, new RegExp(`--${option}\\b`));
	for (const line of stdout.split('\n'))
		assert.ok(line.length <= 80, line);
});

test('--help is in groups, and -h is the same', () => {
	const { stdout } = runProgram(['--help']);
	const groups = stdout.split('\n\n').slice(1, -1);
	const first = (name) => groups.find((each) =>
	    each.startsWith(`${name}:\n  --`));

	assert.ok(groups.length >= 10);
	assert.match(first('Where to serve'), /--listen [\s\S]*--metrics /);
	assert.match(first('Limits'), /--max-players /);
	assert.doesNotMatch(first('Limits'), /--command-rate /);
	for (const each of groups)
		assert.match(each, /^[A-Z][^\n]*:\n  --/);
	assert.deepEqual(runProgram(['-h']), runProgram(['--help']));
});

test('--version goes to stdout and exits 0', () => {
	const { code, stdout, stderr } = runProgram(['--version']);

	assert.equal(`${code} ${stderr}`, '0 ');
	assert.match(stdout, /^peerpostd \d+\.\d+\S*\n/);
});

test('an unknown option is one line and exit 2', () => {
	for (const args of [['--nope'], ['--nope=1'], ['-x'],
	    ['--listenx', '127.0.0.1:0']])
		assertRefused(args);
});

test('an ambiguous beginning of an option is refused, not guessed', () => {
	for (const args of [['--max', '100'], ['--poll', '3'], ['--l', 'x']])
		assertRefused(args);
});

test('a mistake in a name is answered by the name that is like it', () => {
	for (const [arg, said] of [['--lisen', 'did you mean --listen?'],
		['--player_timeout', 'did you mean --player-timeout?'],
		['--cors-orgin=x', 'did you mean --cors-origin?']])
		assert.ok(assertRefused([arg]).includes(said), arg);
	// The value may be a secret.
	assert.doesNotMatch(assertRefused(['--turn-secrets=hush']), /hush/);
	assert.match(assertRefused(['--max', '1']), /several options begin with it/);
	assert.match(assertRefused(['--version=1']), /--version takes no value/);
	assert.match(assertRefused(['8080']), /every setting is an option/);
});

test('of an option with one dash the name is said, and never a value', () => {
	for (const [args, said] of [
		[['-listen', '127.0.0.1:0'],
			"'-listen': options have two dashes, use --listen"],
		[['-listen=127.0.0.1:0'], "'-listen': options have two dashes"],
		[['-turn-secret', 'S3CRET'], 'use --turn-secret'],
		[['-turn-secret=S3CRET'], 'use --turn-secret'],
		[['--turn-secret', 'S3CRET', '-demo'], "'-demo': .* use --demo"],
		[['--turn-secret', 'S3CRET', '-x'], "'-x'; see --help"],
		[['--turn-secret', '-d', '-demo'], 'use --demo'],
		[['stray', '-demo'], 'use --demo'],
		[['--demo', '-pS3CRET'], "'-p'; see --help"],
		[['--turn-secret', 'S3CRET', '-é'], "'-\\?'; see --help"]]) {
		const line = assertRefused(args);

		assert.match(line, new RegExp(said), args.join(' '));
		assert.doesNotMatch(line, /S3CRET|peerpostd'/);
	}
});

test('errors of values say what would be right', () => {
	for (const [option, value, said] of [
		['listen', 'localhost:8080', 'use 127.0.0.1:8080'],
		['admin', 'localhost:1', 'use 127.0.0.1:1'],
		['metrics', '9100', 'use 127.0.0.1:9100'],
		['fastcgi', '/run/x.sock', 'use unix:/run/x.sock'],
		['fastcgi-mode', 'rw', 'such as 0660'],
		['admin-group', 'no-such-group', "no group 'no-such-group'"],
		['trusted-proxy', 'proxy.example', 'not looked up'],
		['base-path', 'signal', 'begin with a slash'],
		['user', 'no-such-user', "no user 'no-such-user'"],
		['group', 'no-such-group', "no group 'no-such-group'"],
		['database', '', 'is empty'],
		['tls-key', '', 'is empty'],
		['idle-timeout', '0', 'from 1 to 3600']])
		assert.ok(assertRefused([`--${option}`, value]).includes(said),
		    `${option} ${value}`);
	assert.match(assertRefused(Array.from({ length: 33 }, (_, i) =>
	    ['--listen', `127.0.0.1:${i}`]).flat()), /more than 32 of them/);
});

test('a value of thousands of bytes is a mistake, or too long a name', () => {
	const names = [...runProgram(['--help']).stdout.matchAll(
	    /^  --([a-z-]+) \S/gm)].map(([, name]) => name);
	const long = 'x'.repeat(7000);
	const begins = ['', '/', 'unix:', 'unix:x,group=', '127.0.0.1:', '[',
		'https://', 'stun:', 'turn:', 'stun:h,', 'turn:h,', 'turn:h,u,', '10.0.0.0/'];

	assert.ok(names.length > 50);
	for (const name of names)
		for (const begin of name === 'turn-ttl' || /^max|rate$|burst$/
		    .test(name) ? [''] : begins) {
			const { code, stderr } = runProgram(['--listen',
				'127.0.0.1:0', '--database', `${dir}/long.db`,
				...name === 'tls-cert' ? ['--tls-key', 'x'] : [],
				...name === 'tls-key' ? ['--tls-cert', 'x'] : [],
				...name === 'turn-uri' ? ['--turn-secret', 'x'] : [],
				// What is fine by itself ends here.
				`--${name}`, begin + long, '--pid-file',
				`${dir}/no/such/dir`]);

			assert.ok(code === 1 || code === 2,
			    `${name} ${begin}: ${code} ${stderr}`);
			assert.match(stderr, /^(peerpostd: |listening )/);
		}
});

test('a stray argument is one line and exit 2', () => {
	assertRefused(['stray']);
	assertRefused(['--database', path.join(dir, 'x.db'), 'stray']);
});

test('an option without its value is one line and exit 2', () => {
	for (const option of [...SECONDS, ...COUNTS, 'config', 'listen',
	    'fastcgi', 'fastcgi-mode', 'fastcgi-group', 'trusted-proxy', 'database',
	    'durability', 'max-database', 'io-threads', 'base-path',
	    'cors-origin', 'ice-server',
	    'turn-uri', 'turn-secret', 'turn-secret-file', 'user', 'group',
	    'pid-file', 'log-level', 'log-format'])
		assert.match(assertRefused([`--${option}`]),
		    new RegExp(option));
});

test('FastCGI and proxy options that make no sense are refused', () => {
	for (const [option, ...values] of [
	    ['fastcgi', '', 'x', '127.0.0.1', '127.0.0.1:x', 'unix:', 'http://a:1'],
	    ['fastcgi-mode', '', '8', '66', '0888', '1777', '06600', 'rw', '-660'],
	    ['fastcgi-group', '', 'no-such-group-here', '-1', '99999999999'],
	    ['trusted-proxy', '', 'x', '192.0.2.0/33', '192.0.2', '::1/129',
		    'proxy.example', '192.0.2.1:80']])
		for (const value of values)
			assert.match(assertRefused([`--${option}`, value]),
			    new RegExp(option));
	assert.match(assertRefused(Array.from({ length: 33 }, (_, i) =>
	    ['--trusted-proxy', `192.0.2.${i}`]).flat()), /trusted-proxy/);
});

test('a number that is none is one line and exit 2', () => {
	for (const option of [...SECONDS, ...COUNTS])
		for (const value of ['x', '-1', '', '1x', '99999999999999999999'])
			assert.match(assertRefused([`--${option}`, value]),
			    new RegExp(option));
});

test('other bad values are one line and exit 2', () => {
	for (const [option, values] of Object.entries({
		durability: ['', 'none', 'Power'],
		'io-threads': ['', '0', '17', '-1', 'two'],
		'log-level': ['', 'loud', '3', 'notice'],
		'log-format': ['', 'xml', 'JSON'],
		'base-path': ['play', '/a b', '/%41', '//x', '/a//b', '/a?b'],
		'cors-origin': ['', 'game.example', 'https://', '://x',
			'https://game.example/', 'https://game.example/x'],
		listen: ['', 'nowhere', '127.0.0.1', '127.0.0.1:x',
			'127.0.0.1:65536', '[::1', 'unix:'],
	}))
		for (const value of values)
			assert.match(assertRefused([`--${option}`, value]),
			    new RegExp(option));
});

test('an origin that no browser sends is refused with what would be right',
    () => {
	for (const [origin, sentence] of [
	    ['https://game.example/', /it must end with the host or its port, without a slash: https:\/\/game\.example$/],
	    ['https://game.example:8443/play', /without a slash: https:\/\/game\.example:8443$/],
	    ['game.example', /is not an origin: .* as in https:\/\/example\.com$/],
	    ['https://müller.example', /in punycode \(xn--\.\.\.\)/],
	    ['https://*.zone', /followed by at least two more/],
	    ['https://a.*.example', /whole first label/],
	    [`https://${'x.'.repeat(126)}xx`, /at most 253/],
	    ['https://game.example:99999', /a number from 1 to 65535/]])
		assert.match(assertRefused(['--cors-origin', origin]).trim(),
		    sentence);
	assert.match(assertRefused(Array.from({ length: 257 }, (_, i) =>
	    ['--cors-origin', `https://${i}.example`]).flat()),
	/more than 256 of them/);
});

test('--max-database takes a size, 0 or auto', () => {
	const bad = ['', 'x', '-1', '1', '1023K', '1k', '1T', 'G', '1.5G', '1MB',
		'0x10', '1025G', '99999999999999999999', ' 1M', 'AUTO'];

	for (const value of bad)
		assert.match(assertRefused(['--max-database', value]),
		    /is not auto, 0, or a size from 1M to 1024G/);
	for (const value of ['auto', '0', '0G', '1048576', '1024K', '1M', '3G',
		'1024G'])
		assert.match(runProgram(['--check-config', '--max-database',
			value]).stdout, new RegExp(`^max-database = ${value}$`, 'm'));
});

test('--option=value means --option value', async () => {
	const d = await startDaemon({ args: ['--max-players=1',
		'--base-path=/x'] });

	ok(await request(d, 'POST', '/x/register', { body: 'a' }));
	assert.equal((await request(d, 'POST', '/x/register', { body: 'b' }))
	    .status, 503);
});

test('it cannot listen: one line, exit 1', async () => {
	const d = await startDaemon();
	const database = path.join(dir, 'listen.db');

	assertRefused(['--database', database, '--listen',
		`127.0.0.1:${d.port}`], 1);
	assert.match(assertRefused(['--database', database, '--listen',
		`unix:${path.join(dir, 'no', 'such', 'socket')}`], 1),
	/its directory does not exist; under systemd, set it in a socket unit/);
	assertRefused(['--database', database, '--listen', '192.0.2.77:0'], 1);
});

test('the database cannot be opened: one line, exit 1', () => {
	assertRefused(['--listen', '127.0.0.1:0', '--database',
		path.join(dir, 'no', 'such', 'file.db')], 1);
	assertRefused(['--listen', '127.0.0.1:0', '--database', dir], 1);
});

test('a foreign file as database is refused and not touched', () => {
	const file = path.join(dir, 'foreign');

	for (const content of [Buffer.from('This is a letter.\n'.repeat(500)),
	    Buffer.from('x'), Buffer.alloc(4096, 7),
	    Buffer.from('SQLite format 3\0' + 'x'.repeat(5000))]) {
		fs.writeFileSync(file, content);

		const before = fs.statSync(file);

		assertRefused(['--listen', '127.0.0.1:0', '--database', file], 1);
		assert.ok(fs.readFileSync(file).equals(content));
		assert.equal(fs.statSync(file).mtimeMs, before.mtimeMs);
		assert.deepEqual(fs.readdirSync(dir).filter((each) =>
		    each.startsWith('foreign')), ['foreign']);
	}
});

test('the SQLite database of another program is refused and not touched',
    { skip: spawnSync('sqlite3', ['--version']).status === 0 ?
	false : 'no sqlite3' }, () => {
	const file = path.join(dir, 'other.db');

	assert.equal(spawnSync('sqlite3', [file,
	    'create table player (id integer primary key)']).status, 0);

	const content = fs.readFileSync(file);

	assertRefused(['--listen', '127.0.0.1:0', '--database', file], 1);
	assert.ok(fs.readFileSync(file).equals(content));
	assert.deepEqual(fs.readdirSync(dir).filter((each) =>
	    each.startsWith('other.db')), ['other.db']);
});

test('a second daemon on the same database is refused, the first goes on',
    async () => {
	const d = await startDaemon();
	const player = await Player.register(d);

	assertRefused(['--listen', '127.0.0.1:0', '--database', d.database], 1);
	ok(await player.create());
	await d.restart();
	ok(await player.room());
});

test('the database file is for its owner only', async () => {
	const d = await startDaemon();

	await Player.register(d);
	assert.equal(fs.statSync(d.database).mode & 0o077, 0);
});

test('--durability power and process both keep what was acknowledged over ' +
    'kill -9', async () => {
	for (const durability of ['power', 'process']) {
		const d = await startDaemon({ args: ['--durability', durability] });
		const { uuid, players: [host] } = await makeRoom(d);

		for (let i = 0; i < 5; i++)
			ok(await host.message(i));
		await d.kill();
		await d.restart();
		assert.equal(ok(await host.room()).room, uuid);
		assert.deepEqual((await host.news()).map(([, data]) => data),
		    [0, 1, 2, 3, 4]);
	}
});

// --- listeners ---

test('a unix: listener serves the same, and its socket goes at the end',
    async () => {
	const socket = path.join(dir, 'socket');
	const d = await startDaemon({ listen: `unix:${socket}` });
	const { players: [host, bob] } = await makeRoom(d);

	assert.ok(fs.statSync(socket).isSocket());
	ok(await bob.offer({ id: 1, rtc: 'x' }));
	assert.deepEqual(await host.news(), [['OOO', { id: bob.id, rtc: 'x' }]]);
	assert.equal(await d.stop(), 0);
	assert.equal(fs.existsSync(socket), false);
});

test('a unix: address has mode and group behind its path, whatever the umask',
    async () => {
	const gid = process.getuid() === 0 ? process.getgid() + 1 :
	    process.getgid();
	const umask = process.umask(0o077);

	try {
		const at = (name) => path.join(scratchDir(), name);
		const files = { listen: at('http'), fastcgi: at('fcgi'),
			admin: at('admin') };
		const metrics = at('metrics');
		const behind = (mode) => `,mode=${mode},group=${gid}`;
		const d = await startDaemon({
			listen: `unix:${files.listen}${behind('0660')}`,
			// What stands there wins over the option.
			fastcgi: `unix:${files.fastcgi}${behind('0606')}`,
			admin: `unix:${files.admin}${behind('0640')}`,
			args: ['--fastcgi-mode', '0666', '--metrics',
				`unix:${metrics}${behind('666')}`] });

		for (const [file, mode] of [[files.listen, 0o660],
			[files.fastcgi, 0o606], [files.admin, 0o640],
			[metrics, 0o666]]) {
			const stat = fs.statSync(file);

			assert.equal(stat.mode & 0o777, mode, file);
			assert.equal(stat.gid, gid, file);
		}
		await Player.register(d);
		assert.equal(await d.stop(), 0);
		for (const file of [...Object.values(files), metrics])
			assert.ok(!fs.existsSync(file), file);
	} finally {
		process.umask(umask);
	}
});

test('a group that is named is let in, unless a mode says otherwise',
    async () => {
	const gid = process.getgid();
	const umask = process.umask(0o022);

	try {
		for (const [options, mode] of [
			[{ admin: `,group=${gid}` }, 0o660],
			[{ admin: '', args: ['--admin-group', `${gid}`] }, 0o660],
			[{ admin: '' }, 0o600],
			[{ admin: `,mode=0600,group=${gid}` }, 0o600],
			[{ admin: '', args: ['--admin-group', `${gid}`,
				'--admin-mode', '0600'] }, 0o600],
			[{ listen: `,group=${gid}` }, 0o660],
			[{ fastcgi: `,group=${gid}` }, 0o660]]) {
			const { args = [], ...listener } = options;
			const [[kind, behind]] = Object.entries(listener);
			const file = path.join(scratchDir(), 'sock');
			const d = await startDaemon({ args,
				[kind]: `unix:${file}${behind}` });

			assert.equal(fs.statSync(file).mode & 0o777, mode,
			    JSON.stringify(options));
			assert.equal(await d.stop(), 0);
		}
	} finally {
		process.umask(umask);
	}
});

test('a unix: listener takes over the socket that a killed daemon left',
    async () => {
	const socket = path.join(dir, 'left');
	const d = await startDaemon({ listen: `unix:${socket}` });
	const player = await Player.register(d);

	await d.kill();
	assert.ok(fs.existsSync(socket));
	await d.restart();
	ok(await player.create());
});

const hasIpv6 = Object.values(os.networkInterfaces()).flat()
    .some((each) => each.address === '::1');

test('an IPv6 listener serves the same', { skip: hasIpv6 ? false :
	'no IPv6 on the loopback interface' }, async () => {
	const d = await startDaemon({ listen: '[::1]:0' });

	assert.match(d.url, /^http:\/\/\[::1\]:\d+$/);
	ok(await (await Player.register(d)).create());
});

test('several listeners serve one and the same', async () => {
	const socket = path.join(dir, 'several');
	const d = await startDaemon({ listen: ['127.0.0.1:0', `unix:${socket}`,
		'127.0.0.1:0', ...(hasIpv6 ? ['[::1]:0'] : [])] });
	const { players: [host] } = await makeRoom(d, ['ann']);

	assert.equal(d.listeners.length, hasIpv6 ? 4 : 3);
	for (const listener of d.listeners.keys())
		assert.equal(ok(await host.room({ listener })).id, 1);
});

test('a port is chosen by the kernel for 0, and differs', async () => {
	const d = await startDaemon({ listen: ['127.0.0.1:0', '127.0.0.1:0'] });

	assert.ok(d.listeners.every((each) => each.port > 0));
	assert.notEqual(d.listeners[0].port, d.listeners[1].port);
});
