/* commit.c - see commit.h.
 *
 * Acknowledged events are deleted late: with a transaction that commits anyway
 * once there are many, or after a second.  Many at once are cheaper, and an
 * acknowledgement must never cause a commit of its own, or every poll would
 * cost one.  A crash may forget the mark; the client's next cursor repeats it.
 */
#include "core/commit.h"

#include <stdlib.h>

#include "base/metric.h"
#include "core/cache.h"
#include "core/presence.h"

#define TRIM_CHUNK 256
#define MUCH_TRIM 256 /* events: about half a millisecond's work */

static void
note_committed(struct world *world)
{
	world->n_players_committed = world->n_players;
	world->n_rooms_committed = world->n_rooms;
	metric_set(METRIC_PLAYERS, world->n_players);
	metric_set(METRIC_ROOMS, world->n_rooms);
}

enum err
world_init(
    struct world *world, struct store *store, const struct settings *settings)
{
	enum err err;

	*world = (struct world){ .store = store, .settings = settings };
	list_init(&world->woken);
	list_init(&world->evicted);
	list_init(&world->added);
	list_init(&world->removed);
	list_init(&world->trim);
	list_init(&world->trimming);
	presence_init(world);
	heap_init(&world->parked);
	list_init(&world->parked_longest[false]);
	list_init(&world->parked_longest[true]);
	address_buckets_init(&world->registers);
	err = store->count_players(store, &world->n_players);
	if (!err)
		err = store->count_rooms(store, &world->n_rooms);
	return err;
}

enum err
world_check_space(struct world *world, size_t bytes)
{
	return world->store->check_space(
	    world->store, bytes, world->settings->max_database);
}

static void
free_rooms(struct world *world)
{
	struct room *room, *next;

	HASH_ITER (hh, world->rooms, room, next)
		room_free(world, room);
}

void
world_fini(struct world *world)
{
	struct player *player, *next;

	HASH_ITER (hh_id, world->players_by_id, player, next)
		player_free(world, player);
	free_rooms(world);
	heap_fini(&world->parked);
	address_buckets_fini(&world->registers);
}

bool
world_has_trim(const struct world *world)
{
	return !list_is_empty(&world->trim);
}

bool
world_has_much_trim(const struct world *world)
{
	return world->n_acked >= MUCH_TRIM;
}

enum err
world_trim(struct world *world, size_t max)
{
	struct trim trims[TRIM_CHUNK];
	enum err err = ERR_NONE;

	world->n_acked = 0;
	while (!err && max > 0 && !list_is_empty(&world->trim)) {
		size_t n = 0;

		while (
		    n < TRIM_CHUNK && n < max && !list_is_empty(&world->trim)) {
			struct player *player = CONTAINER_OF(
			    list_first(&world->trim), struct player, trim);

			list_append(&world->trimming, &player->trim);
			trims[n++] = (struct trim){ player->id, player->acked };
		}
		err = world->store->events_trim(world->store, trims, n);
		max -= n;
	}
	return err;
}

void
world_committed(struct world *world)
{
	struct list *node;

	while ((node = list_first(&world->removed)) != NULL) {
		struct player *player = CONTAINER_OF(
		    node, struct player, removed);

		metric_add(METRIC_SESSIONS_ENDED + player->end_reason, 1);
		player_free(world, player);
	}
	while (list_take_first(&world->added))
		;
	while (list_take_first(&world->trimming))
		;
	note_committed(world);
}

void
world_rolled_back(struct world *world)
{
	struct list *node;

	world->generation++;
	while ((node = list_take_first(&world->removed)) != NULL) {
		struct player *player = CONTAINER_OF(
		    node, struct player, removed);

		player->is_removed = false;
		presence_seen(world, player);
		if (!player->is_used)
			list_append(&world->unused, &player->unused);
		list_append(&world->trim, &player->trim);
	}
	while ((node = list_first(&world->added)) != NULL)
		player_free(world, CONTAINER_OF(node, struct player, added));
	while ((node = list_first(&world->trimming)) != NULL)
		list_append(&world->trim, node);
	while (list_take_first(&world->evicted))
		;
	while (list_take_first(&world->woken))
		;
	free_rooms(world);
	/* Their clocks were freed with the rooms: have all loaded again. */
	world->is_swept = false;
	world->swept_id = 0;
	world->n_players = world->n_players_committed;
	world->n_rooms = world->n_rooms_committed;
}
