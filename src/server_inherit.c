/* server_inherit.c - listening sockets that the service manager has opened.
 *
 * A name that is not known ends the start: whoever has set it up that way
 * would wait for ever for somebody to answer there.
 */
#include <string.h>

#include "base/log.h"
#include "server.h"

/* What is served on sockets without a name. */
#define FALLBACK "http"

static bool
is_known(const char *name)
{
	static const char *const names[] = { "http", "https", "fastcgi",
		"admin", "metrics" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(name, names[i]) == 0)
			return true;
	return false;
}

bool
server_inherit(struct server *server)
{
	struct inherited *inherited = &server->inherited;
	char why[256];

	if (!inherited_take(inherited, FALLBACK, why, sizeof(why))) {
		log_error("cannot start: %s", why);
		return false;
	}
	for (size_t i = 0; i < inherited->n_sockets; i++) {
		if (is_known(inherited->sockets[i].name))
			continue;
		log_error("cannot start: the inherited descriptor %d is named "
			  "'%s', not http, https, fastcgi, admin or metrics "
			  "(FileDescriptorName=)",
		    inherited->sockets[i].fd, inherited->sockets[i].name);
		return false;
	}
	return true;
}

bool
server_has_inherited_door(const struct server *server)
{
	return inherited_has(&server->inherited, "http") ||
	    inherited_has(&server->inherited, "https") ||
	    inherited_has(&server->inherited, "fastcgi");
}

void
server_adopt(
    struct server *server, const char *name, listener_accept_fn on_connection)
{
	const struct inherited *inherited = &server->inherited;

	for (size_t i = 0; i < inherited->n_sockets; i++)
		if (strcmp(inherited->sockets[i].name, name) == 0)
			server
			    ->listeners[server->n_listeners++] = listener_adopt(
			    server->workers[0].front.loop,
			    inherited->sockets[i].fd, name, on_connection,
			    server);
}
