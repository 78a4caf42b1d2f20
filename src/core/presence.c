/* presence.c - see presence.h. */
#include "core/presence.h"

#include "base/clock.h"
#include "base/log.h"

#define LATE_MS 4000 /* later than this, the daemon has stood still */

int64_t
presence_now_ms(const struct world *world)
{
	return clock_now_ms() - world->excess_ms;
}

void
presence_init(struct world *world)
{
	list_init(&world->seen);
	list_init(&world->lobby);
	list_init(&world->unused);
	list_init(&world->active);
	list_init(&world->sealed);
	world->excess_ms = 0;
	world->ticked_ms = clock_running_ms();
	world->start_ms = presence_now_ms(world);
}

void
presence_tick(struct world *world)
{
	int64_t now_ms = clock_running_ms();
	int64_t late_ms = now_ms - world->ticked_ms - PRESENCE_TICK_MS;

	world->ticked_ms = now_ms;
	if (late_ms <= LATE_MS)
		return;
	world->excess_ms += late_ms;
	log_warning("stood still for %lld s, which no time-out counts",
	    (long long)(late_ms / 1000));
}

void
presence_seen(struct world *world, struct player *player)
{
	if (player->parked || player->is_removed)
		return;
	player->seen_ms = presence_now_ms(world);
	list_append(&world->seen, &player->seen);
	/* A repeated register: its time starts again. */
	if (!list_is_empty(&player->unused))
		list_append(&world->unused, &player->unused);
}

void
presence_polled(struct world *world, struct player *player)
{
	player->polled_ms = presence_now_ms(world);
}

void
presence_registered(struct world *world, struct player *player)
{
	presence_seen(world, player);
	presence_polled(world, player);
	presence_enter_lobby(world, player);
}

void
presence_used(struct player *player)
{
	player->is_used = true;
	list_remove(&player->unused);
}

struct player *
presence_find_unused(const struct world *world)
{
	struct list *node = list_first(&world->unused);
	struct player *player;

	if (!node)
		return NULL;
	player = CONTAINER_OF(node, struct player, unused);
	return presence_idle_ms(world, player) >= PRESENCE_UNUSED_MS ? player :
								       NULL;
}

int64_t
presence_idle_ms(const struct world *world, const struct player *player)
{
	return player->parked ? 0 : presence_now_ms(world) - player->seen_ms;
}

void
presence_enter_lobby(struct world *world, struct player *player)
{
	player->lobby_since_ms = presence_now_ms(world);
	list_append(&world->lobby, &player->lobby);
	if (!player->is_used)
		list_append(&world->unused, &player->unused);
}

void
presence_leave_lobby(struct player *player)
{
	list_remove(&player->lobby);
	list_remove(&player->unused);
}

void
presence_room_active(struct world *world, struct room *room)
{
	room->active_ms = presence_now_ms(world);
	list_append(&world->active, &room->active);
}

void
presence_room_sealed(struct world *world, struct room *room)
{
	room->sealed_ms = presence_now_ms(world);
	list_append(&world->sealed, &room->sealed);
}

/* Nothing in a list is older than the start, so this belongs at its front.  A
 * row loaded after a rollback may have been here before, with a later clock:
 * that starts again. */
void
presence_player_loaded(struct world *world, struct player *player)
{
	if (world->generation) {
		presence_seen(world, player);
		presence_polled(world, player);
		if (!player->room)
			presence_enter_lobby(world, player);
		return;
	}
	player->seen_ms = player->polled_ms = world->start_ms;
	list_prepend(&world->seen, &player->seen);
	if (!player->room) {
		player->lobby_since_ms = world->start_ms;
		list_prepend(&world->lobby, &player->lobby);
	}
}

void
presence_room_loaded(struct world *world, struct room *room)
{
	if (world->generation) {
		presence_room_active(world, room);
		if (room->is_sealed)
			presence_room_sealed(world, room);
		return;
	}
	room->active_ms = world->start_ms;
	list_prepend(&world->active, &room->active);
	if (room->is_sealed) {
		room->sealed_ms = world->start_ms;
		list_prepend(&world->sealed, &room->sealed);
	}
}
