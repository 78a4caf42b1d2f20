/* commands.c - see commands.h. */
#include "api/commands.h"

#include "api/command.h"
#include "api/poll.h"
#include "api/reply.h"
#include "api/route.h"
#include "api/token.h"
#include "base/clock.h"
#include "base/metric.h"
#include "core/player.h"
#include "core/presence.h"

#define KEPT_REPLIES 64 /* a player */
#define KEPT_S 600      /* none younger is forgotten, unless there are more */
#define MAX_TEXT ((size_t)16 << 20)
/* With this much to be kept for one key, further commands of its array fail:
 * an array of joins could be remembered in megabytes. */
#define MAX_RECORD ((size_t)64 << 10)

static bool
begins_with_register(const struct request *request)
{
	return request->n_calls && request->calls[0].command &&
	    request->calls[0].command->is_register;
}

/* Who is calling.  *out_player NULL: nobody yet, it is a register.  Writes
 * the failure reply itself, and then *out_failed. */
static MUST_CHECK enum err
find_caller(struct turn *turn, struct request *request,
    struct player **out_player, bool *out_failed)
{
	bool is_route = request->route->kind == ROUTE_COMMAND;
	enum end_reason reason = END_UNREGISTERED;
	enum err err;

	*out_failed = false;
	*out_player = NULL;
	err = turn_find_session(turn, request, out_player, &reason);
	if (err == ERR_NONE || err == ERR_STORAGE)
		return err;
	*out_player = NULL;
	if (begins_with_register(request) && (is_route || !request->has_token))
		return ERR_NONE;
	*out_failed = true;
	/* The token may stand in a body that cannot be read. */
	if (err == ERR_NO_SESSION && !is_route && !request->has_token &&
	    request->err == ERR_BAD_JSON)
		err = request->err;
	reply_fail_session(request, err, reason);
	return ERR_NONE;
}

/* Pay for the request: so many commands of the player's, or a register.
 * false: too many, and the failure reply is written. */
static bool
pay(struct turn *turn, struct request *request, struct player *player,
    uint32_t n_commands)
{
	struct world *world = turn->world;
	const struct settings *settings = world->settings;
	int64_t now_ms = clock_now_ms(), wait_ms = 0;

	if (request->is_charged || request->n_calls == 0)
		return true;
	if (player)
		wait_ms = bucket_take(&player->commands, settings->command_rate,
		    now_ms, n_commands);
	else if (!request->is_exempt)
		wait_ms = address_buckets_take(&world->registers,
		    request->address, settings->register_rate, now_ms);
	request->is_charged = wait_ms == 0;
	if (wait_ms == 0)
		return true;
	metric_add(
	    player ? METRIC_LIMITED_COMMANDS : METRIC_LIMITED_REGISTERS, 1);
	reply_fail(request, ERR_RATE_LIMITED);
	request->reply.retry_after_s = (unsigned)((wait_ms + 999) / 1000);
	return false;
}

static MUST_CHECK enum err
run_call(struct session *session, const struct call *call, struct outcome *out)
{
	enum err err, evict_err;

	if (session->is_over)
		return ERR_NO_SESSION;
	if (session->player && session->player->is_removed)
		return ERR_TIMED_OUT;
	if (call->err)
		return call->err;
	if (!session->player && !call->command->is_register)
		return ERR_NO_SESSION;
	err = call->command->run(session, call, out);
	if (err == ERR_STORAGE)
		return err;
	evict_err = player_evict(session->world);
	if (evict_err)
		return evict_err;
	if (session->player && session->player->is_removed)
		return ERR_TIMED_OUT;
	return err;
}

/* Whether the replies so far are as much as is kept with a key. */
static bool
is_record_full(const struct request *request, const struct buf *record)
{
	return request->has_key && record->len > MAX_RECORD;
}

/* The commands that follow a register in one request are the new player's. */
static void
pay_rest(const struct session *session, const struct request *request)
{
	/* A new bucket is full, and so pays whatever it is asked. */
	if (request->n_calls > 1 && session->player)
		(void)bucket_take(&session->player->commands,
		    session->world->settings->command_rate, clock_now_ms(),
		    (uint32_t)request->n_calls - 1);
}

/* Run all calls into the record.  A single call's failure is the request's:
 * it comes in *out_failure. */
static MUST_CHECK enum err
run_calls(struct session *session, struct request *request, struct buf *record,
    enum err *out_failure)
{
	bool is_register = !session->player;
	struct outcome outcome;
	enum err err = ERR_NONE;

	*out_failure = ERR_NONE;
	buf_init(&outcome.text, MAX_TEXT);
	for (size_t i = 0; i < request->n_calls; i++) {
		const struct call *call = &request->calls[i];

		outcome.kind = OUTCOME_NONE;
		buf_reset(&outcome.text);
		err = is_record_full(request, record) ?
		    ERR_TOO_LARGE :
		    run_call(session, call, &outcome);
		if (err == ERR_STORAGE)
			break;
		if (err) {
			*out_failure = err;
			reply_set_failed(&outcome, call, err,
			    session->player ? session->player->end_reason :
					      END_UNREGISTERED);
		}
		if (i == 0 && is_register)
			pay_rest(session, request);
		reply_record(record, &outcome);
		err = ERR_NONE;
	}
	if (outcome.text.overflowed || record->overflowed)
		err = ERR_STORAGE;
	buf_fini(&outcome.text);
	return err;
}

/* Remember the record with the key.  A session that has ended meanwhile has
 * nothing to remember it with. */
static MUST_CHECK enum err
remember(struct turn *turn, const struct request *request, int64_t scope,
    const struct player *player, struct span record)
{
	struct store *store = turn->world->store;
	int64_t now_s = store->now_s(store);
	struct reply_row row = {
		.scope = scope, .body = record, .created_s = now_s
	};

	if (!request->has_key || !player || player->is_removed)
		return ERR_NONE;
	row.player = player->id;
	memcpy(row.key_hash, request->key_hash, DIGEST_SIZE);
	memcpy(row.request_hash, request->request_hash, DIGEST_SIZE);
	return store->reply_insert(store, &row, now_s - KEPT_S, KEPT_REPLIES);
}

static MUST_CHECK enum err
finish_reply(struct turn *turn, struct request *request,
    struct session *session, struct span record)
{
	struct player *player = session->player;
	struct buf *out = &request->reply.body;
	enum err err = ERR_NONE;

	reply_render(request, record, session->token);
	if (!request->is_wrapped)
		return ERR_NONE;
	if (player && player->is_removed)
		player = NULL;
	if (request->poll.has_after) {
		buf_add_text(out, ",");
		err = poll_add_events(turn, player, request);
	}
	buf_add_text(out, "}");
	return err;
}

/* What was answered before, until the store is asked again.  *out_found
 * false: nothing was. */
static MUST_CHECK enum err
find_answered(struct turn *turn, const struct request *request, int64_t scope,
    struct reply_row *out_row, bool *out_found)
{
	struct store *store = turn->world->store;
	enum err err;

	*out_found = false;
	if (!request->has_key)
		return ERR_NONE;
	err = store->reply_find(store, scope, request->key_hash, out_row);
	*out_found = err == ERR_NONE;
	return err == ERR_ABSENT ? ERR_NONE : err;
}

/* Answer what was answered before. */
static MUST_CHECK enum err
replay(struct turn *turn, struct request *request, struct session *session,
    const struct reply_row *row)
{
	struct world *world = turn->world;
	struct buf record;
	enum err err = ERR_NONE;

	if (memcmp(row->request_hash, request->request_hash, DIGEST_SIZE)) {
		reply_fail(request, ERR_IDEMPOTENCY_MISMATCH);
		return ERR_NONE;
	}
	buf_init(&record, MAX_TEXT);
	buf_add_span(&record, row->body);
	if (!session->player) {
		err = player_find(world, row->player, &session->player);
		if (!err)
			presence_seen(world, session->player);
		if (!err)
			err = token_derive(world->store,
			    request->idempotency_key, row->player,
			    session->token);
	}
	if (!err)
		err = finish_reply(turn, request, session, buf_span(&record));
	buf_fini(&record);
	request->reply.is_replay = true;
	return err;
}

static MUST_CHECK enum err
run_fresh(struct turn *turn, struct request *request, struct session *session,
    int64_t scope)
{
	bool is_single = !request->is_array;
	enum err failure, err;
	struct buf record;

	buf_init(&record, MAX_TEXT);
	err = run_calls(session, request, &record, &failure);
	if (!err && !(is_single && failure))
		err = remember(
		    turn, request, scope, session->player, buf_span(&record));
	if (err)
		goto out;
	if (is_single && failure == ERR_TIMED_OUT && !request->is_wrapped)
		reply_fail_ended(request, session->player->end_reason);
	else if (is_single && failure && !request->is_wrapped)
		reply_fail(request, failure);
	else
		err = finish_reply(turn, request, session, buf_span(&record));
out:
	buf_fini(&record);
	return err;
}

enum err
commands_run(struct turn *turn, struct request *request)
{
	struct session session = { .world = turn->world, .request = request };
	bool has_failed, is_answered;
	struct reply_row row;
	int64_t scope;
	enum err err;

	err = find_caller(turn, request, &session.player, &has_failed);
	if (err || has_failed)
		return err;
	if (request->err) {
		reply_fail(request, request->err);
		return ERR_NONE;
	}
	if (request->has_key && !session.player &&
	    request->idempotency_key.len < REQUEST_MIN_OPEN_KEY) {
		reply_fail(request, ERR_BAD_KEY);
		return ERR_NONE;
	}
	scope = session.player ? (int64_t)session.player->id : 0;
	err = find_answered(turn, request, scope, &row, &is_answered);
	if (err)
		return err;
	/* A path that loses replies must not use up the rate: an array is
	 * paid for once, however often its answer is asked for. */
	if (!pay(turn, request, session.player,
		is_answered ? 1 : (uint32_t)request->n_calls))
		return ERR_NONE;
	return is_answered ? replay(turn, request, &session, &row) :
			     run_fresh(turn, request, &session, scope);
}
