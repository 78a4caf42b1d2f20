/* commit.h - beginning and end of the world, and its update when a transaction
 * is committed or rolled back.
 *
 * Floor: core.  Engine thread only.
 */
#ifndef PEERPOST_CORE_COMMIT_H
#define PEERPOST_CORE_COMMIT_H

#include "core/world.h"

/* Whether this many more bytes may be stored; call before storing any.
 * ERR_DATABASE_FULL, ERR_STORAGE. */
MUST_CHECK enum err world_check_space(struct world *world, size_t bytes);

/* ERR_STORAGE: the store cannot be read. */
MUST_CHECK enum err world_init(
    struct world *world, struct store *store, const struct settings *settings);
/* Free everything.  No poll may be parked any more. */
void world_fini(struct world *world);

/* Delete acknowledged events of up to max players, inside the transaction.
 * A rollback brings them back.  ERR_STORAGE. */
MUST_CHECK enum err world_trim(struct world *world, size_t max);
#define WORLD_MAX_TRIM 4096 /* a good max for trimming along with a commit */
/* Whether there are acknowledged events to delete; whether there are so many
 * that a commit should delete them as well.  Deleting many at once is cheaper:
 * if all references to a message go, its page is written once. */
bool world_has_trim(const struct world *world);
bool world_has_much_trim(const struct world *world);

/* The transaction has been committed.  Call after answering the parked polls of
 * the `removed` players, who are freed here. */
void world_committed(struct world *world);
/* The transaction has been rolled back: drop everything cached. */
void world_rolled_back(struct world *world);

#endif
