/* poll.c - see poll.h. */
#include "engine/poll.h"

#include "api/events.h"
#include "api/reply.h"
#include "base/clock.h"
#include "base/random.h"
#include "core/parking.h"
#include "core/presence.h"

#define JITTER_PERCENT 10 /* of the hold, so that crowds disperse */

/* "poll_after_ms" */
#define AFTER_SUPERSEDED_MS 5000
#define AFTER_DRAIN_MIN_MS 250
#define AFTER_DRAIN_MAX_MS 3000
#define AFTER_CROWDED_MIN_MS 1000
#define AFTER_CROWDED_MAX_MS 3000

/* When no more polls can be held, a poll that has been held for less than this
 * keeps its place: that of a player in the lobby, against others in the lobby;
 * that of a player in a room.
 */
#define CROWDED_LOBBY_MS 250
#define CROWDED_ROOM_MS 1000

static void
begin_reply(struct request *request)
{
	buf_add_text(reply_begin(request, 200), "{");
}

static void
end_reply(struct request *request, uint32_t after_ms)
{
	struct buf *out = &request->reply.body;

	if (request->poll_end == POLL_SUPERSEDED)
		buf_add_text(out, ",\"superseded\":true");
	if (after_ms) {
		buf_add_text(out, ",\"poll_after_ms\":");
		buf_add_int(out, after_ms);
	}
	buf_add_text(out, "}");
}

/* Answer a parked poll, whose mailbox is therefore empty, before it is due. */
static void
answer_empty(struct transaction *txn, struct request *request,
    enum poll_end end, uint32_t after_ms)
{
	const struct player *player = request->parked.player;

	begin_reply(request);
	request->poll_end = end;
	buf_add_text(&request->reply.body, "\"events\":[],\"next\":");
	buf_add_int(&request->reply.body, (int64_t)player->acked);
	end_reply(request, after_ms);
	parking_remove(txn->world, &request->parked);
	transaction_finish(txn, request);
}

void
poll_answer_drained(struct transaction *txn, struct request *request)
{
	answer_empty(txn, request, POLL_DRAINED,
	    random_between(AFTER_DRAIN_MIN_MS, AFTER_DRAIN_MAX_MS));
}

static int64_t
hold_ms(const struct settings *settings, const struct poll_args *args)
{
	int64_t ms = settings->poll_wait_ms;

	if (args->has_wait)
		ms = args->wait_s <
			(uint64_t)settings->poll_wait_max_ms / 1000 ?
		    (int64_t)args->wait_s * 1000 :
		    settings->poll_wait_max_ms;
	return ms -
	    ms * (int64_t)random_between(0, 1000) * JITTER_PERCENT / 100 / 1000;
}

static bool
may_hold(const struct request *request)
{
	return !request->no_hold && !request->is_due &&
	    !(request->poll.has_wait && request->poll.wait_s == 0);
}

static uint32_t
crowded_ms(void)
{
	return random_between(AFTER_CROWDED_MIN_MS, AFTER_CROWDED_MAX_MS);
}

/* Make a place among the parked polls: answer the one that has been held for
 * longest.  So a crowd shares the places, each poll being held for less, and a
 * player whose polls are answered with mail keeps its place.  The lobby goes
 * first, since no mail comes there.  false: none has been held for long enough.
 */
static bool
take_longest_place(struct transaction *txn, const struct player *newest)
{
	const int64_t spared_ms[] = { newest->room ? 0 : CROWDED_LOBBY_MS,
		CROWDED_ROOM_MS };

	for (int i = 0; i < 2; i++) {
		struct parked *longest = parking_longest(txn->world, i);

		if (!longest ||
		    clock_now_ms() - longest->since_ms < spared_ms[i])
			continue;
		/* A poll with mail leaves its place after the commit. */
		if (list_is_empty(&longest->player->woken))
			answer_empty(txn, transaction_request_of(longest),
			    POLL_CROWDED, crowded_ms());
		return true;
	}
	return false;
}

/* Park the poll in the place of an older one.  false, and *out_after_ms set:
 * no poll can be held at the moment. */
static bool
park(struct transaction *txn, struct request *request, struct player *player,
    uint32_t *out_after_ms)
{
	struct world *world = txn->world;
	uint64_t max = world->settings->max_parked;

	if (txn->is_draining) {
		request->poll_end = POLL_DRAINED;
		*out_after_ms = random_between(
		    AFTER_DRAIN_MIN_MS, AFTER_DRAIN_MAX_MS);
		return false;
	}
	if (player->parked)
		answer_empty(txn,
		    CONTAINER_OF(player->parked, struct request, parked),
		    POLL_SUPERSEDED, AFTER_SUPERSEDED_MS);
	if (max && world->parked.len >= max &&
	    !take_longest_place(txn, player)) {
		request->poll_end = POLL_CROWDED;
		*out_after_ms = crowded_ms();
		return false;
	}
	request_reset_reply(request);
	buf_fini(&request->reply.body); /* to be small while it waits */
	parking_add(world, player, &request->parked,
	    clock_now_ms() + hold_ms(world->settings, &request->poll));
	return true;
}

enum err
poll_run(struct transaction *txn, struct request *request)
{
	static const enum poll_end ends[] = {
		[LOOK_MAIL] = POLL_MAIL,
		[LOOK_RESET] = POLL_RESET,
		[LOOK_LATE] = POLL_LATE,
		[LOOK_EMPTY] = POLL_EMPTY,
	};
	struct player *player;
	enum end_reason reason = END_UNREGISTERED;
	uint32_t after_ms = 0;
	bool has_acked;
	enum look look;
	enum err err;

	err = transaction_find_session(txn, request, &player, &reason);
	if (err == ERR_TIMED_OUT) {
		reply_fail_ended(request, reason);
		return ERR_NONE;
	}
	if (err == ERR_NO_SESSION || (!err && request->err)) {
		if (!err || request_hides_token(request))
			err = request->err;
		reply_fail(request, err);
		return ERR_NONE;
	}
	if (err)
		return err;
	err = events_look(
	    txn->world, player, &request->poll, &look, &has_acked);
	if (err)
		return err;
	/* A poll that acknowledges is free, even if the batch runs again and
	 * finds its events acknowledged already; and a poll that was held has
	 * paid. */
	request->is_charged |= has_acked || request->is_due;
	if (!transaction_pay_poll(txn, request, player))
		return ERR_NONE;
	begin_reply(request);
	err = events_add_found(
	    txn->world, player, &request->poll, look, &request->reply);
	if (err)
		return err;
	request->poll_end = ends[look];
	if (look == LOOK_EMPTY && may_hold(request) &&
	    park(txn, request, player, &after_ms))
		return ERR_NONE;
	end_reply(request, after_ms);
	return ERR_NONE;
}

void
poll_answer_parked(struct transaction *txn, struct parked *parked)
{
	struct request *request = transaction_request_of(parked);

	parking_remove(txn->world, parked);
	request->is_due = true;
	if (poll_run(txn, request))
		reply_fail(request, ERR_STORAGE);
	transaction_finish(txn, request);
}
