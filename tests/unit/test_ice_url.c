/* test_ice_url.c - addresses of STUN and TURN servers. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "api/ice.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static void
assert_good(const char *url, enum ice_url_kind wanted)
{
	enum ice_url_kind kind = wanted == ICE_URL_STUN ? ICE_URL_TURN :
							  ICE_URL_STUN;
	const char *fault = ice_url_find_fault(span_of(url), &kind);

	if (fault)
		fail_msg("%s: %s", url, fault);
	assert_int_equal(kind, wanted);
}

/* Not one byte beyond its end is looked at: under a sanitizer that shows. */
static void
assert_bad(const char *url)
{
	size_t len = strlen(url);
	char *copy = malloc(len + 1);
	enum ice_url_kind kind;
	const char *fault;

	assert_non_null(copy);
	memcpy(copy, url, len);
	copy = realloc(copy, len ? len : 1);
	assert_non_null(copy);
	fault = ice_url_find_fault((struct span){ copy, len }, &kind);
	free(copy);
	if (!fault)
		fail_msg("%s is let through", url);
}

/* RFC 7064, appendix A; RFC 7065, appendix A. */
static void
test_the_examples_of_the_rfcs_are_good(void **state)
{
	(void)state;
	assert_good("stun:example.org", ICE_URL_STUN);
	assert_good("stuns:example.org", ICE_URL_STUN);
	assert_good("stun:example.org:8000", ICE_URL_STUN);
	assert_good("turn:example.org", ICE_URL_TURN);
	assert_good("turns:example.org", ICE_URL_TURN);
	assert_good("turn:example.org:8000", ICE_URL_TURN);
	assert_good("turn:example.org?transport=udp", ICE_URL_TURN);
	assert_good("turn:example.org?transport=tcp", ICE_URL_TURN);
	assert_good("turns:example.org?transport=tcp", ICE_URL_TURN);
}

static void
test_addresses_are_good(void **state)
{
	(void)state;
	assert_good("stun:192.0.2.1", ICE_URL_STUN);
	assert_good("stun:192.0.2.1:1", ICE_URL_STUN);
	assert_good("stun:[2001:db8::1]", ICE_URL_STUN);
	assert_good(
	    "turn:[::ffff:192.0.2.1]:65535?transport=tcp", ICE_URL_TURN);
	assert_good("turn:xn--bcher-kva.example.", ICE_URL_TURN);
}

static void
test_what_browsers_refuse_is_bad(void **state)
{
	static const char *const urls[] = {
		"",
		"example.org",
		"stun",
		"stun:",
		"http://example.org",
		"STUN:example.org",
		"stun://example.org",
		"turns://example.org:443",
		"stun: example.org",
		"stun:example.org ",
		"stun:user@example.org",
		"stun:.example",
		"stun:exa\"mple",
		"stun:exa>mple",
		"stun:exa\nmple",
		("stun:b\xc3\xbc"
		 "cher.example"),
		"stun:example.org/",
		"stun:example.org#x",
		"stun:example.org:",
		"stun:example.org:0",
		"stun:example.org:65536",
		"stun:example.org:x",
		"stun:example.org:80:80",
		"stun:2001:db8::1",
		"stun:[2001:db8::1",
		"stun:[2001:db8::1]x",
		"stun:[192.0.2.1]",
		"stun:[]",
		"stun:[fe80::1%25eth0]",
		"stun:[0000:0000:0000:0000:0000:0000:0000:0000:0000:0000]",
		"stun:example.org?transport=udp",
		"stun:example.org?",
		"turn:example.org?",
		"turn:example.org:?transport=udp",
		"turn:example.org?transport=",
		"turn:example.org?transport=sctp",
		"turn:example.org?transport=UDP",
		"turn:example.org?transport=udp&x=y",
		"turn:?transport=udp",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(urls); i++)
		assert_bad(urls[i]);
}

static void
test_a_url_has_255_bytes_at_most(void **state)
{
	char url[ICE_URL_MAX + 2] = "turn:";
	size_t len = strlen(url);

	(void)state;
	memset(url + len, 'a', 230);
	strcpy(url + len + 230, ":01234?transport=udp");
	assert_int_equal(strlen(url), ICE_URL_MAX);
	assert_good(url, ICE_URL_TURN);
	memset(url + len, 'a', 231);
	strcpy(url + len + 231, ":01234?transport=udp");
	assert_bad(url);
}

static void
test_a_nul_is_no_part_of_a_name(void **state)
{
	enum ice_url_kind kind;

	(void)state;
	assert_non_null(
	    ice_url_find_fault((struct span){ "stun:a\0b", 8 }, &kind));
	assert_non_null(
	    ice_url_find_fault((struct span){ "stun:a\0", 7 }, &kind));
	assert_non_null(
	    ice_url_find_fault((struct span){ "stun:[::1\0]", 11 }, &kind));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_the_examples_of_the_rfcs_are_good),
		cmocka_unit_test(test_addresses_are_good),
		cmocka_unit_test(test_what_browsers_refuse_is_bad),
		cmocka_unit_test(test_a_url_has_255_bytes_at_most),
		cmocka_unit_test(test_a_nul_is_no_part_of_a_name),
	};

	return cmocka_run_group_tests_name("ice_url", tests, NULL, NULL);
}
