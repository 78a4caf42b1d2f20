/* cache.h - players and rooms in memory, loaded when needed.
 *
 * Floor: core.  Engine thread only.
 *
 * A struct player exists for each player touched since the start, and is freed
 * when its session has ended and that has been committed.  Pointers are valid
 * until then: never keep one across a commit, except in a parked poll.
 */
#ifndef PEERPOST_CORE_CACHE_H
#define PEERPOST_CORE_CACHE_H

#include "core/world.h"

/* ---- players ---- */

/* The live player with this token or id, loaded if necessary.
 * ERR_ABSENT: there is none.  ERR_STORAGE. */
MUST_CHECK enum err player_find_by_token(struct world *world,
    const uint8_t token_hash[DIGEST_SIZE], struct player **out);
MUST_CHECK enum err player_find(
    struct world *world, uint32_t id, struct player **out);

/* Read the cached data of player again if it is out of date.
 * ERR_ABSENT: its session has ended.  ERR_STORAGE. */
MUST_CHECK enum err player_refresh(struct world *world, struct player *player);

/* A new object, in the tables; its clocks are not set yet. */
struct player *player_new(
    struct world *world, uint32_t id, const uint8_t token_hash[DIGEST_SIZE]);

/* Remove the object from all tables and free it. */
void player_free(struct world *world, struct player *player);

/* ---- rooms ---- */

/* The room with this UUID (lower case).  ERR_ROOM_NOT_FOUND. */
MUST_CHECK enum err room_find_by_uuid(
    struct world *world, const char *uuid, struct room **out);

/* A new object, in the table, without members. */
struct room *room_new(struct world *world, const struct room_row *row);

/* Note that a player has joined or left. */
void room_add_member(struct room *room, uint32_t player);
void room_remove_member(struct room *room, uint32_t player);

/* Drop the cached room. */
void room_free(struct world *world, struct room *room);

#endif
