// demo.js - the page: players, chat over both ways, a small game, and the HTTP
// traffic.
//
// PeerpostClient finds the players, PeerpostMesh connects them.  Messages on the
// data channels are JSON, by their member `kind`:
//
//	at	{ x, y }: where the sender's dot is
//	star	{ x, y, scores }: from the host, which decides who has caught it
//	chat	{ text }
import { PeerpostClient, PeerpostMesh } from '../peerpost.js';

const COLOURS = ['#ffd166', '#06d6a0', '#ef476f', '#4cc9f0', '#f78c6b',
	'#c77dff', '#b5e48c', '#ffafcc'];
const MAX_LINES = 200;
const HOST = 1;
const RADIUS = 16;
const SEND_MS = 50;
const BACK_MS = 4000; // how long the banner says that the server is back
const END_OF_LINK = 12; // letters that are always shown
const SHORT_NAME = 12; // on the field

const $ = (id) => document.getElementById(id);
const client = new PeerpostClient(new URL('..', location.href));
const mesh = new PeerpostMesh(client);

// The UUID in #/UUID, or ''.
function invitedTo()
{
	return location.hash.replace(/^#\/?/, '');
}

function element(name, className, text)
{
	const made = document.createElement(name);

	made.className = className;
	made.textContent = text;
	return made;
}

function say(text)
{
	$('status').textContent = text;
}

let bannerTimer;

// Over the page; '' takes it away.
function warn(text, isGood = false)
{
	clearTimeout(bannerTimer);
	$('banner').textContent = text;
	$('banner').className = isGood ? 'good' : '';
	$('banner').hidden = text === '';
	if (isGood)
		bannerTimer = setTimeout(warn, BACK_MS, '');
}

// ---- who is here ---------------------------------------------------------

// By the id, so that it is the same on all pages; but no two of up to eight
// players have the same.
function colourOf(peerId)
{
	const taken = new Set();

	for (const id of [client.peerId, ...client.peers.keys()]
	    .sort((a, b) => a - b)) {
		let n = id % COLOURS.length;

		while (taken.has(n) && taken.size < COLOURS.length)
			n = (n + 1) % COLOURS.length;
		taken.add(n);
		if (id === peerId)
			return COLOURS[n];
	}
	return COLOURS[peerId % COLOURS.length];
}

function nameOf(peerId)
{
	if (peerId === client.peerId)
		return client.name;
	return client.peers.get(peerId) ?? `player ${peerId}`;
}

function everybody()
{
	return [client.peerId, ...client.peers.keys()];
}

// A line about a player: its colour, its name, and further text.
function playerItem(id, ...more)
{
	const item = document.createElement('li');
	const dot = element('span', 'dot', '');
	const name = element('span', 'name', nameOf(id));

	name.title = nameOf(id);
	dot.style.background = colourOf(id);
	item.append(dot, name, ...more);
	return item;
}

function showPlayers()
{
	$('players').replaceChildren(...everybody().map((id) => {
		const way = id === client.peerId ? 'you' :
		    mesh.peers.includes(id) ? 'connected' : 'connecting …';

		return playerItem(id, element('span', 'way',
		    id === HOST ? `host, ${way}` : way));
	}));
	showScores();
}

function pointsOf(id)
{
	return Number.isSafeInteger(scores[id]) ? scores[id] : 0;
}

// The best first.
function showScores()
{
	$('scores').replaceChildren(...everybody()
	    .sort((a, b) => pointsOf(b) - pointsOf(a))
	    .map((id) => playerItem(id,
		element('span', 'points', pointsOf(id)))));
}

function showLink(url)
{
	if ($('room-link').href === url)
		return;
	$('room-link').href = url;
	$('room-link').className = '';
	$('room-link').replaceChildren(
	    element('span', 'start', url.slice(0, -END_OF_LINK)),
	    element('span', 'end', url.slice(-END_OF_LINK)));
	$('invitation').textContent = 'Send this link to others:';
	$('copy').textContent = 'Copy';
}

// A player with a link is a guest; everybody else may create a room.
function showEntrance()
{
	const isInvited = invitedTo() !== '';

	$('entrance-title').textContent = isInvited ? 'You are invited' :
	    'Play with others';
	$('entrance-text').textContent = isInvited ?
	    'This link leads to a room. Choose a name and join.' :
	    'Create a room and send its link to others, or open it in a ' +
	    'second tab.';
	$('join').hidden = !isInvited;
	$('create').className = isInvited ? 'quiet' : '';
	$('create').textContent = isInvited ? 'Create my own' :
	    'Create a room';
}

function show()
{
	const isInside = client.room !== null;

	document.querySelector('main').className = isInside ? '' : 'outside';
	$('entrance').hidden = isInside;
	for (const id of ['room', 'game-section', 'chat'])
		$(id).hidden = !isInside;
	if (!isInside) {
		showEntrance();
		return;
	}
	say(`You are ${client.name}`);
	if (invitedTo() !== client.room)
		history.replaceState(null, '', `#/${client.room}`);
	showLink(location.href);
	showPlayers();
}

async function enter(work)
{
	const buttons = [$('create'), $('join')];

	$('entrance-error').textContent = '';
	$('entrance-note').textContent = '';
	buttons.forEach((button) => {
		button.disabled = true;
	});
	try {
		await client.connect($('name').value.trim());
		await work();
	} catch (error) {
		$('entrance-error').textContent = ['room-not-found', 'bad-data']
		    .includes(error.error) ? 'There is no such room: its host ' +
		    'has left, or a part of the link is missing.' :
		    error.message;
	} finally {
		buttons.forEach((button) => {
			button.disabled = false;
		});
		resetGame();
		show();
	}
}

function goOut(reason)
{
	say('Not in a room');
	$('entrance-note').textContent = reason;
	$('chat-log').replaceChildren();
	// A player that was not inside is still invited.
	if ($('entrance').hidden)
		history.replaceState(null, '', location.pathname);
	show();
}

$('entrance-form').addEventListener('submit', (event) => {
	const wantsNew = event.submitter === $('create') || invitedTo() === '';

	event.preventDefault();
	enter(() => wantsNew ? client.createRoom() :
	    client.joinRoom(invitedTo()));
});
$('leave').addEventListener('click', async () => {
	await client.leaveRoom().catch(() => {});
	goOut('You have left.');
});
$('copy').addEventListener('click', async () => {
	try {
		await navigator.clipboard.writeText($('room-link').href);
		$('copy').textContent = 'Copied';
	} catch {
		// A page that is not from a secure origin may not.
		$('room-link').className = 'whole';
		$('room-link').replaceChildren($('room-link').href);
		getSelection().selectAllChildren($('room-link'));
		$('invitation').textContent = 'Copy the selected link:';
	}
});
$('share').hidden = !navigator.share;
$('share').addEventListener('click', () => navigator.share(
    { title: 'Peerpost demo', url: $('room-link').href }).catch(() => {}));
addEventListener('hashchange', show);

client.addEventListener('joined', show);
// The event has the peer's id, but not its name.
client.addEventListener('peer-connected', async () => {
	show();
	await client.getRoom().catch(() => {});
	show();
});
client.addEventListener('peer-disconnected', show);
client.addEventListener('resumed', show);
client.addEventListener('room-gone', () =>
	goOut('The host has left, and the room is closed.'));
client.addEventListener('session-gone', ({ error }) => {
	warn('');
	goOut(error.error === 'session-in-use' ?
	    'You play in another tab now.' :
	    'The server does not know you any more. Please join again.');
});
client.addEventListener('offline', () =>
	warn('The server is away. ' + (client.room === null ? '' :
	    'The game continues without it. ') + 'Trying again …'));
client.addEventListener('online', () =>
	warn('The server is back, and nothing is lost.', true));

// ---- chat ----------------------------------------------------------------

function addLine(list, line)
{
	const isAtEnd = list.scrollTop + list.clientHeight >=
	    list.scrollHeight - 20;

	list.append(line);
	while (list.children.length > MAX_LINES)
		list.firstChild.remove();
	if (isAtEnd)
		list.scrollTop = list.scrollHeight;
}

function addChat(who, text, way)
{
	const line = document.createElement('li');

	line.append(element('strong', '', who), ` ${text} `,
	    element('span', 'way', way));
	addLine($('chat-log'), line);
}

$('chat-form').addEventListener('submit', (event) => {
	const text = $('chat-input').value.trim();

	event.preventDefault();
	if (!text)
		return;
	$('chat-input').value = '';
	// From the server it comes back, to its sender too.
	if ($('chat-way').value === 'room') {
		client.sendMessage({ from: client.peerId, text });
		return;
	}
	mesh.broadcast(JSON.stringify({ kind: 'chat', text }));
	addChat(client.name, text, 'by data channel');
});
client.addEventListener('message', ({ data }) =>
	addChat(nameOf(Number(data?.from)), String(data?.text),
	    'by the server'));

// ---- the game ------------------------------------------------------------

const field = $('game');
const pen = field.getContext('2d');
const keys = new Set();
let dots, star, scores, drawn, sentAt;

function anywhere()
{
	return { x: 40 + Math.random() * (field.width - 80),
		y: 40 + Math.random() * (field.height - 80) };
}

function resetGame()
{
	dots = new Map([[client.peerId, anywhere()]]);
	star = client.peerId === HOST ? anywhere() : null;
	scores = {};
	sentAt = 0;
}

function tellStar()
{
	showScores();
	mesh.broadcast(JSON.stringify({ kind: 'star', ...star, scores }));
}

// The host decides, so that there is one truth.
function judge()
{
	if (client.peerId !== HOST || !star)
		return;
	for (const [peerId, { x, y }] of dots)
		if (Math.hypot(x - star.x, y - star.y) < RADIUS * 1.8) {
			scores[peerId] = (scores[peerId] ?? 0) + 1;
			star = anywhere();
			tellStar();
			return;
		}
}

function moveTo(x, y)
{
	const dot = dots.get(client.peerId);

	dot.x = Math.min(Math.max(x, RADIUS), field.width - RADIUS);
	dot.y = Math.min(Math.max(y, RADIUS), field.height - RADIUS);
}

function drawStar({ x, y })
{
	pen.beginPath();
	for (let i = 0; i < 10; i++) {
		const angle = Math.PI * (i / 5 - 0.5);
		const radius = i % 2 ? 6 : 15;

		pen.lineTo(x + radius * Math.cos(angle),
		    y + radius * Math.sin(angle));
	}
	pen.fillStyle = '#fff3b0';
	pen.fill();
}

function shortName(peerId)
{
	const letters = [...nameOf(peerId)];

	return letters.length <= SHORT_NAME ? letters.join('') :
	    `${letters.slice(0, SHORT_NAME - 1).join('')}…`;
}

function draw()
{
	pen.clearRect(0, 0, field.width, field.height);
	if (star)
		drawStar(star);
	// As large on a phone as anywhere.
	const size = 14 * field.width / (field.clientWidth || field.width);

	pen.font = `${size}px system-ui, sans-serif`;
	pen.textAlign = 'center';
	for (const [peerId, { x, y }] of dots) {
		pen.beginPath();
		pen.arc(x, y, RADIUS, 0, 2 * Math.PI);
		pen.fillStyle = colourOf(peerId);
		pen.fill();
		pen.fillStyle = '#ffffff';
		pen.fillText(shortName(peerId), x,
		    y < 2 * size + RADIUS ? y + RADIUS + size : y - RADIUS - 6);
	}
}

function frame(now)
{
	const step = Math.min(now - (drawn ?? now), 50) * 0.3;

	drawn = now;
	requestAnimationFrame(frame);
	if (client.room === null || !dots.has(client.peerId))
		return;
	const dot = dots.get(client.peerId);

	moveTo(dot.x + step * (keys.has('ArrowRight') - keys.has('ArrowLeft')),
	    dot.y + step * (keys.has('ArrowDown') - keys.has('ArrowUp')));
	judge();
	if (now - sentAt > SEND_MS) {
		sentAt = now;
		mesh.broadcast(JSON.stringify({ kind: 'at', ...dot }));
	}
	draw();
}

function isPlace({ x, y })
{
	return Number.isFinite(x) && Number.isFinite(y);
}

// From another player, so it may be anything.
function take(peerId, message)
{
	if (message?.kind === 'at' && isPlace(message)) {
		dots.set(peerId, { x: message.x, y: message.y });
	} else if (message?.kind === 'star' && peerId === HOST &&
	    isPlace(message)) {
		star = { x: message.x, y: message.y };
		scores = { ...message.scores };
		showScores();
	} else if (message?.kind === 'chat') {
		addChat(nameOf(peerId), String(message.text).slice(0, 500),
		    'by data channel');
	}
}

mesh.addEventListener('data', ({ peerId, data }) => {
	try {
		take(peerId, JSON.parse(data));
	} catch {
		// Not of this game.
	}
});
mesh.addEventListener('peer', () => {
	showPlayers();
	if (client.peerId === HOST)
		tellStar();
});
mesh.addEventListener('left', ({ peerId }) => {
	dots.delete(peerId);
	if (client.room !== null)
		showPlayers();
});

function drag(event)
{
	const box = field.getBoundingClientRect();

	if (event.buttons)
		moveTo((event.clientX - box.left) * field.width / box.width,
		    (event.clientY - box.top) * field.height / box.height);
}

field.addEventListener('pointerdown', (event) => {
	field.setPointerCapture(event.pointerId);
	field.focus({ preventScroll: true });
	drag(event);
});
field.addEventListener('pointermove', drag);
field.addEventListener('keydown', (event) => {
	if (!event.key.startsWith('Arrow'))
		return;
	keys.add(event.key);
	event.preventDefault();
});
field.addEventListener('keyup', (event) => keys.delete(event.key));
field.addEventListener('blur', () => keys.clear());

// ---- what goes over HTTP --------------------------------------------------

function log(className, text)
{
	const line = element('li', className, `${new Date()
	    .toLocaleTimeString([], { hour12: false })} ${text}`);

	$('log').prepend(line);
	while ($('log').children.length > MAX_LINES)
		$('log').lastChild.remove();
}

client.addEventListener('exchange', ({ method, path, status, ms, error }) =>
	log(error ? 'bad' : '', `${method} ${path} ${status || 'no answer'} ` +
	    `${Math.round(ms)} ms${error ? ` ${error.error}` : ''}`));
for (const type of ['joined', 'peer-connected', 'peer-disconnected', 'message',
	'offer', 'answer', 'candidate', 'sealed', 'room-gone', 'session-gone',
	'superseded', 'reset'])
	client.addEventListener(type, ({ peerId }) =>
		log('event', `event: ${type}${peerId ? ` ${nameOf(peerId)}` : ''}`));
client.addEventListener('state', ({ state }) => {
	$('poll-state').textContent = state;
});
$('restart-proof').addEventListener('click', () =>
	$('restart-dialog').showModal());

// ---- start ----------------------------------------------------------------

resetGame();
show();
requestAnimationFrame(frame);
if (await client.resume().catch(() => false)) {
	$('name').value = client.name;
	resetGame();
	show();
}
