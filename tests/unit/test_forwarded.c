/* test_forwarded.c - who the client is behind proxies.
 *
 * Trusted are 127.0.0.0/8, ::1, Unix sockets, 10.0.0.0/8 and 2001:db8:77::/48;
 * the peer is 10.0.0.1 unless said otherwise.  Texts lie in heap blocks of
 * their exact size, so that a sanitiser sees a look beyond them.
 */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>

#include "net/forwarded.h"

#define PEER "10.0.0.1"
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define TEXT(literal) \
	(struct span) \
	{ \
		literal, sizeof(literal) - 1 \
	}

static const struct span nothing = { NULL, 0 };

static struct span
copy_span(struct span text)
{
	char *copy;

	if (!text.at)
		return text;
	copy = malloc(text.len ? text.len : 1);
	assert_non_null(copy);
	memcpy(copy, text.at, text.len);
	return (struct span){ copy, text.len };
}

static struct peer_address
find(const struct peer_address *peer, struct span x_forwarded_for,
    struct span forwarded)
{
	struct trusted_proxies trusted = { .n_blocks = 0 };
	const struct span x_copy = copy_span(x_forwarded_for),
			  f_copy = copy_span(forwarded);
	struct peer_address client;

	assert_true(trusted_proxies_add(&trusted, "127.0.0.0/8"));
	assert_true(trusted_proxies_add(&trusted, "::1"));
	assert_true(trusted_proxies_add(&trusted, "unix"));
	assert_true(trusted_proxies_add(&trusted, "10.0.0.0/8"));
	assert_true(trusted_proxies_add(&trusted, "2001:db8:77::/48"));
	client = forwarded_client(&trusted, peer, x_copy, f_copy);
	free((void *)(uintptr_t)x_copy.at);
	free((void *)(uintptr_t)f_copy.at);
	return client;
}

static struct peer_address
address(const char *text)
{
	struct peer_address peer;

	assert_true(peer_address_parse(span_of(text), &peer));
	return peer;
}

static void
assert_client(const char *peer, struct span x_forwarded_for,
    struct span forwarded, const char *client)
{
	const struct peer_address from = address(peer),
				  expected = address(client),
				  found = find(
				      &from, x_forwarded_for, forwarded);
	char text[INET6_ADDRSTRLEN];

	if (memcmp(&found, &expected, sizeof(found)) != 0)
		fail_msg("X-Forwarded-For %.*s, Forwarded %.*s: %s",
		    (int)x_forwarded_for.len, x_forwarded_for.at,
		    (int)forwarded.len, forwarded.at,
		    inet_ntop(AF_INET6, found.ip, text, sizeof(text)));
}

static void
assert_x_forwarded_for(const char *list, const char *client)
{
	assert_client(PEER, span_of(list), nothing, client);
}

static void
assert_forwarded(const char *list, const char *client)
{
	assert_client(PEER, nothing, span_of(list), client);
}

static void
test_without_headers_the_peer_is_the_client(void **state)
{
	(void)state;
	assert_client("10.0.0.1", nothing, nothing, "10.0.0.1");
	assert_client("192.0.2.1", nothing, nothing, "192.0.2.1");
	assert_client("::1", span_of(""), span_of(""), "::1");
	assert_client(PEER, span_of(" "), span_of("\t "), PEER);
}

static void
test_who_is_not_trusted_is_not_believed(void **state)
{
	(void)state;
	assert_client(
	    "192.0.2.1", span_of("198.51.100.7"), nothing, "192.0.2.1");
	assert_client(
	    "192.0.2.1", nothing, span_of("for=198.51.100.7"), "192.0.2.1");
	assert_client("2001:db8:78::1", span_of("127.0.0.1"),
	    span_of("for=127.0.0.1"), "2001:db8:78::1");
}

static void
test_a_unix_socket_can_be_a_proxy(void **state)
{
	const struct peer_address peer = { .is_unix = true },
				  client = address("198.51.100.7");
	struct peer_address found;

	(void)state;
	found = find(&peer, span_of("198.51.100.7"), nothing);
	assert_memory_equal(&found, &client, sizeof(found));
	found = find(&peer, span_of("garbage"), nothing);
	assert_memory_equal(&found, &peer, sizeof(found));
}

static void
test_the_rightmost_that_is_not_trusted_is_the_client(void **state)
{
	(void)state;
	assert_x_forwarded_for("198.51.100.7", "198.51.100.7");
	assert_x_forwarded_for(" 198.51.100.7\t", "198.51.100.7");
	assert_x_forwarded_for("192.0.2.1, 198.51.100.7", "198.51.100.7");
	assert_x_forwarded_for("127.0.0.1,198.51.100.7", "198.51.100.7");
	assert_x_forwarded_for("198.51.100.7, 10.0.0.2", "198.51.100.7");
	assert_x_forwarded_for(
	    "192.0.2.1,198.51.100.7 , 10.0.0.2,\t127.0.0.1", "198.51.100.7");
	assert_x_forwarded_for(
	    "192.0.2.1, 2001:db8::7, 2001:db8:77::5, ::ffff:10.9.9.9",
	    "2001:db8::7");
	assert_x_forwarded_for("198.51.100.7:4711", "198.51.100.7");
	assert_x_forwarded_for("[2001:db8::7]:4711, 10.0.0.2:1", "2001:db8::7");
	assert_x_forwarded_for("::ffff:198.51.100.7", "198.51.100.7");
}

static void
test_when_all_are_trusted_the_leftmost_is_the_client(void **state)
{
	(void)state;
	assert_x_forwarded_for("10.0.0.2", "10.0.0.2");
	assert_x_forwarded_for("10.0.0.3, 127.0.0.1, 10.0.0.2", "10.0.0.3");
	assert_forwarded("for=10.0.0.2", "10.0.0.2");
	assert_forwarded("for=10.0.0.3, for=\"[::1]\"", "10.0.0.3");
}

static void
test_what_stands_left_of_the_client_does_not_matter(void **state)
{
	(void)state;
	assert_x_forwarded_for("garbage, 198.51.100.7", "198.51.100.7");
	assert_x_forwarded_for(",,,198.51.100.7", "198.51.100.7");
	assert_x_forwarded_for("\", 198.51.100.7", "198.51.100.7");
	assert_x_forwarded_for("unknown, 198.51.100.7, ::1", "198.51.100.7");
	assert_client(
	    PEER, TEXT("\0\xff,\0, 198.51.100.7"), nothing, "198.51.100.7");
}

static void
test_where_the_walk_ends_at_no_address_the_peer_is_it(void **state)
{
	static const char *const rows[] = { "garbage", "unknown", "_hidden",
		"198.51.100.7, ", "198.51.100.7,", ",", ", ,",
		"198.51.100.7, unknown", "198.51.100.7, , 10.0.0.2",
		"198.51.100.7, garbage, 10.0.0.2", "garbage, 10.0.0.2",
		", 10.0.0.2", "198.51.100.7 192.0.2.1", "\"198.51.100.7\"",
		"for=198.51.100.7", "198.51.100.7;", "198.51.100.7/32",
		"unix:" };

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		assert_x_forwarded_for(rows[i], PEER);
	assert_client(PEER, TEXT("198.51.100.7\0"), nothing, PEER);
	assert_client(PEER, TEXT("\0"), nothing, PEER);
}

static void
test_x_forwarded_for_wins(void **state)
{
	(void)state;
	assert_client(PEER, span_of("198.51.100.7"), span_of("for=192.0.2.1"),
	    "198.51.100.7");
	assert_client(PEER, span_of("garbage"), span_of("for=192.0.2.1"), PEER);
	assert_client(PEER, span_of(","), span_of("for=192.0.2.1"), PEER);
	assert_client(
	    PEER, span_of(" \t"), span_of("for=192.0.2.1"), "192.0.2.1");
	assert_client(PEER, span_of(""), span_of("for=192.0.2.1"), "192.0.2.1");
}

static void
test_forwarded_is_read_likewise(void **state)
{
	static const char *const rows[][2] = {
		{ "for=198.51.100.7", "198.51.100.7" },
		{ "For=198.51.100.7", "198.51.100.7" },
		{ "FOR=\"198.51.100.7:4711\"", "198.51.100.7" },
		{ "for=\"198.51.100.7:_port\"", "198.51.100.7" },
		{ "for=\"[2001:db8::7]\"", "2001:db8::7" },
		{ "for=\"[2001:db8::7]:4711\"", "2001:db8::7" },
		{ "for=192.0.2.1, for=198.51.100.7", "198.51.100.7" },
		{ "for=192.0.2.1,for=198.51.100.7,for=10.0.0.2",
		    "198.51.100.7" },
		{ "for=198.51.100.7;proto=https;by=10.0.0.1", "198.51.100.7" },
		{ "proto=https;by=\"[::1]\";for=198.51.100.7;host=h",
		    "198.51.100.7" },
		{ "by=192.0.2.9;for=198.51.100.7", "198.51.100.7" },
		{ "forty=192.0.2.9;for=198.51.100.7;fo=1", "198.51.100.7" },
		{ " for=198.51.100.7 ; proto=http ", "198.51.100.7" },
		{ ";;for=198.51.100.7;;", "198.51.100.7" },
		/* ought to be quoted, and is often not */
		{ "for=198.51.100.7:4711", "198.51.100.7" },
		{ "for=[2001:db8::7]:4711;host=h:80", "2001:db8::7" },
		{ "for=2001:db8::7", "2001:db8::7" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		assert_forwarded(rows[i][0], rows[i][1]);
}

static void
test_quotes_hide_separators(void **state)
{
	static const char *const rows[] = {
		"for=198.51.100.7;host=\"a, for=192.0.2.1\"",
		"host=\"a, for=192.0.2.1\";for=198.51.100.7",
		"host=\"a; for=192.0.2.1; b\";for=198.51.100.7",
		"for=198.51.100.7;host=\",\"",
		"for=198.51.100.7;host=\",,\", for=10.0.0.2;host=\",\"",
		"for=198.51.100.7;host=\"\\\", for=192.0.2.1\"",
		"for=198.51.100.7;host=\"\\\\\"",
		"for=198.51.100.7;host=\"\\\\\\\", for=192.0.2.1;a=\\\"\"",
		"for=198.51.100.7;host=\"\\,for=192.0.2.1;a=\"",
		"for=198.51.100.7;host=\", for=192.0.2.1;a=\";b=\"\"",
		"for=\"198.51.100.7\";host=\"\"",
		"for=\"1\\98.51.1\\00\\.7\"",
		"for=\"1\\98.51.100.7\", for=\"\\[\\:\\:\\1]\"",
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		assert_forwarded(rows[i], "198.51.100.7");
}

/* Whatever a client begins with, the proxy's own element is found. */
static void
test_a_client_cannot_hide_or_forge_an_element(void **state)
{
	static const char *const lefts[] = { "", "\"", "\\", "for=192.0.2.1",
		"for=\"192.0.2.1", "for=192.0.2.1;x=\"", "x=\"\\",
		"for=192.0.2.1;x=\"\\", "for=192.0.2.1;x=\"\"\"", "\",\",\",",
		"for=\"", ",,,", "for=,", "for=192.0.2.1;x=\"a\\\"",
		"for=192.0.2.1;x=\", for=192.0.2.1;y=\"", "garbage, x=\"," };
	static const char *const elements[] = { "for=198.51.100.7",
		"for=\"198.51.100.7\"", "for=\"198.51.100.7:1\";host=\"\"",
		"for=198.51.100.7;host=\";y=\"",
		"host=\"x, for=192.0.2.1\";for=198.51.100.7",
		"for=198.51.100.7;host=\"x, for=192.0.2.1;y=\"",
		"for=198.51.100.7;host=\"x, for=192.0.2.1;y=\";proto=\"\"",
		"for=198.51.100.7;host=\"\\\"\"",
		"for=198.51.100.7;host=\"\\\";y=\"",
		"for=198.51.100.7;host=\"\\\\\";y=\"\\\"\"" };

	(void)state;
	for (size_t i = 0; i < N_OF(lefts); i++) {
		for (size_t j = 0; j < N_OF(elements); j++) {
			char list[256];

			snprintf(list, sizeof(list), "%s, %s", lefts[i],
			    elements[j]);
			assert_forwarded(list, "198.51.100.7");
			snprintf(list, sizeof(list), "%s,%s , for=10.0.0.2",
			    lefts[i], elements[j]);
			assert_forwarded(list, "198.51.100.7");
		}
	}
}

static void
test_where_forwarded_gives_no_address_the_peer_is_it(void **state)
{
	static const char *const rows[] = { "for=unknown", "for=_hidden",
		"for=\"_hidden:80\"", "for=", "for=\"\"", "for", "=", ";", ",",
		"198.51.100.7", "proto=https", "by=198.51.100.7",
		"for=198.51.100.7,", "for=198.51.100.7, ,for=10.0.0.2",
		"for=198.51.100.7, unknown", "for=198.51.100.7, for=unknown",
		"for=198.51.100.7, proto=https", "for=198.51.100.7, ;",
		"for=198.51.100.7;for=198.51.100.7", "for=\"198.51.100.7",
		"for=198.51.100.7\"", "for=\"198.51.100.7\"x",
		"for=\"198.51.100.7\"\"\"", "for=\"198.51.100.7\\\"",
		"for=198.51.100.7;host=\"", "for=198.51.100.7, host=\"x",
		"for=198.51.100.7;host=\"x\\", "for = 198.51.100.7",
		"for =198.51.100.7", "for= 198.51.100.7",
		"for=198.51.100.7 proto=http", "for=198.51.100.7;x",
		"for=198.51.100.7;=x", "for=198.51.100.7;x=a/b",
		"for=198\\.51.100.7", "fo\\r=198.51.100.7",
		"for=\" 198.51.100.7\"", "for=\"198.51.100.7,192.0.2.1\"",
		"for=[198.51.100.7]", "for=\"[2001:db8::7\"",
		"for=\"[2001:db8::7]:99999\"", "for=\"[fe80::1%1]\"",
		"garbage, for=10.0.0.2", "for=\"192.0.2.1, for=10.0.0.2" };

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		assert_forwarded(rows[i], PEER);
	assert_client(PEER, nothing, TEXT("for=198.51.100.7\0"), PEER);
	assert_client(PEER, nothing, TEXT("for\0=198.51.100.7"), PEER);
	assert_client(PEER, nothing, TEXT("for=\"198.51.100.7\0\""), PEER);
	assert_client(PEER, nothing, TEXT("\0for=198.51.100.7"), PEER);
}

static void
test_long_values_are_no_addresses(void **state)
{
	char list[512];

	(void)state;
	for (int n = 1; n < 200; n++) {
		snprintf(
		    list, sizeof(list), "for=\"198.51.100.7:_%0*d\"", n, 0);
		/* 64 bytes in all may be there */
		assert_forwarded(list, n <= 50 ? "198.51.100.7" : PEER);
		snprintf(
		    list, sizeof(list), "for=198.51.100.7;host=\"%0*d\"", n, 0);
		assert_forwarded(list, "198.51.100.7");
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_headers_the_peer_is_the_client),
		cmocka_unit_test(test_who_is_not_trusted_is_not_believed),
		cmocka_unit_test(test_a_unix_socket_can_be_a_proxy),
		cmocka_unit_test(
		    test_the_rightmost_that_is_not_trusted_is_the_client),
		cmocka_unit_test(
		    test_when_all_are_trusted_the_leftmost_is_the_client),
		cmocka_unit_test(
		    test_what_stands_left_of_the_client_does_not_matter),
		cmocka_unit_test(
		    test_where_the_walk_ends_at_no_address_the_peer_is_it),
		cmocka_unit_test(test_x_forwarded_for_wins),
		cmocka_unit_test(test_forwarded_is_read_likewise),
		cmocka_unit_test(test_quotes_hide_separators),
		cmocka_unit_test(test_a_client_cannot_hide_or_forge_an_element),
		cmocka_unit_test(
		    test_where_forwarded_gives_no_address_the_peer_is_it),
		cmocka_unit_test(test_long_values_are_no_addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
