/* events.h - a look into a mailbox, and its events as JSON.
 *
 * Floor: api.  Engine thread only.
 */
#ifndef PEERPOST_API_EVENTS_H
#define PEERPOST_API_EVENTS_H

#include "api/transaction.h"

/* The result of a look into the mailbox. */
enum look {
	LOOK_MAIL,  /* events to deliver */
	LOOK_RESET, /* a cursor ahead of everything: answer at once */
	LOOK_LATE,  /* an old cursor: answer at once */
	LOOK_EMPTY, /* may be held */
};

/* Apply the cursor and look for events.  *out_has_acked: the cursor has
 * acknowledged something.  ERR_STORAGE. */
MUST_CHECK enum err events_look(struct world *world, struct player *player,
    const struct poll_args *args, enum look *out, bool *out_has_acked);

/* Append "events":[...],"next":N and the members after them, according to the
 * result of the look.  ERR_STORAGE. */
MUST_CHECK enum err events_add_found(struct world *world, struct player *player,
    const struct poll_args *args, enum look look, struct reply *reply);

/* For a reply that carries events besides: acknowledge as the request's cursor
 * says, then append "events":[...],"next":N and the members after them.  player
 * NULL: a session that has just ended has no events.  ERR_STORAGE. */
MUST_CHECK enum err events_add(
    struct transaction *txn, struct player *player, struct request *request);

#endif
