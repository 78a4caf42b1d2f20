// fastcgi_transport.mjs - request() of peerpost.mjs through FastCGI, for
// PEERPOST_TEST_TRANSPORT: every test that speaks to the daemon by request()
// only is then a test of this transport.
//
// Beside each HTTP listener that a test asks for, which rawExchange(), Wire and
// daemon.url go on using, the daemon gets a FastCGI listener.  Requests go out
// in the ways of different web servers by turns.
import { paramsOf, requestRecords, responseOf } from './fastcgi.mjs';
import { FastcgiConnection } from './fastcgi_connection.mjs';

// How a request is sent.  isShared: on a connection that stays, with others at
// the same time; the rest: see requestRecords().
const MANNERS = [
	{ isShared: true },
	{ isShared: false, keep: false },
	{ isShared: true, size: 1000, padding: 3 },
	{ isShared: true, size: 17, padding: 7, isLong: true },
	{ isShared: false, keep: true, padding: 255 },
];
// A connection with so many requests gets no more.
const MAX_SHARED = 100;

let nRequests = 0;
// Connections that stay, by what a daemon gets anew at each start.
const pools = new WeakMap();

function beside(address)
{
	return address.startsWith('unix:') ?
	    address.replace(/^[^,]*/, '$&.fastcgi') :
	    address.replace(/:\d+$/, ':0');
}

async function open(where)
{
	const connection = await FastcgiConnection.open(where);

	// Alone it does not keep the process alive.
	connection.socket.unref();
	return connection;
}

async function shared(daemon, where)
{
	const key = where.path ?? `${where.host} ${where.port}`;
	const pool = pools.get(daemon.agent) ?? new Map();
	const connections = (pool.get(key) ?? []).filter((each) =>
	    !each.isClosed);
	const found = connections.find((each) => each.live.size < MAX_SHARED);

	pools.set(daemon.agent, pool);
	pool.set(key, connections);
	if (found)
		return found;
	const connection = await open(where);

	connections.push(connection);
	pool.set(key, connections);
	return connection;
}

function aborted()
{
	const error = new Error('The operation was aborted');

	error.name = 'AbortError';
	error.code = 'ABORT_ERR';
	return error;
}

async function send(daemon, { method, target, headers, body, listener, signal,
    onSent })
{
	const { isShared, ...manner } = MANNERS[nRequests++ % MANNERS.length];
	const where = daemon.fastcgi[listener];

	signal?.throwIfAborted();
	const connection = isShared ? await shared(daemon, where) :
	    await open(where);
	const id = connection.freeId();
	const ended = connection.expect(id);
	const gone = new Promise((resolve, reject) => {
		signal?.addEventListener('abort', () => {
			if (isShared)
				connection.abort(id);
			else
				connection.close();
			reject(aborted());
		}, { once: true });
	});

	connection.socket.ref();
	connection.socket.write(requestRecords(id,
	    paramsOf({ method, target, headers, body }), body, manner), onSent);
	try {
		return responseOf(await Promise.race([ended, gone]), method);
	} finally {
		if (!isShared)
			connection.close();
		else if (connection.live.size === 0)
			connection.socket.unref();
	}
}

// Before a daemon is told to stop, which waits a moment for connections that
// are kept.
function closeIdle(daemon)
{
	for (const connections of pools.get(daemon.agent)?.values() ?? [])
		for (const connection of connections)
			if (!connection.isClosed && connection.live.size === 0)
				connection.close();
}

export default {
	addresses: ({ listen, fastcgi }) =>
	    ({ listen, fastcgi: [...listen.map(beside), ...fastcgi] }),
	send,
	closeIdle,
};
