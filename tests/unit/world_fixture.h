/* world_fixture.h - a world over a real store, for the tests of core.
 *
 * Included first.  A test gets a struct fixture through its state; everything
 * happens inside a transaction, which the fixture has begun, and which
 * keep() and undo() end (as the engine would) and begin anew.  All limits and
 * time-outs are off until a test sets them.
 */
#ifndef PEERPOST_TESTS_WORLD_FIXTURE_H
#define PEERPOST_TESTS_WORLD_FIXTURE_H

#include "tests/unit/scratch.h"

#include "core/commit.h"
#include "core/expiry.h"
#include "core/mailbox.h"
#include "core/parking.h"
#include "core/player.h"
#include "core/presence.h"
#include "core/relay.h"
#include "core/room.h"
#include "core/world.h"

struct fixture {
	struct scratch scratch;
	struct store *store;
	struct settings settings;
	struct world world;
	char mail[4096]; /* of the last mail_of() */
	size_t mail_len;
	uint64_t next_event_id; /* that on_event() expects */
};

static inline void
fixture_start(struct fixture *f)
{
	f->store = scratch_open(&f->scratch);
	OK(world_init(&f->world, f->store, &f->settings));
	OK(f->store->begin(f->store));
}

static inline void
keep(struct fixture *f)
{
	OK(f->store->commit(f->store));
	world_committed(&f->world);
	OK(f->store->begin(f->store));
}

static inline void
undo(struct fixture *f)
{
	f->store->rollback(f->store);
	world_rolled_back(&f->world);
	OK(f->store->begin(f->store));
}

static inline void
fixture_stop(struct fixture *f)
{
	f->store->rollback(f->store);
	world_rolled_back(&f->world);
	world_fini(&f->world);
	f->store->close(f->store);
}

/* What has not been kept is lost. */
static inline void
restart(struct fixture *f)
{
	fixture_stop(f);
	fixture_start(f);
}

static inline int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || scratch_make(&f->scratch))
		return -1;
	fixture_start(f);
	*state = f;
	return 0;
}

static inline int
tear_down(void **state)
{
	struct fixture *f = *state;

	fixture_stop(f);
	scratch_remove(&f->scratch);
	free(f);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* The token hash of the player with this id. */
static inline const uint8_t *
hash_of(uint32_t id)
{
	static uint8_t hashes[4][DIGEST_SIZE];
	static unsigned next;
	uint8_t *hash = hashes[next++ % 4];

	memset(hash, 0x5a, DIGEST_SIZE);
	memcpy(hash, &id, sizeof(id));
	return hash;
}

static inline struct player *
add_player(struct fixture *f, uint32_t id)
{
	struct player *player;

	OK(player_register(&f->world, id, hash_of(id), "Ann", &player));
	assert_int_equal(player->id, id);
	return player;
}

/* The player, who must be there. */
static inline struct player *
get_player(struct fixture *f, uint32_t id)
{
	struct player *player;

	OK(player_find(&f->world, id, &player));
	assert_int_equal(player->id, id);
	return player;
}

static inline bool
is_there(struct fixture *f, uint32_t id)
{
	struct player *player;
	enum err err = player_find(&f->world, id, &player);

	if (err != ERR_ABSENT)
		OK(err);
	return err != ERR_ABSENT;
}

/* Let time pass, for whose group setup is scratch_set_up_clock(). */
static inline void
pass(int64_t ms)
{
	scratch_clock[0] += ms;
}

/* From now on nobody who does not poll again counts as coming for its mail. */
static inline void
leave_mail_alone(void)
{
	pass(10000);
}

/* Players `first` .. `last` in one room, whose host the first is.  Their
 * mailboxes are empty. */
static inline struct room *
add_room(struct fixture *f, uint32_t first, uint32_t last)
{
	struct player *host = add_player(f, first);

	OK(room_create(&f->world, host));
	for (uint32_t id = first + 1; id <= last; id++)
		OK(room_join(&f->world, add_player(f, id), host->room->uuid));
	for (uint32_t id = first; id <= last; id++) {
		struct player *player = get_player(f, id);

		OK(mailbox_load(&f->world, player));
		OK(mailbox_acknowledge(&f->world, player, player->last_id));
	}
	return host->room;
}

static inline bool
on_event(void *cls, uint64_t id, int kind, struct span body)
{
	static const char *const names[] = { "?", "CTR", "RPC", "RPD", "RCL",
		"SRK", "RMK", "OOO", "AAA", "CCC" };
	struct fixture *f = cls;

	assert_in_range(kind, 1, N_OF(names) - 1);
	if (f->next_event_id)
		assert_int_equal(id, f->next_event_id);
	f->next_event_id = id + 1;
	f->mail_len += (size_t)snprintf(f->mail + f->mail_len,
	    sizeof(f->mail) - f->mail_len, "%s%s %.*s", f->mail_len ? ", " : "",
	    names[kind], (int)body.len, body.at);
	assert_true(f->mail_len < sizeof(f->mail));
	return true;
}

/* The mail of the player that it has not acknowledged, as text:
 * "CTR 1, RPC 17".  Its ids have no gap. */
static inline const char *
mail_of(struct fixture *f, uint32_t id)
{
	struct player *player = get_player(f, id);

	f->mail[0] = '\0';
	f->mail_len = 0;
	f->next_event_id = player->acked + 1;
	OK(f->store->events_after(f->store, id, player->acked, on_event, f));
	return f->mail;
}

/* How many rows the store has for the player, acknowledged or not. */
static inline bool
count_row(void *cls, uint64_t id, int kind, struct span body)
{
	(void)id;
	(void)kind;
	(void)body;
	++*(size_t *)cls;
	return true;
}

static inline size_t
n_rows(struct fixture *f, uint32_t id)
{
	size_t n = 0;

	OK(f->store->events_after(f->store, id, 0, count_row, &n));
	return n;
}

#endif
