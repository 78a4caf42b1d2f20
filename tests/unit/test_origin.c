/* test_origin.c - which origins can be allowed, and which fit them. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "net/origin.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define LABEL63 \
	"a123456789b123456789c123456789d123456789e123456789f123456789012"

static void
test_an_origin_is_written_as_browsers_write_it(void **state)
{
	static const char *const rows[][2] = {
		{ "*", "*" },
		{ "null", "null" },
		{ "https://example.com", "https://example.com" },
		{ "HTTPS://Example.COM", "https://example.com" },
		{ "https://example.com:443", "https://example.com" },
		{ "http://example.com:80", "http://example.com" },
		{ "https://example.com:80", "https://example.com:80" },
		{ "http://example.com:443", "http://example.com:443" },
		{ "http://localhost:08080", "http://localhost:8080" },
		{ "http://127.0.0.1:8080", "http://127.0.0.1:8080" },
		{ "http://[2001:DB8:0:0::1]:8080",
		    "http://[2001:db8::1]:8080" },
		{ "http://[::1]", "http://[::1]" },
		{ "http://[::FFFF:1.2.3.4]:8080",
		    "http://[::ffff:102:304]:8080" },
		{ "http://[::ffff:102:0]", "http://[::ffff:102:0]" },
		{ "http://[::1.2.3.4]", "http://[::102:304]" },
		{ "http://[::ffff:1:102:304]", "http://[::ffff:1:102:304]" },
		{ "file://", "file://" },
		{ "https://xn--mller-kva.example",
		    "https://xn--mller-kva.example" },
		{ "https://*.Itch.zone", "https://*.itch.zone" },
		{ "https://*.itch.zone:8443", "https://*.itch.zone:8443" },
		{ "capacitor://localhost", "capacitor://localhost" },
		{ "chrome-extension://abcdefghijklmnop",
		    "chrome-extension://abcdefghijklmnop" },
		{ "https://a_b.example", "https://a_b.example" },
		{ "https://1.example", "https://1.example" },
	};
	char out[ORIGIN_SIZE], why[ORIGIN_WHY_SIZE];

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		if (!origin_normalise(rows[i][0], out, why))
			fail_msg("refused: %s: %s", rows[i][0], why);
		assert_string_equal(out, rows[i][1]);
	}
}

static void
test_what_no_browser_sends_is_refused_with_what_would_be_right(void **state)
{
	static const char *const rows[][2] = {
		{ "", "not an origin" },
		{ "example.com", "as in https://example.com" },
		{ "localhost:8080", "as in https://example.com" },
		{ "NULL", "must be *, null" },
		{ "://example.com", "not an origin" },
		{ "*://example.com", "not an origin" },
		{ "1https://example.com", "not an origin" },
		{ "ht tp://example.com", "not an origin" },
		{ "https://example.com/",
		    "without a slash: https://example.com" },
		{ "https://example.com:8443/game?x",
		    "without a slash: https://example.com:8443" },
		{ "https://example.com?x", "has a path" },
		{ "https://example.com#x", "has a path" },
		{ "https://m\xc3\xbcller.example", "punycode (xn--...)" },
		{ "https://*.m\xc3\xbcller.example", "punycode (xn--...)" },
		{ "https://*", "a wrong place" },
		{ "https://*.zone", "followed by at least two more" },
		{ "https://*.*.itch.zone", "a wrong place" },
		{ "https://a.*.zone", "a wrong place" },
		{ "https://*a.itch.zone", "a wrong place" },
		{ "https://a*.itch.zone", "a wrong place" },
		{ "https://*.127.0.0.1", "not the name" },
		{ "https://*.itch..zone", "not the name" },
		{ "https://*.itch.zone.", "not the name" },
		{ "https://", "not the name" },
		{ "https://:443", "not the name" },
		{ "https://a..b", "not the name" },
		{ "https://.a", "not the name" },
		{ "https://a.", "not the name" },
		{ "https://user@example.com", "not the name" },
		{ "https://user:x@example.com", "not a port" },
		{ "https://a b", "not the name" },
		{ "https://a\r\nb", "not the name" },
		{ "https://ex%61mple.com", "not the name" },
		{ "https://1.2.3", "not the name" },
		{ "https://1.2.3.256", "not the name" },
		{ "https://" LABEL63 "x", "not the name" },
		{ "https://example.com:", "a number from 1 to 65535" },
		{ "https://example.com:0", "a number from 1 to 65535" },
		{ "https://example.com:65536", "a number from 1 to 65535" },
		{ "https://example.com:*", "a number from 1 to 65535" },
		{ "https://example.com:80:80", "a number from 1 to 65535" },
		{ "https://[::1", "not the name" },
		{ "https://[::g]", "not an IPv6 address" },
		{ "https://[]", "not an IPv6 address" },
		{ "https://[::1]8080", "a colon and a port" },
		{ "https://[::1]:x", "a number from 1 to 65535" },
		{ "https://[fe80::1%25eth0]", "not an IPv6 address" },
	};
	char out[ORIGIN_SIZE] = "untouched", why[ORIGIN_WHY_SIZE];

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		if (origin_normalise(rows[i][0], out, why))
			fail_msg("accepted: %s", rows[i][0]);
		if (!strstr(why, rows[i][1]))
			fail_msg("%s: %s", rows[i][0], why);
		assert_string_equal(out, "untouched");
	}
}

static void
test_an_origin_is_no_longer_than_a_host_can_be(void **state)
{
	static const char
	    longest[] = "a123456789b123456789c123456789d1://" LABEL63
			"." LABEL63 "." LABEL63 "." LABEL63;
	char text[ORIGIN_SIZE + 16], out[ORIGIN_SIZE], why[ORIGIN_WHY_SIZE];
	size_t len = ORIGIN_MAX_SCHEME + 3 + ORIGIN_MAX_HOST;

	(void)state;
	assert_true(strlen(longest) > len);
	snprintf(text, sizeof(text), "%.*s:65535", (int)len, longest);
	assert_true(origin_normalise(text, out, why));
	assert_string_equal(out, text);
	assert_int_equal(strlen(out), ORIGIN_SIZE - 1);
	snprintf(text, sizeof(text), "%.*s:65535", (int)len + 1, longest);
	assert_false(origin_normalise(text, out, why));
	assert_non_null(strstr(why, "at most 253"));
	assert_false(origin_normalise(
	    "a123456789b123456789c123456789d12://x", out, why));
}

static void
test_a_star_is_one_label_or_more(void **state)
{
	static const struct {
		const char *allowed, *origin;
		bool fits;
	} rows[] = {
		{ "https://itch.zone", "https://itch.zone", true },
		{ "https://itch.zone", "https://itch.zon", false },
		{ "https://itch.zone", "https://x.itch.zone", false },
		{ "https://itch.zone", "", false },
		{ "null", "null", true },
		{ "https://*.itch.zone", "https://html.itch.zone", true },
		{ "https://*.itch.zone", "https://a.b.itch.zone", true },
		{ "https://*.itch.zone", "https://xn--a-1_2.itch.zone", true },
		{ "https://*.itch.zone", "https://itch.zone", false },
		{ "https://*.itch.zone", "https://.itch.zone", false },
		{ "https://*.itch.zone", "https://a..itch.zone", false },
		{ "https://*.itch.zone", "https://*.itch.zone", false },
		{ "https://*.itch.zone", "https://evilitch.zone", false },
		{ "https://*.itch.zone", "http://a.itch.zone", false },
		{ "https://*.itch.zone", "https://a.itch.zone:8443", false },
		{ "https://*.itch.zone", "https://a.itch.zone.evil.com",
		    false },
		{ "https://*.itch.zone", "https://evil.com/.itch.zone", false },
		{ "https://*.itch.zone", "https://evil.com:1.itch.zone",
		    false },
		{ "https://*.itch.zone", "https://a@b.itch.zone", false },
		{ "https://*.itch.zone", "https://A.itch.zone", false },
		{ "https://*.itch.zone", "null", false },
		{ "https://*.itch.zone", "", false },
		{ "https://*.itch.zone:8443", "https://a.itch.zone:8443",
		    true },
		{ "https://*.itch.zone:8443", "https://a.itch.zone", false },
		{ "https://*.itch.zone",
		    "https://" LABEL63 "." LABEL63 "." LABEL63 "." LABEL63
		    "." LABEL63 ".itch.zone",
		    false },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		if (origin_fits(rows[i].allowed, span_of(rows[i].origin)) !=
		    rows[i].fits)
			fail_msg("%s: %s", rows[i].allowed, rows[i].origin);
	assert_false(
	    origin_fits("https://*.itch.zone", (struct span){ NULL, 0 }));
	assert_false(
	    origin_fits("https://itch.zone", (struct span){ NULL, 0 }));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_an_origin_is_written_as_browsers_write_it),
		cmocka_unit_test(
		    test_what_no_browser_sends_is_refused_with_what_would_be_right),
		cmocka_unit_test(
		    test_an_origin_is_no_longer_than_a_host_can_be),
		cmocka_unit_test(test_a_star_is_one_label_or_more),
	};

	return cmocka_run_group_tests_name("origin", tests, NULL, NULL);
}
