/* room_text.h - a room's members as JSON.
 *
 * Floor: api.  Engine thread only.
 */
#ifndef PEERPOST_API_ROOM_TEXT_H
#define PEERPOST_API_ROOM_TEXT_H

#include "base/buf.h"
#include "base/err.h"
#include "core/world.h"

/* Append ["NAME",...], in join order.  ERR_STORAGE. */
MUST_CHECK enum err room_text_add_names(
    struct world *world, const struct room *room, struct buf *out);

/* Append [{"id":PEER,"name":NAME},...], in join order.  ERR_STORAGE. */
MUST_CHECK enum err room_text_add_peers(
    struct world *world, const struct room *room, struct buf *out);

/* Append the snapshot of player's room: {"room":UUID,"host":1,"sealed":BOOL,
 * "id":PEER,"peers":[...],"next":HEAD}; null when it is in none.
 * mailbox_load() first.  ERR_STORAGE. */
MUST_CHECK enum err room_text_add_snapshot(
    struct world *world, const struct player *player, struct buf *out);

#endif
