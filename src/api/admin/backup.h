/* backup.h - POST /backup: a copy of the database as the reply.
 *
 * Floor: api.  Engine thread only.
 *
 * The request is held, like a poll, while the copy is made: a part in each
 * round of the engine, between batches, so that no command waits for longer
 * than one part takes.  The transport then sends the copy.
 */
#ifndef PEERPOST_API_ADMIN_BACKUP_H
#define PEERPOST_API_ADMIN_BACKUP_H

#include "api/transaction.h"

/* Accept the request (admin_run_fn); afterwards it is held, or has a reply that
 * says why not. */
MUST_CHECK enum err backup_run(
    struct transaction *txn, struct request *request);

/* Copy one part; the request may be in txn->done afterwards.  Call once a
 * round, outside a transaction.  Without a backup nothing happens. */
void backup_work(struct transaction *txn);

/* Give up the backup in progress, if any, and give its request back: its client
 * has gone, or the daemon is stopping. */
void backup_cancel(struct transaction *txn);

#endif
