/* upkeep.h - what the engine thread does of its own accord.
 *
 * Floor: engine.  Engine thread only.
 */
#ifndef PEERPOST_ENGINE_UPKEEP_H
#define PEERPOST_ENGINE_UPKEEP_H

#include "api/transaction.h"

/* Zeroed: nothing has happened yet. */
struct upkeep {
	int64_t retry_ms;    /* after a failure, not before this */
	unsigned n_halvings; /* of what is done at once */
	bool is_tidying;     /* and there is more to do */
	int64_t watch_ms;    /* when to look after the files, not before */
	int64_t trim_ms; /* when acknowledged events go; 0: there are none */
};

/* Look at the clocks; end sessions and rooms whose time is over; delete
 * acknowledged events about a second after; see that the store's files are
 * still there; tidy it after a while without commands.  Once a round, and at
 * least every PRESENCE_TICK_MS. */
void upkeep_run(struct upkeep *upkeep, struct transaction *txn);

/* Whether there is something to do that should not wait. */
bool upkeep_is_due(const struct upkeep *upkeep, const struct transaction *txn);

/* The last transaction: what has been acknowledged need not be told again
 * after an orderly stop. */
void upkeep_finish(struct transaction *txn);

#endif
