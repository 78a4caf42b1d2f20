/* mailbox.h - a player's ordered queue of unacknowledged events.
 *
 * Floor: core.  Engine thread only.
 *
 * Event ids count 1, 2, 3 ... per player, without gaps, across restarts.
 * Acknowledging moves a mark in memory, which takes effect at once; the rows
 * are deleted later (world_trim()).  After a crash in between, the client's
 * next cursor acknowledges them again.
 */
#ifndef PEERPOST_CORE_MAILBOX_H
#define PEERPOST_CORE_MAILBOX_H

#include "base/span.h"
#include "core/event.h"
#include "core/world.h"

/* Read last_id and bytes if they are not cached.  Call before looking at them.
 * ERR_STORAGE. */
MUST_CHECK enum err mailbox_load(struct world *world, struct player *player);

/* Whether n events whose bodies have this many bytes in all fit, beside the
 * present events and the player's remembered replies.  mailbox_load() first. */
bool mailbox_has_capacity(const struct world *world,
    const struct player *player, uint64_t n, uint64_t size_bytes);

/* Whether the player fetches its mail: it has a poll parked, has polled within
 * the last 10 s, or has not yet acknowledged the events it was sent; and
 * nothing in its mailbox is older than about 30 s (60 at most).  A player whose
 * remembered replies fill much of its mailbox does not count as fetching.
 * mailbox_load() first. */
bool mailbox_is_fetched(const struct world *world, const struct player *player);

/* Check whether mailbox_broadcast() of this event is allowed.
 * ERR_MAILBOX_FULL: a player that fetches its mail has no room for it.  A
 * notice (anything except a message) may exceed the limit a little: by
 * MAILBOX_SPARE_EVENTS and MAILBOX_SPARE_BYTES.  ERR_STORAGE. */
MUST_CHECK enum err mailbox_check(struct world *world, const uint32_t *players,
    size_t n, enum event_kind kind, uint64_t size_bytes);
#define MAILBOX_SPARE_EVENTS 64
#define MAILBOX_SPARE_BYTES 1024

/* Append one event for one player, or nothing.
 * ERR_MAILBOX_FULL: nothing was written.  ERR_STORAGE. */
MUST_CHECK enum err mailbox_send(struct world *world, struct player *player,
    enum event_kind kind, struct span body);

/* Append one event, its body stored once, to the mailboxes of all n players (by
 * id), except `except` (a player id; 0: none).  A player that fetches its mail
 * gets the event even without room: events that can be refused to their sender
 * are limited by mailbox_check(), and each event that cannot be refused (a
 * member left) matches a join that was checked.  Any other player without room
 * does not get it, and is listed for eviction.  ERR_STORAGE. */
MUST_CHECK enum err mailbox_broadcast(struct world *world,
    const uint32_t *players, size_t n, uint32_t except, enum event_kind kind,
    struct span body);

/* Acknowledge everything up to id `upto`, at most the last one.  If that has
 * been acknowledged already, nothing happens.  mailbox_load() first.
 * ERR_STORAGE. */
MUST_CHECK enum err mailbox_acknowledge(
    struct world *world, struct player *player, uint64_t upto);

#endif
