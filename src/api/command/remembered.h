/* remembered.h - replies kept for requests with an Idempotency-Key.
 *
 * Floor: api.  Engine thread only.
 *
 * The record of a reply (reply.h) is kept with the player, in the transaction
 * of its commands.  It counts against the bytes of the player's mailbox.  A
 * record younger than ten minutes is not forgotten to make room, unless there
 * are REMEMBERED_MAX younger ones.  So it must be known whether a record fits
 * before the commands run.
 */
#ifndef PEERPOST_API_COMMAND_REMEMBERED_H
#define PEERPOST_API_COMMAND_REMEMBERED_H

#include "api/request.h"
#include "core/world.h"

#define REMEMBERED_MAX 64 /* replies of one player */

/* Find the earlier answer; it is valid until the store is asked again.  scope:
 * the player's id, or 0 for a register.  *out_found false: there is none, or
 * the request has no key.  ERR_STORAGE. */
MUST_CHECK enum err remembered_find(struct world *world,
    const struct request *request, int64_t scope, struct reply_row *out_row,
    bool *out_found);

/* The most bytes of a record that can be remembered with player (NULL: one not
 * yet registered).  That is the room that the mail has left; but a small part
 * of the mailbox is reserved for replies, or a flood of mail would stop the
 * player's own commands.  ERR_STORAGE. */
MUST_CHECK enum err remembered_room(
    struct world *world, struct player *player, size_t *out);

/* Remember the record with the request's key.  Without a session, or if it has
 * ended meanwhile, nothing is remembered.  ERR_STORAGE. */
MUST_CHECK enum err remembered_add(struct world *world,
    const struct request *request, int64_t scope, struct player *player,
    struct span record);

#endif
