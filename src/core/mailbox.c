/* mailbox.c - see mailbox.h.
 *
 * A full mailbox has two causes: its owner does not read, or others write
 * faster than it can read.  In the first case the owner is evicted, or one dead
 * tab would silence a room.  In the second it is not, or any member could throw
 * the others out; instead, an event that does not fit is refused to its sender.
 * mailbox_is_fetched() tells them apart.  Polling alone proves nothing, since a
 * member that polls and never acknowledges would silence the room as well.  So
 * the mail must not grow old either.  Its age is sampled, as TCP samples round
 * trips: one event at a time is timed, the newest, and when that is
 * acknowledged, the then newest.
 */
#include "core/mailbox.h"

#include <stdlib.h>

#include "base/metric.h"
#include "core/cache.h"
#include "core/presence.h"

#define FETCHED_MS 10000 /* between two polls, at most */
#define LATE_MS 30000    /* between getting an event and acknowledging it */
/* The part of a mailbox that remembered replies may take before their owner
 * has filled it itself. */
#define REPLY_PART 4

/* Start timing the newest event until it is acknowledged. */
static void
watch_newest(const struct world *world, struct player *player)
{
	player->late_id = player->last_id;
	player->late_ms = presence_now_ms(world);
}

enum err
mailbox_load(struct world *world, struct player *player)
{
	uint64_t last_id, bytes, reply_bytes;
	enum err err;

	if (player->has_mailbox)
		return ERR_NONE;
	err = world->store->events_last_id(world->store, player->id, &last_id);
	if (err)
		return err;
	/* The mark may refer to events that a rollback has removed. */
	if (player->acked > last_id)
		player->acked = last_id;
	err = world->store->events_bytes(
	    world->store, player->id, player->acked, &bytes);
	if (!err)
		err = world->store->replies_bytes(
		    world->store, player->id, &reply_bytes);
	if (err)
		return err;
	player->last_id = last_id;
	player->bytes = bytes;
	player->reply_bytes = reply_bytes;
	watch_newest(world, player);
	player->has_mailbox = true;
	return ERR_NONE;
}

/* mailbox_has_capacity(), with limits raised by the spare numbers. */
static bool
has_capacity_within(const struct world *world, const struct player *player,
    uint64_t n, uint64_t size_bytes, uint64_t spare_events,
    uint64_t spare_bytes)
{
	uint64_t max_events = world->settings->max_mailbox_events;
	uint64_t max_bytes = world->settings->max_mailbox_bytes;

	if (max_events &&
	    player->last_id - player->acked + n > max_events + spare_events)
		return false;
	return max_bytes == 0 ||
	    player->bytes + player->reply_bytes + size_bytes <=
	    max_bytes + spare_bytes;
}

bool
mailbox_has_capacity(const struct world *world, const struct player *player,
    uint64_t n, uint64_t size_bytes)
{
	return has_capacity_within(world, player, n, size_bytes, 0, 0);
}

bool
mailbox_is_fetched(const struct world *world, const struct player *player)
{
	uint64_t max_bytes = world->settings->max_mailbox_bytes;
	int64_t now_ms = presence_now_ms(world);

	if (max_bytes && player->reply_bytes > max_bytes / REPLY_PART)
		return false;
	if (!player->parked && player->sent_id <= player->acked &&
	    now_ms - player->polled_ms >= FETCHED_MS)
		return false;
	return player->last_id == player->acked ||
	    now_ms - player->late_ms < LATE_MS;
}

/* The one place where an event gets its id. */
static MUST_CHECK enum err
append(struct world *world, struct player *player, int64_t message, size_t size)
{
	enum err err = world->store->event_append(
	    world->store, player->id, player->last_id + 1, message, size);

	if (err)
		return err;
	player->last_id++;
	player->bytes += size;
	if (player->last_id == player->acked + 1)
		watch_newest(world, player);
	metric_observe(METRIC_ROW_MAILBOX_EVENTS,
	    (int64_t)(player->last_id - player->acked));
	if (player->parked)
		list_append(&world->woken, &player->woken);
	return ERR_NONE;
}

enum err
mailbox_send(struct world *world, struct player *player, enum event_kind kind,
    struct span body)
{
	int64_t message;
	enum err err;

	err = mailbox_load(world, player);
	if (err)
		return err;
	if (!mailbox_has_capacity(world, player, 1, body.len))
		return ERR_MAILBOX_FULL;
	err = world->store->message_insert(
	    world->store, (int)kind, body, 1, &message);
	if (err)
		return err;
	return append(world, player, message, body.len);
}

static MUST_CHECK enum err
find_loaded(struct world *world, uint32_t id, struct player **out)
{
	enum err err = player_find(world, id, out);

	return err ? err : mailbox_load(world, *out);
}

enum err
mailbox_check(struct world *world, const uint32_t *players, size_t n,
    enum event_kind kind, uint64_t size_bytes)
{
	bool is_notice = kind != EVENT_ROOM_MESSAGE;

	for (size_t i = 0; i < n; i++) {
		struct player *player;
		enum err err = find_loaded(world, players[i], &player);

		if (err)
			return err;
		if (!has_capacity_within(world, player, 1, size_bytes,
			is_notice ? MAILBOX_SPARE_EVENTS : 0,
			is_notice ? MAILBOX_SPARE_BYTES : 0) &&
		    mailbox_is_fetched(world, player))
			return ERR_MAILBOX_FULL;
	}
	return ERR_NONE;
}

/* Find the players that get the event, and list the others for eviction.  A
 * player that is already listed gets nothing more. */
static MUST_CHECK enum err
find_recipients(struct world *world, const uint32_t *players, size_t n,
    uint32_t except, size_t size, struct player **recipients, size_t *out_n)
{
	size_t n_recipients = 0;

	for (size_t i = 0; i < n; i++) {
		struct player *player;
		enum err err;

		if (players[i] == except)
			continue;
		err = find_loaded(world, players[i], &player);
		if (err)
			return err;
		if (!list_is_empty(&player->evicted))
			continue;
		if (mailbox_has_capacity(world, player, 1, size) ||
		    mailbox_is_fetched(world, player))
			recipients[n_recipients++] = player;
		else
			list_append(&world->evicted, &player->evicted);
	}
	*out_n = n_recipients;
	return ERR_NONE;
}

enum err
mailbox_broadcast(struct world *world, const uint32_t *players, size_t n,
    uint32_t except, enum event_kind kind, struct span body)
{
	struct player **recipients;
	size_t n_recipients = 0;
	int64_t message;
	enum err err;

	if (n == 0)
		return ERR_NONE;
	recipients = mem_resize(NULL, n, sizeof(struct player *));
	err = find_recipients(
	    world, players, n, except, body.len, recipients, &n_recipients);
	if (err || n_recipients == 0)
		goto out;
	err = world->store->message_insert(
	    world->store, (int)kind, body, (uint32_t)n_recipients, &message);
	for (size_t i = 0; !err && i < n_recipients; i++)
		err = append(world, recipients[i], message, body.len);
out:
	free(recipients);
	return err;
}

enum err
mailbox_acknowledge(struct world *world, struct player *player, uint64_t upto)
{
	uint64_t bytes = 0;

	if (upto > player->last_id)
		upto = player->last_id;
	if (upto <= player->acked)
		return ERR_NONE;
	if (upto < player->last_id) {
		enum err err = world->store->events_bytes(
		    world->store, player->id, upto, &bytes);

		if (err)
			return err;
	}
	world->n_acked += upto - player->acked;
	player->acked = upto;
	player->bytes = bytes;
	if (upto >= player->late_id)
		watch_newest(world, player);
	list_append(&world->trim, &player->trim);
	return ERR_NONE;
}
