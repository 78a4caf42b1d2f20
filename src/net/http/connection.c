/* connection.c - connections: coming and going.
 *
 * libmicrohttpd does not read from connections that wait for an answer, and is
 * not run for them, so it does not see that a client has gone.  So each socket
 * is also in our epoll for its whole life, edge-triggered, which reports first
 * bytes and hang-ups.  A connection is receiving from its first byte, whether
 * this epoll or a read in intake.c sees it first.
 *
 * A client that has shut down its sending side may still read.  All commands of
 * a burst are answered.  A parked poll comes back and is answered with the
 * events there are; a new one is not held.  The connection ends when it has no
 * more requests.
 */
#include "net/http/http.h"
#include "net/http/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/metric.h"

/* Sent to an address with too many connections, before any request. */
#define TOO_MANY_BODY \
	"{\"command\":\"###!ICB\",\"data\":\"Too many connections from " \
	"your address.\",\"error\":\"rate-limited\"}"
static const char
    too_many[] = "HTTP/1.1 429 Too Many Requests\r\n"
		 "Content-Type: application/json; charset=utf-8\r\n"
		 "Cache-Control: no-store, no-transform\r\n"
		 "X-Content-Type-Options: nosniff\r\n"
		 "Cross-Origin-Resource-Policy: cross-origin\r\n"
		 "%s" /* CORS: the origin is not known yet */
		 "Retry-After: 5\r\n"
		 "Connection: close\r\n"
		 "Content-Length: %zu\r\n"
		 "\r\n" TOO_MANY_BODY;

enum front_kind
connection_kind(const struct connection *connection)
{
	return connection->tls.certificate ? FRONT_HTTPS : FRONT_HTTP;
}

static enum connection_worth
worth_of(const struct connection *connection)
{
	if (connection->has_served)
		return CONNECTION_SERVED;
	if (connection->has_spoken)
		return connection->tls.certificate ? CONNECTION_NEW_TLS :
						     CONNECTION_NEW;
	return connection->tls.certificate ? CONNECTION_UNUSED_TLS :
					     CONNECTION_UNUSED;
}

void
connection_set_state(struct connection *connection, enum connection_state state)
{
	struct http *http = connection->http;

	http->n_sending -= connection->state == CONNECTION_SENDING;
	http->n_waiting -= connection->state == CONNECTION_WAITING;
	connection->cell->n_waiting -= connection->state == CONNECTION_WAITING;
	http->n_sending += state == CONNECTION_SENDING;
	http->n_waiting += state == CONNECTION_WAITING;
	connection->cell->n_waiting += state == CONNECTION_WAITING;
	connection->state = state;
	connection->since_ms = clock_now_ms();
	if (state == CONNECTION_WAITING)
		list_remove(&connection->deadline); /* the poll has one */
	else
		list_append(&http->in_state[state][worth_of(connection)],
		    &connection->deadline);
}

struct connection *
connection_of(struct MHD_Connection *mhd)
{
	return MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
	    ->socket_context;
}

/* Whether libmicrohttpd has something to do now. */
static bool
is_work(const struct connection *connection, uint32_t events)
{
	switch (connection->state) {
	case CONNECTION_WAITING:
		/* Bytes that arrive now wait for the end of the request;
		 * libmicrohttpd would only ask for the reply. */
		return false;
	case CONNECTION_IDLE:
		/* Between requests there is nothing to send. */
		return connection->tls.certificate || events & EPOLLIN;
	case CONNECTION_RECEIVING:
	case CONNECTION_SENDING:
		break;
	}
	return true;
}

static void
on_ready(struct loop_source *source, uint32_t events)
{
	struct connection *connection = CONTAINER_OF(
	    source, struct connection, source);

	http_tls_wake(connection);
	if (is_work(connection, events))
		cell_touch(connection->cell);
	if (events & EPOLLIN) {
		if (connection->state == CONNECTION_IDLE)
			connection_set_state(connection, CONNECTION_RECEIVING);
		else if (connection->state != CONNECTION_RECEIVING)
			connection->has_more_bytes = true;
	}
	if (!(events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) ||
	    connection->is_half_closed)
		return;
	connection->is_half_closed = true;
	if (connection->state != CONNECTION_WAITING)
		connection_hang_up(connection);
	else
		exchange_cancel(connection->exchange);
}

void
connection_hang_up(struct connection *connection)
{
	list_append(&connection->http->hungup, &connection->hungup);
	cell_touch(connection->cell);
}

void
connection_end(struct connection *connection)
{
	shutdown(connection->fd, SHUT_RDWR);
	http_tls_wake(connection);
	cell_touch(connection->cell);
}

void
connection_end_hungup(struct http *http)
{
	struct list *node, *next;

	for (node = http->hungup.next; node != &http->hungup; node = next) {
		struct connection *connection = CONTAINER_OF(
		    node, struct connection, hungup);

		next = node->next;
		if (!list_is_empty(&connection->cell->touched))
			continue;
		list_remove(node);
		/* A reply is still to come or under way: do it later. */
		if (connection->state == CONNECTION_IDLE ||
		    connection->state == CONNECTION_RECEIVING)
			connection_end(connection);
	}
}

static void
on_closed(struct connection *connection)
{
	struct http *http = connection->http;

	if (connection->exchange)
		exchange_abandon(connection->exchange);
	if (connection->tls.is_shaking_hands)
		metric_add(METRIC_TLS_FAILURES, 1);
	/* It counts nothing from now on. */
	connection_set_state(connection, CONNECTION_IDLE);
	list_remove(&connection->deadline);
	list_remove(&connection->hungup);
	loop_remove(http->front->loop, &connection->source, connection->fd);
	address_counts_remove(
	    &http->front->shared->addresses, &connection->address);
	cell_release(connection);
	connection_set_unsent(connection, 0);
	front_remove_connection(http->front, connection_kind(connection));
	certificate_release(connection->tls.certificate);
	intake_fini(&connection->intake);
	free(connection);
}

void
connection_on_notify(void *cls, struct MHD_Connection *mhd,
    void **socket_context, enum MHD_ConnectionNotificationCode code)
{
	struct http *http = cls;

	if (code == MHD_CONNECTION_NOTIFY_CLOSED) {
		if (*socket_context)
			on_closed(*socket_context);
		*socket_context = NULL;
		return;
	}
	http->starting->mhd = mhd;
	*socket_context = http->starting;
	if (http->starting->tls.certificate)
		http_tls_begin(http->starting);
	http->starting = NULL;
}

static void
refuse(const struct http *http, int fd)
{
	char text[sizeof(too_many) + 64];
	int len = snprintf(text, sizeof(text), too_many,
	    http->front->settings.allows_any_origin ?
		"Access-Control-Allow-Origin: *\r\n" :
		"Vary: Origin\r\n",
	    sizeof(TOO_MANY_BODY) - 1);

	metric_add(METRIC_LIMITED_CONNECTIONS, 1);
	/* Best effort: it fits into any socket's empty buffer. */
	if (send(fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL) > 0)
		shutdown(fd, SHUT_WR);
	close(fd);
}

bool
connection_has_bytes(const struct connection *connection)
{
	int n_bytes;

	return ioctl(connection->fd, FIONREAD, &n_bytes) == 0 && n_bytes > 0;
}

/* libmicrohttpd closes fd when it fails. */
static void
start(struct connection *connection, const struct sockaddr *addr, socklen_t len)
{
	struct http *http = connection->http;

	front_add_connection(http->front, connection_kind(connection));
	http->starting = connection;
	connection_set_state(connection,
	    connection_has_bytes(connection) ? CONNECTION_RECEIVING :
					       CONNECTION_IDLE);
	/* The cell runs when the loop reports the socket, in the next round. */
	if (MHD_add_connection(
		connection->cell->daemon, connection->fd, addr, len) == MHD_YES)
		return;
	if (http->starting) /* it failed before it notified us */
		on_closed(connection);
	http->starting = NULL;
}

void
http_accept(struct http *http, struct certificate *certificate, int fd,
    const struct sockaddr *addr, socklen_t len)
{
	struct peer_address peer = peer_address_of(addr);
	struct address address = front_address(http->front, &peer);
	struct connection *connection;

	if (!address_counts_add(&http->front->shared->addresses, &address,
		http->front->settings.max_connections_per_address)) {
		front_give_place(http->front);
		if (certificate) /* libmicrohttpd could send it only after the
		                  * handshake */
			close(fd);
		else
			refuse(http, fd);
		return;
	}
	connection = mem_new(sizeof(*connection));
	connection->http = http;
	list_init(&connection->in_cell);
	if (!cell_acquire(connection, certificate != NULL)) {
		address_counts_remove(
		    &http->front->shared->addresses, &address);
		front_give_place(http->front);
		free(connection);
		close(fd);
		return;
	}
	connection->fd = fd;
	intake_init(&connection->intake);
	connection->peer = peer;
	connection->address = address;
	connection->source.on_ready = on_ready;
	list_init(&connection->deadline);
	list_init(&connection->hungup);
	list_init(&connection->unsent);
	if (certificate)
		connection->tls.certificate = certificate_share(certificate);
	if (loop_add(http->front->loop, &connection->source, fd,
		EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) < 0) {
		front_add_connection(http->front, connection_kind(connection));
		on_closed(connection);
		close(fd);
		return;
	}
	start(connection, addr, len);
}

void
connection_set_unsent(struct connection *connection, size_t n)
{
	struct http *http = connection->http;

	front_count_unsent(http->front, connection->n_unsent, n);
	http->n_unsent += n - connection->n_unsent;
	connection->n_unsent = n;
	if (n)
		list_append(&http->unsent, &connection->unsent);
	else
		list_remove(&connection->unsent);
}
