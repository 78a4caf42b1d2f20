// protocol.test.mjs - FastCGI 1.0 record by record, as a web server may send
// it.  (What it may not send: violations.test.mjs.)
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ok, startDaemon } from '../lib/peerpost.mjs';
import { beginRequest, encodePairs, paramsOf, parseCgi, record,
    requestRecords, responseOf, Role, Status, stream, toJson, Type } from
    '../lib/fastcgi.mjs';
import { FastcgiConnection, settleFastcgi, soon } from
    '../lib/fastcgi_connection.mjs';

const daemon = await startDaemon({ fastcgi: '127.0.0.1:0' });
const open = () => FastcgiConnection.open(daemon.fastcgi[0]);
const health = paramsOf({ method: 'GET', target: '/healthz' });

async function assertServes(connection)
{
	ok(await connection.ask('GET', '/healthz'));
}

test('with FCGI_KEEP_CONN requests follow each other, with one id or many',
    async () => {
	const connection = await open();

	for (const id of [1, 1, 1, 2, 255, 256, 65_535, 1])
		ok(await connection.ask('GET', '/healthz', { id }));
	assert.equal(connection.isClosed, false);
	assert.deepEqual(connection.strays, []);
	connection.close();
});

test('without it the daemon closes the connection after the reply', async () => {
	const connection = await open();

	ok(await connection.ask('POST', '/register', { body: 'x', keep: false }));
	await connection.closed();
	assert.equal(connection.reader.pending.length, 0);
});

test('without it, others that came on the connection are answered too',
    async () => {
	const connection = await open();
	const ends = [1, 2, 3].map((id) => connection.expect(id));

	connection.send(requestRecords(1, health, null, { keep: true }),
	    requestRecords(2, health, null, { keep: false }),
	    requestRecords(3, health, null, { keep: true }));
	for (const end of ends)
		assert.equal(responseOf(await soon(end)).status, 200);
	await connection.closed();
});

test('a reply is a CGI response: Status first, lines ended by CR LF, STDOUT ' +
    'ended, nothing on STDERR', async () => {
	const connection = await open();
	const { ended } = connection.request({ method: 'GET',
		target: '/healthz' });
	const end = await soon(ended);
	const text = end.stdout.toString();

	assert.match(text, /^Status: 200 OK\r\n/);
	assert.doesNotMatch(text.slice(0, text.indexOf('\r\n\r\n')),
	    /[^\r]\n|^(?:date|connection|server|transfer-encoding):/im);
	assert.equal(end.stderr.length, 0);
	assert.equal(end.appStatus, 0);
	assert.equal(end.protocolStatus, Status.REQUEST_COMPLETE);
	assert.ok(end.isOutEnded);
	connection.close();
});

test('HEAD: the headers of GET, and no body', async () => {
	const connection = await open();

	for (const target of ['/', '/healthz']) {
		const get = await connection.ask('GET', target);
		const head = await connection.ask('HEAD', target);

		assert.deepEqual(head.rawHeaders, get.rawHeaders);
		assert.equal(head.text, '');
	}
	connection.close();
});

test('a 204 has neither length nor type', async () => {
	const connection = await open();
	const { status, headers, text } = await connection.ask('OPTIONS',
	    '/room');

	assert.equal(status, 204);
	assert.equal(headers['content-length'], undefined);
	assert.equal(headers['content-type'], undefined);
	assert.equal(text, '');
	connection.close();
});

// --- management records ---

test('GET_VALUES is answered with what was asked for and is known', async () => {
	const connection = await open();
	const all = await connection.getValues(['FCGI_MAX_CONNS',
		'FCGI_MAX_REQS', 'FCGI_MPXS_CONNS']);

	assert.deepEqual(all.map(([name]) => name),
	    ['FCGI_MAX_CONNS', 'FCGI_MAX_REQS', 'FCGI_MPXS_CONNS']);
	assert.match(all[0][1], /^[1-9]\d*$/);
	assert.match(all[1][1], /^[1-9]\d*$/);
	assert.equal(all[2][1], '1');
	assert.deepEqual(await connection.getValues(['FCGI_MPXS_CONNS'],
	    { isLong: true }), [['FCGI_MPXS_CONNS', '1']]);
	assert.deepEqual(await connection.getValues(['FCGI_WHAT', '',
		'fcgi_max_conns', 'FCGI_MAX_REQS', 'X'.repeat(300)]), [all[1]]);
	assert.deepEqual(await connection.getValues([]), []);
	await assertServes(connection);
	connection.close();
});

test('GET_VALUES may come in the middle of a request', async () => {
	const connection = await open();
	const ended = connection.expect(1);
	const params = encodePairs(health);

	connection.send(beginRequest(1),
	    record(Type.PARAMS, 1, params.subarray(0, 9)));
	assert.equal((await connection.getValues(['FCGI_MPXS_CONNS'])).length, 1);
	connection.send(stream(Type.PARAMS, 1, params.subarray(9)));
	assert.equal((await connection.getValues(['FCGI_MAX_REQS'])).length, 1);
	connection.send(stream(Type.STDIN, 1, Buffer.alloc(0)));
	assert.equal(responseOf(await soon(ended)).status, 200);
	connection.close();
});

test('unknown management records are answered with UNKNOWN_TYPE', async () => {
	const connection = await open();

	for (const type of [0, 12, 99, 255])
		for (const n of [0, 5, 65_535]) {
			connection.send(record(type, 0, Buffer.alloc(n, 'x'),
			    { padding: n % 8 }));
			const answer = await connection.managed();

			assert.equal(answer.type, Type.UNKNOWN_TYPE);
			assert.deepEqual([...answer.content],
			    [type, 0, 0, 0, 0, 0, 0, 0]);
		}
	await assertServes(connection);
	connection.close();
});

// --- roles ---

test('other roles than the Responder are refused with UNKNOWN_ROLE', async () => {
	const connection = await open();

	for (const role of [0, Role.AUTHORIZER, Role.FILTER, 4, 65_535]) {
		const ended = connection.expect(1);

		// Whatever follows is of a request that is not.
		connection.send(requestRecords(1, health, Buffer.from('abc'),
		    { role }));
		const end = await soon(ended);

		assert.equal(end.protocolStatus, Status.UNKNOWN_ROLE);
		assert.equal(end.stdout.length, 0);
		await assertServes(connection);
	}
	connection.close();
});

test('... and without FCGI_KEEP_CONN the connection is closed', async () => {
	const connection = await open();
	const ended = connection.expect(1);

	connection.send(beginRequest(1, { role: Role.FILTER, keep: false }));
	assert.equal((await soon(ended)).protocolStatus, Status.UNKNOWN_ROLE);
	await connection.closed();
});

test('one request too many is OVERLOADED', async () => {
	const d = await startDaemon({ fastcgi: '127.0.0.1:0',
		args: ['--max-connections', '8'] });
	const connection = await FastcgiConnection.open(d.fastcgi[0]);
	const [[, max]] = await connection.getValues(['FCGI_MAX_REQS']);
	const ends = [];

	for (let id = 1; id <= Number(max) + 1; id++) {
		ends.push(connection.expect(id));
		connection.send(beginRequest(id));
	}
	const { id, protocolStatus, stdout } = await soon(Promise.race(ends));

	assert.equal(id, Number(max) + 1);
	assert.equal(protocolStatus, Status.OVERLOADED);
	assert.equal(stdout.length, 0);
	// As soon as one ends there is room for another.
	connection.send(stream(Type.PARAMS, 1, encodePairs(health)),
	    stream(Type.STDIN, 1, Buffer.alloc(0)));
	assert.equal(responseOf(await soon(ends[0])).status, 200);
	ok(await connection.ask('GET', '/healthz', { id: 1 }));
	connection.close();
});

// --- records, however they come ---

test('byte by byte', async () => {
	const connection = await open();
	const ended = connection.expect(3);

	await connection.sendInPieces(requestRecords(3, paramsOf({
		method: 'POST', target: '/register',
		body: Buffer.from('"Zoë"') }), Buffer.from('"Zoë"'),
	    { padding: 5, isLong: true }));
	assert.equal(ok(toJson(responseOf(await soon(ended)))).command,
	    '###!RPK');
	connection.close();
});

test('cut in two anywhere', async () => {
	const connection = await open();
	const body = Buffer.from('"x"');
	const records = requestRecords(1, [['REQUEST_METHOD', 'POST'],
		['REQUEST_URI', '/join-room'], ['CONTENT_LENGTH', '3']], body,
	    { padding: 2 });

	for (let at = 1; at < records.length; at++) {
		const ended = connection.expect(1);

		await connection.sendInPieces(records, at);
		assert.equal(responseOf(await soon(ended)).status, 401, `${at}`);
	}
	connection.close();
});

test('PARAMS and STDIN in records of any size, with any padding', async () => {
	const connection = await open();
	const name = 'é'.repeat(60);

	for (const size of [1, 2, 3, 7, 64, 1000])
		for (const padding of [0, 1, 7, 8, 255])
			ok(await connection.ask('POST', '/register',
			    { body: name, size, padding,
				    isLong: size % 2 === 1 }));
	connection.close();
});

test('a whole request in one write, and many requests in one', async () => {
	const connection = await open();
	const ends = [];
	const records = [];

	for (let id = 1; id <= 40; id++) {
		ends.push(connection.expect(id));
		records.push(requestRecords(id, health, null,
		    { padding: id % 8 }));
	}
	connection.send(...records);
	for (const end of ends)
		assert.equal(responseOf(await soon(end)).status, 200);
	connection.close();
});

test('DATA is ignored', async () => {
	const connection = await open();
	const ended = connection.expect(1);
	const data = stream(Type.DATA, 1, Buffer.alloc(500, 1), { size: 90 });

	connection.send(beginRequest(1), data,
	    stream(Type.PARAMS, 1, encodePairs(health)), data,
	    stream(Type.STDIN, 1, Buffer.alloc(0)), data);
	assert.equal(responseOf(await soon(ended)).status, 200);
	await assertServes(connection);
	connection.close();
});

test('records of requests that are not, or are no more, are ignored',
    async () => {
	const connection = await open();

	ok(await connection.ask('GET', '/healthz', { id: 7 }));
	for (const type of [Type.ABORT_REQUEST, Type.PARAMS, Type.STDIN,
	    Type.DATA])
		for (const id of [7, 8, 65_535])
			connection.send(record(type, id, Buffer.alloc(20, 'x')),
			    record(type, id));
	await assertServes(connection);
	assert.deepEqual(connection.strays, []);
	connection.close();
});

test('STDIN that comes while a request is held is ignored', async () => {
	const connection = await open();
	const { token } = ok(await connection.ask('POST', '/register',
	    { body: 'x' }));
	const { id, ended } = connection.request({ method: 'GET',
		target: '/events?after=0&wait=55',
		headers: [['Authorization', `Bearer ${token}`]] });

	await settleFastcgi(daemon);
	connection.send(stream(Type.STDIN, id, Buffer.from('more')));
	ok(await connection.ask('POST', '/create-room', { token }));
	assert.equal(toJson(responseOf(await soon(ended))).json.events.length, 1);
	connection.close();
});

test('replies of more than one record', async () => {
	const connection = await open();
	const { token } = ok(await connection.ask('POST', '/register',
	    { body: 'x' }));

	ok(await connection.ask('POST', '/create-room', { token }));
	for (let i = 0; i < 5; i++)
		ok(await connection.ask('POST', '/message',
		    { token, body: String(i).repeat(60_000) }));
	const { ended } = connection.request({ method: 'GET',
		target: '/events?after=0&wait=0',
		headers: [['Authorization', `Bearer ${token}`]] });
	const { stdout } = await soon(ended);

	assert.ok(stdout.length > 3 * 65_535);
	assert.equal(toJson(parseCgi(stdout)).json.events.length, 5);
	connection.close();
});
