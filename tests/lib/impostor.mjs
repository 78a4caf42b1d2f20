// impostor.mjs - servers that are none, for tests of clients.
import assert from 'node:assert/strict';
import http from 'node:http';
import { after } from 'node:test';
import { until } from './peerpost.mjs';

// A server that is none: answer(n, req) gives { status, headers, body }, or null
// for a request that is held.  Its requests have { method, url, headers, at }.
export async function startImpostor(answer)
{
	const requests = [];
	const server = http.createServer((req, res) => {
		const n = requests.length;

		requests.push({ method: req.method, url: req.url,
			headers: req.headers, at: performance.now() });
		req.resume();
		req.on('end', () => {
			const reply = answer(n, req);

			if (!reply)
				return;
			const { status = 200, headers = {}, body = '' } = reply;

			res.writeHead(status, headers);
			res.end(typeof body === 'string' ? body :
			    JSON.stringify(body));
		});
	});

	await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
	after(() => {
		server.close();
		server.closeAllConnections();
	});
	return { requests, url: `http://127.0.0.1:${server.address().port}` };
}

const event = (id) => ({ id, command: '###!RMK', data: id });

// Replies to polls, and how many milliseconds a client has to let pass after
// each.  It hears of events 1 to 3, and that the server was restored.
const PAUSES = [
	[{ body: { events: [event(1)], next: 1, poll_after_ms: 700 } }, 700],
	[{ body: { events: [], next: 1, superseded: true, poll_after_ms: 600 } },
		600],
	[{ status: 503, headers: { 'Retry-After': '1' }, body: {
		command: '###!ICB', data: 'No.', error: 'shutting-down' } }, 1000],
	[{ status: 429, headers: { 'Retry-After': '1' } }, 1000],
	// It is back, if that was only asked.
	[{ body: { events: [], next: 1 } }, 0],
	// Of these something is wrong.
	[{ body: { events: [], next: 1 } }, 900],
	[{ body: { events: [], next: 0 } }, 200],
	[{ body: { events: [event(2)], next: 1 } }, 400],
	[{ body: { events: [event(2)], next: '2' } }, 700],
	[{ body: { events: [], next: 1, reset: true, room: null } }, 0],
	[{ body: { events: [event(2)], next: 2, more: true } }, 0],
	[{ body: { events: [event(3)], next: 3 } }, 0],
];

// A server that answers a register and then those polls: { url, requests,
// kept(early) }.  kept() is fulfilled when the client has been through them, and
// fails if it came back more than early milliseconds too soon.
export async function startPausing()
{
	const { url, requests } = await startImpostor((n) => n === 0 ?
	    { body: { command: '###!RPK', data: 7, token: 't'.repeat(43) } } :
	    n <= PAUSES.length ? { ...PAUSES[n - 1][0], headers: {
		    'Content-Type': 'application/json',
		    ...PAUSES[n - 1][0].headers } } : null);

	async function kept(early = 0)
	{
		// All of them take more than the deadline of one until().
		for (let n = 1; n <= PAUSES.length + 2; n++)
			await until(() => requests.length >= n, `request ${n}`);
		assert.equal(requests.length, PAUSES.length + 2);
		PAUSES.forEach(([, ms], i) => {
			const took = requests[i + 2].at - requests[i + 1].at;

			assert.ok(took >= ms - early, `pause ${i}: ${took} ms`);
		});
	}
	return { url, requests, kept };
}
