/* transaction.h - the transactions that requests are run in.
 *
 * Floor: engine.  Engine thread only.
 */
#ifndef PEERPOST_ENGINE_TRANSACTION_H
#define PEERPOST_ENGINE_TRANSACTION_H

#include "api/transaction.h"

/* Begin a transaction.  ERR_STORAGE: transaction_end() must still be called. */
MUST_CHECK enum err transaction_begin(struct transaction *txn);

/* End the transaction: commit if err is ERR_NONE, roll back otherwise.  After a
 * commit, polls of ended sessions and of players who got mail are answered.
 * Returns err, or the outcome of the commit.  A failed fsync ends the process:
 * the state of the disk is unknown then, and a retry would lie.  So do files
 * that have been removed or replaced. */
MUST_CHECK enum err transaction_end(struct transaction *txn, enum err err);

/* End the process if the files of the database have been removed or replaced,
 * which transaction_end() notices only when it has written. */
void transaction_watch(struct transaction *txn);

#endif
