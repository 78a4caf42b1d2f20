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

/* Read last_id and bytes, if they are not cached: due before any look at them.
 * ERR_STORAGE. */
MUST_CHECK enum err mailbox_load(struct world *world, struct player *player);

/* Whether n events with bodies of so many bytes in all fit, beside what is
 * there and the player's remembered replies.  mailbox_load() first. */
bool mailbox_has_capacity(const struct world *world,
    const struct player *player, uint64_t n, uint64_t size_bytes);

/* Whether the player comes for its mail: it has a poll parked, has polled
 * within the last 10 s, or has not yet acknowledged what it was given; and
 * nothing in its mailbox is older than about 30 s (60 at most).  A player whose
 * remembered replies fill much of its mailbox does not count as one that does.
 * mailbox_load() first. */
bool mailbox_is_fetched(const struct world *world, const struct player *player);

/* See whether mailbox_broadcast() of this event may be done.
 * ERR_MAILBOX_FULL: somebody who comes for its mail has no room for it.  A
 * notice (anything but a message) may go a little over the limit: by
 * MAILBOX_SPARE_EVENTS and MAILBOX_SPARE_BYTES.  ERR_STORAGE. */
MUST_CHECK enum err mailbox_check(struct world *world, const uint32_t *players,
    size_t n, enum event_kind kind, uint64_t size_bytes);
#define MAILBOX_SPARE_EVENTS 64
#define MAILBOX_SPARE_BYTES 1024

/* Put one event for one player, all or nothing.
 * ERR_MAILBOX_FULL: nothing was written.  ERR_STORAGE. */
MUST_CHECK enum err mailbox_send(struct world *world, struct player *player,
    enum event_kind kind, struct span body);

/* Put one event, its body stored once, into the mailboxes of all n players
 * (by id), except `except` (a player id; 0: nobody).  A player that comes for
 * its mail gets the event even without room: mailbox_check() limits what can be
 * refused to its sender, and each event that cannot be refused (a member left)
 * matches a join that was checked.  Any other player without room does not get
 * it, and is listed for eviction.  ERR_STORAGE. */
MUST_CHECK enum err mailbox_broadcast(struct world *world,
    const uint32_t *players, size_t n, uint32_t except, enum event_kind kind,
    struct span body);

/* Acknowledge everything up to id `upto`, at most the last one.  An id that is
 * acknowledged already does nothing.  mailbox_load() first.  ERR_STORAGE. */
MUST_CHECK enum err mailbox_acknowledge(
    struct world *world, struct player *player, uint64_t upto);

#endif
