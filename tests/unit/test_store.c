/* test_store.c - what the operations of store.h promise; those on mailboxes
 * are in test_store_mailbox.c. */
#include "tests/unit/store_fixture.h"

#define UUID_A "6f1c2b1e-9d55-4c1b-8a3e-0d2f4b6a8c01"
#define UUID_B "6f1c2b1e-9d55-4c1b-8a3e-0d2f4b6a8c02"

static void
test_player_is_found_by_token_and_id(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct player_row row = player_of(2147483647, "Zo\xc3\xab"), found;

	row.room = 99;
	row.trimmed_id = 99;
	OK(store->player_insert(store, &row));
	OK(store->player_by_token(store, row.token_hash, &found));
	assert_int_equal(found.id, row.id);
	assert_memory_equal(found.token_hash, row.token_hash, DIGEST_SIZE);
	assert_string_equal(found.name, row.name);
	assert_int_equal(found.room, 0);
	assert_int_equal(found.trimmed_id, 0);
	memset(&found, 0, sizeof(found));
	OK(store->player_by_id(store, row.id, &found));
	assert_string_equal(found.name, row.name);
}

static void
test_unknown_player_is_absent(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct player_row found = { .id = 77 };
	uint64_t last_id;

	assert_int_equal(
	    store->player_by_token(store, hash_of(5), &found), ERR_ABSENT);
	assert_int_equal(store->player_by_id(store, 5, &found), ERR_ABSENT);
	assert_int_equal(found.id, 77);
	assert_int_equal(store->player_set_room(store, 5, 0), ERR_ABSENT);
	assert_int_equal(store->player_delete(store, 5), ERR_ABSENT);
	assert_int_equal(store->events_last_id(store, 5, &last_id), ERR_ABSENT);
}

static void
test_longest_name_survives(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct player_row row = player_of(2, ""), found;

	for (int i = 0; i < 64; i++)
		strcat(row.name, "\xf0\x9f\x8e\xb2");
	OK(store->player_insert(store, &row));
	OK(store->player_by_id(store, 2, &found));
	assert_string_equal(found.name, row.name);
}

static void
test_taken_id_does_not_end_the_transaction(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct player_row row = player_of(8, "Bob");
	uint64_t n;

	OK(store->begin(store));
	add_player(store, 7);
	row.id = 7;
	assert_int_equal(store->player_insert(store, &row), ERR_TAKEN);
	row.id = 8;
	OK(store->player_insert(store, &row));
	OK(store->commit(store));
	OK(store->count_players(store, &n));
	assert_int_equal(n, 2);
}

static void
test_players_are_listed_in_portions(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint32_t ids[2];
	size_t n;

	add_player(store, 30);
	add_player(store, 10);
	add_player(store, 20);
	OK(store->players_after(store, 0, 2, ids, &n));
	assert_int_equal(n, 2);
	assert_int_equal(ids[0], 10);
	assert_int_equal(ids[1], 20);
	OK(store->players_after(store, 20, 2, ids, &n));
	assert_int_equal(n, 1);
	assert_int_equal(ids[0], 30);
	OK(store->players_after(store, 30, 2, ids, &n));
	assert_int_equal(n, 0);
}

static void
test_room_is_found_and_sealed(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct room_row room;
	int64_t id;
	uint64_t n;

	add_player(store, 2);
	OK(store->room_insert(store, UUID_A, 2, &id));
	assert_true(id > 0);
	OK(store->room_by_uuid(store, UUID_A, &room));
	assert_int_equal(room.id, id);
	assert_string_equal(room.uuid, UUID_A);
	assert_int_equal(room.host, 2);
	assert_false(room.sealed);
	OK(store->room_seal(store, id));
	OK(store->room_by_id(store, id, &room));
	assert_true(room.sealed);
	OK(store->count_rooms(store, &n));
	assert_int_equal(n, 1);
	OK(store->room_delete(store, id));
	OK(store->count_rooms(store, &n));
	assert_int_equal(n, 0);
	assert_int_equal(store->room_by_uuid(store, UUID_A, &room), ERR_ABSENT);
	assert_int_equal(store->room_by_id(store, id, &room), ERR_ABSENT);
	assert_int_equal(store->room_seal(store, id), ERR_ABSENT);
	assert_int_equal(store->room_delete(store, id), ERR_ABSENT);
}

struct members {
	uint32_t ids[8];
	size_t n, max;
};

static bool
on_member(void *cls, uint32_t player, const char *name)
{
	struct members *members = cls;

	assert_string_equal(name, "Ann");
	members->ids[members->n++] = player;
	return members->n < members->max;
}

static void
test_members_come_in_join_order(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct members members = { .max = 8 };
	struct player_row player;
	int64_t a, b;

	for (uint32_t id = 2; id <= 5; id++)
		add_player(store, id);
	OK(store->room_insert(store, UUID_A, 4, &a));
	OK(store->room_insert(store, UUID_B, 5, &b));
	OK(store->player_set_room(store, 4, a));
	OK(store->player_set_room(store, 5, b));
	OK(store->player_set_room(store, 2, a));
	OK(store->player_set_room(store, 3, a));
	OK(store->player_set_room(store, 2, 0));
	OK(store->player_set_room(store, 2, a));
	OK(store->room_members(store, a, on_member, &members));
	assert_int_equal(members.n, 3);
	assert_int_equal(members.ids[0], 4);
	assert_int_equal(members.ids[1], 3);
	assert_int_equal(members.ids[2], 2);
	members = (struct members){ .max = 1 };
	OK(store->room_members(store, a, on_member, &members));
	assert_int_equal(members.n, 1);
	OK(store->player_by_id(store, 3, &player));
	assert_int_equal(player.room, a);
}

static void
test_ended_session_is_remembered_for_a_while(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	int reason = 0;

	OK(store->ended_insert(store, hash_of(1), 4, 100));
	OK(store->ended_by_token(store, hash_of(1), 100, &reason));
	assert_int_equal(reason, 4);
	assert_int_equal(
	    store->ended_by_token(store, hash_of(1), 101, &reason), ERR_ABSENT);
	assert_int_equal(
	    store->ended_by_token(store, hash_of(2), 0, &reason), ERR_ABSENT);
	OK(store->ended_insert(store, hash_of(1), 5, 200));
	OK(store->ended_by_token(store, hash_of(1), 150, &reason));
	assert_int_equal(reason, 5);
}

static void
test_purge_drops_the_old_and_keeps_the_newest(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	int reason;

	for (uint32_t i = 1; i <= 10; i++)
		OK(store->ended_insert(
		    store, hash_of(i), 1, i <= 4 ? 100 : 200 + i / 9));
	OK(store->ended_purge(store, 100, 10));
	assert_int_equal(query_number(store, "SELECT count(*) FROM ended"), 10);
	OK(store->ended_purge(store, 101, 10));
	assert_int_equal(query_number(store, "SELECT count(*) FROM ended"), 6);
	/* Also among those of one second there are exactly max left. */
	OK(store->ended_purge(store, 101, 4));
	assert_int_equal(query_number(store, "SELECT count(*) FROM ended"), 4);
	OK(store->ended_by_token(store, hash_of(10), 0, &reason));
	OK(store->ended_by_token(store, hash_of(9), 0, &reason));
	OK(store->ended_purge(store, 0, 0));
	assert_int_equal(query_number(store, "SELECT count(*) FROM ended"), 0);
}

static void
remember(struct store *store, int64_t scope, uint32_t key, int64_t created_s)
{
	struct reply_row row = { .scope = scope,
		.player = 2,
		.body = { "a\0b", 3 },
		.created_s = created_s };

	memcpy(row.key_hash, hash_of(key), DIGEST_SIZE);
	memcpy(row.request_hash, hash_of(key + 1000), DIGEST_SIZE);
	OK(store->reply_insert(store, &row));
}

static void
test_reply_is_found_under_its_scope_and_key(void **state)
{
	struct fixture *f = *state;
	struct reply_row found;

	add_player(f->store, 2);
	remember(f->store, 2, 1, 1234);
	fixture_reopen(f);
	OK(f->store->reply_find(f->store, 2, hash_of(1), &found));
	assert_int_equal(found.scope, 2);
	assert_int_equal(found.player, 2);
	assert_int_equal(found.created_s, 1234);
	assert_memory_equal(found.key_hash, hash_of(1), DIGEST_SIZE);
	assert_memory_equal(found.request_hash, hash_of(1001), DIGEST_SIZE);
	assert_int_equal(found.body.len, 3);
	assert_memory_equal(found.body.at, "a\0b", 3);
	assert_int_equal(
	    f->store->reply_find(f->store, 0, hash_of(1), &found), ERR_ABSENT);
	assert_int_equal(
	    f->store->reply_find(f->store, 2, hash_of(2), &found), ERR_ABSENT);
}

static uint64_t
forget(struct store *store, int64_t before_s, uint64_t max)
{
	uint64_t n_bytes;

	OK(store->replies_forget(store, 2, before_s, max, &n_bytes));
	return n_bytes;
}

static void
test_oldest_replies_are_forgotten_first_and_their_bytes_told(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct reply_row found;
	uint64_t n_bytes;

	add_player(store, 2);
	OK(store->replies_bytes(store, 2, &n_bytes));
	assert_int_equal(n_bytes, 0);
	/* All in one second: then the order of insertion decides. */
	for (uint32_t key = 1; key <= 5; key++)
		remember(store, 2, key, 100);
	OK(store->replies_bytes(store, 2, &n_bytes));
	assert_int_equal(n_bytes, 5 * 3);
	OK(store->replies_bytes(store, 3, &n_bytes));
	assert_int_equal(n_bytes, 0);
	assert_int_equal(forget(store, 0, 3), 2 * 3);
	assert_int_equal(query_number(store, "SELECT count(*) FROM reply"), 3);
	assert_int_equal(
	    store->reply_find(store, 2, hash_of(2), &found), ERR_ABSENT);
	OK(store->reply_find(store, 2, hash_of(3), &found));
	remember(store, 2, 6, 700);
	assert_int_equal(forget(store, 100, 64), 0);
	assert_int_equal(forget(store, 101, 64), 3 * 3);
	OK(store->replies_bytes(store, 2, &n_bytes));
	assert_int_equal(n_bytes, 3);
}

static void
test_reply_of_a_key_used_again_replaces_the_old(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct reply_row found;

	add_player(store, 2);
	remember(store, 0, 1, 100);
	remember(store, 0, 1, 900);
	OK(store->reply_find(store, 0, hash_of(1), &found));
	assert_int_equal(found.created_s, 900);
	assert_int_equal(query_number(store, "SELECT count(*) FROM reply"), 1);
}

static void
test_rollback_undoes_everything(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint32_t a = 2;
	int64_t room;
	uint64_t n;

	OK(store->begin(store));
	add_player(store, a);
	OK(store->room_insert(store, UUID_A, a, &room));
	OK(store->player_set_room(store, a, room));
	add_message(store, "1", 1, &a, 1);
	OK(store->ended_insert(store, hash_of(9), 1, 1));
	store->rollback(store);
	OK(store->count_players(store, &n));
	assert_int_equal(n, 0);
	OK(store->count_rooms(store, &n));
	assert_int_equal(n, 0);
	assert_int_equal(query_number(store, "SELECT count(*) FROM event"), 0);
	assert_int_equal(query_number(store, "SELECT count(*) FROM ended"), 0);
}

static void
test_has_written_tells_reading_from_writing(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct trim trim = { .player = 2, .upto = 5 };
	uint64_t n;

	OK(store->begin(store));
	assert_false(store->has_written(store));
	OK(store->count_players(store, &n));
	assert_false(store->has_written(store));
	add_player(store, 2);
	assert_true(store->has_written(store));
	OK(store->commit(store));
	assert_false(store->has_written(store));
	OK(store->begin(store));
	OK(store->events_trim(store, &trim, 0));
	assert_false(store->has_written(store));
	store->rollback(store);
}

static void
test_broken_reference_is_refused_and_loses_the_transaction(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	int64_t room;
	uint64_t n;

	add_player(store, 2);
	OK(store->room_insert(store, UUID_A, 2, &room));
	OK(store->player_set_room(store, 2, room));
	OK(store->begin(store));
	add_player(store, 3);
	assert_int_equal(store->room_delete(store, room), ERR_STORAGE);
	/* Nothing goes on, not even what would work. */
	assert_int_equal(store->count_players(store, &n), ERR_STORAGE);
	assert_int_equal(store->commit(store), ERR_STORAGE);
	store->rollback(store);
	OK(store->count_players(store, &n));
	assert_int_equal(n, 1);
	OK(store->begin(store));
	assert_int_equal(store->player_delete(store, 2), ERR_STORAGE);
	store->rollback(store);
	OK(store->count_rooms(store, &n));
	assert_int_equal(n, 1);
}

static void
test_secret_is_made_once(void **state)
{
	struct fixture *f = *state;
	uint8_t first[DIGEST_SIZE], again[DIGEST_SIZE], zeros[DIGEST_SIZE];

	OK(f->store->secret(f->store, first));
	fixture_reopen(f);
	OK(f->store->secret(f->store, again));
	assert_memory_equal(first, again, DIGEST_SIZE);
	memset(zeros, 0, sizeof(zeros));
	assert_memory_not_equal(first, zeros, DIGEST_SIZE);
}

static void
test_probe_leaves_no_trace(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;

	OK(store->probe(store));
	OK(store->probe(store));
	assert_int_equal(
	    query_number(store, "SELECT length(probe) FROM secret"), 0);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_player_is_found_by_token_and_id),
		TEST(test_unknown_player_is_absent),
		TEST(test_longest_name_survives),
		TEST(test_taken_id_does_not_end_the_transaction),
		TEST(test_players_are_listed_in_portions),
		TEST(test_room_is_found_and_sealed),
		TEST(test_members_come_in_join_order),
		TEST(test_ended_session_is_remembered_for_a_while),
		TEST(test_purge_drops_the_old_and_keeps_the_newest),
		TEST(test_reply_is_found_under_its_scope_and_key),
		TEST(
		    test_oldest_replies_are_forgotten_first_and_their_bytes_told),
		TEST(test_reply_of_a_key_used_again_replaces_the_old),
		TEST(test_rollback_undoes_everything),
		TEST(test_has_written_tells_reading_from_writing),
		TEST(
		    test_broken_reference_is_refused_and_loses_the_transaction),
		TEST(test_secret_is_made_once),
		TEST(test_probe_leaves_no_trace),
	};

	return cmocka_run_group_tests_name("store", tests, NULL, NULL);
}
