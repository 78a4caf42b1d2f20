/* mailbox.c - see mailbox.h. */
#include "core/mailbox.h"

#include <stdlib.h>

#include "base/metric.h"
#include "core/player.h"

enum err
mailbox_load(struct world *world, struct player *player)
{
	uint64_t head, bytes;
	enum err err;

	if (player->has_mailbox)
		return ERR_NONE;
	err = world->store->events_head(world->store, player->id, &head);
	if (err)
		return err;
	/* The mark may be about events that a rollback has taken. */
	if (player->acked > head)
		player->acked = head;
	err = world->store->events_bytes(
	    world->store, player->id, player->acked, &bytes);
	if (err)
		return err;
	player->head = head;
	player->bytes = bytes;
	player->has_mailbox = true;
	return ERR_NONE;
}

bool
mailbox_has_room(
    const struct world *world, const struct player *player, size_t size_bytes)
{
	const struct settings *settings = world->settings;
	uint64_t n_events = player->head - player->acked;

	if (settings->max_mailbox_events &&
	    n_events >= settings->max_mailbox_events)
		return false;
	return settings->max_mailbox_bytes == 0 ||
	    player->bytes + size_bytes <= settings->max_mailbox_bytes;
}

/* The one place where an event gets its id. */
static MUST_CHECK enum err
append(struct world *world, struct player *player, int64_t message, size_t size)
{
	enum err err = world->store->event_append(
	    world->store, player->id, player->head + 1, message, size);

	if (err)
		return err;
	player->head++;
	player->bytes += size;
	metric_observe(
	    METRIC_ROW_MAILBOX_EVENTS, (int64_t)(player->head - player->acked));
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
	if (!mailbox_has_room(world, player, body.len))
		return ERR_MAILBOX_FULL;
	err = world_check_space(world, body.len);
	if (err)
		return err;
	err = world->store->message_insert(
	    world->store, (int)kind, body, 1, &message);
	if (err)
		return err;
	return append(world, player, message, body.len);
}

/* Find out who can take the event; who cannot is listed for eviction.  A
 * player who is to be evicted already gets nothing more. */
static MUST_CHECK enum err
find_takers(struct world *world, const uint32_t *players, size_t n,
    uint32_t except, size_t size, struct player **takers, size_t *out_n)
{
	size_t n_takers = 0;

	for (size_t i = 0; i < n; i++) {
		struct player *player;
		enum err err;

		if (players[i] == except)
			continue;
		err = player_find(world, players[i], &player);
		if (err)
			return err;
		err = mailbox_load(world, player);
		if (err)
			return err;
		if (!list_is_empty(&player->evicted))
			continue;
		if (mailbox_has_room(world, player, size))
			takers[n_takers++] = player;
		else
			list_append(&world->evicted, &player->evicted);
	}
	*out_n = n_takers;
	return ERR_NONE;
}

enum err
mailbox_broadcast(struct world *world, const uint32_t *players, size_t n,
    uint32_t except, enum event_kind kind, struct span body)
{
	struct player **takers;
	size_t n_takers;
	int64_t message;
	enum err err;

	if (n == 0)
		return ERR_NONE;
	takers = mem_resize(NULL, n, sizeof(struct player *));
	err = find_takers(
	    world, players, n, except, body.len, takers, &n_takers);
	if (err || n_takers == 0)
		goto out;
	err = world->store->message_insert(
	    world->store, (int)kind, body, (uint32_t)n_takers, &message);
	for (size_t i = 0; !err && i < n_takers; i++)
		err = append(world, takers[i], message, body.len);
out:
	free(takers);
	return err;
}

enum err
mailbox_acknowledge(struct world *world, struct player *player, uint64_t upto)
{
	uint64_t bytes = 0;

	if (upto > player->head)
		upto = player->head;
	if (upto <= player->acked)
		return ERR_NONE;
	if (upto < player->head) {
		enum err err = world->store->events_bytes(
		    world->store, player->id, upto, &bytes);

		if (err)
			return err;
	}
	world->n_acked += upto - player->acked;
	player->acked = upto;
	player->bytes = bytes;
	list_append(&world->trim, &player->trim);
	return ERR_NONE;
}
