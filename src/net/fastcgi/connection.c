/* connection.c - connections: coming, going, reading and writing.
 *
 * A web server can report that its clients have gone only by closing its
 * connection (nginx never sends ABORT_REQUEST), so all polls parked on it are
 * taken back at once.  Requests that arrive with the end of the stream are run,
 * but not held.
 *
 * If a web server does not read its replies, it is not read from either, so it
 * cannot cause more of them; replies wait as they came from the engine, and
 * only as many are encoded as may soon be sent.  Nor is it read from while the
 * engine has many of its requests and has not yet answered or held them: a
 * small request can ask for a large reply.
 *
 * One buffer to read into serves all connections; a request keeps only its
 * parameters and its body.  So a parked poll is two small structs and its share
 * of a connection, which may carry many requests.
 *
 * Idle connections have no deadline: a web server keeps them for its next
 * request, and would report an error to a client if it found one closed.  They
 * are closed to make room.  After the last reply (no FCGI_KEEP_CONN, or
 * shutting down) only our side is closed, and the web server has two seconds to
 * close its own: closing with bytes unread would take the reply back.
 */
#include "net/fastcgi/fastcgi.h"
#include "net/fastcgi/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/metric.h"

#define MAX_READS 8 /* in one round, so that others get their turn */
/* Encode no more replies than fill this; stop reading when this many bytes of
 * records other than replies wait to be sent. */
#define OUT_ENOUGH ((size_t)64 << 10)
#define OUT_TOO_MUCH ((size_t)256 << 10)
#define MAX_FRESH 32 /* read no more before the engine has seen these */
#define OUT_KEPT ((size_t)2 << 10) /* of an empty buffer */

void
fcgi_connection_touch(struct fcgi_connection *connection)
{
	list_append(&connection->fastcgi->touched, &connection->touched);
}

/* The replies to requests that the engine has are no longer needed. */
static void
cancel_all(struct fcgi_connection *connection)
{
	struct list *node;

	for (node = connection->exchanges.next; node != &connection->exchanges;
	     node = node->next)
		fcgi_exchange_cancel(
		    CONTAINER_OF(node, struct fcgi_exchange, live));
}

static void
on_ready(struct loop_source *source, uint32_t events)
{
	struct fcgi_connection *connection = CONTAINER_OF(
	    source, struct fcgi_connection, source);

	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		connection->can_read = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		connection->can_write = true;
	if ((events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) &&
	    !connection->is_half_closed) {
		connection->is_half_closed = true;
		cancel_all(connection);
	}
	fcgi_connection_touch(connection);
}

/* Put it into the list for its state; if it stays in one, it keeps its time. */
static void
rest(struct fcgi_connection *connection, bool has_got_on)
{
	struct fastcgi *fastcgi = connection->fastcgi;
	struct list *list = NULL;

	if (connection->is_lingering)
		list = &fastcgi->lingering;
	else if (connection->out.len > connection->n_sent)
		list = &fastcgi->sending;
	else if (connection->n_live == 0)
		list = &fastcgi->idle;
	if (list == connection->rests_in && !has_got_on)
		return;
	connection->rests_in = list;
	connection->since_ms = clock_now_ms();
	if (list)
		list_append(list, &connection->resting);
	else
		list_remove(&connection->resting);
}

void
fastcgi_accept(struct fastcgi *fastcgi, int fd, const struct sockaddr *addr)
{
	struct front *front = fastcgi->front;
	struct fcgi_connection *connection;
	struct peer_address peer = peer_address_of(addr);
	struct address address = front_address(front, &peer);
	int on = 1;

	if (!address_counts_add(&front->shared->addresses, &address,
		front->settings.max_connections_per_address)) {
		metric_add(METRIC_LIMITED_CONNECTIONS, 1);
		front_give_place(front);
		close(fd);
		return;
	}
	if (!peer.is_unix) /* a web server's machine may vanish */
		setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
	connection = mem_new(sizeof(*connection));
	connection->fastcgi = fastcgi;
	connection->serial = ++fastcgi->last_serial;
	connection->fd = fd;
	connection->source.on_ready = on_ready;
	connection->peer = peer;
	connection->address = address;
	list_init(&connection->all);
	list_init(&connection->touched);
	list_init(&connection->resting);
	list_init(&connection->exchanges);
	list_init(&connection->replies);
	buf_init(&connection->control, FCGI_MAX_CONTENT);
	buf_init(&connection->out, SIZE_MAX);
	front_add_connection(front, FRONT_FASTCGI);
	list_append(&fastcgi->connections, &connection->all);
	if (loop_add(front->loop, &connection->source, fd,
		EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET) < 0)
		fcgi_connection_close(connection);
	else
		rest(connection, true);
}

void
fcgi_connection_close(struct fcgi_connection *connection)
{
	struct front *front = connection->fastcgi->front;
	struct list *node;

	while ((node = list_first(&connection->exchanges)) != NULL) {
		struct fcgi_exchange *exchange = CONTAINER_OF(
		    node, struct fcgi_exchange, live);

		fcgi_exchange_cancel(exchange);
		fcgi_exchange_drop(exchange);
	}
	if (connection->barrier)
		connection->barrier->owner = NULL;
	list_remove(&connection->all);
	list_remove(&connection->touched);
	list_remove(&connection->resting);
	loop_remove(front->loop, &connection->source, connection->fd);
	close(connection->fd);
	address_counts_remove(&front->shared->addresses, &connection->address);
	front_remove_connection(front, FRONT_FASTCGI);
	buf_fini(&connection->control);
	buf_fini(&connection->out);
	free(connection);
}

static size_t
n_unsent(const struct fcgi_connection *connection)
{
	return connection->out.len - connection->n_sent;
}

static void
fill(struct fcgi_connection *connection)
{
	struct list *node;

	while (n_unsent(connection) < OUT_ENOUGH &&
	    (node = list_first(&connection->replies)) != NULL)
		fcgi_exchange_write(
		    CONTAINER_OF(node, struct fcgi_exchange, reply));
}

static void
forget_sent(struct fcgi_connection *connection)
{
	struct buf *out = &connection->out;
	size_t left = n_unsent(connection);

	/* A web server may never quite catch up: sent bytes must be removed all
	 * the same, in pieces large enough to be worth moving the rest. */
	if (left > 0 && connection->n_sent >= OUT_ENOUGH &&
	    connection->n_sent >= left) {
		memmove(out->data, out->data + connection->n_sent, left);
		out->len = left;
		connection->n_sent = 0;
	}
	if (left > 0)
		return;
	connection->n_sent = 0;
	if (connection->out.cap > OUT_KEPT)
		buf_fini(&connection->out);
	else
		buf_reset(&connection->out);
}

/* false: it cannot be written to any more. */
static bool
write_out(struct fcgi_connection *connection, bool *out_got_on)
{
	for (;;) {
		ssize_t n;

		fill(connection);
		if (connection->out.overflowed)
			return false;
		if (n_unsent(connection) == 0 || !connection->can_write)
			return true;
		n = send(connection->fd,
		    connection->out.data + connection->n_sent,
		    n_unsent(connection), MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
			return false;
		if (n < 0) {
			connection->can_write = false;
			return true;
		}
		*out_got_on = true;
		connection->n_sent += (size_t)n;
		forget_sent(connection);
	}
}

/* Whether to leave incoming bytes in the kernel for now. */
static bool
is_congested(const struct fcgi_connection *connection)
{
	return connection->barrier || !list_is_empty(&connection->replies) ||
	    n_unsent(connection) > OUT_TOO_MUCH;
}

static void
on_barrier(struct request *barrier, enum task_kind kind)
{
	struct fcgi_connection *connection = barrier->owner;

	(void)kind;
	if (connection) {
		connection->barrier = NULL;
		connection->n_fresh = 0;
		fcgi_connection_touch(connection);
	}
	request_free(barrier);
}

/* Stop reading until the engine has run the requests that it has. */
static void
send_barrier(struct fcgi_connection *connection)
{
	struct completion_queue *cq = connection->fastcgi->front->cq;

	if (connection->barrier || !cq)
		return;
	connection->barrier = request_new(0);
	connection->barrier->owner = connection;
	connection->barrier->give_back = on_barrier;
	engine_cancel(cq, connection->barrier);
}

/* false: the bytes make no sense, or the connection has ended. */
static bool
read_in(struct fcgi_connection *connection)
{
	char *in = connection->fastcgi->in;

	for (int i = 0; i < MAX_READS && connection->can_read &&
	     !connection->is_read && !is_congested(connection);
	     i++) {
		ssize_t n = recv(
		    connection->fd, in, FCGI_READ_SIZE, MSG_DONTWAIT);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK)
			return false;
		if (n <= 0)
			connection->can_read = false;
		if (n == 0)
			connection->is_read = true;
		if (n <= 0)
			break;
		if (!connection->is_lingering &&
		    !fcgi_record_feed(
			connection, (struct span){ in, (size_t)n }))
			return false;
		if (connection->n_fresh >= MAX_FRESH)
			send_barrier(connection);
	}
	return true;
}

/* Requests incomplete when the web server closed will never be complete. */
static void
drop_partial(struct fcgi_connection *connection)
{
	struct list *node, *next;

	for (node = connection->exchanges.next; node != &connection->exchanges;
	     node = next) {
		struct fcgi_exchange *exchange = CONTAINER_OF(
		    node, struct fcgi_exchange, live);

		next = node->next;
		if (exchange->state == FCGI_STATE_PARAMS ||
		    exchange->state == FCGI_STATE_STDIN)
			fcgi_exchange_drop(exchange);
	}
}

/* Whether there is nothing more to send. */
static bool
is_finished(const struct fcgi_connection *connection)
{
	return connection->n_live == 0 && n_unsent(connection) == 0 &&
	    (connection->is_read || connection->is_last);
}

void
fcgi_connection_run(struct fcgi_connection *connection)
{
	bool has_got_on = false;

	if (!write_out(connection, &has_got_on) || !read_in(connection)) {
		fcgi_connection_close(connection);
		return;
	}
	if (connection->is_read)
		drop_partial(connection);
	if (!write_out(connection, &has_got_on)) {
		fcgi_connection_close(connection);
		return;
	}
	if (is_finished(connection)) {
		if (connection->is_read) {
			fcgi_connection_close(connection);
			return;
		}
		if (!connection->is_lingering) {
			/* Closing with bytes unread would take the reply back
			 * (RFC 9293, section 3.6); so the web server closes
			 * first. */
			connection->is_lingering = true;
			shutdown(connection->fd, SHUT_WR);
			has_got_on = true;
		}
	}
	rest(connection, has_got_on);
	if (connection->can_read && !connection->is_read &&
	    !is_congested(connection))
		fcgi_connection_touch(connection);
}
