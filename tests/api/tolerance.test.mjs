// tolerance.test.mjs - what clients, proxies and editors write in another way
// than we do, and mean the same by; and what is said of what they cannot mean.
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertFailure, makeRoom, ok, Player, request,
    startDaemon } from '../lib/peerpost.mjs';

const daemon = await startDaemon();
const MARK = Buffer.from([0xef, 0xbb, 0xbf]);
const marked = (text) => Buffer.concat([MARK, Buffer.from(text)]);
const ids = (reply) => ok(reply).events.map(({ id }) => id);

// A player with so many events, which it has not fetched.
async function withEvents(n)
{
	const { players: [player] } = await makeRoom(daemon, ['ann']);

	for (let i = 1; i < n; i++)
		ok(await player.message(i));
	return player;
}

// --- numbers ---

test('a whole number may have a fraction and an exponent: ids', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);

	for (const [target, code] of [['/offer', 'OOO'], ['/answer', 'AAA'],
	    ['/candidate', 'CCC']])
		for (const id of ['1.0', '1e0', '10e-1', '"1.0"', '"1e0"', '1.000',
		    `${host.id}.0`, `"${host.id}.00"`, '0.1e1', '1E+0']) {
			assert.equal((await bob.post(target,
			    { text: `{"rtc":1.0,"id":${id}}` })).status, 204, id);
			assert.deepEqual(await host.news(),
			    [[code, { rtc: 1, id: bob.id }]]);
		}

	const reply = ok(await bob.command(undefined, { text:
	    '[{"command":"###!OO","data":{"id":1.0}},' +
	    '{"command":"###!CC","data":{"id":"1.5"}}]' }));

	assert.deepEqual(reply.map((each) => each?.error ?? null),
	    [null, 'bad-data']);
});

test('a whole number may have a fraction and an exponent: cursors', async () => {
	const player = await withEvents(5);

	for (const three of ['3.0', '3', '3e0', '30e-1', '0.3e1', '003.00']) {
		assert.deepEqual(ids(await player.events({ query:
		    `after=${three}&wait=0.0&max=1.0` })), [4]);
		assert.deepEqual(ids(await player.events({ query: 'wait=0e9',
			headers: { 'Last-Event-ID': three } })), [4, 5]);
		if (three.startsWith('00'))
			continue;
		assert.deepEqual(ids(await player.post('/events', { text:
		    `{"after":${three},"wait":0.0,"max":1e0}` })), [4]);
		assert.deepEqual(ids(await player.command(undefined, { text:
		    `{"commands":[],"after":${three},"max":2.0}` })), [4, 5]);
	}
});

test('an exponent costs nothing', async () => {
	const player = await withEvents(1);

	for (const number of ['1e999999999', '1e-999999999', '-1e999999999',
	    `1e${'9'.repeat(200)}`]) {
		assertFailure(await player.events({ query: `after=${number}` }),
		    400, 'ICB', 'bad-cursor');
		assertFailure(await player.post('/offer',
		    { text: `{"id":${number}}` }), 400, 'ICB', 'bad-data');
	}
	assert.deepEqual(ids(await player.events({ query:
	    'after=0e999999999&wait=0' })), [1]);
	// As long as a body may be.
	assertFailure(await player.post('/offer', { text:
	    `{"id":0.${'0'.repeat(60_000)}1e60000}` }), 400, 'ICB', 'bad-data');
	assertFailure(await player.post('/offer', { text:
	    `{"id":0.${'0'.repeat(60_000)}7e60001}` }), 404, 'ICB',
	'peer-not-found');
});

// --- sentences ---

const NUMBER = 'a whole number from 0 to 9007199254740991';
const ID = 'a peer id, a whole number from 1 to 2147483647';
const NOTHING = 'null, the string \'null\', or left out';

for (const [method, target, options, word, sentence] of [
	['GET', '/events?after=1.5', {}, 'bad-cursor',
		`after in the query is '1.5': it must be ${NUMBER}.`],
	['GET', '/events?after=1&wait=%22', {}, 'bad-cursor',
		`wait in the query is '"': it must be ${NUMBER}.`],
	['GET', '/events?max=%0a%ff%7f\\', {}, 'bad-cursor',
		`max in the query is '???\\': it must be ${NUMBER}.`],
	['GET', '/events', { headers: { 'Last-Event-ID': '3,4' } }, 'bad-cursor',
		`Last-Event-ID is '3,4': it must be ${NUMBER}.`],
	['POST', '/events', { text: '{"max":"3"}' }, 'bad-cursor',
		`max is the string '3': it must be ${NUMBER}.`],
	['POST', '/command', { text: '{"commands":[],"after":9007199254740992}' },
		'bad-cursor', `after is 9007199254740992: it must be ${NUMBER}.`],
	['POST', '/offer', { text: `{"id":${'9'.repeat(1000)}}` }, 'bad-data',
		`id is ${'9'.repeat(32)}...: it must be ${ID}.`],
	['POST', '/answer', { text: '{"id":null}' }, 'bad-data',
		`id is null: it must be ${ID}.`],
	['POST', '/candidate', { text: '{"rtc":1}' }, 'bad-data',
		`id is missing: it must be ${ID}.`],
	['POST', '/candidate', { text: '7' }, 'bad-data',
		'The body is 7: it must be an object with the integer member id.'],
	['POST', '/seal-room', { text: '{}' }, 'bad-data',
		`The body is an object: it must be ${NOTHING}.`],
	['POST', '/command', { text: '{"command":"###!LR","data":"x"}' },
		'bad-data', `data is the string 'x': it must be ${NOTHING}.`],
	['POST', '/command', { text: '"x"' }, 'bad-data',
		'The body is the string \'x\': it must be an object with the member ' +
		'command or commands, or an array of commands.'],
	['POST', '/command', { text: `[${Array(65).fill(1)}]` }, 'bad-data',
		'The body has 65 elements: it must have at most 64.'],
	['POST', '/command', { text: `{"commands":[${Array(70).fill(1)}]}` },
		'bad-data', 'commands has 70 elements: it must have at most 64.'],
	['POST', '/join-room', { text: '5' }, 'bad-data',
		'The body is 5: it must be the UUID of a room.'],
	['POST', '/message', { text: 'null' }, 'bad-data',
		'The body is null: it must be the message, any JSON value ' +
		'except null.'],
	['POST', '/events', { text: '{"wait":1,"wait":1}' }, 'bad-json',
		'wait appears twice: it must appear once.'],
])
	test(`what is wrong is said: ${sentence}`, async () => {
		const { players: [ann] } = await makeRoom(daemon, ['ann']);
		const reply = await ann.request(method, target, options);

		assert.equal(reply.status, 400);
		assert.equal(reply.json.error, word);
		assert.equal(reply.json.data, sentence);
		assert.deepEqual(await ann.drain(), []);
	});

test('in an array each command has its own sentence', async () => {
	const { players: [ann] } = await makeRoom(daemon, ['ann']);
	const replies = ok(await ann.command([{ command: '###!JR', data: 1 }, 2,
		{ command: 3 }, { command: '###!OO', data: { id: '4"\\' } }]));

	assert.deepEqual(replies.map(({ data }) => data), [
		'data is 1: it must be the UUID of a room.',
		'The element is 2: it must be an object with the member command.',
		'command is 3: it must be a string with the code of a command.',
		// As it stands in the JSON.
		`id is the string '4\\"\\\\': it must be ${ID}.`]);
});

test('a token is not shown', async () => {
	const { players: [ann] } = await makeRoom(daemon, ['ann']);

	// Whether there is another token, or not.
	for (const [path, token] of [['/command', ann.token], ['/command'],
		['/events']]) {
		const reply = await request(daemon, 'POST', path, { token,
			text: '{"token":4711,"command":"###!LR"}' });

		assertFailure(reply, 400, 'ICB', 'bad-data');
		assert.equal(reply.json.data,
		    'token is a number: it must be the string that register ' +
		    'returned.');
	}
});

test('a member that is twice in a query is named', async () => {
	const reply = await request(daemon, 'GET',
	    '/events?wait=0&after=0&wait=0.0');

	assert.equal(reply.status, 400);
	assert.equal(reply.json.error, 'bad-request');
	assert.equal(reply.json.data, 'wait appears twice: it must appear once.');
});

test('what is no name is said', async () => {
	const BE = 'it must be a string of 1 to 64 characters, without ' +
	    'control characters.';
	const register = (options) => request(daemon, 'POST', '/register', options);
	const headers = { 'Content-Type': 'text/plain' };

	for (const [options, sentence] of [
	    [{ body: 5 }, `The name is 5: ${BE}`],
	    [{ body: '' }, `The name has no characters: ${BE}`],
	    [{ text: '', headers }, `The name has no characters: ${BE}`],
	    [{ text: 'Ann\n', headers },
		    `The name has the control character U+000A: ${BE}`],
	    [{ body: 'x'.repeat(65) },
		    `The name has more than 64 characters: ${BE}`],
	    [{ body: '😀'.repeat(300) },
		    `The name has more than 64 characters: ${BE}`]]) {
		const reply = await register(options);

		assertFailure(reply, 400, 'RPB', 'bad-name');
		assert.equal(reply.json.data, sentence);
	}
});

// --- UTF-8 ---

test('a body that is not UTF-8 is said to be none', async () => {
	const { players: [ann] } = await makeRoom(daemon, ['ann']);
	const latin = Buffer.from('"caf\xe9"', 'latin1');
	const utf16 = Buffer.from('\ufeff"x"', 'utf16le');
	const headers = { 'Content-Type': 'text/plain' };
	const say = (n, what, byte) => `Byte ${n} of ${what} is 0x${byte}, which ` +
	    'is not UTF-8: send it as UTF-8, not as Latin-1 or UTF-16.';

	for (const [target, code, text, sentence] of [
	    ['/message', 'RMB', latin, say(5, 'the body', 'e9')],
	    ['/message', 'RMB', utf16, say(1, 'the body', 'ff')],
	    ['/command', 'ICB', latin, say(5, 'the body', 'e9')],
	    ['/events', 'ICB', utf16, say(1, 'the body', 'ff')]]) {
		const reply = await ann.post(target, { text });

		assertFailure(reply, 400, code, 'bad-json');
		assert.equal(reply.json.data, sentence);
	}
	for (const [text, word, sentence] of [
	    [latin, 'bad-json', say(5, 'the body', 'e9')],
	    [latin.subarray(1, 5), 'bad-name', say(4, 'the name', 'e9')]]) {
		const reply = await request(daemon, 'POST', '/register',
		    { text, headers });

		assertFailure(reply, 400, 'RPB', word);
		assert.equal(reply.json.data, sentence);
	}
	// What is UTF-8, and no JSON, is not said to be something else.
	assert.equal((await ann.post('/message', { text: '{é' })).json.data,
	    'The body is not valid JSON.');
});

test('a byte order mark in front of a body is skipped', async () => {
	const { players: [host], uuid } = await makeRoom(daemon, ['ann']);
	const headers = { 'Content-Type': 'text/plain' };

	for (const [text, options] of [['"Zoë"', {}], ['"Zoë"', { headers }],
	    ['Zoë', { headers }]]) {
		const zoe = new Player(daemon, ok(await request(daemon, 'POST',
		    '/register', { text: marked(text), ...options })));
		const joined = ok(await zoe.post('/join-room',
		    { text: marked(uuid) }));

		assert.deepEqual(joined.data, ['ann', 'Zoë']);
		ok(await zoe.post('/message', { text: marked('"hello"') }));
		assert.equal((await zoe.post('/offer',
		    { text: marked('{"id":1}') })).status, 204);
		assert.deepEqual(ok(await zoe.post('/events',
		    { text: marked('{"after":2,"wait":0}') })).events,
		[{ id: 3, command: '###!RMK', data: 'hello' }]);
		ok(await zoe.post('/leave-room', { text: marked('') }));
		ok(await zoe.post('/command',
		    { text: marked('{"command":"###!UP"}') }));
		assert.deepEqual(await host.news(), [['RPC', joined.id],
			['RMK', 'hello'], ['OOO', { id: joined.id }],
			['RPD', joined.id]]);
	}
});

test('a mark is no part of what a key stands for', async () => {
	const { players: [ann] } = await makeRoom(daemon, ['ann']);
	const headers = { 'Idempotency-Key': 'k' };

	ok(await ann.post('/message', { text: '"x"', headers }));
	const again = await ann.post('/message', { text: marked('"x"'), headers });

	ok(again);
	assert.equal(again.headers['idempotency-replayed'], 'true');
});

// --- Last-Event-ID ---

test('an empty Last-Event-ID is none', async () => {
	const player = await withEvents(3);

	assert.deepEqual(ids(await player.events({ query: 'after=1&wait=0',
		headers: { 'Last-Event-ID': '' } })), [2, 3]);
	assert.deepEqual(ids(await player.post('/events', {
		body: { after: 2, wait: 0 }, headers: { 'Last-Event-ID': '' } })),
	[3]);
});

// --- Content-Encoding ---

test('a coded body is 415, and does nothing', async () => {
	const { players: [ann] } = await makeRoom(daemon, ['ann']);

	for (const coding of ['gzip', 'GZIP', 'br', 'deflate, identity', 'x'])
		for (const [target, code] of [['/message', 'RMB'],
		    ['/command', 'ICB'], ['/events', 'ICB'], ['/register', 'RPB']]) {
			const reply = await ann.post(target, { text: '1',
				headers: { 'Content-Encoding': coding } });

			assertFailure(reply, 415, code, 'unsupported-encoding');
			assert.equal(reply.headers['accept-encoding'], 'identity');
			assert.equal(reply.headers['access-control-allow-origin'],
			    '*');
		}
	assert.deepEqual(await ann.drain(), []);
	for (const coding of ['identity', 'Identity', ''])
		ok(await ann.post('/message', { text: '1',
			headers: { 'Content-Encoding': coding } }));
	// Of a GET no body is read.
	ok(await ann.request('GET', '/room',
	    { headers: { 'Content-Encoding': 'gzip' } }));
	// A path, a method and a size that are wrong come first.
	const headers = { 'Content-Encoding': 'gzip' };

	assertFailure(await ann.post('/nope', { text: '1', headers }), 404, 'ICB',
	    'not-found');
	assertFailure(await ann.post('/room', { text: '1', headers }), 405, 'ICB',
	    'method-not-allowed');
	assertFailure(await ann.post('/message',
	    { text: '1'.repeat(70_000), headers }), 413, 'RMB', 'too-large');
	assertFailure(await ann.post('/message', { text: '1',
		headers: { ...headers, 'Idempotency-Key': '' } }), 415, 'RMB',
	'unsupported-encoding');
});

// --- paths ---

for (const basePath of ['', '/play/peer'])
	test(`slashes too many are passed over below '${basePath}'`, async () => {
		const d = basePath ? await startDaemon({ args:
		    ['--base-path', basePath, '--demo'] }) :
		    await startDaemon({ args: ['--demo'] });
		const at = (method, target, options) => request(d, method, target,
		    options);
		const fronts = basePath ? ['/play/peer', '/play//peer',
			'//play/peer/', '/play/peer//'] : ['', '/', '//'];
		const { token } = ok(await at('POST', `${basePath}/register`,
		    { body: 'ann' }));

		for (const front of fronts) {
			for (const target of ['/register', '/register/', '//register',
			    '///register//', '/%2Fregister'])
				ok(await at('POST', front + target, { body: 'x' }));
			ok(await at('POST', `${front}//create-room/`, { token }));
			assert.equal(ok(await at('GET',
			    `${front}//events/?after=0&wait=0`, { token }))
			    .events.at(-1).command, '###!CTR');
			ok(await at('GET', `${front}/room/`, { token }));
			ok(await at('POST', `${front}/leave-room//`, { token }));
			ok(await at('POST', `${front}/events/`, { token,
				body: { wait: 0, after: 1000000 } }));
			ok(await at('POST', `${front}/command/?x//y`,
			    { token, body: [] }));
			assert.match((await at('GET', `${front}//`))
			    .headers['content-type'], /^text\/html/);
			assert.equal((await at('GET', `${front}//demo`)).status, 308);
			assert.equal((await at('GET', `${front}//demo//`)).status, 200);
			assert.equal((await at('GET', `${front}//demo//demo.js`))
			    .status, 200);
			assertFailure(await at('GET', `${front}/register/`), 405,
			    'RPB', 'method-not-allowed');
			for (const target of ['/events/x', '/ev/ents', '/register/.',
			    '/peerpost.js/'])
				assertFailure(await at('POST', front + target), 404,
				    'ICB', 'not-found');
		}
		if (basePath) {
			for (const target of ['/play/peer', '//play//peer//',
			    '/play/peer?x'])
				assert.match((await at('GET', target))
				    .headers['content-type'], /^text\/html/);
			for (const target of ['/play', '//', '/play/peerregister',
			    '/register/', '/play/'])
				assertFailure(await at('GET', target), 404, 'ICB',
				    'not-found');
		}
	});
