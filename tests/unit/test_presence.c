/* test_presence.c - clocks: who is away or idle for too long, and which time
 * counts.  Time is moved by the test clock; a minute of real time during a
 * test would not matter. */
#include "tests/unit/world_fixture.h"

#define MINUTE 60000

static void
expire(struct fixture *f)
{
	OK(expiry_run(&f->world, 1000));
	assert_false(expiry_is_due(&f->world));
}

static void
seen(struct fixture *f, uint32_t id)
{
	presence_seen(&f->world, get_player(f, id));
}

/* Why the session ended; 0: it has not, or nobody knows. */
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
test_with_all_time_outs_off_nobody_ever_goes(void **state)
{
	struct fixture *f = *state;

	add_room(f, 20, 21);
	OK(room_seal(&f->world, get_player(f, 20)));
	add_player(f, 30);
	pass(INT64_C(100) * 86400 * 1000);
	assert_false(expiry_is_due(&f->world));
	expire(f);
	assert_int_equal(f->world.n_players, 3);
	assert_int_equal(f->world.n_rooms, 1);
}

static void
test_who_is_not_heard_of_times_out_and_others_do_not(void **state)
{
	struct fixture *f = *state;

	f->settings.player_timeout_ms = 20 * MINUTE;
	add_player(f, 2);
	add_player(f, 3);
	pass(15 * MINUTE);
	seen(f, 2);
	assert_false(expiry_is_due(&f->world));
	expire(f);
	assert_true(is_there(f, 3));
	pass(10 * MINUTE);
	assert_true(expiry_is_due(&f->world));
	expire(f);
	assert_true(is_there(f, 2));
	assert_false(is_there(f, 3));
	assert_int_equal(reason_of(f, 3), END_STOPPED_POLLING);
}

static void
test_a_parked_poll_is_presence_and_the_clock_starts_at_its_end(void **state)
{
	struct fixture *f = *state;
	struct parked parked = { .player = NULL };

	f->settings.player_timeout_ms = 20 * MINUTE;
	parking_add(&f->world, add_player(f, 2), &parked, INT64_MAX);
	pass(1000 * MINUTE);
	seen(f, 2); /* a command meanwhile does not start it */
	pass(1000 * MINUTE);
	expire(f);
	assert_true(is_there(f, 2));
	parking_remove(&f->world, &parked);
	pass(15 * MINUTE);
	expire(f);
	assert_true(is_there(f, 2));
	pass(10 * MINUTE);
	expire(f);
	assert_false(is_there(f, 2));
}

static void
test_the_lobby_clock_runs_polling_or_not(void **state)
{
	struct fixture *f = *state;
	struct parked parked = { .player = NULL };

	f->settings.lobby_timeout_ms = 20 * MINUTE;
	parking_add(&f->world, add_player(f, 2), &parked, INT64_MAX);
	add_player(f, 3);
	pass(15 * MINUTE);
	seen(f, 3);
	expire(f);
	assert_true(is_there(f, 3));
	pass(10 * MINUTE);
	expire(f);
	assert_false(is_there(f, 2));
	assert_false(is_there(f, 3));
	assert_int_equal(reason_of(f, 2), END_LEFT_IN_LOBBY);
	parking_remove(&f->world, &parked); /* as the engine would */
}

static void
test_the_lobby_clock_stands_in_a_room_and_starts_on_leaving(void **state)
{
	struct fixture *f = *state;

	f->settings.lobby_timeout_ms = 20 * MINUTE;
	add_room(f, 20, 22);
	pass(100 * MINUTE);
	expire(f);
	assert_int_equal(f->world.n_players, 3);
	OK(room_leave(&f->world, get_player(f, 21)));
	pass(15 * MINUTE);
	OK(room_leave(&f->world, get_player(f, 20)));
	pass(10 * MINUTE);
	expire(f);
	assert_false(is_there(f, 21));
	assert_true(is_there(f, 20));
	assert_true(is_there(f, 22));
	pass(10 * MINUTE);
	expire(f);
	assert_int_equal(f->world.n_players, 0);
}

static void
test_a_room_without_a_command_is_closed(void **state)
{
	struct fixture *f = *state;

	f->settings.room_timeout_ms = 20 * MINUTE;
	add_room(f, 20, 21);
	add_room(f, 30, 31);
	pass(15 * MINUTE);
	OK(relay_message(
	    &f->world, get_player(f, 31), span_of("1"), &(struct bill){ 0 }));
	seen(f, 20); /* polling is no command */
	pass(10 * MINUTE);
	expire(f);
	assert_int_equal(f->world.n_rooms, 1);
	assert_null(get_player(f, 20)->room);
	assert_string_equal(mail_of(f, 20), "RCL \"Room Is Inactive\"");
	assert_string_equal(mail_of(f, 21), "RCL \"Room Is Inactive\"");
	assert_non_null(get_player(f, 30)->room);
	assert_int_equal(f->world.n_players, 4);
}

static void
test_every_command_in_a_room_counts(void **state)
{
	struct fixture *f = *state;
	struct player *other;
	struct room *room = add_room(f, 20, 21);

	f->settings.room_timeout_ms = 20 * MINUTE;
	pass(15 * MINUTE);
	OK(room_find_peer(&f->world, get_player(f, 21), 1, &other));
	pass(15 * MINUTE);
	OK(room_join(&f->world, add_player(f, 22), room->uuid));
	pass(15 * MINUTE);
	OK(room_leave(&f->world, get_player(f, 22)));
	pass(15 * MINUTE);
	OK(room_seal(&f->world, get_player(f, 20)));
	pass(15 * MINUTE);
	expire(f);
	assert_int_equal(f->world.n_rooms, 1);
	pass(10 * MINUTE);
	expire(f);
	assert_int_equal(f->world.n_rooms, 0);
}

static void
test_a_sealed_room_lingers_and_is_cleaned_up(void **state)
{
	struct fixture *f = *state;

	f->settings.sealed_linger_ms = 20 * MINUTE;
	add_room(f, 20, 21);
	add_room(f, 30, 31);
	pass(100 * MINUTE);
	OK(room_seal(&f->world, get_player(f, 20)));
	pass(15 * MINUTE);
	OK(relay_message(
	    &f->world, get_player(f, 20), span_of("1"), &(struct bill){ 0 }));
	expire(f);
	assert_int_equal(f->world.n_rooms, 2);
	pass(10 * MINUTE);
	expire(f);
	assert_int_equal(f->world.n_rooms, 1);
	assert_string_equal(
	    mail_of(f, 21), "SRK \"null\", RMK 1, RCL \"Room Cleaned Up\"");
	assert_non_null(get_player(f, 30)->room);
}

static void
test_standing_still_counts_for_nobody(void **state)
{
	struct fixture *f = *state;

	f->settings.player_timeout_ms = 20 * MINUTE;
	f->settings.lobby_timeout_ms = 20 * MINUTE;
	f->settings.room_timeout_ms = 20 * MINUTE;
	f->settings.sealed_linger_ms = 20 * MINUTE;
	add_player(f, 2);
	add_room(f, 20, 21);
	OK(room_seal(&f->world, get_player(f, 20)));
	presence_tick(&f->world);
	scratch_clock[1] += 1000 * MINUTE;
	presence_tick(&f->world);
	assert_false(expiry_is_due(&f->world));
	expire(f);
	assert_int_equal(f->world.n_players, 3);
	/* And from there on the clocks go on where they were. */
	pass(15 * MINUTE);
	presence_tick(&f->world);
	assert_false(expiry_is_due(&f->world));
	pass(10 * MINUTE);
	expire(f);
	assert_int_equal(f->world.n_players, 0);
	assert_int_equal(f->world.n_rooms, 0);
}

static void
test_a_little_lateness_is_no_stall(void **state)
{
	struct fixture *f = *state;

	presence_tick(&f->world);
	for (int i = 0; i < 10; i++) {
		scratch_clock[1] += 3000;
		presence_tick(&f->world);
	}
	assert_int_equal(f->world.excess_ms, 0);
	scratch_clock[1] += 60000;
	presence_tick(&f->world);
	/* All but the second that may pass between two ticks. */
	assert_in_range(f->world.excess_ms, 59000, 61000);
}

static void
test_after_a_restart_every_clock_begins_anew(void **state)
{
	struct fixture *f = *state;

	f->settings.player_timeout_ms = 20 * MINUTE;
	f->settings.lobby_timeout_ms = 30 * MINUTE;
	f->settings.room_timeout_ms = 40 * MINUTE;
	f->settings.sealed_linger_ms = 40 * MINUTE;
	add_player(f, 2);
	add_room(f, 20, 21);
	OK(room_seal(&f->world, get_player(f, 20)));
	keep(f);
	pass(19 * MINUTE);
	restart(f);
	pass(15 * MINUTE);
	assert_false(expiry_is_due(&f->world));
	seen(f, 2);
	seen(f, 20);
	pass(10 * MINUTE); /* 25 since the start */
	assert_true(expiry_is_due(&f->world));
	expire(f);
	assert_true(is_there(f, 2));
	assert_true(is_there(f, 20));
	assert_false(is_there(f, 21));
	seen(f, 2);
	seen(f, 20);
	pass(10 * MINUTE); /* 35 */
	expire(f);
	assert_false(is_there(f, 2));
	assert_int_equal(reason_of(f, 2), END_LEFT_IN_LOBBY);
	seen(f, 20);
	pass(10 * MINUTE); /* 45 */
	expire(f);
	assert_null(get_player(f, 20)->room);
}

static void
test_one_sweep_finds_all_who_were_never_touched(void **state)
{
	struct fixture *f = *state;
	unsigned n_rounds = 0;

	f->settings.player_timeout_ms = 20 * MINUTE;
	for (uint32_t id = 2; id < 702; id++)
		add_player(f, id);
	keep(f);
	restart(f);
	seen(f, 300);
	assert_false(expiry_is_due(&f->world));
	pass(15 * MINUTE);
	seen(f, 300);
	assert_false(expiry_is_due(&f->world));
	pass(10 * MINUTE);
	while (expiry_is_due(&f->world)) {
		OK(expiry_run(&f->world, 100));
		keep(f);
		assert_true(++n_rounds < 20);
	}
	assert_int_equal(f->world.n_players, 1);
	assert_true(is_there(f, 300));
	assert_true(n_rounds >= 7);
}

static void
test_the_sweep_comes_with_the_shortest_time_out(void **state)
{
	struct fixture *f = *state;

	f->settings.player_timeout_ms = 200 * MINUTE;
	f->settings.sealed_linger_ms = 20 * MINUTE;
	add_room(f, 20, 21);
	OK(room_seal(&f->world, get_player(f, 20)));
	keep(f);
	restart(f);
	pass(25 * MINUTE);
	expire(f);
	assert_int_equal(f->world.n_rooms, 0);
	assert_int_equal(f->world.n_players, 2);
}

static void
test_at_most_so_many_end_in_one_go(void **state)
{
	struct fixture *f = *state;

	f->settings.player_timeout_ms = 20 * MINUTE;
	expire(f);
	for (uint32_t id = 2; id < 12; id++)
		add_player(f, id);
	pass(25 * MINUTE);
	OK(expiry_run(&f->world, 4));
	assert_int_equal(f->world.n_players, 6);
	assert_true(expiry_is_due(&f->world));
	OK(expiry_run(&f->world, 100));
	assert_int_equal(f->world.n_players, 0);
	assert_false(expiry_is_due(&f->world));
}

static void
test_whom_a_time_out_overflows_is_evicted_with_it(void **state)
{
	struct fixture *f = *state;

	f->settings.player_timeout_ms = 20 * MINUTE;
	f->settings.max_mailbox_events = 3;
	add_room(f, 20, 22);
	for (int i = 0; i < 3; i++)
		OK(mailbox_send(
		    &f->world, get_player(f, 21), EVENT_OFFER, span_of("1")));
	pass(15 * MINUTE);
	seen(f, 20);
	seen(f, 21);
	pass(10 * MINUTE);
	expire(f);
	assert_true(list_is_empty(&f->world.evicted));
	assert_int_equal(reason_of(f, 22), END_STOPPED_POLLING);
	assert_int_equal(reason_of(f, 21), END_MAILBOX_OVERFLOW);
	assert_string_equal(mail_of(f, 20), "RPD 22, RPD 21");
}

static void
test_a_host_that_times_out_closes_its_room(void **state)
{
	struct fixture *f = *state;

	f->settings.player_timeout_ms = 20 * MINUTE;
	add_room(f, 20, 21);
	pass(15 * MINUTE);
	seen(f, 21);
	pass(10 * MINUTE);
	expire(f);
	assert_string_equal(mail_of(f, 21), "RPD 1, RCL \"Host Disconnected\"");
	assert_int_equal(f->world.n_rooms, 0);
}

static void
test_a_time_out_that_is_rolled_back_happens_later(void **state)
{
	struct fixture *f = *state;

	f->settings.player_timeout_ms = 20 * MINUTE;
	add_room(f, 20, 21);
	keep(f);
	pass(25 * MINUTE);
	expire(f);
	assert_int_equal(f->world.n_players, 0);
	undo(f);
	assert_int_equal(f->world.n_players, 2);
	/* Time in which nothing could be stored is not held against them. */
	pass(15 * MINUTE);
	expire(f);
	keep(f);
	assert_int_equal(f->world.n_players, 2);
	pass(10 * MINUTE);
	expire(f);
	keep(f);
	assert_int_equal(f->world.n_players, 0);
}

static void
test_a_silent_room_is_closed_though_a_rollback_dropped_it(void **state)
{
	struct fixture *f = *state;

	f->settings.player_timeout_ms = 0;
	f->settings.room_timeout_ms = 20 * MINUTE;
	add_room(f, 20, 21);
	keep(f);
	add_player(f, 30);
	undo(f);
	/* Loaded again by the sweep, its clock begins anew. */
	pass(20 * MINUTE);
	expire(f);
	keep(f);
	assert_int_equal(f->world.n_rooms, 1);
	pass(20 * MINUTE);
	expire(f);
	keep(f);
	assert_int_equal(f->world.n_rooms, 0);
	assert_int_equal(f->world.n_players, 2);
}

static void
test_a_register_that_was_rolled_back_times_out_as_nothing(void **state)
{
	struct fixture *f = *state;

	f->settings.player_timeout_ms = 20 * MINUTE;
	f->settings.lobby_timeout_ms = 20 * MINUTE;
	add_player(f, 2);
	undo(f);
	add_player(f, 3);
	keep(f);
	pass(15 * MINUTE);
	seen(f, 3);
	pass(10 * MINUTE);
	expire(f);
	keep(f);
	assert_null(f->world.players_by_id);
	assert_int_equal(f->world.n_players, 0);
	assert_int_equal(reason_of(f, 2), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_with_all_time_outs_off_nobody_ever_goes),
		TEST(test_who_is_not_heard_of_times_out_and_others_do_not),
		TEST(
		    test_a_parked_poll_is_presence_and_the_clock_starts_at_its_end),
		TEST(test_the_lobby_clock_runs_polling_or_not),
		TEST(
		    test_the_lobby_clock_stands_in_a_room_and_starts_on_leaving),
		TEST(test_a_room_without_a_command_is_closed),
		TEST(test_every_command_in_a_room_counts),
		TEST(test_a_sealed_room_lingers_and_is_cleaned_up),
		TEST(test_standing_still_counts_for_nobody),
		TEST(test_a_little_lateness_is_no_stall),
		TEST(test_after_a_restart_every_clock_begins_anew),
		TEST(test_one_sweep_finds_all_who_were_never_touched),
		TEST(test_the_sweep_comes_with_the_shortest_time_out),
		TEST(test_at_most_so_many_end_in_one_go),
		TEST(test_whom_a_time_out_overflows_is_evicted_with_it),
		TEST(test_a_host_that_times_out_closes_its_room),
		TEST(test_a_time_out_that_is_rolled_back_happens_later),
		TEST(test_a_silent_room_is_closed_though_a_rollback_dropped_it),
		TEST(test_a_register_that_was_rolled_back_times_out_as_nothing),
	};

	return cmocka_run_group_tests_name(
	    "presence", tests, scratch_set_up_clock, NULL);
}
