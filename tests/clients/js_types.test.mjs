// js_types.test.mjs - the package as npm makes and installs it: what lies in
// it, that it can be imported, and that its types compile, with the library of
// the DOM and without.
//
// TypeScript comes from npm: tests/clients/package.json pins it, and
// ./bootstrap --check installs it into the build folder.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import test, { before } from 'node:test';
import { promisify } from 'node:util';
import { packageDir } from '../lib/clients.mjs';
import { scratchDir } from '../lib/peerpost.mjs';
import { findProgram } from '../lib/programs.mjs';

const run = promisify(execFile);
const tsc = path.resolve('modules/clients/node_modules/typescript/bin/tsc');
const noNpm = findProgram('npm') ? false : 'npm is not installed';
const noTsc = noNpm || (fs.existsSync(tsc) ? false :
    'TypeScript is not installed: cp tests/clients/package*.json to ' +
    'modules/clients of the build folder, and npm ci there');

// A project that has the package, from its tarball.
let project;

// npm in the project, which keeps to it and to this machine.
function npm(...args)
{
	return run('npm', args, { cwd: project, env: { ...process.env,
		HOME: project, npm_config_cache: path.join(project, 'cache'),
		npm_config_offline: 'true', npm_config_audit: 'false',
		npm_config_fund: 'false', npm_config_update_notifier: 'false' } });
}

before(async () => {
	if (noNpm)
		return;
	project = scratchDir();
	fs.writeFileSync(path.join(project, 'package.json'),
	    '{ "name": "game", "private": true, "type": "module" }');
	const [{ filename }] = JSON.parse(
	    (await npm('pack', '--json', packageDir)).stdout);

	await npm('install', `./${filename}`);
});

// What a strict compiler has against a program of this project.
async function complaints(source, compilerOptions)
{
	fs.writeFileSync(path.join(project, 'game.ts'), source);
	fs.writeFileSync(path.join(project, 'tsconfig.json'), JSON.stringify({
		compilerOptions: { strict: true, skipLibCheck: false, types: [],
			exactOptionalPropertyTypes: true, noEmit: true,
			target: 'ES2022', module: 'NodeNext',
			moduleResolution: 'NodeNext', ...compilerOptions },
		files: ['game.ts'] }));
	return run(process.execPath, [tsc], { cwd: project }).then(() => '',
	    ({ stdout, stderr }) => stdout + stderr);
}

// What a game does with it, whatever its surroundings.
const GAME = `
import { PeerpostClient, PeerpostError, PeerpostEvent, PeerpostMesh,
    type IceServer, type Json, type MailboxEvent, type Peer, type RelayEvent,
    type RoomSnapshot, type PeerpostClientOptions } from 'peerpost';

class Memory {
	#values = new Map<string, string>();
	getItem(key: string) { return this.#values.get(key) ?? null; }
	setItem(key: string, value: string) { this.#values.set(key, value); }
}

const options: PeerpostClientOptions = { storage: new Memory(), waitS: 20,
	mode: 'plain', pathStorage: null, page: null,
	fetch: async (url: string) => ({ status: 200, url,
		headers: { get: () => null }, text: async () => '{}' }) };
const client = new PeerpostClient('http://127.0.0.1:8080', options);
new PeerpostClient({ href: client.url }).stop();
const mesh = new PeerpostMesh(client, { rtc: { iceServers: [] },
	channel: { ordered: false, maxRetransmits: 0 } });
const names = new Map<number, string | undefined>();

client.addEventListener('message', ({ data, id, stale }) => {
	const n: number = id, isOld: boolean = stale;
	void [data as Json, n, isOld];
});
client.addEventListener('offer', (event: RelayEvent) => {
	void client.answer(event.peerId, { rtc: event.data });
});
client.addEventListener('peer-connected',
    ({ peerId }) => names.set(peerId, client.peers.get(peerId)));
client.addEventListener('session-gone', ({ error }) => {
	const word: string = error.error, after: number | null =
	    error.retryAfterMs;
	void [word, after];
}, { once: true });
client.addEventListener('whatever', { handleEvent(event: PeerpostEvent) {
	const type: string = event.type;
	void type;
} });
mesh.addEventListener('data', ({ peerId, data }) => {
	const size: number = typeof data === 'string' ? data.length :
	    data.byteLength;
	mesh.send(peerId, new Uint8Array(size));
});
mesh.addEventListener('error', ({ error, type }) => {
	throw new PeerpostError(type, error.message, { status: 0 });
});

await client.connect('Ann');
const id: number | null = client.id;
const room: string = await client.createRoom();
const { peers }: { peers: Peer[] } = await client.joinRoom(room);
const snapshot: RoomSnapshot | null = await client.getRoom();
const servers: IceServer[] = await client.iceServers();
const name: string | undefined = peers[0]?.name;
for await (const event of client) {
	const each: MailboxEvent<any> = event;
	if (each.type === 'sealed')
		break;
}
void [id, snapshot, servers, name, mesh.broadcast('hello'),
	mesh.peers.includes(1), client.session?.token];
client.stop();
`;
// And with the types of the browser.
const PAGE = `${GAME}
const aborter = new AbortController();
await client.sendMessage({ a: [1, null] }, { signal: aborter.signal });
const configuration: RTCConfiguration = { iceServers: await client.iceServers(),
	iceTransportPolicy: 'relay' };
const channel: RTCDataChannelInit = { protocol: 'game' };
const other = new PeerpostMesh(new PeerpostClient(new URL('.', location.href),
    { fetch, storage: sessionStorage, page: window }),
    { rtc: configuration, channel, RTCPeerConnection });
const connection: RTCPeerConnection | undefined = other.connection(1);
const targets: EventTarget[] = [client, mesh];
client.addEventListener('state', (event: Event) => event.preventDefault());
client.dispatchEvent(new Event('x'));
void [connection?.iceConnectionState, targets];
`;

test('what lies in the package', { skip: noNpm }, () => {
	const dir = path.join(project, 'node_modules/peerpost');
	const { repository, homepage, bugs, exports } = JSON.parse(
	    fs.readFileSync(path.join(dir, 'package.json'), 'utf8'));

	assert.deepEqual(fs.readdirSync(dir).sort(), ['LICENSE', 'README.md',
		'package.json', 'peerpost.d.ts', 'peerpost.js']);
	assert.match(repository.url, /^git\+https:\/\//);
	assert.equal(repository.directory, 'clients/js');
	assert.match(homepage, /^https:\/\//);
	assert.match(bugs.url, /^https:\/\//);
	// The order counts: the first that fits is taken.
	assert.deepEqual(Object.keys(exports['.']), ['types', 'default']);
});

test('the installed package can be imported', { skip: noNpm }, async () => {
	const { stdout } = await run(process.execPath, ['--input-type=module',
		'-e', `import * as all from 'peerpost';
		import { createRequire } from 'node:module';
		const about = createRequire(import.meta.url)(
		    'peerpost/package.json');
		console.log(Object.keys(all).sort().join(), about.name);`],
	{ cwd: project });

	assert.equal(stdout.trim(), 'PeerpostClient,PeerpostError,PeerpostEvent,' +
	    'PeerpostMesh peerpost');
});

test('the types compile without the DOM, strictly', { skip: noTsc },
    async () => {
	assert.equal(await complaints(GAME, { lib: ['ES2022'] }), '');
	assert.equal(await complaints(GAME, { lib: ['ES2022'],
		module: 'ESNext', moduleResolution: 'Bundler' }), '');
	// As in the program, an Event without an EventTarget is not used.
	assert.equal(await complaints(`${GAME}
		declare global { var Event: new () => { own: 1 }; }`,
	{ lib: ['ES2022'] }), '');
});

test('the types compile with the DOM, and are its own', { skip: noTsc },
    async () => {
	assert.equal(await complaints(PAGE, { lib: ['ES2022', 'DOM'] }), '');
	assert.equal(await complaints(PAGE, { lib: ['ES2022', 'DOM',
		'DOM.Iterable'], module: 'ESNext',
		moduleResolution: 'Bundler' }), '');
});

test('mistakes are found, with the DOM and without', { skip: noTsc },
    async () => {
	const wrong = [
		'new PeerpostClient(7);',
		"new PeerpostClient('http://x', { mode: 'loud' });",
		"client.connect(7);",
		"client.offer('1', {});",
		"client.addEventListener('message', ({ peerId }) => peerId);",
		"mesh.addEventListener('data', ({ peer }) => peer);",
		'client.room = null;',
		"new PeerpostMesh(client, { rtc: { iceServers: 'stun:x' } });",
	];

	for (const lib of [['ES2022'], ['ES2022', 'DOM']]) {
		const said = await complaints(GAME + wrong.join('\n'), { lib });
		const first = GAME.split('\n').length;

		assert.deepEqual([...said.matchAll(/^game\.ts\((\d+),/gm)]
		    .map(([, line]) => wrong[Number(line) - first]), wrong, said);
	}
});
