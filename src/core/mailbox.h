/* mailbox.h - a player's ordered queue of events not yet acknowledged.
 *
 * Floor: core.  Engine thread only.
 *
 * Event ids count 1, 2, 3 ... per player, without gaps, over restarts.
 * Acknowledging moves a mark in memory that counts at once; the rows go later
 * (world_trim()), and a crash before that only means that the client's next
 * cursor says it again.
 */
#ifndef PEERPOST_CORE_MAILBOX_H
#define PEERPOST_CORE_MAILBOX_H

#include "base/span.h"
#include "core/event.h"
#include "core/world.h"

/* Read head and bytes, if they are not cached: due before any look at them.
 * ERR_STORAGE. */
MUST_CHECK enum err mailbox_load(struct world *world, struct player *player);

/* Whether an event with a body of so many bytes fits.  mailbox_load() first. */
bool mailbox_has_room(
    const struct world *world, const struct player *player, size_t size_bytes);

/* Put one event for one player, all or nothing.
 * ERR_MAILBOX_FULL: nothing was written.  ERR_STORAGE. */
MUST_CHECK enum err mailbox_send(struct world *world, struct player *player,
    enum event_kind kind, struct span body);

/* Put one event, its body stored once, into the mailboxes of all n players
 * (by id), but for `except` (a player id; 0: nobody).  Who has no room for it
 * does not get it, and is listed for eviction.  ERR_STORAGE. */
MUST_CHECK enum err mailbox_broadcast(struct world *world,
    const uint32_t *players, size_t n, uint32_t except, enum event_kind kind,
    struct span body);

/* Acknowledge everything up to id `upto`, at most the head.  An id that is
 * acknowledged already does nothing.  mailbox_load() first.  ERR_STORAGE. */
MUST_CHECK enum err mailbox_acknowledge(
    struct world *world, struct player *player, uint64_t upto);

#endif
