/* server_stop.c - see server.h.
 *
 * Stop accepting; answer the polls that are held; go on executing and
 * answering for up to 2 s, every reply closing its connection; close what is
 * between two requests; commit and close the database; 503 to whatever still
 * comes; close the connections.
 */
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "server.h"

#define DRAIN_MS 2000 /* commands are still executed */
#define LOOK_MS 50    /* meanwhile, whether something has become idle */
#define FLUSH_MS 500  /* for the last requests, and for the last replies */

static void
close_listeners(struct server *server)
{
	for (size_t i = 0; i < server->n_listeners; i++)
		listener_close(server->listeners[i]);
	server->n_listeners = server->n_public = 0;
}

/* Whether some request or some reply is under way. */
static bool
is_busy(const struct server *server)
{
	return http_is_busy(server->http) || http_is_busy(server->admin_http) ||
	    fastcgi_is_busy(server->fastcgi);
}

/* Operators may keep their connections for as long as they like: only what
 * they have asked for matters. */
static bool
has_clients(const struct server *server)
{
	return server->front.n_connections > 0 ||
	    http_is_busy(server->admin_http);
}

static void
drain(struct server *server)
{
	int64_t until_ms = clock_now_ms() + DRAIN_MS;

	close_listeners(server);
	server->front.is_draining = server->admin_front.is_draining = true;
	engine_drain(server->front.engine);
	engine_flush(server->front.engine);
	while (has_clients(server) && clock_now_ms() < until_ms)
		server_run_round(server, LOOK_MS);
}

/* End the connections that are idle, and serve what has come on them just
 * before, of which nobody has heard yet: so a round at least. */
static void
end_idle(struct server *server)
{
	int64_t until_ms = clock_now_ms() + FLUSH_MS;

	http_end_idle(server->http);
	http_end_idle(server->admin_http);
	server->has_more = true;
	do
		server_run_round(server, LOOK_MS);
	while (is_busy(server) && clock_now_ms() < until_ms);
}

static void
stop_engine(struct server *server)
{
	struct engine *engine = server->front.engine;

	engine_stop(engine);
	server->front.engine = server->admin_front.engine = NULL;
	front_complete(engine_take_completed(engine));
	engine_free(engine);
	loop_remove(server->front.loop, &server->wake, server->wake_fd);
	server->has_more = true; /* what was given back is to be written */
}

static void
flush(struct server *server)
{
	int64_t until_ms = clock_now_ms() + FLUSH_MS;

	while (has_clients(server) && clock_now_ms() < until_ms) {
		server_run_round(server, until_ms - clock_now_ms());
		if (!is_busy(server))
			return;
	}
}

void
server_stop(struct server *server)
{
	log_info("stopping");
	notify_stopping("answering what is under way");
	drain(server);
	end_idle(server);
	stop_engine(server);
	flush(server);
	http_free(server->http);
	http_free(server->admin_http);
	fastcgi_free(server->fastcgi);
	watchdog_fini(&server->watchdog);
}

void
server_close_descriptors(struct server *server)
{
	close_listeners(server);
	loop_free(server->front.loop);
	certificate_release(server->certificate);
	close(server->wake_fd);
	close(server->signal_fd);
	pid_file_remove(&server->pid_file);
}
