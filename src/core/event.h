/* event.h - kinds of event that land in a mailbox.
 *
 * Floor: core.
 *
 * The numbers are stored in the database: never change one, only add.  What a
 * kind is called on the wire is the business of api/texts.h.
 */
#ifndef PEERPOST_CORE_EVENT_H
#define PEERPOST_CORE_EVENT_H

enum event_kind {
	EVENT_CONNECTED_TO_ROOM = 1, /* the player's own peer id */
	EVENT_PEER_CONNECTED = 2,    /* a peer id */
	EVENT_PEER_DISCONNECTED = 3, /* a peer id */
	EVENT_ROOM_CLOSED = 4,       /* a reason, a JSON string */
	EVENT_ROOM_SEALED = 5,       /* the JSON string "null" */
	EVENT_ROOM_MESSAGE = 6,      /* what was sent, verbatim */
	EVENT_OFFER = 7,             /* what was sent, with the sender's id */
	EVENT_ANSWER = 8,
	EVENT_CANDIDATE = 9,
};

#endif
