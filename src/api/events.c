/* events.c - see events.h. */
#include "api/events.h"

#include "api/texts.h"
#include "core/mailbox.h"
#include "core/presence.h"

#define MAX_EVENTS 256
#define MAX_BYTES ((size_t)256 << 10)

/* Move the mark as far as the cursor says. */
static MUST_CHECK enum err
apply_cursor(struct world *world, struct player *player,
    const struct poll_args *args, enum look *out)
{
	uint64_t cursor = args->has_after ? args->after : player->sent_id;

	*out = LOOK_EMPTY;
	if (cursor > player->last_id) {
		*out = LOOK_RESET;
		return ERR_NONE;
	}
	if (cursor < player->acked) {
		*out = args->has_after ? LOOK_LATE : LOOK_EMPTY;
		return ERR_NONE;
	}
	return mailbox_acknowledge(world, player, cursor);
}

struct delivery {
	struct buf *out;
	size_t start; /* where the events begin in out */
	uint64_t n, max;
	uint64_t last; /* id of the last one */
};

static bool
on_event(void *cls, uint64_t id, int kind, struct span body)
{
	struct delivery *delivery = cls;
	struct buf *out = delivery->out;
	size_t before = out->len;

	if (delivery->n)
		buf_add_text(out, ",");
	event_text_add(out, id, (enum event_kind)kind, body);
	if (delivery->n && out->len - delivery->start > MAX_BYTES) {
		out->len = before; /* one too many: remove it */
		return false;
	}
	delivery->last = id;
	return ++delivery->n < delivery->max;
}

static MUST_CHECK enum err
add_mail(struct world *world, struct player *player,
    const struct poll_args *args, struct reply *reply)
{
	struct buf *out = &reply->body;
	struct delivery delivery = {
		.out = out, .max = MAX_EVENTS, .last = player->acked
	};
	enum err err = ERR_NONE;

	if (args->has_max && args->max < MAX_EVENTS)
		delivery.max = args->max;
	buf_add_text(out, "\"events\":[");
	delivery.start = out->len;
	if (delivery.max && player->last_id > player->acked)
		err = world->store->events_after(world->store, player->id,
		    player->acked, on_event, &delivery);
	if (err)
		return err;
	/* Recorded in the player by transaction_finish() only: after a rollback
	 * the same events must be found again. */
	reply->sent_to = player->id;
	reply->sent_id = delivery.last;
	buf_add_text(out, "],\"next\":");
	buf_add_int(out, (int64_t)delivery.last);
	if (delivery.last < player->last_id)
		buf_add_text(out, ",\"more\":true");
	return ERR_NONE;
}

/* Never pretend continuity: give the client its true position instead. */
static MUST_CHECK enum err
add_reset(struct world *world, const struct player *player, struct buf *out)
{
	buf_add_text(out, "\"events\":[],\"next\":");
	buf_add_int(out, (int64_t)player->last_id);
	buf_add_text(out, ",\"reset\":true,\"room\":");
	return room_text_add_snapshot(world, player, out);
}

enum err
events_look(struct world *world, struct player *player,
    const struct poll_args *args, enum look *out, bool *out_has_acked)
{
	uint64_t acked;
	enum err err = mailbox_load(world, player);

	presence_polled(world, player);
	if (err)
		return err;
	acked = player->acked;
	err = apply_cursor(world, player, args, out);
	if (err)
		return err;
	if (*out != LOOK_RESET && player->last_id > player->acked)
		*out = LOOK_MAIL;
	*out_has_acked = player->acked > acked;
	return ERR_NONE;
}

enum err
events_add_found(struct world *world, struct player *player,
    const struct poll_args *args, enum look look, struct reply *reply)
{
	return look == LOOK_RESET ? add_reset(world, player, &reply->body) :
				    add_mail(world, player, args, reply);
}

enum err
events_add(
    struct transaction *txn, struct player *player, struct request *request)
{
	struct buf *out = &request->reply.body;
	bool has_acked;
	enum look look;
	enum err err;

	if (player) {
		err = events_look(
		    txn->world, player, &request->poll, &look, &has_acked);
		return err ? err :
			     events_add_found(txn->world, player,
				 &request->poll, look, &request->reply);
	}
	buf_add_text(out, "\"events\":[],\"next\":");
	buf_add_int(out, (int64_t)request->poll.after);
	return ERR_NONE;
}
