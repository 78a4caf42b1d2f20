// fault_proxy.test.mjs - the tests' proxy does what its script says.  The target
// here is a few lines of Node, so that nothing of the daemon's matters.
import assert from 'node:assert/strict';
import http from 'node:http';
import net from 'node:net';
import { after, test } from 'node:test';
import { request, within } from '../lib/peerpost.mjs';
import { gatewayWay } from '../lib/paths.mjs';
import { captivePortal, FaultProxy, gatewayError, inTurn, onlyMethods }
    from '../lib/fault_proxy.mjs';
import { DEADLINE_MS } from '../lib/wait.mjs';

// Replies with what it was sent; /hold does not reply.
const seen = [];
const target = http.createServer(async (req, res) => {
	const parts = [];

	for await (const part of req)
		parts.push(part);
	seen.push({ req, res });
	if (req.url === '/hold')
		return;
	if (req.url === '/nothing') {
		res.writeHead(204).end();
		return;
	}
	res.setHeader('X-Target', 'yes');
	res.setHeader('X-Other', 'too');
	res.end(JSON.stringify({ method: req.method, url: req.url,
		headers: req.headers, body: String(Buffer.concat(parts)) }));
});

await new Promise((resolve) => target.listen(0, '127.0.0.1', resolve));
after(() => {
	target.close();
	target.closeAllConnections?.();
});

const { port } = target.address();
const proxy = await FaultProxy.start({ target: `http://127.0.0.1:${port}` });
const named = await FaultProxy.start();
const way = gatewayWay(proxy, { keepAlive: false });

after(() => Promise.all([proxy.close(), named.close()]));

const get = (path, options) => request(way, 'GET', path, options);
const act = (action) => {
	proxy.script = () => action;
};
const last = () => proxy.requests.at(-1);

test('a request and its reply pass as they are', async () => {
	act(undefined);

	const reply = await request(way, 'POST', '/a?b=c', { body: ['\u00e9'],
		headers: { 'X-Ours': '1', Connection: 'close, X-Hop', 'X-Hop': '1' } });

	assert.equal(reply.status, 200);
	assert.equal(reply.headers['x-target'], 'yes');
	assert.equal(reply.json.url, '/a?b=c');
	assert.equal(reply.json.body, '["\u00e9"]');
	assert.equal(reply.json.headers['x-ours'], '1');
	assert.ok(!('x-hop' in reply.json.headers));
	assert.equal((await get('/nothing')).status, 204);
	assert.deepEqual([last().method, last().path, last().replies[0].status,
		await last().done], ['GET', '/nothing', 204, 'forwarded']);
});

test('it goes where the request says, in absolute form or with CONNECT',
    async () => {
	const url = `http://127.0.0.1:${port}/there`;
	const reply = await request(gatewayWay(named), 'GET', url);

	assert.equal(reply.json.url, '/there');
	assert.equal(named.requests[0].path, '/there');

	const req = http.request({ host: named.host, port: named.port,
		method: 'CONNECT', path: `127.0.0.1:${port}` });
	const answered = new Promise((resolve) =>
	    req.on('connect', (res, socket) => resolve([res, socket])));

	req.end();

	const [res, socket] = await answered;

	assert.equal(res.statusCode, 200);
	socket.end('GET /tunnel HTTP/1.0\r\n\r\n');

	let text = '';

	for await (const part of socket)
		text += part;
	assert.match(text, /"url":"\/tunnel"/);
	assert.equal(await named.requests[1].done, 'forwarded');
	// In the other form it does not know where to go.
	assert.equal((await request(gatewayWay(named), 'GET', '/')).status, 502);
});

test('tunnels can be refused and cut', async () => {
	const open = () => new Promise((resolve) => {
		const socket = net.connect(named.port, named.host);
		let text = '';

		socket.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\n` +
		    'Host: x\r\n\r\n');
		socket.on('data', (part) => {
			text += part;
		});
		socket.on('error', () => {});
		socket.on('close', () => resolve(text));
	});

	named.script = () => ({ answer: { status: 403, body: 'no' } });
	assert.match(await open(), /^HTTP\/1.1 403 Forbidden\r\n[^]*no$/);
	named.script = () => ({ cutAfterMs: 100 });
	assert.match(await open(), /^HTTP\/1.1 200 |^$/);
	assert.equal(await named.requests.at(-1).done, 'cut');
});

test('cutAfterMs closes both sides', async () => {
	act({ cutAfterMs: 100 });
	await assert.rejects(get('/hold'), { code: 'ECONNRESET' });
	assert.equal(await last().done, 'cut');

	const { res } = seen.at(-1);

	if (!res.closed)
		await within(DEADLINE_MS, 'close', new Promise((resolve) =>
		    res.on('close', resolve)));
});

test('drop has the whole reply, truncate a part of it', async () => {
	act({ drop: true });
	await assert.rejects(get('/dropped'), { code: 'ECONNRESET' });
	assert.equal(JSON.parse(last().replies[0].body).url, '/dropped');
	act({ truncate: 5 });
	await assert.rejects(get('/truncated'), { code: 'ECONNRESET' });
	assert.equal(await last().done, 'truncated');
	assert.equal(JSON.parse(last().replies[0].body).url, '/truncated');
});

test('repeat asks more than once and forwards one reply', async () => {
	for (const forward of ['first', 'last']) {
		const n = seen.length;

		act({ repeat: 3, forward });
		assert.equal((await request(way, 'POST', '/', { body: 1 })).json.body,
		    '1');
		if (forward === 'last')
			assert.equal(last().replies.length, 3);
		assert.ok(seen.length > n);
	}
});

test('header fields are taken away', async () => {
	act({ stripRequest: ['authorization'], stripResponse: ['x-TARGET'] });

	const reply = await get('/', { token: 't', headers: { 'X-Kept': '1' } });

	assert.ok(!('authorization' in reply.json.headers));
	assert.equal(reply.json.headers['x-kept'], '1');
	assert.ok(!('x-target' in reply.headers));
	assert.equal(reply.headers['x-other'], 'too');
	act({ stripRequest: true, stripResponse: true });

	const bare = await request(way, 'POST', '/', { token: 't', body: 1 });

	assert.deepEqual(Object.keys(bare.json.headers).sort(),
	    ['connection', 'content-length', 'host']);
	assert.ok(!('x-other' in bare.headers));
});

test('it answers by itself, by method, or in turn', async () => {
	const n = seen.length;

	proxy.script = inTurn([{ answer: gatewayError(503) },
		{ answer: captivePortal() }], { match: ({ path }) => path !== '/x' });
	assert.equal((await get('/x')).status, 200);
	assert.equal((await get('/')).status, 503);
	assert.match((await get('/')).text, /^<!DOCTYPE html>/);
	assert.equal((await get('/')).json.url, '/');
	proxy.script = onlyMethods(['GET']);
	assert.equal((await request(way, 'PUT', '/')).status, 403);
	assert.equal((await get('/')).status, 200);
	assert.equal(seen.length, n + 3);
	assert.ok(proxy.count(({ end }) => end === 'answered') >= 3);
});

test('a client that goes away ends its request to the target', async () => {
	act({ buffer: true });

	const n = proxy.requests.length;
	const abort = new AbortController();
	const reply = get('/hold', { signal: abort.signal });

	await (await proxy.saw((exchange) => exchange.n === n)).forwarded;
	abort.abort();
	await assert.rejects(reply, { name: 'AbortError' });
	assert.equal(await last().done, 'client-gone');
});

test('a target that is not there is a 502', async () => {
	const gone = await FaultProxy.start();

	await gone.close();
	proxy.target = { host: gone.host, port: gone.port };
	act({});
	assert.equal((await get('/')).status, 502);
	assert.equal(await last().done, 'target-failed');
});
