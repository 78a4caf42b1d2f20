/* world_fixture.h - a world over a real store, for the tests of core.
 *
 * Included first.  A test gets a struct fixture through its state; everything
 * happens inside a transaction, which the fixture has begun, and which
 * keep() and undo() end (as the engine would) and begin anew.  All limits and
 * time-outs are off until a test sets them.
 */
#ifndef PEERPOST_TESTS_WORLD_FIXTURE_H
#define PEERPOST_TESTS_WORLD_FIXTURE_H

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/commit.h"
#include "core/expiry.h"
#include "core/mailbox.h"
#include "core/parking.h"
#include "core/player.h"
#include "core/presence.h"
#include "core/relay.h"
#include "core/room.h"
#include "core/world.h"
#include "tests/unit/scratch.h"
#include "tests/unit/scratch_clock.h"

struct fixture {
	struct scratch scratch;
	struct store *store;
	struct settings settings;
	struct world world;
	char mail[4096]; /* of the last mail_of() */
	size_t mail_len;
	uint64_t next_event_id; /* that mail_of() expects */
};

/* Open the store, make the world, begin a transaction. */
void fixture_start(struct fixture *f);
/* Roll back and close what fixture_start() has opened. */
void fixture_stop(struct fixture *f);
/* Stop and start again: what has not been kept is lost. */
void restart(struct fixture *f);

/* Commit, as the engine would, and begin another transaction. */
void keep(struct fixture *f);
/* Roll back, as the engine would, and begin another transaction. */
void undo(struct fixture *f);

/* Test setup and teardown: see TEST(). */
int set_up(void **state);
int tear_down(void **state);

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* The token hash of the player with this id.  The four latest results are
 * valid. */
const uint8_t *hash_of(uint32_t id);

/* Register a player with this id, named Ann. */
struct player *add_player(struct fixture *f, uint32_t id);

/* The player, who must be there. */
struct player *get_player(struct fixture *f, uint32_t id);
/* Whether there is such a player. */
bool is_there(struct fixture *f, uint32_t id);

/* Let time pass.  The group setup must be scratch_set_up_clock(). */
void pass(int64_t ms);

/* Let so much time pass that players count as reading their mail only if they
 * poll again. */
void leave_mail_alone(void);

/* Add players `first` .. `last` to one room, which the first hosts.  Their
 * mailboxes are empty. */
struct room *add_room(struct fixture *f, uint32_t first, uint32_t last);

/* The mail of the player that it has not acknowledged, as text:
 * "CTR 1, RPC 17".  The test fails if the ids have a gap.  Valid until the
 * next call. */
const char *mail_of(struct fixture *f, uint32_t id);

/* How many rows the store has for the player, acknowledged or not. */
size_t n_rows(struct fixture *f, uint32_t id);

#endif
