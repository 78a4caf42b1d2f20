/* inherit.c - listening sockets that the service manager has opened.
 *
 * An unknown name ends the start: a client that connects there would wait for
 * ever.
 *
 * If an address in the configuration is inherited as well, or includes an
 * inherited one (0.0.0.0:8080 in the file, 127.0.0.1:8080 in the unit), it is
 * served already, and the kernel would refuse a second socket.  The daemon then
 * warns and serves the inherited socket: that is better for players than a
 * service that does not start.  But if that socket is for another protocol, the
 * daemon does not start, or it would serve plain HTTP where https was asked
 * for.
 *
 * The socket units say WantedBy=peerpost.service because systemd opens no
 * socket while its service runs: with that, a restart opens the ones that have
 * been enabled.  tests/package/service.sh tries the units in a booted system.
 */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "daemon/server.h"

/* The protocol on sockets without a name. */
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
server_has_public_socket(const struct server *server)
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

enum address_state
server_look_at_address(struct server *server, const char *text,
    const struct listen_address *address, const char *scheme)
{
	const struct inherited *inherited = &server->inherited;
	enum inherited_match match;
	const char *name;
	char unit[64];
	size_t i = 0;

	match = inherited_look_up(inherited, address, &i);
	if (match == INHERITED_NONE)
		return ADDRESS_FREE;
	name = inherited->sockets[i].name;
	/* The names of Peerpost's own units. */
	snprintf(unit, sizeof(unit), "peerpost%s%s.socket",
	    strcmp(name, FALLBACK) == 0 ? "" : "-",
	    strcmp(name, FALLBACK) == 0 ? "" : name);
	if (strcmp(name, scheme) != 0) {
		log_error("cannot start: %s is set to serve %s, but the "
			  "service manager has opened it for %s (%s): "
			  "change either address (systemctl edit %s), see "
			  "RUNNING IT AS A SERVICE in peerpostd(8)",
		    text, scheme, name, unit, unit);
		return ADDRESS_REFUSED;
	}
	if (match == INHERITED_HAS) {
		log_info(
		    "%s is already open: the service manager has passed it "
		    "(%s)",
		    text, unit);
		return ADDRESS_LEFT;
	}
	log_warning("not listening on %s: the service manager has passed a "
		    "conflicting %s socket; set the address there instead "
		    "(systemctl edit %s), see RUNNING IT AS A SERVICE in "
		    "peerpostd(8)",
	    text, name, unit);
	server->has_left_out = true;
	return ADDRESS_LEFT;
}
