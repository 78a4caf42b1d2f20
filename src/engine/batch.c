/* batch.c - see batch.h.
 *
 * When the store fails, the transaction is lost with everything in it.  Then
 * each request of the batch runs again in its own transaction, and those that
 * still fail get 503: one command too big for the disk does not spoil its
 * neighbours.  A request that was alone runs again as well: the store may have
 * made room for it.
 */
#include "config.h"

#include "engine/batch.h"

#include "api/admin/route.h"
#include "api/command/run.h"
#include "api/page.h"
#include "api/reply.h"
#include "api/route.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"
#include "engine/poll.h"
#include "engine/transaction.h"

#define PROBE_EVERY_MS 250

/* Whether the store responds and has room on the disk; after a failure, whether
 * it can write again. */
static MUST_CHECK enum err
check_store(struct transaction *txn)
{
	struct store *store = txn->world->store;
	int64_t now_ms = clock_now_ms();
	uint64_t n;

	if (!txn->is_failing) {
		enum err err = store->count_rooms(store, &n);

		if (!err)
			err = store->check_space(store, 0, 0);
		if (err != ERR_DATABASE_FULL)
			return err;
	}
	/* The trial costs two commits, and any client may ask. */
	if (txn->probed_ms && now_ms - txn->probed_ms < PROBE_EVERY_MS)
		return ERR_STORAGE;
	txn->probed_ms = now_ms;
	txn->is_failing = store->probe(store) != ERR_NONE;
	return txn->is_failing ? ERR_STORAGE : ERR_NONE;
}

/* GET /healthz and /readyz, outside a transaction. */
static void
run_health(struct transaction *txn, struct request *request)
{
	enum err err = check_store(txn);
	struct buf *out;

	if (!err && request->route->kind == ROUTE_READY && txn->is_draining)
		err = ERR_SHUTTING_DOWN;
	if (err) {
		reply_fail(request, err);
		return;
	}
	out = reply_begin(request, 200);
	buf_add_text(
	    out, "{\"status\":\"ok\",\"version\":\"" PACKAGE_VERSION "\"");
	/* Still 200: a restart does not help a daemon that is full. */
	if (request->listener_class != LISTENER_PUBLIC)
		buf_add_text(out,
		    request->is_full ? ",\"connections\":\"full\"" :
				       ",\"connections\":\"ok\"");
	buf_add_text(out, "}");
}

/* Run one request inside the transaction.  Afterwards it has its reply, or
 * is parked. */
static MUST_CHECK enum err
run_request(struct transaction *txn, struct request *request)
{
	switch (request->route->kind) {
	case ROUTE_COMMAND:
	case ROUTE_ENVELOPE:
		return commands_run(txn, request);
	case ROUTE_EVENTS:
		return poll_run(txn, request);
	case ROUTE_ROOM:
		return get_room_run(txn, request);
	case ROUTE_ICE_SERVERS:
		return get_ice_servers_run(txn, request);
	case ROUTE_ADMIN:
		return admin_route_run(txn, request);
	case ROUTE_HEALTH: /* later, see answer() */
	case ROUTE_READY:
	case ROUTE_RELOAD: /* on the loop thread, see front.c */
	case ROUTE_METRICS:
	case ROUTE_PAGE:
	case ROUTE_ASSET:
	case ROUTE_DEMO:
		break;
	}
	return ERR_NONE;
}

static MUST_CHECK enum err
run_transaction(struct transaction *txn, struct request **batch, size_t n)
{
	enum err err = transaction_begin(txn);

	for (size_t i = 0; !err && i < n; i++) {
		log_set_request(batch[i]->id);
		err = run_request(txn, batch[i]);
	}
	log_set_request(n == 1 ? batch[0]->id : 0);
	err = transaction_end(txn, err);
	log_set_request(0);
	return err;
}

/* Whether the transaction is done with the request: it has been given back, or
 * waits for mail or for its backup. */
static bool
is_settled(const struct request *request)
{
	return request->parked.player || request->is_held ||
	    request->is_finished;
}

static void
answer(struct transaction *txn, struct request *request)
{
	if (request->route->kind == ROUTE_HEALTH ||
	    request->route->kind == ROUTE_READY)
		run_health(txn, request);
	transaction_finish(txn, request);
}

void
batch_run(struct transaction *txn, struct request **batch, size_t n)
{
	enum err err;

	metric_observe(METRIC_ROW_BATCH_REQUESTS, (int64_t)n);
	err = run_transaction(txn, batch, n);

	for (size_t i = 0; err && i < n; i++)
		if (!is_settled(batch[i]) && run_transaction(txn, &batch[i], 1))
			reply_fail(batch[i], ERR_STORAGE);
	for (size_t i = 0; i < n; i++)
		if (!is_settled(batch[i]))
			answer(txn, batch[i]);
}
