/* expiry.c - see expiry.h. */
#include "core/expiry.h"

#include <assert.h>

#include "core/player.h"
#include "core/presence.h"
#include "core/room.h"

#define SWEEP_CHUNK 256 /* players loaded in one go */

/* Each of these returns the first of its list if it has timed out, else NULL.
 */
static struct player *
find_stopped_polling(const struct world *world, int64_t now_ms)
{
	int64_t limit_ms = world->settings->player_timeout_ms;
	struct list *node = list_first(&world->seen);
	struct player *player;

	if (!node || limit_ms == 0)
		return NULL;
	player = CONTAINER_OF(node, struct player, seen);
	return now_ms - player->seen_ms >= limit_ms ? player : NULL;
}

static struct player *
find_left_in_lobby(const struct world *world, int64_t now_ms)
{
	int64_t limit_ms = world->settings->lobby_timeout_ms;
	struct list *node = list_first(&world->lobby);
	struct player *player;

	if (!node || limit_ms == 0)
		return NULL;
	player = CONTAINER_OF(node, struct player, lobby);
	return now_ms - player->lobby_since_ms >= limit_ms ? player : NULL;
}

static struct room *
find_inactive(const struct world *world, int64_t now_ms)
{
	int64_t limit_ms = world->settings->room_timeout_ms;
	struct list *node = list_first(&world->active);
	struct room *room;

	if (!node || limit_ms == 0)
		return NULL;
	room = CONTAINER_OF(node, struct room, active);
	return now_ms - room->active_ms >= limit_ms ? room : NULL;
}

static struct room *
find_lingering(const struct world *world, int64_t now_ms)
{
	int64_t limit_ms = world->settings->sealed_linger_ms;
	struct list *node = list_first(&world->sealed);
	struct room *room;

	if (!node || limit_ms == 0)
		return NULL;
	room = CONTAINER_OF(node, struct room, sealed);
	return now_ms - room->sealed_ms >= limit_ms ? room : NULL;
}

static bool
is_sweep_due(const struct world *world, int64_t now_ms)
{
	const struct settings *settings = world->settings;
	const int64_t limits[] = { settings->player_timeout_ms,
		settings->lobby_timeout_ms, settings->room_timeout_ms,
		settings->sealed_linger_ms };

	if (world->is_swept || now_ms < world->sweep_ms)
		return false;
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++)
		if (limits[i] && now_ms - world->start_ms >= limits[i])
			return true;
	return false;
}

bool
expiry_is_due(const struct world *world)
{
	int64_t now_ms = presence_now_ms(world);

	return is_sweep_due(world, now_ms) ||
	    find_stopped_polling(world, now_ms) ||
	    find_left_in_lobby(world, now_ms) || find_inactive(world, now_ms) ||
	    find_lingering(world, now_ms);
}

/* Loading a player loads its room too. */
static MUST_CHECK enum err
sweep(struct world *world)
{
	uint32_t ids[SWEEP_CHUNK];
	size_t n;
	enum err err;

	err = world->store->players_after(
	    world->store, world->swept_id, SWEEP_CHUNK, ids, &n);
	for (size_t i = 0; !err && i < n; i++) {
		struct player *player;

		err = player_find(world, ids[i], &player);
		if (err == ERR_ABSENT) /* ended in this transaction */
			err = ERR_NONE;
	}
	if (err)
		return err;
	if (n)
		world->swept_id = ids[n - 1];
	world->is_swept = n < SWEEP_CHUNK;
	/* After a rollback there is no hurry, and another may follow soon. */
	if (world->generation)
		world->sweep_ms = presence_now_ms(world) + PRESENCE_TICK_MS;
	return ERR_NONE;
}

/* End one session or room; *out_done false: none was overdue.  A player that
 * times out gets no more events, so players come before rooms. */
static MUST_CHECK enum err
expire_one(struct world *world, int64_t now_ms, bool *out_done)
{
	struct player *player;
	struct room *room;
	enum err err;

	*out_done = true;
	if ((player = find_stopped_polling(world, now_ms)) != NULL) {
		err = player_refresh(world, player);
		return err ? err :
			     player_end(world, player, END_STOPPED_POLLING);
	}
	if ((player = find_left_in_lobby(world, now_ms)) != NULL) {
		err = player_refresh(world, player);
		if (err || player->room) /* a rollback put it back there */
			return err;
		return player_end(world, player, END_LEFT_IN_LOBBY);
	}
	if ((room = find_lingering(world, now_ms)) != NULL)
		return room_close(world, room, span_of("\"Room Cleaned Up\""));
	if ((room = find_inactive(world, now_ms)) != NULL)
		return room_close(world, room, span_of("\"Room Is Inactive\""));
	*out_done = false;
	return ERR_NONE;
}

enum err
expiry_run(struct world *world, size_t max)
{
	int64_t now_ms = presence_now_ms(world);
	bool done = true;
	enum err err = ERR_NONE;

	if (is_sweep_due(world, now_ms))
		err = sweep(world);
	for (size_t i = 0; !err && done && i < max; i++) {
		err = expire_one(world, now_ms, &done);
		assert(err != ERR_ABSENT); /* a rollback clears the lists */
		if (!err)
			err = player_evict(world);
	}
	return err;
}
