/* test_room.c - who may do what in a room, and who hears of it. */
#include "tests/unit/world_fixture.h"

static char uuid[TEXT_UUID_SIZE]; /* of the room that use_room() made */

/* add_room(), and its UUID. */
static struct room *
use_room(struct fixture *f, uint32_t first, uint32_t last)
{
	struct room *room = add_room(f, first, last);

	strcpy(uuid, room->uuid);
	return room;
}

/* As the command does it: then come the evictions, which may close the room. */
static enum err
join(struct fixture *f, uint32_t id)
{
	struct player *player = get_player(f, id);
	enum err err = room_join(&f->world, player, uuid);

	OK(player_evict(&f->world));
	return err || player->room || player->is_removed ? err :
							   ERR_ROOM_NOT_FOUND;
}

static enum err
find_peer(struct fixture *f, uint32_t id, uint32_t peer)
{
	struct player *other;

	return room_find_peer(&f->world, get_player(f, id), peer, &other);
}

static uint64_t
n_rooms(struct fixture *f)
{
	uint64_t n;

	OK(f->store->count_rooms(f->store, &n));
	assert_int_equal(n, f->world.n_rooms);
	return n;
}

static void
test_the_creator_is_host_and_peer_1(void **state)
{
	struct fixture *f = *state;
	struct player *host = add_player(f, 20);

	OK(room_create(&f->world, host));
	assert_int_equal(host->room->host, 20);
	assert_int_equal(room_peer_id(host->room, 20), 1);
	assert_int_equal(room_peer_id(host->room, 21), 21);
	assert_string_equal(mail_of(f, 20), "CTR 1");
	assert_true(text_is_uuid(span_of(host->room->uuid), NULL));
	assert_int_equal(n_rooms(f), 1);
}

static void
test_joining_tells_everybody_in_join_order(void **state)
{
	struct fixture *f = *state;
	struct player *host = add_player(f, 20);

	OK(room_create(&f->world, host));
	strcpy(uuid, host->room->uuid);
	add_player(f, 9);
	OK(join(f, 9));
	add_player(f, 30);
	OK(join(f, 30));
	assert_string_equal(mail_of(f, 20), "CTR 1, RPC 9, RPC 30");
	assert_string_equal(mail_of(f, 9), "CTR 9, RPC 1, RPC 30");
	assert_string_equal(mail_of(f, 30), "CTR 30, RPC 1, RPC 9");
}

static void
test_join_order_survives_a_restart(void **state)
{
	struct fixture *f = *state;
	struct room *room;

	use_room(f, 20, 20);
	add_player(f, 9);
	OK(join(f, 9));
	add_player(f, 5);
	OK(join(f, 5));
	keep(f);
	restart(f);
	room = get_player(f, 9)->room;
	assert_int_equal(room->n_members, 3);
	assert_int_equal(room->members[0], 20);
	assert_int_equal(room->members[1], 9);
	assert_int_equal(room->members[2], 5);
	assert_int_equal(room->host, 20);
	assert_string_equal(room->uuid, uuid);
}

static void
test_a_player_is_in_one_room_at_most(void **state)
{
	struct fixture *f = *state;

	use_room(f, 20, 21);
	assert_int_equal(
	    room_create(&f->world, get_player(f, 21)), ERR_ALREADY_IN_ROOM);
	assert_int_equal(join(f, 20), ERR_ALREADY_IN_ROOM);
	assert_int_equal(join(f, 21), ERR_ALREADY_IN_ROOM);
	assert_int_equal(n_rooms(f), 1);
	assert_string_equal(mail_of(f, 20), "");
}

static void
test_joining_is_refused_in_the_documented_order(void **state)
{
	static const char nowhere[] = "00000000-0000-4000-8000-000000000000";
	struct fixture *f = *state;

	use_room(f, 20, 21);
	f->settings.max_room_members = 2;
	OK(room_seal(&f->world, get_player(f, 20)));
	assert_int_equal(room_join(&f->world, get_player(f, 21), nowhere),
	    ERR_ALREADY_IN_ROOM);
	add_player(f, 22);
	assert_int_equal(room_join(&f->world, get_player(f, 22), nowhere),
	    ERR_ROOM_NOT_FOUND);
	assert_int_equal(join(f, 22), ERR_ROOM_SEALED);
	use_room(f, 30, 31);
	assert_int_equal(join(f, 22), ERR_ROOM_FULL);
	OK(room_leave(&f->world, get_player(f, 31)));
	OK(join(f, 22));
}

static void
test_rooms_are_counted_against_their_limit(void **state)
{
	struct fixture *f = *state;

	f->settings.max_rooms = 2;
	use_room(f, 20, 20);
	use_room(f, 30, 31);
	add_player(f, 40);
	assert_int_equal(
	    room_create(&f->world, get_player(f, 40)), ERR_TOO_MANY_ROOMS);
	/* A member that leaves makes no room for a room, a host does. */
	OK(room_leave(&f->world, get_player(f, 31)));
	assert_int_equal(
	    room_create(&f->world, get_player(f, 40)), ERR_TOO_MANY_ROOMS);
	OK(room_leave(&f->world, get_player(f, 30)));
	OK(room_create(&f->world, get_player(f, 40)));
	assert_int_equal(n_rooms(f), 2);
}

static void
test_only_the_host_seals_and_only_once(void **state)
{
	struct fixture *f = *state;

	use_room(f, 20, 21);
	assert_int_equal(
	    room_seal(&f->world, add_player(f, 22)), ERR_NOT_IN_ROOM);
	assert_int_equal(room_seal(&f->world, get_player(f, 21)), ERR_NOT_HOST);
	OK(room_seal(&f->world, get_player(f, 20)));
	assert_int_equal(
	    room_seal(&f->world, get_player(f, 20)), ERR_ROOM_SEALED);
	assert_string_equal(mail_of(f, 20), "SRK \"null\"");
	assert_string_equal(mail_of(f, 21), "SRK \"null\"");
	keep(f);
	restart(f);
	assert_int_equal(join(f, 22), ERR_ROOM_SEALED);
}

static void
test_a_message_goes_to_all_members_and_the_sender(void **state)
{
	struct fixture *f = *state;

	use_room(f, 20, 22);
	use_room(f, 30, 31);
	OK(relay_message(&f->world, get_player(f, 21), span_of("[ 1 ]"),
	    &(struct bill){ 0 }));
	for (uint32_t id = 20; id <= 22; id++)
		assert_string_equal(mail_of(f, id), "RMK [ 1 ]");
	assert_string_equal(mail_of(f, 30), "");
	assert_int_equal(relay_message(&f->world, add_player(f, 40),
			     span_of("1"), &(struct bill){ 0 }),
	    ERR_NOT_IN_ROOM);
}

static void
test_nobody_reaches_into_another_room(void **state)
{
	struct fixture *f = *state;

	use_room(f, 20, 22);
	use_room(f, 30, 31);
	add_player(f, 40);
	assert_int_equal(find_peer(f, 20, 31), ERR_PEER_NOT_FOUND);
	assert_int_equal(find_peer(f, 20, 30), ERR_PEER_NOT_FOUND);
	assert_int_equal(find_peer(f, 20, 40), ERR_PEER_NOT_FOUND);
	assert_int_equal(find_peer(f, 20, 0), ERR_PEER_NOT_FOUND);
	assert_int_equal(find_peer(f, 20, 12345), ERR_PEER_NOT_FOUND);
	assert_int_equal(find_peer(f, 40, 1), ERR_NOT_IN_ROOM);
	OK(find_peer(f, 20, 22));
}

static void
test_the_host_is_found_as_1_and_by_its_id_but_not_by_itself(void **state)
{
	struct fixture *f = *state;
	struct player *host;

	use_room(f, 20, 21);
	OK(room_find_peer(&f->world, get_player(f, 21), 1, &host));
	assert_int_equal(host->id, 20);
	OK(room_find_peer(&f->world, get_player(f, 21), 20, &host));
	assert_int_equal(host->id, 20);
	assert_int_equal(find_peer(f, 20, 1), ERR_PEER_NOT_FOUND);
	assert_int_equal(find_peer(f, 20, 20), ERR_PEER_NOT_FOUND);
	assert_int_equal(find_peer(f, 21, 21), ERR_PEER_NOT_FOUND);
}

static void
test_who_leaves_is_told_nothing_and_the_others_are(void **state)
{
	struct fixture *f = *state;

	use_room(f, 20, 22);
	OK(room_leave(&f->world, get_player(f, 21)));
	assert_string_equal(mail_of(f, 20), "RPD 21");
	assert_string_equal(mail_of(f, 21), "");
	assert_string_equal(mail_of(f, 22), "RPD 21");
	assert_null(get_player(f, 21)->room);
	assert_int_equal(get_player(f, 20)->room->n_members, 2);
	assert_int_equal(
	    room_leave(&f->world, get_player(f, 21)), ERR_NOT_IN_ROOM);
	/* And may come back, as the last in order. */
	OK(join(f, 21));
	assert_string_equal(mail_of(f, 21), "CTR 21, RPC 1, RPC 22");
	keep(f);
	restart(f);
	assert_int_equal(get_player(f, 20)->room->members[2], 21);
}

static void
test_a_room_goes_with_its_host(void **state)
{
	struct fixture *f = *state;

	use_room(f, 20, 22);
	OK(room_leave(&f->world, get_player(f, 20)));
	assert_string_equal(mail_of(f, 20), "");
	assert_string_equal(mail_of(f, 21), "RPD 1, RCL \"Host Disconnected\"");
	assert_string_equal(mail_of(f, 22), "RPD 1, RCL \"Host Disconnected\"");
	for (uint32_t id = 20; id <= 22; id++)
		assert_null(get_player(f, id)->room);
	assert_int_equal(n_rooms(f), 0);
	assert_int_equal(join(f, 21), ERR_ROOM_NOT_FOUND);
	keep(f);
	restart(f);
	assert_int_equal(join(f, 21), ERR_ROOM_NOT_FOUND);
	assert_null(get_player(f, 22)->room);
	OK(room_create(&f->world, get_player(f, 22)));
}

static void
test_a_full_host_is_evicted_by_the_joiner_who_stays_untouched(void **state)
{
	struct fixture *f = *state;
	enum end_reason reason;

	use_room(f, 20, 21);
	f->settings.max_mailbox_events = 3;
	for (int i = 0; i < 3; i++)
		OK(mailbox_send(
		    &f->world, get_player(f, 20), EVENT_OFFER, span_of("1")));
	leave_mail_alone();
	add_player(f, 22);
	assert_int_equal(join(f, 22), ERR_ROOM_NOT_FOUND);
	assert_string_equal(mail_of(f, 22), "");
	assert_null(get_player(f, 22)->room);
	assert_string_equal(mail_of(f, 21), "RPD 1, RCL \"Host Disconnected\"");
	assert_false(is_there(f, 20));
	assert_int_equal(n_rooms(f), 0);
	OK(player_find_ended(&f->world, hash_of(20), &reason));
	assert_int_equal(reason, END_MAILBOX_OVERFLOW);
}

static void
test_a_full_member_is_evicted_by_a_join_which_succeeds(void **state)
{
	struct fixture *f = *state;

	use_room(f, 20, 21);
	f->settings.max_mailbox_events = 4;
	for (int i = 0; i < 4; i++)
		OK(mailbox_send(
		    &f->world, get_player(f, 21), EVENT_OFFER, span_of("1")));
	leave_mail_alone();
	add_player(f, 22);
	OK(join(f, 22));
	assert_false(is_there(f, 21));
	assert_string_equal(mail_of(f, 20), "RPC 22, RPD 21");
	assert_string_equal(mail_of(f, 22), "CTR 22, RPC 1, RPC 21, RPD 21");
	assert_int_equal(get_player(f, 20)->room->n_members, 2);
}

static void
test_a_joiner_without_room_for_the_members_is_refused(void **state)
{
	struct fixture *f = *state;
	struct player *joiner;

	use_room(f, 20, 23);
	f->settings.max_mailbox_events = 4;
	joiner = add_player(f, 24);
	assert_int_equal(join(f, 24), ERR_OWN_MAILBOX_FULL);
	leave_mail_alone();
	assert_int_equal(join(f, 24), ERR_OWN_MAILBOX_FULL);
	assert_false(joiner->is_removed);
	assert_null(joiner->room);
	assert_string_equal(mail_of(f, 20), "");
	f->settings.max_mailbox_events = 5;
	OK(join(f, 24));
	assert_string_equal(
	    mail_of(f, 24), "CTR 24, RPC 1, RPC 21, RPC 22, RPC 23");
	OK(room_leave(&f->world, joiner));
	assert_int_equal(room_create(&f->world, joiner), ERR_OWN_MAILBOX_FULL);
	assert_null(joiner->room);
	assert_int_equal(n_rooms(f), 1);
}

/* All that is refused changes nothing. */
static void
test_a_full_member_who_polls_makes_messages_fail_and_stays(void **state)
{
	struct fixture *f = *state;
	struct bill bill = { 0 };

	use_room(f, 20, 21);
	add_player(f, 22);
	f->settings.max_mailbox_events = 3;
	for (int i = 0; i < 3; i++)
		OK(mailbox_send(
		    &f->world, get_player(f, 21), EVENT_OFFER, span_of("1")));
	keep(f);
	assert_int_equal(
	    relay_message(&f->world, get_player(f, 20), span_of("2"), &bill),
	    ERR_MAILBOX_FULL);
	assert_false(f->store->has_written(f->store));
	assert_true(list_is_empty(&f->world.evicted));
	assert_string_equal(mail_of(f, 20), "");
	OK(join(f, 22));
	OK(room_leave(&f->world, get_player(f, 22)));
	OK(room_seal(&f->world, get_player(f, 20)));
	assert_string_equal(mail_of(f, 21),
	    "OOO 1, OOO 1, OOO 1, RPC 22, RPD 22, SRK \"null\"");
	OK(room_leave(&f->world, get_player(f, 20)));
	assert_true(is_there(f, 21));
	assert_int_equal(n_rooms(f), 0);
}

static void
test_a_member_far_over_its_limit_makes_joins_and_seals_fail(void **state)
{
	struct fixture *f = *state;

	use_room(f, 20, 21);
	add_player(f, 22);
	for (int i = 0; i < 4 + MAILBOX_SPARE_EVENTS; i++)
		OK(mailbox_send(
		    &f->world, get_player(f, 21), EVENT_OFFER, span_of("1")));
	f->settings.max_mailbox_events = 4;
	keep(f);
	assert_int_equal(join(f, 22), ERR_MAILBOX_FULL);
	assert_int_equal(
	    room_seal(&f->world, get_player(f, 20)), ERR_MAILBOX_FULL);
	assert_false(f->store->has_written(f->store));
	assert_null(get_player(f, 22)->room);
	assert_false(get_player(f, 20)->room->is_sealed);
}

static void
test_relaying_is_paid_by_bytes_times_receivers(void **state)
{
	struct fixture *f = *state;
	struct bill bill = { 0 };
	struct player *sender, *other;

	use_room(f, 20, 22);
	f->settings.relay_rate = (struct rate){ .per_s = 1, .burst = 10 };
	sender = get_player(f, 20);
	other = get_player(f, 21);
	OK(relay_message(&f->world, sender, span_of("12345"), &bill));
	assert_int_equal(relay_message(&f->world, sender, span_of("1"), &bill),
	    ERR_RATE_LIMITED);
	assert_in_range(bill.wait_ms, 1000, 2000);
	assert_int_equal(relay_one(&f->world, sender, other, EVENT_OFFER,
			     span_of("1"), &bill),
	    ERR_RATE_LIMITED);
	assert_string_equal(mail_of(f, 20), "RMK 12345");
	assert_string_equal(mail_of(f, 21), "RMK 12345");
	pass(1000);
	OK(relay_one(
	    &f->world, sender, other, EVENT_OFFER, span_of("1"), &bill));
	/* What is too large for any mailbox costs nothing. */
	pass(10000);
	f->settings.max_mailbox_bytes = 6;
	assert_int_equal(relay_one(&f->world, sender, other, EVENT_OFFER,
			     span_of("1234567890"), &bill),
	    ERR_MAILBOX_FULL);
	f->settings.max_mailbox_bytes = 0;
	OK(relay_one(&f->world, sender, other, EVENT_OFFER,
	    span_of("1234567890"), &bill));
}

/* 21's going tells 22, who has no room for that; 22's going tells the host,
 * and so on. */
static void
test_one_eviction_leads_to_another_until_the_room_closes(void **state)
{
	struct fixture *f = *state;

	use_room(f, 20, 23);
	f->settings.max_mailbox_events = 3;
	for (int i = 0; i < 3; i++)
		OK(mailbox_send(
		    &f->world, get_player(f, 21), EVENT_OFFER, span_of("1")));
	for (int i = 0; i < 2; i++)
		OK(mailbox_send(
		    &f->world, get_player(f, 22), EVENT_OFFER, span_of("1")));
	OK(mailbox_send(
	    &f->world, get_player(f, 20), EVENT_OFFER, span_of("1")));
	leave_mail_alone();
	OK(relay_message(
	    &f->world, get_player(f, 23), span_of("2"), &(struct bill){ 0 }));
	OK(player_evict(&f->world));
	/* 21 could not take the message, 22 not that 21 has gone. */
	assert_false(is_there(f, 21));
	assert_false(is_there(f, 22));
	/* The host could take the message and one RPD, but not two. */
	assert_false(is_there(f, 20));
	assert_int_equal(n_rooms(f), 0);
	/* Nor 23 what that brings. */
	assert_false(is_there(f, 23));
	assert_int_equal(f->world.n_players, 0);
}

static void
test_a_rollback_takes_a_room_back_and_the_members_out_of_it(void **state)
{
	struct fixture *f = *state;

	add_player(f, 20);
	add_player(f, 21);
	keep(f);
	OK(room_create(&f->world, get_player(f, 20)));
	strcpy(uuid, get_player(f, 20)->room->uuid);
	OK(join(f, 21));
	undo(f);
	assert_null(get_player(f, 20)->room);
	assert_null(get_player(f, 21)->room);
	assert_string_equal(mail_of(f, 21), "");
	assert_int_equal(n_rooms(f), 0);
	assert_int_equal(join(f, 21), ERR_ROOM_NOT_FOUND);
}

static void
test_a_rollback_reopens_a_closed_room(void **state)
{
	struct fixture *f = *state;

	use_room(f, 20, 22);
	keep(f);
	OK(room_seal(&f->world, get_player(f, 20)));
	OK(room_leave(&f->world, get_player(f, 21)));
	OK(room_leave(&f->world, get_player(f, 20)));
	assert_int_equal(n_rooms(f), 0);
	undo(f);
	assert_int_equal(n_rooms(f), 1);
	assert_int_equal(get_player(f, 22)->room->n_members, 3);
	assert_ptr_equal(get_player(f, 20)->room, get_player(f, 22)->room);
	assert_false(get_player(f, 20)->room->is_sealed);
	assert_string_equal(mail_of(f, 22), "");
	add_player(f, 23);
	OK(join(f, 23));
	assert_string_equal(mail_of(f, 23), "CTR 23, RPC 1, RPC 21, RPC 22");
}

static void
test_a_rollback_undoes_what_happened_to_a_room_that_stays(void **state)
{
	struct fixture *f = *state;

	use_room(f, 20, 22);
	add_player(f, 23);
	keep(f);
	OK(join(f, 23));
	OK(room_leave(&f->world, get_player(f, 21)));
	OK(room_seal(&f->world, get_player(f, 20)));
	undo(f);
	assert_int_equal(get_player(f, 20)->room->n_members, 3);
	assert_false(get_player(f, 20)->room->is_sealed);
	assert_null(get_player(f, 23)->room);
	assert_ptr_equal(get_player(f, 21)->room, get_player(f, 20)->room);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_creator_is_host_and_peer_1),
		TEST(test_joining_tells_everybody_in_join_order),
		TEST(test_join_order_survives_a_restart),
		TEST(test_a_player_is_in_one_room_at_most),
		TEST(test_joining_is_refused_in_the_documented_order),
		TEST(test_rooms_are_counted_against_their_limit),
		TEST(test_only_the_host_seals_and_only_once),
		TEST(test_a_message_goes_to_all_members_and_the_sender),
		TEST(test_nobody_reaches_into_another_room),
		TEST(
		    test_the_host_is_found_as_1_and_by_its_id_but_not_by_itself),
		TEST(test_who_leaves_is_told_nothing_and_the_others_are),
		TEST(test_a_room_goes_with_its_host),
		TEST(
		    test_a_full_host_is_evicted_by_the_joiner_who_stays_untouched),
		TEST(test_a_full_member_is_evicted_by_a_join_which_succeeds),
		TEST(test_a_joiner_without_room_for_the_members_is_refused),
		TEST(
		    test_a_full_member_who_polls_makes_messages_fail_and_stays),
		TEST(
		    test_a_member_far_over_its_limit_makes_joins_and_seals_fail),
		TEST(test_relaying_is_paid_by_bytes_times_receivers),
		TEST(test_one_eviction_leads_to_another_until_the_room_closes),
		TEST(
		    test_a_rollback_takes_a_room_back_and_the_members_out_of_it),
		TEST(test_a_rollback_reopens_a_closed_room),
		TEST(test_a_rollback_undoes_what_happened_to_a_room_that_stays),
	};

	return cmocka_run_group_tests_name(
	    "room", tests, scratch_set_up_clock, NULL);
}
