/* presence.h - clocks: players and rooms that have been idle for too long.
 *
 * Floor: core.  Engine thread only.
 *
 * Presence is never stored.  All clocks run on the presence clock:
 * clock_now_ms() less the time in which the daemon was stopped or stalled,
 * which therefore never counts.  A start resets every clock.  One sweep, after
 * the shortest time-out has passed, loads all players that have not been
 * touched, so that the ordinary rules apply to them.
 *
 * Each rule has the same time-out for everybody, so its list is in order of
 * time, and a search ends at the first entry that is not overdue.
 */
#ifndef PEERPOST_CORE_PRESENCE_H
#define PEERPOST_CORE_PRESENCE_H

#include "core/world.h"

/* presence_tick() must be called at least this often. */
#define PRESENCE_TICK_MS 1000

/* How long a newcomer has to make its first request. */
#define PRESENCE_UNUSED_MS 5000

void presence_init(struct world *world);

/* The presence clock. */
int64_t presence_now_ms(const struct world *world);

/* Look at the time.  If the last look is more than a few seconds overdue, the
 * excess is taken off every clock. */
void presence_tick(struct world *world);

/* The player has just given a sign of life.  While a poll is parked, its clock
 * stands still. */
void presence_seen(struct world *world, struct player *player);
/* The player has just looked into its mailbox. */
void presence_polled(struct world *world, struct player *player);
/* The player has just registered; it has made its first request since.  In
 * between it is unused, unless it is in a room. */
void presence_registered(struct world *world, struct player *player);
void presence_used(struct player *player);
/* The player that has been unused for longest, if for at least
 * PRESENCE_UNUSED_MS; or NULL. */
struct player *presence_find_unused(const struct world *world);
/* The time since the player's last sign of life; 0 while a poll is parked. */
int64_t presence_idle_ms(
    const struct world *world, const struct player *player);
/* The player has entered the lobby, or left it. */
void presence_enter_lobby(struct world *world, struct player *player);
void presence_leave_lobby(struct player *player);
/* The room has had a command; it has been sealed. */
void presence_room_active(struct world *world, struct room *room);
void presence_room_sealed(struct world *world, struct room *room);

/* The same for rows loaded from the store: their clocks began when the daemon
 * started. */
void presence_player_loaded(struct world *world, struct player *player);
void presence_room_loaded(struct world *world, struct room *room);

#endif
