/* test_admin_guard.c - which requests a web page may be behind. */
#include "tests/unit/unit.h"

#include "net/admin_guard.h"

static const struct peer_address tcp = { .ip = { [15] = 1 } };
static const struct peer_address unix_socket = { .is_unix = true };

static bool
is_foreign(const char *host, const char *origin, const char *fetch_site)
{
	return admin_guard_is_foreign(
	    &tcp, span_of(host), span_of(origin), span_of(fetch_site));
}

static void
test_addresses_and_localhost_are_no_names_of_others(void **state)
{
	static const char *const fine[] = { "127.0.0.1", "127.0.0.1:9000",
		"[::1]", "[::1]:9000", "10.1.2.3:80", "localhost",
		"LocalHost:9000" };
	static const char *const foreign[] = { "", "evil.example",
		"evil.example:9000", "localhost.evil.example",
		"127.0.0.1.evil.example", "localhost:evil", "localhost:9000:1",
		"localhost:99999", "localhos", "localhost.", "1.2.3",
		"[::1].evil.example", "evil@127.0.0.1", ":9000" };

	(void)state;
	for (size_t i = 0; i < sizeof(fine) / sizeof(fine[0]); i++)
		assert_false(is_foreign(fine[i], NULL, NULL));
	for (size_t i = 0; i < sizeof(foreign) / sizeof(foreign[0]); i++)
		assert_true(is_foreign(foreign[i], NULL, NULL));
	assert_false(is_foreign(NULL, NULL, NULL)); /* HTTP/1.0 */
}

static void
test_what_a_browser_sends_across_sites_is_foreign(void **state)
{
	(void)state;
	assert_true(is_foreign("localhost", "https://evil.example", NULL));
	assert_true(is_foreign("localhost", "null", NULL));
	assert_true(is_foreign("localhost", "", NULL));
	assert_true(is_foreign("localhost", NULL, "cross-site"));
	assert_true(is_foreign("localhost", NULL, "same-site"));
	assert_true(is_foreign("localhost", NULL, "same-origin"));
	assert_false(is_foreign("localhost", NULL, "none"));
}

static void
test_a_unix_socket_has_any_host_but_no_pages(void **state)
{
	struct span none = { NULL, 0 };

	(void)state;
	assert_false(admin_guard_is_foreign(
	    &unix_socket, span_of("anything"), none, none));
	assert_true(admin_guard_is_foreign(
	    &unix_socket, span_of("localhost"), span_of("null"), none));
	assert_true(admin_guard_is_foreign(
	    &unix_socket, span_of("localhost"), none, span_of("cross-site")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_addresses_and_localhost_are_no_names_of_others),
		cmocka_unit_test(
		    test_what_a_browser_sends_across_sites_is_foreign),
		cmocka_unit_test(test_a_unix_socket_has_any_host_but_no_pages),
	};

	return cmocka_run_group_tests_name("admin_guard", tests, NULL, NULL);
}
