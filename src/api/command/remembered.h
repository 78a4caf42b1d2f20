/* remembered.h - replies that are kept for requests with an Idempotency-Key.
 *
 * Floor: api.  Engine thread only.
 *
 * What is kept is the record of a reply (reply.h), with the player and in the
 * transaction of its commands.  It counts against the bytes of the player's
 * mailbox, and nothing that is younger than ten minutes is forgotten to make
 * room, unless there are REMEMBERED_MAX younger ones.  So whether a record
 * fits has to be known before the commands run.
 */
#ifndef PEERPOST_API_COMMAND_REMEMBERED_H
#define PEERPOST_API_COMMAND_REMEMBERED_H

#include "api/request.h"
#include "core/world.h"

#define REMEMBERED_MAX 64 /* replies of one player */

/* What was answered before, until the store is asked again.  scope: the
 * player's id, or 0 for a register.  *out_found false: nothing was, or the
 * request has no key.  ERR_STORAGE. */
MUST_CHECK enum err remembered_find(struct world *world,
    const struct request *request, int64_t scope, struct reply_row *out_row,
    bool *out_found);

/* How many bytes a record may have to be remembered with player (NULL: one
 * that is still to be registered).  Beside the mail it is what the mailbox has
 * left; but a small part of the mailbox is always there for replies, or
 * a flood of mail would stop the player's own commands.  ERR_STORAGE. */
MUST_CHECK enum err remembered_room(
    struct world *world, struct player *player, size_t *out);

/* Remember the record with the request's key.  A session that has ended
 * meanwhile, or none, has nothing to remember it with.  ERR_STORAGE. */
MUST_CHECK enum err remembered_add(struct world *world,
    const struct request *request, int64_t scope, struct player *player,
    struct span record);

#endif
