/* test_parse_body.c - every form of body that a command may come in. */
#include "tests/unit/parse_fixture.h"

/* 32 arrays in one another. */
#define DEEP \
	"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[" \
	"]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]"

static struct request *
post_text(const char *target, const char *body)
{
	return ask((struct question){ .method = METHOD_POST,
	    .target = target,
	    .body = body,
	    .is_text_plain = true });
}

static void
assert_name(const struct request *request, const char *name)
{
	assert_passed(request, ERR_NONE);
	assert_int_equal(request->n_calls, 1);
	assert_ptr_equal(request->calls[0].command, &command_register);
	assert_int_equal(request->calls[0].err, ERR_NONE);
	assert_string_equal(request->calls[0].args.name, name);
}

static void
test_a_name_is_a_json_string(void **state)
{
	(void)state;
	assert_name(post("/register", "\"Ann\""), "Ann");
	assert_name(post("/register", " \"Ann\"\r\n"), "Ann");
	assert_name(post("/register", "\" \\\"\\\\\\/\\u00e9\\ud83d\\ude00\""),
	    " \"\\/\xc3\xa9\xf0\x9f\x98\x80");
	assert_name(post_text("/register", "\"Ann\""), "Ann");
}

static void
test_a_plain_text_name_is_taken_as_it_is(void **state)
{
	(void)state;
	assert_name(post_text("/register", "Ann"), "Ann");
	assert_name(post_text("/register", "17"), "17");
	assert_name(post_text("/register", " Ann \\u0041"), " Ann \\u0041");
	assert_passed(post_text("/register", "Ann\n"), ERR_BAD_NAME);
	assert_passed(post_text("/register", NULL), ERR_BAD_NAME);
	assert_passed(post_text("/register", "\"Ann"), ERR_BAD_JSON);
	assert_passed(post_text("/register", "A\xff"), ERR_BAD_NAME);
	assert_passed(post("/register", "Ann"), ERR_BAD_JSON);
}

static void
test_what_is_no_name_is_refused(void **state)
{
	static const char *const bad[] = { "\"\"", "17", "null", "true",
		"[\"Ann\"]", "{}", "\"a\\u0000b\"", "\"\\n\"", "\"\\u007f\"",
		"\"\\u0085\"" };
	static const char *const no_json[] = { "", " ", "\"Ann", "'Ann'",
		"\"Ann\" 1", "\"\\ud800\"", "\"\xff\"", "\"A\nn\"" };

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++)
		assert_passed(post("/register", bad[i]), ERR_BAD_NAME);
	for (size_t i = 0; i < N_OF(no_json); i++)
		assert_passed(post("/register", no_json[i]), ERR_BAD_JSON);
}

static void
test_a_name_has_64_code_points_at_most(void **state)
{
	char json[65 * 12 + 3], plain[65 * 4 + 1];

	(void)state;
	for (int n = 64; n <= 65; n++) {
		strcpy(json, "\"");
		plain[0] = '\0';
		for (int i = 0; i < n; i++) {
			strcat(json, "\\ud83d\\ude00");
			strcat(plain, "\xf0\x9f\x98\x80");
		}
		strcat(json, "\"");
		if (n == 64) {
			assert_name(post("/register", json), plain);
			assert_name(post_text("/register", plain), plain);
		} else {
			assert_passed(post("/register", json), ERR_BAD_NAME);
			assert_passed(
			    post_text("/register", plain), ERR_BAD_NAME);
		}
	}
}

static void
test_a_room_is_named_by_a_uuid_bare_or_not_in_any_case(void **state)
{
	static const char *const good[] = { "\"" UUID "\"", UUID, UUID "\n",
		" \"" UUID "\" ", "0F1E2D3C-4B5A-4978-8796-A5B4C3D2E1F0",
		"\"\\u0030f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0\"" };
	static const char *const bad[] = { "\"\"", "\"x\"", "17", "null", "{}",
		"[\"" UUID "\"]", "\" " UUID "\"", "\"{" UUID "}\"",
		"\"" UUID "\\u0000\"" };
	static const char *const no_json[] = { "", UUID "0", "x" UUID,
		"\"" UUID, "{" UUID "}" };

	(void)state;
	for (size_t i = 0; i < N_OF(good); i++) {
		assert_passed(post("/join-room", good[i]), ERR_NONE);
		assert_string_equal(asked->calls[0].args.uuid, UUID);
		post_text("/join-room", good[i]);
		assert_passed(asked, ERR_NONE);
		assert_string_equal(asked->calls[0].args.uuid, UUID);
	}
	for (size_t i = 0; i < N_OF(bad); i++)
		assert_passed(post("/join-room", bad[i]), ERR_BAD_DATA);
	for (size_t i = 0; i < N_OF(no_json); i++)
		assert_passed(post("/join-room", no_json[i]), ERR_BAD_JSON);
}

static void
test_commands_that_take_nothing_take_nothing(void **state)
{
	static const char *const targets[] = { "/create-room", "/seal-room",
		"/leave-room", "/unregister" };
	static const char *const good[] = { NULL, "", " \t\r\n", "null",
		" null ", "\"null\"", "\n\"null\"\n" };
	static const char *const bad[] = { "0", "false", "\"\"", "{}", "[]",
		"\"Null\"", "[null]" };

	(void)state;
	for (size_t t = 0; t < N_OF(targets); t++) {
		for (size_t i = 0; i < N_OF(good); i++)
			assert_passed(post(targets[t], good[i]), ERR_NONE);
		for (size_t i = 0; i < N_OF(bad); i++)
			assert_passed(post(targets[t], bad[i]), ERR_BAD_DATA);
		assert_passed(post(targets[t], "nul"), ERR_BAD_JSON);
		assert_passed(post(targets[t], "null null"), ERR_BAD_JSON);
	}
}

static void
test_a_message_is_any_json_but_null_verbatim(void **state)
{
	static const char *const good[] = { "0", "-0.00e+5", "\"\"",
		"{\"a\" : 1, \"a\":2}", "[ ]", "false",
		"123456789012345678901234567890", "\"null\"", DEEP };

	(void)state;
	for (size_t i = 0; i < N_OF(good); i++) {
		assert_passed(post("/message", good[i]), ERR_NONE);
		assert_span(asked->calls[0].data.text, good[i]);
	}
	post("/message", "\t[1 , 2]\n");
	assert_span(asked->calls[0].data.text, "[1 , 2]");
	assert_passed(post("/message", "null"), ERR_BAD_DATA);
	assert_passed(post("/message", ""), ERR_BAD_JSON);
	assert_passed(post("/message", "NaN"), ERR_BAD_JSON);
	assert_passed(post("/message", "[" DEEP "]"), ERR_BAD_JSON);
	ask((struct question){ .method = METHOD_POST,
	    .target = "/message",
	    .body = "1\0",
	    .body_len = 2 });
	assert_passed(asked, ERR_BAD_JSON);
}

static void
test_the_id_of_a_relay_is_found_and_read(void **state)
{
	static const struct {
		const char *body, *id;
		uint32_t peer;
	} good[] = {
		{ "{\"id\":1}", "1", 1 },
		{ "{\"id\":2147483647,\"rtc\":{}}", "2147483647", INT32_MAX },
		{ "{\"rtc\":{\"id\":5}, \"id\" : \"17\" }", "\"17\"", 17 },
		{ "{\"\\u0069d\":17}", "17", 17 },
		{ "{\"id\":\"\\u0031\"}", "\"\\u0031\"", 1 },
		{ "{\"Id\":3,\"id\":4,\"ID\":5}", "4", 4 },
		{ "{\"id\":\"007\"}", "\"007\"", 7 },
		/* Integers that nobody has. */
		{ "{\"id\":-1}", "-1", 0 },
		{ "{\"id\":-0}", "-0", 0 },
		{ "{\"id\":0}", "0", 0 },
		{ "{\"id\":2147483648}", "2147483648", 0 },
		{ "{\"id\":9007199254740991}", "9007199254740991", 0 },
		{ "{\"id\":-1.0}", "-1.0", 0 },
		/* As Godot 4.4 writes them, and others might. */
		{ "{\"id\":17.0}", "17.0", 17 },
		{ "{\"id\":\"17.0\",\"rtc\":1.0}", "\"17.0\"", 17 },
		{ "{\"id\":1e0}", "1e0", 1 },
		{ "{\"id\":1.7E+1}", "1.7E+1", 17 },
		{ "{\"id\":\"170e-1\"}", "\"170e-1\"", 17 },
	};
	static const char *const targets[] = { "/offer", "/answer",
		"/candidate" };

	(void)state;
	for (size_t i = 0; i < N_OF(good); i++) {
		const struct call *call;

		assert_passed(post(targets[i % 3], good[i].body), ERR_NONE);
		call = &asked->calls[0];
		assert_int_equal(call->args.relay.peer, good[i].peer);
		assert_span(call->args.relay.id, good[i].id);
		assert_span(call->data.text, good[i].body);
		assert_true(call->args.relay.id.at > call->data.text.at);
	}
}

static void
test_a_relay_without_an_integer_id_is_refused(void **state)
{
	static const char *const bad[] = { "{}", "[]", "1", "\"id\"", "null",
		"{\"rtc\":1}", "{\"id\":1.5}", "{\"id\":1e-3}", "{\"id\":true}",
		"{\"id\":9007199254740992}", "{\"id\":1e999999999}",
		"{\"id\":-1.5}", "{\"id\":\"NaN\"}", "{\"id\":\"1.0abc\"}",
		"{\"id\":\"99999999999999999999\"}", "{\"id\":null}",
		"{\"id\":[1]}", "{\"id\":{}}", "{\"id\":\"\"}",
		"{\"id\":\"x\"}", "{\"id\":\"-5\"}", "{\"id\":\" 5\"}",
		"{\"id\":\"5.\"}", "{\"id\":\"5\\u0000\"}", "[{\"id\":1}]" };
	static const char *const no_json[] = { "", "{\"id\":1,\"id\":1}",
		"{\"id\":1,\"\\u0069\\u0064\":2}", "{\"id\":01}", "{\"id\":1,}",
		"{id:1}" };

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++)
		assert_passed(post("/offer", bad[i]), ERR_BAD_DATA);
	for (size_t i = 0; i < N_OF(no_json); i++)
		assert_passed(post("/offer", no_json[i]), ERR_BAD_JSON);
}

static void
test_what_makes_two_keyed_requests_the_same(void **state)
{
	static const struct {
		const char *target, *a, *b;
		bool same;
	} pairs[] = {
		{ "/message", "1", " 1\n", true },
		{ "/message", "1", "2", false },
		{ "/message", "1", "1.0", false },
		{ "/command", "[]", "[1]", false },
		{ "/command", "{\"commands\":[1]}",
		    "{\"token\":\"x\",\"after\":5,\"max\":1,\"commands\":[1]}",
		    true },
		{ "/command", "{\"commands\":[1]}", "{\"commands\":[1,1]}",
		    false },
		{ "/command", "{\"command\":\"a\",\"data\":1}",
		    "{\"data\":1,\"after\":7,\"command\":\"a\"}", true },
		{ "/command", "{\"command\":\"a\",\"data\":1}",
		    "{\"command\":\"a\",\"data\":2}", false },
		{ "/command", "{\"command\":\"a\",\"data\":1}",
		    "{\"command\":\"b\",\"data\":1}", false },
		{ "/command", "{\"command\":\"a\"}",
		    "{\"command\":\"a\",\"data\":null}", false },
	};
	uint8_t hash[DIGEST_SIZE];

	(void)state;
	for (size_t i = 0; i < N_OF(pairs); i++) {
		struct question q = { .method = METHOD_POST,
			.target = pairs[i].target,
			.key = "k",
			.body = pairs[i].a };
		bool same;

		memcpy(hash, ask(q)->request_hash, DIGEST_SIZE);
		q.body = pairs[i].b;
		same = memcmp(hash, ask(q)->request_hash, DIGEST_SIZE) == 0;
		if (same != pairs[i].same)
			fail_msg("%s and %s", pairs[i].a, pairs[i].b);
	}
	/* The path counts, the query does not. */
	memcpy(hash,
	    ask((struct question){ .method = METHOD_POST,
		    .target = "/create-room",
		    .key = "k" })
		->request_hash,
	    DIGEST_SIZE);
	ask((struct question){
	    .method = METHOD_POST, .target = "/create-room?_=1", .key = "k" });
	assert_memory_equal(asked->request_hash, hash, DIGEST_SIZE);
	ask((struct question){
	    .method = METHOD_POST, .target = "/seal-room", .key = "k" });
	assert_memory_not_equal(asked->request_hash, hash, DIGEST_SIZE);
}

static void
test_a_poll_takes_nothing_or_an_object(void **state)
{
	static const char *const nothing[] = { NULL, "", "  ", "null",
		"\"null\"", "{}", "{\"x\":1,\"x\":2}" };
	static const char *const bad[] = { "[]", "1", "\"x\"", "true",
		"{\"token\":1}", "{\"token\":null}" };

	(void)state;
	for (size_t i = 0; i < N_OF(nothing); i++) {
		assert_passed(post("/events", nothing[i]), ERR_NONE);
		assert_false(asked->poll.has_after || asked->has_token);
	}
	for (size_t i = 0; i < N_OF(bad); i++)
		assert_passed(post("/events", bad[i]), ERR_BAD_DATA);
	assert_passed(post("/events", "{"), ERR_BAD_JSON);
	assert_passed(
	    post("/events", "{\"after\":1,\"after\":1}"), ERR_BAD_JSON);
	assert_passed(
	    post("/events", "{\"max\":1,\"m\\u0061x\":1}"), ERR_BAD_JSON);
	post(
	    "/events?wait=9&max=9", "{\"after\":3,\"wait\":0,\"token\":\"t\"}");
	assert_passed(asked, ERR_NONE);
	assert_int_equal(asked->poll.after, 3);
	assert_int_equal(asked->poll.wait_s, 0);
	assert_int_equal(asked->poll.max, 9);
	assert_true(asked->has_token);
}

static void
test_poll_numbers_in_a_body_are_json_integers(void **state)
{
	static const char *const bad[] = { "-1", "1.5", "1e-1", "\"1\"", "null",
		"true", "1e999999999", "[1]", "9007199254740992" };
	char body[64];

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++) {
		snprintf(body, sizeof(body), "{\"wait\":%s}", bad[i]);
		assert_passed(post("/events", body), ERR_BAD_CURSOR);
		snprintf(body, sizeof(body), "{\"commands\":[],\"after\":%s}",
		    bad[i]);
		assert_passed(post("/command", body), ERR_BAD_CURSOR);
	}
}

static void
test_poll_numbers_may_be_written_as_fractions(void **state)
{
	(void)state;
	assert_passed(
	    post("/events", "{\"after\":3.0,\"wait\":0.0,\"max\":5e1}"),
	    ERR_NONE);
	assert_int_equal(asked->poll.after, 3);
	assert_int_equal(asked->poll.wait_s, 0);
	assert_int_equal(asked->poll.max, 50);
	assert_passed(
	    post("/command", "{\"commands\":[],\"after\":30e-1}"), ERR_NONE);
	assert_int_equal(asked->poll.after, 3);
}

/* The sentence of what the request, or its only command, has failed with. */
static const char *
why(const struct request *request)
{
	return request->why ? request->why :
	    request->calls  ? request->calls[0].why :
			      NULL;
}

static void
test_what_is_wrong_is_named_with_what_it_was_and_must_be(void **state)
{
#define NOTHING "must be null, the string 'null', or left out."
#define NAME \
	"must be a string of 1 to 64 characters, without control characters."
	static const struct {
		const char *target, *body, *why;
	} rows[] = {
		{ "/create-room", "1", "The body is 1: it " NOTHING },
		{ "/command", "{\"command\":\"###!CR\",\"data\":[1]}",
		    "data is an array: it " NOTHING },
		{ "/message", "null",
		    "The body is null: it must be the message, any JSON "
		    "value except null." },
		{ "/command", "{\"command\":\"###!SM\"}",
		    "data is missing: it must be the message, any JSON "
		    "value except null." },
		{ "/join-room", "\"x\"",
		    "The body is the string 'x': it must be the UUID of a room." },
		{ "/join-room", "\"0123456789012345678901234567890123456789\"",
		    "The body is the string "
		    "'01234567890123456789012345678901...': it must be the UUID of a room." },
		{ "/offer", "[]",
		    "The body is an array: it must be an object with the "
		    "integer member id." },
		{ "/offer", "{}",
		    "id is missing: it must be a peer id, a whole number from "
		    "1 to 2147483647." },
		{ "/answer", "{\"id\":1.5}",
		    "id is 1.5: it must be a peer id, a whole number from 1 "
		    "to 2147483647." },
		{ "/candidate", "{\"id\":\"\xc3\xa9\xc2\x85\"}",
		    "id is the string '\xc3\xa9?': it must be a peer id, a whole number "
		    "from 1 to 2147483647." },
		{ "/offer", "{\"id\":1,\"\\u0069d\":2}",
		    "id appears twice: it must appear once." },
		{ "/register", "17", "The name is 17: it " NAME },
		{ "/register", "\"\"", "The name has no characters: it " NAME },
		{ "/register", "\"a\\nb\"",
		    "The name has the control character U+000A: it " NAME },
		{ "/register",
		    "\"01234567890123456789012345678901234567890123456789"
		    "012345678901234\"",
		    "The name has more than 64 characters: it " NAME },
		{ "/register", "\"M\xfcller\"",
		    "Byte 3 of the body is 0xfc, which is not UTF-8: send "
		    "it as UTF-8, not as Latin-1 or UTF-16." },
		{ "/events", "[]",
		    "The body is an array: it must be an object, null, the "
		    "string 'null', or left out." },
		{ "/events", "{\"token\":4711}",
		    "token is a number: it must be the string that register "
		    "returned." },
		{ "/events", "{\"max\":1,\"max\":1}",
		    "max appears twice: it must appear once." },
		{ "/events", "{\"after\":{}}",
		    "after is an object: it must be a whole number from 0 to "
		    "9007199254740991." },
		{ "/command", "7",
		    "The body is 7: it must be an object with the member "
		    "command or commands, or an array of commands." },
		{ "/command", "{}",
		    "The body has neither command nor commands: it must have "
		    "one of them." },
		{ "/command", "{\"command\":1,\"commands\":[]}",
		    "The body has both command and commands: it must have one "
		    "of them." },
		{ "/command", "{\"commands\":1}",
		    "commands is 1: it must be an array of commands." },
		{ "/command", "{\"command\":1}",
		    "command is 1: it must be a string with the code of a "
		    "command." },
		{ "/command", "[[]]",
		    "The element is an array: it must be an object with the "
		    "member command." },
		{ "/command", "[{}]",
		    "command is missing: it must be a string with the code "
		    "of a command." },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		post(rows[i].target, rows[i].body);
		assert_non_null(why(asked));
		assert_string_equal(why(asked), rows[i].why);
	}
	post_text("/register", "\xff");
	assert_string_equal(why(asked),
	    "Byte 1 of the name is 0xff, which is not UTF-8: send it as "
	    "UTF-8, not as Latin-1 or UTF-16.");
}

static void
test_a_byte_order_mark_is_skipped(void **state)
{
#define MARK "\xef\xbb\xbf"
	(void)state;
	assert_name(post("/register", MARK "\"Ann\""), "Ann");
	assert_name(post_text("/register", MARK "Ann"), "Ann");
	assert_name(post_text("/register", MARK "\"Ann\""), "Ann");
	assert_passed(post("/create-room", MARK), ERR_NONE);
	assert_passed(post("/create-room", MARK " null"), ERR_NONE);
	assert_passed(post("/join-room", MARK UUID), ERR_NONE);
	assert_passed(post("/offer", MARK "{\"id\":1}"), ERR_NONE);
	assert_passed(post("/command", MARK "[]"), ERR_NONE);
	assert_passed(post("/events", MARK "{\"after\":1}"), ERR_NONE);
	assert_int_equal(asked->poll.after, 1);
	assert_passed(post("/events", MARK), ERR_NONE);
	/* One, and in front of everything else. */
	assert_passed(post("/create-room", MARK MARK), ERR_BAD_JSON);
	assert_passed(post("/create-room", " " MARK), ERR_BAD_JSON);
	assert_passed(post("/create-room", "\xef\xbb"), ERR_BAD_JSON);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_name_is_a_json_string),
		TEST(test_a_plain_text_name_is_taken_as_it_is),
		TEST(test_what_is_no_name_is_refused),
		TEST(test_a_name_has_64_code_points_at_most),
		TEST(test_a_room_is_named_by_a_uuid_bare_or_not_in_any_case),
		TEST(test_commands_that_take_nothing_take_nothing),
		TEST(test_a_message_is_any_json_but_null_verbatim),
		TEST(test_the_id_of_a_relay_is_found_and_read),
		TEST(test_a_relay_without_an_integer_id_is_refused),
		TEST(test_what_makes_two_keyed_requests_the_same),
		TEST(test_a_poll_takes_nothing_or_an_object),
		TEST(test_poll_numbers_in_a_body_are_json_integers),
		TEST(test_poll_numbers_may_be_written_as_fractions),
		TEST(test_what_is_wrong_is_named_with_what_it_was_and_must_be),
		TEST(test_a_byte_order_mark_is_skipped),
	};

	return cmocka_run_group_tests_name("parse body", tests, NULL, NULL);
}
