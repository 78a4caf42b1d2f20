/* admin.c - the operator's listeners, --admin and --metrics.
 *
 * They share the loop and the engine with those of the players, but neither
 * settings nor the count of connections, so that an operator can connect when
 * players have taken every place.
 */
#include "api/reply.h"
#include "base/log.h"
#include "daemon/server.h"

/* From the descriptors that capacity.c sets aside. */
#define MAX_ADMIN 16
#define MAX_METRICS 8
#define MAX_BODY 4096
#define REQUEST_TIMEOUT_MS 15000
#define ADMIN_REST_MS 3600000 /* a backup is large, the network may be slow */
/* A scraper keeps its connection, and sends a request about once a minute. */
#define METRICS_IDLE_MS 300000

_Static_assert(
    MAX_ADMIN + MAX_METRICS == SERVER_SIDE_CONNECTIONS, "as server.h says");

static void
pause_listeners(struct server *server, const struct side *side, bool is_paused)
{
	for (size_t i = side->first; i < side->end; i++)
		listener_pause(server->listeners[i], is_paused);
}

static void
add_connection(struct server *server, struct side *side, int fd,
    const struct sockaddr *addr, socklen_t len)
{
	if (fd < 0) {
		server->players.is_starved = true;
		return;
	}
	front_take_place(&side->front);
	http_accept(side->http, NULL, fd, addr, len);
	/* For the others of this round; see server_run_sides(). */
	if (!front_has_capacity(&side->front))
		pause_listeners(server, side, true);
}

void
server_on_admin(void *cls, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct server *server = cls;

	add_connection(server, &server->sides[SIDE_ADMIN], fd, addr, len);
}

void
server_on_metrics(void *cls, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct server *server = cls;

	add_connection(server, &server->sides[SIDE_METRICS], fd, addr, len);
}

void
server_warn_admin(const char *text)
{
	struct listen_address address;
	struct peer_address peer;
	char why[LISTEN_WHY_SIZE];

	if (!listen_address_parse(text, &address, why))
		return;
	peer = peer_address_of((const struct sockaddr *)&address.addr);
	if (!address_of_peer(&peer).is_exempt)
		log_warning("--admin %s: everybody who can reach this "
			    "address is an operator",
		    text);
}

static void
on_reload(void *cls, struct request *request)
{
	struct server *server = cls;

	if (server_reload(server))
		buf_add_text(reply_begin(request, 200), "{\"reloaded\":true}");
	else
		reply_fail_admin(
		    request, 422, "bad-configuration", server_reload_problem());
}

static void
start(struct server *server, struct side *side,
    const struct front_settings *settings)
{
	struct front *front = &side->front;

	front_shared_init(&side->shared);
	front->shared = &side->shared;
	front->loop = server->workers[0].front.loop;
	front->cq = &server->workers[0].cq;
	front->players = &server->workers[0].front;
	front->on_reload = on_reload;
	front->cls = server;
	front->settings = *settings;
	side->http = http_create(front);
}

void
server_start_sides(struct server *server)
{
	static const char *const no_origins[] = { NULL };
	struct front_settings settings = {
		.listener_class = LISTENER_ADMIN,
		.base_path = "",
		.origins = no_origins,
		.has_access_log = server->options.has_access_log,
		.max_body = MAX_BODY,
		.request_timeout_ms = REQUEST_TIMEOUT_MS,
		.idle_ms = ADMIN_REST_MS,
		.rest_ms = ADMIN_REST_MS,
		.max_connections = MAX_ADMIN,
	};

	start(server, &server->sides[SIDE_ADMIN], &settings);
	settings.listener_class = LISTENER_METRICS;
	settings.idle_ms = METRICS_IDLE_MS;
	settings.rest_ms = FRONT_REST_MS;
	settings.max_connections = MAX_METRICS;
	start(server, &server->sides[SIDE_METRICS], &settings);
}

static bool
run(struct server *server, struct side *side)
{
	bool has_more = http_run(side->http);
	bool has_capacity;

	/* If there are no descriptors for one more, players make room for it.
	 */
	if (side->shared.is_starved) {
		side->shared.is_starved = false;
		server->players.is_starved = true;
	}
	has_capacity = front_has_capacity(&side->front);
	if (!has_capacity)
		http_evict_idle(side->http);
	has_capacity = has_capacity && !server->players.is_starved;
	pause_listeners(server, side, !has_capacity);
	return has_more;
}

bool
server_run_sides(struct server *server)
{
	bool has_more = false;

	for (size_t i = 0; i < N_SIDES; i++)
		has_more |= run(server, &server->sides[i]);
	return has_more;
}

bool
server_has_busy_side(const struct server *server)
{
	for (size_t i = 0; i < N_SIDES; i++)
		if (http_is_busy(server->sides[i].http))
			return true;
	return false;
}
