/* test_reply_headers.c - the headers of replies, as far as no test of the
 * daemon sees them all: how long they can be, and what a list of names is. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "api/asset.h"
#include "net/origin.h"
#include "net/reply_headers.h"

#define LABEL63 \
	"a123456789b123456789c123456789d123456789e123456789f123456789012"
/* ORIGIN_SIZE - 1 bytes. */
#define LONGEST_ORIGIN \
	"a123456789b123456789c123456789d1://" LABEL63 "." LABEL63 "." LABEL63 \
	".a123456789b123456789c123456789d123456789e123456789f1234567890:65535"
#define PLAIN_LIST "Authorization, Content-Type, Idempotency-Key, Last-Event-ID"
/* The status line, Date, Content-Length and Connection. */
#define OTHERS 150

struct sum {
	size_t n_bytes; /* without the values of Link */
	char allowed[2048];
};

static void
on_header(void *cls, const char *name, const char *value)
{
	struct sum *sum = cls;

	sum->n_bytes += strlen(name) + strlen(": \r\n");
	if (strcmp(name, "Link") != 0)
		sum->n_bytes += strlen(value);
	if (strcmp(name, "Access-Control-Allow-Headers") == 0)
		snprintf(sum->allowed, sizeof(sum->allowed), "%s", value);
}

static struct sum
headers_of(const struct reply *reply, const char *asked)
{
	static const char *const origins[] = { LONGEST_ORIGIN, NULL };
	struct front_settings settings = { .listener_class = LISTENER_PUBLIC,
		.origins = origins };
	struct cors_fields cors = { span_of(LONGEST_ORIGIN), span_of(asked) };
	struct sum sum = { .n_bytes = 0 };

	assert_int_equal(strlen(LONGEST_ORIGIN), ORIGIN_SIZE - 1);
	reply_headers(reply, &settings, &cors, on_header, &sum);
	return sum;
}

/* See net/http/http.c: there are 850 bytes beside the values of Links, and 1 KiB
 * more where there are none. */
static void
test_the_longest_headers_fit_into_their_memory(void **state)
{
	static const struct asset page = { .type = "text/html; charset=utf-8",
		.etag = "\"0123456789abcdef0123456789abcdef\"",
		.is_page = true };
	char names[1024 + 1];
	struct reply reply = {
		.status = 204, .type = REPLY_EMPTY, .is_preflight = true
	};

	(void)state;
	memset(names, 'x', 1024);
	names[1024] = '\0';
	assert_in_range(
	    headers_of(&reply, names).n_bytes + OTHERS, 1600, 850 + 1024);
	reply = (struct reply){
		.status = 200, .type = REPLY_ASSET, .asset = &page
	};
	assert_in_range(
	    headers_of(&reply, NULL).n_bytes + OTHERS, 800, 850 + 1024);
	reply = (struct reply){ .status = 401, .type = REPLY_JSON };
	assert_in_range(headers_of(&reply, NULL).n_bytes + OTHERS, 600, 850);
	reply = (struct reply){
		.status = 503, .type = REPLY_JSON, .retry_after_s = 4000000000
	};
	assert_in_range(headers_of(&reply, NULL).n_bytes + OTHERS, 600, 850);
}

static void
test_names_that_are_asked_for_are_allowed(void **state)
{
	static const char *const good[][2] = {
		{ "baggage", ", baggage" },
		{ "baggage,sentry-trace", ", baggage,sentry-trace" },
		{ "a, b ,\tc", ", a,b,c" },
		{ "x!#$%&'*+-.^_`|~9", ", x!#$%&'*+-.^_`|~9" },
		{ "authorization", "" },
		{ "authorization,baggage,CONTENT-TYPE,x", ", baggage,x" },
		{ "content-typ,last-event-ids",
		    ", content-typ,last-event-ids" },
	};
	static const char *const bad[] = { "", " ", ",", "a,", ",a", "a,,b",
		"a b", "a:b", "a\"b\"", "a/b", "caf\xc3\xa9", "a;q=1", "*\r\nX",
		"(a)" };
	const struct reply reply = {
		.status = 204, .type = REPLY_EMPTY, .is_preflight = true
	};
	char names[1024 + 2], expected[2048];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		snprintf(
		    expected, sizeof(expected), "%s%s", PLAIN_LIST, good[i][1]);
		assert_string_equal(
		    headers_of(&reply, good[i][0]).allowed, expected);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(
		    headers_of(&reply, bad[i]).allowed, PLAIN_LIST);
	assert_string_equal(headers_of(&reply, NULL).allowed, PLAIN_LIST);
	memset(names, 'x', 1025);
	names[1025] = '\0';
	assert_string_equal(headers_of(&reply, names).allowed, PLAIN_LIST);
	names[1024] = '\0';
	snprintf(expected, sizeof(expected), "%s, %s", PLAIN_LIST, names);
	assert_string_equal(headers_of(&reply, names).allowed, expected);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_the_longest_headers_fit_into_their_memory),
		cmocka_unit_test(test_names_that_are_asked_for_are_allowed),
	};

	return cmocka_run_group_tests_name("reply_headers", tests, NULL, NULL);
}
