/* transaction.c - see transaction.h. */
#include "api/transaction.h"

#include <assert.h>

#include "api/reply.h"
#include "base/clock.h"
#include "base/metric.h"
#include "core/player.h"
#include "core/presence.h"

struct request *
transaction_request_of(struct parked *parked)
{
	return CONTAINER_OF(parked, struct request, parked);
}

enum err
transaction_find_session(struct transaction *txn, const struct request *request,
    struct player **out, enum end_reason *out_reason)
{
	struct world *world = txn->world;
	enum err err;

	if (!request->has_token)
		return ERR_NO_SESSION;
	err = player_find_by_token(world, request->token_hash, out);
	if (!err) {
		presence_used(*out);
		presence_seen(world, *out);
	}
	if (err != ERR_ABSENT)
		return err;
	err = player_find_ended(world, request->token_hash, out_reason);
	if (err == ERR_ABSENT)
		return ERR_NO_SESSION;
	return err ? err : ERR_TIMED_OUT;
}

bool
transaction_pay_poll(
    struct transaction *txn, struct request *request, struct player *player)
{
	int64_t wait_ms = 0;

	if (!request->is_charged)
		wait_ms = bucket_take(&player->polls,
		    txn->world->settings->poll_rate, clock_now_ms(), 1);
	request->is_charged = wait_ms == 0;
	if (request->is_charged)
		return true;
	metric_add(METRIC_LIMITED_POLLS, 1);
	reply_fail(request, ERR_RATE_LIMITED);
	request->reply.retry_after_s = (unsigned)((wait_ms + 999) / 1000);
	return false;
}

void
transaction_finish(struct transaction *txn, struct request *request)
{
	assert(request->reply.status && !request->parked.player);
	assert(!request->is_finished);
	if (request->reply.body.overflowed)
		reply_fail(request, ERR_STORAGE); /* not half of it */
	request->is_finished = true;
	if (request->reply.sent_to)
		player_note_sent(
		    txn->world, request->reply.sent_to, request->reply.sent_id);
	queue_chain_append(&txn->done, &request->run.item);
}
