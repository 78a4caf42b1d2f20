/* presence.h - clocks: who has been away or idle for too long.
 *
 * Floor: core.  Engine thread only.
 *
 * Nothing about presence is stored.  All clocks run on the presence clock:
 * clock_now_ms() less the time in which the daemon was stopped or stalled,
 * which therefore never counts.  After a start every clock begins anew; one
 * sweep, as long after the start as the shortest time-out, loads everybody
 * who has not been touched, and the ordinary rules then take them.
 *
 * As each rule has one length for all, its list is ordered by time, and the
 * first that is not overdue ends the search.
 */
#ifndef PEERPOST_CORE_PRESENCE_H
#define PEERPOST_CORE_PRESENCE_H

#include "core/world.h"

/* How often presence_tick() must be called at least. */
#define PRESENCE_TICK_MS 1000

/* How long a newcomer has to make its first request. */
#define PRESENCE_UNUSED_MS 5000

void presence_init(struct world *world);

/* The presence clock. */
int64_t presence_now_ms(const struct world *world);

/* Look at the time.  When the last look was longer ago than it should, by
 * more than a few seconds, the excess is taken off every clock. */
void presence_tick(struct world *world);

/* The player has been heard of, just now; with a poll parked its clock
 * stands until the poll ends. */
void presence_seen(struct world *world, struct player *player);
/* The player has looked into its mailbox, just now. */
void presence_polled(struct world *world, struct player *player);
/* The player has just registered; it has made its first request after that.
 * In between it is unused, unless it is in a room. */
void presence_registered(struct world *world, struct player *player);
void presence_used(struct player *player);
/* The oldest of the unused, if it has been so for PRESENCE_UNUSED_MS at least;
 * or NULL. */
struct player *presence_find_unused(const struct world *world);
/* For how long nothing has been heard of the player; 0 while a poll is
 * parked. */
int64_t presence_idle_ms(
    const struct world *world, const struct player *player);
/* The player is in the lobby from now on, or is no longer. */
void presence_enter_lobby(struct world *world, struct player *player);
void presence_leave_lobby(struct player *player);
/* The room has had a command; it has been sealed. */
void presence_room_active(struct world *world, struct room *room);
void presence_room_sealed(struct world *world, struct room *room);

/* The same for what has been loaded from the store, whose clocks began with
 * the start of the daemon. */
void presence_player_loaded(struct world *world, struct player *player);
void presence_room_loaded(struct world *world, struct room *room);

#endif
