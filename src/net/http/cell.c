/* cell.c - libmicrohttpd daemons of at most 8 connections each.
 *
 * libmicrohttpd is made for servers that answer at once.  Whenever a daemon
 * runs, it asks for the answers of all its connections without one; and if
 * these are suspended, resuming one makes it walk over all of them.  So there
 * are many small daemons, without threads and listening sockets, and a request
 * that the engine has is not suspended (two system calls and a second run for
 * each) but just left without a response.  Waking one poll then costs the same
 * however many others there are (tests/restart/scale.mjs measures it).
 *
 * A cell runs when one of its sockets, all of which are in our own epoll, is
 * ready, or when it has been touched, until there is no more work.  (The epoll
 * descriptors of the cells are not in ours: each packet would go through both.)
 * libmicrohttpd says that a daemon must run again at once as long as a
 * connection in it waits for an answer, so in such a cell poll(2) checks the
 * connections that receive or send.
 */
#include "net/http/http.h"
#include "net/http/internal.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "base/log_flood.h"
#include "base/mem.h"

/* (libmicrohttpd stalls when just 128 are ready at once, and deadlocks when a
 * daemon's own limit is reached.) */
#define MAX_CONNECTIONS 8
#define MHD_LIMIT 32
#define MAX_RUNS 8 /* of one cell in one round */

/* Only the format: the arguments may come from a client. */
static void
on_mhd_log(void *cls, const char *format, va_list args)
{
	(void)cls;
	(void)args;
	log_debug("libmicrohttpd: %.*s", (int)strcspn(format, "\n"), format);
}

static struct MHD_Daemon *
start_daemon(struct http *http, bool is_tls)
{
	unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET |
	    MHD_USE_ERROR_LOG;
	struct MHD_OptionItem more[HTTP_TLS_N_OPTIONS] = { { MHD_OPTION_END, 0,
	    NULL } };

	if (is_tls)
		flags |= http_tls_set_options(more);
	return MHD_start_daemon(flags, 0, NULL, NULL, exchange_on_request, http,
	    MHD_OPTION_EXTERNAL_LOGGER, on_mhd_log, NULL,
	    MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, MHD_OPTION_CONNECTION_LIMIT,
	    MHD_LIMIT, MHD_OPTION_CONNECTION_MEMORY_LIMIT, HTTP_MEMORY,
	    MHD_OPTION_NONCE_NC_SIZE, 0, MHD_OPTION_NOTIFY_CONNECTION,
	    connection_on_notify, http, MHD_OPTION_NOTIFY_COMPLETED,
	    exchange_on_completed, http, MHD_OPTION_ARRAY, more,
	    MHD_OPTION_END);
}

static struct cell *
create(struct http *http, bool is_tls)
{
	static const char why[] = "cannot make room for more connections";
	static struct log_flood flood;
	struct cell *cell = mem_new(sizeof(*cell));

	cell->http = http;
	list_init(&cell->connections);
	list_init(&cell->roomy);
	list_init(&cell->touched);
	cell->is_tls = is_tls;
	cell->daemon = start_daemon(http, is_tls);
	if (!cell->daemon) {
		if (log_flood_passes(&flood, LOG_LEVEL_WARNING, why))
			log_warning("%s", why);
		http->front->shared->is_starved = true;
		free(cell);
		return NULL;
	}
	list_append(&http->roomy[is_tls], &cell->roomy);
	return cell;
}

bool
cell_acquire(struct connection *connection, bool is_tls)
{
	struct http *http = connection->http;
	struct list *node = list_first(&http->roomy[is_tls]);
	struct cell *cell = node ? CONTAINER_OF(node, struct cell, roomy) :
				   create(http, is_tls);

	if (!cell)
		return false;
	connection->cell = cell;
	list_append(&cell->connections, &connection->in_cell);
	if (++cell->n_connections == MAX_CONNECTIONS)
		list_append(&http->full[is_tls], &cell->roomy);
	return true;
}

void
cell_touch(struct cell *cell)
{
	list_append(&cell->http->touched, &cell->touched);
}

void
cell_release(struct connection *connection)
{
	struct cell *cell = connection->cell;

	list_remove(&connection->in_cell);
	/* At the end: filling the same cells again lets others become empty.
	 * An empty one is handled after it has run, see http_run(). */
	if (cell->n_connections-- == MAX_CONNECTIONS)
		list_append(&cell->http->roomy[cell->is_tls], &cell->roomy);
	cell_touch(cell);
}

void
cell_free(struct cell *cell)
{
	http_tls_wake_all(cell);
	MHD_stop_daemon(cell->daemon);
	/* Closing its last connections has put the cell into lists again. */
	list_remove(&cell->roomy);
	list_remove(&cell->touched);
	free(cell);
}

/* Whether a cell other than this one can take connections. */
static bool
is_spare(const struct cell *cell)
{
	const struct list *roomy = &cell->http->roomy[cell->is_tls];

	return roomy->next != &cell->roomy || roomy->prev != &cell->roomy;
}

/* Whether libmicrohttpd could go on at once with one of these connections,
 * reading or sending. */
static bool
is_ready(const struct cell *cell)
{
	struct pollfd fds[MAX_CONNECTIONS];
	const struct list *node;
	nfds_t n = 0;

	for (node = cell->connections.next; node != &cell->connections;
	     node = node->next) {
		const struct connection *connection = CONTAINER_OF(
		    node, struct connection, in_cell);

		if (connection->state == CONNECTION_RECEIVING ||
		    connection->state == CONNECTION_SENDING)
			fds[n++] = (struct pollfd){
				.fd = connection->fd,
				.events = connection->state ==
					CONNECTION_RECEIVING ?
				    POLLIN :
				    POLLOUT,
			};
	}
	return n > 0 && poll(fds, n, 0) > 0;
}

static bool
wants_to_run(struct cell *cell)
{
	MHD_UNSIGNED_LONG_LONG timeout_ms;

	if (!list_is_empty(&cell->touched))
		return true;
	if (cell->is_tls)
		return http_tls_wants_to_run(cell);
	if (cell->n_waiting > 0)
		return is_ready(cell);
	return MHD_get_timeout(cell->daemon, &timeout_ms) == MHD_YES &&
	    timeout_ms == 0;
}

/* A client that has filled its socket with small requests could keep its cell
 * busy for ever: the others get their turn in between. */
static void
run(struct cell *cell)
{
	for (int i = 0; i < MAX_RUNS; i++) {
		list_remove(&cell->touched);
		intake_enter(cell);
		MHD_run(cell->daemon);
		intake_leave();
		if (!wants_to_run(cell))
			break;
		cell_touch(cell);
	}
	if (cell->n_connections == 0 && is_spare(cell))
		cell_free(cell);
}

bool
http_run(struct http *http)
{
	struct list now;
	struct list *node;

	/* Cells that are touched meanwhile have to wait for the next round. */
	list_init(&now);
	while ((node = list_first(&http->touched)) != NULL)
		list_append(&now, node);
	while ((node = list_first(&now)) != NULL) {
		run(CONTAINER_OF(node, struct cell, touched));
		/* The engine need not wait for the other cells. */
		if (http->front->cq)
			engine_flush(http->front->cq);
	}
	connection_end_hungup(http);
	return !list_is_empty(&http->touched);
}
