// config.test.mjs - the configuration file, and --check-config.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import test from 'node:test';
import { ok, Player, request, runProgram, scratchDir, startDaemon, until }
    from '../lib/peerpost.mjs';

const dir = scratchDir();
const SECRET = 'north-of-nowhere';
let nFiles = 0;

// The path of a file with these lines.
function configFile(lines, mode = 0o600)
{
	const file = path.join(dir, `${++nFiles}.conf`);

	fs.writeFileSync(file, Buffer.isBuffer(lines) ? lines :
	    [lines].flat().map((each) => `${each}\n`).join(''));
	fs.chmodSync(file, mode);
	return file;
}

function check(lines, ...args)
{
	return runProgram(['--config', configFile(lines), '--check-config',
		...args]);
}

// What --check-config prints, { option: [values] }.
function settingsOf(lines, ...args)
{
	const { code, stdout, stderr } = check(lines, ...args);
	const settings = {};

	assert.equal(`${code} ${stderr}`, '0 ');
	for (const line of stdout.split('\n')) {
		const [, name, value] = /^([a-z-]+) = (.*)$/.exec(line) ?? [];

		if (name)
			(settings[name] ??= []).push(value);
	}
	return settings;
}

// Text that must be refused: the complaints, without "FILE:".
function faultsOf(lines, ...args)
{
	const file = configFile(lines);
	const end = runProgram(['--config', file, '--check-config', ...args]);

	assert.equal(`${end.code} ${end.stdout}`, '2 ', end.stderr);
	assert.match(end.stderr, /^(peerpostd: [^\n]+\n)+$/);
	return end.stderr.trimEnd().split('\n').map((line) => {
		assert.ok(line.startsWith(`peerpostd: ${file}:`), line);
		return line.slice(`peerpostd: ${file}:`.length);
	});
}

test('what --check-config prints is a file of which it prints the same', () => {
	for (const lines of [[], ['fastcgi = unix:/run/peerpost/fastcgi.sock',
		'max-body=0100', 'demo = yes', 'base-path =',
		'trusted-proxy = none', 'cors-origin = https://a.example',
		'cors-origin = https://b.example', 'turn-uri = turn:a',
		`turn-secret = ${SECRET}`, 'turn-secret = second',
		'ice-server = turn:b,ann,pass,word', 'ice-server = stun:c']]) {
		const { code, stdout, stderr } = check(lines);
		const again = check(stdout);

		assert.equal(`${code} ${stderr}`, '0 ');
		assert.equal(again.stdout, stdout);
		for (const [, option] of runProgram(['--help']).stdout
		    .matchAll(/^ {2}--([a-z-]+)/gm))
			assert.equal(new RegExp(`^#?${option} = `, 'm').test(stdout),
			    !['config', 'check-config', 'help', 'version']
				.includes(option), option);
	}
});

test('without a file, it prints the command line and the defaults', () => {
	const { code, stdout } = runProgram(['--check-config', '--max-body', '7',
		'--database', 'x ; y']);

	assert.equal(code, 0);
	assert.match(stdout, /^listen = 127\.0\.0\.1:8080$/m);
	assert.match(stdout, /^#fastcgi = /m);
	assert.match(stdout, /^max-body = 7$/m);
	// It cannot stand in a file.
	assert.match(stdout, /^# database: /m);
});

test('blanks, comments, line ends and a byte order mark do not matter', () => {
	const text = '\ufeff# x\r\n\r\n  ; y = z\n\tmax-rooms\t=\t5 \r\n' +
	    'max-players=6\n  max-parked = 8\n#max-body = 7\ndatabase = a b=c:d;e#f';
	const settings = settingsOf(Buffer.from(text));

	assert.deepEqual(settings['max-rooms'], ['5']);
	assert.deepEqual(settings['max-players'], ['6']);
	assert.deepEqual(settings['max-parked'], ['8']);
	assert.deepEqual(settings['max-body'], ['65536']);
	assert.deepEqual(settings.database, ['a b=c:d;e#f']);
});

test('the command line wins, also over all values of what is repeatable', () => {
	const lines = ['max-body = 1', 'max-rooms = 2', 'demo = yes',
		'listen = 127.0.0.1:1', 'listen = 127.0.0.1:2',
		'cors-origin = https://a.example',
		'cors-origin = https://b.example'];

	assert.deepEqual(settingsOf(lines).listen,
	    ['127.0.0.1:1', '127.0.0.1:2']);

	const settings = settingsOf(lines, '--listen', '127.0.0.1:3',
	    '--max-body=9', '--max-body=10', '--demo=no');

	assert.deepEqual(settings.listen, ['127.0.0.1:3']);
	assert.deepEqual(settings['max-body'], ['10']);
	assert.deepEqual(settings['max-rooms'], ['2']);
	assert.deepEqual(settings.demo, ['no']);
	assert.deepEqual(settings['cors-origin'],
	    ['https://a.example', 'https://b.example']);
});

test('every mistake is told with its line, and none of what may be secret',
    () => {
	const rows = [
		['max-body = x', /^max-body: 'x' is not a whole number from 1/],
		['max-body = 0', /^max-body: '0' is not/],
		['max-bodies = 1', /^unknown option 'max-bodies': see peerpostd --help$/],
		['max_body = 1', /^unknown option 'max_body': did you mean max-body\?$/],
		['Max-Body = 1', /^there is no option of that name: did you mean max-body\?/],
		['--max-body = 1', /^unknown option '--max-body': did you mean max-body\?$/],
		['max-rooms', /^the line is not 'option = value'$/],
		['max-rooms: 5', /^the line .*: it has a colon where '=' belongs$/],
		['= 5', /^the line is not 'option = value'$/],
		[SECRET.toUpperCase(), /^the line is no/],
		[`turn-secret ${SECRET}==`, /^the line is no/],
		[`turn-secret: ${SECRET}=`, /^the line is no/],
		[`turn-secret = ${SECRET} # new`, /^turn-secret: put the comment on/],
		[`turn-secret = ;${SECRET}`, /^turn-secret: put the comment on/],
		[`turn-secret = ${SECRET}\x01`, /^turn-secret: .*control/],
		[`turn-secret = ${SECRET.repeat(99)}`, /^turn-secret: .*255/],
		['turn-secret =', /^turn-secret: .*empty/],
		[`ice-server = stun:a,ann,${SECRET}`, /^ice-server: .*no username/],
		['[peerpost]', /^sections are not supported: remove the line$/],
		['  [peerpost', /^sections are not supported: remove the line$/],
		['max-rooms = 5 ; five', /^max-rooms: put the comment on/],
		['demo', /^the line is no/],
		['demo = true', /^demo: 'true' is not yes or no$/],
		['config = x', /^config: use it on the command line, not in a file$/],
		['check-config = yes', /^check-config: use it on the command line/],
		['help = yes', /^help: use it on the command line, not in a file$/],
		['listen = nowhere', /^listen: 'nowhere' is not ADDR:PORT: use an address and a/],
		['log-level = loud', /^log-level: 'loud' is not error\|/],
		['turn-secret-file = /no/such/file',
			/^turn-secret-file: cannot read '\/no\/such\/file': No such/],
		['max-rooms = 1', null],
		['max-rooms = 1', /^max-rooms: it is already set in line 60$/],
		['max-rooms = 1\0', /^the line has a NUL byte$/],
		[`database = ${'x'.repeat(7989)}`, null],
		[`database = ${'x'.repeat(7990)}`, /^the line is longer than 8000 bytes$/],
	];
	const lines = rows.flatMap(([line]) => ['# comment', line]);
	const faults = faultsOf(lines);
	const wanted = rows.map(([, what], i) => [2 * i + 2, what])
	    .filter(([, what]) => what);

	assert.equal(faults.length, wanted.length, faults.join('\n'));
	for (const [i, [line, what]] of wanted.entries()) {
		const [, number, text] = /^(\d+): (.*)$/.exec(faults[i]);

		assert.equal(Number(number), line, faults[i]);
		assert.match(text, what);
	}
	assert.doesNotMatch(faults.join('\n').toLowerCase(), new RegExp(SECRET));
});

test('a section after a byte order mark is one, too', () => {
	assert.deepEqual(faultsOf(Buffer.from('\ufeff[x]\nmax-rooms = 1\n')),
	    ['1: sections are not supported: remove the line']);
});

test('numbers are checked for each option that has one', () => {
	const names = [...runProgram(['--help']).stdout
	    .matchAll(/^ {2}--([a-z-]+) [A-Z]+\n[^-]*\(\d+\)$/gm)]
	    .map(([, name]) => name);
	const faults = faultsOf(names.map((name) => `${name} = -1`));

	assert.ok(names.length > 15);
	names.forEach((name, i) => assert.ok(
	    faults[i].startsWith(`${i + 1}: ${name}: '-1' is not`), faults[i]));
});

test('what does not go together is told with the line of the last of it', () => {
	assert.match(faultsOf(['#', 'poll-wait = 30', 'poll-wait-max = 20', '#'])
	    .join(), /^3: --poll-wait \(30\) is greater than .* \(20\)$/);
	assert.match(faultsOf(['turn-uri = turn:a']).join(),
	    /^1: --turn-uri needs/);
	assert.match(faultsOf(['', 'turn-secret = x']).join(),
	    /^2: a TURN secret needs/);
	assert.match(faultsOf(['group = 0']).join(), /^1: --group needs/);
});

test('what the command line takes the place of is checked all the same', () => {
	const faults = faultsOf(['max-body = x', 'listen = nowhere', 'max-rooms = 1',
		'max-rooms = 2'], '--max-body', '5', '--listen', '127.0.0.1:0',
	    '--max-rooms', '3');

	assert.deepEqual(faults.map((each) => each.split(':')[0]),
	    ['1', '2', '4']);
	// Each has 32 of them, and not both together.
	const many = Array.from({ length: 32 }, (_, i) => `127.0.0.1:${i + 1}`);

	assert.deepEqual(settingsOf(many.map((each) => `listen = ${each}`),
	    ...many.flatMap((each) => ['--listen', each])).listen, many);
});

test('the daemon tells the first mistake in one line, and exits with 2', () => {
	const database = path.join(dir, 'not-opened.db');

	for (const lines of [['#', 'nope = 1', 'nope = 2'],
	    ['#', 'listen = 127.0.0.1:0', 'listen = x']]) {
		const file = configFile(lines);
		const { code, stdout, stderr } = runProgram(
		    ['--config', file, '--database', database]);

		assert.equal(`${code} ${stdout}`, '2 ');
		assert.match(stderr, /^peerpostd: [^\n]+:[23]: [^\n]+\n$/);
		assert.ok(stderr.startsWith(`peerpostd: ${file}:`), stderr);
	}
	assert.equal(fs.existsSync(database), false);
});

test('a file that cannot be read is one line, and exit 2', () => {
	const pipe = path.join(dir, 'pipe');
	const large = path.join(dir, 'large');

	execFileSync('mkfifo', [pipe]);
	fs.writeFileSync(large, '# x\n'.repeat(1 << 18) + '#');
	for (const [file, why] of [[path.join(dir, 'none'), 'No such file'],
	    [dir, 'Is a directory'], ['/dev/zero', 'a device, not a regular file'],
	    [pipe, 'a pipe, not a regular file'],
	    [large, 'larger than 1048576 bytes'], ['', 'is empty']])
		for (const args of [[], ['--check-config']]) {
			const { code, stdout, stderr } = runProgram(
			    ['--config', file, ...args]);

			assert.equal(`${code} ${stdout}`, '2 ');
			assert.match(stderr, /^peerpostd: [^\n]+\n$/);
			assert.ok(stderr.includes(file) && stderr.includes(why),
			    stderr);
		}
});

test('a file with secrets that everybody can read gets a warning', () => {
	const turn = ['turn-uri = turn:a', `turn-secret = ${SECRET}`];

	for (const [lines, mode, isWarned, ...args] of [
		[turn, 0o644, true], [turn, 0o640, false],
		[['ice-server = turn:a,ann,pw'], 0o644, true],
		[['ice-server = stun:a'], 0o644, false],
		[turn, 0o644, true, '--turn-secret', 'other']]) {
		const file = configFile(lines, mode);
		const { code, stdout, stderr } = runProgram(
		    ['--config', file, '--check-config', ...args]);

		assert.equal(code, 0);
		assert.equal(stderr, isWarned ? 'peerpostd: warning: everybody ' +
		    `can read the secrets in '${file}'\n` : '');
		assert.doesNotMatch(stdout, new RegExp(`${SECRET}|pw`));
	}
});

test('checking opens no database and no socket', async () => {
	const d = await startDaemon();
	const database = path.join(dir, 'checked.db');
	const socket = path.join(dir, 'checked.sock');

	settingsOf([`listen = 127.0.0.1:${d.port}`, `listen = unix:${socket}`,
		`database = ${database}`]);
	assert.equal(fs.existsSync(database) || fs.existsSync(socket), false);
	// Nor one that others have.
	settingsOf([`database = ${d.database}`]);
	await Player.register(d);
});

test('the daemon runs with what the file says', async () => {
	const socket = path.join(dir, 'served.sock');
	const file = configFile([`listen = unix:${socket}`,
		'listen = 127.0.0.1:0', 'base-path = /signal', 'max-players = 1',
		'demo = yes', `database = ${path.join(dir, 'unused.db')}`]);
	const d = await startDaemon({ args: ['--config', file], listen: [] });

	d.basePath = '/signal';
	await until(() => d.listeners.length === 2 || null, 'two listeners');
	assert.equal(d.listeners[0].path, socket);
	assert.ok(net.isIP(d.listeners[1].host));
	for (const listener of [0, 1])
		assert.equal((await request(d, 'GET', '/signal/demo/',
		    { listener })).status, 200);
	ok(await request(d, 'POST', '/signal/register', { body: 'ann' }));
	assert.equal((await request(d, 'POST', '/signal/register',
	    { body: 'bob' })).status, 503);
	// The command line has another.
	assert.ok(fs.existsSync(d.database));
	assert.equal(fs.existsSync(path.join(dir, 'unused.db')), false);
});
