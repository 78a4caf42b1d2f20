// command.test.mjs - POST /command: envelopes, arrays, the token in the body,
// replies and events in one answer (protocol sections 2, 3 and 4).
import assert from 'node:assert/strict';
import crypto from 'node:crypto';
import test from 'node:test';
import { assertFailure, makeRoom, ok, Player, request, startDaemon }
    from '../lib/peerpost.mjs';

const daemon = await startDaemon({ args: ['--command-burst', '5000'] });
const send = (options) => request(daemon, 'POST', '/command', options);
const command = (code, data) => data === undefined ?
    { command: `###!${code}` } : { command: `###!${code}`, data };
const words = (replies) => replies.map((reply) =>
    reply && (reply.error ?? reply.command.replace('###!', '')));

function same(reply, text)
{
	assert.equal(`${reply.status} ${reply.text}`, `200 ${text}`);
}

// --- one envelope ---

test('an envelope gets the reply envelope, with the command\'s own status',
    async () => {
	const player = await Player.register(daemon);
	const reply = await player.command(command('CR', 'null'));

	same(reply, `{"command":"###!CRK","data":"${reply.json.data}","id":1}`);
	same(await player.command(command('SM', [1])),
	    '{"command":"###!RMK","data":[1]}');
	same(await player.command(command('SR')),
	    '{"command":"###!SRK","data":"null"}');
	assertFailure(await player.command(command('SR')), 409, 'SRB',
	    'room-sealed');
	same(await player.command(command('LR', null)),
	    '{"command":"###!LRK","data":"null"}');
	assertFailure(await player.command(
	    command('JR', crypto.randomUUID())), 404, 'JRB', 'room-not-found');
	same(await player.command(command('UP')),
	    '{"command":"###!UPK","data":"null"}');
	assertFailure(await player.command(command('CR')), 401, 'CRB',
	    'no-session');
});

test('an envelope of a relay gets 204', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);

	for (const [code, event] of [['OO', 'OOO'], ['AA', 'AAA'],
	    ['CC', 'CCC']]) {
		const reply = await bob.command(command(code, { id: 1, rtc: 0 }));

		assert.equal(`${reply.status} ${reply.text}`, '204 ');
		assert.deepEqual(await host.news(),
		    [[event, { id: bob.id, rtc: 0 }]]);
	}
});

test('an envelope of join and register takes the data', async () => {
	const { uuid } = await makeRoom(daemon, ['ann']);
	const { data: id, token } = ok(await send(
	    { body: command('RP', 'bob') }));
	const bob = new Player(daemon, { id, token });

	assert.equal(ok(await bob.command(command('JR', uuid))).room, uuid);
});

test('the data of an envelope is relayed verbatim', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);

	same(await bob.command(0, { text:
	    '{ "data" : { "n" : 1.0, "n" : 1e999 } , "command" : "###!SM" }' }),
	'{"command":"###!RMK","data":{ "n" : 1.0, "n" : 1e999 }}');
	await host.drain();
	await bob.command(0, { text:
	    '{"command":"###!\\u004f\\u004f","data":{"x":1.0,"id":"1"}}' });
	assert.equal((await host.events({ after: host.cursor, wait: 0 })).text,
	    `{"events":[{"id":${host.cursor + 1},"command":"###!OOO",` +
	    `"data":{"x":1.0,"id":${bob.id}}}],"next":${host.cursor + 1}}`);
});

test('unknown members of an envelope are ignored', async () => {
	const { players: [host] } = await makeRoom(daemon);

	same(await host.command({ x: 1, command: '###!SM', y: {}, data: 2 }),
	    '{"command":"###!RMK","data":2}');
});

test('an unknown command is unknown-command', async () => {
	const player = await Player.register(daemon);

	for (const code of ['###!XX', '###!', '', 'CR', '###!CRK', '###!cr',
	    '###!CR ', '##!CR', '###!CR\u0000'])
		assertFailure(await player.command({ command: code }), 404, 'ICB',
		    'unknown-command');
});

test('an envelope that is not one is bad-data', async () => {
	const player = await Player.register(daemon);

	for (const body of ['x', 1, null, true, {}, { data: 1 },
	    { command: 1 }, { command: null }, { command: ['###!CR'] },
	    { commands: [], command: '###!CR' }, { commands: {} },
	    { commands: '###!CR' }, { commands: null }])
		assertFailure(await player.command(body), 400, 'ICB', 'bad-data');
});

test('/command without a body is bad-json', async () => {
	const player = await Player.register(daemon);

	assertFailure(await player.post('/command'), 400, 'ICB', 'bad-json');
});

test('a command that needs data and gets none fails with its own code',
    async () => {
	const { players: [host] } = await makeRoom(daemon);

	for (const [code, failure] of [['SM', 'RMB'], ['OO', 'ICB']])
		assertFailure(await host.command(command(code)), 400, failure,
		    'bad-data');

	const player = await Player.register(daemon);

	assertFailure(await player.command(command('JR')), 400, 'JRB',
	    'bad-data');
	assertFailure(await send({ body: command('RP') }), 400, 'RPB',
	    'bad-name');
});

// --- arrays ---

test('an array gets an array of replies in order, null where there is none',
    async () => {
	const { players: [host, bob] } = await makeRoom(daemon);

	same(await bob.command([command('SM', 1), command('OO', { id: 1 }),
		command('SM', 2)]),
	'[{"command":"###!RMK","data":1},null,{"command":"###!RMK","data":2}]');
	assert.deepEqual(await host.news(),
	    [['RMK', 1], ['OOO', { id: bob.id }], ['RMK', 2]]);
});

test('an empty array gets an empty array', async () => {
	const player = await Player.register(daemon);

	same(await player.command([]), '[]');
	same(await player.command({ commands: [] }), '{"replies":[]}');
});

test('in an array each command stands alone: one failing does not undo or ' +
    'stop the others', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);
	const reply = await bob.command([command('SM', 1), command('SR'),
		command('OO', { id: 99 }), command('XX'), 7, {}, [],
		{ command: 5 }, command('SM', null), command('SM', 2)]);

	assert.equal(reply.status, 200);
	assert.deepEqual(words(reply.json), ['RMK', 'not-host',
		'peer-not-found', 'unknown-command', 'bad-data', 'bad-data',
		'bad-data', 'bad-data', 'bad-data', 'RMK']);
	assert.deepEqual(reply.json.map((each) => each.command.slice(4)),
	    ['RMK', 'SRB', 'ICB', 'ICB', 'ICB', 'ICB', 'ICB', 'ICB', 'RMB',
		    'RMK']);
	assert.deepEqual(await host.news(), [['RMK', 1], ['RMK', 2]]);
});

test('status 200 for an array, even if every command in it failed',
    async () => {
	const player = await Player.register(daemon);
	const reply = await player.command([command('SR')]);

	assert.equal(reply.status, 200);
	assert.deepEqual(words(reply.json), ['not-in-room']);
});

test('the commands of an array see what the ones before them did',
    async () => {
	const player = await Player.register(daemon);

	assert.deepEqual(words(ok(await player.command([command('CR'),
		command('CR'), command('SR'), command('LR'), command('LR'),
		command('CR')]))),
	['CRK', 'already-in-room', 'SRK', 'LRK', 'not-in-room', 'CRK']);
	assert.deepEqual(await player.news(),
	    [['CTR', 1], ['SRK', 'null'], ['CTR', 1]]);
});

test('an array has up to 64 commands', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);
	const candidates = (n) => Array.from({ length: n },
	    (_, i) => command('CC', { id: 1, rtc: i }));

	same(await bob.command(candidates(64)),
	    `[${Array(64).fill('null').join()}]`);
	assert.deepEqual(await host.news(), candidates(64).map((_, i) =>
	    ['CCC', { id: bob.id, rtc: i }]));
	assertFailure(await bob.command(candidates(65)), 400, 'ICB',
	    'bad-data');
	assertFailure(await bob.command({ commands: candidates(65) }), 400,
	    'ICB', 'bad-data');
	assert.deepEqual(await host.drain(), []);
});

test('a duplicate member in one element is that element\'s bad-json',
    async () => {
	const { players: [host] } = await makeRoom(daemon);
	const reply = await host.command(0, { text: '[{"command":"###!SM",' +
	    '"data":1},{"command":"###!SM","data":2,"d\\u0061ta":3},' +
	    '{"command":"###!SM","command":"###!SM","data":4},' +
	    '{"command":"###!OO","data":{"id":1,"id":1}},' +
	    '{"command":"###!SM","data":5}]' });

	assert.deepEqual(words(ok(reply)),
	    ['RMK', 'bad-json', 'bad-json', 'bad-json', 'RMK']);
	assert.deepEqual(await host.news(), [['RMK', 1], ['RMK', 5]]);
});

test('a duplicate member of the body is bad-json', async () => {
	const { players: [host] } = await makeRoom(daemon);

	for (const text of [
		'{"command":"###!SM","data":1,"data":2}',
		'{"command":"###!SM","\\u0063ommand":"###!SM","data":1}',
		'{"token":"x","token":"x","command":"###!SM","data":1}',
		'{"commands":[],"commands":[]}',
		'{"commands":[],"after":0,"after":0}',
		'{"commands":[],"wait":0,"wait":0}',
		'{"commands":[],"max":0,"\\u006dax":0}'])
		assertFailure(await host.command(0, { text }), 400, 'ICB',
		    'bad-json');
	assert.deepEqual(await host.drain(), []);
});

test('the whole array fails if its text is not JSON', async () => {
	const { players: [host] } = await makeRoom(daemon);

	assertFailure(await host.command(0, {
		text: '[{"command":"###!SM","data":1},{"command":"###!SM",]' }),
	400, 'ICB', 'bad-json');
	assert.deepEqual(await host.drain(), []);
});

test('a register after an unregister in the same array is no-session too',
    async () => {
	const player = await Player.register(daemon);
	const replies = ok(await player.command([{ command: '###!UP' },
		{ command: '###!RP', data: 'again' }, { command: '###!SM' }]));

	assert.equal(replies[0].command, '###!UPK');
	assert.equal(`${replies[1].command} ${replies[1].error}`,
	    '###!RPB no-session');
	assert.equal(`${replies[2].command} ${replies[2].error}`,
	    '###!RMB no-session');
});

test('commands after an unregister in the same array are no-session',
    async () => {
	const player = await Player.register(daemon);
	const reply = await player.command([command('CR'), command('UP'),
		command('CR'), command('LR'), command('OO', { id: 1 })]);

	assert.equal(reply.status, 200);
	assert.deepEqual(words(reply.json),
	    ['CRK', 'UPK', 'no-session', 'no-session', 'no-session']);
	assert.deepEqual(reply.json.slice(2).map((each) => each.command),
	    ['###!CRB', '###!LRB', '###!ICB']);
});

// --- without a token ---

test('register and create in one call', async () => {
	const reply = await send({ body: [command('RP', 'ann'), command('CR'),
		command('SM', 'hi')] });
	const [registered, created, sent] = ok(reply);

	same(reply, `[{"command":"###!RPK","data":${registered.data},` +
	    `"token":"${registered.token}"},{"command":"###!CRK",` +
	    `"data":"${created.data}","id":1},` +
	    '{"command":"###!RMK","data":"hi"}]');
	assert.equal(sent.data, 'hi');

	const player = new Player(daemon,
	    { id: registered.data, token: registered.token });

	assert.equal(ok(await player.room()).room, created.data);
	assert.deepEqual(await player.news(), [['CTR', 1], ['RMK', 'hi']]);
});

test('without a token the first command must be a register', async () => {
	for (const body of [[command('CR'), command('RP', 'ann')], [],
	    { commands: [] }, [7], { commands: [command('SM', 1)] }])
		assertFailure(await send({ body }), 401, 'ICB', 'no-session');
	assertFailure(await send({ body: command('CR') }), 401, 'CRB',
	    'no-session');
});

test('a register that fails leaves the rest without a session', async () => {
	const reply = await send({ body: [command('RP', ''), command('CR')] });

	assert.equal(reply.status, 200);
	assert.deepEqual(words(reply.json), ['bad-name', 'no-session']);
});

test('a second register in the array is already-registered', async () => {
	const reply = ok(await send({ body: [command('RP', 'ann'),
		command('RP', 'bob'), command('CR')] }));

	assert.deepEqual(words(reply), ['RPK', 'already-registered', 'CRK']);
});

test('/command with a token that is not live is 401, a register too',
    async () => {
	const gone = await Player.register(daemon);

	ok(await gone.unregister());
	assertFailure(await gone.command(command('RP', 'ann')), 401, 'RPB',
	    'no-session');
	for (const body of [[command('RP', 'ann')], [command('CR')]])
		assertFailure(await gone.command(body), 401, 'ICB',
		    'no-session');
});

// --- the token in the body ---

test('the token may be a member of the body, as text/plain', async () => {
	const { token } = await Player.register(daemon);
	const headers = { 'Content-Type': 'text/plain' };
	const reply = await send({ headers, text: JSON.stringify(
	    { token, command: '###!CR', data: 'null' }) });

	assert.equal(ok(reply).command, '###!CRK');
	same(await send({ headers, text: JSON.stringify(
	    { command: '###!SM', data: 1, token }) }),
	'{"command":"###!RMK","data":1}');
	same(await send({ headers, text: JSON.stringify(
	    { token, commands: [command('LR')] }) }),
	'{"replies":[{"command":"###!LRK","data":"null"}]}');
});

test('the Authorization header wins over the token in the body', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);

	ok(await host.command({ token: bob.token, command: '###!SR' }));
	assert.equal(ok(await host.room()).sealed, true);
});

test('the token in the body wins over the one in the query', async () => {
	const { players: [host, bob] } = await makeRoom(daemon);

	ok(await send({ query: { access_token: bob.token },
		body: { token: host.token, command: '###!SR' } }));
});

test('a token in the body that is no token is no-session', async () => {
	for (const token of ['x'.repeat(22), '', 'ä'])
		assertFailure(await send({ body: { token, command: '###!CR' } }),
		    401, 'CRB', 'no-session');
});

// --- replies and events ---

test('given "commands" it answers {"replies":[...]}', async () => {
	const { players: [host] } = await makeRoom(daemon);

	same(await host.command({ commands: [command('SM', 1), command('SM')] }),
	    '{"replies":[{"command":"###!RMK","data":1},' +
	    '{"command":"###!RMB","data":' + JSON.stringify(ok(
	    await host.command([command('SM')]))[0].data) +
	    ',"error":"bad-data"}]}');
});

test('given "after" it answers with the pending events too, without holding',
    async () => {
	const { players: [host, bob] } = await makeRoom(daemon);

	ok(await bob.message('before'));

	const n = host.cursor;

	same(await host.command({ commands: [command('SM', 'mine')],
		after: n, wait: 55 }),
	'{"replies":[{"command":"###!RMK","data":"mine"}],"events":[' +
	    `{"id":${n + 1},"command":"###!RMK","data":"before"},` +
	    `{"id":${n + 2},"command":"###!RMK","data":"mine"}],` +
	    `"next":${n + 2}}`);
	same(await host.command({ commands: [], after: n + 2, wait: 55 }),
	    `{"replies":[],"events":[],"next":${n + 2}}`);
});

test('"after" acknowledges here too', async () => {
	const { players: [host] } = await makeRoom(daemon);
	const n = host.cursor;

	ok(await host.message(1));
	ok(await host.message(2));
	assert.deepEqual(ok(await host.command({ commands: [], after: n + 1 }))
	    .events.map((event) => event.id), [n + 2]);
	assert.deepEqual(ok(await host.events({ after: 0, wait: 0 })).events
	    .map((event) => event.id), [n + 2]);
});

test('"after" beside "command" answers {"replies":[...]} with 200 always',
    async () => {
	const { players: [host, bob] } = await makeRoom(daemon);
	const n = host.cursor;

	same(await host.command({ command: '###!SM', data: 1, after: n }),
	    '{"replies":[{"command":"###!RMK","data":1}],"events":[' +
	    `{"id":${n + 1},"command":"###!RMK","data":1}],"next":${n + 1}}`);
	same(await host.command({ command: '###!OO', data: { id: bob.id },
		after: n + 1 }), '{"replies":[null],"events":[],' +
	    `"next":${n + 1}}`);

	const reply = await bob.command({ command: '###!SR', after: 0 });

	assert.equal(reply.status, 200);
	assert.deepEqual(Object.keys(reply.json),
	    ['replies', 'events', 'next']);
	assert.deepEqual(words(reply.json.replies), ['not-host']);
});

test('"max" is honoured beside "after", with "more"', async () => {
	const { players: [host] } = await makeRoom(daemon);
	const n = host.cursor;

	for (const i of [1, 2, 3])
		ok(await host.message(i));
	same(await host.command({ commands: [], after: n, max: 2 }),
	    '{"replies":[],"events":[' +
	    `{"id":${n + 1},"command":"###!RMK","data":1},` +
	    `{"id":${n + 2},"command":"###!RMK","data":2}],` +
	    `"next":${n + 2},"more":true}`);
	same(await host.command({ commands: [], after: n, max: 0 }),
	    `{"replies":[],"events":[],"next":${n},"more":true}`);
});

test('bad "after", "wait" and "max" are bad-cursor and nothing is done',
    async () => {
	const { players: [host] } = await makeRoom(daemon);

	for (const bad of [-1, 1.5, 'x', true, [], {}, 2 ** 53])
		for (const name of ['after', 'wait', 'max'])
			assertFailure(await host.command({
				commands: [command('SM', 1)], [name]: bad }), 400,
			'ICB', 'bad-cursor');
	assert.deepEqual(await host.drain(), []);
});

test('a register with "after" gets the new player\'s events', async () => {
	const reply = ok(await send({ body: { after: 0,
		commands: [command('RP', 'ann'), command('CR')] } }));

	assert.deepEqual(words(reply.replies), ['RPK', 'CRK']);
	assert.deepEqual(reply.events,
	    [{ id: 1, command: '###!CTR', data: 1 }]);
	assert.equal(reply.next, 1);
});
