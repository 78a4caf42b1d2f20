/*! peerpost.js - WebRTC signalling over plain HTTP. MIT License. */
// The browser's and Node's side of peerpost-protocol(7), in one file without
// dependencies: `import { PeerpostClient, PeerpostMesh } from './peerpost.js'`.
//
// From the bottom up:
//
//   Transport       one HTTP exchange with a deadline: a valid reply of the
//                   server, or a PeerpostError
//   Outbox          commands, one request after the other, repeated with the
//                   same key until they are answered
//   HoldTime        learns how long the path lets a poll be held
//   Poller          the long-poll loop, a small state machine
//   PeerpostClient  the session: commands as methods, the mailbox as events
//   PeerpostMesh    data channels to every member of the client's room
//
// Rules that hold everywhere: at most one command request and one held poll
// are under way; whatever can fail again and again waits longer each time; no
// duration is measured with the wall clock; and no promise that the
// application did not look at becomes an unhandled rejection.

const CODES = {
	register: '###!RP', createRoom: '###!CR', joinRoom: '###!JR',
	sealRoom: '###!SR', message: '###!SM', offer: '###!OO',
	answer: '###!AA', candidate: '###!CC', leaveRoom: '###!LR',
	unregister: '###!UP',
};
// What may share a request with its neighbours of the same kind.
const BATCHED = new Set([CODES.message, CODES.offer, CODES.answer,
	CODES.candidate]);
const MAX_BATCH = 64; // commands, the server's limit
const MAX_BATCH_BYTES = 48 * 1024; // of the server's 64 KiB

// The statuses of failures inside an array, which has only one for the whole.
const STATUS_OF = {
	'bad-json': 400, 'bad-name': 400, 'bad-data': 400, 'no-session': 401,
	'not-host': 403, 'unknown-command': 404, 'room-not-found': 404,
	'peer-not-found': 404, 'timed-out': 410, 'too-large': 413,
	'rate-limited': 429, 'too-many-players': 503, 'too-many-rooms': 503,
	'storage': 503, 'shutting-down': 503,
};
// How long to wait at least if a proxy took the Retry-After away.
const FLOOR_MS = {
	'rate-limited': 1000, 'storage': 1000, 'shutting-down': 500,
	'too-many-players': 5000, 'too-many-rooms': 5000,
};
const MAX_RETRY_AFTER_MS = 300_000;

const DEFAULTS = {
	mode: 'auto', // 'headers', 'plain', or by the page's origin
	waitS: 25, // how long a poll is held, until learned otherwise
	backoffMs: 500,
	maxBackoffMs: 15_000, // must stay well below the player timeout
	maxAttempts: 10, // of one command
	timeoutMs: 20_000, // of silence, besides what a poll is held
	leaveOnPagehide: false,
};
const MAX_WAIT_S = 55; // the server's
const MAX_EVENTS = 256; // of one reply, the server's
const MAX_REPLY = 4 << 20; // characters; no reply of the server is so long
const UPLOAD_MS = 0.5; // for each byte of a request: 16 kbit/s
const FIRST_ATTEMPTS = 3; // of a server that has never answered as one
const FIRST_MS = 9000; // for all of them
const CLAIM_MS = 1000; // for the page before this one to let its session go
const YIELD_MS = 5000; // after a superseded poll, at first
const MAX_YIELD_MS = 60_000;
const POKE_MS = 1000; // between polls that the page's events cause
const CURSOR_AHEAD = Number.MAX_SAFE_INTEGER;

const monotonic = {
	now: () => performance.now(),
	setTimeout: (callback, ms) => setTimeout(callback, ms),
	clearTimeout: (timer) => clearTimeout(timer),
};

// ---- errors and events --------------------------------------------------

/**
 * Why something failed.
 *
 * `error` is a stable word: one of the server's (`room-full` ...; see
 * peerpost-protocol(7), FAILURES), or one of ours: `network`, `timeout`,
 * `not-peerpost` (an answer that is not the server's: a captive portal, a
 * gateway's error page, a wrong address), `aborted`, `session-in-use`.
 * `status` is the HTTP status, 0 without one; `code` the reply's code
 * (`###!JRB`), or ''.
 */
export class PeerpostError extends Error {
	constructor(error, message, { status = 0, code = '', retryAfterMs = null,
	    cause } = {})
	{
		super(message ?? error, cause === undefined ? {} : { cause });
		this.name = 'PeerpostError';
		this.error = error;
		this.status = status;
		this.code = code;
		/** How long the server asked to wait, or null. */
		this.retryAfterMs = retryAfterMs;
	}
}

/** Whether asking again may help, with nothing else changed. */
function isTemporary({ error, status })
{
	return error === 'network' || error === 'timeout' ||
	    error === 'not-peerpost' || status === 429 || status >= 500;
}

/** Whether the server asks to wait: then only time helps. */
function isRateLimit({ status, code })
{
	return status === 429 && code !== '';
}

/** Whether the session that the request was made for is over. */
function isSessionEnd({ error, status })
{
	return (status === 401 && error === 'no-session') ||
	    (status === 410 && error === 'timed-out');
}

// Where the DOM's events are not global, as in React Native: what is needed of
// them.
class SmallEvent {
	constructor(type)
	{
		this.type = type;
		this.target = null;
	}
}

class SmallEventTarget {
	#listeners = new Map(); // type -> [{ listener, isOnce, forget() }]

	addEventListener(type, listener, options)
	{
		const { once = false, signal } = Object(options);
		const all = this.#listeners.get(type) ?? [];

		if (!listener || signal?.aborted ||
		    all.some((each) => each.listener === listener))
			return;

		const stop = () => this.removeEventListener(type, listener);

		signal?.addEventListener('abort', stop);
		this.#listeners.set(type, [...all, { listener, isOnce: once,
			forget: () => signal?.removeEventListener('abort', stop) }]);
	}

	removeEventListener(type, listener)
	{
		const all = this.#listeners.get(type) ?? [];

		all.find((each) => each.listener === listener)?.forget();
		this.#listeners.set(type,
		    all.filter((each) => each.listener !== listener));
	}

	dispatchEvent(event)
	{
		event.target = this;
		for (const each of this.#listeners.get(event.type) ?? []) {
			const { listener, isOnce } = each;

			// An earlier listener may have removed it.
			if (!this.#listeners.get(event.type).includes(each))
				continue;
			if (isOnce)
				this.removeEventListener(event.type, listener);
			try {
				if (typeof listener === 'function')
					listener.call(this, event);
				else
					listener.handleEvent(event);
			} catch (error) {
				// The others are called nevertheless.
				setTimeout(() => {
					throw error;
				});
			}
		}
		return true;
	}
}

// Both or neither: an EventTarget takes no other Events than its own.
const { Event: BaseEvent, EventTarget: BaseEventTarget } =
    globalThis.Event && globalThis.EventTarget ? globalThis :
    { Event: SmallEvent, EventTarget: SmallEventTarget };

/** An Event with its details as its own properties. */
export class PeerpostEvent extends BaseEvent {
	constructor(type, members = {})
	{
		super(type);
		Object.assign(this, members);
	}
}

// ---- options and arguments ----------------------------------------------

const isPositive = (value) => Number.isFinite(value) && value > 0;
const isFunction = (value) => typeof value === 'function';
const isObject = (value) => value !== null && typeof value === 'object';
const isShelf = (value) => value === null || (isObject(value) &&
    isFunction(value.getItem) && isFunction(value.setItem));
const clockOption = ['an object with now, setTimeout and clearTimeout',
	(value) => ['now', 'setTimeout', 'clearTimeout'].every((name) =>
	    isFunction(value?.[name]))];
const shelfOption = ['null or an object with getItem and setItem', isShelf];
const periodOption = ['a positive number', isPositive];

// What an option must be: in words, and a test.
const CLIENT_OPTIONS = {
	mode: ["'auto', 'headers' or 'plain'",
		(value) => ['auto', 'headers', 'plain'].includes(value)],
	storage: shelfOption, pathStorage: shelfOption,
	session: ['null or a session: { id, token, name, cursor }',
		(value) => value === null || validSession(value) !== null],
	leaveOnPagehide: ['true or false', (value) => typeof value === 'boolean'],
	waitS: ['a number from 1 to 55', (value) => Number.isFinite(value) &&
	    value >= 1 && value <= MAX_WAIT_S],
	maxAttempts: ['an integer from 1 on', (value) =>
	    Number.isSafeInteger(value) && value >= 1],
	backoffMs: periodOption, maxBackoffMs: periodOption,
	timeoutMs: periodOption,
	fetch: ['a function', isFunction], clock: clockOption,
	page: ['null or an event target', (value) => value === null ||
	    isFunction(value?.addEventListener)],
};
const MESH_OPTIONS = {
	rtc: ['an RTCConfiguration', isObject],
	channel: ['an RTCDataChannelInit', isObject],
	RTCPeerConnection: ['a class', isFunction], clock: clockOption,
};
const COMMAND_OPTIONS = {
	signal: ['an AbortSignal', (value) => isFunction(value?.addEventListener)],
};

function shown(value)
{
	return typeof value === 'string' ? `'${value.slice(0, 100)}'` :
	    Array.isArray(value) ? 'an array' : isObject(value) ? 'an object' :
	    isFunction(value) ? 'a function' : String(value);
}

// What is wrong with options, or null; those that are undefined are as good as
// not given.
function badOptions(options, known)
{
	if (options === undefined)
		return null;
	if (!isObject(options))
		return `options must be an object, not ${shown(options)}.`;
	for (const [name, value] of Object.entries(options)) {
		if (!Object.keys(known).includes(name))
			return `There is no option '${name}'; the options are ` +
			    `${Object.keys(known).join(', ')}.`;

		const [words, isRight] = known[name];

		if (value !== undefined && !isRight(value))
			return `The option ${name} must be ${words}, not ` +
			    `${shown(value)}.`;
	}
	return null;
}

// Those that are given; throws.
function checkOptions(options, known)
{
	const problem = badOptions(options, known);

	if (problem)
		throw new TypeError(problem);
	return Object.fromEntries(Object.entries(options)
	    .filter(([, value]) => value !== undefined));
}

// The server's address, as a URL; throws.  In a page it may be relative if it
// begins with / or a dot: everything else is more likely a forgotten scheme.
function checkUrl(given)
{
	const address = given?.href ?? given;
	const text = typeof address === 'string' ? address : '';
	const base = /^\.{0,2}\//.test(text) || /^\.{1,2}$/.test(text) ?
	    globalThis.document?.baseURI : undefined;
	let url = null;

	if (base || /^https?:\/\//i.test(text))
		try {
			url = new URL(text, base);
		} catch {
			// Not one, then.
		}
	if (!url || !/^https?:$/.test(url.protocol))
		throw new TypeError('The address of the server must be a URL such ' +
		    `as https://signal.example, not ${shown(given)}.`);
	return url;
}

// What is wrong with an argument, as an error; or null.
function badText(name, value, error = 'bad-data')
{
	return typeof value === 'string' ? null : new PeerpostError(error,
	    `The ${name} must be a string, not ${shown(value)}.`);
}

function badRelay(peerId, data)
{
	if (!Number.isSafeInteger(peerId) || peerId < 1)
		return new PeerpostError('bad-data', 'The peer id must be a ' +
		    `positive integer, not ${shown(peerId)}.`);
	if (!isObject(data) || Array.isArray(data))
		return new PeerpostError('bad-data', 'The data for one peer must ' +
		    `be an object such as { rtc }, not ${shown(data)}.`);
	return null;
}

// ---- small tools --------------------------------------------------------

// A promise that may be left alone.
function tolerant(promise)
{
	promise.catch(() => {});
	return promise;
}

// Half of it is chance, so that a crowd does not come back in step.
function jittered(ms)
{
	return ms / 2 + Math.random() * ms / 2;
}

function retryDelay(error, attempt, { backoffMs, maxBackoffMs })
{
	const floor = Math.min(error?.retryAfterMs ?? FLOOR_MS[error?.error] ?? 0,
	    MAX_RETRY_AFTER_MS);
	const backoff = Math.min(backoffMs * 2 ** Math.min(attempt, 30),
	    maxBackoffMs);

	return Math.max(floor * (1 + Math.random() / 5), jittered(backoff));
}

// 132 random bits as 22 characters.
async function randomKey()
{
	// Node 18 has no global crypto; a page never comes to the import.
	const nodes = 'node:crypto';
	const crypto = globalThis.crypto ?? (await import(
	    /* @vite-ignore */ /* webpackIgnore: true */ nodes)
	    .catch((cause) => {
		throw new PeerpostError('no-crypto', 'There is no ' +
		    'crypto.getRandomValues() here; in React Native, import ' +
		    'react-native-get-random-values first.', { cause });
	})).webcrypto;
	const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz' +
	    '0123456789-_';

	return Array.from(crypto.getRandomValues(new Uint8Array(22)),
	    (byte) => letters[byte & 63]).join('');
}

// Pauses that can be cut short.
class Pauses {
	#ends = new Set();

	constructor(clock)
	{
		this.clock = clock;
	}

	for(ms)
	{
		return new Promise((resolve) => {
			const end = () => {
				this.clock.clearTimeout(timer);
				this.#ends.delete(end);
				resolve();
			};
			const timer = this.clock.setTimeout(end, ms);

			this.#ends.add(end);
		});
	}

	end()
	{
		for (const end of this.#ends)
			end();
	}
}

// A place for strings that never throws: storage may be full, forbidden (a
// sandboxed frame, blocked cookies) or not there at all.
class Shelf {
	constructor(storage, key)
	{
		this.key = key;
		try {
			this.storage = typeof storage === 'string' ?
			    (globalThis.document ? globalThis[storage] : null) :
			    storage;
		} catch {
			this.storage = null;
		}
	}

	load()
	{
		try {
			return JSON.parse(this.storage?.getItem(this.key) ?? 'null');
		} catch {
			return null;
		}
	}

	save(value)
	{
		try {
			this.storage?.setItem(this.key, JSON.stringify(value));
		} catch {
			// Then it is not kept.
		}
	}
}

// The right to a name, such as that of a session, for one page of a browser at
// a time.  A tab that is duplicated has a copy of its sessionStorage, and would
// otherwise go on as the same player.
//
// By Web Locks; without them, in pages that came by plain http, by asking around
// on a BroadcastChannel.  Where there is neither, the right is everybody's.
class Claim {
	#locks;
	#Channel;
	#clock;
	#held = null; // { name, promise, release() }

	// page: globalThis, or null: then everything is granted.
	constructor(page, clock)
	{
		this.#clock = clock;
		this.#locks = page?.navigator?.locks;
		this.#Channel = page?.BroadcastChannel;
	}

	/** Resolves with false if another page has it, and does not let go of it
	 * within CLAIM_MS, as the page before a reload does.  isNew: nobody else
	 * can have it. */
	async take(name, { isNew = false } = {})
	{
		if (this.#held?.name !== name) {
			this.release();

			const held = { name, isReleased: false, release: () => {} };

			this.#held = held;
			held.promise = this.#locks ? this.#lock(held, isNew) :
			    this.#Channel ? this.#ask(held, isNew) :
			    Promise.resolve(true);
		}

		const held = this.#held;

		// Given up by ourselves before it was known is not refused.
		if (await held.promise || held.isReleased)
			return true;
		if (this.#held === held)
			this.#held = null;
		return false;
	}

	/** Let go of it, if we have it, or are about to. */
	release()
	{
		if (!this.#held)
			return;
		this.#held.isReleased = true;
		this.#held.release();
		this.#held = null;
	}

	#lock(held, isNew)
	{
		const aborter = new AbortController();
		let timer = null;
		const watch = () => {
			timer = this.#clock.setTimeout(async () => {
				if (await this.#isTaken(held.name))
					aborter.abort();
				else if (timer !== null)
					watch();
			}, CLAIM_MS);
		};

		if (!isNew)
			watch();
		return new Promise((resolve) => {
			let hasIt = false;

			held.release = () => aborter.abort();
			this.#locks.request(held.name, { signal: aborter.signal },
			    () => new Promise((release) => {
				hasIt = true;
				held.release = release;
				resolve(true);
			})).catch((error) => {
				// A page without storage and such has no locks, either.
				resolve(hasIt || error?.name !== 'AbortError');
			});
		}).finally(() => {
			this.#clock.clearTimeout(timer);
			timer = null;
		});
	}

	// A busy browser may be late with a lock that nobody has.
	async #isTaken(name)
	{
		try {
			return (await this.#locks.query()).held
			    .some((each) => each.name === name);
		} catch {
			return true;
		}
	}

	// The page that has it answers every page that asks.  Of two that ask at
	// the same time, the one with the lesser number has it.
	#ask(held, isNew)
	{
		const number = Math.random();
		let hasIt = isNew, channel;

		try {
			channel = new this.#Channel(held.name);
		} catch {
			return Promise.resolve(true);
		}
		return new Promise((resolve) => {
			let timer = null;
			const end = (isOurs) => {
				this.#clock.clearTimeout(timer);
				hasIt = isOurs;
				if (!isOurs)
					channel.close();
				resolve(isOurs);
			};

			timer = this.#clock.setTimeout(() => end(true), CLAIM_MS / 2);
			channel.onmessage = ({ data }) => {
				const { ask, mine } = Object(data);

				if (ask !== undefined && (hasIt || ask > number))
					channel.postMessage({ mine: ask });
				else if (!hasIt && (mine === number || ask < number))
					end(false);
			};
			held.release = () => {
				if (hasIt)
					channel.close();
				else
					end(false);
			};
			if (isNew)
				end(true);
			else
				channel.postMessage({ ask: number });
		});
	}
}

// ---- one exchange -------------------------------------------------------

// Speaks HTTP in one of two dialects.  "headers": the token, the key and the
// cursor in header fields; for a page of the same origin, and outside pages.
// "plain": everything in the body of a POST of type text/plain, which a
// browser sends to another origin without a preflight; so that it works where
// a proxy drops OPTIONS, and takes one round trip and not two.
//
// A firewall may refuse either: the OWASP core rules have no text/plain.  So
// while no POST has been answered by the server, what is not its answer makes
// the next try speak the other dialect.  For a page of another origin that may
// be a plain network error: without CORS fields it learns no more.
class Transport {
	#shelf; // for the dialect that works, if it was not the first choice
	#isUndecided;

	constructor(url, { fetch, mode, shelf, timeoutMs, clock, onExchange })
	{
		Object.assign(this, { url, timeoutMs, clock, onExchange });
		// Called without a receiver: a browser's insists on that.
		this.fetch = fetch ?? ((...args) => globalThis.fetch(...args));
		this.#shelf = shelf;
		this.#isUndecided = mode === 'auto';
		this.isPlain = (this.#isUndecided ? this.#firstChoice() :
		    mode) === 'plain';
		/** Whether the server has ever answered as one. */
		this.isKnown = false;
	}

	#firstChoice()
	{
		const kept = this.#shelf.load();

		return kept === 'plain' || kept === 'headers' ? kept :
		    isOtherOrigin(this.url) ? 'plain' : 'headers';
	}

	// What a request of a dialect got: an answer of the server, or none.  By
	// now another may have changed the dialect, or be on its way in it.
	#learn(isAnswer, method, wasPlain)
	{
		this.isKnown ||= isAnswer;
		// A GET that gets through says nothing about POST.
		if (!this.#isUndecided || (isAnswer && method !== 'POST'))
			return;
		if (!isAnswer) {
			this.isPlain = !wasPlain;
			return;
		}
		this.#isUndecided = false;
		this.isPlain = wasPlain;

		const mode = this.isPlain ? 'plain' : 'headers';

		if (mode !== this.#firstChoice())
			this.#shelf.save(mode);
	}

	/** Send commands: an array resolves with its replies, a single one with
	 * its reply. */
	async command(token, key, commands, limitMs)
	{
		const members = Array.isArray(commands) ?
		    `"commands":[${commands.join()}]` : commands.slice(1, -1);
		const json = await this.#exchange('POST', '/command', { token,
			key, members, limitMs,
			commands: [commands].flat().map(codeOf),
			isRight: Array.isArray(commands) ?
			    ({ replies }) => Array.isArray(replies) &&
			    replies.length === commands.length : isEnvelope });

		return Array.isArray(commands) ? json.replies : json;
	}

	/** One poll, held for up to wait seconds, for at most max events. */
	async poll(token, { after, wait, max = MAX_EVENTS }, signal)
	{
		const held = { token, signal, heldMs: wait * 1000,
			isRight: ({ events, next }) => Array.isArray(events) &&
			    Number.isSafeInteger(next) && events.every(isEvent) };
		// Not said if it is the server's own: an address that stays the same
		// needs no new preflight.
		const isFewer = max < MAX_EVENTS;

		return this.isPlain ? this.#exchange('POST', '/events',
		    { ...held, members: `"after":${after},"wait":${wait}` +
		        (isFewer ? `,"max":${max}` : '') }) :
		    this.#exchange('GET', `/events?wait=${wait}` +
		    (isFewer ? `&max=${max}` : ''), { ...held, after });
	}

	/** Get the state of the session's room, or null in the lobby. */
	async room(token)
	{
		if (this.isPlain)
			// A cursor ahead of everything is answered with the room, and
			// acknowledges nothing.
			return (await this.poll(token,
			    { after: CURSOR_AHEAD, wait: 0 })).room ?? null;
		try {
			return await this.#exchange('GET', '/room', { token,
				isRight: ({ peers }) => Array.isArray(peers) });
		} catch (error) {
			if (error.error === 'not-in-room')
				return null;
			throw error;
		}
	}

	/** Get the configured STUN and TURN servers. */
	async iceServers(token)
	{
		const query = this.isPlain ?
		    `?access_token=${encodeURIComponent(token)}` : '';

		try {
			const { iceServers } = await this.#exchange('GET',
			    `/ice-servers${query}`, { token,
				isRight: (json) => Array.isArray(json.iceServers) });

			return iceServers;
		} catch (error) {
			if (error.status === 404)
				return [];
			throw error;
		}
	}

	/** Send while the page closes; false if that is not possible. */
	beacon(navigator, token, code)
	{
		const text = JSON.stringify({ token, command: code });

		try {
			return navigator.sendBeacon(`${this.url}/command`,
			    this.isPlain ? text :
			    new Blob([text], { type: 'application/json' }));
		} catch {
			return false;
		}
	}

	// The JSON of a success.  isRight(json): whether it is the server's.
	// heldMs: how long the server may be silent on purpose.  limitMs: for
	// the whole, as opposed to timeoutMs, which is for silence.
	async #exchange(method, path, { token, key, after, members, signal, isRight,
	    commands = [], heldMs = 0, limitMs = Infinity })
	{
		const { clock, isPlain } = this;
		const began = clock.now();
		const aborter = new AbortController();
		const headers = {};
		let body, status = 0, isLate = false, failure = null;

		if (isPlain) {
			if (method === 'POST')
				body = '{' + [members,
					key && `"key":${JSON.stringify(key)}`,
					token && `"token":${JSON.stringify(token)}`]
				    .filter(Boolean).join() + '}';
		} else {
			if (token)
				headers.Authorization = `Bearer ${token}`;
			if (key)
				headers['Idempotency-Key'] = key;
			if (after !== undefined)
				headers['Last-Event-ID'] = String(after);
			if (method === 'POST') {
				headers['Content-Type'] = 'application/json';
				body = `{${members}}`;
			}
		}

		const stop = () => aborter.abort();
		const onLate = () => {
			isLate = true;
			stop();
		};
		const limit = limitMs < Infinity ?
		    clock.setTimeout(onLate, limitMs) : null;
		let timer = null;
		const allow = (ms) => {
			if (timer !== null)
				clock.clearTimeout(timer);
			timer = clock.setTimeout(onLate, ms);
		};

		signal?.addEventListener('abort', stop);
		if (signal?.aborted)
			stop();
		// How much of the body has been sent, nobody tells.
		allow(heldMs + this.timeoutMs + UPLOAD_MS * utf8Bytes(body ?? ''));
		try {
			// A token follows no redirect: it is for this server only.
			const response = await this.fetch(this.url + path, { method,
				headers, body, signal: aborter.signal,
				cache: 'no-store', redirect: 'manual' });

			({ status } = response);
			allow(this.timeoutMs);

			const text = await textOf(response,
			    () => allow(this.timeoutMs));

			if (text === null) {
				stop();
				throw this.#notPeerpost(status, 'something endless');
			}

			const json = this.#read(response, text, isRight);

			this.#learn(true, method, isPlain);
			return json;
		} catch (error) {
			failure = error instanceof PeerpostError ? error :
			    signal?.aborted ? new PeerpostError('aborted') :
			    isLate ? new PeerpostError('timeout',
			    lateText(this.url, status), { status }) :
			    new PeerpostError('network', unreachableText(this.url),
			    { status, cause: error });
			// A gateway's answer to a GET is not about types; but without a
			// preflight a GET with a token fails as a POST does.
			if (failure.code !== '' || (failure.error === 'not-peerpost' &&
			    method === 'POST') ||
			    (failure.error === 'network' && isOtherOrigin(this.url)))
				this.#learn(failure.code !== '', method, isPlain);
			throw failure;
		} finally {
			clock.clearTimeout(timer);
			if (limit !== null)
				clock.clearTimeout(limit);
			signal?.removeEventListener('abort', stop);
			this.onExchange({ method, path: path.replace(/\?.*/, ''),
				commands, status, ms: clock.now() - began,
				error: failure });
		}
	}

	// A response's JSON; its failures are thrown.
	#read({ status, type, headers }, text, isRight)
	{
		let json = null;

		try {
			json = JSON.parse(text);
		} catch {
			// Then it is not the server's.
		}
		if (status === 200 && isObject(json) && isRight(json))
			return json;
		if (status >= 400 && isEnvelope(json) &&
		    typeof json.error === 'string') {
			const after = headers?.get?.('Retry-After') ?? '';

			throw new PeerpostError(json.error, String(json.data), {
				status, code: json.command,
				retryAfterMs: /^\d+$/.test(after) ?
				    Number(after) * 1000 : null });
		}
		throw this.#notPeerpost(status, type === 'opaqueredirect' ||
		    (status >= 300 && status < 400) ? 'a redirection' :
		    `status ${status} with ${json === null ? 'no JSON' :
		    'other JSON'}`);
	}

	#notPeerpost(status, what = 'something else')
	{
		return new PeerpostError('not-peerpost', `Instead of a Peerpost ` +
		    `server at ${this.url}, ${what} answered: a proxy, a firewall ` +
		    'or the login page of a network; or the address is wrong.',
		    { status });
	}
}

// A response's body, or null if it has no end.  onPart() is called for each
// piece of it; not in React Native, where there are no streams.
async function textOf(response, onPart)
{
	if (!globalThis.TextDecoder || !response.body?.getReader)
		return response.text();

	const reader = response.body.getReader();
	const decoder = new TextDecoder();

	for (let text = '';;) {
		const { done, value } = await reader.read();

		if (done)
			return text + decoder.decode();
		onPart();
		text += decoder.decode(value, { stream: true });
		if (text.length > MAX_REPLY)
			return null;
	}
}

function lateText(url, status)
{
	if (status !== 0)
		return `The reply of ${url} stalled.`;
	return `${url} did not answer in time.` + (globalThis.document ?
	    ' Without HTTP/2, all tabs of a browser share six connections to a ' +
	    'server; for more tabs, use a proxy with HTTP/2.' : '');
}

function unreachableText(url)
{
	return `${url} cannot be reached` + (isOtherOrigin(url) ?
	    `, or does not allow pages of ${globalThis.location.origin}.` : '.');
}

// Of a command as its JSON text, which is ours.
function codeOf(command)
{
	return command.split('"', 4)[3];
}

function isOtherOrigin(url)
{
	const own = globalThis.document && globalThis.location?.origin;

	return Boolean(own) && new URL(url).origin !== own;
}

function isEnvelope(json)
{
	return typeof json?.command === 'string' &&
	    json.command.startsWith('###!');
}

function isEvent(event)
{
	return isEnvelope(event) && Number.isSafeInteger(event.id);
}

// ---- commands -----------------------------------------------------------

// The commands of a client, in the order of the calls.  One request is under
// way at a time, so that no candidate overtakes its offer.  What could not
// be told apart from an unanswered command is asked again with the same
// Idempotency-Key; the server carries it out once.
class Outbox {
	#queue = [];
	#isBusy = false;
	#pauses;

	constructor({ transport, options, clock, getToken, onTrouble, onAnswer,
	    onSessionEnd })
	{
		Object.assign(this, { transport, options, clock, getToken,
			onTrouble, onAnswer, onSessionEnd });
		this.#pauses = new Pauses(clock);
	}

	/** Send a command; resolves with its reply (null if it has none).
	 * Either of known() and rescue(error) may have a reply: then the command
	 * need not be sent, or has been carried out though it was refused. */
	add(code, data, { signal } = {}, { known, rescue } = {})
	{
		let job;

		const onAbort = () => {
			// What has been sent may have been carried out.
			this.#queue = this.#queue.filter((each) => each !== job);
			job.reject(new PeerpostError('aborted'));
		};

		return new Promise((resolve, reject) => {
			const text = dataText(data);

			if (signal?.aborted)
				throw new PeerpostError('aborted');
			job = { code, resolve, reject, known, rescue, isAlone: false,
				text: `{"command":"${code}"` +
				    (text === undefined ? '}' : `,"data":${text}}`) };
			signal?.addEventListener('abort', onAbort);
			this.#queue.push(job);
			this.#run();
		}).finally(() => signal?.removeEventListener('abort', onAbort));
	}

	/** Make another request in turn, while no command is being sent. */
	inTurn(ask)
	{
		return new Promise((resolve, reject) => {
			this.#queue.push({ code: '', text: '', resolve, reject,
				known: async () => ({ reply: await ask() }) });
			this.#run();
		}).then(({ reply }) => reply);
	}

	/** End the pause, if there is one, and ask now. */
	wake()
	{
		this.#pauses.end();
	}

	/** The session is over: reject all that waits, except a register. */
	fail(error)
	{
		const waiting = this.#queue;

		this.#queue = [];
		for (const job of waiting)
			if (job.code === CODES.register)
				this.#queue.push(job);
			else
				job.reject(error);
	}

	/** Ask until answered, or until asking again cannot help.  ask(limitMs)
	 * gets the time that it may take.  A server that has never answered may
	 * have another address, which must be reported soon.  isKnown: it has
	 * answered before. */
	async persist(ask, { isKnown = false } = {})
	{
		const { clock, transport } = this;
		const isStrange = () => !isKnown && !transport.isKnown;
		let nFailed = 0, leftMs = FIRST_MS;

		for (let attempt = 0; ; attempt++) {
			const limitMs = isStrange() ? leftMs : Infinity;
			const began = clock.now();

			try {
				const reply = await ask(limitMs);

				this.onAnswer();
				return reply;
			} catch (error) {
				const delay = retryDelay(error, attempt, this.options);

				// Not more than was allowed: clocks jump.
				leftMs -= delay + Math.min(Math.max(0,
				    clock.now() - began), limitMs);
				if (!this.#isWorthRepeating(error, nFailed,
				    isStrange()) || (isStrange() && leftMs <= 0))
					throw error;
				nFailed += isRateLimit(error) ? 0 : 1;
				this.onTrouble(error);
				await this.#pauses.for(delay);
			}
		}
	}

	#isWorthRepeating(error, nFailed, isStrange)
	{
		// A full server is for the application to decide about, and a
		// body that is too large for a proxy stays so.
		if (!isTemporary(error) || error.error.startsWith('too-many-') ||
		    error.status === 413)
			return false;
		if (isRateLimit(error))
			return true;
		// Nor does a firewall change its mind about what is in a command.
		return nFailed + 1 < (error.error === 'not-peerpost' &&
		    error.status < 500 && (isStrange || error.status === 403) ?
		    Math.min(FIRST_ATTEMPTS, this.options.maxAttempts) :
		    this.options.maxAttempts);
	}

	async #run()
	{
		if (this.#isBusy)
			return;
		this.#isBusy = true;
		// All calls of the same tick are in the queue after this.
		await null;
		while (this.#queue.length > 0)
			await this.#send(this.#takeBatch());
		this.#isBusy = false;
	}

	#takeBatch()
	{
		const [first] = this.#queue;
		let n = 1, bytes = utf8Bytes(first.text);

		if (BATCHED.has(first.code) && !first.isAlone)
			while (n < Math.min(this.#queue.length, MAX_BATCH) &&
			    BATCHED.has(this.#queue[n].code) &&
			    !this.#queue[n].isAlone &&
			    (bytes += utf8Bytes(this.#queue[n].text) + 1) <=
			    MAX_BATCH_BYTES)
				n++;
		return this.#queue.splice(0, n);
	}

	async #send(jobs)
	{
		const isArray = BATCHED.has(jobs[0].code);
		const token = this.getToken();

		try {
			if (!token && jobs[0].code !== CODES.register)
				throw new PeerpostError('no-session',
				    'There is no session: register first.',
				    { status: 401 });

			const known = await jobs[0].known?.();

			if (known) {
				jobs[0].resolve(known);
				return;
			}

			const key = await randomKey();
			const replies = await this.persist((limitMs) => {
				// The session may have ended during a pause.
				if (token !== this.getToken())
					throw new PeerpostError('no-session',
					    'The session is over.', { status: 401 });
				return this.transport.command(token, key, isArray ?
				    jobs.map((job) => job.text) : jobs[0].text,
				limitMs);
			}, { isKnown: Boolean(token) });

			if (isArray)
				jobs.forEach((job, i) => settle(job, replies[i]));
			else
				jobs[0].resolve(replies);
		} catch (error) {
			const reply = await jobs[0].rescue?.(error);

			if (reply)
				jobs[0].resolve(reply);
			else
				this.#onFailure(jobs, error, token);
		}
	}

	#onFailure(jobs, error, token)
	{
		if (jobs.length > 1 && (error.status === 400 ||
		    error.status === 413)) {
			// One that cannot be read has spoiled the request, of which
			// nothing was carried out.  The others go on.
			jobs.forEach((job) => {
				job.isAlone = true;
			});
			this.#queue.unshift(...jobs);
			return;
		}
		jobs.forEach((job) => job.reject(error));
		if (isSessionEnd(error) && token)
			this.onSessionEnd(error, token);
	}
}

function settle({ resolve, reject }, reply)
{
	if (typeof reply?.error === 'string')
		reject(new PeerpostError(reply.error, String(reply.data), {
			code: String(reply.command),
			status: STATUS_OF[reply.error] ?? 409 }));
	else
		resolve(reply);
}

function dataText(data)
{
	if (data === undefined)
		return undefined;

	let text, cause;

	try {
		text = JSON.stringify(data);
	} catch (error) {
		cause = error;
	}
	if (text === undefined)
		throw new PeerpostError('bad-data',
		    'The data cannot be written as JSON.', { cause });
	return text;
}

// How long a text is as UTF-8, with some to spare for emoji; without the class TextEncoder,
// which React Native may lack.
function utf8Bytes(text)
{
	let n = text.length;

	for (let i = 0; i < text.length; i++) {
		const unit = text.charCodeAt(i);

		n += unit < 0x80 ? 0 : unit < 0x800 ? 1 : 2;
	}
	return n;
}

// ---- polls --------------------------------------------------------------

// How long the path to the server lets a poll be held.  A gateway that cuts
// after 30 s has to be asked for less than that each time, or every poll ends
// in an error; so what is cut after t seconds is asked to last 0.7 t, and a
// row of polls that were held to their end raises it again, carefully.
class HoldTime {
	#shelf;
	#limitS;
	#nClean = 0;
	#beforeCut = null; // seconds, until the peek after it

	constructor(shelf, limitS)
	{
		const kept = shelf.load();

		this.#shelf = shelf;
		this.#limitS = Math.min(limitS, MAX_WAIT_S);
		this.seconds = Number.isFinite(kept) && kept >= 1 ?
		    Math.min(kept, this.#limitS) : this.#limitS;
	}

	/** The wait to ask for, in whole seconds. */
	get wait()
	{
		return Math.floor(this.seconds);
	}

	/** A held poll failed after this time.  Returns whether it was cut. */
	cut(afterS, askedS)
	{
		// What fails at once was not cut for its length.
		if (afterS < 1 || askedS === 0)
			return false;
		this.#nClean = 0;
		this.#beforeCut = this.seconds;
		this.#set(Math.max(1, 0.7 * Math.min(afterS, askedS)));
		return true;
	}

	/** The cut was really an outage: the peek after it failed, too. */
	forgive()
	{
		if (this.#beforeCut !== null)
			this.#set(this.#beforeCut);
		this.#beforeCut = null;
	}

	/** It was a cut. */
	confirm()
	{
		this.#beforeCut = null;
	}

	/** A poll was answered after this time. */
	held(afterS, askedS)
	{
		// The server itself takes off up to a tenth.
		if (askedS === 0 || afterS < 0.85 * askedS || ++this.#nClean < 8)
			return;
		this.#nClean = 0;
		this.#set(Math.max(this.seconds + 1, 1.2 * this.seconds));
	}

	#set(seconds)
	{
		const before = this.seconds;

		this.seconds = Math.min(seconds, this.#limitS);
		if (this.seconds !== before)
			this.#shelf.save(this.seconds);
	}
}

// The long-poll loop.
//
//	idle ---start()---> polling <------> backing-off
//	  ^                    |                  |
//	  +------stop()--------+------------------+
//
// A poll's reply starts the next poll, at once: browsers slow down the timers
// of hidden pages, and a game's page is often hidden.  There are timers in
// backing-off only: after a failure, when the server said poll_after_ms, and
// when another client holds this session's polls.  After a failure the next
// poll is a peek, wait=0, so that it is known at once whether the server is
// back.
class Poller {
	#transport;
	#holdTime;
	#options;
	#clock;
	#pauses;
	#on;
	#run = null; // { aborter }: the loop that is going, if any
	#nFailures = 0; // since the last poll that was held, or brought news
	#isPeekNext = false;
	#max = MAX_EVENTS; // to ask for
	#yieldMs = 0; // how long to leave the polls to the other, 0: not
	#yieldUntil = 0;
	#pokedAt = -Infinity;

	// on: { state(name), reply(reply) -> whether it brought news, failure(error)
	// -> whether to go on, cursor() -> the cursor, token(), superseded() }
	constructor({ transport, holdTime, options, clock, on })
	{
		this.#transport = transport;
		this.#holdTime = holdTime;
		this.#options = options;
		this.#clock = clock;
		this.#pauses = new Pauses(clock);
		this.#on = on;
		this.state = 'idle';
	}

	start()
	{
		if (this.#run)
			return;
		this.#run = { aborter: new AbortController() };
		this.#nFailures = 0;
		this.#isPeekNext = false;
		this.#yieldMs = 0;
		this.#yieldUntil = 0;
		tolerant(this.#loop(this.#run));
	}

	stop()
	{
		const run = this.#run;

		this.#run = null;
		run?.aborter.abort();
		this.#pauses.end();
		this.#enter('idle');
	}

	/** The network may be back: ask now, but not too often. */
	poke()
	{
		const now = this.#clock.now();

		if (this.state !== 'backing-off' || now - this.#pokedAt < POKE_MS)
			return;
		this.#pokedAt = now;
		this.#pauses.end();
	}

	#enter(state)
	{
		if (state === this.state)
			return;
		this.state = state;
		this.#on.state(state);
	}

	async #loop(run)
	{
		while (run === this.#run) {
			const delay = await this.#pollOnce(run);

			if (run !== this.#run || delay <= 0)
				continue;
			this.#enter('backing-off');
			await this.#pauses.for(delay);
		}
	}

	// Returns how long to wait before the next.
	async #pollOnce(run)
	{
		const began = this.#clock.now();
		const yieldMs = this.#yieldUntil - began;
		const isYielding = yieldMs > 0 && yieldMs <= 2 * this.#yieldMs;
		const wait = this.#isPeekNext || isYielding ? 0 :
		    this.#holdTime.wait;
		let reply;

		this.#enter('polling');
		try {
			reply = await this.#transport.poll(this.#on.token(),
			    { after: this.#on.cursor(), wait, max: this.#max },
			    run.aborter.signal);
		} catch (error) {
			return run === this.#run ?
			    this.#onFailure(error, wait, began) : 0;
		}
		if (run !== this.#run)
			return 0;
		this.#isPeekNext = false;
		this.#holdTime.confirm();
		// More again, if twice as many would still come in time.
		if (reply.more !== true || this.#clock.now() - began <
		    this.#options.timeoutMs / 4)
			this.#max = Math.min(2 * this.#max, MAX_EVENTS);

		let hasNews;

		try {
			hasNews = this.#on.reply(reply);
		} catch (cause) {
			// JSON of nearly the right shape.
			return this.#onFailure(new PeerpostError('not-peerpost',
			    'This is not a valid reply to a poll.', { status: 200, cause }),
			wait, began);
		}
		return this.#afterReply(reply, { hasNews, wait, isYielding,
			elapsed: this.#clock.now() - began });
	}

	#afterReply(reply, { hasNews, wait, isYielding, elapsed })
	{
		const asked = Number(reply.poll_after_ms);
		const pause = asked > 0 ? Math.min(asked, MAX_YIELD_MS) : 0;

		if (reply.superseded === true)
			return this.#yield(pause);
		if (isYielding)
			return Math.max(pause, jittered(2 * YIELD_MS));
		if (pause > 0)
			return pause;
		if (hasNews) {
			this.#nFailures = 0;
			return 0;
		}
		if (wait === 0)
			return 0; // a peek; the next one is held
		if (elapsed >= 500 * wait) {
			this.#nFailures = 0;
			this.#yieldMs = 0;
			this.#holdTime.held(elapsed / 1000, wait);
			return 0;
		}
		// Nothing, and too early: a cache perhaps.  That must not spin.
		return retryDelay(null, this.#nFailures++, this.#options);
	}

	// Another client polls with this session, such as a copy of the tab.  It
	// may have the polls: a held poll of ours would only push it out again,
	// and so on.  Peeks push out nobody; and after some time, longer each
	// time, see whether the other is still there.
	#yield(pause)
	{
		this.#yieldMs = Math.min(Math.max(2 * this.#yieldMs, 2 * YIELD_MS),
		    MAX_YIELD_MS);
		this.#yieldUntil = this.#clock.now() + jittered(2 * this.#yieldMs);
		this.#on.superseded();
		return Math.max(pause, jittered(YIELD_MS));
	}

	#onFailure(error, wait, began)
	{
		// Begun, but not brought to its end: a reply that was too long for
		// the line.  It teaches nothing about how long polls are held.
		const isBroken = error.status !== 0 &&
		    (error.error === 'timeout' || error.error === 'network');
		const isCut = !isBroken &&
		    (error.code === '' || error.status === 408) &&
		    this.#holdTime.cut((this.#clock.now() - began) / 1000, wait);

		if (isBroken || error.error === 'timeout')
			this.#max = Math.ceil(this.#max / 8);

		if (!isCut)
			this.#holdTime.forgive();
		if (!this.#on.failure(error, isCut))
			return 0;
		this.#isPeekNext = true;
		return retryDelay(error, this.#nFailures++, this.#options);
	}
}

// ---- the client ---------------------------------------------------------

const EVENT_TYPES = {
	'###!CTR': 'joined', '###!RPC': 'peer-connected',
	'###!RPD': 'peer-disconnected', '###!SRK': 'sealed',
	'###!RMK': 'message', '###!OOO': 'offer', '###!AAA': 'answer',
	'###!CCC': 'candidate', '###!RCL': 'room-gone',
};

/**
 * A player: a session with a Peerpost server.
 *
 * Events, each a PeerpostEvent with the members named here.  Those of the
 * mailbox have also `id` (its number), `command` (its code), `data` (as it
 * came) and `stale` (true: from a room that was left meanwhile):
 *
 *	joined			{ peerId }: this player is in a room
 *	peer-connected		{ peerId }
 *	peer-disconnected	{ peerId }
 *	sealed
 *	message			{ data }
 *	offer, answer, candidate	{ peerId, data }: its sender and content
 *	room-gone		{ reason }: the room is gone; back in the lobby
 *	event			every event of the mailbox, also unknown ones
 *
 * and those of the client itself:
 *
 *	session-gone	{ error }: register again
 *	offline		{ error }: the server cannot be reached; the client retries
 *	online		the server can be reached again
 *	resumed		{ room }: a kept session continues, or was used elsewhere
 *			meanwhile; room as in GET /room, or null
 *	reset		{ room }: the server's data was restored from a backup,
 *			events may be missing
 *	room-left	leaveRoom() is done
 *	session-in-use	{ id }: another tab uses the session that was to be resumed;
 *			this tab is a copy of it, and needs a session of its own
 *	superseded	another client polls with the same session
 *	state		{ state }: idle, polling or backing-off
 *	exchange	{ method, path, commands, status, ms, error }: a request
 *			has ended, for logs; commands are their codes
 *	command-failed	{ command, error }, besides the rejected promise
 */
export class PeerpostClient extends BaseEventTarget {
	#options;
	#clock;
	#transport;
	#outbox;
	#poller;
	#shelf;
	#page;
	#claim;
	#session = null; // { id, token, name, cursor }
	#room = null;
	#peerId = null;
	#peers = new Map();
	// Rooms entered, as told by replies and as told by events: until these
	// are equal, events are of an earlier room.
	#nEntered = 0;
	#nJoinedEvents = 0;
	#nTroubles = 0;
	#isOffline = false;
	#isUnregistering = false;
	#nStops = 0; // what began before the last stop() must not go on
	#iterators = new Set();
	#endError = null; // why there is no session any more
	#pageListeners = null;

	/**
	 * @param {string | URL} url the server's address, with its base path
	 * @param {object} [options] see README.md
	 */
	constructor(url, options = {})
	{
		super();

		const base = checkUrl(url);

		this.url = (base.origin + base.pathname).replace(/\/+$/, '');
		this.#options = { clock: monotonic, storage: 'sessionStorage',
			pathStorage: 'localStorage',
			page: globalThis.document ? globalThis : null,
			...DEFAULTS, ...checkOptions(options, CLIENT_OPTIONS) };

		const { clock, fetch, mode, page, pathStorage, session, storage,
			timeoutMs, waitS } = this.#options;

		this.#clock = clock;
		this.#shelf = new Shelf(storage, `peerpost:${this.url}`);
		this.#page = page;
		// What is not kept cannot have been copied with a tab.
		this.#claim = new Claim(this.#shelf.storage ? page : null, clock);
		this.#transport = new Transport(this.url, { clock, fetch, mode,
			shelf: new Shelf(storage, `peerpost-mode:${this.url}`),
			timeoutMs,
			onExchange: (what) => this.#emit('exchange', what) });
		this.#outbox = this.#makeOutbox();
		this.#poller = this.#makePoller(new HoldTime(
		    new Shelf(pathStorage, `peerpost-wait:${base.origin}`), waitS));
		this.#session = validSession(session);
	}

	#makeOutbox()
	{
		return new Outbox({ transport: this.#transport, clock: this.#clock,
			options: this.#options,
			getToken: () => this.#session?.token,
			onTrouble: (error) => this.#onTrouble(error),
			onAnswer: () => this.#onAnswer(),
			onSessionEnd: (error, token) =>
			    this.#onSessionEnd(error, token) });
	}

	#makePoller(holdTime)
	{
		return new Poller({ transport: this.#transport, holdTime,
			options: this.#options, clock: this.#clock, on: {
			state: (state) => this.#emit('state', { state }),
			token: () => this.#session.token,
			cursor: () => this.#session.cursor,
			reply: (reply) => this.#onReply(reply),
			failure: (error, isCut) => this.#onPollFailure(error, isCut),
			superseded: () => this.#emit('superseded'),
		} });
	}

	// ---- what is known ----

	/** The player id, or null without a session. */
	get id()
	{
		return this.#session?.id ?? null;
	}

	/** The name that this player registered with, or null. */
	get name()
	{
		return this.#session?.name ?? null;
	}

	/** { id, token, name, cursor }, to keep and to pass to another client as
	 * options.session; null without a session.  It is a secret. */
	get session()
	{
		return this.#session && { ...this.#session };
	}

	/** The room's UUID, or null. */
	get room()
	{
		return this.#room;
	}

	/** Our own peer id in the room, 1 for the host; null in the lobby. */
	get peerId()
	{
		return this.#peerId;
	}

	/** The other members: peer id -> name, undefined if not known
	 * (getRoom() has it). */
	get peers()
	{
		return this.#peers;
	}

	/** idle, polling or backing-off. */
	get state()
	{
		return this.#poller.state;
	}

	// ---- sessions ----

	/** Resume the kept session, or register.  Resolves with
	 * { id, name, room, resumed }: room is the UUID of the room that the
	 * session is in, or null.
	 *
	 * No command changes a name.  In the lobby, a session with another name
	 * ends and a new one begins.  In a room it continues with its old name,
	 * since leaving would close a host's room. */
	connect(name)
	{
		return tolerant(this.#connect(name));
	}

	async #connect(name)
	{
		const problem = badText('name', name, 'bad-name');

		if (problem)
			throw problem;

		const nStops = this.#nStops;
		const resumed = await this.#resume(name);

		this.#checkStops(nStops);
		if (!resumed)
			await this.register(name);
		return { id: this.id, name: this.name, room: this.room, resumed };
	}

	/** Become a player; resolves with the player id.  Rejects with `aborted`
	 * if stop() is called meanwhile, as connect() and resume() do. */
	register(name, options)
	{
		const nStops = this.#nStops;
		const problem = this.#session ? new PeerpostError(
		    'already-registered', 'There is already a session.',
		    { status: 409 }) : badText('name', name, 'bad-name');

		return this.#do(CODES.register, name, options, { problem,
			known: () => this.#checkStops(nStops),
			onReply: (reply) => {
				const session = { id: reply.data, token: reply.token,
					name, cursor: 0 };

				// Nor may it be kept: another client may have begun.
				if (nStops !== this.#nStops)
					tolerant(this.#retire(session));
				this.#checkStops(nStops);
				tolerant(this.#claim.take(this.#claimOn(session),
				    { isNew: true }));
				this.#adopt(session);
				return reply.data;
			} });
	}

	/** Resume the session that this page kept before a reload, or that was
	 * passed as options.session.  Resolves with true if there is one that
	 * has not ended, and that no other tab is using. */
	resume()
	{
		return tolerant(this.#resume());
	}

	// name: end it if it has another name and no room.
	async #resume(name)
	{
		const session = this.#session ?? validSession(this.#shelf.load());
		const nStops = this.#nStops;
		let room;

		if (!session)
			return false;

		const isOurs = await this.#claim.take(this.#claimOn(session));

		this.#checkStops(nStops);
		if (!isOurs) {
			this.#drop(inUse());
			this.#emit('session-in-use', { id: session.id });
			return false;
		}
		try {
			room = await this.#outbox.persist(() => {
				this.#checkStops(nStops);
				return this.#transport.room(session.token);
			}, { isKnown: true });
		} catch (error) {
			this.#checkStops(nStops);
			if (!isSessionEnd(error)) {
				if (!this.#session)
					this.#claim.release();
				throw error;
			}
			this.#drop();
			return false;
		}
		this.#checkStops(nStops);
		if (!room && name !== undefined && session.name !== undefined &&
		    name !== session.name) {
			this.#drop();
			await this.#retire(session);
			return false;
		}
		this.#adopt(session);
		this.#takeRoom(room);
		this.#emit('resumed', { room });
		return true;
	}

	// Since stop() another client may go on with the session, as when a
	// framework takes a component away and puts it back at once.
	#checkStops(nStops)
	{
		if (nStops !== this.#nStops)
			throw new PeerpostError('aborted', 'stop() was called.');
	}

	// What was to be resumed is no session, or not ours.  Iterators that have
	// heard nothing of it wait for the next.
	#drop(error = null)
	{
		this.#forget(error, { isHeard: this.state !== 'idle' });
	}

	// End a session that is ours no more.  If it cannot be told, the server
	// ends it some time.
	async #retire({ token })
	{
		const key = await randomKey();

		await this.#outbox.persist(() => this.#transport.command(token, key,
		    `{"command":"${CODES.unregister}"}`), { isKnown: true })
		    .catch(() => {});
	}

	#claimOn({ id })
	{
		return `peerpost:${this.url}#${id}`;
	}

	/** Poll again after stop().  register() and resume() do so, too. */
	start()
	{
		if (!this.#session)
			return;
		this.#listenToPage();
		this.#poller.start();
		tolerant(this.#keepClaim(this.#session));
	}

	// While this client was stopped, or its page in the back/forward cache,
	// a copy of the tab may have gone on with the session.
	async #keepClaim(session)
	{
		if (await this.#claim.take(this.#claimOn(session)) ||
		    this.#session !== session)
			return;

		const error = inUse();

		this.#forget(error);
		this.#emit('session-gone', { error });
	}

	/** Stop polling, end all iterators, and abort connect(), register() and
	 * resume().  The session remains until it times out. */
	stop()
	{
		this.#nStops++;
		this.#halt();
		this.#endIterators(null);
	}

	#halt()
	{
		this.#poller.stop();
		this.#claim.release();
		this.#pageListeners?.();
		this.#pageListeners = null;
	}

	/** Leave, and end the session. */
	unregister(options)
	{
		const session = this.#session;

		this.#isUnregistering = true;
		return tolerant(this.#do(CODES.unregister, undefined, options)
		    .catch((error) => {
			// By an earlier try or by the server: it is over.
			if (!isSessionEnd(error) || !session)
				throw error;
		}).then(() => {
			if (this.#session === session)
				this.#forget();
		}).finally(() => {
			this.#isUnregistering = false;
		}));
	}

	// ---- commands ----

	/** Create a room, and be its host; resolves with its UUID. */
	createRoom(options)
	{
		return this.#do(CODES.createRoom, undefined, options, {
			onReply: (reply) => {
				this.#enterRoom(reply.data, 1, []);
				return reply.data;
			} });
	}

	/** Join a room; resolves with { room, id, peers: [{ id, name }] }, also
	 * if this player is in it already. */
	joinRoom(uuid, options)
	{
		const problem = badText('room', uuid);
		const wanted = problem ? '' : uuid.toLowerCase();
		let snapshot = null;
		const look = async () => {
			const room = await this.getRoom().catch(() => null);

			snapshot = room?.room === wanted ? room : null;
			return snapshot;
		};

		return this.#do(CODES.joinRoom, uuid, options, { problem,
			// Not to be refused for nothing: browsers complain of that.
			known: () => this.#room === wanted ? look() : null,
			rescue: ({ error }) => error === 'already-in-room' ?
			    look() : null,
			onReply: ({ room, id, peers }) => {
				if (!snapshot) {
					this.#enterRoom(room, id, peers);
				} else if (this.#room !== room) {
					this.#takeRoom(snapshot);
					this.#emit('resumed', { room: snapshot });
				}
				return { room, id, peers };
			} });
	}

	/** Stop further joins; only the host may. */
	sealRoom(options)
	{
		return this.#do(CODES.sealRoom, undefined, options);
	}

	/** Send any JSON value except null to all members, this one included. */
	sendMessage(data, options)
	{
		return this.#do(CODES.message, data, options);
	}

	/** Send an offer to one member: an object, usually { rtc }. */
	offer(peerId, data, options)
	{
		return this.#relay(CODES.offer, peerId, data, options);
	}

	/** Send an answer to one member. */
	answer(peerId, data, options)
	{
		return this.#relay(CODES.answer, peerId, data, options);
	}

	/** Send a candidate to one member.  Those of the same tick share a
	 * request. */
	candidate(peerId, data, options)
	{
		return this.#relay(CODES.candidate, peerId, data, options);
	}

	/** Leave the room; if the host leaves, it is closed. */
	leaveRoom(options)
	{
		return this.#do(CODES.leaveRoom, undefined, options, {
			onReply: () => {
				this.#exitRoom();
				this.#emit('room-left');
			} });
	}

	/** Get the state of the room: { room, host, sealed, id, peers, next }, or
	 * null in the lobby. */
	getRoom()
	{
		return tolerant(this.#ask((token) => this.#transport.room(token))
		    .then((room) => {
			for (const { id, name } of room?.peers ?? [])
				if (this.#peers.has(id))
					this.#peers.set(id, name);
			return room;
		}));
	}

	/** Get the server's STUN and TURN servers, as RTCPeerConnection takes
	 * them; [] if it has none. */
	iceServers()
	{
		return tolerant(this.#ask((token) =>
		    this.#transport.iceServers(token)));
	}

	async #ask(ask)
	{
		const token = this.#session?.token;

		if (!token)
			throw new PeerpostError('no-session',
			    'There is no session: register first.', { status: 401 });
		try {
			return await this.#outbox.persist(() => ask(token),
			    { isKnown: true });
		} catch (error) {
			if (isSessionEnd(error))
				this.#onSessionEnd(error, token);
			throw error;
		}
	}

	#relay(code, peerId, data, options)
	{
		// The browser's descriptions and candidates have no members of
		// their own.
		const toJSON = () => ({ ...(isFunction(data.toJSON) ?
		    data.toJSON() : data), id: peerId });

		return this.#do(code, { toJSON }, options,
		    { problem: badRelay(peerId, data) });
	}

	// One command.  Its promise may be left alone by the application: an
	// event tells the failure as well.  problem: why it is not even sent.
	#do(code, data, options, { onReply = () => {}, problem = null,
		...hooks } = {})
	{
		const wrong = badOptions(options, COMMAND_OPTIONS);
		const sent = problem || wrong ? Promise.reject(problem ??
		    new PeerpostError('bad-options', wrong)) :
		    this.#outbox.add(code, data, options, hooks);

		sent.catch((error) => this.#emit('command-failed',
		    { command: code, error }));
		return tolerant(sent.then(onReply));
	}

	// ---- the mailbox ----

	/** Iterate over the events of the mailbox from now on; without a session,
	 * from the start of the next one.  Ends with stop(); throws a
	 * PeerpostError when the session ends, or if it has ended. */
	[Symbol.asyncIterator]()
	{
		const iterator = new EventIterator(() =>
		    this.#iterators.delete(iterator));

		if (this.#endError)
			iterator.end(this.#endError);
		else
			this.#iterators.add(iterator);
		return iterator;
	}

	// Returns whether there was news.
	#onReply(reply)
	{
		const session = this.#session;
		const before = session.cursor;

		this.#onAnswer();
		if (reply.reset === true) {
			session.cursor = reply.next;
			this.#save();
			this.#onReset(reply.room ?? null);
			return false;
		}
		for (const event of reply.events) {
			// A listener may have stopped the client; what it has not
			// seen comes again.
			if (this.#session !== session || this.state === 'idle')
				return true;
			// A repeated reply brings nothing twice.
			if (event.id <= session.cursor)
				continue;
			session.cursor = event.id;
			this.#deliver(event);
		}
		if (this.#session !== session)
			return true;
		session.cursor = Math.max(session.cursor, reply.next);
		if (session.cursor !== before)
			this.#save();
		return session.cursor !== before;
	}

	#onReset(room)
	{
		const before = this.#room;

		this.#nJoinedEvents = this.#nEntered;
		this.#takeRoom(room);
		this.#emit('reset', { room });
		if (before && this.#room !== before)
			this.#emit('room-gone', { reason: 'Server Restored',
				stale: false });
	}

	#deliver({ id, command, data })
	{
		const type = EVENT_TYPES[command];
		const members = { id, command, data, stale: this.#isStale(type) };

		if (type === 'room-gone')
			members.reason = data;
		else if (type === 'offer' || type === 'answer' ||
		    type === 'candidate')
			members.peerId = data?.id;
		else if (type === 'joined' || type?.startsWith('peer-'))
			members.peerId = data;
		if (!members.stale)
			this.#follow(type, data);

		const event = new PeerpostEvent(type ?? 'event', members);

		for (const iterator of this.#iterators)
			iterator.push(event);
		this.dispatchEvent(event);
		if (type)
			this.#emit('event', members);
	}

	#isStale(type)
	{
		if (type === 'joined')
			this.#nJoinedEvents++;
		return type !== undefined &&
		    (this.#nJoinedEvents < this.#nEntered ||
		    (this.#peerId === null && type !== 'joined'));
	}

	#follow(type, data)
	{
		if (type === 'joined')
			this.#peerId = data;
		else if (type === 'peer-connected')
			this.#peers.set(data, this.#peers.get(data));
		else if (type === 'peer-disconnected')
			this.#peers.delete(data);
		else if (type === 'room-gone')
			this.#exitRoom();
	}

	#enterRoom(room, peerId, peers)
	{
		const isEventAhead = this.#nJoinedEvents > this.#nEntered++;

		this.#room = room;
		this.#peerId = peerId;
		if (!isEventAhead)
			this.#peers.clear();
		// If events came before this reply they know better who is there.
		for (const { id, name } of peers)
			if (id !== peerId && (!isEventAhead || this.#peers.has(id)))
				this.#peers.set(id, name);
	}

	#exitRoom()
	{
		this.#room = null;
		this.#peerId = null;
		this.#peers.clear();
	}

	#takeRoom(room)
	{
		this.#exitRoom();
		if (!room)
			return;
		this.#room = room.room;
		this.#peerId = room.id;
		for (const { id, name } of room.peers)
			if (id !== room.id)
				this.#peers.set(id, name);
	}

	// ---- the session's life ----

	#adopt(session)
	{
		this.#session = session;
		this.#endError = null;
		this.#nEntered = 0;
		this.#nJoinedEvents = 0;
		this.#exitRoom();
		this.#save();
		this.start();
	}

	#save()
	{
		this.#shelf.save(this.#session);
	}

	// The session is over.  isHeard: there may be iterators of its events.
	#forget(error = null, { isHeard = true } = {})
	{
		const reason = error ?? new PeerpostError('no-session',
		    'The session is over.', { status: 401 });

		this.#session = null;
		// Who plays with it has kept it, and its storage may be ours.
		if (reason.error !== 'session-in-use')
			this.#save();
		this.#exitRoom();
		if (isHeard) {
			this.#endError = reason;
			this.#endIterators(error);
		}
		this.#halt();
		this.#outbox.fail(reason);
	}

	#onSessionEnd(error, token)
	{
		if (!this.#session || this.#session.token !== token)
			return;
		if (this.#isUnregistering) {
			// The poll ends with what we asked for.
			this.#forget();
			return;
		}
		this.#forget(error);
		this.#emit('session-gone', { error });
	}

	// Returns whether to go on polling.
	#onPollFailure(error, isCut)
	{
		if (isSessionEnd(error)) {
			this.#onSessionEnd(error, this.#session.token);
			return false;
		}
		// That a poll was cut after a while is the way of some paths.
		if (!isCut)
			this.#onTrouble(error);
		return true;
	}

	// The first failure may be an accident; the second is news.
	#onTrouble(error)
	{
		// It is there, it only asks for patience.
		if (isRateLimit(error))
			return;
		if (++this.#nTroubles < 2 || this.#isOffline)
			return;
		this.#isOffline = true;
		this.#emit('offline', { error });
	}

	#onAnswer()
	{
		this.#nTroubles = 0;
		if (!this.#isOffline)
			return;
		this.#isOffline = false;
		this.#emit('online');
	}

	#emit(type, members)
	{
		this.dispatchEvent(new PeerpostEvent(type, members));
	}

	#endIterators(error)
	{
		for (const iterator of this.#iterators)
			iterator.end(error);
		this.#iterators.clear();
	}

	// Back from the back/forward cache, where the poll stayed open and may
	// have swallowed a reply.  Meanwhile another page of this tab may have
	// gone on with the session, in another room.
	async #comeBack()
	{
		const session = this.#session;
		const kept = validSession(this.#shelf.load());

		if (kept?.token === session.token)
			session.cursor = Math.max(session.cursor, kept.cursor);
		this.#poller.stop();
		await this.#keepClaim(session);
		if (this.#session !== session || !this.#pageListeners)
			return; // or stopped meanwhile
		this.#poller.start();

		const room = await this.#outbox.inTurn(() =>
		    this.#ask((token) => this.#transport.room(token)));

		if (this.#session !== session || (room?.room ?? null) === this.#room)
			return;
		this.#nJoinedEvents = this.#nEntered;
		this.#takeRoom(room);
		this.#emit('resumed', { room });
	}

	#listenToPage()
	{
		const page = this.#page;

		if (!page || this.#pageListeners)
			return;

		const listeners = {
			online: () => {
				this.#poller.poke();
				this.#outbox.wake();
			},
			pagehide: () => {
				if (this.#options.leaveOnPagehide && this.#session &&
				    this.#transport.beacon(page.navigator,
				    this.#session.token, CODES.unregister))
					this.#shelf.save(null);
				// For the page that comes next in this tab; and a page
				// that holds something is not kept to come back to.
				this.#claim.release();
			},
			pageshow: ({ persisted }) => {
				if (persisted)
					tolerant(this.#comeBack());
			},
		};

		for (const [type, listener] of Object.entries(listeners))
			page.addEventListener(type, listener);
		this.#pageListeners = () => {
			for (const [type, listener] of Object.entries(listeners))
				page.removeEventListener(type, listener);
		};
	}
}

function inUse()
{
	return new PeerpostError('session-in-use', 'Another tab is using ' +
	    'this session.');
}

function validSession(session)
{
	return Number.isSafeInteger(session?.id) &&
	    typeof session.token === 'string' &&
	    /^[\x21-\x7e]+$/.test(session.token) ? {
		id: session.id, token: session.token, name: session.name,
		cursor: Number.isSafeInteger(session.cursor) &&
		    session.cursor >= 0 ? session.cursor : 0,
	} : null;
}

class EventIterator {
	#events = [];
	#waiting = [];
	#end = null; // { error }
	#onReturn;

	constructor(onReturn)
	{
		this.#onReturn = onReturn;
	}

	push(event)
	{
		if (this.#waiting.length > 0)
			this.#waiting.shift().resolve({ value: event, done: false });
		else
			this.#events.push(event);
	}

	end(error)
	{
		this.#end ??= { error };
		while (this.#waiting.length > 0)
			this.#finish(this.#waiting.shift());
	}

	// An error is thrown once; after that it is just the end.
	#finish({ resolve, reject })
	{
		const { error } = this.#end;

		this.#end = { error: null };
		if (error)
			reject(error);
		else
			resolve({ value: undefined, done: true });
	}

	next()
	{
		return tolerant(new Promise((resolve, reject) => {
			if (this.#events.length > 0)
				resolve({ value: this.#events.shift(), done: false });
			else if (this.#end)
				this.#finish({ resolve, reject });
			else
				this.#waiting.push({ resolve, reject });
		}));
	}

	return(value)
	{
		this.#onReturn();
		this.#events = [];
		this.end(null);
		return Promise.resolve({ value, done: true });
	}

	[Symbol.asyncIterator]()
	{
		return this;
	}
}

// ---- the mesh -----------------------------------------------------------

const CHANNEL_LABEL = 'peerpost';
const MAX_MENDS = 6; // of a connection that does not come up again
const ICE_RESTARTS = 3; // of these; then anew
const OPEN_MS = 10_000; // for a channel to open, once both have spoken
const ICE_SERVERS_MS = 600_000; // TURN credentials grow old
const EARLY_CANDIDATES = 128; // kept while there is no description

/**
 * Data channels to every member of the client's room.
 *
 * Construct it before or after entering a room; it follows the client's room
 * from then on, and after a reload of the page it connects again to the
 * members that are there.  Events, each a PeerpostEvent:
 *
 *	peer	{ peerId }: the channel to this member is open
 *	data	{ peerId, data }: a string or an ArrayBuffer from it
 *	left	{ peerId }: it has left, or is about to connect again
 *	error	{ peerId, error }: this one connection failed in some way
 */
export class PeerpostMesh extends BaseEventTarget {
	#client;
	#options;
	#RTCPeerConnection;
	#links = new Map(); // peer id -> Link
	#listeners;
	#iceServers = null; // { promise, at }
	#clock;
	#isClosed = false;

	/**
	 * @param {PeerpostClient} client
	 * @param {object} [options] see README.md
	 */
	constructor(client, options = {})
	{
		super();
		if (!isFunction(client?.addEventListener) || !isObject(client.peers))
			throw new TypeError('The client must be a PeerpostClient, not ' +
			    `${shown(client)}.`);
		this.#client = client;
		this.#options = checkOptions(options, MESH_OPTIONS);
		this.#clock = this.#options.clock ?? monotonic;
		this.#RTCPeerConnection = this.#options.RTCPeerConnection ??
		    globalThis.RTCPeerConnection;
		if (!this.#RTCPeerConnection)
			throw new PeerpostError('no-webrtc', 'There is no ' +
			    'RTCPeerConnection here; pass one as an option.');
		this.#listeners = this.#listenTo(client);
		this.#sync();
	}

	#listenTo(client)
	{
		const closeAll = () => this.#closeLinks();
		const fresh = (handle) => (event) => {
			if (!event.stale)
				handle(event);
		};
		const signal = fresh(({ peerId, data, type }) =>
		    this.#onSignal(peerId, data, type));
		const listeners = {
			'joined': fresh(closeAll),
			// One of two begins, so that their offers do not cross.
			'peer-connected': fresh(({ peerId }) =>
			    this.#connect(peerId, client.peerId > peerId)),
			'peer-disconnected': fresh(({ peerId }) =>
			    this.#drop(peerId)),
			'offer': signal, 'answer': signal, 'candidate': signal,
			'room-gone': fresh(closeAll),
			'room-left': closeAll, 'session-gone': closeAll,
			'reset': () => this.#sync(),
			'resumed': () => this.#sync(),
		};

		for (const [type, listener] of Object.entries(listeners))
			client.addEventListener(type, listener);
		return listeners;
	}

	/** The members whose channel is open. */
	get peers()
	{
		return [...this.#links].filter(([, link]) => link.isOpen)
		    .map(([peerId]) => peerId);
	}

	/** The RTCPeerConnection to a member, or undefined. */
	connection(peerId)
	{
		return this.#links.get(peerId)?.pc ?? undefined;
	}

	/** Send a string, ArrayBuffer or view of one to a member; returns whether
	 * its channel was open and took it. */
	send(peerId, data)
	{
		const link = this.#links.get(peerId);

		if (typeof data !== 'string' && !(data instanceof ArrayBuffer) &&
		    !ArrayBuffer.isView(data))
			throw new TypeError('data must be a string, an ArrayBuffer or ' +
			    `a view of one, not ${shown(data)}.`);
		try {
			link?.channel.send(data);
			return link?.isOpen === true;
		} catch (error) {
			// A full buffer, or a channel that is just closing.
			if (link.isOpen)
				this.#fail(peerId, error);
			return false;
		}
	}

	/** Send to all members whose channel is open; returns their number. */
	broadcast(data)
	{
		return this.peers.filter((peerId) => this.send(peerId, data)).length;
	}

	/** Close all connections, and stop following the client. */
	close()
	{
		this.#isClosed = true;
		for (const [type, listener] of Object.entries(this.#listeners))
			this.#client.removeEventListener(type, listener);
		this.#closeLinks();
	}

	// Connect to all who are there, and to nobody else.
	#sync()
	{
		const { peers } = this.#client;

		for (const peerId of [...this.#links.keys()])
			if (!peers.has(peerId))
				this.#drop(peerId);
		for (const peerId of peers.keys())
			this.#connect(peerId, true);
	}

	#connect(peerId, isBeginner)
	{
		// A listener may have closed the mesh just now.
		if (this.#isClosed || peerId === this.#client.peerId ||
		    this.#links.has(peerId))
			return;

		const link = this.#makeLink(peerId);

		this.#links.set(peerId, link);
		if (isBeginner)
			link.begin();
	}

	#makeLink(peerId, remote)
	{
		const link = new Link({ peerId, remote,
			isPolite: this.#client.peerId > peerId,
			open: async () => new this.#RTCPeerConnection({
				...this.#options.rtc,
				iceServers: await this.#getIceServers() }),
			channelOptions: this.#options.channel,
			clock: this.#clock,
			send: (command, data) => this.#client[command](peerId, data),
			on: (type, members) => {
				if (this.#links.get(peerId) !== link)
					return;
				if (type === 'rebuild')
					this.#rebuild(peerId);
				else
					this.#emit(type, { peerId, ...members });
				if (type === 'peer' || type === 'left')
					link.isTold = type === 'peer';
			} });

		return link;
	}

	#rebuild(peerId)
	{
		const link = this.#makeLink(peerId);

		link.nMends = this.#links.get(peerId).nMends;
		this.#drop(peerId, link);
		link.begin();
	}

	// Close the link to a member; another may take its place.
	#drop(peerId, next)
	{
		const link = this.#links.get(peerId);

		if (next)
			this.#links.set(peerId, next);
		else
			this.#links.delete(peerId);
		link?.close();
		// Last: a listener may close all there is.
		if (link?.isTold)
			this.#emit('left', { peerId });
	}

	#closeLinks()
	{
		for (const peerId of [...this.#links.keys()])
			this.#drop(peerId);
	}

	#onSignal(peerId, data, type)
	{
		const signal = readSignal(data, type);

		if (!signal) {
			this.#fail(peerId, new PeerpostError('bad-signal',
			    `The data of this ${type} is not valid.`));
			return;
		}
		if (!this.#client.peers.has(peerId))
			return;
		this.#connect(peerId, false);

		const link = this.#links.get(peerId);

		if (!link.isFor(signal))
			return; // of a connection that is no more
		if (type === 'offer' && link.isOtherThan(signal))
			this.#replace(peerId, signal);
		else if (link.understands(signal))
			tolerant(link.handle(signal, type));
	}

	// The other side has begun anew, perhaps because its page was reloaded.
	// Only an offer that is one takes the place of what there is.
	#replace(peerId, signal)
	{
		const old = this.#links.get(peerId);
		const link = this.#makeLink(peerId, signal.link);

		old.successor?.close();
		old.successor = link;
		tolerant(link.handle(signal, 'offer', (error) => {
			if (this.#links.get(peerId) !== old ||
			    old.successor !== link) {
				link.close();
			} else if (error) {
				link.close();
				old.successor = null;
				this.#fail(peerId, error);
			} else {
				old.successor = null;
				this.#drop(peerId, link);
			}
		}));
	}

	async #getIceServers()
	{
		const { rtc } = this.#options;

		if (rtc?.iceServers)
			return rtc.iceServers;
		if (!this.#iceServers || this.#clock.now() - this.#iceServers.at >
		    ICE_SERVERS_MS)
			this.#iceServers = { at: this.#clock.now(),
				promise: this.#client.iceServers().catch((error) => {
					this.#iceServers = null;
					this.#fail(null, error);
					return [];
				}) };
		return this.#iceServers.promise;
	}

	#fail(peerId, error)
	{
		this.#emit('error', { peerId, error });
	}

	#emit(type, members)
	{
		this.dispatchEvent(new PeerpostEvent(type, members));
	}
}

// What a mesh says through the server: { rtc, link, to }.  rtc is a
// description or a candidate, as other clients send it, too.  link names the
// sender's connection and to the recipient's, as far as known: by these, what
// is left over from before a reload is told from what is new.
function readSignal(data, type)
{
	const { rtc, link, to } = data ?? {};
	const isName = (name) => name === undefined || typeof name === 'string';

	if (rtc === null || typeof rtc !== 'object' || !isName(link) ||
	    !isName(to) || (type === 'candidate' ?
	    typeof rtc.candidate !== 'string' :
	    rtc.type !== type || typeof rtc.sdp !== 'string'))
		return null;
	return { rtc, link, to };
}

// One RTCPeerConnection with one data channel.
//
// Negotiation is "perfect" (WebRTC 1.0, section 10.7): when offers cross, the
// polite side, the one with the greater peer id, takes its own back.  If that is
// the very first it begins anew, because browsers may gather no candidates after
// a rollback of it.  Later it must not: the other side has agreed with this
// connection, and keeps its part in DTLS and what it knows of the certificate.
// The channel is negotiated by both beforehand, so either side may make the
// offer.  What comes in is worked off one after the other.
class Link {
	#given;
	#chain;
	#isClosed = false;
	#isMakingOffer = false;
	#isOfferIgnored = false;
	#early = [];
	#mendTimer = null;
	#watchTimer = null;

	// given: { peerId, remote, isPolite, open() -> promise of a connection,
	// channelOptions, clock, send(command, data), on(type, members) }
	constructor(given)
	{
		this.#given = given;
		this.name = Math.random().toString(36).slice(2, 12);
		this.remote = given.remote;
		this.pc = null;
		this.channel = { send: () => {} };
		this.isOpen = false;
		this.wasOpen = false;
		this.isTold = false; // whether 'peer' was the last that was told
		this.nMends = 0;
		this.successor = null;
		this.#chain = tolerant(this.#open());
	}

	/** Make the first offer. */
	begin()
	{
		this.#next(() => this.#offer());
	}

	isFor({ to })
	{
		return to === undefined || to === this.name ||
		    to === this.successor?.name;
	}

	isOtherThan({ link })
	{
		return link !== undefined && this.remote !== undefined &&
		    link !== this.remote;
	}

	/** Whether it comes from the connection that this one is with, or is
	 * about to be. */
	understands(signal)
	{
		return !this.isOtherThan(signal) ||
		    this.successor?.remote === signal.link;
	}

	/** Handle a signal of the other side.  onDone(error or undefined) gets
	 * the outcome; the error is then not reported elsewhere. */
	handle(signal, type, onDone)
	{
		if (this.successor && this.isOtherThan(signal))
			return this.successor.handle(signal, type);
		return this.#next(() => type === 'candidate' ?
		    this.#takeCandidate(signal.rtc) :
		    this.#takeDescription(signal), onDone);
	}

	close()
	{
		this.#isClosed = true;
		this.isOpen = false;
		this.#given.clock.clearTimeout(this.#mendTimer);
		this.#given.clock.clearTimeout(this.#watchTimer);
		this.successor?.close();
		try {
			this.pc?.close();
		} catch {
			// It is gone either way.
		}
	}

	#next(work, onDone)
	{
		this.#chain = this.#chain.then(async () => {
			if (this.#isClosed)
				return;

			let failure;

			try {
				if (!this.pc)
					throw this.openError;
				await work();
			} catch (error) {
				failure = error;
			}
			if (onDone)
				onDone(failure);
			else if (failure && !this.#isClosed)
				this.#given.on('error', { error: failure });
		});
		return this.#chain;
	}

	async #open()
	{
		const { open, channelOptions } = this.#given;

		try {
			const pc = await open();

			if (this.#isClosed) {
				pc.close();
				return;
			}
			this.pc = pc;
			this.#listenToConnection(pc);
			this.#listenToChannel(pc.createDataChannel(CHANNEL_LABEL,
			    { ...channelOptions, negotiated: true, id: 0 }));
		} catch (error) {
			this.openError = error;
		}
	}

	async #openAnew()
	{
		const { pc } = this;

		this.pc = null;
		pc.close();
		await this.#open();
		if (!this.pc)
			throw this.openError ?? new PeerpostError('aborted');
		return this.pc;
	}

	#listenToConnection(pc)
	{
		pc.addEventListener('icecandidate', ({ candidate }) => {
			if (candidate && pc === this.pc)
				this.#say('candidate', candidate.toJSON?.() ?? {
					candidate: candidate.candidate,
					sdpMid: candidate.sdpMid,
					sdpMLineIndex: candidate.sdpMLineIndex });
		});
		pc.addEventListener('connectionstatechange', () => {
			if (pc.connectionState === 'failed')
				this.#mend();
			else if (pc.connectionState === 'connected')
				this.nMends = 0;
		});
	}

	#listenToChannel(channel)
	{
		const { on } = this.#given;

		this.channel = channel;
		channel.binaryType = 'arraybuffer';
		channel.addEventListener('open', () => {
			this.isOpen = true;
			this.wasOpen = true;
			on('peer');
		});
		channel.addEventListener('message', ({ data }) => on('data', { data }));
		// An error of the channel, such as "User-Initiated Abort" when the
		// other side's page is reloaded, only announces that it closes.
		channel.addEventListener('close', () => {
			if (channel !== this.channel || this.#isClosed)
				return;
			if (this.isOpen) {
				this.isOpen = false;
				on('left');
			}
			// The other side's page is gone, or about to say more.  If it
			// is still a member then, connect anew.
			this.#mend();
		});
	}

	#say(command, rtc)
	{
		if (this.#isClosed)
			return;
		this.#given.send(command, { rtc, link: this.name,
			...(this.remote === undefined ? {} : { to: this.remote }),
		}).catch((error) => {
			// That it is not there any more will be told by an event.
			if (!this.#isClosed && error.error !== 'peer-not-found' &&
			    error.error !== 'not-in-room')
				this.#given.on('error', { error });
		});
	}

	async #offer({ iceRestart = false } = {})
	{
		const { pc } = this;

		// An offer of the other side does as well.
		if (pc.signalingState !== 'stable')
			return;
		this.#isMakingOffer = true;
		try {
			const offer = await pc.createOffer({ iceRestart });

			if (this.#isClosed || pc.signalingState !== 'stable')
				return;
			await pc.setLocalDescription(offer);
			this.#say('offer', plain(pc.localDescription));
		} finally {
			this.#isMakingOffer = false;
		}
	}

	async #takeDescription({ rtc, link })
	{
		let { pc } = this;
		const { isPolite } = this.#given;
		const isCollision = rtc.type === 'offer' &&
		    (this.#isMakingOffer || pc.signalingState !== 'stable');

		this.#isOfferIgnored = isCollision && !isPolite;
		if (this.#isOfferIgnored)
			return;
		// To an offer that has been taken back.
		if (rtc.type === 'answer' && pc.signalingState !== 'have-local-offer')
			return;
		if (isCollision && !pc.remoteDescription)
			pc = await this.#openAnew();
		else if (isCollision)
			await pc.setLocalDescription({ type: 'rollback' });
		try {
			await pc.setRemoteDescription(rtc);
		} catch (error) {
			// Ours was as good as theirs turned out bad.
			if (isCollision)
				this.begin();
			throw error;
		}
		this.remote = link ?? this.remote;
		if (rtc.type === 'offer') {
			await pc.setLocalDescription(await pc.createAnswer());
			this.#say('answer', plain(pc.localDescription));
		}
		for (const candidate of this.#early.splice(0))
			await this.#takeCandidate(candidate);
		this.#watch();
	}

	// A connection that gets no candidates tells of no failure.
	#watch()
	{
		const { clock } = this.#given;

		if (this.#watchTimer !== null || this.#isClosed)
			return;
		this.#watchTimer = clock.setTimeout(() => {
			this.#watchTimer = null;
			if (!this.#isClosed && !this.#isHealthy())
				this.#mend();
		}, OPEN_MS);
	}

	async #takeCandidate(candidate)
	{
		if (!this.pc.remoteDescription) {
			// It may belong to an offer that was ignored, then it is
			// useless; or an offer is being put right, then it is not.
			if (this.#early.length < EARLY_CANDIDATES &&
			    !this.#isOfferIgnored)
				this.#early.push(candidate);
			return;
		}
		try {
			await this.pc.addIceCandidate(candidate);
		} catch (error) {
			if (!this.#isOfferIgnored)
				throw error;
		}
	}

	// A connection that has failed: restart ICE, then make a new one, waiting
	// longer each time.  If the other side has gone, the server says so soon,
	// and this is closed.
	#mend()
	{
		const { clock, isPolite, on } = this.#given;

		if (this.#isClosed || this.#mendTimer !== null)
			return;
		if (this.nMends >= MAX_MENDS) {
			on('error', { error: new PeerpostError('connection-failed',
			    'Connecting to this member failed repeatedly.') });
			return;
		}

		// The polite one goes first, and so crossing offers are rare.
		const delay = 500 * 2 ** this.nMends * (isPolite ? 1 : 2);

		this.#mendTimer = clock.setTimeout(() => {
			this.#mendTimer = null;
			if (this.#isClosed || this.#isHealthy())
				return;
			// The other side has begun anew: to begin, too, would leave
			// its offer without an answer.
			if (this.successor) {
				this.#mend();
				return;
			}
			this.nMends++;
			if (this.nMends > ICE_RESTARTS ||
			    this.channel.readyState === 'closed')
				on('rebuild');
			else
				this.#next(() => this.#offer({ iceRestart: true }));
			// Until it is well or given up.
			if (!this.#isClosed)
				this.#mend();
		}, delay);
	}

	#isHealthy()
	{
		return this.isOpen && this.pc?.connectionState === 'connected';
	}
}

function plain({ type, sdp })
{
	return { type, sdp };
}
