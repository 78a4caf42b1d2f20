/* test_world.c - what a commit settles, and what a rollback brings back. */
#include "tests/unit/world_fixture.h"

static void
count(struct fixture *f, uint64_t n_players, uint64_t n_rooms)
{
	uint64_t n;

	OK(f->store->count_players(f->store, &n));
	assert_int_equal(n, n_players);
	assert_int_equal(f->world.n_players, n_players);
	OK(f->store->count_rooms(f->store, &n));
	assert_int_equal(n, n_rooms);
	assert_int_equal(f->world.n_rooms, n_rooms);
}

static unsigned n_reads;

static enum err (*real_player_by_id)(
    struct store *store, uint32_t id, struct player_row *out);

static enum err
count_player_by_id(struct store *store, uint32_t id, struct player_row *out)
{
	n_reads++;
	return real_player_by_id(store, id, out);
}

static void
count_reads(struct fixture *f)
{
	real_player_by_id = f->store->player_by_id;
	f->store->player_by_id = count_player_by_id;
	n_reads = 0;
}

static void
test_counts_are_read_at_the_start(void **state)
{
	struct fixture *f = *state;

	count(f, 0, 0);
	add_room(f, 20, 22);
	add_room(f, 30, 30);
	add_player(f, 40);
	keep(f);
	restart(f);
	count(f, 5, 2);
}

static void
test_a_rollback_restores_the_counts_of_the_last_commit(void **state)
{
	struct fixture *f = *state;

	add_room(f, 20, 21);
	keep(f);
	add_room(f, 30, 31);
	OK(player_end(&f->world, get_player(f, 20), END_UNREGISTERED));
	count(f, 3, 1);
	undo(f);
	count(f, 2, 1);
	undo(f);
	count(f, 2, 1);
}

static void
test_nothing_is_read_twice_until_a_rollback(void **state)
{
	struct fixture *f = *state;

	add_player(f, 2);
	keep(f);
	restart(f);
	count_reads(f);
	get_player(f, 2);
	get_player(f, 2);
	keep(f);
	get_player(f, 2);
	assert_int_equal(n_reads, 1);
	undo(f);
	get_player(f, 2);
	get_player(f, 2);
	assert_int_equal(n_reads, 2);
}

static void
test_a_rollback_forgets_who_registered(void **state)
{
	struct fixture *f = *state;
	struct player *player;

	add_player(f, 2);
	undo(f);
	assert_int_equal(
	    player_find_by_token(&f->world, hash_of(2), &player), ERR_ABSENT);
	assert_false(is_there(f, 2));
	assert_null(f->world.players_by_id);
	assert_true(list_is_empty(&f->world.seen));
	assert_true(list_is_empty(&f->world.lobby));
	add_player(f, 2);
	keep(f);
	count(f, 1, 0);
}

static void
test_a_rollback_brings_ended_sessions_back(void **state)
{
	struct fixture *f = *state;
	struct player *host, *member;

	add_room(f, 20, 21);
	keep(f);
	host = get_player(f, 20);
	member = get_player(f, 21);
	OK(player_end(&f->world, host, END_STOPPED_POLLING));
	OK(player_end(&f->world, member, END_UNREGISTERED));
	assert_false(is_there(f, 20));
	undo(f);
	assert_ptr_equal(get_player(f, 20), host);
	assert_ptr_equal(get_player(f, 21), member);
	assert_false(host->is_removed);
	assert_ptr_equal(host->room, member->room);
	assert_int_equal(host->room->n_members, 2);
	assert_true(list_is_empty(&f->world.removed));
	/* Their clocks run again, and the room's. */
	assert_false(list_is_empty(&host->seen));
	assert_false(list_is_empty(&member->seen));
	assert_true(list_is_empty(&member->lobby));
	assert_false(list_is_empty(&host->room->active));
	keep(f);
	assert_true(is_there(f, 20));
}

static void
test_a_rollback_puts_an_ended_session_back_into_the_lobby(void **state)
{
	struct fixture *f = *state;
	struct player *player = add_player(f, 2);

	keep(f);
	OK(player_end(&f->world, player, END_LEFT_IN_LOBBY));
	assert_true(list_is_empty(&player->lobby));
	undo(f);
	get_player(f, 2);
	assert_false(list_is_empty(&player->lobby));
}

static void
test_a_session_that_came_and_went_in_a_rolled_back_batch_is_gone(void **state)
{
	struct fixture *f = *state;

	OK(player_end(&f->world, add_player(f, 2), END_UNREGISTERED));
	undo(f);
	assert_false(is_there(f, 2));
	assert_null(f->world.players_by_id);
	count(f, 0, 0);
}

static void
test_a_rollback_empties_the_lists_of_the_evicted_and_woken(void **state)
{
	struct fixture *f = *state;
	struct parked parked = { .player = NULL };

	add_player(f, 2);
	add_player(f, 3);
	keep(f);
	parking_add(&f->world, get_player(f, 2), &parked, 1000);
	OK(mailbox_send(
	    &f->world, get_player(f, 2), EVENT_OFFER, span_of("1")));
	list_append(&f->world.evicted, &get_player(f, 3)->evicted);
	undo(f);
	assert_true(list_is_empty(&f->world.woken));
	assert_true(list_is_empty(&f->world.evicted));
	/* The poll is still held, and woken by the next event. */
	assert_ptr_equal(get_player(f, 2)->parked, &parked);
	OK(mailbox_send(
	    &f->world, get_player(f, 2), EVENT_OFFER, span_of("1")));
	assert_false(list_is_empty(&f->world.woken));
	parking_remove(&f->world, &parked);
}

static void
test_a_parked_player_that_a_rollback_brings_back_stays_parked(void **state)
{
	struct fixture *f = *state;
	struct parked parked = { .player = NULL };
	struct player *player = add_player(f, 2);

	keep(f);
	parking_add(&f->world, player, &parked, 1000);
	OK(player_end(&f->world, player, END_MAILBOX_OVERFLOW));
	undo(f);
	assert_ptr_equal(get_player(f, 2), player);
	assert_ptr_equal(player->parked, &parked);
	/* Whoever polls does not stop polling. */
	assert_true(list_is_empty(&player->seen));
	parking_remove(&f->world, &parked);
	assert_false(list_is_empty(&player->seen));
}

static void
receive(struct fixture *f, uint32_t id, int n)
{
	for (int i = 0; i < n; i++)
		OK(mailbox_send(
		    &f->world, get_player(f, id), EVENT_OFFER, span_of("1")));
}

static void
test_trimming_deletes_just_what_is_acknowledged(void **state)
{
	struct fixture *f = *state;

	add_player(f, 2);
	add_player(f, 3);
	receive(f, 2, 3);
	receive(f, 3, 3);
	assert_false(world_has_trim(&f->world));
	OK(mailbox_acknowledge(&f->world, get_player(f, 2), 2));
	assert_true(world_has_trim(&f->world));
	OK(world_trim(&f->world, 10));
	assert_false(world_has_trim(&f->world));
	keep(f);
	assert_int_equal(n_rows(f, 2), 1);
	assert_int_equal(n_rows(f, 3), 3);
	restart(f);
	assert_int_equal(get_player(f, 2)->acked, 2);
	assert_string_equal(mail_of(f, 2), "OOO 1");
}

static void
test_trimming_takes_at_most_so_many_mailboxes(void **state)
{
	struct fixture *f = *state;

	for (uint32_t id = 2; id <= 6; id++) {
		add_player(f, id);
		receive(f, id, 1);
		OK(mailbox_acknowledge(&f->world, get_player(f, id), 1));
	}
	OK(world_trim(&f->world, 3));
	assert_true(world_has_trim(&f->world));
	OK(world_trim(&f->world, 3));
	assert_false(world_has_trim(&f->world));
	for (uint32_t id = 2; id <= 6; id++)
		assert_int_equal(n_rows(f, id), 0);
}

static void
test_a_rollback_brings_back_what_was_to_be_trimmed(void **state)
{
	struct fixture *f = *state;

	add_player(f, 2);
	receive(f, 2, 2);
	keep(f);
	OK(mailbox_acknowledge(&f->world, get_player(f, 2), 2));
	OK(world_trim(&f->world, 10));
	undo(f);
	assert_true(world_has_trim(&f->world));
	assert_int_equal(n_rows(f, 2), 2);
	/* The mark itself is memory, and stands. */
	assert_string_equal(mail_of(f, 2), "");
	OK(world_trim(&f->world, 10));
	keep(f);
	assert_int_equal(n_rows(f, 2), 0);
	assert_false(world_has_trim(&f->world));
}

static void
test_trimming_what_a_rollback_took_leaves_no_gap(void **state)
{
	struct fixture *f = *state;

	add_player(f, 2);
	receive(f, 2, 1);
	keep(f);
	receive(f, 2, 3);
	OK(mailbox_acknowledge(&f->world, get_player(f, 2), 4));
	undo(f);
	OK(world_trim(&f->world, 10));
	keep(f);
	receive(f, 2, 1);
	assert_int_equal(get_player(f, 2)->last_id, 2);
	assert_string_equal(mail_of(f, 2), "OOO 1");
}

static void
test_trimming_passes_over_who_has_left(void **state)
{
	struct fixture *f = *state;

	add_player(f, 2);
	receive(f, 2, 1);
	OK(mailbox_acknowledge(&f->world, get_player(f, 2), 1));
	OK(player_end(&f->world, get_player(f, 2), END_UNREGISTERED));
	assert_false(world_has_trim(&f->world));
	OK(world_trim(&f->world, 10));
	keep(f);
	count(f, 0, 0);
}

static void
test_polls_fall_due_in_order_and_not_before(void **state)
{
	struct fixture *f = *state;
	struct parked parked[3] = { { .player = NULL } };
	static const int64_t due_ms[] = { 3000, 1000, 2000 };

	assert_int_equal(parking_next_due_ms(&f->world), -1);
	assert_null(parking_due(&f->world, INT64_MAX));
	for (uint32_t i = 0; i < 3; i++)
		parking_add(
		    &f->world, add_player(f, 2 + i), &parked[i], due_ms[i]);
	assert_int_equal(f->world.parked.len, 3);
	assert_int_equal(parking_next_due_ms(&f->world), 1000);
	assert_null(parking_due(&f->world, 999));
	assert_ptr_equal(parking_due(&f->world, 1000), &parked[1]);
	parking_remove(&f->world, &parked[1]);
	parking_remove(&f->world, &parked[1]);
	assert_int_equal(f->world.parked.len, 2);
	assert_ptr_equal(parking_due(&f->world, 5000), &parked[2]);
	parking_remove(&f->world, &parked[2]);
	assert_ptr_equal(parking_due(&f->world, 5000), &parked[0]);
	parking_remove(&f->world, &parked[0]);
	assert_int_equal(f->world.parked.len, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_counts_are_read_at_the_start),
		TEST(test_a_rollback_restores_the_counts_of_the_last_commit),
		TEST(test_nothing_is_read_twice_until_a_rollback),
		TEST(test_a_rollback_forgets_who_registered),
		TEST(test_a_rollback_brings_ended_sessions_back),
		TEST(test_a_rollback_puts_an_ended_session_back_into_the_lobby),
		TEST(
		    test_a_session_that_came_and_went_in_a_rolled_back_batch_is_gone),
		TEST(
		    test_a_rollback_empties_the_lists_of_the_evicted_and_woken),
		TEST(
		    test_a_parked_player_that_a_rollback_brings_back_stays_parked),
		TEST(test_trimming_deletes_just_what_is_acknowledged),
		TEST(test_trimming_takes_at_most_so_many_mailboxes),
		TEST(test_a_rollback_brings_back_what_was_to_be_trimmed),
		TEST(test_trimming_what_a_rollback_took_leaves_no_gap),
		TEST(test_trimming_passes_over_who_has_left),
		TEST(test_polls_fall_due_in_order_and_not_before),
	};

	return cmocka_run_group_tests_name("world", tests, NULL, NULL);
}
