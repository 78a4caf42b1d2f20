// client_address.test.mjs - whose request it is, by what a web server says: one
// register a second is allowed to each address.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { startDaemon } from '../lib/peerpost.mjs';
import { beginRequest, encodePairs, responseOf, stream, Type }
    from '../lib/fastcgi.mjs';
import { FastcgiConnection, soon } from '../lib/fastcgi_connection.mjs';

// How registers that come with these parameters end, one after the other.
async function statuses(args, ...all)
{
	const daemon = await startDaemon({ fastcgi: '127.0.0.1:0',
		args: ['--register-rate', '1', '--register-burst', '1', ...args] });
	const connection = await FastcgiConnection.open(daemon.fastcgi[0]);
	const found = [];

	for (const params of all) {
		const ended = connection.expect(1);

		connection.send(beginRequest(1),
		    stream(Type.PARAMS, 1, encodePairs([
			    ['REQUEST_METHOD', 'POST'],
			    ['REQUEST_URI', '/register'], ...params])),
		    stream(Type.STDIN, 1, Buffer.from('"x"')));
		found.push(responseOf(await soon(ended)).status);
	}
	connection.close();
	return found.join(' ');
}

const at = (address) => ['REMOTE_ADDR', address];
const via = (list) => ['HTTP_X_FORWARDED_FOR', list];

test('it is REMOTE_ADDR', async () => {
	assert.equal(await statuses([], [at('198.51.100.1')],
	    [at('198.51.100.2')], [at('198.51.100.1')], [at('2001:db8::1')],
	    [at('2001:db8::2')]), '200 200 429 200 429');
});

test('what REMOTE_ADDR says of others counts if it is a proxy', async () => {
	assert.equal(await statuses([], [at('198.51.100.1'), via('203.0.113.1')],
	    [at('198.51.100.1'), via('203.0.113.2')],
	    [at('127.0.0.1'), via('203.0.113.2')],
	    [at('127.0.0.1'), via('203.0.113.2')]), '200 429 200 429');
});

test('lines of a header that come one by one are one list', async () => {
	assert.equal(await statuses(['--trusted-proxy', '127.0.0.0/8',
		'--trusted-proxy', '10.0.0.0/8'],
	[at('127.0.0.1'), via('198.51.100.1'), via('10.1.2.3')],
	[at('127.0.0.1'), via('198.51.100.1'), via('10.1.2.3')],
	[at('127.0.0.1'), via('198.51.100.9'), via('198.51.100.1')]),
	'200 429 429');
});

test('a link-local address may have a zone', async () => {
	assert.equal(await statuses([], [at('fe80::1%eth0')],
	    [at('fe80::1%eth0')], [at('fe80::1')]), '200 429 429');
});

test('behind a REMOTE_ADDR that is none, clients choose no address',
    async () => {
	// Whoever it is, it takes nothing away from this one.
	assert.equal(await statuses([], [at('proxy.example'),
		via('198.51.100.1')], [at('198.51.100.1')]), '200 200');
});

test('a web server that is not trusted says nothing', async () => {
	assert.equal(await statuses(['--trusted-proxy', 'none'],
	    [at('198.51.100.1')], [at('198.51.100.1')]), '200 200');
});

test('without REMOTE_ADDR, or with nginx\'s for a Unix socket, it is this ' +
    'machine', async () => {
	assert.equal(await statuses([], [], [], [at('unix:')], [at('unix:')],
	    [at('unix:'), via('198.51.100.1')],
	    [at('unix:'), via('198.51.100.1')]), '200 200 200 200 200 429');
});
