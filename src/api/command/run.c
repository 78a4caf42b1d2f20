/* run.c - see run.h. */
#include "api/command/run.h"

#include "api/command.h"
#include "api/command/remembered.h"
#include "api/events.h"
#include "api/fault.h"
#include "api/reply.h"
#include "api/route.h"
#include "api/token.h"
#include "base/clock.h"
#include "base/metric.h"
#include "core/commit.h"
#include "core/player.h"
#include "core/presence.h"

#define MAX_TEXT ((size_t)16 << 20)
/* After this many bytes of answers, further commands of an array fail: 3 KB of
 * joins can ask for a megabyte.  With a key the answers are also remembered. */
#define MAX_REPLIES ((size_t)256 << 10)
#define MAX_RECORD ((size_t)64 << 10)

enum err
command_check_nothing(struct call *call)
{
	/* Clients of the original server send the string. */
	if (call->data.type == JSON_NULL ||
	    span_equals(call->data.text, "\"null\""))
		return ERR_NONE;
	call->why = fault_in_value(call->data_name, call->data,
	    "null, the string 'null', or left out");
	return ERR_BAD_DATA;
}

void
command_answer_null(struct outcome *out)
{
	out->kind = OUTCOME_TEXT;
	buf_add_text(&out->text, "\"null\"");
}

static bool
begins_with_register(const struct request *request)
{
	return request->n_calls && request->calls[0].command &&
	    request->calls[0].command->is_register;
}

/* Find the caller.  *out_player NULL: none yet, since it is a register.  On
 * failure writes the reply and sets *out_failed. */
static MUST_CHECK enum err
find_caller(struct transaction *txn, struct request *request,
    struct player **out_player, bool *out_failed)
{
	bool is_route = request->route->kind == ROUTE_COMMAND;
	enum end_reason reason = END_UNREGISTERED;
	enum err err;

	*out_failed = false;
	*out_player = NULL;
	err = transaction_find_session(txn, request, out_player, &reason);
	if (err == ERR_NONE || err == ERR_STORAGE)
		return err;
	*out_player = NULL;
	if (begins_with_register(request) && (is_route || !request->has_token))
		return ERR_NONE;
	*out_failed = true;
	if (err == ERR_NO_SESSION && !is_route && request_hides_token(request))
		err = request->err;
	reply_fail_session(request, err, reason);
	return ERR_NONE;
}

static void
set_retry_after(struct request *request, int64_t wait_ms)
{
	request->reply.retry_after_s = (unsigned)((wait_ms + 999) / 1000);
}

/* Charge for the request: its number of commands, or a register.  false: too
 * many, and the failure reply is written. */
static bool
pay(struct transaction *txn, struct request *request, struct player *player,
    uint32_t n_commands)
{
	struct world *world = txn->world;
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
	set_retry_after(request, wait_ms);
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
	if (!err && call->command->answer)
		err = call->command->answer(session, call, out);
	return err;
}

/* Whether there is room for the answer of call i and, with a key, whether it
 * can be kept beside the answers so far and the least that the calls after it
 * may need.
 * ERR_TOO_LARGE, ERR_OWN_MAILBOX_FULL: no.  ERR_STORAGE. */
static MUST_CHECK enum err
check_record(struct session *session, const struct request *request, size_t i,
    const struct buf *record)
{
	const struct call *call = &request->calls[i];
	size_t n_bytes = 0;
	enum err err = ERR_NONE;

	/* The call itself will report it. */
	if (session->is_over ||
	    (session->player && session->player->is_removed))
		return ERR_NONE;
	if (record->len > (request->has_key ? MAX_RECORD : MAX_REPLIES))
		return ERR_TOO_LARGE;
	if (!request->has_key)
		return ERR_NONE;
	if (call->err || !session->player || !call->command->measure)
		return ERR_NONE;
	err = call->command->measure(session, call, &n_bytes);
	if (err)
		return err;
	n_bytes += (request->n_calls - i) * COMMAND_SMALL_ANSWER;
	return record->len + n_bytes <= session->max_record ?
	    ERR_NONE :
	    ERR_OWN_MAILBOX_FULL;
}

/* The commands that follow a register in one request are the new player's. */
static void
pay_rest(const struct session *session, const struct request *request)
{
	/* A new bucket is full, and so can pay any amount. */
	if (request->n_calls > 1 && session->player)
		(void)bucket_take(&session->player->commands,
		    session->world->settings->command_rate, clock_now_ms(),
		    (uint32_t)request->n_calls - 1);
}

/* Run all calls into the record.  The failure of a single call is that of the
 * request: it is in *out_failure. */
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
		err = check_record(session, request, i, record);
		if (!err)
			err = run_call(session, call, &outcome);
		/* The next command begins with an empty text, unmarked. */
		if (!err && outcome.text.overflowed)
			err = ERR_STORAGE;
		if (err == ERR_STORAGE)
			break;
		if (err == ERR_RATE_LIMITED)
			metric_add(METRIC_LIMITED_RELAYS, 1);
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
	if (record->overflowed)
		err = ERR_STORAGE;
	buf_fini(&outcome.text);
	return err;
}

static MUST_CHECK enum err
finish_reply(struct transaction *txn, struct request *request,
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
		err = events_add(txn, player, request);
	}
	buf_add_text(out, "}");
	return err;
}

/* Send the earlier answer again. */
static MUST_CHECK enum err
replay(struct transaction *txn, struct request *request,
    struct session *session, const struct reply_row *row)
{
	struct world *world = txn->world;
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
		err = finish_reply(txn, request, session, buf_span(&record));
	buf_fini(&record);
	request->reply.is_replay = true;
	return err;
}

/* Whether the reply needs no check: the mailbox of a register is empty, that of
 * an unregister is deleted with it, and leaving must always be possible; it
 * takes 11 bytes. */
static bool
is_small_for_sure(const struct request *request)
{
	const struct command *command = request->calls[0].command;

	return request->n_calls == 1 && command &&
	    (command->is_register || command == &command_unregister ||
		command == &command_leave_room);
}

/* A command whose reply cannot be kept must not have an effect either: check
 * that there is room for the small answer of every command.  (A single command
 * is remembered when it has succeeded, so its own check is enough.)
 * ERR_OWN_MAILBOX_FULL, ERR_DATABASE_FULL, ERR_STORAGE. */
static MUST_CHECK enum err
reserve_record(struct session *session, const struct request *request)
{
	size_t n_bytes;
	enum err err;

	if (!request->has_key || request->n_calls == 0 ||
	    is_small_for_sure(request))
		return ERR_NONE;
	n_bytes = request->n_calls * COMMAND_SMALL_ANSWER;
	err = remembered_room(
	    session->world, session->player, &session->max_record);
	if (!err && n_bytes > session->max_record)
		err = ERR_OWN_MAILBOX_FULL;
	if (!err && request->n_calls > 1)
		err = world_check_space(session->world, n_bytes);
	return err;
}

/* Fail the whole request with the failure of its only command. */
static void
fail_single(
    struct request *request, const struct session *session, enum err failure)
{
	if (failure == ERR_TIMED_OUT) {
		reply_fail_ended(request, session->player->end_reason);
		return;
	}
	reply_fail(request, failure);
	if (failure == ERR_RATE_LIMITED)
		set_retry_after(request, request->relay_bill.wait_ms);
}

static MUST_CHECK enum err
run_fresh(struct transaction *txn, struct request *request,
    struct session *session, int64_t scope)
{
	bool is_single = !request->is_array;
	enum err failure, err;
	struct buf record;

	err = reserve_record(session, request);
	if (err == ERR_OWN_MAILBOX_FULL || err == ERR_DATABASE_FULL) {
		reply_fail(request, err);
		return ERR_NONE;
	}
	if (err)
		return err;
	buf_init(&record, MAX_TEXT);
	err = run_calls(session, request, &record, &failure);
	if (!err && !(is_single && failure))
		err = remembered_add(txn->world, request, scope,
		    session->player, buf_span(&record));
	if (err)
		goto out;
	if (is_single && failure && !request->is_wrapped)
		fail_single(request, session, failure);
	else
		err = finish_reply(txn, request, session, buf_span(&record));
out:
	buf_fini(&record);
	return err;
}

enum err
commands_run(struct transaction *txn, struct request *request)
{
	struct session session = { .world = txn->world,
		.request = request,
		.relay_bill = &request->relay_bill };
	bool has_failed, is_answered;
	struct reply_row row;
	int64_t scope;
	enum err err;

	bill_begin(&request->relay_bill);
	err = find_caller(txn, request, &session.player, &has_failed);
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
	err = remembered_find(txn->world, request, scope, &row, &is_answered);
	if (err)
		return err;
	/* A network that loses replies must not use up the rate: an array is
	 * paid for once, however often its answer is requested. */
	if (!pay(txn, request, session.player,
		is_answered ? 1 : (uint32_t)request->n_calls))
		return ERR_NONE;
	return is_answered ? replay(txn, request, &session, &row) :
			     run_fresh(txn, request, &session, scope);
}
