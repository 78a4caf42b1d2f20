/* poll.h - GET /events: look, and hold if there is nothing.
 *
 * Floor: engine.  Engine thread only.
 */
#ifndef PEERPOST_ENGINE_POLL_H
#define PEERPOST_ENGINE_POLL_H

#include "engine/transaction.h"

/* Run a poll from the top.  Afterwards it is parked
 * (request->parked.player) or has its reply; a poll that it has superseded is
 * in turn->done.  ERR_STORAGE. */
MUST_CHECK enum err poll_run(struct turn *turn, struct request *request);

/* Append "events":[...],"next":N and what follows them to a reply on which
 * events ride, having acknowledged what the request's cursor says.  player
 * NULL: a session that has just ended has none.  ERR_STORAGE. */
MUST_CHECK enum err poll_add_events(
    struct turn *turn, struct player *player, struct request *request);

/* Answer a parked poll because the daemon is about to stop. */
void poll_answer_drained(struct turn *turn, struct request *request);

#endif
