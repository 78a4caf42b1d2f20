/* store_fixture.h - a store in a directory of its own, for test_store*.c.
 *
 * Included first.  A test gets a struct fixture through its state.
 */
#ifndef PEERPOST_TESTS_STORE_FIXTURE_H
#define PEERPOST_TESTS_STORE_FIXTURE_H

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/sqlite/internal.h"

struct fixture {
	char dir[64];
	char path[96];
	char why[256];
	struct store *store; /* NULL: closed */
};

/* Open the store; the test fails, with `why`, if that is not possible. */
void fixture_open(struct fixture *f);
/* Close the store, if it is open. */
void fixture_close(struct fixture *f);
void fixture_reopen(struct fixture *f);

/* Test setup: a directory, and a path in it where there is nothing yet. */
int fixture_set_up_empty(void **state);
/* Test setup: the same with an open store. */
int fixture_set_up(void **state);
/* Test teardown: close the store and delete everything. */
int fixture_tear_down(void **state);

/* 32 bytes that differ for different numbers.  The four latest results are
 * valid. */
const uint8_t *hash_of(uint32_t number);

/* The player of that id, whose token hash is hash_of(id). */
struct player_row player_of(uint32_t id, const char *name);

/* Insert player_of(id, "Ann"). */
void add_player(struct store *store, uint32_t id);

/* Insert one message to the n players, as their events `event_id`.  Returns the
 * id of the message. */
int64_t add_message(struct store *store, const char *body, uint64_t event_id,
    const uint32_t *players, uint32_t n);

/* The first column of the first row of the query, which must have one. */
int64_t query_number(struct store *store, const char *sql);

#endif
