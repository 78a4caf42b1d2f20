/* test_parse_envelope.c - what POST /command takes: one envelope, an array of
 * them, or an object around either. */
#include "tests/unit/parse_fixture.h"

static struct request *
envelope(const char *body)
{
	return post("/command", body);
}

static void
assert_calls(const char *body, size_t n, bool is_array, bool is_wrapped)
{
	envelope(body);
	assert_passed(asked, ERR_NONE);
	assert_int_equal(asked->n_calls, n);
	assert_int_equal(asked->is_array, is_array);
	assert_int_equal(asked->is_wrapped, is_wrapped);
}

static void
test_every_command_has_its_code(void **state)
{
	static const struct {
		const char *code, *data;
		const struct command *command;
	} known[] = {
		{ "###!RP", "\"Ann\"", &command_register },
		{ "###!CR", "null", &command_create_room },
		{ "###!JR", "\"" UUID "\"", &command_join_room },
		{ "###!SR", "\"null\"", &command_seal_room },
		{ "###!SM", "[1]", &command_message },
		{ "###!OO", "{\"id\":1}", &command_offer },
		{ "###!AA", "{\"id\":1}", &command_answer },
		{ "###!CC", "{\"id\":1}", &command_candidate },
		{ "###!LR", "null", &command_leave_room },
		{ "###!UP", "null", &command_unregister },
	};
	char body[128];

	(void)state;
	for (size_t i = 0; i < N_OF(known); i++) {
		snprintf(body, sizeof(body), "{\"command\":\"%s\",\"data\":%s}",
		    known[i].code, known[i].data);
		assert_calls(body, 1, false, false);
		assert_ptr_equal(asked->calls[0].command, known[i].command);
		assert_int_equal(asked->calls[0].err, ERR_NONE);
		assert_span(asked->calls[0].data.text, known[i].data);
	}
}

static void
test_an_array_or_a_cursor_shapes_the_answer(void **state)
{
	(void)state;
	assert_calls("{\"command\":\"###!CR\"}", 1, false, false);
	assert_calls("[{\"command\":\"###!CR\"}]", 1, true, false);
	assert_calls("[]", 0, true, false);
	assert_calls("{\"commands\":[]}", 0, true, true);
	assert_calls(
	    "{\"commands\":[{\"command\":\"###!CR\"},2]}", 2, true, true);
	assert_calls("{\"command\":\"###!CR\",\"after\":0}", 1, false, true);
	assert_calls(
	    "{\"command\":\"###!CR\",\"wait\":1,\"max\":2}", 1, false, false);
	assert_calls("{\"command\":\"###!CR\",\"token\":\"t\",\"x\":[]}", 1,
	    false, false);
	assert_true(asked->has_token);
}

static void
test_data_that_is_not_there_is_nothing(void **state)
{
	(void)state;
	assert_calls("{\"command\":\"###!CR\"}", 1, false, false);
	assert_int_equal(asked->calls[0].err, ERR_NONE);
	assert_calls("[{\"command\":\"###!SM\"}]", 1, true, false);
	assert_int_equal(asked->calls[0].err, ERR_BAD_DATA);
	assert_calls("[{\"command\":\"###!RP\"}]", 1, true, false);
	assert_int_equal(asked->calls[0].err, ERR_BAD_NAME);
	assert_calls("[{\"command\":\"###!JR\"}]", 1, true, false);
	assert_int_equal(asked->calls[0].err, ERR_BAD_DATA);
	assert_calls("[{\"command\":\"###!OO\"}]", 1, true, false);
	assert_int_equal(asked->calls[0].err, ERR_BAD_DATA);
}

static void
test_wrong_shapes_fail_as_a_whole(void **state)
{
	static const char *const bad[] = { "1", "null", "\"null\"", "true",
		"{}", "{\"data\":1}",
		"{\"command\":\"###!CR\",\"commands\":[]}", "{\"commands\":{}}",
		"{\"commands\":null}", "{\"commands\":\"x\"}",
		"{\"token\":5,\"commands\":[]}" };
	static const char *const no_json[] = { "", " ", "{", "[1,]", "[]]",
		"{\"command\":1,\"command\":1}",
		"{\"command\":1,\"c\\u006fmmand\":1}",
		"{\"token\":\"a\",\"commands\":[],\"token\":\"a\"}",
		"{\"data\":1,\"command\":\"###!SM\",\"data\":1}" };

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++) {
		assert_passed(envelope(bad[i]), ERR_BAD_DATA);
		assert_int_equal(asked->n_calls, 0);
	}
	for (size_t i = 0; i < N_OF(no_json); i++) {
		assert_passed(envelope(no_json[i]), ERR_BAD_JSON);
		assert_int_equal(asked->n_calls, 0);
	}
}

static void
test_elements_fail_alone(void **state)
{
	static const enum err errs[] = { ERR_BAD_DATA, ERR_BAD_DATA,
		ERR_BAD_DATA, ERR_BAD_DATA, ERR_UNKNOWN_COMMAND, ERR_BAD_JSON,
		ERR_BAD_JSON, ERR_BAD_DATA, ERR_NONE, ERR_NONE,
		ERR_UNKNOWN_COMMAND };

	(void)state;
	assert_calls("[1,{},[],{\"command\":5},{\"command\":\"###!XX\"},"
		     "{\"command\":\"###!CR\",\"command\":\"###!CR\"},"
		     "{\"command\":\"###!SM\",\"data\":1,\"d\\u0061ta\":1},"
		     "{\"command\":\"###!SM\",\"data\":null},"
		     "{\"command\":\"###!SM\",\"data\":7,\"token\":1,"
		     "\"token\":2},"
		     "{\"command\":\"\\u0023##!CR\"},"
		     "{\"command\":\"###!CR\\u0000\"}]",
	    11, true, false);
	for (size_t i = 0; i < N_OF(errs); i++) {
		assert_int_equal(asked->calls[i].err, errs[i]);
		assert_true(asked->calls[i].command || asked->calls[i].err);
	}
	/* Known commands are told apart even when their data is wrong. */
	assert_ptr_equal(asked->calls[7].command, &command_message);
	assert_null(asked->calls[4].command);
	assert_span(asked->calls[8].data.text, "7");
}

static void
test_a_single_envelope_fails_as_its_own_call(void **state)
{
	(void)state;
	assert_calls("{\"command\":\"###!XX\"}", 1, false, false);
	assert_int_equal(asked->calls[0].err, ERR_UNKNOWN_COMMAND);
	assert_calls("{\"command\":5}", 1, false, false);
	assert_int_equal(asked->calls[0].err, ERR_BAD_DATA);
	assert_calls("{\"command\":\"###!JR\",\"data\":5}", 1, false, false);
	assert_int_equal(asked->calls[0].err, ERR_BAD_DATA);
}

static void
test_an_unknown_code_of_any_length_is_an_unknown_command(void **state)
{
	char body[400] = "{\"command\":\"";

	(void)state;
	for (int i = 0; i < 300; i++)
		strcat(body, "x");
	strcat(body, "\"}");
	assert_calls(body, 1, false, false);
	assert_int_equal(asked->calls[0].err, ERR_UNKNOWN_COMMAND);
	assert_calls("{\"command\":\"\"}", 1, false, false);
	assert_int_equal(asked->calls[0].err, ERR_UNKNOWN_COMMAND);
}

static void
test_64_commands_are_taken_and_65_are_not(void **state)
{
	char body[65 * 32] = "[";
	const struct call *last;

	(void)state;
	for (int i = 0; i < 64; i++)
		strcat(body,
		    i ? ",{\"command\":\"###!CR\"}" :
			"{\"command\":\"###!CR\"}");
	strcat(body, "]");
	assert_calls(body, 64, true, false);
	last = &asked->calls[63];
	assert_ptr_equal(last->command, &command_create_room);
	body[strlen(body) - 1] = '\0';
	strcat(body, ",1]");
	assert_passed(envelope(body), ERR_BAD_DATA);
	assert_int_equal(asked->n_calls, 0);
}

static void
test_depth_is_counted_from_the_root_of_the_body(void **state)
{
	/* The array and the envelope are two of 32. */
	char body[160] = "[{\"command\":\"###!SM\",\"data\":";
	char deeper[200];

	(void)state;
	for (int i = 0; i < 30; i++)
		strcat(body, "[");
	snprintf(deeper, sizeof(deeper), "%s[", body);
	for (int i = 0; i < 30; i++) {
		strcat(body, "]");
		strcat(deeper, "]");
	}
	strcat(body, "}]");
	strcat(deeper, "]}]");
	assert_calls(body, 1, true, false);
	assert_passed(envelope(deeper), ERR_BAD_JSON);
}

static void
test_a_key_may_stand_in_the_body(void **state)
{
	(void)state;
	assert_calls("{\"commands\":[],\"key\":\"k\"}", 0, true, true);
	assert_true(asked->has_key);
	assert_span(asked->idempotency_key, "k");
	envelope("{\"commands\":[],\"key\":\"\\u006b\"}");
	assert_passed(asked, ERR_BAD_KEY);
	assert_false(asked->has_key);
	envelope("{\"commands\":[],\"key\":1}");
	assert_passed(asked, ERR_BAD_KEY);
}

static void
test_a_token_too_long_to_be_ours_is_none(void **state)
{
	char body[REQUEST_MAX_TOKEN + 64];

	(void)state;
	strcpy(body, "{\"commands\":[],\"token\":\"");
	for (int i = 0; i < REQUEST_MAX_TOKEN; i++)
		strcat(body, "a");
	strcat(body, "\"}");
	assert_passed(envelope(body), ERR_NONE);
	assert_true(asked->has_token);
	body[strlen(body) - 2] = '\0';
	strcat(body, "a\"}");
	assert_passed(envelope(body), ERR_NONE);
	assert_false(asked->has_token);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_command_has_its_code),
		TEST(test_an_array_or_a_cursor_shapes_the_answer),
		TEST(test_data_that_is_not_there_is_nothing),
		TEST(test_wrong_shapes_fail_as_a_whole),
		TEST(test_elements_fail_alone),
		TEST(test_a_single_envelope_fails_as_its_own_call),
		TEST(test_an_unknown_code_of_any_length_is_an_unknown_command),
		TEST(test_64_commands_are_taken_and_65_are_not),
		TEST(test_depth_is_counted_from_the_root_of_the_body),
		TEST(test_a_key_may_stand_in_the_body),
		TEST(test_a_token_too_long_to_be_ours_is_none),
	};

	return cmocka_run_group_tests_name("parse envelope", tests, NULL, NULL);
}
