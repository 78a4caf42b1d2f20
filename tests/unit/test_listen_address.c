/* test_listen_address.c - where to listen, and what is said of mistakes. */
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/un.h>

#include "net/listen_address.h"

static void
test_what_is_an_address(void **state)
{
	static const struct {
		const char *text;
		int family;
	} good[] = {
		{ "127.0.0.1:8080", AF_INET },
		{ "0.0.0.0:0", AF_INET },
		{ "[::1]:65535", AF_INET6 },
		{ "[::]:0", AF_INET6 },
		{ "unix:/run/x.sock", AF_UNIX },
		{ "unix:x", AF_UNIX },
		{ "unix:a b:c=d", AF_UNIX },
	};
	char why[LISTEN_WHY_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		struct listen_address address;

		assert_true(listen_address_parse(good[i].text, &address, why));
		assert_int_equal(address.addr.ss_family, good[i].family);
		assert_false(address.access.has_mode);
		assert_false(address.access.has_group);
	}
}

/* Every address in the sentence, but for what it quotes, is a good one. */
static void
assert_advice_is_taken(const char *text, const char *why)
{
	static const char *const others[] = { "ADDR:PORT", "unix:PATH",
		"http://", "https://", "://" };
	char copy[LISTEN_WHY_SIZE], *rest = copy, *word;

	if (why[0] == '\'' && strncmp(why + 1, text, strlen(text)) == 0)
		why += strlen(text) + 2;
	strcpy(copy, why);
	while ((word = strsep(&rest, " ")) != NULL) {
		size_t len = strlen(word);
		char inner[LISTEN_WHY_SIZE];
		struct listen_address address;
		bool is_other = false;

		if (len && strchr(",:", word[len - 1]))
			word[len - 1] = '\0';
		for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
			is_other |= strcmp(word, others[i]) == 0;
		if (is_other || !strchr(word, ':'))
			continue;
		if (!listen_address_parse(word, &address, inner))
			fail_msg("%s: %s: %s", text, word, inner);
	}
}

static void
test_a_mistake_is_answered_by_what_would_be_right(void **state)
{
	static const struct {
		const char *text;
		const char *said; /* a part of the sentence */
	} bad[] = {
		{ "", "such as 127.0.0.1:8080" },
		{ "nowhere", "such as 127.0.0.1:8080" },
		{ "8080", "use 127.0.0.1:8080, or 0.0.0.0:8080" },
		{ ":8080", "use 127.0.0.1:8080, or 0.0.0.0:8080" },
		{ "*:80", "use 127.0.0.1:80, or 0.0.0.0:80" },
		{ "localhost:8080",
		    "host names are not looked up: use 127.0.0.1:8080" },
		{ "LOCALHOST:1", "not looked up: use 127.0.0.1:1" },
		{ "game.example:80", "not looked up: use an address" },
		{ "999.1.1.1:80", "is not an IPv4 address" },
		{ "127.0.0.1", "has no port: use 127.0.0.1:8080" },
		{ "[::1]", "has no port: use [::1]:8080" },
		{ "::1", "use [::1]:8080" },
		{ "::1:80", "use [::1]:80" },
		{ "[::1]:", "has no port: use [::1]:8080" },
		{ "[::1]80", "has no port: use [::1]:8080" },
		{ "[::1]:x", "'x' is not a port" },
		{ "[::1", "has no closing bracket: use [::1]:8080" },
		{ "[::1:80", "has no closing bracket: use [::1]:80" },
		{ "[]", "is not an IPv6 address in brackets" },
		{ "[", "is not an IPv6 address in brackets" },
		{ "[]:80", "use one such as [::1]:80" },
		{ "[x]", "is not an IPv6 address in brackets" },
		{ "[1.2.3]", "is not an IPv6 address in brackets" },
		{ "[1.2.3.4]", "use 1.2.3.4:8080" },
		{ "[1.2.3.4]:80", "use 1.2.3.4:80" },
		{ ":", "such as 127.0.0.1:8080" },
		{ "x:", "such as 127.0.0.1:8080" },
		{ "::", "use [::]:8080" },
		{ "fe80::1%eth0:80", "is written [::1]:80" },
		{ "127.0.0.1:", "has no port: use 127.0.0.1:8080" },
		{ "127.0.0.1:x", "'x' is not a port" },
		{ "127.0.0.1:65536", "'65536' is not a port" },
		{ "127.0.0.1:80/", "remove the path, see" },
		{ "127.0.0.1:80/signal", "--base-path" },
		{ "/run/x.sock", "use unix:/run/x.sock" },
		{ "./x.sock", "use unix:./x.sock" },
		{ "/run/x.sock,mode=660", "use unix:/run/x.sock,mode=660" },
		{ "/run/x.sock:80", "use unix:/run/x.sock:80" },
		{ "/run/x,y.sock", "use unix:PATH for a Unix socket" },
		{ "http://127.0.0.1:80", "takes no http:// or https://" },
		{ "https://[::1]:80", "takes no http:// or https://" },
		{ "ftp://127.0.0.1:80", "leave out the part up to ://" },
		{ "unix:", "has no path" },
		{ "unix:,mode=0660", "has no path" },
		{ "unix:x,", "has no comma" },
		{ "unix:x,y", "'y' is not mode=MODE or group=GROUP" },
		{ "unix:x,mode=", "'' is not a mode" },
		{ "unix:x,mode=888", "'888' is not a mode" },
		{ "unix:x,mode=1777", "such as 0660" },
		{ "unix:x,mode=660,mode=660", "mode= is given twice" },
		{ "unix:x,group=0,group=0", "group= is given twice" },
		{ "unix:x,group=", "there is no group ''" },
		{ "unix:x,group=no-such-group-here",
		    "there is no group 'no-such-group-here'" },
	};
	char why[LISTEN_WHY_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct listen_address address;

		why[0] = '\0';
		assert_false(listen_address_parse(bad[i].text, &address, why));
		if (!strstr(why, bad[i].said))
			fail_msg("%s: %s", bad[i].text, why);
		assert_advice_is_taken(bad[i].text, why);
	}
}

/* Whatever is written, and however much of it. */
static void
test_long_texts_are_mistakes_like_others(void **state)
{
	static const char *const begins[] = { "", "unix:", "unix:x,", "[", ":",
		"unix:x,mode=", "unix:x,group=", "http://", "127.0.0.1:", "/" };
	static const char *const ends[] = { "", ":80", "]:80", "/", ":x" };
	char text[3000], why[LISTEN_WHY_SIZE];
	struct listen_address address;

	(void)state;
	for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++)
		for (size_t j = 0; j < sizeof(ends) / sizeof(ends[0]); j++)
			for (size_t n = 60; n < 2900; n += n < 300 ? 1 : 400) {
				strcpy(text, begins[i]);
				memset(text + strlen(begins[i]), 'h', n);
				strcpy(text + strlen(begins[i]) + n, ends[j]);
				why[0] = '\0';
				if (!listen_address_parse(text, &address, why))
					assert_true(why[0]);
			}
}

static void
test_a_unix_socket_has_mode_and_group(void **state)
{
	struct listen_address address;
	char why[LISTEN_WHY_SIZE];
	struct sockaddr_un un;

	(void)state;
	assert_true(
	    listen_address_parse("unix:/x,group=33,mode=0660", &address, why));
	memcpy(&un, &address.addr, sizeof(un));
	assert_string_equal(un.sun_path, "/x");
	assert_true(address.access.has_mode && address.access.has_group);
	assert_int_equal(address.access.mode, 0660);
	assert_int_equal(address.access.group, 33);
	assert_true(listen_address_parse("unix:/x,mode=600", &address, why));
	assert_int_equal(address.access.mode, 0600);
	assert_false(address.access.has_group);
}

static void
test_the_address_wins_over_the_option(void **state)
{
	const struct listen_access own = { .has_mode = true, .mode = 0600 };
	const struct listen_access others = { .has_mode = true,
		.mode = 0666,
		.has_group = true,
		.group = 7,
		.has_owner = true,
		.owner = 8 };
	struct listen_access both = listen_access_or(&own, &others);

	(void)state;
	assert_int_equal(both.mode, 0600);
	assert_true(both.has_group && both.has_owner);
	assert_int_equal(both.group, 7);
	assert_int_equal(both.owner, 8);
}

static void
test_a_group_without_a_mode_is_let_in(void **state)
{
	const struct listen_access group = { .has_group = true, .group = 7 };
	const struct listen_access none = { .has_mode = false };
	const struct listen_access narrow = { .has_mode = true, .mode = 0600 };
	const struct listen_access wide = { .has_mode = true, .mode = 0666 };

	(void)state;
	assert_int_equal(listen_access_or(&group, &narrow).mode, 0660);
	assert_int_equal(listen_access_or(&group, &wide).mode, 0666);
	assert_true(listen_access_or(&group, &none).has_mode);
	assert_int_equal(listen_access_or(&group, &none).mode, 0660);
	/* Not for the group of somebody else. */
	assert_false(listen_access_or(&none, &group).has_mode);
}

static void
test_urls_are_http_or_https_over_tcp(void **state)
{
	struct listen_address address;
	char why[LISTEN_WHY_SIZE];
	bool is_tls;

	(void)state;
	assert_true(
	    listen_url_parse("http://[::1]:80", &address, &is_tls, why));
	assert_false(is_tls);
	assert_true(
	    listen_url_parse("https://0.0.0.0:443", &address, &is_tls, why));
	assert_true(is_tls);
	assert_true(
	    listen_url_parse("unix:/x,mode=0660", &address, &is_tls, why));
	assert_false(is_tls);
	assert_false(
	    listen_url_parse("https://unix:/x", &address, &is_tls, why));
	assert_non_null(strstr(why, "use unix:PATH"));
	assert_false(
	    listen_url_parse("http://unix:/x", &address, &is_tls, why));
	assert_false(
	    listen_url_parse("https://0.0.0.0:443/", &address, &is_tls, why));
	assert_non_null(strstr(why, "remove the path"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_is_an_address),
		cmocka_unit_test(
		    test_a_mistake_is_answered_by_what_would_be_right),
		cmocka_unit_test(test_long_texts_are_mistakes_like_others),
		cmocka_unit_test(test_a_unix_socket_has_mode_and_group),
		cmocka_unit_test(test_the_address_wins_over_the_option),
		cmocka_unit_test(test_a_group_without_a_mode_is_let_in),
		cmocka_unit_test(test_urls_are_http_or_https_over_tcp),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
