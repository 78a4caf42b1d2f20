/* route.h - the paths, and the methods and bodies of each.
 *
 * Floor: api.  Any thread; pure.
 */
#ifndef PEERPOST_API_ROUTE_H
#define PEERPOST_API_ROUTE_H

#include <stdbool.h>
#include <stddef.h>

#include "api/request.h"

enum route_kind {
	ROUTE_COMMAND,  /* one command; the body is its data */
	ROUTE_ENVELOPE, /* /command */
	ROUTE_EVENTS,
	ROUTE_ROOM,
	ROUTE_ICE_SERVERS,
	ROUTE_HEALTH,
	ROUTE_READY, /* at LISTENER_ADMIN, like the next */
	ROUTE_ADMIN, /* see api/admin/route.h */
	/* These are answered without the engine: */
	ROUTE_RELOAD,  /* at LISTENER_ADMIN, by the transport's on_reload */
	ROUTE_METRICS, /* at LISTENER_ADMIN */
	ROUTE_PAGE,    /* the page at / */
	ROUTE_ASSET,   /* a file */
	ROUTE_DEMO,    /* the same, if the demo is enabled */
};

struct route {
	const char *path;
	enum route_kind kind;
	const char *allow;             /* the Allow header */
	const struct command *command; /* of ROUTE_COMMAND */
	const struct asset *asset;     /* of ROUTE_ASSET and ROUTE_DEMO; NULL: a
	                                * redirect to the path with a slash */
};

/* Whether path matches route_path, with or without one more slash at its end.
 */
bool route_fits(const char *route_path, const char *path);

/* The route of this path (decoded, without the base path), or NULL.  An extra
 * slash at its end is ignored, unless another route has that path; a file has
 * none. */
const struct route *route_find(const char *path);

/* The command with this code ("###!RP"), or NULL. */
const struct command *command_find(struct span code);

/* Whether the route serves the method. */
bool route_allows(const struct route *route, enum method method);

/* The routes in order, for counting: the number of a route (NULL: 0), and the
 * path of the route with a number, or "-"; beyond the last one NULL. */
size_t route_number(const struct route *route);
const char *route_numbered(size_t number);

/* The code of failures on this route; route may be NULL. */
const char *route_failure_code(const struct route *route);

#endif
