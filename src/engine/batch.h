/* batch.h - many requests, one transaction.
 *
 * Floor: engine.  Engine thread only.
 */
#ifndef PEERPOST_ENGINE_BATCH_H
#define PEERPOST_ENGINE_BATCH_H

#include "api/transaction.h"

/* Run n requests in order, in one transaction.  Afterwards each of them is in
 * txn->done or parked. */
void batch_run(struct transaction *txn, struct request **batch, size_t n);

#endif
