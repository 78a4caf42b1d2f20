/* test_store_mailbox.c - what store.h promises about events and messages. */
#include "tests/unit/store_fixture.h"

struct events {
	char text[256];
	size_t n, max;
};

static bool
on_event(void *cls, uint64_t id, int kind, struct span body)
{
	struct events *events = cls;
	size_t len = strlen(events->text);

	assert_int_equal(kind, 7);
	snprintf(events->text + len, sizeof(events->text) - len, "%d=%.*s ",
	    (int)id, (int)body.len, body.at);
	return ++events->n < events->max;
}

static void
expect_events(
    struct store *store, uint32_t player, uint64_t after, const char *text)
{
	struct events events = { .max = 100 };

	OK(store->events_after(store, player, after, on_event, &events));
	assert_string_equal(events.text, text);
}

static void
test_events_come_in_order_and_can_be_cut_short(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct events events = { .max = 1 };
	uint32_t a = 2, b = 3;
	uint64_t n;

	add_player(store, a);
	add_player(store, b);
	add_message(store, "\"x\"", 1, &a, 1);
	add_message(store, "\"other\"", 1, &b, 1);
	add_message(store, "\"\xc3\xa9\\u0000\"", 2, &a, 1);
	add_message(store, "", 3, &a, 1);
	expect_events(store, a, 0, "1=\"x\" 2=\"\xc3\xa9\\u0000\" 3= ");
	expect_events(store, a, 2, "3= ");
	expect_events(store, a, 3, "");
	expect_events(store, a, UINT64_MAX, "");
	expect_events(store, 99, 0, "");
	OK(store->events_after(store, a, 0, on_event, &events));
	assert_string_equal(events.text, "1=\"x\" ");
	OK(store->events_bytes(store, a, 0, &n));
	assert_int_equal(n, 3 + 10);
	OK(store->events_bytes(store, a, 1, &n));
	assert_int_equal(n, 10);
	OK(store->events_bytes(store, a, 9, &n));
	assert_int_equal(n, 0);
	OK(store->events_last_id(store, a, &n));
	assert_int_equal(n, 3);
}

static void
test_ids_are_never_used_again_after_trim_and_reopen(void **state)
{
	struct fixture *f = *state;
	struct trim trim = { .player = 2, .upto = 2 };
	struct player_row player;
	uint32_t a = 2;
	uint64_t last_id;

	add_player(f->store, a);
	OK(f->store->events_last_id(f->store, a, &last_id));
	assert_int_equal(last_id, 0);
	add_message(f->store, "1", 1, &a, 1);
	add_message(f->store, "2", 2, &a, 1);
	OK(f->store->events_trim(f->store, &trim, 1));
	expect_events(f->store, a, 0, "");
	fixture_reopen(f);
	OK(f->store->events_last_id(f->store, a, &last_id));
	assert_int_equal(last_id, 2);
	OK(f->store->player_by_id(f->store, a, &player));
	assert_int_equal(player.trimmed_id, 2);
}

static void
test_trimmed_id_rises_only_and_never_above_the_last_id(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct trim trim = { .player = 2, .upto = UINT64_MAX };
	struct player_row player;
	uint32_t a = 2;

	add_player(store, a);
	OK(store->events_trim(store, &trim, 1));
	OK(store->player_by_id(store, a, &player));
	assert_int_equal(player.trimmed_id, 0);
	for (uint64_t id = 1; id <= 3; id++)
		add_message(store, "0", id, &a, 1);
	trim.upto = 2;
	OK(store->events_trim(store, &trim, 1));
	trim.upto = 1;
	OK(store->events_trim(store, &trim, 1));
	OK(store->player_by_id(store, a, &player));
	assert_int_equal(player.trimmed_id, 2);
	trim.upto = 1000;
	OK(store->events_trim(store, &trim, 1));
	OK(store->events_trim(store, &trim, 1));
	OK(store->player_by_id(store, a, &player));
	assert_int_equal(player.trimmed_id, 3);
}

static void
test_one_row_at_most_is_left_of_what_was_trimmed(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct trim trim = { .player = 2 };
	uint32_t a = 2;

	add_player(store, a);
	for (uint64_t id = 1; id <= 9; id++)
		add_message(store, "0", id, &a, 1);
	for (trim.upto = 2; trim.upto <= 9; trim.upto++) {
		OK(store->events_trim(store, &trim, 1));
		assert_int_equal(query_number(store,
				     "SELECT count(*) FROM event "
				     "WHERE message IS NULL"),
		    1);
		assert_int_equal(
		    query_number(store, "SELECT min(id) FROM event"),
		    trim.upto);
	}
	assert_int_equal(
	    query_number(store, "SELECT count(*) FROM message"), 0);
	OK(store->player_delete(store, a));
	assert_int_equal(query_number(store, "SELECT count(*) FROM event"), 0);
}

static void
test_message_goes_with_its_last_reference_only(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	uint32_t all[] = { 2, 3, 4 };
	struct trim first = { .player = 2, .upto = 1 };
	struct trim rest[] = { { .player = 4, .upto = 9 },
		{ .player = 99, .upto = 9 }, { .player = 3, .upto = 9 } };

	for (size_t i = 0; i < 3; i++)
		add_player(store, all[i]);
	add_message(store, "1", 1, all, 3);
	add_message(store, "2", 2, all, 3);
	OK(store->events_trim(store, &first, 1));
	assert_int_equal(
	    query_number(store, "SELECT count(*) FROM message"), 2);
	assert_int_equal(
	    query_number(store, "SELECT min(refs) FROM message"), 2);
	expect_events(store, 3, 0, "1=1 2=2 ");
	OK(store->events_trim(store, rest, 3));
	assert_int_equal(
	    query_number(store, "SELECT count(*) FROM message"), 1);
	assert_int_equal(query_number(store, "SELECT refs FROM message"), 1);
	expect_events(store, 2, 0, "2=2 ");
	OK(store->events_trim(store, NULL, 0));
}

static void
test_deleted_player_leaves_nothing_behind(void **state)
{
	struct store *store = ((struct fixture *)*state)->store;
	struct reply_row reply = { .scope = 0, .player = 2, .created_s = 5 };
	struct reply_row found;
	uint32_t both[] = { 2, 3 };
	uint64_t n;

	add_player(store, 2);
	add_player(store, 3);
	add_message(store, "1", 1, both, 2);
	add_message(store, "2", 2, both, 1);
	memcpy(reply.key_hash, hash_of(1), DIGEST_SIZE);
	OK(store->reply_insert(store, &reply));
	OK(store->player_delete(store, 2));
	OK(store->count_players(store, &n));
	assert_int_equal(n, 1);
	assert_int_equal(
	    query_number(store, "SELECT count(*) FROM message"), 1);
	assert_int_equal(query_number(store, "SELECT refs FROM message"), 1);
	assert_int_equal(query_number(store, "SELECT count(*) FROM event"), 1);
	expect_events(store, 3, 0, "1=1 ");
	assert_int_equal(
	    store->reply_find(store, 0, hash_of(1), &found), ERR_ABSENT);
	/* Whoever gets the same id next starts from nothing. */
	add_player(store, 2);
	expect_events(store, 2, 0, "");
	OK(store->events_last_id(store, 2, &n));
	assert_int_equal(n, 0);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, fixture_set_up, fixture_tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_events_come_in_order_and_can_be_cut_short),
		TEST(test_ids_are_never_used_again_after_trim_and_reopen),
		TEST(test_trimmed_id_rises_only_and_never_above_the_last_id),
		TEST(test_one_row_at_most_is_left_of_what_was_trimmed),
		TEST(test_message_goes_with_its_last_reference_only),
		TEST(test_deleted_player_leaves_nothing_behind),
	};

	return cmocka_run_group_tests_name("store mailbox", tests, NULL, NULL);
}
