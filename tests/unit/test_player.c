/* test_player.c - sessions: their ids, their ends, and how long those are
 * remembered. */
#include "tests/unit/world_fixture.h"

static struct player *
find_by_token(struct fixture *f, uint32_t id)
{
	struct player *player = NULL;
	enum err err = player_find_by_token(&f->world, hash_of(id), &player);

	if (err != ERR_ABSENT)
		OK(err);
	return player;
}

/* Why the session ended; 0: nobody knows. */
static int
reason_of(struct fixture *f, uint32_t id)
{
	enum end_reason reason = 0;
	enum err err = player_find_ended(&f->world, hash_of(id), &reason);

	if (err != ERR_ABSENT)
		OK(err);
	return (int)reason;
}

static void
end(struct fixture *f, uint32_t id, enum end_reason reason)
{
	OK(player_end(&f->world, get_player(f, id), reason));
}

static void
test_a_player_is_found_by_token_and_by_id(void **state)
{
	struct fixture *f = *state;
	struct player *player = add_player(f, 2);

	add_player(f, 3);
	assert_ptr_equal(find_by_token(f, 2), player);
	assert_ptr_equal(get_player(f, 2), player);
	assert_null(find_by_token(f, 4));
	assert_false(is_there(f, 4));
}

static void
test_a_player_is_found_after_a_restart_either_way(void **state)
{
	struct fixture *f = *state;

	add_player(f, 2);
	add_player(f, 3);
	keep(f);
	restart(f);
	assert_int_equal(find_by_token(f, 2)->id, 2);
	assert_ptr_equal(get_player(f, 2), find_by_token(f, 2));
	assert_ptr_equal(find_by_token(f, 3), get_player(f, 3));
	assert_memory_equal(
	    get_player(f, 3)->token_hash, hash_of(3), DIGEST_SIZE);
}

static void
test_new_ids_are_peer_ids_that_nobody_has(void **state)
{
	struct fixture *f = *state;
	uint32_t ids[200];

	for (size_t i = 0; i < N_OF(ids); i++) {
		OK(player_new_id(&f->world, &ids[i]));
		assert_in_range(ids[i], 2, INT32_MAX);
		assert_false(is_there(f, ids[i]));
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(ids[i], ids[j]);
		add_player(f, ids[i]);
	}
}

static enum err (*real_player_by_id)(
    struct store *store, uint32_t id, struct player_row *out);
static uint32_t id_said_to_be_taken;

static enum err
say_that_the_first_is_taken(
    struct store *store, uint32_t id, struct player_row *out)
{
	(void)out;
	store->player_by_id = real_player_by_id;
	id_said_to_be_taken = id;
	return ERR_NONE;
}

static void
test_a_taken_id_is_drawn_again(void **state)
{
	struct fixture *f = *state;
	uint32_t id;

	real_player_by_id = f->store->player_by_id;
	f->store->player_by_id = say_that_the_first_is_taken;
	id_said_to_be_taken = 0;
	OK(player_new_id(&f->world, &id));
	assert_int_not_equal(id_said_to_be_taken, 0);
	assert_int_not_equal(id, id_said_to_be_taken);
}

static void
test_players_are_counted_against_their_limit(void **state)
{
	struct fixture *f = *state;
	struct player *player;

	f->settings.max_players = 2;
	add_player(f, 2);
	add_player(f, 3);
	assert_int_equal(
	    player_register(&f->world, 4, hash_of(4), "Ann", &player),
	    ERR_TOO_MANY_PLAYERS);
	assert_false(is_there(f, 4));
	end(f, 2, END_UNREGISTERED);
	add_player(f, 4);
	keep(f);
	restart(f);
	assert_int_equal(f->world.n_players, 2);
	assert_int_equal(
	    player_register(&f->world, 5, hash_of(5), "Ann", &player),
	    ERR_TOO_MANY_PLAYERS);
}

static enum err
try_register(struct fixture *f, uint32_t id)
{
	struct player *player;

	return player_register(&f->world, id, hash_of(id), "Ann", &player);
}

static void
test_when_it_is_full_the_oldest_unused_register_gives_up_its_place(void **state)
{
	struct fixture *f = *state;
	enum end_reason reason;

	f->settings.max_players = 3;
	for (uint32_t id = 2; id <= 4; id++)
		add_player(f, id);
	presence_used(get_player(f, 2));
	keep(f);
	pass(1000);
	assert_int_equal(try_register(f, 5), ERR_TOO_MANY_PLAYERS);
	assert_false(f->store->has_written(f->store));
	pass(PRESENCE_UNUSED_MS);
	OK(try_register(f, 5));
	assert_false(is_there(f, 3));
	assert_int_equal(f->world.n_players, 3);
	assert_int_equal(
	    player_find_ended(&f->world, hash_of(3), &reason), ERR_ABSENT);
	/* With a rollback it has its place again, and its turn. */
	undo(f);
	assert_true(is_there(f, 3));
	assert_false(is_there(f, 5));
	pass(PRESENCE_UNUSED_MS);
	OK(try_register(f, 5));
	OK(try_register(f, 6));
	assert_int_equal(try_register(f, 7), ERR_TOO_MANY_PLAYERS);
	assert_true(is_there(f, 2));
	assert_false(is_there(f, 3));
	assert_false(is_there(f, 4));
	assert_int_equal(f->world.n_players, 3);
}

static void
test_who_is_in_a_room_is_not_unused_until_it_leaves(void **state)
{
	struct fixture *f = *state;

	f->settings.max_players = 2;
	OK(room_create(&f->world, add_player(f, 2)));
	presence_used(add_player(f, 3));
	keep(f);
	pass(PRESENCE_UNUSED_MS);
	assert_int_equal(try_register(f, 4), ERR_TOO_MANY_PLAYERS);
	OK(room_leave(&f->world, get_player(f, 2)));
	OK(try_register(f, 4));
	assert_false(is_there(f, 2));
}

static void
test_nobody_is_ended_when_one_place_is_not_enough(void **state)
{
	struct fixture *f = *state;

	for (uint32_t id = 2; id <= 4; id++)
		add_player(f, id);
	keep(f);
	f->settings.max_players = 2;
	pass(PRESENCE_UNUSED_MS);
	assert_int_equal(try_register(f, 5), ERR_TOO_MANY_PLAYERS);
	assert_int_equal(f->world.n_players, 3);
}

static void
test_an_ended_session_is_gone_at_once_and_for_good(void **state)
{
	struct fixture *f = *state;

	add_player(f, 2);
	add_player(f, 3);
	keep(f);
	end(f, 2, END_UNREGISTERED);
	assert_null(find_by_token(f, 2));
	assert_false(is_there(f, 2));
	assert_int_equal(f->world.n_players, 1);
	keep(f);
	assert_null(find_by_token(f, 2));
	assert_null(f->world.players_by_id->hh_id.next);
	restart(f);
	assert_null(find_by_token(f, 2));
	assert_true(is_there(f, 3));
}

static void
test_why_a_session_ended_is_remembered_unless_it_unregistered(void **state)
{
	struct fixture *f = *state;

	for (uint32_t id = 2; id <= 5; id++)
		add_player(f, id);
	end(f, 2, END_STOPPED_POLLING);
	end(f, 3, END_LEFT_IN_LOBBY);
	end(f, 4, END_MAILBOX_OVERFLOW);
	end(f, 5, END_UNREGISTERED);
	keep(f);
	restart(f);
	assert_int_equal(reason_of(f, 2), END_STOPPED_POLLING);
	assert_int_equal(reason_of(f, 3), END_LEFT_IN_LOBBY);
	assert_int_equal(reason_of(f, 4), END_MAILBOX_OVERFLOW);
	assert_int_equal(reason_of(f, 5), 0);
	assert_int_equal(reason_of(f, 6), 0);
}

static void
test_the_end_of_a_session_is_remembered_for_an_hour(void **state)
{
	struct fixture *f = *state;

	add_player(f, 2);
	end(f, 2, END_STOPPED_POLLING);
	keep(f);
	scratch_clock[0] += 3590 * 1000;
	assert_int_equal(reason_of(f, 2), END_STOPPED_POLLING);
	scratch_clock[0] += 20 * 1000;
	assert_int_equal(reason_of(f, 2), 0);
}

static void
test_the_end_of_a_session_outlasts_any_wall_clock(void **state)
{
	static const int64_t years = (int64_t)10 * 365 * 86400 * 1000;
	struct fixture *f = *state;

	add_player(f, 2);
	end(f, 2, END_STOPPED_POLLING);
	keep(f);
	for (int i = -1; i <= 1; i++) {
		scratch_clock[3] = i * years;
		f->world.purge_s = 0;
		add_player(f, 4);
		end(f, 4, END_STOPPED_POLLING);
		keep(f);
		assert_int_equal(reason_of(f, 2), END_STOPPED_POLLING);
		restart(f);
		assert_int_equal(reason_of(f, 2), END_STOPPED_POLLING);
	}
	scratch_clock[3] = 0;
}

static enum err (*real_ended_purge)(
    struct store *store, int64_t before_s, uint64_t max);
static unsigned n_purges;

static enum err
count_purge(struct store *store, int64_t before_s, uint64_t max)
{
	n_purges++;
	assert_int_equal(store->now_s(store) - before_s, 3600);
	assert_int_equal(max, 7);
	return real_ended_purge(store, before_s, max);
}

static void
test_old_ends_are_purged_once_a_minute(void **state)
{
	struct fixture *f = *state;

	f->settings.max_players = 7;
	real_ended_purge = f->store->ended_purge;
	f->store->ended_purge = count_purge;
	n_purges = 0;
	for (uint32_t id = 2; id <= 6; id++) {
		add_player(f, id);
		end(f, id, END_STOPPED_POLLING);
	}
	assert_int_equal(n_purges, 1);
	scratch_clock[0] += 100 * 1000;
	for (uint32_t id = 7; id <= 8; id++) {
		add_player(f, id);
		end(f, id, END_STOPPED_POLLING);
	}
	assert_int_equal(n_purges, 2);
}

static void
test_the_end_of_a_member_is_told_to_the_others(void **state)
{
	struct fixture *f = *state;

	add_room(f, 20, 22);
	end(f, 21, END_STOPPED_POLLING);
	assert_string_equal(mail_of(f, 20), "RPD 21");
	assert_string_equal(mail_of(f, 22), "RPD 21");
	end(f, 20, END_UNREGISTERED);
	assert_string_equal(
	    mail_of(f, 22), "RPD 21, RPD 1, RCL \"Host Disconnected\"");
	assert_null(get_player(f, 22)->room);
	assert_int_equal(f->world.n_rooms, 0);
}

static void
test_eviction_ends_all_who_are_listed_and_empties_the_list(void **state)
{
	struct fixture *f = *state;

	for (uint32_t id = 2; id <= 4; id++)
		add_player(f, id);
	list_append(&f->world.evicted, &get_player(f, 3)->evicted);
	list_append(&f->world.evicted, &get_player(f, 2)->evicted);
	OK(player_evict(&f->world));
	assert_true(list_is_empty(&f->world.evicted));
	assert_false(is_there(f, 2));
	assert_false(is_there(f, 3));
	assert_true(is_there(f, 4));
	assert_int_equal(reason_of(f, 2), END_MAILBOX_OVERFLOW);
	assert_int_equal(reason_of(f, 3), END_MAILBOX_OVERFLOW);
}

static void
test_a_listed_player_whose_room_closes_is_evicted_all_the_same(void **state)
{
	struct fixture *f = *state;

	add_room(f, 20, 22);
	list_append(&f->world.evicted, &get_player(f, 21)->evicted);
	OK(room_leave(&f->world, get_player(f, 20)));
	assert_string_equal(mail_of(f, 21), "");
	OK(player_evict(&f->world));
	assert_false(is_there(f, 21));
	assert_string_equal(mail_of(f, 22), "RPD 1, RCL \"Host Disconnected\"");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_player_is_found_by_token_and_by_id),
		TEST(test_a_player_is_found_after_a_restart_either_way),
		TEST(test_new_ids_are_peer_ids_that_nobody_has),
		TEST(test_a_taken_id_is_drawn_again),
		TEST(test_players_are_counted_against_their_limit),
		TEST(test_an_ended_session_is_gone_at_once_and_for_good),
		TEST(
		    test_why_a_session_ended_is_remembered_unless_it_unregistered),
		TEST(test_the_end_of_a_session_is_remembered_for_an_hour),
		TEST(
		    test_when_it_is_full_the_oldest_unused_register_gives_up_its_place),
		TEST(test_who_is_in_a_room_is_not_unused_until_it_leaves),
		TEST(test_nobody_is_ended_when_one_place_is_not_enough),
		TEST(test_the_end_of_a_session_outlasts_any_wall_clock),
		TEST(test_old_ends_are_purged_once_a_minute),
		TEST(test_the_end_of_a_member_is_told_to_the_others),
		TEST(
		    test_eviction_ends_all_who_are_listed_and_empties_the_list),
		TEST(
		    test_a_listed_player_whose_room_closes_is_evicted_all_the_same),
	};

	return cmocka_run_group_tests_name(
	    "player", tests, scratch_set_up_clock, NULL);
}
