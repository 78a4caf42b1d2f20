/* test_address.c - addresses from sockets and from texts. */
#include "tests/unit/unit.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/un.h>

#include "net/address.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct peer_address
parse(const char *text)
{
	struct peer_address peer;

	if (!peer_address_parse(span_of(text), &peer))
		fail_msg("refused: %s", text);
	return peer;
}

static struct peer_address
accept_ipv4(const char *text)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = 99 };

	assert_int_equal(inet_pton(AF_INET, text, &in.sin_addr), 1);
	return peer_address_of((const struct sockaddr *)&in);
}

static struct peer_address
accept_ipv6(const char *text)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = 99,
		.sin6_flowinfo = 98,
		.sin6_scope_id = 97 };

	assert_int_equal(inet_pton(AF_INET6, text, &in6.sin6_addr), 1);
	return peer_address_of((const struct sockaddr *)&in6);
}

static struct peer_address
accept_unix(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };

	return peer_address_of((const struct sockaddr *)&un);
}

static void
assert_same(struct peer_address a, struct peer_address b)
{
	assert_memory_equal(a.ip, b.ip, sizeof(a.ip));
	assert_int_equal(a.is_unix, b.is_unix);
}

static void
test_a_text_and_a_socket_give_the_same_address(void **state)
{
	(void)state;
	assert_same(parse("192.0.2.1"), accept_ipv4("192.0.2.1"));
	assert_same(parse("2001:db8::1"), accept_ipv6("2001:db8::1"));
	assert_same(parse("255.255.255.255"), accept_ipv4("255.255.255.255"));
	assert_same(parse("::"), accept_ipv6("::"));
}

static void
test_ipv4_is_the_same_through_an_ipv6_socket(void **state)
{
	(void)state;
	assert_same(accept_ipv6("::ffff:192.0.2.1"), accept_ipv4("192.0.2.1"));
	assert_same(parse("::ffff:192.0.2.1"), accept_ipv4("192.0.2.1"));
	assert_same(parse("[::ffff:c000:201]:1"), accept_ipv4("192.0.2.1"));
}

static void
test_ipv4_is_told_from_ipv6_and_unix(void **state)
{
	const struct peer_address ipv4 = parse("::ffff:192.0.2.1"),
				  ipv6 = parse("2001:db8::1"),
				  compatible = parse("::192.0.2.1"),
				  local = accept_unix();

	(void)state;
	assert_true(peer_address_is_ipv4(&ipv4));
	assert_false(peer_address_is_ipv4(&ipv6));
	assert_false(peer_address_is_ipv4(&compatible));
	assert_false(peer_address_is_ipv4(&local));
}

static void
test_what_is_not_ip_is_a_unix_socket(void **state)
{
	static const uint8_t zero[16];
	const struct peer_address peer = accept_unix();

	(void)state;
	assert_true(peer.is_unix);
	assert_memory_equal(peer.ip, zero, sizeof(zero));
	assert_false(parse("::").is_unix);
}

static void
test_ports_and_brackets_do_not_matter(void **state)
{
	static const char *const rows[][2] = {
		{ "192.0.2.1:1234", "192.0.2.1" },
		{ "192.0.2.1:0", "192.0.2.1" },
		{ "192.0.2.1:65535", "192.0.2.1" },
		{ "192.0.2.1:_a.B-9_", "192.0.2.1" },
		{ "[2001:db8::1]", "2001:db8::1" },
		{ "[2001:db8::1]:1234", "2001:db8::1" },
		{ "[2001:db8::1]:_hidden", "2001:db8::1" },
		{ "[2001:DB8:0:0:0:0:0:1]", "2001:db8::1" },
		{ "2001:db8::1:1234", "2001:db8::1:1234" },
		{ "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535",
		    "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct peer_address bare;

		assert_true(
		    peer_address_parse_bare(span_of(rows[i][1]), &bare));
		assert_same(parse(rows[i][0]), bare);
	}
}

static void
test_anything_else_is_no_address(void **state)
{
	static const char *const rows[] = { "", " ", ":", "[", "]", "[]",
		"[]:", "[]:80", ":80", "unix", "unix:", "unknown", "_hidden",
		"localhost", "localhost:80", "192.0.2", "192.0.2.256",
		"192.0.2.01", "192.0.2.1.1", "192.0.2.-1", "0xc0000201",
		"3221225985", " 192.0.2.1", "192.0.2.1 ", "192.0.2.1\n",
		"192.0.2.1:", "192.0.2.1:65536", "192.0.2.1:-1", "192.0.2.1: 1",
		"192.0.2.1:80:80", "192.0.2.1:http", "192.0.2.1:_",
		"192.0.2.1:_a b", "192.0.2.1:_a/", "192.0.2.1/24",
		"[192.0.2.1]", "[192.0.2.1]:80", "[192.0.2.1:80]",
		"2001:db8::1::2", "2001:db8", "2001:db8::g", "2001:db8::1%eth0",
		"[fe80::1%1]", "fe80::1%1", "[2001:db8::1", "2001:db8::1]",
		"2001:db8::1]:80", "[2001:db8::1]80",
		"[2001:db8::1]:", "[2001:db8::1]:65536", "[2001:db8::1]]",
		"[[2001:db8::1]]", "[2001:db8::1] :80", ":::", "1:2:3:4:5:6:7",
		"1:2:3:4:5:6:7:8:9",
		"12345::", "0000:0000:0000:0000:0000:0000:255.255.255.2555",
		"1111:2222:3333:4444:5555:6666:7777:8888:9999:0000:1111:2222" };

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct peer_address peer = { .ip = "kept" };

		if (peer_address_parse(span_of(rows[i]), &peer) ||
		    peer_address_parse_bare(span_of(rows[i]), &peer))
			fail_msg("accepted: %s", rows[i]);
		assert_string_equal((const char *)peer.ip, "kept");
	}
}

static void
test_a_bare_address_has_no_port_and_no_brackets(void **state)
{
	static const char *const rows[] = { "192.0.2.1:1234", "[2001:db8::1]",
		"[2001:db8::1]:1234" };
	struct peer_address peer;

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++)
		assert_false(peer_address_parse_bare(span_of(rows[i]), &peer));
}

static void
test_a_span_is_not_read_beyond_its_end_or_a_nul(void **state)
{
	static const char nul_inside[] = "192.0.2.1\0001";
	struct peer_address peer;

	(void)state;
	assert_true(
	    peer_address_parse((struct span){ "192.0.2.123", 9 }, &peer));
	assert_same(peer, parse("192.0.2.1"));
	assert_true(
	    peer_address_parse((struct span){ "192.0.2.1:80", 11 }, &peer));
	assert_false(
	    peer_address_parse((struct span){ "192.0.2.1:80", 10 }, &peer));
	for (size_t len = 10; len < sizeof(nul_inside); len++)
		assert_false(peer_address_parse(
		    (struct span){ nul_inside, len }, &peer));
	assert_false(peer_address_parse((struct span){ NULL, 0 }, &peer));
	assert_false(peer_address_parse_bare((struct span){ NULL, 0 }, &peer));
}

static void
assert_key(struct peer_address peer, const char *key, bool is_exempt)
{
	const struct address address = address_of_peer(&peer);
	const struct peer_address expected = parse(key);

	assert_memory_equal(address.key, expected.ip, ADDRESS_KEY_SIZE);
	assert_int_equal(address.is_exempt, is_exempt);
}

static void
test_limits_count_ipv4_addresses_and_ipv6_64s(void **state)
{
	(void)state;
	assert_key(parse("192.0.2.1"), "::ffff:192.0.2.1", false);
	assert_key(parse("::ffff:192.0.2.1"), "::ffff:192.0.2.1", false);
	assert_key(parse("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::", false);
	assert_key(accept_ipv6("2001:db8:1:2::7"), "2001:db8:1:2::", false);
}

static void
test_limits_leave_out_loopback_and_unix(void **state)
{
	(void)state;
	assert_key(parse("127.0.0.1"), "::ffff:127.0.0.1", true);
	assert_key(parse("::ffff:127.255.255.254"), "127.255.255.254", true);
	assert_key(parse("::1"), "::", true);
	assert_key(accept_unix(), "::", true);
	assert_key(parse("126.255.255.255"), "126.255.255.255", false);
	assert_key(parse("128.0.0.1"), "128.0.0.1", false);
	assert_key(parse("::2"), "::", false);
	assert_key(parse("::"), "::", false);
	assert_key(parse("::127.0.0.1"), "::", false);
	assert_key(parse("7f00::1"), "7f00::", false);
}

static void
test_a_socket_counts_as_its_address_does(void **state)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct peer_address peer;
	struct address address;

	(void)state;
	assert_int_equal(
	    inet_pton(AF_INET6, "2001:db8:1:2::7", &in6.sin6_addr), 1);
	peer = peer_address_of((const struct sockaddr *)&in6);
	address = address_of_peer(&peer);
	assert_memory_equal(
	    address.key, parse("2001:db8:1:2::").ip, ADDRESS_KEY_SIZE);
	assert_false(address.is_exempt);
}

static struct address_counts counts;

static int
set_up_counts(void **state)
{
	(void)state;
	address_counts_init(&counts);
	return 0;
}

/* Nothing is kept of whoever has no connection. */
static int
tear_down_counts(void **state)
{
	(void)state;
	assert_null(counts.by_key);
	return 0;
}

/* An address of 2001:db8:NETWORK::/48, in the /64 of this number. */
static struct address
in_network(unsigned network, unsigned subnet)
{
	struct peer_address peer;
	char text[64];

	snprintf(text, sizeof(text), "2001:db8:%x:%x::1", network, subnet);
	peer = parse(text);
	return address_of_peer(&peer);
}

static bool
add(struct address address, uint32_t max)
{
	return address_counts_add(&counts, &address, max);
}

static void
take_away(struct address address)
{
	address_counts_remove(&counts, &address);
}

static void
test_a_48_has_eight_times_the_connections_of_a_64(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 8; i++) {
		assert_true(add(in_network(1, i), 2));
		assert_true(add(in_network(1, i), 2));
		assert_false(add(in_network(1, i), 2));
	}
	for (unsigned i = 8; i < 100; i++)
		assert_false(add(in_network(1, i), 2));
	assert_true(add(in_network(2, 0), 2));
	/* What was refused is not counted: one goes, one may come. */
	take_away(in_network(1, 3));
	assert_true(add(in_network(1, 100), 2));
	assert_false(add(in_network(1, 100), 2));
	take_away(in_network(1, 100));
	take_away(in_network(1, 3));
	take_away(in_network(2, 0));
	for (unsigned i = 0; i < 8; i++)
		for (unsigned k = i == 3 ? 2 : 0; k < 2; k++)
			take_away(in_network(1, i));
}

static void
test_no_limit_is_none_for_a_48_either(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		assert_true(add(in_network(1, i % 3), 0));
	for (unsigned i = 0; i < 1000; i++)
		take_away(in_network(1, i % 3));
}

static void
test_ipv4_addresses_do_not_share_a_limit(void **state)
{
	struct peer_address peer = parse("192.0.2.0");

	(void)state;
	for (unsigned i = 0; i < 1000; i++) {
		peer.ip[15] = (uint8_t)(i % 250);
		assert_true(add(address_of_peer(&peer), 4));
	}
	for (unsigned i = 0; i < 1000; i++) {
		peer.ip[15] = (uint8_t)(i % 250);
		assert_false(add(address_of_peer(&peer), 4 - i / 250));
		take_away(address_of_peer(&peer));
	}
}

#define COUNTS_TEST(name) \
	cmocka_unit_test_setup_teardown(name, set_up_counts, tear_down_counts)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_a_text_and_a_socket_give_the_same_address),
		cmocka_unit_test(test_ipv4_is_the_same_through_an_ipv6_socket),
		cmocka_unit_test(test_ipv4_is_told_from_ipv6_and_unix),
		cmocka_unit_test(test_what_is_not_ip_is_a_unix_socket),
		cmocka_unit_test(test_ports_and_brackets_do_not_matter),
		cmocka_unit_test(test_anything_else_is_no_address),
		cmocka_unit_test(
		    test_a_bare_address_has_no_port_and_no_brackets),
		cmocka_unit_test(
		    test_a_span_is_not_read_beyond_its_end_or_a_nul),
		cmocka_unit_test(test_limits_count_ipv4_addresses_and_ipv6_64s),
		cmocka_unit_test(test_limits_leave_out_loopback_and_unix),
		cmocka_unit_test(test_a_socket_counts_as_its_address_does),
		COUNTS_TEST(test_a_48_has_eight_times_the_connections_of_a_64),
		COUNTS_TEST(test_no_limit_is_none_for_a_48_either),
		COUNTS_TEST(test_ipv4_addresses_do_not_share_a_limit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
