// modsecurity.test.mjs - behind a web application firewall: ModSecurity with the
// OWASP core rules at their first level, switched on, as docs/paths.md has it.
// The JavaScript client's part in Chromium is tests/browser/firewall.test.mjs.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import { test } from 'node:test';
import { makeClient, heard } from '../lib/clients.mjs';
import { Godot, lacksGodot } from '../lib/godot3.mjs';
import { Player, ok, request } from '../lib/peerpost.mjs';
import { ShellPlayer, lacksTools } from '../lib/shell_client.mjs';
import { firewall, lacksFirewall, objections } from './modsecurity.mjs';
import { startServer, startUpstream } from './web_server.mjs';

const skip = lacksFirewall;
const FOREIGN = '920420'; // a content type that is not on the list
// Chromium's, for a data channel.
const SDP = ['v=0', 'o=- 4611731400430051336 2 IN IP4 127.0.0.1', 's=-',
	't=0 0', 'a=group:BUNDLE 0', 'a=extmap-allow-mixed',
	'a=msid-semantic: WMS',
	'm=application 9 UDP/DTLS/SCTP webrtc-datachannel',
	'c=IN IP4 0.0.0.0', 'a=ice-ufrag:EEtu',
	'a=ice-pwd:1mrDrbmTCCgtnlKZ/a0sPBdI', 'a=ice-options:trickle',
	`a=fingerprint:sha-256 ${Array(32).fill('A8').join(':')}`,
	'a=setup:actpass', 'a=mid:0', 'a=sctp-port:5000',
	'a=max-message-size:262144', ''].join('\r\n');
const OFFER = { rtc: { type: 'offer', sdp: SDP } };
const CANDIDATE = { rtc: { sdpMid: '0', sdpMLineIndex: 0, candidate:
	'candidate:842163049 1 udp 1677729535 93.184.216.34 46154 typ srflx raddr ' +
	'192.168.1.7 rport 46154 generation 0 ufrag EEtu network-cost 999' } };
// What looks like an attack: somebody chats about one.
const CHAT = "select your player; -- see ../../etc & <script>";

// The front, for Player and for clients that take an address.
async function start(more)
{
	const spec = firewall(more);
	const { daemon, upstream } = await startUpstream(spec, { clock: false });
	const front = await startServer(spec, upstream);

	return { daemon, front, url: `http://localhost:${front.port}` };
}

const post = (front, type, body, target = '/register') =>
    request(front, 'POST', target, { headers: { 'Content-Type': type,
	    Host: 'signal.example' }, body });

test('text/plain is refused in HTML, JSON passes', { skip }, async () => {
	const { front } = await start();
	const refused = await post(front, 'text/plain;charset=UTF-8', 'Ann');

	assert.equal(refused.status, 403);
	assert.match(refused.headers['content-type'], /^text\/html/);
	assert.ok(objections(front).includes(FOREIGN), objections(front).join());
	assert.equal((await post(front, 'application/json', 'Ann')).status, 200);
	// What curl says of itself.
	assert.equal((await post(front, 'application/x-www-form-urlencoded',
	    'Ann')).status, 200);
});

test('the JavaScript client as Node has it', { skip }, async () => {
	const { front, url } = await start();
	const ann = makeClient(url);
	const bob = makeClient(url);

	await ann.connect('Ann');
	await bob.connect('Bob');
	await bob.joinRoom(await ann.createRoom());
	await Promise.all([bob.offer(1, OFFER), bob.candidate(1, CANDIDATE),
		bob.candidate(1, CANDIDATE)]);
	await heard(ann, 'candidate', 2);
	assert.equal(ann.log.find(({ type }) => type === 'offer').data.rtc.sdp, SDP);
	await bob.getRoom();
	await bob.iceServers();
	await ann.sealRoom();
	await bob.leaveRoom();
	await ann.unregister();
	assert.deepEqual(objections(front), []);

	// Only what is said may look like an attack; that is told soon, and does
	// not hold up the rest for long.
	await bob.createRoom();
	await assert.rejects(bob.sendMessage(CHAT),
	    { error: 'not-peerpost', status: 403 });
	assert.ok(bob.exchanges.filter(({ status }) => status === 403).length <= 3);
	await bob.sendMessage('Hello');
	await heard(bob, 'message');
	bob.stop();
});

test('the shell client', { skip: skip || (lacksTools && `needs ${lacksTools}`) },
    async () => {
	const { daemon, front, url } = await start();
	const host = await Player.register(daemon, 'host');
	const { data: room } = ok(await host.create());
	const shelly = new ShellPlayer(url);

	await shelly.ok('register', 'Shelly');
	await shelly.ok('create');
	await shelly.ok('seal');
	await shelly.ok('leave');
	await shelly.ok('join', room);
	await shelly.ok('offer', '1', JSON.stringify(OFFER));
	await shelly.ok('candidate', '1', JSON.stringify(CANDIDATE));
	await shelly.ok('send', '"Hello"');
	assert.deepEqual((await host.news()).map(([code]) => code).slice(-3),
	    ['OOO', 'CCC', 'RMK']);
	assert.match(await shelly.ok('events', '--pending'), /"Hello"/);
	await shelly.ok('whoami');
	await shelly.ok('unregister');
	assert.deepEqual(objections(front), []);
});

test('Godot', { skip: skip || lacksGodot }, async () => {
	const { daemon, front, url } = await start();
	const host = await Player.register(daemon, 'host');
	const { data: room } = ok(await host.create());
	const gody = new Godot(url);

	await gody.register('Gody');
	gody.do('join_room', room);
	await gody.hears(1, 'peer_connected');
	gody.do('send_offer', 1, OFFER.rtc);
	gody.do('send_candidate', 1, CANDIDATE.rtc);
	gody.do('send_message', 'Hello');
	await gody.hears(1, 'message_received');
	assert.deepEqual((await host.news()).map(([code]) => code).slice(-3),
	    ['OOO', 'CCC', 'RMK']);
	gody.do('unregister');
	await gody.hears(1, 'session_ended');
	await gody.quit();
	assert.deepEqual(objections(front), []);
});

// What docs/paths.md has for the operator.
const [ALLOW_PLAIN, ALLOW_CHAT] = fs.readFileSync(new URL(
    '../../docs/paths.md', import.meta.url), 'utf8')
    .match(/^ {4}Sec.*(\n {4}.*)*/gm);

test('what an operator can allow', { skip }, async () => {
	for (const [more, after, type] of [[ALLOW_PLAIN, '', 'text/plain'],
		['', ALLOW_CHAT, 'application/json']]) {
		const { front } = await start({ more, after });
		const { token } = ok(await post(front, type, 'Ann'));
		const say = (command, data) => post(front, type,
		    { command, data, token }, '/command');

		// All that was let in before still is.
		for (const other of ['application/x-www-form-urlencoded',
			'application/json'])
			ok(await post(front, other, 'Bob'));
		ok(await say('###!CR'));
		assert.equal(ok(await say('###!SM', CHAT)).data, CHAT);
		assert.deepEqual(objections(front), []);
	}
});
