/* transaction.h - the context in which the engine thread runs requests.
 *
 * Floor: api.  Engine thread only.
 */
#ifndef PEERPOST_API_TRANSACTION_H
#define PEERPOST_API_TRANSACTION_H

#include "api/request.h"
#include "core/world.h"

struct transaction {
	struct world *world;
	int64_t begun_us;        /* when the transaction began */
	bool is_draining;        /* shutting down: no poll is held */
	struct queue_chain done; /* tasks that can be given back */
	bool is_failing;         /* the last write failed */
	int64_t probed_ms;       /* when it was last tried again */
	int64_t written_ms;      /* last commit that wrote; 0: tidied since */
	int64_t started_ms;      /* clock_now_ms() */
	struct request *backup;  /* held, see api/admin/backup.h; NULL: none */
	bool has_begun_backup;   /* in the store */
};

/* The request of a parked poll. */
struct request *transaction_request_of(struct parked *parked);

/* Find the caller, and count the request as its sign of life.
 * ERR_NO_SESSION; ERR_TIMED_OUT: *out_reason says why; ERR_STORAGE. */
MUST_CHECK enum err transaction_find_session(struct transaction *txn,
    const struct request *request, struct player **out,
    enum end_reason *out_reason);

/* Charge the player for a request that is no command: GET /room, or a poll that
 * acknowledges nothing.  false: too many, and the failure reply is written. */
bool transaction_pay_poll(
    struct transaction *txn, struct request *request, struct player *player);

/* Give the request back: its reply is ready, and everything in it is committed.
 */
void transaction_finish(struct transaction *txn, struct request *request);

#endif
