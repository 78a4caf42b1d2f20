// page.mjs - a page with a player, for the tests to look into.
//
// The address says what to make: server, name, and the options of the client
// and of RTCPeerConnection, as JSON.  What comes in is kept with the session, as
// a page does that wants to go on after a reload.
const query = new URLSearchParams(location.search);
const server = query.get('server');
const { PeerpostClient, PeerpostMesh } =
    await import(`${server}/peerpost.js`);

globalThis.iceErrors = [];
globalThis.iceCandidates = [];
globalThis.connections = [];
globalThis.signals = [];

class WatchedConnection extends RTCPeerConnection {
	constructor(...args)
	{
		super(...args);
		globalThis.connections.push(this);
		this.addEventListener('icecandidateerror', ({ errorCode }) =>
		    globalThis.iceErrors.push(errorCode));
		this.addEventListener('icecandidate', ({ candidate }) => {
			globalThis.iceCandidates.push(candidate?.type ?? 'end');
		});
	}
}

const client = new PeerpostClient(server, JSON.parse(query.get('client')));
// A page with connections cannot be kept to come back to.
const mesh = query.has('alone') ? new EventTarget() : new PeerpostMesh(client, { rtc: JSON.parse(query.get('rtc')),
	RTCPeerConnection: WatchedConnection });

globalThis.client = client;
globalThis.mesh = mesh;
globalThis.data = [];
globalThis.news = [];
globalThis.messages = () => JSON.parse(sessionStorage.messages ?? '[]');
client.addEventListener('message', ({ data }) => {
	sessionStorage.messages = JSON.stringify([...globalThis.messages(), data]);
});
for (const type of ['offline', 'online', 'resumed', 'session-gone', 'reset',
	'superseded', 'session-in-use', 'command-failed', 'offer', 'answer'])
	client.addEventListener(type, () => globalThis.news.push(type));
for (const type of ['offer', 'answer', 'candidate'])
	client.addEventListener(type, ({ stale, data: { link, to } }) =>
		globalThis.signals.push([type, link, to, stale ? 'stale' : '']
		    .join(' ')));
mesh.addEventListener('data', ({ data }) => globalThis.data.push(
    data instanceof ArrayBuffer ? new Uint8Array(data) : data));
for (const type of ['peer', 'left', 'error'])
	mesh.addEventListener(type, ({ error }) => globalThis.news.push(
	    error ? `${type} ${error.message}` : type));

// For failure messages.
globalThis.said = () => ({ id: client.id, room: client.room,
	state: client.state, peers: mesh.peers, data: globalThis.data.length,
	news: globalThis.news, iceErrors: globalThis.iceErrors,
	iceCandidates: globalThis.iceCandidates, signals: globalThis.signals,
	connections: globalThis.connections.map(({ connectionState,
		iceConnectionState, signalingState }) => [connectionState,
		iceConnectionState, signalingState].join(' ')) });

// Into the room, or into a new one; its UUID.
globalThis.enter = async (uuid) => {
	if (!uuid)
		return client.createRoom();
	await client.joinRoom(uuid);
	return uuid;
};

addEventListener('pageshow', ({ persisted }) => {
	globalThis.isKept = persisted;
});
await client.connect(query.get('name'));
globalThis.isReady = true;
