// peerpost.d.ts - the types of peerpost.js, which explains everything.
//
// They need only the library of ES2018.  With that of the DOM (or Node's own
// types), events and connections are those of the DOM; elsewhere they have the
// members below.

// A global's type if it and all that it needs exist, else another.
type Global<Name extends string, Else, Needed extends string = never> =
	typeof globalThis extends { [name in Needed]: any } &
		{ [name in Name]: infer Type } ? Type : Else;

interface MinimalEvent {
	readonly type: string;
	readonly target: unknown;
}

interface MinimalEventTarget {
	addEventListener(type: string, listener: Listener<any> | null,
		options?: ListenerOptions): void;
	removeEventListener(type: string, listener: Listener<any> | null,
		options?: ListenerOptions): void;
	dispatchEvent(event: any): boolean;
}

type Listener<Told> =
	((event: Told) => void) | { handleEvent(event: Told): void };
type ListenerOptions = boolean | {
	capture?: boolean; once?: boolean; passive?: boolean; signal?: any;
};

declare const BaseEvent: Global<'Event', {
	new (type: string): MinimalEvent; prototype: MinimalEvent;
}, 'EventTarget'>;
declare const BaseEventTarget: Global<'EventTarget', {
	new (): MinimalEventTarget; prototype: MinimalEventTarget;
}, 'Event'>;

// The parts of RTCPeerConnection that are used.
interface MinimalConfiguration {
	iceServers?: { urls: string | string[]; username?: string;
		credential?: string }[];
	iceTransportPolicy?: 'all' | 'relay';
	iceCandidatePoolSize?: number;
	certificates?: any[];
}

interface MinimalChannelInit {
	ordered?: boolean;
	maxRetransmits?: number;
	maxPacketLifeTime?: number;
	protocol?: string;
}

type RtcClass = Global<'RTCPeerConnection',
	new (configuration?: MinimalConfiguration) => any>;
type RtcConnection = RtcClass extends new (...given: any[]) => infer Type ?
	Type : any;
type RtcConfiguration = RtcClass extends
	new (configuration?: infer Type) => any ? Type : MinimalConfiguration;
type RtcChannelInit = RtcConnection extends
	{ createDataChannel(label: string, init?: infer Type): any } ?
	Type : MinimalChannelInit;

/** An AbortSignal. */
export interface SignalLike {
	readonly aborted: boolean;
	addEventListener(type: 'abort', listener: () => void, options?: any): void;
	removeEventListener(type: 'abort', listener: () => void, options?: any):
		void;
}

/** The part of fetch() that the client uses. */
export type FetchLike = (url: string, init?: any) => Promise<{
	readonly status: number;
	readonly headers: { get(name: string): string | null };
	text(): Promise<string>;
}>;

/** As RTCPeerConnection takes it. */
export interface IceServer {
	urls: string[];
	username?: string;
	credential?: string;
}

export type Json = null | boolean | number | string | Json[] |
	{ [name: string]: Json };

/** One of the server's error words, or one of the client's own. */
export type PeerpostErrorWord =
	| 'network' | 'timeout' | 'not-peerpost' | 'aborted' | 'session-in-use'
	| 'bad-options' | 'no-crypto' | 'bad-signal' | 'connection-failed'
	| 'no-webrtc'
	| 'bad-request' | 'bad-json' | 'bad-name' | 'bad-data' | 'bad-cursor'
	| 'bad-key' | 'no-session' | 'not-host' | 'not-found' | 'unknown-command'
	| 'room-not-found' | 'peer-not-found' | 'method-not-allowed'
	| 'already-in-room' | 'already-registered' | 'not-in-room' | 'room-sealed'
	| 'room-full' | 'mailbox-full' | 'timed-out' | 'too-large'
	| 'unsupported-encoding' | 'internal'
	| 'idempotency-mismatch' | 'rate-limited' | 'too-many-players'
	| 'too-many-rooms' | 'storage' | 'shutting-down'
	| (string & {});

export class PeerpostError extends Error {
	constructor(error: PeerpostErrorWord, message?: string, more?: {
		status?: number; code?: string; retryAfterMs?: number | null;
		cause?: unknown;
	});
	readonly error: PeerpostErrorWord;
	/** The HTTP status, 0 without one. */
	readonly status: number;
	/** The reply's code, such as '###!JRB'; '' without one. */
	readonly code: string;
	readonly retryAfterMs: number | null;
}

export class PeerpostEvent extends BaseEvent {
	constructor(type: string, members?: object);
}

/** The members of every event of the mailbox. */
export interface MailboxEvent<Data = unknown> extends PeerpostEvent {
	readonly id: number;
	readonly command: string;
	readonly data: Data;
	/** From a room that was left meanwhile. */
	readonly stale: boolean;
}

export interface PeerEvent extends MailboxEvent<number> {
	readonly peerId: number;
}

export interface RelayEvent extends MailboxEvent<any> {
	readonly type: 'offer' | 'answer' | 'candidate';
	readonly peerId: number;
}

export interface RoomGoneEvent extends PeerpostEvent {
	readonly reason: string;
	readonly stale: boolean;
}

export interface Peer {
	id: number;
	name: string;
}

/** The reply to GET /room. */
export interface RoomSnapshot {
	room: string;
	host: number;
	sealed: boolean;
	/** This player's peer id. */
	id: number;
	peers: Peer[];
	next: number;
}

/** Keep it secret: it is the player. */
export interface PeerpostSession {
	id: number;
	token: string;
	name?: string;
	cursor?: number;
}

export interface StorageLike {
	getItem(key: string): string | null;
	setItem(key: string, value: string): void;
}

export interface Clock {
	/** Milliseconds; monotonic. */
	now(): number;
	setTimeout(callback: () => void, ms: number): any;
	clearTimeout(timer: any): void;
}

export interface PeerpostClientOptions {
	mode?: 'auto' | 'headers' | 'plain';
	storage?: StorageLike | null;
	pathStorage?: StorageLike | null;
	session?: PeerpostSession | null;
	leaveOnPagehide?: boolean;
	waitS?: number;
	maxAttempts?: number;
	backoffMs?: number;
	maxBackoffMs?: number;
	timeoutMs?: number;
	fetch?: FetchLike;
	clock?: Clock;
	page?: {
		addEventListener(type: string, listener: (event: any) => void): void;
		removeEventListener(type: string, listener: (event: any) => void):
			void;
	} | null;
}

export interface CommandOptions {
	signal?: SignalLike;
}

/** The result of connect(). */
export interface Connection {
	id: number;
	name: string | null;
	/** The UUID of the room that the session is in. */
	room: string | null;
	/** Whether a kept session was resumed. */
	resumed: boolean;
}

export type PollState = 'idle' | 'polling' | 'backing-off';

export interface PeerpostClientEvents {
	'joined': PeerEvent;
	'peer-connected': PeerEvent;
	'peer-disconnected': PeerEvent;
	'sealed': MailboxEvent<string>;
	'message': MailboxEvent<any>;
	'offer': RelayEvent;
	'answer': RelayEvent;
	'candidate': RelayEvent;
	'room-gone': RoomGoneEvent;
	'event': MailboxEvent;
	'session-gone': PeerpostEvent & { readonly error: PeerpostError };
	'offline': PeerpostEvent & { readonly error: PeerpostError };
	'online': PeerpostEvent;
	'resumed': PeerpostEvent & { readonly room: RoomSnapshot | null };
	'reset': PeerpostEvent & { readonly room: RoomSnapshot | null };
	'room-left': PeerpostEvent;
	'session-in-use': PeerpostEvent & { readonly id: number };
	'superseded': PeerpostEvent;
	'state': PeerpostEvent & { readonly state: PollState };
	'exchange': PeerpostEvent & {
		readonly method: string; readonly path: string;
		/** Their codes, such as '###!CC'. */
		readonly commands: string[];
		readonly status: number; readonly ms: number;
		readonly error: PeerpostError | null;
	};
	'command-failed': PeerpostEvent & {
		readonly command: string; readonly error: PeerpostError;
	};
}

export class PeerpostClient extends BaseEventTarget {
	constructor(url: string | { readonly href: string },
		options?: PeerpostClientOptions);
	readonly url: string;
	readonly id: number | null;
	readonly name: string | null;
	readonly session: PeerpostSession | null;
	readonly room: string | null;
	readonly peerId: number | null;
	readonly peers: ReadonlyMap<number, string | undefined>;
	readonly state: PollState;
	connect(name: string): Promise<Connection>;
	register(name: string, options?: CommandOptions): Promise<number>;
	resume(): Promise<boolean>;
	start(): void;
	stop(): void;
	unregister(options?: CommandOptions): Promise<void>;
	createRoom(options?: CommandOptions): Promise<string>;
	joinRoom(uuid: string, options?: CommandOptions):
		Promise<{ room: string; id: number; peers: Peer[] }>;
	sealRoom(options?: CommandOptions): Promise<void>;
	leaveRoom(options?: CommandOptions): Promise<void>;
	sendMessage(data: unknown, options?: CommandOptions): Promise<void>;
	offer(peerId: number, data: object, options?: CommandOptions):
		Promise<void>;
	answer(peerId: number, data: object, options?: CommandOptions):
		Promise<void>;
	candidate(peerId: number, data: object, options?: CommandOptions):
		Promise<void>;
	getRoom(): Promise<RoomSnapshot | null>;
	iceServers(): Promise<IceServer[]>;
	addEventListener<Type extends keyof PeerpostClientEvents>(type: Type,
		listener: Listener<PeerpostClientEvents[Type]> | null,
		options?: ListenerOptions): void;
	addEventListener(type: string,
		listener: Listener<any> | null,
		options?: ListenerOptions): void;
	removeEventListener<Type extends keyof PeerpostClientEvents>(type: Type,
		listener: Listener<PeerpostClientEvents[Type]> | null,
		options?: ListenerOptions): void;
	removeEventListener(type: string,
		listener: Listener<any> | null,
		options?: ListenerOptions): void;
	[Symbol.asyncIterator](): AsyncIterableIterator<MailboxEvent<any>>;
}

export interface PeerpostMeshOptions {
	rtc?: RtcConfiguration;
	channel?: RtcChannelInit;
	RTCPeerConnection?: new (configuration?: any) => any;
	clock?: Clock;
}

export interface PeerpostMeshEvents {
	'peer': PeerpostEvent & { readonly peerId: number };
	'data': PeerpostEvent & {
		readonly peerId: number; readonly data: string | ArrayBuffer;
	};
	'left': PeerpostEvent & { readonly peerId: number };
	/** peerId is null if the error concerns all members. */
	'error': PeerpostEvent & {
		readonly peerId: number | null; readonly error: Error;
	};
}

export class PeerpostMesh extends BaseEventTarget {
	constructor(client: PeerpostClient, options?: PeerpostMeshOptions);
	readonly peers: number[];
	connection(peerId: number): RtcConnection | undefined;
	send(peerId: number, data: string | ArrayBuffer | ArrayBufferView): boolean;
	broadcast(data: string | ArrayBuffer | ArrayBufferView): number;
	close(): void;
	addEventListener<Type extends keyof PeerpostMeshEvents>(type: Type,
		listener: Listener<PeerpostMeshEvents[Type]> | null,
		options?: ListenerOptions): void;
	addEventListener(type: string,
		listener: Listener<any> | null,
		options?: ListenerOptions): void;
	removeEventListener<Type extends keyof PeerpostMeshEvents>(type: Type,
		listener: Listener<PeerpostMeshEvents[Type]> | null,
		options?: ListenerOptions): void;
	removeEventListener(type: string,
		listener: Listener<any> | null,
		options?: ListenerOptions): void;
}

// Only declarations marked "export" are exported.
export {};
