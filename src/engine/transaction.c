/* transaction.c - see transaction.h. */
#include "engine/transaction.h"

#include <unistd.h>

#include "api/reply.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/log_flood.h"
#include "base/metric.h"
#include "core/commit.h"
#include "core/parking.h"
#include "engine/poll.h"

enum err
transaction_begin(struct transaction *txn)
{
	txn->begun_us = clock_now_us();
	return txn->world->store->begin(txn->world->store);
}

static MUST_CHECK enum err
measure_commit(struct store *store, bool has_written)
{
	int64_t before_us = has_written ? clock_now_us() : 0;
	enum err err = store->commit(store);

	if (has_written)
		metric_observe(
		    METRIC_ROW_COMMIT_SECONDS, clock_now_us() - before_us);
	return err;
}

/* Without acknowledging anything more; the store has said why. */
static _Noreturn void
end_process(void)
{
	log_flood_end();
	_exit(1);
}

/* Commit.  If the transaction has written, many acknowledged events are deleted
 * along with it (upkeep.c deletes a few).  Not while writing fails: a write
 * that would fit alone must not fail because of them. */
static MUST_CHECK enum err
commit(struct transaction *txn)
{
	struct store *store = txn->world->store;
	bool has_written = store->has_written(store);
	enum err err = ERR_NONE;

	if (has_written && !txn->is_failing && world_has_much_trim(txn->world))
		err = world_trim(txn->world, WORLD_MAX_TRIM);
	if (!err)
		err = measure_commit(store, has_written);
	if (err == ERR_FATAL)
		end_process();
	if (!err && has_written) {
		txn->is_failing = false;
		txn->written_ms = clock_now_ms();
	}
	return err;
}

void
transaction_watch(struct transaction *txn)
{
	if (txn->world->store->watch(txn->world->store))
		end_process();
}

static void
answer_ended(struct transaction *txn, struct player *player)
{
	struct request *request;

	if (!player->parked)
		return;
	request = transaction_request_of(player->parked);
	parking_remove(txn->world, player->parked);
	if (player->end_reason == END_UNREGISTERED)
		reply_fail(request, ERR_NO_SESSION);
	else
		reply_fail_ended(request, player->end_reason);
	request->poll_end = POLL_ENDED;
	transaction_finish(txn, request);
}

static void
answer_after_commit(struct transaction *txn)
{
	struct world *world = txn->world;
	struct list *node;

	for (node = world->removed.next; node != &world->removed;
	     node = node->next)
		answer_ended(txn, CONTAINER_OF(node, struct player, removed));
	world_committed(world);
	while ((node = list_take_first(&world->woken)) != NULL) {
		struct parked *parked = CONTAINER_OF(node, struct player, woken)
					    ->parked;

		transaction_request_of(parked)->woken_us = txn->begun_us;
		metric_add(METRIC_POLL_WAKEUPS, 1);
		poll_answer_parked(txn, parked);
	}
}

enum err
transaction_end(struct transaction *txn, enum err err)
{
	if (!err)
		err = commit(txn);
	if (err) {
		txn->world->store->rollback(txn->world->store);
		world_rolled_back(txn->world);
		txn->is_failing = true;
		return err;
	}
	answer_after_commit(txn);
	return ERR_NONE;
}
