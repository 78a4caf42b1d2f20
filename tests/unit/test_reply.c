/* test_reply.c - from outcomes to a record, and from that to the reply, the
 * first time as every other time. */
#include "tests/unit/parse_fixture.h"

#include "api/reply.h"

#define TOKEN "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG"

static struct buf record;

static int
set_up(void **state)
{
	(void)state;
	buf_init(&record, 65536);
	return 0;
}

static int
tear_down(void **state)
{
	buf_fini(&record);
	return forget_request(state);
}

static void
record_text(enum outcome_kind kind, const char *text)
{
	struct outcome outcome = { .kind = kind };

	buf_init(&outcome.text, 1000);
	buf_add_text(&outcome.text, text);
	reply_record(&record, &outcome);
	buf_fini(&outcome.text);
}

static void
record_failure(const struct call *call, enum err err, enum end_reason reason)
{
	struct outcome outcome;

	buf_init(&outcome.text, 1000);
	buf_add_text(&outcome.text, "what was there before");
	reply_set_failed(&outcome, call, err, reason);
	reply_record(&record, &outcome);
	buf_fini(&outcome.text);
}

/* What the record makes of the request is this, twice over. */
static void
assert_reply(struct request *request, unsigned status, const char *text)
{
	for (int i = 0; i < 2; i++) {
		reply_render(request, buf_span(&record), TOKEN);
		assert_int_equal(request->reply.status, status);
		assert_int_equal(request->reply.type,
		    status == 204 ? REPLY_EMPTY : REPLY_JSON);
		assert_int_equal(request->reply.body.len, strlen(text));
		if (text[0])
			assert_memory_equal(
			    request->reply.body.data, text, strlen(text));
	}
}

static void
test_the_record_is_what_later_releases_must_read(void **state)
{
	static const unsigned char bytes[] = "T\6\0\0\0\"null\""
					     "E\0\0\0\0N\0\0\0\0"
					     "R\2\0\0\00017F\1\0\0\0x";

	(void)state;
	record_text(OUTCOME_TEXT, "\"null\"");
	record_text(OUTCOME_ECHO, "");
	record_text(OUTCOME_NONE, "");
	record_text(OUTCOME_TOKEN, "17");
	record_text(OUTCOME_FAILED, "x");
	assert_int_equal(record.len, sizeof(bytes) - 1);
	assert_memory_equal(record.data, bytes, record.len);
}

static void
test_long_texts_keep_their_length(void **state)
{
	struct outcome outcome = { .kind = OUTCOME_FAILED };
	struct span body;

	(void)state;
	buf_fini(&record);
	buf_init(&record, 200000);
	buf_init(&outcome.text, 100000);
	for (int i = 0; i < 10000; i++)
		buf_add_text(&outcome.text, "12345678");
	reply_record(&record, &outcome);
	post("/create-room", NULL);
	reply_render(asked, buf_span(&record), "");
	body = buf_span(&asked->reply.body);
	assert_int_equal(body.len, 80000);
	assert_memory_equal(body.at, outcome.text.data, 80000);
	buf_fini(&outcome.text);
}

static void
test_a_text_is_data_and_extra_members(void **state)
{
	(void)state;
	record_text(OUTCOME_TEXT, "\"x\",\"id\":1");
	assert_reply(post("/create-room", NULL), 200,
	    "{\"command\":\"###!CRK\",\"data\":\"x\",\"id\":1}");
}

static void
test_an_echo_is_taken_from_the_request(void **state)
{
	(void)state;
	record_text(OUTCOME_ECHO, "");
	assert_int_equal(record.len, 5);
	assert_reply(post("/message", " [1 , 2.50] "), 200,
	    "{\"command\":\"###!RMK\",\"data\":[1 , 2.50]}");
}

static void
test_a_token_is_never_in_the_record(void **state)
{
	(void)state;
	record_text(OUTCOME_TOKEN, "17");
	assert_null(memmem(record.data, record.len, TOKEN, strlen(TOKEN)));
	assert_reply(post("/register", "\"Ann\""), 200,
	    "{\"command\":\"###!RPK\",\"data\":17,\"token\":\"" TOKEN "\"}");
}

static void
test_no_reply_is_204_alone_and_null_in_an_array(void **state)
{
	(void)state;
	record_text(OUTCOME_NONE, "");
	assert_reply(post("/offer", "{\"id\":1}"), 204, "");
	record_text(OUTCOME_TEXT, "\"null\"");
	assert_reply(post("/command",
			 "[{\"command\":\"###!OO\",\"data\":{\"id\":1}},"
			 "{\"command\":\"###!LR\"}]"),
	    200, "[null,{\"command\":\"###!LRK\",\"data\":\"null\"}]");
}

static void
test_wrapped_replies_are_left_open_for_events(void **state)
{
	(void)state;
	record_text(OUTCOME_NONE, "");
	assert_reply(post("/command",
			 "{\"command\":\"###!OO\","
			 "\"data\":{\"id\":1},\"after\":0}"),
	    200, "{\"replies\":[null]");
	assert_reply(post("/command",
			 "{\"commands\":[{\"command\":\"###!OO\","
			 "\"data\":{\"id\":1}}]}"),
	    200, "{\"replies\":[null]");
	buf_reset(&record);
	assert_reply(
	    post("/command", "{\"commands\":[]}"), 200, "{\"replies\":[]");
	assert_reply(post("/command", "[]"), 200, "[]");
}

static void
test_failures_stand_among_successes_in_order(void **state)
{
	(void)state;
	post("/command",
	    "[{\"command\":\"###!JR\",\"data\":\"" UUID "\"},"
	    "{\"command\":\"nothing\"},"
	    "{\"command\":\"###!SM\",\"data\":7},"
	    "{\"command\":\"###!SM\",\"data\":8}]");
	record_failure(&asked->calls[0], ERR_ROOM_FULL, END_UNREGISTERED);
	record_failure(&asked->calls[1], ERR_UNKNOWN_COMMAND, END_UNREGISTERED);
	record_text(OUTCOME_ECHO, "");
	record_failure(&asked->calls[3], ERR_TIMED_OUT, END_MAILBOX_OVERFLOW);
	assert_reply(asked, 200,
	    "[{\"command\":\"###!JRB\",\"data\":\"The room is full.\","
	    "\"error\":\"room-full\"},"
	    "{\"command\":\"###!ICB\",\"data\":\"There is no such command.\","
	    "\"error\":\"unknown-command\"},"
	    "{\"command\":\"###!RMK\",\"data\":7},"
	    "{\"command\":\"###!PTO\",\"data\":\"Mailbox Overflow\","
	    "\"error\":\"timed-out\"}]");
}

static void
test_a_whole_request_fails_with_its_only_commands_code(void **state)
{
	static const struct {
		const char *target, *body, *code;
	} cases[] = {
		{ "/create-room", NULL, "###!CRB" },
		{ "/events", NULL, "###!ICB" },
		{ "/command", "{\"command\":\"###!JR\"}", "###!JRB" },
		{ "/command", "{\"command\":\"nothing\"}", "###!ICB" },
		{ "/command", "[{\"command\":\"###!JR\"}]", "###!ICB" },
		{ "/command", "{\"commands\":[{\"command\":\"###!JR\"}]}",
		    "###!ICB" },
		{ "/command", "not JSON", "###!ICB" },
	};
	char text[64];

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++) {
		post(cases[i].target, cases[i].body);
		reply_fail(asked, ERR_STORAGE);
		snprintf(text, sizeof(text),
		    "{\"command\":\"%s\",\"data\":", cases[i].code);
		assert_true(body_has(asked, text));
		assert_true(body_has(asked, "\"error\":\"storage\"}"));
		assert_int_equal(asked->reply.status, 503);
		assert_true(asked->reply.retry_after_s > 0);
	}
}

static void
test_a_failed_reply_leaves_nothing_of_the_one_before(void **state)
{
	(void)state;
	record_text(OUTCOME_TEXT, "\"x\"");
	post("/create-room", NULL);
	reply_render(asked, buf_span(&record), "");
	asked->reply.is_replay = true;
	asked->reply.retry_after_s = 7;
	reply_fail_ended(asked, END_STOPPED_POLLING);
	assert_int_equal(asked->reply.status, 410);
	assert_false(asked->reply.is_replay);
	assert_int_equal(asked->reply.retry_after_s, 0);
	assert_span(buf_span(&asked->reply.body),
	    "{\"command\":\"###!PTO\",\"data\":\"Player Stopped Polling\","
	    "\"error\":\"timed-out\"}");
}

#undef TEST
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* What api/command/run.c counts on, with the longest sentence and word. */
static void
test_every_failure_is_a_small_answer(void **state)
{
	struct call call = { .command = &command_message };
	struct outcome outcome;

	(void)state;
	for (int err = ERR_NONE + 1; err < N_ERRS; err++) {
		buf_init(&outcome.text, 1000);
		buf_reset(&record);
		reply_set_failed(
		    &outcome, &call, (enum err)err, END_LEFT_IN_LOBBY);
		reply_record(&record, &outcome);
		assert_false(record.overflowed);
		assert_in_range(record.len, 40, COMMAND_SMALL_ANSWER);
		buf_fini(&outcome.text);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_failure_is_a_small_answer),
		TEST(test_the_record_is_what_later_releases_must_read),
		TEST(test_long_texts_keep_their_length),
		TEST(test_a_text_is_data_and_extra_members),
		TEST(test_an_echo_is_taken_from_the_request),
		TEST(test_a_token_is_never_in_the_record),
		TEST(test_no_reply_is_204_alone_and_null_in_an_array),
		TEST(test_wrapped_replies_are_left_open_for_events),
		TEST(test_failures_stand_among_successes_in_order),
		TEST(test_a_whole_request_fails_with_its_only_commands_code),
		TEST(test_a_failed_reply_leaves_nothing_of_the_one_before),
	};

	return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
