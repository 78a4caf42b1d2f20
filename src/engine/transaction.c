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
turn_begin(struct turn *turn)
{
	turn->begun_us = clock_now_us();
	return turn->world->store->begin(turn->world->store);
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

/* Commit; with anything written, acknowledged events go along when they are
 * many (few are upkeep.c's).  Not while writing fails: what would fit alone
 * must not fail with them. */
static MUST_CHECK enum err
commit(struct turn *turn)
{
	struct store *store = turn->world->store;
	bool has_written = store->has_written(store);
	enum err err = ERR_NONE;

	if (has_written && !turn->is_failing &&
	    world_has_much_trim(turn->world))
		err = world_trim(turn->world, WORLD_MAX_TRIM);
	if (!err)
		err = measure_commit(store, has_written);
	if (err == ERR_FATAL)
		end_process();
	if (!err && has_written) {
		turn->is_failing = false;
		turn->written_ms = clock_now_ms();
	}
	return err;
}

void
turn_watch(struct turn *turn)
{
	if (turn->world->store->watch(turn->world->store))
		end_process();
}

static void
answer_ended(struct turn *turn, struct player *player)
{
	struct request *request;

	if (!player->parked)
		return;
	request = turn_request_of(player->parked);
	parking_remove(turn->world, player->parked);
	if (player->end_reason == END_UNREGISTERED)
		reply_fail(request, ERR_NO_SESSION);
	else
		reply_fail_ended(request, player->end_reason);
	request->poll_end = POLL_ENDED;
	turn_finish(turn, request);
}

static void
answer_after_commit(struct turn *turn)
{
	struct world *world = turn->world;
	struct list *node;

	for (node = world->removed.next; node != &world->removed;
	     node = node->next)
		answer_ended(turn, CONTAINER_OF(node, struct player, removed));
	world_committed(world);
	while ((node = list_take_first(&world->woken)) != NULL) {
		struct parked *parked = CONTAINER_OF(node, struct player, woken)
					    ->parked;

		turn_request_of(parked)->woken_us = turn->begun_us;
		metric_add(METRIC_POLL_WAKEUPS, 1);
		turn_answer_parked(turn, parked);
	}
}

enum err
turn_end(struct turn *turn, enum err err)
{
	if (!err)
		err = commit(turn);
	if (err) {
		turn->world->store->rollback(turn->world->store);
		world_rolled_back(turn->world);
		turn->is_failing = true;
		return err;
	}
	answer_after_commit(turn);
	return ERR_NONE;
}
