/* capacity.c - making room for connections when there is none.
 *
 * Connections then wait in the kernel, and every worker closes one if it can
 * (http_evict_idle()).  A flood makes a server full and not full many times a
 * second.  So it is shown to the operator as full until there has been room for
 * some time: the log says once that it is full, and once that it is not any
 * more.
 */
#include <sys/resource.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/log_flood.h"
#include "base/metric.h"
#include "daemon/server.h"

/* Descriptors not for clients: database, log, epolls, eventfds, backups, files
 * read at a reload, and some spare ones.  Every 8 connections need one more,
 * for their cell; over TLS two. */
#define RESERVED_FDS 40
#define WORKER_FDS 6 /* per additional loop thread: its own, spare cells */
#define FULL_MS 10000

size_t
server_find_capacity(const struct server *server)
{
	const struct options *options = &server->options;
	size_t reserved = RESERVED_FDS + SERVER_SIDE_CONNECTIONS +
	    WORKER_FDS * (options->io_threads - 1);
	size_t n_per_cell = options->tls_cert ? 2 : 1;
	struct rlimit limit;
	size_t n, room;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 256;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		getrlimit(RLIMIT_NOFILE, &limit);
	n = limit.rlim_cur > (rlim_t)1 << 24 ? (size_t)1 << 24 :
					       (size_t)limit.rlim_cur;
	/* Half of them if there are few. */
	if (reserved > n / 2)
		reserved = n / 2;
	room = (n - reserved) / (8 + n_per_cell) * 8;
	return room > 0 ? room : 1;
}

static void
pause_listeners(struct server *server, bool is_paused)
{
	for (size_t i = 0; i < server->n_public; i++)
		listener_pause(server->listeners[i], is_paused);
}

static void
set_full(struct server *server, bool is_full)
{
	static struct log_flood begins, ends;
	static const char why[] = "all connections are taken";
	static const char over[] = "connections are free again";

	server->players.is_full = is_full;
	metric_set(METRIC_CONNECTIONS_FULL, is_full);
	if (!is_full && log_flood_passes(&ends, LOG_LEVEL_WARNING, over))
		log_warning("%s", over);
	/* If descriptors have run out, listener.c logs more. */
	if (is_full && !server->players.is_starved &&
	    log_flood_passes(&begins, LOG_LEVEL_WARNING, why))
		log_warning("all %zu connections are taken: new ones wait "
			    "until slow or idle ones are closed; see "
			    "--max-connections",
		    server->workers[0].front.settings.max_connections);
}

void
server_note_full(struct server *server)
{
	pause_listeners(server, true);
	server->full_ms = clock_now_ms();
	if (!server->players.is_full)
		set_full(server, true);
}

void
server_admit(struct server *server)
{
	struct worker *first = &server->workers[0];
	bool has_capacity = front_has_capacity(&first->front);

	if (server->is_stopping)
		return;
	if (!has_capacity && !server->players.is_waited_for) {
		server->players.is_waited_for = true;
		for (size_t i = 1; i < server->n_workers; i++)
			worker_wake(&server->workers[i]);
	}
	if (!has_capacity)
		server_note_full(server);
	/* It may have come free before the workers knew that we wait. */
	if (!front_has_capacity(&first->front))
		return;
	server->players.is_waited_for = false;
	pause_listeners(server, false);
	if (server->players.is_full &&
	    clock_now_ms() - server->full_ms >= FULL_MS)
		set_full(server, false);
}
