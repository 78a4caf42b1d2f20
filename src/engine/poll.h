/* poll.h - GET /events: look, and hold if there is nothing.
 *
 * Floor: engine.  Engine thread only.
 */
#ifndef PEERPOST_ENGINE_POLL_H
#define PEERPOST_ENGINE_POLL_H

#include "api/transaction.h"

/* Run a poll from the top.  Afterwards it is parked (request->parked.player) or
 * has its reply; a poll that it superseded is in txn->done.  ERR_STORAGE. */
MUST_CHECK enum err poll_run(struct transaction *txn, struct request *request);

/* Run a parked poll again and give it back, with or without mail: it is not
 * parked again. */
void poll_answer_parked(struct transaction *txn, struct parked *parked);

/* Answer a parked poll because the daemon is about to stop. */
void poll_answer_drained(struct transaction *txn, struct request *request);

#endif
