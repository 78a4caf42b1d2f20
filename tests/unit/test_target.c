/* test_target.c - how a request target is taken apart.
 *
 * As in test_json.c every text lies in a heap block of its exact size.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "api/target.h"

#define TEXT(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct span
copy_span(struct span text)
{
	char *copy = malloc(text.len ? text.len : 1);

	assert_non_null(copy);
	if (text.len)
		memcpy(copy, text.at, text.len);
	return (struct span){ copy, text.len };
}

static enum err
parse_bytes(struct span raw, const char *base_path, struct target *out)
{
	struct span copy = copy_span(raw);
	enum err err = target_parse(copy, base_path, out);

	if (!err && out->query.at) { /* move it over, for the caller */
		assert_true(out->query.at > copy.at);
		assert_ptr_equal(
		    out->query.at + out->query.len, copy.at + copy.len);
		out->query.at = raw.at + (out->query.at - copy.at);
	}
	free((void *)(uintptr_t)copy.at);
	return err;
}

static enum err
parse(const char *raw, const char *base_path, struct target *out)
{
	return parse_bytes(span_of(raw), base_path, out);
}

static void
assert_path(const char *raw, const char *base_path, const char *path)
{
	struct target target;

	if (parse(raw, base_path, &target) != ERR_NONE)
		fail_msg("refused: %s", raw);
	assert_string_equal(target.path, path);
}

static void
assert_query(const char *raw, const char *path, const char *query)
{
	struct target target;

	assert_int_equal(parse(raw, "", &target), ERR_NONE);
	assert_string_equal(target.path, path);
	assert_true(span_equals(target.query, query));
}

/* The first member of query, which has one. */
static struct target_member
first_member(const char *query)
{
	struct span rest = span_of(query);
	struct target_member member;
	bool more = false;

	assert_int_equal(target_next_member(&rest, &member, &more), ERR_NONE);
	assert_true(more);
	return member;
}

static void
assert_next(struct span *query, const char *name, const char *value)
{
	struct target_member member;
	bool more = false;

	assert_int_equal(target_next_member(query, &member, &more), ERR_NONE);
	assert_true(more);
	assert_string_equal(member.name, name);
	assert_string_equal(member.value, value);
	assert_false(member.is_cut);
}

static void
assert_no_more(struct span *query)
{
	struct target_member member;
	bool more = true;

	assert_int_equal(target_next_member(query, &member, &more), ERR_NONE);
	assert_false(more);
	assert_int_equal(query->len, 0);
}

static void
test_the_three_forms_give_the_path(void **state)
{
	(void)state;
	assert_path("/", "", "/");
	assert_path("/events", "", "/events");
	assert_path("/demo/", "", "/demo/");
	assert_path("*", "", "*");
	assert_path("*", "/prefix", "*");
	assert_path("http://host/events", "", "/events");
	assert_path("https://host:8443/events", "", "/events");
	assert_path("HTTP://[::1]:80/events", "", "/events");
	assert_path("http://host", "", "/");
	assert_path("http://host/", "", "/");
	assert_query("http://host?a=1", "/", "a=1");
	assert_query("http://host/x?a=http://y/z", "/x", "a=http://y/z");
}

static void
test_other_forms_are_refused(void **state)
{
	static const struct span texts[] = { TEXT(""), { NULL, 0 },
		TEXT("events"), TEXT("?a=1"), TEXT("**"), TEXT("*?a=1"),
		TEXT("*\0"), TEXT("host:443"), TEXT("http:"), TEXT("http:/"),
		TEXT("http:/x"), TEXT("http://"), TEXT("http:///x"),
		TEXT("http://?a=1"), TEXT("ftp://host/x"), TEXT("file:///x"),
		TEXT("://host/x"), TEXT("httpx://host/x"),
		TEXT("htt\0://host/x"), TEXT("javascript:x"), TEXT("./x"),
		TEXT("%2fevents"), TEXT("#"), TEXT("http://host#x") };
	struct target target;

	(void)state;
	for (size_t i = 0; i < N_OF(texts); i++)
		if (parse_bytes(texts[i], "", &target) != ERR_BAD_REQUEST)
			fail_msg(
			    "accepted: %.*s", (int)texts[i].len, texts[i].at);
}

static void
test_the_path_is_decoded(void **state)
{
	(void)state;
	assert_path("/%65vents", "", "/events");
	assert_path("/%c3%A9", "", "/\xc3\xa9");
	assert_path("/a%2Fb%2f", "", "/a/b/");
	assert_path("/%2e%2E/x", "", "/../x");
	assert_path("/a%25b%2500", "", "/a%b%00");
	assert_path("/a%3Fb", "", "/a?b");
	assert_path("/a+b&c=d;e", "", "/a+b&c=d;e");
	assert_path("/\xff%ff%01", "", "/\xff\xff\x01");
}

static void
test_slashes_in_a_row_are_one(void **state)
{
	(void)state;
	assert_path("//x", "", "/x");
	assert_path("///x////y//", "", "/x/y/");
	assert_path("//", "", "/");
	assert_path("/%2Fx/%2f/y", "", "/x/y");
	assert_path("http://host//x", "", "/x");
	assert_query("//events/?wait=//0", "/events/", "wait=//0");
	assert_path("//p/x", "/p", "/x");
	assert_path("/p//x", "/p", "/x");
	assert_path("//p//", "/p", "/");
	assert_path("//a//b//x", "/a/b", "/x");
}

static void
test_bad_escapes_and_nul_in_the_path_are_refused(void **state)
{
	static const struct span texts[] = { TEXT("/%"), TEXT("/%4"),
		TEXT("/%zz"), TEXT("/%4g"), TEXT("/%g4"), TEXT("/%4G"),
		TEXT("/%G4"), TEXT("/%%41"), TEXT("/a%?b"), TEXT("/a%4?1"),
		TEXT("/% 1"), TEXT("/%+1"), TEXT("/%-1"), TEXT("/%0x"),
		TEXT("/%u0041"), TEXT("/%00"), TEXT("/events%00"),
		TEXT("/events\0"), TEXT("/\0events"), TEXT("/%2%30"),
		TEXT("http://host/%"), TEXT("http://h%/%x") };
	struct target target;

	(void)state;
	for (size_t i = 0; i < N_OF(texts); i++)
		if (parse_bytes(texts[i], "", &target) != ERR_BAD_REQUEST)
			fail_msg(
			    "accepted: %.*s", (int)texts[i].len, texts[i].at);
}

static void
test_bytes_that_no_path_has_are_refused(void **state)
{
	struct target target;

	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		char raw[] = { '/', 'a', (char)c, 'b' };
		bool is_bad = c <= 0x20 || c == 0x7f || c == '#' || c == '%';

		assert_int_equal(
		    parse_bytes((struct span){ raw, 4 }, "", &target),
		    is_bad ? ERR_BAD_REQUEST : ERR_NONE);
	}
}

static void
test_the_query_comes_raw(void **state)
{
	struct target target;

	(void)state;
	assert_query("/x?", "/x", "");
	assert_query("/x?a=1&b=2", "/x", "a=1&b=2");
	assert_query("/x?a?b", "/x", "a?b");
	assert_query("/x?%", "/x", "%");
	assert_query("/?%00+/", "/", "%00+/");
	assert_int_equal(parse("/x", "", &target), ERR_NONE);
	assert_null(target.query.at);
	assert_int_equal(parse("*", "", &target), ERR_NONE);
	assert_null(target.query.at);
}

static void
test_the_base_path_comes_off(void **state)
{
	(void)state;
	assert_path("/p/events", "/p", "/events");
	assert_path("/p", "/p", "/");
	assert_path("/p/", "/p", "/");
	assert_path("/p?a=1", "/p", "/");
	assert_path("/%70/events", "/p", "/events");
	assert_path("/a/b/events", "/a/b", "/events");
	assert_path("/p/p/p", "/p", "/p/p");
	assert_path("http://host/p/x", "/p", "/x");
}

static void
test_outside_the_base_path_nothing_is_found(void **state)
{
	static const char *const raws[] = { "/", "/events", "/q/events",
		"/pevents", "/p2", "/P/events", "/%50", "http://host",
		"http://host/", "//q//p", "/q?x=/p/" };
	struct target target;

	(void)state;
	for (size_t i = 0; i < N_OF(raws); i++)
		assert_int_equal(parse(raws[i], "/p", &target), ERR_NOT_FOUND);
	assert_int_equal(parse("/lon", "/long", &target), ERR_NOT_FOUND);
	assert_int_equal(parse("/lonx", "/long", &target), ERR_NOT_FOUND);
	assert_int_equal(parse("/lxng/x", "/long", &target), ERR_NOT_FOUND);
}

/* A path of n bytes, as "/xxx...". */
static char *
long_path(size_t n, const char *end)
{
	char *raw = malloc(n + strlen(end) + 1);

	assert_non_null(raw);
	memset(raw, 'x', n);
	raw[0] = '/';
	memcpy(raw + n, end, strlen(end) + 1);
	return raw;
}

static void
test_a_path_too_long_is_not_found(void **state)
{
	struct target target;
	char *raw;

	(void)state;
	raw = long_path(TARGET_MAX_PATH, "");
	assert_int_equal(parse(raw, "", &target), ERR_NONE);
	assert_string_equal(target.path, raw);
	free(raw);
	raw = long_path(TARGET_MAX_PATH + 1, "");
	assert_int_equal(parse(raw, "", &target), ERR_NOT_FOUND);
	/* the base path does not count */
	assert_int_equal(parse(raw, "/x", &target), ERR_NOT_FOUND);
	raw[2] = '/';
	assert_int_equal(parse(raw, "/x", &target), ERR_NONE);
	free(raw);
	raw = long_path(20000, "?a=1");
	assert_int_equal(parse(raw, "", &target), ERR_NOT_FOUND);
	free(raw);
}

static void
test_a_bad_escape_wins_over_not_found(void **state)
{
	struct target target;
	char *raw;

	(void)state;
	assert_int_equal(parse("/q/%", "/p", &target), ERR_BAD_REQUEST);
	raw = long_path(1000, "%00");
	assert_int_equal(parse(raw, "", &target), ERR_BAD_REQUEST);
	free(raw);
}

static void
test_a_refused_target_leaves_the_output_alone(void **state)
{
	struct target target = { .path = "kept" };

	(void)state;
	assert_int_equal(parse("/%", "", &target), ERR_BAD_REQUEST);
	assert_string_equal(target.path, "kept");
	assert_int_equal(parse("/other", "/p", &target), ERR_NOT_FOUND);
	assert_string_equal(target.path, "kept");
}

static void
test_members_come_in_order_and_decoded(void **state)
{
	struct span query = span_of("after=7&wait=25&%61fter=%37&na+me=a+b"
				    "&x=a%2Bb%26c%3Dd&e=&f&=g&h=i=j&after=8");

	(void)state;
	assert_next(&query, "after", "7");
	assert_next(&query, "wait", "25");
	assert_next(&query, "after", "7");
	assert_next(&query, "na me", "a b");
	assert_next(&query, "x", "a+b&c=d");
	assert_next(&query, "e", "");
	assert_next(&query, "f", "");
	assert_next(&query, "", "g");
	assert_next(&query, "h", "i=j");
	assert_next(&query, "after", "8");
	assert_no_more(&query);
	assert_no_more(&query);
}

static void
test_empty_members_are_passed_over(void **state)
{
	static const char *const empty[] = { "", "&", "&&&" };
	struct span query = { NULL, 0 };

	(void)state;
	assert_no_more(&query);
	for (size_t i = 0; i < N_OF(empty); i++) {
		query = span_of(empty[i]);
		assert_no_more(&query);
	}
	query = span_of("&&a=1&&&b=2&");
	assert_next(&query, "a", "1");
	assert_next(&query, "b", "2");
	assert_no_more(&query);
}

static void
test_bad_escapes_and_nul_in_a_member_are_refused(void **state)
{
	static const struct span texts[] = { TEXT("%"), TEXT("a=%"),
		TEXT("a=%4"), TEXT("a=%4&1"), TEXT("%zz=1"), TEXT("a=%g0"),
		TEXT("a=%00"), TEXT("a%00=1"), TEXT("%00"), TEXT("a\0=1"),
		TEXT("a=1\0"), TEXT("\0"), TEXT("a=%+1"), TEXT("a%=1"),
		TEXT("a%3=1") };

	(void)state;
	for (size_t i = 0; i < N_OF(texts); i++) {
		struct target_member member = { .name = "kept" };
		struct span copy = copy_span(texts[i]), rest = copy;
		bool more = false;

		if (target_next_member(&rest, &member, &more) !=
		    ERR_BAD_REQUEST)
			fail_msg(
			    "accepted: %.*s", (int)texts[i].len, texts[i].at);
		assert_string_equal(member.name, "kept");
		assert_false(more);
		assert_ptr_equal(rest.at, copy.at);
		free((void *)(uintptr_t)copy.at);
	}
}

static void
test_a_bad_member_does_not_hide_those_before_it(void **state)
{
	struct span query = span_of("a=1&b=%");
	struct target_member member;
	bool more;

	(void)state;
	assert_next(&query, "a", "1");
	assert_int_equal(
	    target_next_member(&query, &member, &more), ERR_BAD_REQUEST);
}

static void
test_what_is_too_long_comes_cut(void **state)
{
	char query[1000];
	struct target_member member;

	(void)state;
	memset(query, 'y', sizeof(query));
	query[0] = 'a';
	query[1] = '=';
	query[2 + TARGET_MAX_VALUE] = '\0';
	member = first_member(query);
	assert_false(member.is_cut);
	assert_int_equal(strlen(member.value), TARGET_MAX_VALUE);

	query[2 + TARGET_MAX_VALUE] = 'y';
	query[sizeof(query) - 1] = '\0';
	member = first_member(query);
	assert_string_equal(member.name, "a");
	assert_true(member.is_cut);
	assert_int_equal(strlen(member.value), TARGET_MAX_VALUE);

	memset(query, 'n', 500);
	query[500] = '=';
	query[501] = '1';
	query[502] = '\0';
	member = first_member(query);
	assert_int_equal(strlen(member.name), sizeof(member.name) - 1);
	assert_string_equal(member.value, "1");
	assert_false(member.is_cut);
	/* what is cut off is checked, too */
	memcpy(query + 480, "%0g", 3);
	{
		struct span rest = span_of(query);
		bool more;

		assert_int_equal(
		    target_next_member(&rest, &member, &more), ERR_BAD_REQUEST);
	}
}

static void
test_every_byte_in_a_query_is_survived(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		for (size_t at = 0; at < 7; at++) {
			char raw[7] = { 'a', '=', '%', '4', '1', '&', 'b' };
			struct span copy, rest;
			struct target_member member;
			bool more = true;
			size_t n = 0;

			raw[at] = (char)c;
			rest = copy = copy_span((struct span){ raw, 7 });
			while (more &&
			    target_next_member(&rest, &member, &more) ==
				ERR_NONE)
				assert_true(++n < 9);
			free((void *)(uintptr_t)copy.at);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_three_forms_give_the_path),
		cmocka_unit_test(test_other_forms_are_refused),
		cmocka_unit_test(test_the_path_is_decoded),
		cmocka_unit_test(test_slashes_in_a_row_are_one),
		cmocka_unit_test(
		    test_bad_escapes_and_nul_in_the_path_are_refused),
		cmocka_unit_test(test_bytes_that_no_path_has_are_refused),
		cmocka_unit_test(test_the_query_comes_raw),
		cmocka_unit_test(test_the_base_path_comes_off),
		cmocka_unit_test(test_outside_the_base_path_nothing_is_found),
		cmocka_unit_test(test_a_path_too_long_is_not_found),
		cmocka_unit_test(test_a_bad_escape_wins_over_not_found),
		cmocka_unit_test(test_a_refused_target_leaves_the_output_alone),
		cmocka_unit_test(test_members_come_in_order_and_decoded),
		cmocka_unit_test(test_empty_members_are_passed_over),
		cmocka_unit_test(
		    test_bad_escapes_and_nul_in_a_member_are_refused),
		cmocka_unit_test(
		    test_a_bad_member_does_not_hide_those_before_it),
		cmocka_unit_test(test_what_is_too_long_comes_cut),
		cmocka_unit_test(test_every_byte_in_a_query_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
