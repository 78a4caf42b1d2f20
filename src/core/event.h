/* event.h - kinds of event in a mailbox.
 *
 * Floor: core.
 *
 * The numbers are stored in the database: never change one, only add.
 * api/texts.h has their names on the wire.
 */
#ifndef PEERPOST_CORE_EVENT_H
#define PEERPOST_CORE_EVENT_H

enum event_kind {
	EVENT_CONNECTED_TO_ROOM = 1, /* the player's own peer id */
	EVENT_PEER_CONNECTED = 2,    /* a peer id */
	EVENT_PEER_DISCONNECTED = 3, /* a peer id */
	EVENT_ROOM_CLOSED = 4,       /* a reason, a JSON string */
	EVENT_ROOM_SEALED = 5,       /* the JSON string "null" */
	EVENT_ROOM_MESSAGE = 6,      /* the text sent, verbatim */
	EVENT_OFFER = 7,             /* the text sent, with the sender's id */
	EVENT_ANSWER = 8,
	EVENT_CANDIDATE = 9,
};

#endif
