// alike.test.mjs - both transports answer alike: the same requests over HTTP
// and over FastCGI, and their replies compared whole.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request, startDaemon } from '../lib/peerpost.mjs';
import { FastcgiConnection } from '../lib/fastcgi_connection.mjs';

const ORIGIN = 'https://game.example';
const UNKNOWN = 'c0ffee00-1111-4222-8333-444455556666';
const KEY = 'k'.repeat(22);

// [who asks, method, target, options of request()]; '' is nobody.  as: who that
// is from now on.  <ann>, <room>: the token, the room of an earlier reply.
const SCRIPT = [
	['', 'GET', '/', { headers: { Host: 'a.example', 'X-Forwarded-Proto':
	    'https' } }],
	['', 'HEAD', '/', { headers: { Host: 'a.example' } }],
	['', 'GET', '/peerpost.js'], ['', 'HEAD', '/peerpost.js'],
	['', 'GET', '/openapi.yaml', { headers: { 'If-None-Match': '*' } }],
	['', 'POST', '/openapi.yaml'],
	['', 'GET', '/demo'], ['', 'GET', '/demo/'], ['', 'HEAD', '/demo'],
	['', 'GET', '/demo/demo.js', { headers: { 'If-None-Match': '"x"' } }],
	['', 'GET', '/healthz'], ['', 'HEAD', '/healthz'],
	['', 'POST', '/healthz'], ['', 'GET', '/healthz?_=1'],
	['', 'GET', '/nope'], ['', 'GET', '/nope%2fmore'],
	['', 'GET', '//', { headers: { Host: 'a.example' } }],
	['', 'GET', '/%68ealthz'], ['', 'GET', '/room?x=%'],
	['', 'PUT', '/message'], ['', 'DELETE', '/room'], ['', 'PATCH', '/'],
	['', 'GET', '/register'], ['', 'HEAD', '/events'],
	['', 'OPTIONS', '/events'], ['', 'OPTIONS', '/register'],
	['', 'OPTIONS', '/nope'],
	['', 'OPTIONS', '/message', { headers: { Origin: ORIGIN,
		'Access-Control-Request-Method': 'POST',
		'Access-Control-Request-Headers': 'authorization' } }],
	['', 'OPTIONS', '/message', { headers: { Origin: ORIGIN,
		'Access-Control-Request-Headers': 'authorization,baggage,x-y' } }],
	['', 'OPTIONS', '/message', { headers: { Origin: ORIGIN,
		'Access-Control-Request-Headers': 'x'.repeat(1024) } }],
	['', 'OPTIONS', '/message', { headers: { Origin: ORIGIN,
		'Access-Control-Request-Headers': 'a b' } }],
	['', 'GET', '//healthz/'],
	['', 'GET', '///', { headers: { Host: 'a.example' } }],
	['', 'GET', '/healthz//'],
	['', 'POST', '/register', { body: 'x', headers:
	    { 'Content-Encoding': 'gzip' } }],
	['', 'GET', '/healthz', { headers: { Origin: ORIGIN } }],
	['', 'GET', '/healthz', { headers: { Origin: 'https://evil.example' } }],
	['', 'GET', '/nope', { headers: { Origin: ORIGIN } }],
	['', 'GET', '/healthz', { headers: { Origin: 'null' } }],
	// Registering.
	['', 'POST', '/register', { text: '{' }],
	['', 'POST', '/register', { text: '' }],
	['', 'POST', '/register', { body: '' }],
	['', 'POST', '/register', { body: 7 }],
	['', 'POST', '/register', { text: Buffer.from([34, 255, 34]) }],
	['', 'POST', '//register/', { text: '\ufeff"ann"', headers:
	    { 'Content-Encoding': 'identity' } }],
	['', 'POST', '/register', { body: 'x', headers:
	    { 'Idempotency-Key': 'short' } }],
	['', 'POST', '/register', { body: 'ann', as: 'ann' }],
	['', 'POST', '/register', { body: 'bob', as: 'bob', headers:
	    { 'Idempotency-Key': KEY } }],
	['', 'POST', '/register', { body: 'bob', headers:
	    { 'Idempotency-Key': KEY } }],
	['', 'POST', '/register', { body: 'bert', headers:
	    { 'Idempotency-Key': KEY } }],
	['', 'POST', '/register', { text: 'Zoë', as: 'zoe',
		headers: { 'Content-Type': 'text/plain; charset=utf-8' } }],
	['ann', 'POST', '/register', { body: 'again' }],
	// Who is it?
	['', 'GET', '/room'],
	['', 'GET', '/room', { headers: { Authorization: 'Bearer x' } }],
	['', 'GET', '/room', { headers: { Authorization: 'Basic eDp5' } }],
	['', 'GET', '/room?access_token=<ann>'],
	['', 'POST', '/events', { body: { token: '<ann>', wait: 0 } }],
	// Rooms.
	['ann', 'GET', '/room'],
	['ann', 'GET', '/ice-servers'], ['', 'GET', '/ice-servers'],
	['ann', 'POST', '/message', { body: 1 }],
	['ann', 'POST', '/seal-room'], ['ann', 'POST', '/leave-room'],
	['ann', 'POST', '/create-room', { isRoom: true, headers:
	    { 'Idempotency-Key': 'create' } }],
	['ann', 'POST', '/create-room', { headers:
	    { 'Idempotency-Key': 'create' } }],
	['ann', 'POST', '/message', { body: 1, headers:
	    { 'Idempotency-Key': 'create' } }],
	['ann', 'POST', '/message', { body: 1, headers:
	    { 'Idempotency-Key': 'x'.repeat(65) } }],
	['ann', 'POST', '/create-room'],
	['bob', 'POST', '/join-room', { body: UNKNOWN }],
	['bob', 'POST', '/join-room', { body: 'x' }],
	['bob', 'POST', '/join-room', { text: '<room>' }],
	['bob', 'POST', '/seal-room'],
	['bob', 'GET', '/room'],
	// Relays and messages.
	['bob', 'POST', '/offer', { text: '{"rtc": 1.50, "id":1}' }],
	['bob', 'POST', '/answer', { body: { id: 99 } }],
	['bob', 'POST', '/candidate', { body: [] }],
	['bob', 'POST', '/candidate', { text: '{"id":1,"id":1}' }],
	['bob', 'POST', '/candidate', { text: '{"id":1.0}' }],
	['bob', 'POST', '/candidate', { text: '{"id":"1.5"}' }],
	['ann', 'POST', '/message', { text: '{"é":"\\u00e9","n":1e400}' }],
	['ann', 'POST', '/message', { text: 'null' }],
	['ann', 'POST', '/message', { text: '['.repeat(40) }],
	['ann', 'POST', '/message', { text: ' '.repeat(70_000) }],
	['ann', 'GET', '/room', { headers: { 'X-Long': 'x'.repeat(17_000) } }],
	['ann', 'GET', '/room', { headers: { Origin: ORIGIN,
		'X-Long': 'x'.repeat(17_000) } }],
	// Events.
	['ann', 'GET', '/events?after=0&wait=0'],
	['ann', 'GET', '/events?after=0&wait=0&max=1'],
	['ann', 'GET', '/events?after=2&wait=0'],
	['ann', 'GET', '/events?wait=0', { headers: { 'Last-Event-ID': '3' } }],
	['ann', 'GET', '/events?wait=0.0&after=1.0&max=1e0'],
	['ann', 'GET', '/events?wait=0', { headers: { 'Last-Event-ID': '3.0' } }],
	['ann', 'GET', '/events?wait=0&after=2',
		{ headers: { 'Last-Event-ID': '' } }],
	['ann', 'GET', '/events?wait=0', { headers: { 'Last-Event-ID': '"' } }],
	['ann', 'GET', '/events?after=1000&wait=0'],
	['ann', 'GET', '/events?after=x'], ['ann', 'GET', '/events?max=-1'],
	['ann', 'HEAD', '/events'],
	// Batches.
	['ann', 'POST', '/command', { body: { command: '###!SM', data: 'x' } }],
	['ann', 'POST', '/command', { body: [{ command: '###!SM', data: [] },
		{ command: '###!XX' }, { command: '###!OO', data: { id: 5 } }] }],
	['ann', 'POST', '/command', { body: { commands: [], after: 0 } }],
	['ann', 'POST', '/command', { body: {} }],
	['ann', 'POST', '/command', { body: { command: '###!??' } }],
	// Ends.
	['ann', 'POST', '/seal-room'],
	['zoe', 'POST', '/join-room', { text: '"<room>"' }],
	['ann', 'POST', '/leave-room'],
	['bob', 'GET', '/events?after=0&wait=0'],
	['zoe', 'POST', '/unregister'], ['zoe', 'GET', '/room'],
];

// Rates and time-outs: on a daemon of their own.
async function runShort(daemon, ask)
{
	const replies = [];

	for (let i = 0; i < 3; i++)
		replies.push(await ask('', 'POST', '/register', { body: 'x',
			as: `p${i}` }));
	// Two commands at once, 1 a second.
	for (let i = 0; i < 4; i++)
		replies.push(await ask('p0', 'POST', '/create-room'));
	daemon.advance(200);
	for (let i = 0; i < 3; i++)
		replies.push(await ask('', 'GET', '/healthz'));
	replies.push(await ask('p0', 'GET', '/room'),
	    await ask('p1', 'GET', '/events?after=0&wait=0'),
	    await ask('p2', 'POST', '/create-room'));
	return replies;
}

async function runScript(daemon, ask)
{
	const replies = [];

	for (const step of SCRIPT)
		replies.push(await ask(...step));
	return replies;
}

// Give what is random a name, by where it first came from.
function learn({ command, data, token }, names)
{
	if (command !== '###!RPK' && command !== '###!CRK')
		return;
	for (const value of [String(data), token])
		if (value && !names.has(value))
			names.set(value, `<${names.size}>`);
}

// What is to be compared: all but what HTTP says of the connection, and with
// names instead of what is random.
function comparable(reply, names)
{
	const fixed = (text) => {
		for (const [value, name] of names)
			text = text.replaceAll(value, name);
		return text;
	};
	const headers = [];

	for (let i = 0; i < reply.rawHeaders.length; i += 2) {
		const name = reply.rawHeaders[i];

		if (/^(?:date|connection|keep-alive)$/i.test(name))
			continue;
		// May be there or not (RFC 9110, section 8.6).
		if (reply.status === 304 && /^content-length$/i.test(name))
			continue;
		// It is as long as the player ids in it.
		if (name.toLowerCase() === 'content-length' && reply.text !== '')
			assert.equal(reply.rawHeaders[i + 1],
			    String(reply.body.length));
		headers.push([name, name.toLowerCase() === 'content-length' &&
		    reply.text !== '' ? '' : reply.rawHeaders[i + 1]]);
	}
	// In which order is left to each transport.
	headers.sort(([a], [b]) => (a < b ? -1 : 1));
	return { status: reply.status, headers, text: fixed(reply.text) };
}

// Run through one transport: the replies, comparable.
async function through(transport, run, args)
{
	const daemon = await startDaemon({ args, fastcgi: '127.0.0.1:0' });
	const connection = await FastcgiConnection.open(daemon.fastcgi[0]);
	const tokens = {};
	const names = new Map();
	const seen = [];
	let room;

	await run(daemon, async (who, method, target,
	    { as, isRoom, ...options } = {}) => {
		const filled = (text) => text.replace(/<(\w+)>/g, (all, name) =>
		    (name === 'room' ? room : tokens[name]));
		const given = { ...options };

		if (who)
			given.token = tokens[who];
		if (options.body?.token)
			given.body = { ...options.body,
				token: filled(options.body.token) };
		if (typeof options.text === 'string')
			given.text = filled(options.text);
		const reply = transport === 'fastcgi' ?
		    await connection.ask(method, filled(target), given) :
		    await request(daemon, method, filled(target), given);

		learn(reply.json ?? {}, names);
		if (as)
			tokens[as] = reply.json.token;
		if (isRoom)
			room = reply.json.data;
		seen.push([`${who} ${method} ${target} ` +
		    JSON.stringify(options).slice(0, 100), reply]);
	});
	connection.close();
	return seen.map(([what, reply]) => [what, comparable(reply, names)]);
}

for (const [what, run, args] of [
	['all routes', runScript, ['--demo']],
	['with origins', runScript, ['--cors-origin', ORIGIN]],
	['rates and time-outs', runShort, ['--command-rate', '1',
		'--command-burst', '2', '--max-players', '4']],
	['full', runShort, ['--max-players', '2', '--max-rooms', '1']]])
	test(`HTTP and FastCGI answer alike: ${what}`, async (t) => {
		const [http, fastcgi] = await Promise.all(
		    ['http', 'fastcgi'].map((via) => through(via, run, args)));

		t.diagnostic(`${http.length} requests, statuses ` +
		    [...new Set(http.map(([, { status }]) => status))]
		    .sort((a, b) => a - b).join(' '));
		for (const [i, [asked, expected]] of http.entries())
			assert.deepEqual(fastcgi[i][1], expected, asked);
	});
