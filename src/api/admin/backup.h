/* backup.h - POST /backup: a copy of the database as the reply.
 *
 * Floor: api.  Engine thread only.
 *
 * The request is held, like a poll, while the copy is made: some of it in each
 * round of the engine, between batches, so that no command waits for more
 * than that.  Sending the copy is the transport's business then.
 */
#ifndef PEERPOST_API_ADMIN_BACKUP_H
#define PEERPOST_API_ADMIN_BACKUP_H

#include "api/transaction.h"

/* Take the request on (admin_run_fn); it is held afterwards, or has a reply
 * that says why not. */
MUST_CHECK enum err backup_run(
    struct transaction *txn, struct request *request);

/* Copy a bit; the request may be in txn->done then.  Once a round, outside of
 * a transaction.  No backup: nothing happens. */
void backup_work(struct transaction *txn);

/* Give up the backup that is being made, if there is one, and give its
 * request back: its client has gone, or the daemon is stopping. */
void backup_cancel(struct transaction *txn);

#endif
