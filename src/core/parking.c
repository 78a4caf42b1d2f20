/* parking.c - see parking.h. */
#include "core/parking.h"

#include <assert.h>

#include "base/clock.h"
#include "base/metric.h"
#include "core/presence.h"

void
parking_add(struct world *world, struct player *player, struct parked *parked,
    int64_t due_ms)
{
	assert(!player->parked && !parked->player);
	player->parked = parked;
	parked->player = player;
	parked->since_ms = clock_now_ms();
	heap_insert(&world->parked, &parked->due, due_ms);
	list_init(&parked->longest);
	/* A player that enters a room is woken, and parked again. */
	list_append(
	    &world->parked_longest[player->room != NULL], &parked->longest);
	metric_set(METRIC_POLLS_PARKED, world->parked.len);
	list_remove(&player->seen);
}

void
parking_remove(struct world *world, struct parked *parked)
{
	struct player *player = parked->player;

	if (!player)
		return;
	heap_remove(&world->parked, &parked->due);
	list_remove(&parked->longest);
	metric_set(METRIC_POLLS_PARKED, world->parked.len);
	metric_observe(METRIC_ROW_POLL_HOLD_SECONDS,
	    (clock_now_ms() - parked->since_ms) * 1000);
	parked->player = NULL;
	player->parked = NULL;
	list_remove(&player->woken);
	presence_seen(world, player);
	presence_polled(world, player);
}

struct parked *
parking_due(const struct world *world, int64_t now_ms)
{
	struct heap_node *node = heap_first(&world->parked);

	if (!node || node->due_ms > now_ms)
		return NULL;
	return CONTAINER_OF(node, struct parked, due);
}

struct parked *
parking_longest(const struct world *world, bool is_in_room)
{
	struct list *node = list_first(&world->parked_longest[is_in_room]);

	return node ? CONTAINER_OF(node, struct parked, longest) : NULL;
}

int64_t
parking_next_due_ms(const struct world *world)
{
	struct heap_node *node = heap_first(&world->parked);

	return node ? node->due_ms : -1;
}
