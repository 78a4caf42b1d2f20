/* player.h - sessions: finding, adding, ending.
 *
 * Floor: core.  Engine thread only.
 *
 * A struct player exists for whoever has been touched since the start, and
 * is freed when its session has ended and that has been committed.  Pointers
 * are valid until then: never keep one across a commit, except from a parked
 * poll.
 */
#ifndef PEERPOST_CORE_PLAYER_H
#define PEERPOST_CORE_PLAYER_H

#include "core/world.h"

/* The live player of this token or id, loaded if need be.
 * ERR_ABSENT: there is none.  ERR_STORAGE. */
MUST_CHECK enum err player_find_by_token(struct world *world,
    const uint8_t token_hash[DIGEST_SIZE], struct player **out);
MUST_CHECK enum err player_find(
    struct world *world, uint32_t id, struct player **out);

/* Read again what is cached about player, if it is out of date.
 * ERR_ABSENT: its session is no more.  ERR_STORAGE. */
MUST_CHECK enum err player_refresh(struct world *world, struct player *player);

/* Why the session of this token ended, if within the last hour.
 * ERR_ABSENT: it never was, it was unregistered, or it was never used.
 * ERR_STORAGE. */
MUST_CHECK enum err player_find_ended(struct world *world,
    const uint8_t token_hash[DIGEST_SIZE], enum end_reason *out);

/* A random id that no player has.  ERR_STORAGE. */
MUST_CHECK enum err player_new_id(struct world *world, uint32_t *out);

/* Add a player to the lobby.  If all places are taken, the session of the
 * oldest register that was never used ends for it (presence_find_unused()).
 * ERR_TOO_MANY_PLAYERS, ERR_STORAGE. */
MUST_CHECK enum err player_register(struct world *world, uint32_t id,
    const uint8_t token_hash[DIGEST_SIZE], const char *name,
    struct player **out);

/* End the session: leave the room (which may evict others: work them off
 * with player_evict()), delete the rows, remember the reason.  The object
 * stays, is_removed, until world_committed().  ERR_STORAGE. */
MUST_CHECK enum err player_end(
    struct world *world, struct player *player, enum end_reason reason);

/* End the sessions of all whose mailbox has overflowed, one after the other,
 * and of those who overflow through that, until none is left.  ERR_STORAGE. */
MUST_CHECK enum err player_evict(struct world *world);

/* All events up to `upto` have been handed to the player's client.  Call when
 * that is committed.  Nothing happens if the session is over. */
void player_note_given(struct world *world, uint32_t id, uint64_t upto);

/* Take the object out of all tables and free it.  For world.c. */
void player_free(struct world *world, struct player *player);

#endif
