/* scratch.h - a directory for one test's database. */
#ifndef PEERPOST_TESTS_SCRATCH_H
#define PEERPOST_TESTS_SCRATCH_H

#include "tests/unit/unit.h"

#include "store/store.h"

struct scratch {
	char dir[64];
	char path[96]; /* of the database */
};

/* Make the directory, without a database.  0, or -1. */
int scratch_make(struct scratch *scratch);

/* Delete the database, keep the directory. */
void scratch_empty(const struct scratch *scratch);

/* Delete both.  The store must be closed. */
void scratch_remove(const struct scratch *scratch);

/* Open the database, which is created if it does not exist; the test fails
 * if that is not possible.  Caller closes. */
struct store *scratch_open(const struct scratch *scratch);

#endif
