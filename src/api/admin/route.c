/* route.c - see route.h. */
#include "api/admin/route.h"

#include <string.h>

#include "api/admin/backup.h"

#define GET "GET"
#define GET_HEAD "GET, HEAD"
#define POST "POST"

/* A route that the engine answers with its own function. */
#define SERVE(path, allow, run) \
	{ \
		{ path, ROUTE_ADMIN, allow, NULL, NULL }, run \
	}

static const struct admin_route routes[] = {
	{ { "/healthz", ROUTE_HEALTH, GET_HEAD, NULL, NULL }, NULL },
	{ { "/metrics", ROUTE_METRICS, GET_HEAD, NULL, NULL }, NULL },
	{ { "/readyz", ROUTE_READY, GET_HEAD, NULL, NULL }, NULL },
	{ { "/reload", ROUTE_RELOAD, POST, NULL, NULL }, NULL },
	SERVE("/status", GET, get_status_run),
	SERVE("/rooms", GET, get_rooms_run),
	SERVE("/rooms/*", GET, get_one_room_run),
	SERVE("/rooms/*/close", POST, close_room_run),
	SERVE("/players/*/kick", POST, kick_player_run),
	SERVE("/log-level", POST, set_log_level_run),
	SERVE("/backup", POST, backup_run),
};

/* Whether path matches pattern, whose "*" stands for one non-empty segment. */
static bool
fits(const char *pattern, const char *path,
    char out_argument[REQUEST_ARGUMENT_SIZE])
{
	const char *star = strchr(pattern, '*');
	size_t before, len;

	if (!star)
		return route_fits(pattern, path);
	before = (size_t)(star - pattern);
	if (strncmp(pattern, path, before) != 0)
		return false;
	len = strcspn(path + before, "/");
	if (len == 0 || len >= REQUEST_ARGUMENT_SIZE ||
	    !route_fits(star + 1, path + before + len))
		return false;
	memcpy(out_argument, path + before, len);
	out_argument[len] = '\0';
	return true;
}

const struct route *
admin_route_find(const char *path, char out_argument[REQUEST_ARGUMENT_SIZE])
{
	for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
		if (fits(routes[i].route.path, path, out_argument))
			return &routes[i].route;
	return NULL;
}

enum err
admin_route_run(struct transaction *txn, struct request *request)
{
	const struct admin_route
	    *route = (const struct admin_route *)(const void *)request->route;

	return route->run(txn, request);
}
