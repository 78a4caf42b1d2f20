/* stop.c - see server.h.
 *
 * In this order:
 *
 *  1. close the listeners; inherited ones stay open in the service manager;
 *  2. from now on every reply closes its connection, and the engine answers
 *     the polls that are held and holds no others;
 *  3. go on for up to 2 s, or until no connection is left;
 *  4. close connections that are between two requests.  If this came after the
 *     next step, requests would arrive while the database is being closed, and
 *     get a 503: 38 of 500 that were sent within 0.3 s around that moment.
 *     There remain requests that cross the end of their connection, for which
 *     HTTP has no answer: clients repeat them on another one;
 *  5. stop the engine: it runs the tasks that it has, deletes acknowledged
 *     events, checkpoints and closes the database;
 *  6. answer later requests with 503, for up to half a second while anything
 *     is under way;
 *  7. stop the cells.
 */
#include <sys/epoll.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/notify.h"
#include "daemon/server.h"

#define DRAIN_MS 2000 /* commands are still executed */
#define LOOK_MS 50    /* how often to look for idle connections */
#define FLUSH_MS 500  /* for the last requests, and for the last replies */

static void
close_listeners(struct server *server)
{
	for (size_t i = 0; i < server->n_listeners; i++)
		listener_close(server->listeners[i]);
	server->n_listeners = server->n_public = 0;
	for (size_t i = 0; i < N_SIDES; i++)
		server->sides[i].first = server->sides[i].end = 0;
}

/* Whether any request or reply is under way. */
static bool
is_busy(const struct server *server)
{
	for (size_t i = 0; i < server->n_workers; i++)
		if (worker_is_busy(&server->workers[i]))
			return true;
	return server_has_busy_side(server);
}

/* Operators may keep their connections for as long as they like: only their
 * requests matter. */
static bool
has_clients(const struct server *server)
{
	return server->players.n_connections > 0 ||
	    server_has_busy_side(server);
}

static void
on_worker(struct loop_source *source, uint32_t events)
{
	(void)source, (void)events; /* every round runs all of them */
}

/* There is no hurry now, and one thread is easier to end than many: from now on
 * the main thread runs every loop. */
static void
take_over(struct server *server)
{
	server->is_alone = true;
	workers_pause(server->workers, server->n_workers);
	for (size_t i = 1; i < server->n_workers; i++) {
		struct worker *worker = &server->workers[i];

		worker->in_first.on_ready = on_worker;
		if (loop_add(server->workers[0].front.loop, &worker->in_first,
			loop_fd(worker->front.loop), EPOLLIN) < 0)
			log_warning("cannot wait for a loop thread");
	}
}

static void
drain(struct server *server)
{
	int64_t until_ms = clock_now_ms() + DRAIN_MS;

	close_listeners(server);
	take_over(server);
	for (size_t i = 0; i < server->n_workers; i++)
		server->workers[i].front.is_draining = true;
	for (size_t i = 0; i < N_SIDES; i++)
		server->sides[i].front.is_draining = true;
	engine_drain(server->engine);
	while (has_clients(server) && clock_now_ms() < until_ms)
		server_run_round(server, LOOK_MS);
}

/* End idle connections, and serve requests that have just arrived on them and
 * have not been read yet: so run at least one round. */
static void
end_idle(struct server *server)
{
	int64_t until_ms = clock_now_ms() + FLUSH_MS;

	for (size_t i = 0; i < server->n_workers; i++)
		http_end_idle(server->workers[i].http);
	for (size_t i = 0; i < N_SIDES; i++)
		http_end_idle(server->sides[i].http);
	server->has_more = true;
	do
		server_run_round(server, LOOK_MS);
	while (is_busy(server) && clock_now_ms() < until_ms);
}

static void
stop_engine(struct server *server)
{
	/* The last requests are still to be answered. */
	for (size_t i = 0; i < server->n_workers; i++)
		engine_flush(&server->workers[i].cq);
	engine_stop(server->engine);
	for (size_t i = 0; i < N_SIDES; i++)
		server->sides[i].front.cq = NULL;
	for (size_t i = 0; i < server->n_workers; i++) {
		struct worker *worker = &server->workers[i];

		worker->front.cq = NULL;
		front_complete(engine_take_completed(&worker->cq));
		worker->has_more = true; /* its replies must be written */
	}
	engine_free(server->engine);
	server->engine = NULL;
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
	notify_stopping("finishing open requests");
	drain(server);
	end_idle(server);
	stop_engine(server);
	flush(server);
	for (size_t i = 0; i < N_SIDES; i++)
		http_free(server->sides[i].http);
	for (size_t i = 0; i < server->n_workers; i++)
		worker_close_transports(&server->workers[i]);
	watchdog_fini(&server->watchdog);
}

void
server_close_descriptors(struct server *server)
{
	close_listeners(server);
	for (size_t i = 0; i < server->n_workers; i++)
		worker_close(&server->workers[i]);
	certificate_release(server->certificate);
	close(server->signal_fd);
	pid_file_remove(&server->pid_file);
}
