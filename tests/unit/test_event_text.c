/* test_event_text.c - events and failures, to the byte. */
#include "tests/unit/unit.h"

#include <string.h>

#include "api/json.h"
#include "api/texts.h"

static struct buf out;

static int
set_up(void **state)
{
	(void)state;
	buf_init(&out, 65536);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	buf_fini(&out);
	return 0;
}

static void
assert_out(const char *text)
{
	assert_int_equal(out.len, strlen(text));
	assert_memory_equal(out.data, text, out.len);
	buf_reset(&out);
}

static void
test_each_kind_of_event_has_its_code(void **state)
{
	(void)state;
	event_text_add(&out, 1, EVENT_CONNECTED_TO_ROOM, span_of("1"));
	assert_out("{\"id\":1,\"command\":\"###!CTR\",\"data\":1}");
	event_text_add(&out, 2, EVENT_PEER_CONNECTED, span_of("17"));
	assert_out("{\"id\":2,\"command\":\"###!RPC\",\"data\":17}");
	event_text_add(&out, 3, EVENT_PEER_DISCONNECTED, span_of("17"));
	assert_out("{\"id\":3,\"command\":\"###!RPD\",\"data\":17}");
	event_text_add(&out, 4, EVENT_ROOM_CLOSED, span_of("\"x\""));
	assert_out("{\"id\":4,\"command\":\"###!RCL\",\"data\":\"x\"}");
	event_text_add(&out, 5, EVENT_ROOM_SEALED, span_of("\"null\""));
	assert_out("{\"id\":5,\"command\":\"###!SRK\",\"data\":\"null\"}");
	event_text_add(&out, 6, EVENT_ROOM_MESSAGE, span_of("[]"));
	assert_out("{\"id\":6,\"command\":\"###!RMK\",\"data\":[]}");
	event_text_add(&out, 7, EVENT_OFFER, span_of("{}"));
	assert_out("{\"id\":7,\"command\":\"###!OOO\",\"data\":{}}");
	event_text_add(&out, 8, EVENT_ANSWER, span_of("{}"));
	assert_out("{\"id\":8,\"command\":\"###!AAA\",\"data\":{}}");
	event_text_add(&out, 9, EVENT_CANDIDATE, span_of("{}"));
	assert_out("{\"id\":9,\"command\":\"###!CCC\",\"data\":{}}");
}

static void
test_data_is_relayed_byte_for_byte(void **state)
{
	static const char
	    data[] = "{ \"a\\/b\" : 1.50, \"a\\/b\":\"\xc3\xa9\" }";

	(void)state;
	event_text_add(&out, 9007199254740991, EVENT_OFFER, span_of(data));
	assert_out("{\"id\":9007199254740991,\"command\":\"###!OOO\",\"data\":"
		   "{ \"a\\/b\" : 1.50, \"a\\/b\":\"\xc3\xa9\" }}");
}

static void
test_a_failure_has_code_sentence_and_word(void **state)
{
	(void)state;
	event_text_add_failure(&out, "###!JRB", ERR_ROOM_SEALED, NULL);
	assert_out("{\"command\":\"###!JRB\",\"data\":\"The room is sealed.\","
		   "\"error\":\"room-sealed\"}");
}

static void
test_a_failure_that_is_explained_is_json(void **state)
{
	(void)state;
	event_text_add_failure(
	    &out, "###!ICB", ERR_BAD_DATA, "id is '\"\\\xc3\xa9/'.");
	assert_out("{\"command\":\"###!ICB\",\"data\":"
		   "\"id is '\\\"\\\\\xc3\xa9/'.\",\"error\":\"bad-data\"}");
}

static void
test_every_failure_is_json(void **state)
{
	struct json_value value;

	(void)state;
	for (int err = ERR_NONE + 1; err < N_ERRS; err++) {
		event_text_add_failure(&out, "###!ICB", (enum err)err, NULL);
		assert_int_equal(json_check(buf_span(&out), &value), ERR_NONE);
		assert_int_equal(value.type, JSON_OBJECT);
		buf_reset(&out);
	}
}

static void
test_an_ended_session_is_told_why(void **state)
{
	static const struct {
		enum end_reason reason;
		const char *text;
	} ends[] = {
		{ END_STOPPED_POLLING, "Player Stopped Polling" },
		{ END_LEFT_IN_LOBBY, "Player Took Too Long To Enter A Room" },
		{ END_MAILBOX_OVERFLOW, "Mailbox Overflow" },
		{ END_KICKED, "Player Kicked By Operator" },
	};
	char text[160];

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		strcpy(text, "{\"command\":\"###!PTO\",\"data\":\"");
		strcat(text, ends[i].text);
		strcat(text, "\",\"error\":\"timed-out\"}");
		event_text_add_ended(&out, ends[i].reason);
		assert_out(text);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_each_kind_of_event_has_its_code),
		TEST(test_data_is_relayed_byte_for_byte),
		TEST(test_a_failure_has_code_sentence_and_word),
		TEST(test_a_failure_that_is_explained_is_json),
		TEST(test_every_failure_is_json),
		TEST(test_an_ended_session_is_told_why),
	};

	return cmocka_run_group_tests_name("event text", tests, NULL, NULL);
}
