/* test_route.c - the table of routes. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <string.h>

#include "api/command.h"
#include "api/route.h"

static const struct {
	const char *path;
	enum route_kind kind;
	const char *methods; /* GHP */
	const char *code;
} expected[] = {
	{ "/events", ROUTE_EVENTS, "GP", "###!ICB" },
	{ "/command", ROUTE_ENVELOPE, "P", "###!ICB" },
	{ "/register", ROUTE_COMMAND, "P", "###!RPB" },
	{ "/create-room", ROUTE_COMMAND, "P", "###!CRB" },
	{ "/join-room", ROUTE_COMMAND, "P", "###!JRB" },
	{ "/seal-room", ROUTE_COMMAND, "P", "###!SRB" },
	{ "/leave-room", ROUTE_COMMAND, "P", "###!LRB" },
	{ "/message", ROUTE_COMMAND, "P", "###!RMB" },
	{ "/offer", ROUTE_COMMAND, "P", "###!ICB" },
	{ "/answer", ROUTE_COMMAND, "P", "###!ICB" },
	{ "/candidate", ROUTE_COMMAND, "P", "###!ICB" },
	{ "/unregister", ROUTE_COMMAND, "P", "###!ICB" },
	{ "/room", ROUTE_ROOM, "G", "###!ICB" },
	{ "/ice-servers", ROUTE_ICE_SERVERS, "G", "###!ICB" },
	{ "/healthz", ROUTE_HEALTH, "GH", "###!ICB" },
	{ "/", ROUTE_PAGE, "GH", "###!ICB" },
	{ "/peerpost.js", ROUTE_ASSET, "GH", "###!ICB" },
	{ "/peerpost.d.ts", ROUTE_ASSET, "GH", "###!ICB" },
	{ "/openapi.yaml", ROUTE_ASSET, "GH", "###!ICB" },
	{ "/demo", ROUTE_DEMO, "GH", "###!ICB" },
	{ "/demo/", ROUTE_DEMO, "GH", "###!ICB" },
	{ "/demo/demo.js", ROUTE_DEMO, "GH", "###!ICB" },
	{ "/demo/demo.css", ROUTE_DEMO, "GH", "###!ICB" },
};

#define N_EXPECTED (sizeof(expected) / sizeof(expected[0]))

static void
test_each_path_has_its_kind_and_code_of_failure(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_EXPECTED; i++) {
		const struct route *route = route_find(expected[i].path);

		assert_non_null(route);
		assert_string_equal(route->path, expected[i].path);
		assert_int_equal(route->kind, expected[i].kind);
		assert_string_equal(
		    route_failure_code(route), expected[i].code);
	}
}

static void
test_allow_says_what_is_allowed(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_EXPECTED; i++) {
		const struct route *route = route_find(expected[i].path);
		const char *methods = expected[i].methods;

		assert_int_equal(route_allows(route, METHOD_GET),
		    strchr(methods, 'G') != NULL);
		assert_int_equal(route_allows(route, METHOD_HEAD),
		    strchr(methods, 'H') != NULL);
		assert_int_equal(route_allows(route, METHOD_POST),
		    strchr(methods, 'P') != NULL);
		assert_true(route_allows(route, METHOD_OPTIONS));
		assert_false(route_allows(route, METHOD_OTHER));
		assert_int_equal(strstr(route->allow, "GET") != NULL,
		    strchr(methods, 'G') != NULL);
		assert_int_equal(strstr(route->allow, "HEAD") != NULL,
		    strchr(methods, 'H') != NULL);
		assert_int_equal(strstr(route->allow, "POST") != NULL,
		    strchr(methods, 'P') != NULL);
		assert_non_null(strstr(route->allow, "OPTIONS"));
	}
}

static void
test_a_commands_path_is_its_routes_path(void **state)
{
	static const struct command *const commands[] = { &command_register,
		&command_create_room, &command_join_room, &command_seal_room,
		&command_message, &command_offer, &command_answer,
		&command_candidate, &command_leave_room, &command_unregister };

	(void)state;
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		const struct route *route = route_find(commands[i]->path);

		assert_non_null(route);
		assert_ptr_equal(route->command, commands[i]);
		assert_ptr_equal(
		    command_find(span_of(commands[i]->code)), commands[i]);
	}
	assert_null(command_find(span_of("###!ZZ")));
	assert_null(command_find(span_of("###!R")));
	assert_null(command_find(span_of("")));
}

static void
test_other_paths_have_no_route(void **state)
{
	static const char *const paths[] = { "", "*", "/Events", "/events//",
		"/events/x", "/even", "///", "events", "/demo/x/" };

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_null(route_find(paths[i]));
	assert_string_equal(route_failure_code(NULL), "###!ICB");
}

static void
test_a_slash_at_the_end_is_passed_over(void **state)
{
	char path[64];

	(void)state;
	for (size_t i = 0; i < N_EXPECTED; i++) {
		const char *meant = expected[i].path;

		snprintf(path, sizeof(path), "%s/", meant);
		if (route_find(meant)->asset) {
			assert_null(route_find(path));
			continue;
		}
		/* One of the demo's paths is another one with a slash. */
		if (strcmp(meant, "/demo") == 0)
			meant = "/demo/";
		assert_string_equal(route_find(path)->path, meant);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_each_path_has_its_kind_and_code_of_failure),
		cmocka_unit_test(test_allow_says_what_is_allowed),
		cmocka_unit_test(test_a_commands_path_is_its_routes_path),
		cmocka_unit_test(test_other_paths_have_no_route),
		cmocka_unit_test(test_a_slash_at_the_end_is_passed_over),
	};

	return cmocka_run_group_tests_name("route", tests, NULL, NULL);
}
