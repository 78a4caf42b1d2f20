// address.test.mjs - limits per address (protocol section 10).
//
// They do not apply to loopback, so this file runs itself again in a network
// namespace of its own, where a documentation address stands on `lo`.
import assert from 'node:assert/strict';
import net from 'node:net';
import test from 'node:test';
import { inNamespaceOfItsOwn } from '../lib/namespace.mjs';
import { assertFailure, ok, parseResponses, Player, request,
    startStill as startDaemon, until } from '../lib/peerpost.mjs';

const ADDRESS = '192.0.2.1';
const OTHER = '192.0.2.2';
const setUp = [ADDRESS, OTHER].map((each) => `ip addr add ${each}/32 dev lo`)
    .join(' && ');

await inNamespaceOfItsOwn(import.meta.url, 'limits per address', async () => {
	const listen = `${ADDRESS}:0`;
	const register = (d) => request(d, 'POST', '/register', { body: 'x' });

	test('per address 10 registers/s with a burst of 50', async () => {
		const d = await startDaemon({ listen });
		const statuses = [];
		let reply;

		do {
			reply = await register(d);
			statuses.push(reply.status);
		} while (reply.status === 200 && statuses.length < 500);
		assertFailure(reply, 429, 'RPB', 'rate-limited');
		assert.match(reply.headers['retry-after'], /^[1-9]\d*$/);
		assert.equal(statuses.length, 51);

		let n = 0;

		d.advance(1);
		while ((await register(d)).status === 200)
			n++;
		assert.equal(n, 10);
	});

	test('--register-rate and --register-burst set it, /command too',
	    async () => {
		const d = await startDaemon({ listen, args: ['--register-rate', '1',
			'--register-burst', '3'] });
		const command = () => request(d, 'POST', '/command',
		    { body: [{ command: '###!RP', data: 'x' }] });

		d.advance(100);
		for (let i = 0; i < 2; i++)
			ok(await register(d));
		assert.equal(ok(await command())[0].command, '###!RPK');
		assertFailure(await register(d), 429, 'RPB', 'rate-limited');

		const reply = await command();

		assert.equal(reply.json.error ?? reply.json[0]?.error,
		    'rate-limited');
		d.advance(1);
		ok(await register(d));
	});

	test('the rate is each address\'s own', async () => {
		const d = await startDaemon({ listen: '0.0.0.0:0',
			args: ['--register-rate', '1', '--register-burst', '1'] });
		const statusFrom = (localAddress) => new Promise(
		    (resolve, reject) => {
			const socket = net.connect({ port: d.port, host: ADDRESS,
				localAddress });
			let text = '';

			socket.on('error', reject);
			socket.on('data', (part) => {
				text += part;
			});
			socket.on('close', () => resolve(text.split(' ')[1]));
			socket.write('POST /register HTTP/1.0\r\n' +
			    'Content-Length: 3\r\n\r\n"x"');
		});

		assert.equal(await statusFrom(ADDRESS), '200');
		assert.equal(await statusFrom(ADDRESS), '429');
		assert.equal(await statusFrom(OTHER), '200');
		assert.equal(await statusFrom(OTHER), '429');
	});

	test('other requests are not rated by address', async () => {
		const d = await startDaemon({ listen, args: ['--register-rate', '1',
			'--register-burst', '1'] });
		const player = await Player.register(d);

		for (let i = 0; i < 20; i++) {
			ok(await player.events({ after: 0, wait: 0 }));
			ok(await request(d, 'GET', '/healthz'));
		}
	});

	test('--max-connections-per-address: one more is closed, and nobody ' +
	    'else suffers', async () => {
		const d = await startDaemon({ listen: '0.0.0.0:0',
			fastcgi: '0.0.0.0:0', args: ['--max-connections', '12',
				'--max-connections-per-address', '5'] });
		const sockets = [];
		// Ask on a new connection: the status, or what came before it
		// could ask.
		const ask = 'GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n';
		const open = (localAddress, bytes = ask, port = d.port) =>
		    new Promise((resolve, reject) => {
			const socket = net.connect({ port, host: ADDRESS,
				localAddress });
			let text = '';

			sockets.push(socket);
			socket.on('error', reject);
			socket.on('close', () => resolve(parseResponses(text)[0]));
			socket.on('data', (part) => {
				text += part.toString('latin1');
				if (text.includes('"ok"'))
					resolve(parseResponses(text)[0]);
			});
			socket.write(bytes);
		});

		for (let i = 0; i < 5; i++)
			assert.equal((await open(ADDRESS)).status, 200);

		const refused = await open(ADDRESS, '');

		assertFailure(refused, 429, 'ICB', 'rate-limited');
		assert.match(refused.headers['retry-after'], /^[1-9]\d*$/);
		assert.equal(refused.headers.connection, 'close');
		// They take no places that others could have.
		for (let i = 0; i < 12; i++) {
			assert.equal((await open(ADDRESS, '')).status, 429);
			assert.equal(await open(ADDRESS, '', d.fastcgi[0].port),
			    undefined);
		}
		assert.equal((await open(OTHER)).status, 200);
		sockets[0].destroy();
		await until(async () => (await open(ADDRESS).catch(() => null))
		    ?.status === 200, 'free place');
		for (const socket of sockets)
			socket.destroy();
	});
}, { setUp });
