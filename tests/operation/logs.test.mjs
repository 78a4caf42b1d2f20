// logs.test.mjs - the three forms of the log, its priorities, and the access
// log.  What must never be in it: see ../api/logs.test.mjs.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { ask } from '../lib/admin.mjs';
import { makeRoom, ok, parked, program, rawExchange, request, runProgram,
    scratchDir, startDaemon, until } from '../lib/peerpost.mjs';

const STAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z /;

// A strict reader of logfmt.
function parseLogfmt(line)
{
	const fields = {};
	let rest = line;

	while (rest !== '') {
		const found =
		    /^([a-z_]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s="\\]+))(?: |$)/u.exec(rest);

		assert.ok(found, `not logfmt: ${rest} (${line})`);
		assert.ok(!(found[1] in fields), `twice: ${found[1]}`);
		fields[found[1]] = found[3] ?? JSON.parse(`"${found[2]}"`);
		rest = rest.slice(found[0].length);
		assert.ok(rest !== '' || !found[0].endsWith(' '), line);
	}
	return fields;
}

function readLog(stderr, parse)
{
	const lines = stderr.split('\n');

	assert.equal(lines.pop(), '', 'the last line has an end');
	return lines.map((line) => {
		const { time, level, ...fields } = parse(line);

		assert.match(time, STAMP);
		assert.match(level, /^(error|warning|info|debug|notice)$/);
		return { level, ...fields };
	});
}

const finished = (d, parse) => readLog(d.stderr, parse)
    .filter((each) => each.msg === 'finished');

for (const [format, parse] of [['logfmt', parseLogfmt],
    ['json', JSON.parse]]) {
	test(`--log-format ${format}: each line can be read`, async () => {
		const d = await startDaemon({ args: ['--log-level', 'debug',
			'--log-format', format] });

		ok(await request(d, 'POST', '/register', { body: 'ann' }));
		await request(d, 'POST', '/register', { text: '{' });
		assert.equal(await d.stop(), 0);

		const log = readLog(d.stderr, parse);
		const listening = log.find(({ level }) => level === 'notice');
		const [registered, refused] = finished(d, parse);

		assert.deepEqual(listening,
		    { level: 'notice', msg: `listening on ${d.url}` });
		assert.deepEqual(Object.keys(registered), ['level', 'msg',
			'request', 'transport', 'method', 'route', 'status',
			'bytes', 'ms']);
		assert.match(registered.request, /^[0-9a-f]{8}$/);
		assert.notEqual(registered.request, refused.request);
		assert.equal(registered.level, 'debug');
		assert.equal(registered.method, 'POST');
		assert.equal(registered.route, '/register');
		assert.equal(Number(registered.status), 200);
		assert.equal(Number(refused.status), 400);
		assert.equal(refused.error, 'bad-json');
		assert.equal(log.at(-1).msg, 'stopping');
		if (format === 'json')
			assert.equal(typeof registered.ms, 'number');
	});

	test(`--log-format ${format}: file names are other people's`, () => {
		const name = path.join(scratchDir(), 'a "b"\\\n\x1b[31m=\x7fé');

		fs.writeFileSync(name, 'not a database, by far');
		const { code, stderr } = runProgram(['--listen', '127.0.0.1:0',
			'--log-format', format, '--database', name]);

		assert.equal(code, 1);
		assert.deepEqual(readLog(stderr, parse), [{ level: 'error',
			msg: `${name} is not a Peerpost database` }]);
	});
}

test('as text, a line is a sentence, whatever is in it', () => {
	const name = path.join(scratchDir(), 'a\nb');

	fs.writeFileSync(name, 'not a database, by far');
	const { stderr } = runProgram(['--listen', '127.0.0.1:0',
		'--database', name]);

	assert.equal(stderr, 'peerpostd: error: ' + name.replace('\n', '\\n') +
	    ' is not a Peerpost database\n');
});

test('where it listens is said at any level', async () => {
	const d = await startDaemon({ args: ['--log-level', 'error'] });

	assert.equal(d.stderr, `listening on ${d.url}\n`);
	await d.stop();
	assert.equal(d.stderr, `listening on ${d.url}\n`);
});

// Run it with stderr in a file of which $JOURNAL_STREAM tells the truth or
// not; it ends by itself, since its database is none.
async function runUnderJournal(stream, args = [])
{
	const dir = scratchDir();
	const file = path.join(dir, 'stderr');
	const database = path.join(dir, 'x.db');
	const fd = fs.openSync(file, 'w');
	const { dev, ino } = fs.fstatSync(fd);

	fs.writeFileSync(database, 'not a database, by far');
	const child = spawn(program, ['--listen', '127.0.0.1:0', '--database',
		database, ...args], { stdio: ['ignore', 'ignore', fd],
		env: { ...process.env, JOURNAL_STREAM: stream(dev, ino) } });

	await new Promise((resolve) => child.on('close', resolve));
	fs.closeSync(fd);
	return fs.readFileSync(file, 'utf8').replace(database, 'FILE');
}

test('the journal gets priorities, and nobody else does', async () => {
	const TEXT = 'FILE is not a Peerpost database';

	assert.equal(await runUnderJournal((dev, ino) => `${dev}:${ino}`),
	    `<3>${TEXT}\n`);
	assert.match(await runUnderJournal((dev, ino) => `${dev}:${ino}`,
	    ['--log-format', 'json']), /^<3>{"time".*}\n$/);
	for (const stream of [(dev, ino) => `${dev}:${ino + 1}`,
	    (dev, ino) => `${dev + 1}:${ino}`, () => '', () => 'x:y'])
		assert.equal((await runUnderJournal(stream)).replace(TIME, ''),
		    `peerpostd: error: ${TEXT}\n`);
});

// What a program writes to a file, or to a terminal of script(1)'s.
async function runInto(file, args, terminal)
{
	const all = [program, '--listen', '127.0.0.1:0', '--database',
		path.join(scratchDir(), 'x.db'), ...args];
	const fd = fs.openSync(terminal ? '/dev/null' : file, 'a');
	const child = terminal ?
	    spawn('script', ['-qefc', `exec ${all.join(' ')}`, file],
		{ stdio: ['ignore', fd, fd] }) :
	    spawn(all[0], all.slice(1), { stdio: ['ignore', 'ignore', fd] });
	const end = new Promise((resolve) => child.on('close', resolve));

	await until(() => fs.existsSync(file) &&
	    /listening on/.test(fs.readFileSync(file, 'latin1')), 'start');
	const [pid] = terminal ? fs.readFileSync(
	    `/proc/${child.pid}/task/${child.pid}/children`, 'latin1')
	    .split(' ') : [child.pid];

	process.kill(Number(pid), 'SIGTERM');
	await end;
	fs.closeSync(fd);
	return fs.readFileSync(file, 'utf8').replaceAll('\r\n', '\n')
	    .split('\n').filter((line) => line && !/^Script /.test(line));
}

const hasScript = spawnSync('script', ['--version']).status === 0;

for (const where of ['a file', 'a terminal'])
	test(`lines of text on ${where} have the time, except where it listens`,
	    { skip: where === 'a terminal' && !hasScript && 'no script(1)' },
	    async () => {
		const before = new Date().toISOString();
		const lines = await runInto(path.join(scratchDir(), 'log'), [],
		    where === 'a terminal');
		const after = new Date().toISOString();

		assert.ok(lines.some((line) => /^listening on http:/.test(line)));
		assert.ok(lines.some((line) => /peerpostd: info: stopping$/
		    .test(line)));
		for (const line of lines.filter((each) =>
		    !/^listening/.test(each))) {
			const [time] = TIME.exec(line);

			assert.match(line.slice(time.length), /^peerpostd: \w+: /);
			assert.ok(before <= time.trim() && time.trim() <= after,
			    time);
		}
	});

test('the other forms have the time once, in a file, too', async () => {
	for (const line of await runInto(path.join(scratchDir(), 'log'),
	    ['--log-format', 'logfmt']))
		assert.match(line, /^time=\S+ level=(?!.*time=)/);
});

test('without --access-log nothing is said of requests at level info',
    async () => {
	const d = await startDaemon();
	const { length } = d.stderr;

	await request(d, 'GET', '/healthz');
	await request(d, 'GET', '/nope');
	await d.stop();
	assert.match(d.stderr.slice(length), // as root, it may still warn of that
	    /^(peerpostd: warning: running .*\n)?peerpostd: info: stopping\n$/);
});

test('--access-log has a line for each request, with the client of a proxy',
    async () => {
	const d = await startDaemon({ args: ['--access-log', '--log-format',
		'json'] });
	const { players: [ann, bob] } = await makeRoom(d, ['ann', 'bob']);
	const log = () => finished(d, JSON.parse);
	const last = async () => {
		const { length } = log();

		return until(() => log()[length] ?? false, 'line of the log');
	};

	for (const { client, level, transport } of log())
		assert.deepEqual({ client, level, transport },
		    { client: '127.0.0.1', level: 'info', transport: 'http' });

	let next = last();

	ok(await request(d, 'GET', '/healthz',
	    { headers: { 'X-Forwarded-For': '2001:db8::7' } }));
	assert.equal((await next).client, '2001:db8::7');

	// Polls say how they ended.
	await ann.drain();
	await bob.drain();
	next = last();
	await bob.events({ after: bob.cursor, wait: 0 });
	assert.equal((await next).poll, 'empty');
	next = last();
	await bob.events({ after: bob.cursor + 9, wait: 0 });
	assert.equal((await next).poll, 'reset');

	const polls = () => log().filter((each) => each.poll)
	    .map((each) => each.poll);
	const older = bob.events({ after: bob.cursor, wait: 55 });

	await parked(d, older);
	const newer = bob.events({ after: bob.cursor, wait: 55 });

	await older;
	assert.equal(polls().at(-1), 'superseded');
	await parked(d, newer);
	ok(await ann.message('hello'));
	await newer;
	await until(() => polls().at(-1) === 'mail', 'mail');
	await ann.drain();
	await bob.drain();

	const abort = new AbortController();
	const gone = bob.events({ after: bob.cursor, wait: 55,
		signal: abort.signal }).catch(() => {});

	await parked(d, gone);
	abort.abort();
	await gone;
	await until(() => polls().at(-1) === 'hung-up', 'hang-up');
	assert.equal(log().at(-1).gone, 'yes');

	const held = bob.events({ after: bob.cursor, wait: 55 });

	await parked(d, held);
	d.advance(20);
	ok(await bob.unregister());
	assert.equal((await held).status, 401);
	await until(() => polls().at(-1) === 'ended', 'end');
	await d.stop();
});

test('the access log is switched on and off by SIGHUP', async () => {
	const config = path.join(scratchDir(), 'peerpost.conf');
	const admin = '127.0.0.1:0';

	fs.writeFileSync(config, '');
	const d = await startDaemon({ admin, args: ['--config', config,
		'--log-format', 'json'] });
	const reload = async (text) => {
		const { length } = d.stderr;

		fs.writeFileSync(config, text);
		process.kill(d.pid, 'SIGHUP');
		await until(() => d.stderr.slice(length).includes('reloaded'),
		    'reload');
	};
	const both = async () => {
		await request(d, 'GET', '/healthz');
		await ask(d, 'GET', '/healthz');
	};

	await both();
	await reload('access-log = yes\n');
	await both();
	await reload('access-log = no\n');
	await both();
	await d.stop();
	assert.deepEqual(finished(d, JSON.parse).map(({ transport, client }) =>
	    `${transport} ${client}`), ['http 127.0.0.1', 'admin 127.0.0.1']);
});

test('a request that is never whole is in the access log', async () => {
	const d = await startDaemon({ args: ['--access-log', '--log-format',
		'json'] });

	await rawExchange(d, 'POST /message HTTP/1.1\r\nHost: x\r\n' +
	    'Content-Length: 10\r\n\r\n123', { half: true });
	const line = await until(() => finished(d, JSON.parse)[0] ?? false,
	    'line of the log');

	assert.deepEqual({ ...line, ms: 0, request: '' }, { level: 'info',
		msg: 'finished', request: '', transport: 'http', method: 'POST',
		route: '-', ms: 0, gone: 'yes', client: '127.0.0.1' });
});
