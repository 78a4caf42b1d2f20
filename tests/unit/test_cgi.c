/* test_cgi.c - what FastCGI parameters say of a request. */
#include "tests/unit/unit.h"

#include "net/fastcgi/cgi.h"
#include "net/fastcgi/wire.h"

/* Parameters from texts: name, value, name, value, ..., NULL. */
static void
set(struct buf *params, ...)
{
	const char *name;
	va_list args;

	buf_init(params, 65536);
	va_start(args, params);
	while ((name = va_arg(args, const char *)) != NULL)
		fcgi_add_pair(
		    params, span_of(name), span_of(va_arg(args, const char *)));
	va_end(args);
}

static void
assert_span(struct span span, const char *text)
{
	assert_non_null(span.at);
	assert_int_equal(span.len, strlen(text));
	assert_memory_equal(span.at, text, span.len);
}

static void
assert_target(struct buf *params, bool keeps_mount, const char *expected)
{
	struct buf scratch;
	struct span target;
	struct cgi cgi;

	buf_init(&scratch, 65536);
	assert_int_equal(cgi_parse(buf_span(params), &cgi), ERR_NONE);
	target = cgi_target(&cgi, keeps_mount, &scratch);
	assert_int_equal(target.len, strlen(expected));
	if (target.len)
		assert_memory_equal(target.at, expected, target.len);
	buf_fini(&scratch);
}

static void
test_fields(void **state)
{
	struct buf params;
	struct cgi cgi;

	(void)state;
	set(&params, "REQUEST_METHOD", "POST", "CONTENT_LENGTH", "12",
	    "CONTENT_TYPE", "text/plain", "REMOTE_ADDR", "192.0.2.1",
	    "HTTP_AUTHORIZATION", "Bearer x", "HTTP_IDEMPOTENCY_KEY", "k",
	    "HTTP_LAST_EVENT_ID", "3", "HTTP_ORIGIN", "https://game.example",
	    "SERVER_NAME", "ignored", NULL);
	assert_int_equal(cgi_parse(buf_span(&params), &cgi), ERR_NONE);
	assert_span(cgi.request_method, "POST");
	assert_span(cgi.content_length, "12");
	assert_span(cgi.content_type, "text/plain");
	assert_span(cgi.remote_addr, "192.0.2.1");
	assert_span(cgi.authorization, "Bearer x");
	assert_span(cgi.idempotency_key, "k");
	assert_span(cgi.last_event_id, "3");
	assert_span(cgi.origin, "https://game.example");
	assert_null(cgi.request_uri.at);
	buf_fini(&params);
}

static void
test_empty_is_absent_but_for_header_fields(void **state)
{
	struct buf params;
	struct cgi cgi;

	(void)state;
	set(&params, "CONTENT_LENGTH", "", "PATH_INFO", "",
	    "HTTP_IDEMPOTENCY_KEY", "", NULL);
	assert_int_equal(cgi_parse(buf_span(&params), &cgi), ERR_NONE);
	assert_null(cgi.content_length.at);
	assert_null(cgi.path_info.at);
	assert_span(cgi.idempotency_key, "");
	buf_fini(&params);
}

static void
test_last_counts_but_two_lengths_do_not(void **state)
{
	struct buf params;
	struct cgi cgi;

	(void)state;
	set(&params, "REMOTE_ADDR", "a", "REMOTE_ADDR", "b", "CONTENT_LENGTH",
	    "1", "CONTENT_LENGTH", "1", NULL);
	assert_int_equal(cgi_parse(buf_span(&params), &cgi), ERR_NONE);
	assert_span(cgi.remote_addr, "b");
	buf_fini(&params);
	set(&params, "CONTENT_LENGTH", "1", "CONTENT_LENGTH", "2", NULL);
	assert_int_equal(cgi_parse(buf_span(&params), &cgi), ERR_BAD_REQUEST);
	buf_fini(&params);
}

static void
test_bad_ones(void **state)
{
	struct buf params;
	struct cgi cgi;

	(void)state;
	/* Of any header field, also of one that we do not know. */
	set(&params, "HTTP_X_OTHER", "a\nb", NULL);
	assert_int_equal(cgi_parse(buf_span(&params), &cgi), ERR_BAD_REQUEST);
	buf_fini(&params);
	set(&params, "HTTP_X_OTHER", "a\tb", NULL);
	assert_int_equal(cgi_parse(buf_span(&params), &cgi), ERR_NONE);
	buf_fini(&params);
	set(&params, "HTTP_ORIGIN", "https://game.example", "NAME", "value",
	    NULL);
	params.len--;
	assert_int_equal(cgi_parse(buf_span(&params), &cgi), ERR_BAD_REQUEST);
	/* The failure is for that page all the same. */
	assert_span(cgi_origin(buf_span(&params)), "https://game.example");
	buf_fini(&params);
	assert_null(cgi_origin((struct span){ NULL, 0 }).at);
}

static void
test_lists(void **state)
{
	struct buf params, list;

	(void)state;
	buf_init(&list, 1024);
	set(&params, "HTTP_FORWARDED", "for=a", "HTTP_X", "x", "HTTP_FORWARDED",
	    "for=b", "HTTP_EMPTY", "", NULL);
	assert_false(
	    cgi_add_list(buf_span(&params), "HTTP_X_FORWARDED_FOR", &list));
	assert_int_equal(list.len, 0);
	assert_true(cgi_add_list(buf_span(&params), "HTTP_EMPTY", &list));
	assert_int_equal(list.len, 0);
	assert_true(cgi_add_list(buf_span(&params), "HTTP_FORWARDED", &list));
	assert_span(buf_span(&list), "for=a, for=b");
	buf_fini(&list);
	buf_fini(&params);
}

static void
test_target_is_request_uri(void **state)
{
	struct buf params;

	(void)state;
	set(&params, "REQUEST_URI", "/s/a%2Fb?x=1", "SCRIPT_NAME", "/s/a/b",
	    "QUERY_STRING", "x=1", NULL);
	assert_target(&params, false, "/s/a%2Fb?x=1");
	assert_target(&params, true, "/s/a%2Fb?x=1");
	buf_fini(&params);
}

static void
test_target_below_a_mount(void **state)
{
	struct buf params;

	(void)state;
	set(&params, "REQUEST_URI", "/s/events?x=1", "SCRIPT_NAME", "/s",
	    "PATH_INFO", "/events", "QUERY_STRING", "x=1", NULL);
	assert_target(&params, false, "/events?x=1");
	assert_target(&params, true, "/s/events?x=1");
	buf_fini(&params);
}

static void
test_target_without_request_uri(void **state)
{
	struct buf params;

	(void)state;
	set(&params, "SCRIPT_NAME", "/s", "PATH_INFO", "/events",
	    "QUERY_STRING", "after=3", NULL);
	assert_target(&params, true, "/s/events?after=3");
	assert_target(&params, false, "/events?after=3");
	buf_fini(&params);
	set(&params, "SCRIPT_NAME", "/a b%?#\x7f", NULL);
	assert_target(&params, false, "/a%20b%25%3F%23%7F");
	buf_fini(&params);
	set(&params, "PATH_INFO", "/room", NULL);
	assert_target(&params, false, "/room");
	buf_fini(&params);
	set(&params, "REQUEST_METHOD", "GET", NULL);
	assert_target(&params, false, "");
	buf_fini(&params);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields),
		cmocka_unit_test(test_empty_is_absent_but_for_header_fields),
		cmocka_unit_test(test_last_counts_but_two_lengths_do_not),
		cmocka_unit_test(test_bad_ones),
		cmocka_unit_test(test_lists),
		cmocka_unit_test(test_target_is_request_uri),
		cmocka_unit_test(test_target_below_a_mount),
		cmocka_unit_test(test_target_without_request_uri),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
