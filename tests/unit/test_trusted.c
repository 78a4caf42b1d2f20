/* test_trusted.c - which peers are trusted proxies. */
#include "tests/unit/unit.h"

#include <stdio.h>

#include "net/trusted.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct peer_address unix_peer = { .is_unix = true };

static void
add(struct trusted_proxies *trusted, const char *text)
{
	if (!trusted_proxies_add(trusted, text))
		fail_msg("refused: %s", text);
}

static bool
has(const struct trusted_proxies *trusted, const char *text)
{
	struct peer_address peer;

	assert_true(peer_address_parse(span_of(text), &peer));
	return trusted_proxies_has(trusted, &peer);
}

static void
test_at_first_nobody_is_trusted(void **state)
{
	const struct trusted_proxies trusted = { .n_blocks = 0 };

	(void)state;
	assert_false(has(&trusted, "127.0.0.1"));
	assert_false(has(&trusted, "::1"));
	assert_false(has(&trusted, "::"));
	assert_false(trusted_proxies_has(&trusted, &unix_peer));
}

static void
test_none_adds_nothing(void **state)
{
	struct trusted_proxies trusted = { .n_blocks = 0 };

	(void)state;
	add(&trusted, "none");
	assert_int_equal(trusted.n_blocks, 0);
	assert_false(trusted.is_unix);
}

static void
test_unix_trusts_unix_sockets_only(void **state)
{
	struct trusted_proxies trusted = { .n_blocks = 0 };

	(void)state;
	add(&trusted, "unix");
	assert_true(trusted_proxies_has(&trusted, &unix_peer));
	assert_false(has(&trusted, "::"));
	assert_false(has(&trusted, "127.0.0.1"));
}

static void
test_no_block_holds_unix_sockets(void **state)
{
	struct trusted_proxies trusted = { .n_blocks = 0 };

	(void)state;
	add(&trusted, "::/0");
	add(&trusted, "::/128");
	add(&trusted, "0.0.0.0/0");
	assert_false(trusted_proxies_has(&trusted, &unix_peer));
}

static void
test_the_defaults_are_this_machine(void **state)
{
	struct trusted_proxies trusted = { .n_blocks = 0 };

	(void)state;
	assert_true(trusted_proxies_add(&trusted, "127.0.0.0/8"));
	assert_true(trusted_proxies_add(&trusted, "::1"));
	assert_true(trusted_proxies_add(&trusted, "unix"));
	assert_true(has(&trusted, "127.0.0.1"));
	assert_true(has(&trusted, "127.255.255.255"));
	assert_true(has(&trusted, "::ffff:127.0.0.1"));
	assert_true(has(&trusted, "::1"));
	assert_true(trusted_proxies_has(&trusted, &unix_peer));
	assert_false(has(&trusted, "126.255.255.255"));
	assert_false(has(&trusted, "128.0.0.0"));
	assert_false(has(&trusted, "::"));
	assert_false(has(&trusted, "::2"));
	assert_false(has(&trusted, "10.0.0.1"));
	assert_false(has(&trusted, "fe80::1"));
}

/* Blocks, an address of each, and one outside. */
static void
test_a_block_holds_what_begins_with_its_bits(void **state)
{
	static const char *const rows[][3] = {
		{ "10.1.2.3", "10.1.2.3", "10.1.2.2" },
		{ "10.1.2.3", "::ffff:10.1.2.3", "::10.1.2.3" },
		{ "10.1.2.3/32", "10.1.2.3", "10.1.2.4" },
		{ "192.0.2.0/24", "192.0.2.0", "192.0.1.255" },
		{ "192.0.2.0/24", "192.0.2.255", "192.0.3.0" },
		{ "192.0.2.77/24", "192.0.2.1", "192.0.3.77" },
		{ "172.16.0.0/12", "172.31.255.255", "172.32.0.0" },
		{ "172.16.0.0/12", "172.16.0.0", "172.15.255.255" },
		{ "128.0.0.0/1", "255.0.0.1", "127.255.255.255" },
		{ "192.0.2.2/31", "192.0.2.3", "192.0.2.4" },
		{ "0.0.0.0/0", "255.1.2.3", "2001:db8::1" },
		{ "0.0.0.0/0", "::ffff:1.2.3.4", "::1.2.3.4" },
		{ "::1", "::1", "::3" },
		{ "2001:db8::/32", "2001:db8:ffff::1", "2001:db9::" },
		{ "2001:db8:0:7::/64", "2001:db8:0:7::9", "2001:db8:0:8::9" },
		{ "2001:db8:ffff::1/33", "2001:db8:8000::", "2001:db8:7fff::" },
		{ "2001:db8::6/127", "2001:db8::7", "2001:db8::8" },
		{ "::/0", "ffff::1", "192.0.2.1" },
		{ "::/0", "::1", "::ffff:192.0.2.1" },
		{ "::ffff:192.0.2.0/120", "192.0.2.9", "192.0.3.9" },
		{ "::ffff:0:0/96", "192.0.2.9", "::1" },
		{ "::ffff:1.2.3.4/95", "::fffe:1.2.3.4", "1.2.3.4" },
		{ "::ffff:10.1.2.3", "10.1.2.3", "10.1.2.2" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct trusted_proxies trusted = { .n_blocks = 0 };

		add(&trusted, rows[i][0]);
		if (!has(&trusted, rows[i][1]))
			fail_msg("%s lacks %s", rows[i][0], rows[i][1]);
		if (has(&trusted, rows[i][2]))
			fail_msg("%s has %s", rows[i][0], rows[i][2]);
	}
}

/* Of every length, against arithmetic. */
static void
test_every_length_of_prefix_is_exact(void **state)
{
	(void)state;
	for (unsigned n_bits = 0; n_bits <= 32; n_bits++) {
		struct trusted_proxies trusted = { .n_blocks = 0 };
		char text[sizeof("255.255.255.255/32")];

		snprintf(text, sizeof(text), "0.0.0.0/%u", n_bits);
		add(&trusted, text);
		for (unsigned bit = 0; bit < 32; bit++) {
			uint32_t ip = UINT32_C(1) << (31 - bit);

			snprintf(text, sizeof(text), "%u.%u.%u.%u", ip >> 24,
			    ip >> 16 & 255, ip >> 8 & 255, ip & 255);
			assert_int_equal(has(&trusted, text), bit >= n_bits);
		}
	}
}

static void
test_anything_else_is_refused(void **state)
{
	static const char *const rows[] = { "", " ", "/", "/8", "all", "*",
		"NONE", "Unix", "unix:", "unix/8", "none ", " none",
		"localhost", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1",
		"10.0.0.0/+8", "10.0.0.0/ 8", "10.0.0.0/8 ", "10.0.0.0 /8",
		" 10.0.0.0/8", "10.0.0.0/8/8", "10.0.0.0/255.0.0.0",
		"10.0.0.0/0x8", "10.0.0.0/4294967296",
		"10.0.0.0/18446744073709551624", "10/8", "10.0.0/8",
		"10.0.0.1:80", "10.0.0.1:80/32", "010.0.0.0/8", "10.0.0.256",
		"10.0.0.0,10.0.0.1", "::/129", "::/", "2001:db8::/x", "[::1]",
		"[::1]/128", "[::1]:80", "fe80::1%eth0", "fe80::%1/10",
		":::", "::1::", "::ffff:1.2.3.4/129" };

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		struct trusted_proxies trusted = { .n_blocks = 0 };

		if (trusted_proxies_add(&trusted, rows[i]))
			fail_msg("accepted: %s", rows[i]);
		assert_int_equal(trusted.n_blocks, 0);
		assert_false(trusted.is_unix);
	}
}

static void
test_there_is_room_for_so_many_and_no_more(void **state)
{
	struct trusted_proxies trusted = { .n_blocks = 0 };
	char text[sizeof("10.0.255.1")];

	(void)state;
	for (unsigned i = 0; i < TRUSTED_MAX; i++) {
		snprintf(text, sizeof(text), "10.0.%u.1", i);
		add(&trusted, text);
	}
	assert_false(trusted_proxies_add(&trusted, "10.1.0.1"));
	assert_false(has(&trusted, "10.1.0.1"));
	add(&trusted, "none");
	add(&trusted, "unix");
	assert_true(trusted_proxies_has(&trusted, &unix_peer));
	for (unsigned i = 0; i < TRUSTED_MAX; i++) {
		snprintf(text, sizeof(text), "10.0.%u.1", i);
		assert_true(has(&trusted, text));
	}
	assert_false(has(&trusted, "10.0.32.1"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_at_first_nobody_is_trusted),
		cmocka_unit_test(test_none_adds_nothing),
		cmocka_unit_test(test_unix_trusts_unix_sockets_only),
		cmocka_unit_test(test_no_block_holds_unix_sockets),
		cmocka_unit_test(test_the_defaults_are_this_machine),
		cmocka_unit_test(test_a_block_holds_what_begins_with_its_bits),
		cmocka_unit_test(test_every_length_of_prefix_is_exact),
		cmocka_unit_test(test_anything_else_is_refused),
		cmocka_unit_test(test_there_is_room_for_so_many_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
