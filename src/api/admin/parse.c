/* parse.c - see parse.h. */
#include "api/admin/parse.h"

#include "api/admin/metrics.h"
#include "api/admin/route.h"
#include "api/parse.h"
#include "api/parse_body.h"
#include "api/reply.h"
#include "api/target.h"

/* For lists in pages: where to continue, and how much to show. */
static MUST_CHECK enum err
read_query(struct request *request, struct span query)
{
	struct poll_args *args = &request->poll;
	struct target_member member;
	bool has_more;
	enum err err;

	while ((err = target_next_member(&query, &member, &has_more)) ==
		ERR_NONE &&
	    has_more) {
		if (strcmp(member.name, "after") == 0)
			err = parse_number(
			    request, &member, &args->has_after, &args->after);
		else if (strcmp(member.name, "max") == 0)
			err = parse_number(
			    request, &member, &args->has_max, &args->max);
		if (err)
			return err;
	}
	return err;
}

/* The route at this path, by the class of the request's listener, or NULL.
 * LISTENER_METRICS has no routes that change anything or that show players or
 * rooms. */
static const struct route *
find_route(struct request *request, const char *path)
{
	const struct route *route = admin_route_find(path, request->argument);

	if (!route || request->listener_class == LISTENER_ADMIN)
		return route;
	return route->kind == ROUTE_HEALTH || route->kind == ROUTE_READY ||
		route->kind == ROUTE_METRICS ?
	    route :
	    NULL;
}

static MUST_CHECK enum err
check(struct request *request)
{
	struct target target;
	enum err err = target_parse(request->target, "", &target);

	if (err)
		return err;
	request->route = find_route(request, target.path);
	if (!request->route)
		return ERR_NOT_FOUND;
	if (request->method == METHOD_OPTIONS ||
	    !route_allows(request->route, request->method))
		return ERR_METHOD_NOT_ALLOWED;
	if (request->is_too_large)
		return ERR_TOO_LARGE;
	if (parse_is_encoded(request))
		return ERR_UNSUPPORTED_ENCODING;
	return read_query(request, target.query);
}

bool
admin_parse(struct request *request)
{
	enum err err;

	if (request->is_foreign) {
		reply_fail_admin(request, 403, "cross-site",
		    "Web pages have no access here. Over TCP, Host must be "
		    "an address or localhost.");
		return false;
	}
	err = check(request);
	if (!err && request->route->kind == ROUTE_METRICS) {
		/* Here, so that they are available while the disk hangs. */
		metrics_answer(request);
		return false;
	}
	if (!err)
		return true;
	request->err = err;
	reply_fail_as(request, NULL, err);
	if (err == ERR_METHOD_NOT_ALLOWED)
		request->reply.allow = request->route->allow;
	return false;
}
