/* parking.h - polls waiting for mail.
 *
 * Floor: core.  Engine thread only.
 *
 * A parked poll is an ordinary request whose answer is late.  It is parked
 * unchanged, and when it is woken or due it runs again from the top: nothing
 * half-built survives the wait.  A player has at most one.  While it is parked
 * the player is present, so its clock stands still.
 */
#ifndef PEERPOST_CORE_PARKING_H
#define PEERPOST_CORE_PARKING_H

#include "core/world.h"

/* Embedded in the waiting request; zeroed: not parked. */
struct parked {
	struct heap_node due;
	struct list longest;   /* in world->parked_longest */
	int64_t since_ms;      /* clock_now_ms() */
	struct player *player; /* NULL: not parked */
};

/* Hold the poll until due_ms (clock_now_ms()).  The player must have none
 * parked. */
void parking_add(struct world *world, struct player *player,
    struct parked *parked, int64_t due_ms);

/* Stop holding; the player's clock starts.  Not parked: nothing happens. */
void parking_remove(struct world *world, struct parked *parked);

/* The poll that is due first and due by now_ms, left parked; or NULL. */
struct parked *parking_due(const struct world *world, int64_t now_ms);

/* The longest held poll of players in a room, or of the others, left parked; or
 * NULL. */
struct parked *parking_longest(const struct world *world, bool is_in_room);

/* The due time of the earliest poll, or -1. */
int64_t parking_next_due_ms(const struct world *world);

#endif
