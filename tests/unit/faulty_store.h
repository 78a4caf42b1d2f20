/* faulty_store.h - a store that fails when it is told to.
 *
 * It passes every operation on to a real store, except those that are to fail
 * with ERR_STORAGE.  It also checks store.h's contract: once something has
 * failed in a transaction, only rollback() may follow (`is_misused`).
 *
 * The test's thread sets what is to fail, the engine's thread meets it.
 */
#ifndef PEERPOST_TESTS_FAULTY_STORE_H
#define PEERPOST_TESTS_FAULTY_STORE_H

#include <stdatomic.h>

#include "store/store.h"

struct faulty_store {
	struct store ops; /* first */
	struct store *real;

	/* Set by the test. */
	atomic_long ops_left; /* that succeed before one fails; -1: all */
	atomic_bool is_down;  /* everything fails */
	atomic_bool commits_fail;
	atomic_bool trims_fail;
	atomic_bool is_poisoned; /* messages with "poison" in them fail */

	/* Read by the test. */
	atomic_bool is_misused;
	atomic_uint n_trims; /* times that acknowledged events were deleted */

	/* The engine thread's own. */
	bool is_open, is_dead;
};

/* Takes the real store, which is closed with this one.  close() frees both. */
struct faulty_store *faulty_store_new(struct store *real);

#endif
