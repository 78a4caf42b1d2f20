/* world_fixture.c - a world over a real store. */
#include "tests/unit/world_fixture.h"

void
fixture_start(struct fixture *f)
{
	f->store = scratch_open(&f->scratch);
	OK(world_init(&f->world, f->store, &f->settings));
	OK(f->store->begin(f->store));
}

void
keep(struct fixture *f)
{
	OK(f->store->commit(f->store));
	world_committed(&f->world);
	OK(f->store->begin(f->store));
}

void
undo(struct fixture *f)
{
	f->store->rollback(f->store);
	world_rolled_back(&f->world);
	OK(f->store->begin(f->store));
}

void
fixture_stop(struct fixture *f)
{
	f->store->rollback(f->store);
	world_rolled_back(&f->world);
	world_fini(&f->world);
	f->store->close(f->store);
}

void
restart(struct fixture *f)
{
	fixture_stop(f);
	fixture_start(f);
}

int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || scratch_make(&f->scratch))
		return -1;
	fixture_start(f);
	*state = f;
	return 0;
}

int
tear_down(void **state)
{
	struct fixture *f = *state;

	fixture_stop(f);
	scratch_remove(&f->scratch);
	free(f);
	return 0;
}

const uint8_t *
hash_of(uint32_t id)
{
	static uint8_t hashes[4][DIGEST_SIZE];
	static unsigned next;
	uint8_t *hash = hashes[next++ % 4];

	memset(hash, 0x5a, DIGEST_SIZE);
	memcpy(hash, &id, sizeof(id));
	return hash;
}

struct player *
add_player(struct fixture *f, uint32_t id)
{
	struct player *player;

	OK(player_register(&f->world, id, hash_of(id), "Ann", &player));
	assert_int_equal(player->id, id);
	return player;
}

struct player *
get_player(struct fixture *f, uint32_t id)
{
	struct player *player;

	OK(player_find(&f->world, id, &player));
	assert_int_equal(player->id, id);
	return player;
}

bool
is_there(struct fixture *f, uint32_t id)
{
	struct player *player;
	enum err err = player_find(&f->world, id, &player);

	if (err != ERR_ABSENT)
		OK(err);
	return err != ERR_ABSENT;
}

void
pass(int64_t ms)
{
	scratch_clock[0] += ms;
}

void
leave_mail_alone(void)
{
	pass(10000);
}

struct room *
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

static bool
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

const char *
mail_of(struct fixture *f, uint32_t id)
{
	struct player *player = get_player(f, id);

	f->mail[0] = '\0';
	f->mail_len = 0;
	f->next_event_id = player->acked + 1;
	OK(f->store->events_after(f->store, id, player->acked, on_event, f));
	return f->mail;
}

static bool
count_row(void *cls, uint64_t id, int kind, struct span body)
{
	(void)id;
	(void)kind;
	(void)body;
	++*(size_t *)cls;
	return true;
}

size_t
n_rows(struct fixture *f, uint32_t id)
{
	size_t n = 0;

	OK(f->store->events_after(f->store, id, 0, count_row, &n));
	return n;
}
