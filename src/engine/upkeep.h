/* upkeep.h - the engine thread's regular work: clocks, deletion, tidying.
 *
 * Floor: engine.  Engine thread only.
 */
#ifndef PEERPOST_ENGINE_UPKEEP_H
#define PEERPOST_ENGINE_UPKEEP_H

#include "api/transaction.h"

/* Zeroed: nothing has happened yet. */
struct upkeep {
	int64_t retry_ms;    /* after a failure, not before this */
	unsigned n_halvings; /* of the work done at once */
	bool is_tidying;     /* and there is more to do */
	int64_t watch_ms;    /* the files are not checked before this */
	int64_t trim_ms;     /* when to delete acknowledged events; 0: none */
};

/* Look at the clocks; end sessions and rooms that have timed out; delete
 * acknowledged events after about a second; check that the store's files are
 * still there; tidy the store after a while without commands.  Once a round,
 * and at least every PRESENCE_TICK_MS. */
void upkeep_run(struct upkeep *upkeep, struct transaction *txn);

/* Whether there is work that should not wait. */
bool upkeep_is_due(const struct upkeep *upkeep, const struct transaction *txn);

/* The last transaction: it deletes acknowledged events, so that they are not
 * delivered again after an orderly stop. */
void upkeep_finish(struct transaction *txn);

#endif
