/* route.c - see route.h.  Two dozen rows: a linear search is fast enough. */
#include "api/route.h"

#include <string.h>

#include "api/asset_files.h"
#include "api/command.h"

#define ALLOW_POST "POST, OPTIONS"
#define ALLOW_GET "GET, OPTIONS"
#define ALLOW_GET_POST "GET, POST, OPTIONS"
#define ALLOW_GET_HEAD "GET, HEAD, OPTIONS"

#define FILE_OF(name) &asset_files[ASSET_##name]

static const struct route routes[] = {
	{ "/events", ROUTE_EVENTS, ALLOW_GET_POST, NULL, NULL },
	{ "/command", ROUTE_ENVELOPE, ALLOW_POST, NULL, NULL },
	{ "/candidate", ROUTE_COMMAND, ALLOW_POST, &command_candidate, NULL },
	{ "/offer", ROUTE_COMMAND, ALLOW_POST, &command_offer, NULL },
	{ "/answer", ROUTE_COMMAND, ALLOW_POST, &command_answer, NULL },
	{ "/message", ROUTE_COMMAND, ALLOW_POST, &command_message, NULL },
	{ "/register", ROUTE_COMMAND, ALLOW_POST, &command_register, NULL },
	{ "/create-room", ROUTE_COMMAND, ALLOW_POST, &command_create_room,
	    NULL },
	{ "/join-room", ROUTE_COMMAND, ALLOW_POST, &command_join_room, NULL },
	{ "/seal-room", ROUTE_COMMAND, ALLOW_POST, &command_seal_room, NULL },
	{ "/leave-room", ROUTE_COMMAND, ALLOW_POST, &command_leave_room, NULL },
	{ "/unregister", ROUTE_COMMAND, ALLOW_POST, &command_unregister, NULL },
	{ "/room", ROUTE_ROOM, ALLOW_GET, NULL, NULL },
	{ "/ice-servers", ROUTE_ICE_SERVERS, ALLOW_GET, NULL, NULL },
	{ "/healthz", ROUTE_HEALTH, ALLOW_GET_HEAD, NULL, NULL },
	{ "/", ROUTE_PAGE, ALLOW_GET_HEAD, NULL, NULL },
	{ "/peerpost.js", ROUTE_ASSET, ALLOW_GET_HEAD, NULL,
	    FILE_OF(PEERPOST_JS) },
	{ "/peerpost.d.ts", ROUTE_ASSET, ALLOW_GET_HEAD, NULL,
	    FILE_OF(PEERPOST_D_TS) },
	{ "/openapi.yaml", ROUTE_ASSET, ALLOW_GET_HEAD, NULL,
	    FILE_OF(OPENAPI_YAML) },
	{ "/demo", ROUTE_DEMO, ALLOW_GET_HEAD, NULL, NULL },
	{ "/demo/", ROUTE_DEMO, ALLOW_GET_HEAD, NULL, FILE_OF(INDEX_HTML) },
	{ "/demo/demo.js", ROUTE_DEMO, ALLOW_GET_HEAD, NULL, FILE_OF(DEMO_JS) },
	{ "/demo/demo.css", ROUTE_DEMO, ALLOW_GET_HEAD, NULL,
	    FILE_OF(DEMO_CSS) },
};

#define N_ROUTES (sizeof(routes) / sizeof(routes[0]))

bool
route_fits(const char *route_path, const char *path)
{
	size_t len = strlen(route_path);

	return strncmp(path, route_path, len) == 0 &&
	    (path[len] == '\0' || strcmp(path + len, "/") == 0);
}

const struct route *
route_find(const char *path)
{
	const struct route *found = NULL;

	for (size_t i = 0; i < N_ROUTES; i++) {
		if (strcmp(path, routes[i].path) == 0)
			return &routes[i];
		if (!found && !routes[i].asset &&
		    route_fits(routes[i].path, path))
			found = &routes[i];
	}
	return found;
}

const struct command *
command_find(struct span code)
{
	for (size_t i = 0; i < N_ROUTES; i++) {
		const struct command *command = routes[i].command;

		if (command && span_equals(code, command->code))
			return command;
	}
	return NULL;
}

bool
route_allows(const struct route *route, enum method method)
{
	switch (method) {
	case METHOD_GET:
		return strstr(route->allow, "GET") != NULL;
	case METHOD_HEAD:
		return strstr(route->allow, "HEAD") != NULL;
	case METHOD_POST:
		return strstr(route->allow, "POST") != NULL;
	case METHOD_OPTIONS:
		return true;
	case METHOD_OTHER:
		break;
	}
	return false;
}

size_t
route_number(const struct route *route)
{
	return route ? (size_t)(route - routes) + 1 : 0;
}

const char *
route_numbered(size_t number)
{
	if (number == 0)
		return "-";
	return number <= N_ROUTES ? routes[number - 1].path : NULL;
}

const char *
route_failure_code(const struct route *route)
{
	return route && route->command ? route->command->failed : "###!ICB";
}
