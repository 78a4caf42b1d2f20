/* test_parse.c - routes, methods, headers, queries, and which error comes
 * first.  (Bodies: test_parse_body.c.) */
#include "tests/unit/parse_fixture.h"

static void
assert_token(const struct request *request, const char *token)
{
	uint8_t hash[DIGEST_SIZE];

	assert_true(request->has_token);
	digest_sha256(span_of(token), hash);
	assert_memory_equal(request->token_hash, hash, DIGEST_SIZE);
}

static void
test_every_route_takes_its_methods_and_no_other(void **state)
{
	static const struct {
		const char *path, *allow;
	} routes[] = {
		{ "/events", "GET, POST, OPTIONS" },
		{ "/command", "POST, OPTIONS" },
		{ "/candidate", "POST, OPTIONS" },
		{ "/offer", "POST, OPTIONS" },
		{ "/answer", "POST, OPTIONS" },
		{ "/message", "POST, OPTIONS" },
		{ "/register", "POST, OPTIONS" },
		{ "/create-room", "POST, OPTIONS" },
		{ "/join-room", "POST, OPTIONS" },
		{ "/seal-room", "POST, OPTIONS" },
		{ "/leave-room", "POST, OPTIONS" },
		{ "/unregister", "POST, OPTIONS" },
		{ "/room", "GET, OPTIONS" },
		{ "/healthz", "GET, HEAD, OPTIONS" },
		{ "/", "GET, HEAD, OPTIONS" },
	};
	static const struct {
		enum method method;
		const char *name;
	} methods[] = { { METHOD_GET, "GET" }, { METHOD_HEAD, "HEAD" },
		{ METHOD_POST, "POST" }, { METHOD_OTHER, "DELETE" } };

	(void)state;
	for (size_t r = 0; r < N_OF(routes); r++) {
		for (size_t m = 0; m < N_OF(methods); m++) {
			struct request *request = ask(
			    (struct question){ .method = methods[m].method,
				.target = routes[r].path });

			if (strstr(routes[r].allow, methods[m].name)) {
				assert_int_not_equal(
				    request->reply.status, 405);
				assert_null(request->reply.allow);
				continue;
			}
			assert_answered(request, ERR_METHOD_NOT_ALLOWED);
			assert_string_equal(
			    request->reply.allow, routes[r].allow);
		}
	}
}

static void
test_options_is_answered_everywhere(void **state)
{
	static const char *const targets[] = { "/events", "/", "/nothing", "*",
		"/%zz", "/register?after=1&after=2" };

	(void)state;
	for (size_t i = 0; i < N_OF(targets); i++) {
		struct request *request = ask((struct question){
		    .method = METHOD_OPTIONS, .target = targets[i] });

		assert_false(is_engines);
		assert_int_equal(request->reply.status, 204);
		assert_int_equal(request->reply.type, REPLY_EMPTY);
		assert_true(request->reply.is_preflight);
		assert_int_equal(request->reply.body.len, 0);
	}
}

static void
test_unknown_paths_are_not_found_by_any_method(void **state)
{
	static const char *const targets[] = { "/nothing", "/events/0",
		"/Events", "/ev/ents", "*", "/register/x", "/event" };

	(void)state;
	for (size_t i = 0; i < N_OF(targets); i++) {
		assert_answered(post(targets[i], "1"), ERR_NOT_FOUND);
		assert_answered(ask((struct question){ .target = targets[i] }),
		    ERR_NOT_FOUND);
		assert_true(body_has(asked, "###!ICB"));
	}
}

static void
test_everything_is_served_below_the_base_path_only(void **state)
{
	(void)state;
	ask_under("/signal", (struct question){ .target = "/signal/events" });
	assert_passed(asked, ERR_NONE);
	assert_int_equal(asked->route->kind, ROUTE_EVENTS);
	assert_answered(
	    ask_under("/signal", (struct question){ .target = "/events" }),
	    ERR_NOT_FOUND);
	ask_under("/signal", (struct question){ .target = "/signal" });
	assert_int_equal(asked->reply.status, 200);
	assert_int_equal(asked->reply.type, REPLY_HTML);
}

static void
test_the_page_is_answered_without_the_engine(void **state)
{
	(void)state;
	ask((struct question){ .target = "/" });
	assert_false(is_engines);
	assert_int_equal(asked->reply.status, 200);
	assert_int_equal(asked->reply.type, REPLY_HTML);
	assert_true(body_has(asked, "Peerpost"));
}

static void
test_a_failure_carries_the_code_of_its_route(void **state)
{
	(void)state;
	ask((struct question){ .target = "/register" });
	assert_true(body_has(asked, "{\"command\":\"###!RPB\""));
	ask((struct question){ .target = "/join-room" });
	assert_true(body_has(asked, "{\"command\":\"###!JRB\""));
	ask((struct question){ .target = "/offer" });
	assert_true(body_has(asked, "{\"command\":\"###!ICB\""));
	ask((struct question){ .target = "/command" });
	assert_true(body_has(asked, "{\"command\":\"###!ICB\""));
}

static void
test_errors_come_in_the_documented_order(void **state)
{
	struct question q = { .method = METHOD_GET,
		.target = "/nothing",
		.key = "bad\x7fkey",
		.is_too_large = true,
		.body = "not JSON" };

	(void)state;
	assert_answered(ask(q), ERR_NOT_FOUND);
	q.target = "/join-room";
	assert_answered(ask(q), ERR_METHOD_NOT_ALLOWED);
	q.method = METHOD_POST;
	assert_answered(ask(q), ERR_TOO_LARGE);
	q.is_too_large = false;
	assert_answered(ask(q), ERR_BAD_KEY);
	q.key = NULL;
	/* The rest is told after the session has been looked at. */
	assert_passed(ask(q), ERR_BAD_JSON);
	q.body = "17";
	assert_passed(ask(q), ERR_BAD_DATA);
	q.body = "\"" UUID "\"";
	assert_passed(ask(q), ERR_NONE);
}

static void
test_malformed_targets_are_bad_requests(void **state)
{
	static const char *const targets[] = { "/%zz", "/%00", "events", "",
		"/events?after=%", "/events?x=%0", "/events?%00=1",
		"/register?x=%zz" };

	(void)state;
	for (size_t i = 0; i < N_OF(targets); i++)
		assert_answered(
		    ask((struct question){
			.method = strstr(targets[i], "register") ? METHOD_POST :
								   METHOD_GET,
			.target = targets[i] }),
		    ERR_BAD_REQUEST);
}

static void
test_a_query_member_that_we_know_may_come_once(void **state)
{
	static const char *const bad[] = { "/events?after=1&after=1",
		"/events?wait=1&after=1&wait=2", "/events?max=1&x=2&max=",
		"/events?access_token=a&access_token=b" };

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++)
		assert_answered(ask((struct question){ .target = bad[i] }),
		    ERR_BAD_REQUEST);
	ask((struct question){ .target = "/events?_=1&_=2&After=x&AFTER=y" });
	assert_passed(asked, ERR_NONE);
	assert_false(asked->poll.has_after);
}

static void
test_poll_numbers_are_integers_up_to_2_53_less_1(void **state)
{
	static const char *const bad[] = { "", "-1", "1.5", "1e-3", "+1",
		"%201", "x", "NaN", "1.0abc", "1.", ".5", "1e", "1e999999999",
		"9007199254740992.0", "0x1", "9007199254740992",
		"18446744073709551616",
		"00000000000000000000000000009007199254740992" };
	static const char *const names[] = { "after", "wait", "max" };
	char target[160];

	(void)state;
	for (size_t n = 0; n < N_OF(names); n++) {
		for (size_t i = 0; i < N_OF(bad); i++) {
			snprintf(target, sizeof(target), "/events?%s=%s",
			    names[n], bad[i]);
			assert_passed(
			    ask((struct question){ .target = target }),
			    ERR_BAD_CURSOR);
		}
	}
	ask((struct question){
	    .target = "/events?max=0.0&after=9007199254740991.0&wait=%31e0" });
	assert_passed(asked, ERR_NONE);
	assert_true(asked->poll.has_after && asked->poll.has_wait &&
	    asked->poll.has_max);
	assert_int_equal(asked->poll.after, 9007199254740991);
	assert_int_equal(asked->poll.wait_s, 1);
	assert_int_equal(asked->poll.max, 0);
	ask((struct question){ .target = "/events" });
	assert_false(asked->poll.has_after || asked->poll.has_wait ||
	    asked->poll.has_max);
}

static void
test_poll_numbers_mean_nothing_on_other_routes(void **state)
{
	(void)state;
	assert_passed(
	    post("/create-room?after=x&wait=y&max=z", NULL), ERR_NONE);
	assert_passed(
	    ask((struct question){ .target = "/room?after=-1" }), ERR_NONE);
}

static void
test_last_event_id_wins_over_query_and_body(void **state)
{
	struct question q = { .target = "/events?after=5",
		.last_event_id = "7" };

	(void)state;
	assert_passed(ask(q), ERR_NONE);
	assert_int_equal(asked->poll.after, 7);
	q.method = METHOD_POST;
	q.body = "{\"after\":6}";
	assert_passed(ask(q), ERR_NONE);
	assert_int_equal(asked->poll.after, 7);
	q.last_event_id = NULL;
	assert_passed(ask(q), ERR_NONE);
	assert_int_equal(asked->poll.after, 6);
	q.body = NULL;
	assert_passed(ask(q), ERR_NONE);
	assert_int_equal(asked->poll.after, 5);
	q.last_event_id = "7x";
	assert_passed(ask(q), ERR_BAD_CURSOR);
	assert_string_equal(asked->why,
	    "Last-Event-ID is '7x': it must be a whole number from 0 to "
	    "9007199254740991.");
	q.last_event_id = "70e-1";
	assert_passed(ask(q), ERR_NONE);
	assert_int_equal(asked->poll.after, 7);
	q.last_event_id = "";
	assert_passed(ask(q), ERR_NONE);
	assert_int_equal(asked->poll.after, 5);
}

static void
test_what_is_wrong_first_is_explained(void **state)
{
	struct question q = { .method = METHOD_POST,
		.target = "/events?max=-1&after=x",
		.last_event_id = "y",
		.body = "{\"wait\":true}" };

	(void)state;
	assert_passed(ask(q), ERR_BAD_CURSOR);
	assert_string_equal(asked->why,
	    "max in the query is '-1': it must be a whole number from 0 to "
	    "9007199254740991.");
	q.target = "/events";
	assert_passed(ask(q), ERR_BAD_CURSOR);
	assert_string_equal(asked->why,
	    "wait is true: it must be a whole number from 0 to "
	    "9007199254740991.");
	/* What is not explained is not explained by what comes after it. */
	q.body = "{";
	assert_passed(ask(q), ERR_BAD_JSON);
	assert_null(asked->why);
}

static void
test_a_coded_body_is_refused(void **state)
{
	static const char *const bad[] = { "gzip", "GZIP", "identity, br", "x",
		"deflate,identity", ",gzip", "identity;q=1" };
	static const char *const good[] = { "", " ", "identity", "Identity",
		"identity,identity", ", identity ," };
	struct question q = { .method = METHOD_POST, .target = "/create-room" };

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++) {
		q.content_encoding = bad[i];
		assert_answered(ask(q), ERR_UNSUPPORTED_ENCODING);
	}
	for (size_t i = 0; i < N_OF(good); i++) {
		q.content_encoding = good[i];
		assert_passed(ask(q), ERR_NONE);
	}
	/* Of a GET there is no body to be read. */
	q = (struct question){ .target = "/events",
		.content_encoding = "gzip" };
	assert_passed(ask(q), ERR_NONE);
}

static void
test_a_bearer_token_is_taken_from_its_header(void **state)
{
	static const char *const good[] = { "Bearer abc", "bearer abc",
		"BEARER   abc  ", "Bearer \tabc" };
	static const char *const bad[] = { "Bearer", "Bearer ", "Bearer   ",
		"Basic abc", "abc", "", "Bearerabc" };

	(void)state;
	for (size_t i = 0; i < N_OF(good); i++) {
		ask((struct question){
		    .target = "/room", .authorization = good[i] });
		assert_token(asked, "abc");
	}
	for (size_t i = 0; i < N_OF(bad); i++) {
		ask((struct question){
		    .target = "/room", .authorization = bad[i] });
		assert_passed(asked, ERR_NONE);
		assert_false(asked->has_token);
	}
}

static void
test_the_header_wins_over_the_body_and_that_over_the_query(void **state)
{
	static const char *const targets[] = { "/events?access_token=query",
		"/command?access_token=query" };

	(void)state;
	for (size_t i = 0; i < N_OF(targets); i++) {
		struct question q = { .method = METHOD_POST,
			.target = targets[i],
			.authorization = "Bearer head",
			.body = "{\"token\":\"body\",\"commands\":[]}" };

		assert_token(ask(q), "head");
		q.authorization = "Basic head";
		assert_token(ask(q), "body");
		q.body = "{\"token\":\"\",\"commands\":[]}";
		assert_token(ask(q), "query");
		q.body = "{\"commands\":[]}";
		assert_token(ask(q), "query");
		q.authorization = "Bearer head";
		assert_token(ask(q), "head");
	}
	/* A body member of another route is nothing of ours. */
	post("/message?access_token=query", "{\"token\":\"body\"}");
	assert_token(asked, "query");
}

static void
test_the_token_is_found_behind_a_bad_number(void **state)
{
	(void)state;
	ask((struct question){ .target = "/events?after=x&access_token=abc" });
	assert_passed(asked, ERR_BAD_CURSOR);
	assert_token(asked, "abc");
	post("/events", "{\"after\":\"x\",\"token\":\"abc\"}");
	assert_passed(asked, ERR_BAD_CURSOR);
	assert_token(asked, "abc");
}

static void
test_a_key_is_1_to_64_printable_characters(void **state)
{
	char key[66];
	static const char *const bad[] = { "", "a\tb", "a\x1f", "\x7f",
		"caf\xc3\xa9" };

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++)
		assert_answered(ask((struct question){ .method = METHOD_POST,
				    .target = "/create-room",
				    .key = bad[i] }),
		    ERR_BAD_KEY);
	memset(key, '~', sizeof(key));
	key[65] = '\0';
	assert_answered(ask((struct question){ .method = METHOD_POST,
			    .target = "/command",
			    .key = key,
			    .body = "[]" }),
	    ERR_BAD_KEY);
	key[64] = '\0';
	ask((struct question){ .method = METHOD_POST,
	    .target = "/command",
	    .key = key,
	    .body = "[]" });
	assert_passed(asked, ERR_NONE);
	assert_true(asked->has_key);
}

static void
test_a_key_is_ignored_where_nothing_is_commanded(void **state)
{
	static const char *const targets[] = { "/events", "/room", "/healthz" };

	(void)state;
	for (size_t i = 0; i < N_OF(targets); i++) {
		ask((struct question){ .target = targets[i], .key = "\x01" });
		assert_passed(asked, ERR_NONE);
		assert_false(asked->has_key);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_every_route_takes_its_methods_and_no_other),
		TEST(test_options_is_answered_everywhere),
		TEST(test_unknown_paths_are_not_found_by_any_method),
		TEST(test_everything_is_served_below_the_base_path_only),
		TEST(test_the_page_is_answered_without_the_engine),
		TEST(test_a_failure_carries_the_code_of_its_route),
		TEST(test_errors_come_in_the_documented_order),
		TEST(test_malformed_targets_are_bad_requests),
		TEST(test_a_query_member_that_we_know_may_come_once),
		TEST(test_poll_numbers_are_integers_up_to_2_53_less_1),
		TEST(test_poll_numbers_mean_nothing_on_other_routes),
		TEST(test_last_event_id_wins_over_query_and_body),
		TEST(test_what_is_wrong_first_is_explained),
		TEST(test_a_coded_body_is_refused),
		TEST(test_a_bearer_token_is_taken_from_its_header),
		TEST(
		    test_the_header_wins_over_the_body_and_that_over_the_query),
		TEST(test_the_token_is_found_behind_a_bad_number),
		TEST(test_a_key_is_1_to_64_printable_characters),
		TEST(test_a_key_is_ignored_where_nothing_is_commanded),
	};

	return cmocka_run_group_tests_name("parse", tests, NULL, NULL);
}
