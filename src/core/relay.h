/* relay.h - messages from players to one another.
 *
 * Floor: core.  Engine thread only.
 *
 * The sender pays for the bytes put into other players' mailboxes, from its own
 * bucket (settings->relay_rate).  This is the last check before anything is
 * written.  The bill belongs to the request.
 */
#ifndef PEERPOST_CORE_RELAY_H
#define PEERPOST_CORE_RELAY_H

#include "base/span.h"
#include "core/event.h"
#include "core/world.h"

/* Send body, a JSON text, to all members of the player's room, including the
 * player.  ERR_NOT_IN_ROOM.  ERR_MAILBOX_FULL: it is larger than any mailbox
 * may be, or see mailbox_check().  ERR_RATE_LIMITED: the bill has the time to
 * wait.  ERR_STORAGE. */
MUST_CHECK enum err relay_message(struct world *world, struct player *player,
    struct span body, struct bill *bill);

/* Send body, a JSON text, to one other member (room_find_peer()), as an event
 * of this kind.  ERR_MAILBOX_FULL.  ERR_RATE_LIMITED: the bill says for how
 * long.  ERR_STORAGE. */
MUST_CHECK enum err relay_one(struct world *world, struct player *player,
    struct player *recipient, enum event_kind kind, struct span body,
    struct bill *bill);

#endif
