/* run.h - running the commands of one POST.
 *
 * Floor: api.  Engine thread only.
 */
#ifndef PEERPOST_API_COMMAND_RUN_H
#define PEERPOST_API_COMMAND_RUN_H

#include "api/transaction.h"

/* Check session, Idempotency-Key and rate, run the commands (or find their
 * earlier answer), remember the answer, and write the reply.
 * ERR_STORAGE: the transaction is lost; the request can be run again. */
MUST_CHECK enum err commands_run(
    struct transaction *txn, struct request *request);

#endif
