/* server_admin.c - the admin listener: a front door of its own.
 *
 * It has the loop and the engine in common with the doors of the players, and
 * nothing else: no settings, and no count of connections, so that an operator
 * gets in when players have taken all that there are.
 */
#include "api/admin_reply.h"
#include "base/log.h"
#include "server.h"
#include "server_reload.h"

/* Of the descriptors that server_start.c sets aside. */
#define MAX_CONNECTIONS 16
#define MAX_BODY 4096
#define REQUEST_TIMEOUT_MS 15000
#define REST_MS 3600000 /* a backup is large, and may go a long way */

void
server_on_admin(void *cls, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct server *server = cls;

	if (fd < 0) {
		server->players.is_starved = true;
		return;
	}
	front_take_place(&server->admin_front);
	http_accept(server->admin_http, NULL, fd, addr, len);
	/* For the others of this round; see server_run_admin(). */
	if (!front_has_room(&server->admin_front))
		for (size_t i = server->n_public; i < server->n_listeners; i++)
			listener_pause(server->listeners[i], true);
}

void
server_warn_admin(const char *text)
{
	struct listen_address address;
	struct peer_address peer;

	if (!listen_address_parse(text, &address))
		return;
	peer = peer_address_of((const struct sockaddr *)&address.addr);
	if (!address_of_peer(&peer).is_exempt)
		log_warning("--admin %s: whoever can reach this address is an "
			    "operator",
		    text);
}

static void
on_reload(void *cls, struct request *request)
{
	struct server *server = cls;

	if (server_reload(server))
		buf_add_text(admin_succeed(request), "{\"reloaded\":true}");
	else
		admin_fail(
		    request, 422, "bad-configuration", server_reload_problem());
}

void
server_start_admin(struct server *server)
{
	static const char *const no_origins[] = { NULL };
	struct front *front = &server->admin_front;

	front_shared_init(&server->admins);
	front->shared = &server->admins;
	front->loop = server->workers[0].front.loop;
	front->port = &server->workers[0].port;
	front->players = &server->workers[0].front;
	front->on_reload = on_reload;
	front->cls = server;
	front->settings = (struct front_settings){
		.door = DOOR_ADMIN,
		.base_path = "",
		.origins = no_origins,
		.has_access_log = server->options.has_access_log,
		.max_body = MAX_BODY,
		.request_timeout_ms = REQUEST_TIMEOUT_MS,
		.rest_ms = REST_MS,
		.max_connections = MAX_CONNECTIONS,
	};
	server->admin_http = http_create(front);
}

bool
server_run_admin(struct server *server)
{
	bool has_more = http_run(server->admin_http);
	bool has_room = front_has_room(&server->admin_front);

	if (!has_room)
		http_make_room(server->admin_http);
	/* Without a descriptor for one more, players make room for it. */
	has_room = has_room && !server->players.is_starved;
	for (size_t i = server->n_public; i < server->n_listeners; i++)
		listener_pause(server->listeners[i], !has_room);
	return has_more;
}
