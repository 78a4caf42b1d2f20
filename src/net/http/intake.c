/* intake.c - requests, from the bytes of a connection to libmicrohttpd.
 *
 * libmicrohttpd 0.9.75 reads requests in ways that RFC 9112 forbids: two
 * lengths, a folded name, NUL in a value, a bare line feed after a chunk's
 * size.  Behind a proxy that reads such a request differently, this is request
 * smuggling.  It scans an unfinished line again and again (33 KB of a chunk's
 * size kept a loop thread busy for 15 s), answers some requests with pages in
 * HTML, decodes targets in place, and runs out of memory over cookies and
 * queries.  Checks in its callbacks come too late for most of this.
 *
 * So it never sees the bytes of a client.  When it reads from a connection, the
 * read comes here.  The bytes are assembled into a complete request, strictly
 * (head.h, chunks.h), with a bound for everything that can grow; only then is
 * libmicrohttpd given the head of a request without a body, written by us, such
 * as
 *
 *	GET / HTTP/1.1\r\n\r\n
 *
 * and calls the handler of exchange.c, which already has the request.  A
 * refused request is passed on in the same way, so that every refusal is a
 * reply like any other.  libmicrohttpd does everything else: sockets, TLS,
 * writing replies, closing.  tests/lib/framing_corpus.mjs has the requests that
 * two readers could read in two ways.
 *
 * It calls recv(2) for plain connections and gnutls_record_recv() for those
 * over TLS.  The dynamic linker prefers the program's own functions of these
 * names, which are at the end of this file.  There is no other way in.  If the
 * linker ever takes others, the first request fails an assertion
 * (exchange_on_request()).
 *
 * libmicrohttpd's epoll is edge-triggered: it takes a read that returns less
 * than it asked for as "nothing left", and reads again after the next event
 * only.  So when bytes beyond the end of a request have arrived, the head is
 * padded with a meaningless header to exactly the size that was asked for;
 * libmicrohttpd then reads again after the reply.  That takes half of its
 * memory (http.c), so the reply then has room for 1 KiB of Link headers, and
 * leaves out the others.  EINTR means "try again soon" to it.
 *
 * Nothing is read while a request is running, nor after the last one of a
 * connection; bytes after a request wait in `ahead`, or in the socket.
 */
#include "net/http/internal.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <linux/sockios.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "base/mem.h"

/* The most reads in a row from a client that sends without pause.  Then the
 * others get their turn. */
#define MAX_READS 8

/* The state of the connection's input. */
enum intake_state {
	INTAKE_MORE,  /* no complete request yet */
	INTAKE_WHOLE, /* one is complete: give it to libmicrohttpd */
};

static _Thread_local const struct cell *running;

void
intake_enter(const struct cell *cell)
{
	running = cell;
}

void
intake_leave(void)
{
	running = NULL;
}

static struct connection *
find_running(int fd)
{
	const struct list *node;

	if (!running)
		return NULL;
	for (node = running->connections.next; node != &running->connections;
	     node = node->next) {
		struct connection *connection = CONTAINER_OF(
		    node, struct connection, in_cell);

		if (connection->fd == fd)
			return connection;
	}
	return NULL;
}

/* As recv(2), or as gnutls_record_recv().  (gnutls_record_recv_seq() is the
 * latter, under a name that is not defined below.) */
static ssize_t
read_some(struct connection *connection)
{
	unsigned char sequence[8];
	char *scratch = connection->http->scratch;

	if (connection->tls.certificate)
		return gnutls_record_recv_seq(
		    connection->tls.session, scratch, HTTP_SCRATCH, sequence);
	return recvfrom(connection->fd, scratch, HTTP_SCRATCH, 0, NULL, NULL);
}

/* The result of these when there is nothing to read; is_soon: there may be
 * bytes all the same, so libmicrohttpd must not wait for an event. */
static ssize_t
nothing(const struct connection *connection, bool is_soon)
{
	if (connection->tls.certificate)
		return is_soon ? GNUTLS_E_INTERRUPTED : GNUTLS_E_AGAIN;
	errno = is_soon ? EINTR : EAGAIN;
	return -1;
}

static void
send_continue(struct connection *connection)
{
	static const char text[] = "HTTP/1.1 100 Continue\r\n\r\n";

	const size_t len = sizeof(text) - 1;
	ssize_t n;
	int n_unsent;

	/* After a reply that the client does not read, only part of it might be
	 * sent.  Without it the client continues after a short wait (RFC 9110,
	 * section 10.1.1). */
	if (ioctl(connection->fd, SIOCOUTQNSD, &n_unsent) == 0 && n_unsent > 0)
		return;
	if (connection->tls.certificate)
		n = gnutls_record_send(connection->tls.session, text, len);
	else
		n = send(
		    connection->fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n != (ssize_t)len)
		connection_end(connection);
}

/* The request is refused: anything after this is ignored. */
static enum intake_state
refuse(struct connection *connection, enum err err)
{
	/* Its head may be incomplete, but have an Origin or a method. */
	if (!connection->exchange)
		exchange_begin(connection, &connection->intake.head);
	exchange_refuse(connection->exchange, err);
	connection->intake.is_ended = true;
	return INTAKE_WHOLE;
}

/* Its head is complete. */
static enum intake_state
begin(struct connection *connection, bool has_bytes)
{
	struct intake *intake = &connection->intake;
	const struct exchange *exchange;
	const struct http_head *head;

	exchange_begin(connection, &intake->head);
	exchange = connection->exchange;
	head = &exchange->head;
	intake->scan = (struct http_head_scan){ 0 };
	intake->n_blank = 0;
	if (exchange->head_err)
		return refuse(connection, exchange->head_err);
	if (exchange->is_answered) {
		intake->is_ended = true;
		return INTAKE_WHOLE;
	}
	intake->body_left = head->has_length ? head->length : 0;
	intake->is_chunked = head->is_chunked;
	intake->chunks = (struct http_chunks){ 0 };
	intake->in_body = intake->is_chunked || intake->body_left > 0;
	if (!intake->in_body)
		return INTAKE_WHOLE;
	if (head->expects_continue && !has_bytes)
		send_continue(connection);
	return INTAKE_MORE;
}

/* These never reach their ceiling.  Without memory the process ends, or the
 * rest of the stream would be misread. */
static void
add(struct buf *buf, struct span bytes)
{
	buf_add_span(buf, bytes);
	if (buf->overflowed)
		mem_exhausted();
}

static bool
is_nothing_yet(const struct http_head_scan *scan)
{
	return scan->n_lines == 0 && scan->line_len == 0 && !scan->has_cr;
}

static enum intake_state
feed_head(struct connection *connection, struct span *rest)
{
	struct intake *intake = &connection->intake;
	size_t room = intake->head.max - intake->head.len - intake->n_blank;
	size_t used;
	bool is_whole;
	enum err err = http_head_scan(&intake->scan, *rest, &used, &is_whole);

	if (used > room) {
		err = ERR_HEADERS_TOO_LARGE;
		used = room;
	}
	add(&intake->head, (struct span){ rest->at, used });
	/* The valid part of it may have an Origin. */
	if (err)
		return refuse(connection, err);
	*rest = (struct span){ rest->at + used, rest->len - used };
	if (is_nothing_yet(&intake->scan)) {
		/* Empty lines, which some clients send after a body (RFC 9112,
		 * section 2.2). */
		intake->n_blank += intake->head.len;
		buf_fini(&intake->head);
		connection_set_state(connection, CONNECTION_IDLE);
		return INTAKE_MORE;
	}
	return is_whole ? begin(connection, rest->len > 0) : INTAKE_MORE;
}

static enum intake_state
feed_body(struct connection *connection, struct span *rest)
{
	struct intake *intake = &connection->intake;
	struct span piece = *rest;
	enum err err = ERR_NONE;

	if (intake->is_chunked) {
		err = http_chunks_next(&intake->chunks, rest, &piece);
		if (err == ERR_HEADERS_TOO_LARGE || err == ERR_BAD_REQUEST)
			return refuse(connection, err);
		if (intake->chunks.left > FRONT_MAX_DRAIN)
			err = ERR_TOO_LARGE;
		intake->in_body = intake->chunks.state != CHUNKS_WHOLE;
	} else {
		if (piece.len > intake->body_left)
			piece.len = (size_t)intake->body_left;
		*rest = (struct span){ rest->at + piece.len,
			rest->len - piece.len };
		intake->body_left -= piece.len;
		intake->in_body = intake->body_left > 0;
	}
	if (err || !exchange_add_body(connection->exchange, piece)) {
		exchange_refuse_body(connection->exchange);
		intake->is_ended = true;
		return INTAKE_WHOLE;
	}
	return intake->in_body ? INTAKE_MORE : INTAKE_WHOLE;
}

/* Take bytes off *rest until a request is complete, or none are left. */
static enum intake_state
feed(struct connection *connection, struct span *rest)
{
	enum intake_state state = INTAKE_MORE;

	while (state == INTAKE_MORE && rest->len > 0)
		state = connection->intake.in_body ?
		    feed_body(connection, rest) :
		    feed_head(connection, rest);
	return state;
}

/* The same with bytes read earlier and not used yet. */
static enum intake_state
feed_ahead(struct connection *connection)
{
	struct intake *intake = &connection->intake;
	struct span rest = buf_span(&intake->ahead);
	enum intake_state state;

	if (rest.len == 0)
		return INTAKE_MORE;
	rest.at += intake->ahead_at;
	rest.len -= intake->ahead_at;
	state = feed(connection, &rest);
	intake->ahead_at = intake->ahead.len - rest.len;
	if (rest.len == 0) {
		buf_fini(&intake->ahead);
		intake->ahead_at = 0;
	}
	return state;
}

/* Write the head for libmicrohttpd into size bytes, and return its length;
 * is_more: fill all of them, if the connection goes on. */
static ssize_t
give(struct connection *connection, char *out, size_t size, bool is_more)
{
	static const char filler[] = "X:";
	struct exchange *exchange = connection->exchange;
	bool is_last = connection->intake.is_ended;
	size_t len = exchange_write_head(exchange, is_last, out, size);

	is_more &= !is_last;
	exchange->is_given = true;
	connection->has_more_bytes |= is_more;
	if (is_more && len + sizeof(filler) + 4 < size) {
		/* Before the empty line. */
		memset(out + len - 2, 'x', size - len + 2);
		memcpy(out + len - 2, filler, sizeof(filler) - 1);
		memcpy(out + size - 4, "\r\n\r\n", 4);
		exchange->is_filled_up = true;
		len = size;
	}
	return (ssize_t)len;
}

/* n bytes have arrived, in the scratch buffer.  Returns how many libmicrohttpd
 * gets for them; 0: the request is not complete yet. */
static ssize_t
feed_scratch(struct connection *connection, size_t n, char *out, size_t size)
{
	struct intake *intake = &connection->intake;
	struct span rest = { connection->http->scratch, n };

	connection->has_spoken = true;
	if (connection->state == CONNECTION_IDLE)
		connection_set_state(connection, CONNECTION_RECEIVING);
	if (feed(connection, &rest) == INTAKE_MORE)
		return 0;
	if (!intake->is_ended)
		add(&intake->ahead, rest);
	return give(connection, out, size, rest.len > 0 || n == HTTP_SCRATCH);
}

/* libmicrohttpd reads up to size bytes.  Returns how many it gets, or the
 * result of read_some() if it gets none. */
static ssize_t
intake_read(struct connection *connection, char *out, size_t size)
{
	ssize_t n;

	/* It has a request already, or will have no more. */
	if (connection->intake.is_ended ||
	    (connection->exchange && connection->exchange->is_given))
		return nothing(connection, false);
	if (feed_ahead(connection) == INTAKE_WHOLE)
		return give(connection, out, size, true);
	for (int i = 0; i < MAX_READS; i++) {
		n = read_some(connection);
		if (n <= 0)
			return n;
		n = feed_scratch(connection, (size_t)n, out, size);
		if (n > 0)
			return n;
	}
	return nothing(connection, true);
}

/* Bytes that have arrived are read: closing a socket with unread bytes resets
 * the connection, and the last reply may be lost with it. */
void
intake_end(struct connection *connection)
{
	connection->intake.is_ended = true;
	for (int i = 0; i < MAX_READS; i++)
		if (read_some(connection) <= 0)
			return;
}

void
intake_init(struct intake *intake)
{
	buf_init(&intake->head, FRONT_MAX_HEADER);
	/* Everything read ahead was in the scratch buffer. */
	buf_init(&intake->ahead, HTTP_SCRATCH);
}

void
intake_fini(struct intake *intake)
{
	buf_fini(&intake->head);
	buf_fini(&intake->ahead);
}

/* ---- called by libmicrohttpd ---- */

ssize_t
recv(int fd, void *data, size_t size, int flags)
{
	struct connection *connection = find_running(fd);

	if (!connection) /* of another library */
		return recvfrom(fd, data, size, flags, NULL, NULL);
	return intake_read(connection, data, size);
}

ssize_t
gnutls_record_recv(gnutls_session_t session, void *data, size_t size)
{
	gnutls_transport_ptr_t cls, fd;

	gnutls_transport_get_ptr2(session, &cls, &fd);
	return intake_read(cls, data, size);
}
