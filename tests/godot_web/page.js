// page.js - a page with a game in Godot's engine: ?pck=FILE&args=JSON, the
// engine's command line.  Files of their own, for policies that forbid scripts
// in the page.
const query = new URLSearchParams(location.search);
// What the game has said, with when it did: { what, data, at }; what the engine
// has printed; and why it did not start.
const events = [];
const lines = [];
let failure = null;
const watchers = new Set();
const answers = new Map();
let ticket = 0;

globalThis.said = (text) => {
	const [what, data] = JSON.parse(text);

	if (what === 'answer') {
		answers.get(data[0])?.(data[1]);
		answers.delete(data[0]);
		return;
	}
	events.push({ what, data, at: Math.round(performance.now()) });
	for (const watcher of [...watchers])
		watcher();
};

// Have the game call a method; its result.  Later, and so not as part of what
// DevTools evaluate, which no policy binds.
globalThis.ask = (on, method, ...args) => new Promise((resolve) => {
	answers.set(++ticket, resolve);
	setTimeout(() => globalThis.order(JSON.stringify({ ticket, on, method,
		with: args })), 0);
});

// The n-th event of this name with this at the beginning of its data, or null
// if there is none within ms.
globalThis.event = (what, data, n, ms) => new Promise((resolve) => {
	const look = () => {
		const found = events.filter((each) => each.what === what &&
		    data.every((value, i) => each.data[i] === value))[n - 1];

		if (found) {
			watchers.delete(look);
			resolve(found);
		}
	};

	watchers.add(look);
	look();
	setTimeout(() => {
		watchers.delete(look);
		resolve(null);
	}, ms);
});

globalThis.news = () => ({ events, lines, failure });

globalThis.forget = () => {
	events.length = lines.length = 0;
};

new globalThis.Engine({
	executable: 'index', mainPack: query.get('pck'),
	canvas: document.getElementById('canvas'), canvasResizePolicy: 2,
	focusCanvas: true, args: JSON.parse(query.get('args')),
	onPrint: (...words) => lines.push(words.join(' ')),
	onPrintError: (...words) => lines.push(`! ${words.join(' ')}`),
}).startGame().then(() => globalThis.said('["started", []]'), (error) => {
	failure = String(error?.stack ?? error);
	globalThis.said('["failed", []]');
});
