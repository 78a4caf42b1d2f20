/* test_parse_cost.c - what the worst body costs, compared with a plain one.
 *
 * A body is parsed on a loop thread, which serves others as well: no body may
 * cost many times what one of its size usually does.  Each case is a text that
 * is repeated until it fills 64 KiB, and the yardstick is the same with plain
 * members.  What is compared is processor time for each byte, of the best of
 * several rounds that take turns; so a busy machine makes both slower, or none.
 */
#include "tests/unit/parse_fixture.h"

#include <time.h>

#define N_ROUNDS 5
#define MAX_RATIO 8
#define BODY_SIZE 65536

/* A body: head, then a piece as often as it fits, then tail. */
struct shape {
	const char *head, *piece, *tail;
};

static char body[BODY_SIZE + 1];

static size_t
build(struct shape shape)
{
	size_t len = strlen(shape.head), n = strlen(shape.piece);

	memcpy(body, shape.head, len);
	while (len + n + strlen(shape.tail) <= BODY_SIZE) {
		memcpy(body + len, shape.piece, n);
		len += n;
	}
	memcpy(body + len, shape.tail, strlen(shape.tail));
	return len + strlen(shape.tail);
}

/* Processor time of parsing it, in nanoseconds for each byte. */
static double
measure(const char *target, struct shape shape)
{
	size_t len = build(shape);
	struct timespec from, to;

	forget_request(NULL);
	asked = question_request((struct question){ .method = METHOD_POST,
	    .target = target,
	    .body = body,
	    .body_len = len,
	    .authorization = "Bearer 0123456789012345678901" });
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &from);
	is_engines = request_parse(asked, "");
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &to);
	/* It has been looked at to its end: not refused as no JSON. */
	for (size_t i = 0; i < asked->n_calls; i++)
		assert_int_not_equal(asked->calls[i].err, ERR_BAD_JSON);
	assert_int_not_equal(asked->err, ERR_BAD_JSON);
	return ((double)(to.tv_sec - from.tv_sec) * 1e9 +
		   (double)(to.tv_nsec - from.tv_nsec)) /
	    (double)len;
}

static double
least(double a, double b)
{
	return a < b ? a : b;
}

static void
assert_cheap(const char *target, struct shape plain, struct shape shape)
{
	double yardstick = 1e9, cost = 1e9;

	for (int i = 0; i < N_ROUNDS; i++) {
		yardstick = least(yardstick, measure(target, plain));
		cost = least(cost, measure(target, shape));
	}
	if (cost > MAX_RATIO * yardstick)
		fail_msg("%.1f ns a byte, %.1f times as much as plain: %s "
			 "%s%.40s",
		    cost, cost / yardstick, target, shape.head, shape.piece);
}

/* Members with keys and values that are not plain. */
static const char *const members[] = {
	"\"\":0,",
	"\"\\n\":1,",
	"\"\\\"\":1,",
	"\"\\\\\":1,",
	"\"\\u0061\":1,",
	"\"\\u0000\":1,",
	"\"\\u0069\\u0064\\n\":1,",
	"\"\\ud83d\\ude00\":1,",
	"\"\xc3\xa9\":1,",
	"\"\\u0063\\u006f\\u006d\\u006d\\u0061\\u006e\\u0064\\u007a\":1,",
	"\"commandz\":1,",
	"\"\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\":1,",
	"\"a\":\"\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\\n\",",
	"\"a\":\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\\\"\",",
	"\"a\":\"\\u0061\\u0061\\u0061\\u0061\\u0061\\u0061\\u0061\\u0061\",",
	"\"a\":[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]],",
	"\"a\":{\"\":{\"\":{\"\":{\"\":{\"\":{\"\":{\"\":{}}}}}}}},",
	"\"a\":[{},{},{},{},{},{},{},{},{},{},{},{}],",
	"\"\\n\":{\"\\n\":[\"\\n\"]},",
	"\"a\":12345678901234567890,",
	"\"a\":1e1,",
};

/* Strings of one member, whose head and tail are the case's. */
static const char *const strings[] = {
	"\\n",
	"\\\"",
	"\\\\",
	"\\u0061",
	"\\u0000",
	"\\ud83d\\ude00",
	"\xc3\xa9",
	"\xf0\x9f\x98\x80",
};

#define PLAIN "\"a\":1,"

static void
assert_cheap_members(const char *target, const char *head, const char *tail)
{
	struct shape plain = { head, PLAIN, tail };

	for (size_t i = 0; i < N_OF(members); i++)
		assert_cheap(
		    target, plain, (struct shape){ head, members[i], tail });
}

static void
test_members_of_a_poll_are_cheap(void **state)
{
	(void)state;
	assert_cheap_members("/events", "{", "\"after\":1}");
}

static void
test_members_of_an_envelope_are_cheap(void **state)
{
	(void)state;
	assert_cheap_members("/command", "{", "\"command\":\"###!CR\"}");
}

static void
test_members_in_an_array_of_envelopes_are_cheap(void **state)
{
	(void)state;
	assert_cheap_members("/command", "[{", "\"command\":\"###!CR\"}]");
	assert_cheap_members(
	    "/command", "{\"commands\":[{", "\"command\":\"###!CR\"}]}");
}

static void
test_members_of_a_relay_are_cheap(void **state)
{
	(void)state;
	assert_cheap_members("/offer", "{", "\"id\":1}");
	assert_cheap_members("/command",
	    "{\"commands\":[{\"command\":"
	    "\"###!OO\",\"data\":{",
	    "\"id\":1}}]}");
}

/* A poll's members and those of an envelope are all strings or numbers. */
static void
test_escaped_values_are_cheap(void **state)
{
	static const struct {
		const char *target, *head, *tail;
	} cases[] = {
		{ "/events", "{\"token\":\"", "\"}" },
		{ "/events", "{\"after\":\"", "\"}" },
		{ "/command", "{\"command\":\"", "\"}" },
		{ "/command", "{\"command\":\"###!RP\",\"data\":\"", "\"}" },
		{ "/command", "{\"command\":\"###!JR\",\"data\":\"", "\"}" },
		{ "/command", "{\"command\":\"###!SM\",\"data\":\"", "\"}" },
		{ "/command", "{\"command\":\"###!CR\",\"key\":\"", "\"}" },
		{ "/command", "[{\"command\":\"", "\"}]" },
		{ "/command", "[{\"command\":\"###!OO\",\"data\":{\"id\":\"",
		    "\"}}]" },
		{ "/offer", "{\"id\":\"", "\"}" },
		{ "/offer", "{\"id\":1,\"rtc\":\"", "\"}" },
		{ "/register", "\"", "\"" },
		{ "/join-room", "\"", "\"" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(cases); i++)
		for (size_t k = 0; k < N_OF(strings); k++)
			assert_cheap(cases[i].target,
			    (struct shape){ "{", PLAIN, "\"id\":1}" },
			    (struct shape){
				cases[i].head, strings[k], cases[i].tail });
}

/* Up to 64 of them, each with what is dearest in one. */
static void
test_many_small_envelopes_are_cheap(void **state)
{
	static const char *const pieces[] = {
		("{\"\\u0063ommand\":\"\\u0023##!OO\",\"\\u0064ata\":"
		 "{\"\\u0069d\":\"\\u0031\"}},"),
		"{\"\\n\":1},",
		"{},",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(pieces); i++) {
		char text[64 * 96] = "";

		for (int n = 0; n < 63; n++)
			strcat(text, pieces[i]);
		assert_cheap("/command",
		    (struct shape){ "[{", PLAIN, "\"command\":\"###!CR\"}]" },
		    (struct shape){ "[", text, "{}]" });
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_members_of_a_poll_are_cheap),
		TEST(test_members_of_an_envelope_are_cheap),
		TEST(test_members_in_an_array_of_envelopes_are_cheap),
		TEST(test_members_of_a_relay_are_cheap),
		TEST(test_escaped_values_are_cheap),
		TEST(test_many_small_envelopes_are_cheap),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
