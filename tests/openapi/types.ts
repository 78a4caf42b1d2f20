// types.ts - uses the types that openapi-typescript makes of docs/openapi.yaml:
// openapi.test.mjs compiles it, and it must say what a client relies on.
import type { components, paths } from './generated.js';

type Event = components['schemas']['Event'];
type Events = components['schemas']['Events'];
type Room = components['schemas']['Room'];
type Failure = components['schemas']['Failure'];

// Every event has an id, a command and data, and the command says which data.
export function describe(event: Event): string
{
	const id: number = event.id;

	switch (event.command) {
	case '###!CTR':
	case '###!RPC':
	case '###!RPD': {
		const peer: number = event.data;

		return `${id} peer ${peer}`;
	}
	case '###!RCL': {
		const reason: string = event.data;

		return `${id} closed: ${reason}`;
	}
	case '###!SRK':
		return `${id} sealed`;
	case '###!RMK':
		return `${id} message ${JSON.stringify(event.data)}`;
	case '###!OOO':
	case '###!AAA':
	case '###!CCC': {
		const from: number = event.data.id;

		return `${id} from ${from}: ${JSON.stringify(event.data.rtc)}`;
	}
	default: {
		// There are no others.
		const none: never = event;

		return none;
	}
	}
}

// @ts-expect-error: no data
export const withoutData: Event = { id: 1, command: '###!CTR' };
// @ts-expect-error: no id
export const withoutId: Event = { command: '###!CTR', data: 1 };
// @ts-expect-error: no such command
export const unknown: Event = { id: 1, command: '###!XXX', data: 1 };
// @ts-expect-error: data of another event
export const other: Event = { id: 1, command: '###!CTR', data: 'x' };
export const right: Event = { id: 1, command: '###!CTR', data: 1 };

export function cursorOf(reply: Events): number
{
	return reply.more ? reply.next : reply.events.length;
}

export function namesOf(room: Room): string[]
{
	return room.peers.map(({ name }) => name);
}

export function isFull(failure: Failure): boolean
{
	return failure.error === 'room-full';
}

type RegisterReplies = paths['/register']['post']['responses'];
type Registered = RegisterReplies[200]['content']['application/json'];

export const registered: Registered =
    { command: '###!RPK', data: 2, token: 'x' };
