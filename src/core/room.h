/* room.h - rooms and their members.
 *
 * Floor: core.  Engine thread only.
 *
 * Each operation checks everything before it writes anything, puts the events
 * that it causes into the mailboxes (peerpost-protocol(7)), and may list
 * members for eviction: call player_evict() at the end of the command.
 * All may return ERR_STORAGE.
 */
#ifndef PEERPOST_CORE_ROOM_H
#define PEERPOST_CORE_ROOM_H

#include "base/span.h"
#include "core/cache.h"
#include "core/event.h"

/* The peer id of a member: 1 for the host, the player's id for others. */
uint32_t room_peer_id(const struct room *room, uint32_t player);

/* Make a room with player as its host.
 * ERR_ALREADY_IN_ROOM, ERR_TOO_MANY_ROOMS, ERR_OWN_MAILBOX_FULL. */
MUST_CHECK enum err room_create(struct world *world, struct player *player);

/* Make player a member of the room with this UUID (lower case).
 * ERR_ALREADY_IN_ROOM, ERR_ROOM_NOT_FOUND, ERR_ROOM_SEALED, ERR_ROOM_FULL,
 * ERR_OWN_MAILBOX_FULL, ERR_MAILBOX_FULL: see mailbox_check().
 * If the host's mailbox has no room for the event, the host is listed for
 * eviction, which closes the room: ERR_ROOM_NOT_FOUND, and nothing happens to
 * player.  A player that has joined may be out of the room again after
 * player_evict(): one eviction may lead to others, even to that of the host.
 */
MUST_CHECK enum err room_join(
    struct world *world, struct player *player, const char *uuid);

/* ERR_NOT_IN_ROOM, ERR_NOT_HOST, ERR_ROOM_SEALED (already), ERR_MAILBOX_FULL:
 * see mailbox_check(). */
MUST_CHECK enum err room_seal(struct world *world, struct player *player);

/* Find the member with this peer id in the player's room, and count it as
 * activity of the room.  ERR_NOT_IN_ROOM, ERR_PEER_NOT_FOUND (also for the
 * player itself). */
MUST_CHECK enum err room_find_peer(struct world *world, struct player *player,
    uint32_t peer, struct player **out);

/* Leave the room; if the player is its host, the room is closed.
 * ERR_NOT_IN_ROOM. */
MUST_CHECK enum err room_leave(struct world *world, struct player *player);

/* Send all members the reason (a JSON text), move them back to the lobby, and
 * delete the room. */
MUST_CHECK enum err room_close(
    struct world *world, struct room *room, struct span reason);

#endif
