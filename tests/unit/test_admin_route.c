/* test_admin_route.c - the paths of the admin listener. */
#include "tests/unit/unit.h"

#include <string.h>

#include "api/admin/route.h"

static const struct {
	const char *path;
	const char *pattern; /* NULL: there is none */
	const char *argument;
} cases[] = {
	{ "/healthz", "/healthz", "" },
	{ "/readyz", "/readyz", "" },
	{ "/readyz/", "/readyz", "" },
	{ "/status", "/status", "" },
	{ "/backup", "/backup", "" },
	{ "/reload", "/reload", "" },
	{ "/log-level", "/log-level", "" },
	{ "/rooms", "/rooms", "" },
	{ "/rooms/", "/rooms", "" },
	{ "/status/", "/status", "" },
	{ "/status//", NULL, "" },
	{ "/rooms/x", "/rooms/*", "x" },
	{ "/rooms/x/", "/rooms/*", "x" },
	{ "/rooms/x//", NULL, "" },
	{ "/rooms/x/clos", NULL, "" },
	{ "/rooms/x/closed", NULL, "" },
	{ "/rooms//close", NULL, "" },
	{ "/rooms/x/y/close", NULL, "" },
	{ "/rooms/50f8977e-049b-47ec-bc77-77d52ff43255/close", "/rooms/*/close",
	    "50f8977e-049b-47ec-bc77-77d52ff43255" },
	{ "/rooms/50f8977e-049b-47ec-bc77-77d52ff432550/close", NULL, "" },
	{ "/players/12/kick", "/players/*/kick", "12" },
	{ "/players/12/kick/", "/players/*/kick", "12" },
	{ "/players/12/kick/x", NULL, "" },
	{ "/players/12", NULL, "" },
	{ "/", NULL, "" },
	{ "", NULL, "" },
	{ "/*", NULL, "" },
	/* What players are served. */
	{ "/register", NULL, "" },
	{ "/events", NULL, "" },
	{ "/room", NULL, "" },
};

static void
test_a_path_has_its_route_and_argument(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char argument[REQUEST_ARGUMENT_SIZE] = "";
		const struct route *route = admin_route_find(
		    cases[i].path, argument);

		if (!cases[i].pattern) {
			assert_null(route);
			continue;
		}
		assert_non_null(route);
		assert_string_equal(route->path, cases[i].pattern);
		assert_string_equal(argument, cases[i].argument);
	}
}

static void
test_players_find_none_of_them(void **state)
{
	(void)state;
	assert_null(route_find("/readyz"));
	assert_null(route_find("/metrics"));
	assert_null(route_find("/status"));
	assert_null(route_find("/rooms"));
	assert_null(route_find("/backup"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_path_has_its_route_and_argument),
		cmocka_unit_test(test_players_find_none_of_them),
	};

	return cmocka_run_group_tests_name("admin_route", tests, NULL, NULL);
}
