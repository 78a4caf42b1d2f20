/* commit.h - the world's beginning and end, and what becomes of it when a
 * transaction is committed or rolled back.
 *
 * Floor: core.  Engine thread only.
 */
#ifndef PEERPOST_CORE_COMMIT_H
#define PEERPOST_CORE_COMMIT_H

#include "core/world.h"

/* Whether so many bytes more may be stored, before anything of them is.
 * ERR_DATABASE_FULL, ERR_STORAGE. */
MUST_CHECK enum err world_check_space(struct world *world, size_t bytes);

/* ERR_STORAGE: the store cannot be read. */
MUST_CHECK enum err world_init(
    struct world *world, struct store *store, const struct settings *settings);
/* Free what is held.  No poll may be parked any more. */
void world_fini(struct world *world);

/* Delete acknowledged events of up to max players, inside the transaction.
 * A rollback brings them back.  ERR_STORAGE. */
MUST_CHECK enum err world_trim(struct world *world, size_t max);
#define WORLD_MAX_TRIM 4096 /* a good max: what a commit can carry along */
/* Whether there are acknowledged events to be deleted; whether they are so
 * many that a commit should carry them along.  Many at once are cheaper: of a
 * message the last reference goes, and its page is written once. */
bool world_has_trim(const struct world *world);
bool world_has_much_trim(const struct world *world);

/* The transaction has been committed.  Call after having dealt with the
 * parked polls of `removed` players: they are freed here. */
void world_committed(struct world *world);
/* The transaction has been rolled back: drop everything cached. */
void world_rolled_back(struct world *world);

#endif
