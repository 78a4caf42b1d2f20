/* player.h - sessions: adding, ending.
 *
 * Floor: core.  Engine thread only.
 */
#ifndef PEERPOST_CORE_PLAYER_H
#define PEERPOST_CORE_PLAYER_H

#include "core/cache.h"

/* Why the session of this token ended, if within the last hour.
 * ERR_ABSENT: it never was, it was unregistered, or it was never used.
 * ERR_STORAGE. */
MUST_CHECK enum err player_find_ended(struct world *world,
    const uint8_t token_hash[DIGEST_SIZE], enum end_reason *out);

/* A random unused player id.  ERR_STORAGE. */
MUST_CHECK enum err player_new_id(struct world *world, uint32_t *out);

/* Add a player to the lobby.  If all places are taken, the oldest session that
 * was never used ends to make room (presence_find_unused()).
 * ERR_TOO_MANY_PLAYERS, ERR_STORAGE. */
MUST_CHECK enum err player_register(struct world *world, uint32_t id,
    const uint8_t token_hash[DIGEST_SIZE], const char *name,
    struct player **out);

/* End the session: leave the room (which may list others for eviction: call
 * player_evict()), delete the rows, remember the reason.  The object stays,
 * is_removed, until world_committed().  ERR_STORAGE. */
MUST_CHECK enum err player_end(
    struct world *world, struct player *player, enum end_reason reason);

/* End the sessions of all players whose mailboxes have overflowed, one after
 * the other, including those that overflow because of it, until none is left.
 * ERR_STORAGE. */
MUST_CHECK enum err player_evict(struct world *world);

/* All events up to `upto` have been handed to the player's client.  Call after
 * the commit.  Nothing happens if the session has ended. */
void player_note_sent(struct world *world, uint32_t id, uint64_t upto);

#endif
