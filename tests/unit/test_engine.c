/* test_engine.c - batches, parked polls, cancelling, draining, stopping: what
 * the engine gives back, when, and that it does so once. */
#include "tests/unit/engine_fixture.h"

#include "api/command.h"

static struct exchange *
poison(struct fixture *f, const struct user *user)
{
	atomic_store(&f->store->is_poisoned, true);
	return submit(f, post_of(user, "/message", "\"poison\""));
}

/* A poll that is held. */
static struct exchange *
park(struct fixture *f, const struct user *user, const char *target)
{
	struct exchange *e = submit(f, get_of(user, target));

	settle(f);
	assert_int_equal(e->n_back, 0);
	return e;
}

static void
test_neighbours_of_a_failing_request_are_executed(void **state)
{
	struct fixture *f = *state;
	struct user ann, bob;
	struct exchange *es[5];

	add_pair(f, &ann, &bob);
	es[0] = submit(f, post_of(&ann, "/message", "1"));
	es[1] = poison(f, &ann);
	es[2] = submit(f, post_of(&bob, "/message", "2"));
	es[3] = submit(f, get_of(&bob, "/events?after=2&wait=0"));
	es[4] = submit(f, (struct question){ .target = "/healthz" });
	settle(f);
	assert_reply(es[0], 200, "{\"command\":\"###!RMK\",\"data\":1}");
	assert_failed(es[1], ERR_STORAGE);
	assert_true(es[1]->request->reply.retry_after_s > 0);
	assert_reply(es[2], 200, "{\"command\":\"###!RMK\",\"data\":2}");
	assert_reply(es[3], 200,
	    "{\"events\":[{\"id\":3,\"command\":\"###!RMK\",\"data\":1},"
	    "{\"id\":4,\"command\":\"###!RMK\",\"data\":2}],\"next\":4}");
	assert_int_equal(es[4]->request->reply.status, 200);
	assert_reply(ask(f, get_of(&ann, "/events?after=2&wait=0")), 200,
	    "{\"events\":[{\"id\":3,\"command\":\"###!RMK\",\"data\":1},"
	    "{\"id\":4,\"command\":\"###!RMK\",\"data\":2}],\"next\":4}");
}

static void
test_a_batch_comes_back_in_order(void **state)
{
	struct fixture *f = *state;
	struct user ann, bob;
	struct exchange *es[600];
	char body[16];

	add_pair(f, &ann, &bob);
	for (unsigned i = 0; i < N_OF(es); i++) {
		snprintf(body, sizeof(body), "%u", i);
		es[i] = submit(
		    f, post_of(i % 2 ? &ann : &bob, "/message", body));
	}
	settle(f);
	for (unsigned i = 0; i < N_OF(es); i++) {
		assert_int_equal(es[i]->request->reply.status, 200);
		assert_int_equal(es[i]->order, es[0]->order + i);
	}
	snprintf(body, sizeof(body), "\"data\":599}");
	assert_true(
	    says(ask(f, get_of(&bob, "/events?after=600&wait=0")), body));
}

static void
test_a_request_that_is_run_again_pays_once(void **state)
{
	struct fixture *f = *state;
	struct user ann, bob;
	char body[64 * 32] = "[";
	struct exchange *e;

	add_pair(f, &ann, &bob);
	stop_engine(f);
	forget_exchanges(f);
	f->settings.command_rate = (struct rate){ .per_s = 1, .burst = 150 };
	start_engine(f);
	for (int i = 0; i < 60; i++)
		strcat(
		    body, i ? ",{\"command\":\"x\"}" : "{\"command\":\"x\"}");
	strcat(body, "]");
	e = submit(f, post_of(&ann, "/command", body));
	poison(f, &bob);
	settle(f);
	assert_int_equal(e->request->reply.status, 200);
	/* 90 are left, and some seconds' worth. */
	e = ask(f, post_of(&ann, "/command", body));
	assert_int_equal(e->request->reply.status, 200);
	assert_failed(
	    ask(f, post_of(&ann, "/command", body)), ERR_RATE_LIMITED);
}

static void
test_a_request_that_is_run_again_pays_for_what_it_relays_once(void **state)
{
	struct fixture *f = *state;
	struct user ann, bob;
	char body[93];
	struct exchange *e;

	add_pair(f, &ann, &bob);
	stop_engine(f);
	forget_exchanges(f);
	f->settings.relay_rate = (struct rate){ .per_s = 1, .burst = 150 };
	start_engine(f);
	snprintf(body, sizeof(body), "\"%090d\"", 0);
	e = submit(f, post_of(&ann, "/message", body));
	poison(f, &bob);
	settle(f);
	assert_int_equal(e->request->reply.status, 200);
	/* 58 are left, and some seconds' worth. */
	body[49] = '"';
	body[50] = '\0';
	e = ask(f, post_of(&ann, "/message", body));
	assert_int_equal(e->request->reply.status, 200);
	assert_failed(
	    ask(f, post_of(&ann, "/message", body)), ERR_RATE_LIMITED);
}

static void
test_a_poll_without_cursor_loses_nothing_to_a_failing_neighbour(void **state)
{
	struct fixture *f = *state;
	struct user ann, bob;
	struct exchange *e;

	add_pair(f, &ann, &bob);
	e = submit(f, get_of(&bob, "/events?wait=0"));
	poison(f, &ann);
	settle(f);
	assert_true(says(e, "{\"id\":1,"));
	assert_true(says(e, "\"next\":2}"));
	assert_int_equal(
	    ask(f, post_of(&ann, "/message", "1"))->request->reply.status, 200);
	e = submit(f, get_of(&bob, "/events?wait=0"));
	poison(f, &ann);
	settle(f);
	assert_reply(e, 200,
	    "{\"events\":[{\"id\":3,\"command\":\"###!RMK\",\"data\":1}],"
	    "\"next\":3}");
	assert_reply(ask(f, get_of(&bob, "/events?wait=0")), 200,
	    "{\"events\":[],\"next\":3}");
}

static void
test_a_poll_without_cursor_that_fails_acknowledges_nothing(void **state)
{
	struct fixture *f = *state;
	struct user ann, bob;
	struct exchange *e;

	add_pair(f, &ann, &bob);
	/* Bob's poll is run, the commit fails, and so does running it alone. */
	poison(f, &ann);
	e = submit(f, get_of(&bob, "/events?wait=0"));
	poison(f, &ann);
	atomic_store(&f->store->commits_fail, true);
	settle(f);
	atomic_store(&f->store->commits_fail, false);
	assert_failed(e, ERR_STORAGE);
	assert_true(says(
	    ask(f, get_of(&bob, "/events?wait=0")), "{\"events\":[{\"id\":1,"));
}

static void
test_events_that_a_failing_batch_took_back_cannot_fill_a_mailbox(void **state)
{
	struct fixture *f = *state;
	struct user ann, bob;
	struct exchange *poll;

	stop_engine(f);
	f->settings.max_mailbox_events = 10;
	start_engine(f);
	add_pair(f, &ann, &bob);
	/* Acknowledged, taken back, and sent again. */
	submit(f, post_of(&ann, "/message", "1"));
	poll = submit(f, get_of(&bob, "/events?wait=0&after=3"));
	poison(f, &ann);
	settle(f);
	assert_reply(poll, 200, "{\"events\":[],\"next\":3}");
	ask(f, post_of(&ann, "/message", "2"));
	assert_reply(ask(f, get_of(&bob, "/events?wait=0&after=3")), 200,
	    "{\"events\":[{\"id\":4,\"command\":\"###!RMK\",\"data\":2}],"
	    "\"next\":4}");
}

static void
test_a_parked_poll_survives_a_failing_batch_and_is_woken(void **state)
{
	struct fixture *f = *state;
	struct user ann, bob;
	struct exchange *poll;

	add_pair(f, &ann, &bob);
	poll = park(f, &bob, "/events?after=2");
	poison(f, &ann);
	settle(f);
	poison(f, &ann);
	submit(f, post_of(&ann, "/message", "\"poison too\""));
	settle(f);
	assert_int_equal(poll->n_back, 0);
	assert_int_equal(
	    ask(f, post_of(&ann, "/message", "1"))->request->reply.status, 200);
	settle(f);
	assert_reply(poll, 200,
	    "{\"events\":[{\"id\":3,\"command\":\"###!RMK\",\"data\":1}],"
	    "\"next\":3}");
}

static void
test_a_poll_in_a_failing_batch_is_held_all_the_same(void **state)
{
	struct fixture *f = *state;
	struct user ann, bob;
	struct exchange *poll;

	add_pair(f, &ann, &bob);
	poll = submit(f, get_of(&bob, "/events?after=2"));
	poison(f, &ann);
	settle(f);
	assert_int_equal(poll->n_back, 0);
	submit(f, post_of(&ann, "/message", "1"));
	poison(f, &ann);
	settle(f);
	assert_reply(poll, 200,
	    "{\"events\":[{\"id\":3,\"command\":\"###!RMK\",\"data\":1}],"
	    "\"next\":3}");
}

static void
test_a_woken_poll_comes_back_with_the_reply_that_woke_it(void **state)
{
	struct fixture *f = *state;
	struct user ann, bob;
	struct exchange *poll, *e;

	add_pair(f, &ann, &bob);
	poll = park(f, &bob, "/events?after=2");
	e = submit(f, post_of(&ann, "/message", "1"));
	engine_flush(&f->cq);
	wait_for(f, &e->n_back);
	assert_int_equal(poll->n_back, 1);
}

static void
test_the_newest_poll_wins(void **state)
{
	struct fixture *f = *state;
	struct user ann, bob;
	struct exchange *older, *newer;

	add_pair(f, &ann, &bob);
	older = park(f, &bob, "/events?after=2");
	newer = park(f, &bob, "/events?after=2");
	assert_reply(older, 200,
	    "{\"events\":[],\"next\":2,\"superseded\":true,"
	    "\"poll_after_ms\":5000}");
	ask(f, post_of(&ann, "/message", "1"));
	assert_true(says(newer, "{\"id\":3,"));
}

static void
test_a_poll_whose_time_is_over_is_answered_empty(void **state)
{
	struct fixture *f = *state;
	struct user ann = add_user(f);
	struct exchange *poll = park(f, &ann, "/events?after=0&wait=50");

	scratch_clock[0] += 40000;
	settle(f);
	assert_int_equal(poll->n_back, 0);
	scratch_clock[0] += 10000;
	wait_for(f, &poll->n_back);
	assert_reply(poll, 200, "{\"events\":[],\"next\":0}");
}

static void
test_the_end_of_a_session_answers_its_parked_poll(void **state)
{
	struct fixture *f = *state;
	struct user ann, bob;
	struct exchange *poll;

	add_pair(f, &ann, &bob);
	poll = park(f, &bob, "/events?after=2");
	ask(f, post_of(&bob, "/unregister", NULL));
	assert_failed(poll, ERR_NO_SESSION);
	assert_failed(ask(f, get_of(&bob, "/events")), ERR_NO_SESSION);
}

static void
test_cancelling_a_parked_poll_gives_both_back_once(void **state)
{
	struct fixture *f = *state;
	struct user ann, bob;
	struct exchange *poll;

	add_pair(f, &ann, &bob);
	poll = park(f, &bob, "/events?after=2");
	engine_cancel(&f->cq, poll->request);
	engine_flush(&f->cq);
	wait_for(f, &poll->n_cancels_back);
	assert_int_equal(poll->n_back, 1);
	/* What comes now waits in the mailbox. */
	ask(f, post_of(&ann, "/message", "1"));
	settle(f);
	assert_int_equal(poll->n_back, 1);
	assert_int_equal(poll->n_cancels_back, 1);
	assert_true(
	    says(ask(f, get_of(&bob, "/events?after=2&wait=0")), "{\"id\":3,"));
}

static void
test_cancelling_a_running_request_gives_both_back_once(void **state)
{
	struct fixture *f = *state;
	struct user ann, bob;
	struct exchange *command, *poll, *failing;

	add_pair(f, &ann, &bob);
	command = submit(f, post_of(&ann, "/message", "1"));
	poll = submit(f, get_of(&bob, "/events?after=2"));
	failing = poison(f, &ann);
	engine_cancel(&f->cq, command->request);
	engine_cancel(&f->cq, poll->request);
	engine_cancel(&f->cq, failing->request);
	settle(f);
	assert_int_equal(command->n_back, 1);
	assert_int_equal(command->n_cancels_back, 1);
	assert_int_equal(poll->n_back, 1);
	assert_int_equal(poll->n_cancels_back, 1);
	assert_int_equal(failing->n_back, 1);
	assert_int_equal(failing->n_cancels_back, 1);
	/* It was done, though nobody heard. */
	assert_reply(command, 200, "{\"command\":\"###!RMK\",\"data\":1}");
	assert_true(
	    says(ask(f, get_of(&bob, "/events?after=2&wait=0")), "{\"id\":3,"));
}

static void
test_cancelling_what_has_come_back_gives_the_cancellation_back(void **state)
{
	struct fixture *f = *state;
	struct user ann = add_user(f);
	struct exchange *e = ask(f, get_of(&ann, "/room"));

	engine_cancel(&f->cq, e->request);
	engine_flush(&f->cq);
	wait_for(f, &e->n_cancels_back);
	settle(f);
	assert_int_equal(e->n_back, 1);
	assert_int_equal(e->n_cancels_back, 1);
}

static unsigned n_changes_back;

static void
on_changed(struct settings_change *change)
{
	(void)change;
	n_changes_back++;
}

static void
test_other_settings_hold_for_what_comes_after_them(void **state)
{
	struct fixture *f = *state;
	struct settings_change less = { .settings = f->settings,
		.give_back = on_changed };
	struct settings_change more = less;
	struct user ann, bob;
	struct exchange *es[3], *poll;

	add_pair(f, &ann, &bob);
	poll = park(f, &ann, "/events?after=2");
	less.settings.max_players = 3;
	n_changes_back = 0;
	for (int i = 0; i < 3; i++) {
		es[i] = submit(f,
		    (struct question){ .method = METHOD_POST,
			.target = "/register",
			.body = "\"x\"" });
		if (i == 0)
			engine_change_settings(&f->cq, &less);
		else if (i == 1)
			engine_change_settings(&f->cq, &more);
	}
	settle(f);
	assert_int_equal(n_changes_back, 2);
	assert_int_equal(es[0]->request->reply.status, 200);
	assert_failed(es[1], ERR_TOO_MANY_PLAYERS);
	assert_int_equal(es[2]->request->reply.status, 200);
	assert_int_equal(poll->n_back, 0);
}

static void
test_stopping_gives_changes_of_settings_back(void **state)
{
	struct fixture *f = *state;
	struct settings_change change = { .settings = f->settings,
		.give_back = on_changed };

	n_changes_back = 0;
	engine_change_settings(&f->cq, &change);
	stop_engine(f);
	assert_int_equal(n_changes_back, 1);
}

static void
test_draining_answers_parked_polls_and_holds_none_any_more(void **state)
{
	struct fixture *f = *state;
	struct user ann, bob;
	struct exchange *polls[3];

	add_pair(f, &ann, &bob);
	polls[0] = park(f, &ann, "/events?after=2");
	polls[1] = park(f, &bob, "/events?after=2");
	engine_drain(f->engine);
	settle(f);
	polls[2] = submit(f, get_of(&bob, "/events?after=2"));
	settle(f);
	for (size_t i = 0; i < N_OF(polls); i++) {
		assert_int_equal(polls[i]->n_back, 1);
		assert_int_equal(polls[i]->request->reply.status, 200);
		assert_true(says(
		    polls[i], "{\"events\":[],\"next\":2,\"poll_after_ms\":"));
	}
	/* Commands go on. */
	assert_int_equal(
	    ask(f, post_of(&ann, "/message", "1"))->request->reply.status, 200);
}

static void
test_stopping_gives_everything_back(void **state)
{
	struct fixture *f = *state;
	struct user ann, bob;
	struct exchange *es[400], *poll;
	unsigned n_cancels = 0;

	add_pair(f, &ann, &bob);
	poll = park(f, &bob, "/events?after=2");
	for (size_t i = 0; i < N_OF(es); i++) {
		es[i] = submit(f, post_of(&ann, "/leave-room", NULL));
		if (i % 3 == 0) {
			engine_cancel(&f->cq, es[i]->request);
			n_cancels++;
		}
	}
	stop_engine(f); /* looks that all are back, the poll too */
	assert_int_equal(es[0]->request->reply.status, 200);
	assert_failed(es[399], ERR_NOT_IN_ROOM);
	assert_true(says(poll, "\"events\":["));
	for (size_t i = 0; i < N_OF(es); i++)
		n_cancels -= es[i]->n_cancels_back;
	assert_int_equal(n_cancels, 0);
	/* And it is all on the disk. */
	forget_exchanges(f);
	start_engine(f);
	assert_failed(ask(f, get_of(&ann, "/room")), ERR_NO_ROOM);
}

static void
test_stopping_with_a_poll_parked_gives_it_back(void **state)
{
	struct fixture *f = *state;
	struct user ann = add_user(f);
	struct exchange *poll = park(f, &ann, "/events");

	stop_engine(f);
	assert_int_equal(poll->request->reply.status, 200);
}

static void
test_what_came_through_a_queue_comes_back_through_it(void **state)
{
	struct fixture *f = *state;
	struct completion_queue other;
	struct user ann, bob;
	struct exchange *poll, *message;

	add_pair(f, &ann, &bob);
	poll = park(f, &bob, "/events?after=2");
	completion_queue_open(&other, f->engine, on_completed, &f->completed);
	message = submit_through(
	    f, &other, post_of(&ann, "/message", "\"hello\""));
	engine_flush(&other);
	wait_for(f, &poll->n_back);
	settle(f); /* the message is back as well */
	assert_int_equal(message->n_back, 0);
	collect_from(f, &other);
	assert_int_equal(message->n_back, 1);
	assert_int_equal(poll->n_back, 1);
	completion_queue_close(&other);
}

/* A pair whose guest has acknowledged so many events that they are to go with
 * the next commit. */
static void
add_pair_with_much_trim(struct fixture *f, struct user *ann, struct user *bob)
{
	char target[64];

	add_pair(f, ann, bob);
	for (int i = 0; i < 300; i++)
		submit(f, post_of(ann, "/message", "1"));
	settle(f);
	for (int i = 3; i <= 302; i += 50) {
		snprintf(target, sizeof(target),
		    "/events?after=%d&wait=0&max=50", i - 1);
		ask(f, get_of(bob, target));
	}
	ask(f, get_of(bob, "/events?after=302&wait=0"));
}

static void
test_many_acknowledged_events_go_with_the_next_commit(void **state)
{
	struct fixture *f = *state;
	struct user ann, bob;

	add_pair_with_much_trim(f, &ann, &bob);
	/* Nor would a timer have come so soon. */
	ask(f, post_of(&ann, "/message", "2"));
	assert_true(atomic_load(&f->store->n_trims) > 0);
	/* Those that are left are not less there for it. */
	assert_reply(ask(f, get_of(&bob, "/events?after=302&wait=0")), 200,
	    "{\"events\":[{\"id\":303,\"command\":\"###!RMK\",\"data\":2}],"
	    "\"next\":303}");
}

/* Although it was alone in its batch. */
static void
test_a_command_does_not_fail_with_the_events_that_go_along(void **state)
{
	struct fixture *f = *state;
	struct user ann, bob;

	add_pair_with_much_trim(f, &ann, &bob);
	atomic_store(&f->store->n_trims, 0);
	atomic_store(&f->store->trims_fail, true);
	assert_reply(ask(f, post_of(&ann, "/message", "2")), 200,
	    "{\"command\":\"###!RMK\",\"data\":2}");
	assert_int_equal(atomic_load(&f->store->n_trims), 1);
	assert_reply(ask(f, get_of(&bob, "/events?after=302&wait=0")), 200,
	    "{\"events\":[{\"id\":303,\"command\":\"###!RMK\",\"data\":2}],"
	    "\"next\":303}");
}

static enum err
answer_without_end(
    struct session *session, const struct call *call, struct outcome *out)
{
	static const char endless[17 << 20];

	(void)session;
	(void)call;
	out->kind = OUTCOME_TEXT;
	buf_add_text(&out->text, "\"the beginning of");
	buf_add(&out->text, endless, sizeof(endless));
	assert_true(out->text.overflowed);
	return ERR_NONE;
}

static void
test_an_answer_that_overflows_fails_its_array_wherever_it_stands(void **state)
{
	static const struct command endless = { .code = "###!XX",
		.path = "/endless",
		.ok = "###!XXK",
		.failed = "###!XXB",
		.run = answer_without_end };
	static const char body[] = "[{\"command\":\"###!SM\",\"data\":1},"
				   "{\"command\":\"###!SM\",\"data\":2},"
				   "{\"command\":\"###!SM\",\"data\":3}]";
	struct fixture *f = *state;
	struct user ann, bob;
	struct exchange *e;

	add_pair(f, &ann, &bob);
	for (size_t i = 0; i < 3; i++) {
		e = prepare(f, post_of(&ann, "/command", body));
		e->request->calls[i].command = &endless;
		engine_submit(&f->cq, e->request);
		settle(f);
		assert_failed(e, ERR_STORAGE);
		assert_reply(ask(f, get_of(&bob, "/events?after=2&wait=0")),
		    200, "{\"events\":[],\"next\":2}");
	}
}

static void
test_health_follows_the_store(void **state)
{
	struct fixture *f = *state;
	const struct question q = { .target = "/healthz" };
	struct user ann = add_user(f);

	assert_int_equal(ask(f, q)->request->reply.status, 200);
	atomic_store(&f->store->is_down, true);
	assert_failed(ask(f, q), ERR_STORAGE);
	assert_failed(ask(f, post_of(&ann, "/create-room", NULL)), ERR_STORAGE);
	assert_failed(ask(f, q), ERR_STORAGE);
	/* Being asked, it tries again now and then, which is told in
	 * tests/fault; a command that succeeds tells at once. */
	atomic_store(&f->store->is_down, false);
	assert_int_equal(
	    ask(f, post_of(&ann, "/create-room", NULL))->request->reply.status,
	    200);
	assert_int_equal(ask(f, q)->request->reply.status, 200);
}

static void
test_an_engine_that_cannot_read_its_store_does_not_start(void **state)
{
	struct fixture *f = *state;

	stop_engine(f);
	for (long n = 0; n < 2; n++) {
		f->store = faulty_store_new(scratch_open(&f->scratch));
		atomic_store(&f->store->ops_left, n);
		assert_null(engine_start(&f->store->ops, &f->settings));
	}
	/* And has closed it. */
	start_engine(f);
}

static int
set_up_group(void **state)
{
	log_set_level(LOG_LEVEL_ERROR);
	return scratch_set_up_clock(state);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_neighbours_of_a_failing_request_are_executed),
		TEST(test_a_batch_comes_back_in_order),
		TEST(test_a_request_that_is_run_again_pays_once),
		TEST(
		    test_a_request_that_is_run_again_pays_for_what_it_relays_once),
		TEST(
		    test_a_poll_without_cursor_loses_nothing_to_a_failing_neighbour),
		TEST(
		    test_a_poll_without_cursor_that_fails_acknowledges_nothing),
		TEST(
		    test_events_that_a_failing_batch_took_back_cannot_fill_a_mailbox),
		TEST(test_a_parked_poll_survives_a_failing_batch_and_is_woken),
		TEST(test_a_poll_in_a_failing_batch_is_held_all_the_same),
		TEST(test_a_woken_poll_comes_back_with_the_reply_that_woke_it),
		TEST(test_the_newest_poll_wins),
		TEST(test_a_poll_whose_time_is_over_is_answered_empty),
		TEST(test_the_end_of_a_session_answers_its_parked_poll),
		TEST(test_cancelling_a_parked_poll_gives_both_back_once),
		TEST(test_cancelling_a_running_request_gives_both_back_once),
		TEST(
		    test_cancelling_what_has_come_back_gives_the_cancellation_back),
		TEST(
		    test_draining_answers_parked_polls_and_holds_none_any_more),
		TEST(test_other_settings_hold_for_what_comes_after_them),
		TEST(test_stopping_gives_changes_of_settings_back),
		TEST(test_stopping_gives_everything_back),
		TEST(test_stopping_with_a_poll_parked_gives_it_back),
		TEST(test_many_acknowledged_events_go_with_the_next_commit),
		TEST(
		    test_a_command_does_not_fail_with_the_events_that_go_along),
		TEST(
		    test_an_answer_that_overflows_fails_its_array_wherever_it_stands),
		TEST(test_what_came_through_a_queue_comes_back_through_it),
		TEST(test_health_follows_the_store),
		TEST(test_an_engine_that_cannot_read_its_store_does_not_start),
	};

	return cmocka_run_group_tests_name("engine", tests, set_up_group, NULL);
}
