/* test_mailbox.c - event ids, limits, and the acknowledgement mark. */
#include "tests/unit/world_fixture.h"

static enum err
send_text(struct fixture *f, uint32_t id, const char *body)
{
	return mailbox_send(
	    &f->world, get_player(f, id), EVENT_OFFER, span_of(body));
}

static void
acknowledge(struct fixture *f, uint32_t id, uint64_t upto)
{
	struct player *player = get_player(f, id);

	OK(mailbox_load(&f->world, player));
	OK(mailbox_acknowledge(&f->world, player, upto));
}

static void
test_ids_count_from_1_without_gaps(void **state)
{
	struct fixture *f = *state;
	struct player *player = add_player(f, 2);

	assert_int_equal(player->last_id, 0);
	OK(send_text(f, 2, "{\"id\":3}"));
	OK(send_text(f, 2, "{\"id\":4}"));
	assert_int_equal(player->last_id, 2);
	assert_int_equal(player->bytes, 16);
	assert_string_equal(mail_of(f, 2), "OOO {\"id\":3}, OOO {\"id\":4}");
}

static void
test_ids_go_on_over_a_restart(void **state)
{
	struct fixture *f = *state;

	add_player(f, 2);
	OK(send_text(f, 2, "1"));
	OK(send_text(f, 2, "2"));
	keep(f);
	restart(f);
	OK(send_text(f, 2, "3"));
	assert_int_equal(get_player(f, 2)->last_id, 3);
	assert_int_equal(get_player(f, 2)->bytes, 3);
	assert_string_equal(mail_of(f, 2), "OOO 1, OOO 2, OOO 3");
}

static void
test_ids_are_not_reused_when_all_is_acknowledged_and_deleted(void **state)
{
	struct fixture *f = *state;

	add_player(f, 2);
	OK(send_text(f, 2, "1"));
	OK(send_text(f, 2, "2"));
	acknowledge(f, 2, 2);
	OK(world_trim(&f->world, 10));
	keep(f);
	assert_int_equal(n_rows(f, 2), 0);
	restart(f);
	assert_string_equal(mail_of(f, 2), "");
	OK(send_text(f, 2, "3"));
	assert_int_equal(get_player(f, 2)->last_id, 3);
	assert_string_equal(mail_of(f, 2), "OOO 3");
}

static void
test_what_a_rollback_took_gets_the_same_ids_again(void **state)
{
	struct fixture *f = *state;

	add_player(f, 2);
	OK(send_text(f, 2, "1"));
	keep(f);
	OK(send_text(f, 2, "2"));
	OK(send_text(f, 2, "3"));
	undo(f);
	assert_string_equal(mail_of(f, 2), "OOO 1");
	OK(send_text(f, 2, "4"));
	assert_int_equal(get_player(f, 2)->last_id, 2);
	assert_int_equal(get_player(f, 2)->bytes, 2);
	assert_string_equal(mail_of(f, 2), "OOO 1, OOO 4");
}

static void
test_a_full_mailbox_takes_nothing_and_keeps_what_it_has(void **state)
{
	struct fixture *f = *state;

	f->settings.max_mailbox_events = 2;
	add_player(f, 2);
	OK(send_text(f, 2, "1"));
	OK(send_text(f, 2, "2"));
	assert_int_equal(send_text(f, 2, "3"), ERR_MAILBOX_FULL);
	assert_string_equal(mail_of(f, 2), "OOO 1, OOO 2");
	assert_int_equal(get_player(f, 2)->last_id, 2);
	/* Acknowledging makes room at once, before anything is deleted. */
	acknowledge(f, 2, 1);
	assert_int_equal(n_rows(f, 2), 2);
	OK(send_text(f, 2, "3"));
	assert_int_equal(send_text(f, 2, "4"), ERR_MAILBOX_FULL);
	assert_string_equal(mail_of(f, 2), "OOO 2, OOO 3");
}

static void
test_a_mailbox_is_full_to_the_byte(void **state)
{
	struct fixture *f = *state;

	f->settings.max_mailbox_bytes = 10;
	add_player(f, 2);
	assert_int_equal(send_text(f, 2, "\"012345678\""), ERR_MAILBOX_FULL);
	OK(send_text(f, 2, "\"01\""));
	assert_int_equal(send_text(f, 2, "\"01234\""), ERR_MAILBOX_FULL);
	OK(send_text(f, 2, "\"0123\""));
	assert_int_equal(send_text(f, 2, "1"), ERR_MAILBOX_FULL);
	acknowledge(f, 2, 1);
	assert_int_equal(get_player(f, 2)->bytes, 6);
	assert_int_equal(send_text(f, 2, "12345"), ERR_MAILBOX_FULL);
	OK(send_text(f, 2, "1234"));
	keep(f);
	restart(f);
	/* The mark was memory: all three are back. */
	assert_int_equal(send_text(f, 2, "1"), ERR_MAILBOX_FULL);
	assert_int_equal(get_player(f, 2)->bytes, 14);
}

static void
test_acknowledging_never_goes_back_nor_beyond_the_last_id(void **state)
{
	struct fixture *f = *state;
	struct player *player = add_player(f, 2);

	for (int i = 0; i < 3; i++)
		OK(send_text(f, 2, "1"));
	acknowledge(f, 2, 2);
	acknowledge(f, 2, 1);
	assert_int_equal(player->acked, 2);
	assert_int_equal(player->bytes, 1);
	acknowledge(f, 2, 1000);
	assert_int_equal(player->acked, 3);
	assert_int_equal(player->bytes, 0);
	OK(send_text(f, 2, "4"));
	assert_string_equal(mail_of(f, 2), "OOO 4");
}

static void
test_acknowledging_writes_nothing(void **state)
{
	struct fixture *f = *state;

	add_player(f, 2);
	OK(send_text(f, 2, "1"));
	keep(f);
	acknowledge(f, 2, 1);
	assert_false(f->store->has_written(f->store));
	assert_true(world_has_trim(&f->world));
}

static void
test_many_acknowledged_events_are_worth_a_deletion_and_few_are_not(void **state)
{
	struct fixture *f = *state;

	add_player(f, 2);
	for (int i = 0; i < 256; i++)
		OK(send_text(f, 2, "1"));
	acknowledge(f, 2, 255);
	acknowledge(f, 2, 255);
	assert_false(world_has_much_trim(&f->world));
	acknowledge(f, 2, 256);
	assert_true(world_has_much_trim(&f->world));
	OK(world_trim(&f->world, 10));
	assert_false(world_has_much_trim(&f->world));
	assert_int_equal(n_rows(f, 2), 0);
}

static void
test_a_mark_above_the_last_id_comes_down_with_a_rollback(void **state)
{
	struct fixture *f = *state;
	struct player *player = add_player(f, 2);

	f->settings.max_mailbox_events = 5;
	keep(f);
	OK(send_text(f, 2, "1"));
	acknowledge(f, 2, 1);
	undo(f);
	OK(send_text(f, 2, "2"));
	assert_int_equal(player->last_id, 1);
	assert_int_equal(player->acked, 0);
	assert_string_equal(mail_of(f, 2), "OOO 2");
}

static void
test_a_broadcast_reaches_all_but_one_and_is_stored_once(void **state)
{
	static const uint32_t ids[] = { 2, 3, 4 };
	struct fixture *f = *state;
	int64_t before, after;

	for (uint32_t id = 2; id <= 5; id++)
		add_player(f, id);
	OK(f->store->message_insert(
	    f->store, EVENT_OFFER, span_of("0"), 1, &before));
	OK(mailbox_broadcast(
	    &f->world, ids, 3, 3, EVENT_ROOM_MESSAGE, span_of("\"hi\"")));
	OK(f->store->message_insert(
	    f->store, EVENT_OFFER, span_of("0"), 1, &after));
	assert_int_equal(after, before + 2);
	assert_string_equal(mail_of(f, 2), "RMK \"hi\"");
	assert_string_equal(mail_of(f, 3), "");
	assert_string_equal(mail_of(f, 4), "RMK \"hi\"");
	assert_string_equal(mail_of(f, 5), "");
}

static void
test_who_has_no_room_for_a_broadcast_is_listed_for_eviction(void **state)
{
	static const uint32_t ids[] = { 2, 3, 4 };
	struct fixture *f = *state;

	f->settings.max_mailbox_events = 1;
	for (uint32_t id = 2; id <= 4; id++)
		add_player(f, id);
	OK(send_text(f, 3, "1"));
	leave_mail_alone();
	OK(mailbox_check(&f->world, ids, 3, EVENT_ROOM_MESSAGE, 1));
	OK(mailbox_broadcast(
	    &f->world, ids, 3, 0, EVENT_ROOM_MESSAGE, span_of("2")));
	assert_string_equal(mail_of(f, 2), "RMK 2");
	assert_string_equal(mail_of(f, 3), "OOO 1");
	assert_string_equal(mail_of(f, 4), "RMK 2");
	assert_ptr_equal(
	    list_first(&f->world.evicted), &get_player(f, 3)->evicted);
	/* Nothing more for who is to go, even if there were room. */
	f->settings.max_mailbox_events = 10;
	OK(mailbox_broadcast(
	    &f->world, ids, 3, 0, EVENT_ROOM_MESSAGE, span_of("3")));
	assert_string_equal(mail_of(f, 3), "OOO 1");
	OK(player_evict(&f->world));
	assert_false(is_there(f, 3));
	assert_true(is_there(f, 4));
}

/* What a message of one byte to player 2 alone would meet. */
static enum err
check_message(struct fixture *f)
{
	static const uint32_t ids[] = { 2 };

	return mailbox_check(&f->world, ids, 1, EVENT_ROOM_MESSAGE, 1);
}

static void
test_who_has_polled_within_10_s_makes_a_message_fail(void **state)
{
	struct fixture *f = *state;
	struct player *player = add_player(f, 2);

	f->settings.max_mailbox_events = 1;
	OK(check_message(f));
	OK(send_text(f, 2, "1"));
	assert_int_equal(check_message(f), ERR_MAILBOX_FULL);
	pass(8000);
	assert_int_equal(check_message(f), ERR_MAILBOX_FULL);
	pass(5000);
	OK(check_message(f));
	presence_polled(&f->world, player);
	assert_int_equal(check_message(f), ERR_MAILBOX_FULL);
	f->settings.max_mailbox_events = 2;
	OK(check_message(f));
}

static void
test_who_has_a_poll_parked_makes_a_message_fail(void **state)
{
	struct fixture *f = *state;
	struct parked parked = { .player = NULL };
	struct player *player = add_player(f, 2);

	f->settings.max_mailbox_events = 1;
	leave_mail_alone();
	parking_add(&f->world, player, &parked, 1000);
	OK(send_text(f, 2, "1"));
	assert_int_equal(check_message(f), ERR_MAILBOX_FULL);
	pass(25000);
	assert_int_equal(check_message(f), ERR_MAILBOX_FULL);
	pass(5000);
	OK(check_message(f));
	parking_remove(&f->world, &parked);
}

static void
test_who_holds_an_answer_makes_a_message_fail_for_30_s(void **state)
{
	struct fixture *f = *state;
	struct player *player = add_player(f, 2);

	f->settings.max_mailbox_events = 1;
	leave_mail_alone();
	OK(send_text(f, 2, "1"));
	OK(check_message(f));
	player_note_sent(&f->world, 2, 1);
	pass(25000);
	assert_int_equal(check_message(f), ERR_MAILBOX_FULL);
	pass(5000);
	OK(check_message(f));
	acknowledge(f, 2, 1);
	OK(send_text(f, 2, "2"));
	/* It has acknowledged all that it was given, and not polled since. */
	OK(check_message(f));
	assert_int_equal(player->sent_id, 1);
}

/* Polling at once does not help: it has to acknowledge what was there. */
static void
test_who_polls_and_does_not_acknowledge_is_no_hindrance_for_long(void **state)
{
	struct fixture *f = *state;
	struct player *player = add_player(f, 2);

	f->settings.max_mailbox_events = 3;
	for (int i = 0; i < 3; i++)
		OK(send_text(f, 2, "1"));
	player_note_sent(&f->world, 2, 3);
	for (int s = 0; s < 29; s++) {
		assert_int_equal(check_message(f), ERR_MAILBOX_FULL);
		presence_polled(&f->world, player);
		pass(1000);
	}
	pass(1000);
	OK(check_message(f));
	/* Once it has, the next 30 s begin. */
	acknowledge(f, 2, 1);
	OK(send_text(f, 2, "1"));
	assert_int_equal(check_message(f), ERR_MAILBOX_FULL);
	for (int s = 0; s < 30; s++) {
		presence_polled(&f->world, player);
		pass(1000);
	}
	OK(check_message(f));
}

static void
test_notices_may_go_a_little_over_the_limit(void **state)
{
	static const uint32_t ids[] = { 2 };
	struct fixture *f = *state;

	add_player(f, 2);
	f->settings.max_mailbox_events = 1;
	OK(send_text(f, 2, "1"));
	assert_int_equal(check_message(f), ERR_MAILBOX_FULL);
	for (int i = 0; i < MAILBOX_SPARE_EVENTS; i++) {
		OK(mailbox_check(&f->world, ids, 1, EVENT_PEER_CONNECTED, 1));
		OK(mailbox_broadcast(
		    &f->world, ids, 1, 0, EVENT_PEER_CONNECTED, span_of("9")));
	}
	assert_int_equal(
	    mailbox_check(&f->world, ids, 1, EVENT_PEER_CONNECTED, 1),
	    ERR_MAILBOX_FULL);
	assert_int_equal(mailbox_check(&f->world, ids, 1, EVENT_ROOM_SEALED, 1),
	    ERR_MAILBOX_FULL);
	/* That somebody has left cannot be refused. */
	OK(mailbox_broadcast(
	    &f->world, ids, 1, 0, EVENT_PEER_DISCONNECTED, span_of("9")));
	assert_int_equal(get_player(f, 2)->last_id, MAILBOX_SPARE_EVENTS + 2);
	assert_true(list_is_empty(&f->world.evicted));
}

static void
test_remembered_replies_take_their_part_of_the_bytes(void **state)
{
	struct fixture *f = *state;
	struct reply_row row = {
		.scope = 2, .player = 2, .body = span_of("12345")
	};
	struct player *player = add_player(f, 2);

	f->settings.max_mailbox_bytes = 20;
	OK(f->store->reply_insert(f->store, &row));
	player->has_mailbox = false;
	OK(mailbox_load(&f->world, player));
	assert_int_equal(player->reply_bytes, 5);
	assert_true(mailbox_has_capacity(&f->world, player, 1, 15));
	assert_false(mailbox_has_capacity(&f->world, player, 1, 16));
	assert_true(mailbox_is_fetched(&f->world, player));
	/* Whoever fills more than a quarter itself is no hindrance. */
	f->settings.max_mailbox_bytes = 19;
	assert_false(mailbox_is_fetched(&f->world, player));
}

static void
test_a_broadcast_that_nobody_takes_leaves_nothing_behind(void **state)
{
	static const uint32_t ids[] = { 2 };
	struct fixture *f = *state;

	add_player(f, 2);
	keep(f);
	OK(mailbox_broadcast(
	    &f->world, ids, 1, 2, EVENT_ROOM_MESSAGE, span_of("1")));
	OK(mailbox_broadcast(
	    &f->world, ids, 0, 0, EVENT_ROOM_MESSAGE, span_of("1")));
	assert_false(f->store->has_written(f->store));
}

static void
test_mail_wakes_who_has_a_poll_parked_and_nobody_else(void **state)
{
	struct fixture *f = *state;
	struct parked parked = { .player = NULL };

	add_player(f, 2);
	add_player(f, 3);
	parking_add(&f->world, get_player(f, 2), &parked, 1000);
	OK(send_text(f, 3, "1"));
	assert_true(list_is_empty(&f->world.woken));
	OK(send_text(f, 2, "1"));
	OK(send_text(f, 2, "2"));
	assert_ptr_equal(list_first(&f->world.woken), &get_player(f, 2)->woken);
	parking_remove(&f->world, &parked);
	assert_true(list_is_empty(&f->world.woken));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_ids_count_from_1_without_gaps),
		TEST(test_ids_go_on_over_a_restart),
		TEST(
		    test_ids_are_not_reused_when_all_is_acknowledged_and_deleted),
		TEST(test_what_a_rollback_took_gets_the_same_ids_again),
		TEST(test_a_full_mailbox_takes_nothing_and_keeps_what_it_has),
		TEST(test_a_mailbox_is_full_to_the_byte),
		TEST(test_acknowledging_never_goes_back_nor_beyond_the_last_id),
		TEST(test_acknowledging_writes_nothing),
		TEST(
		    test_many_acknowledged_events_are_worth_a_deletion_and_few_are_not),
		TEST(test_a_mark_above_the_last_id_comes_down_with_a_rollback),
		TEST(test_a_broadcast_reaches_all_but_one_and_is_stored_once),
		TEST(
		    test_who_has_no_room_for_a_broadcast_is_listed_for_eviction),
		TEST(test_who_has_polled_within_10_s_makes_a_message_fail),
		TEST(test_who_has_a_poll_parked_makes_a_message_fail),
		TEST(test_who_holds_an_answer_makes_a_message_fail_for_30_s),
		TEST(
		    test_who_polls_and_does_not_acknowledge_is_no_hindrance_for_long),
		TEST(test_notices_may_go_a_little_over_the_limit),
		TEST(test_remembered_replies_take_their_part_of_the_bytes),
		TEST(test_a_broadcast_that_nobody_takes_leaves_nothing_behind),
		TEST(test_mail_wakes_who_has_a_poll_parked_and_nobody_else),
	};

	return cmocka_run_group_tests_name(
	    "mailbox", tests, scratch_set_up_clock, NULL);
}
