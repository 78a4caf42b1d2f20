/* events.h - a look into a mailbox, and what is found there as JSON.
 *
 * Floor: api.  Engine thread only.
 */
#ifndef PEERPOST_API_EVENTS_H
#define PEERPOST_API_EVENTS_H

#include "api/transaction.h"

/* What a look into the mailbox has found. */
enum look {
	LOOK_MAIL,  /* events to deliver */
	LOOK_RESET, /* a cursor ahead of everything: answer at once */
	LOOK_LATE,  /* an old cursor: answer at once */
	LOOK_EMPTY, /* may be held */
};

/* Take the cursor, and see what there is to say.  *out_has_acked: it has
 * acknowledged something.  ERR_STORAGE. */
MUST_CHECK enum err events_look(struct world *world, struct player *player,
    const struct poll_args *args, enum look *out, bool *out_has_acked);

/* Append "events":[...],"next":N and what follows them, as the look has found.
 * ERR_STORAGE. */
MUST_CHECK enum err events_add_found(struct world *world, struct player *player,
    const struct poll_args *args, enum look look, struct reply *reply);

/* Append "events":[...],"next":N and what follows them to a reply on which
 * events ride, having acknowledged what the request's cursor says.  player
 * NULL: a session that has just ended has none.  ERR_STORAGE. */
MUST_CHECK enum err events_add(
    struct transaction *txn, struct player *player, struct request *request);

#endif
