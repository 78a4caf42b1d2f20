/* route.c - see route.h.  Sixteen rows: a search from the top will do. */
#include "api/route.h"

#include <string.h>

#include "api/command.h"

#define ALLOW_POST "POST, OPTIONS"
#define ALLOW_GET "GET, OPTIONS"
#define ALLOW_GET_POST "GET, POST, OPTIONS"
#define ALLOW_GET_HEAD "GET, HEAD, OPTIONS"

static const struct route routes[] = {
	{ "/events", ROUTE_EVENTS, ALLOW_GET_POST, NULL },
	{ "/command", ROUTE_ENVELOPE, ALLOW_POST, NULL },
	{ "/candidate", ROUTE_COMMAND, ALLOW_POST, &command_candidate },
	{ "/offer", ROUTE_COMMAND, ALLOW_POST, &command_offer },
	{ "/answer", ROUTE_COMMAND, ALLOW_POST, &command_answer },
	{ "/message", ROUTE_COMMAND, ALLOW_POST, &command_message },
	{ "/register", ROUTE_COMMAND, ALLOW_POST, &command_register },
	{ "/create-room", ROUTE_COMMAND, ALLOW_POST, &command_create_room },
	{ "/join-room", ROUTE_COMMAND, ALLOW_POST, &command_join_room },
	{ "/seal-room", ROUTE_COMMAND, ALLOW_POST, &command_seal_room },
	{ "/leave-room", ROUTE_COMMAND, ALLOW_POST, &command_leave_room },
	{ "/unregister", ROUTE_COMMAND, ALLOW_POST, &command_unregister },
	{ "/room", ROUTE_ROOM, ALLOW_GET, NULL },
	{ "/ice-servers", ROUTE_ICE_SERVERS, ALLOW_GET, NULL },
	{ "/healthz", ROUTE_HEALTH, ALLOW_GET_HEAD, NULL },
	{ "/", ROUTE_PAGE, ALLOW_GET_HEAD, NULL },
};

const struct route *
route_find(const char *path)
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (strcmp(path, routes[i].path) == 0)
			return &routes[i];
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

const char *
route_failure_code(const struct route *route)
{
	return route && route->command ? route->command->failed : "###!ICB";
}
