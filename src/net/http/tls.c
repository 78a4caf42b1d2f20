/* tls.c - TLS connections: work that libmicrohttpd and GnuTLS leave to us.
 *
 * libmicrohttpd 0.9.75 has GnuTLS do the handshake and the records, but the way
 * it waits does not suit its epoll (tests/operation/tls.test.mjs fails without
 * this file):
 *
 * - While a handshake waits for the client, libmicrohttpd takes the connection
 *   for ready, since it clears that mark only where it reads requests, and asks
 *   to be run again at once: half a ClientHello would keep a processor busy.
 *   So such a connection is suspended when a read finds nothing, and resumed
 *   when our own epoll reports its socket.
 * - GnuTLS may say "again" with bytes still in the socket: after a record that
 *   has no data, such as a key update.  libmicrohttpd takes that for an empty
 *   socket, and its epoll, being edge-triggered, does not say otherwise.  So a
 *   connection whose last read found something, and that was not read from in
 *   the next run, is suspended and resumed: it then counts as ready.
 * - A record is decrypted as a whole and taken in pieces, so bytes may wait
 *   where no epoll sees them: sockets cannot say whether a cell must run again,
 *   and libmicrohttpd always says yes while requests are with the engine.
 *
 * All of this depends on the result of the last read.  So reads are done here,
 * by a function that GnuTLS calls; writes are not.  (It also keeps GnuTLS from
 * giving the socket to the kernel's TLS, whatever its configuration says:
 * libmicrohttpd does not support that.)
 *
 * A connection is RECEIVING from the first byte of its handshake, with the
 * deadline of a request, IDLE at its end, and RECEIVING again with the first
 * byte after that.
 *
 * Left out on purpose: session tickets, which would help at restarts, and whose
 * keys would have to outlive these; and the end of a TLS session without the
 * end of its TCP connection while a poll is parked: its close_notify is behind
 * bytes that must not be read yet.
 */
#include "net/http/internal.h"

#include <errno.h>
#include <gnutls/abstract.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <sys/socket.h>

/* TLS 1.2 and later, with the ciphers that GnuTLS considers secure. */
#define PRIORITIES "NORMAL:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2"

/* libmicrohttpd does not start without a certificate, but never uses it:
 * http_tls_begin() gives each session the current one. */
static int
find_no_certificate(gnutls_session_t session, const gnutls_datum_t *names,
    int n_names, const gnutls_pk_algorithm_t *algorithms, int n_algorithms,
    gnutls_pcert_st **out_chain, unsigned *out_n, gnutls_privkey_t *out_key)
{
	(void)session;
	(void)names;
	(void)n_names;
	(void)algorithms;
	(void)n_algorithms;
	(void)out_chain;
	(void)out_n;
	(void)out_key;
	return -1;
}

unsigned
http_tls_set_options(struct MHD_OptionItem out[HTTP_TLS_N_OPTIONS])
{
	out[0] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_PRIORITIES, 0,
		(void *)(uintptr_t)PRIORITIES };
	out[1] = (struct MHD_OptionItem){ MHD_OPTION_HTTPS_CERT_CALLBACK, 0,
		(void *)(uintptr_t)find_no_certificate };
	out[2] = (struct MHD_OptionItem){ MHD_OPTION_END, 0, NULL };
	return MHD_USE_TLS | MHD_ALLOW_SUSPEND_RESUME;
}

/* This runs deep inside MHD_run(), so it may only do what libmicrohttpd's other
 * callbacks may do. */
static ssize_t
pull(gnutls_transport_ptr_t cls, void *data, size_t size)
{
	struct connection *connection = cls;
	struct connection_tls *tls = &connection->tls;
	ssize_t n = recvfrom(connection->fd, data, size, 0, NULL, NULL);

	tls->has_unread = n > 0;
	tls->was_left = false;
	if (n > 0 && !tls->is_shaking_hands &&
	    connection->state == CONNECTION_IDLE) {
		/* A request may have come with the end of the handshake. */
		connection_set_state(connection, CONNECTION_RECEIVING);
	} else if (n < 0 && errno == EAGAIN && tls->is_shaking_hands) {
		tls->is_asleep = true;
		MHD_suspend_connection(connection->mhd);
		errno = EAGAIN;
	}
	return n;
}

/* The client's last message of the handshake has arrived. */
static int
on_finished(gnutls_session_t session, unsigned type, unsigned when,
    unsigned is_incoming, const gnutls_datum_t *message)
{
	gnutls_transport_ptr_t cls, fd;
	struct connection *connection;

	(void)type;
	(void)when;
	(void)message;
	if (!is_incoming)
		return 0;
	gnutls_transport_get_ptr2(session, &cls, &fd);
	connection = cls;
	connection->tls.is_shaking_hands = false;
	/* Browsers connect before they have a request. */
	connection->has_spoken = true;
	/* The bytes received were not a request. */
	if (connection->state == CONNECTION_RECEIVING)
		connection_set_state(connection, CONNECTION_IDLE);
	return 0;
}

void
http_tls_begin(struct connection *connection)
{
	struct connection_tls *tls = &connection->tls;

	tls->session = MHD_get_connection_info(
	    connection->mhd, MHD_CONNECTION_INFO_GNUTLS_SESSION)
			   ->tls_session;
	tls->is_shaking_hands = true;
	gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE,
	    tls->certificate->credentials);
	gnutls_transport_set_ptr2(tls->session, connection,
	    (gnutls_transport_ptr_t)(intptr_t)connection->fd);
	gnutls_transport_set_pull_function(tls->session, pull);
	gnutls_handshake_set_hook_function(tls->session,
	    GNUTLS_HANDSHAKE_FINISHED, GNUTLS_HOOK_POST, on_finished);
}

void
http_tls_wake(struct connection *connection)
{
	if (!connection->tls.is_asleep)
		return;
	connection->tls.is_asleep = false;
	MHD_resume_connection(connection->mhd);
	cell_touch(connection->cell);
}

void
http_tls_wake_all(struct cell *cell)
{
	struct list *node;

	for (node = cell->connections.next; node != &cell->connections;
	     node = node->next)
		http_tls_wake(CONTAINER_OF(node, struct connection, in_cell));
}

static bool
can_send(const struct connection *connection)
{
	struct pollfd fd = { .fd = connection->fd, .events = POLLOUT };

	return poll(&fd, 1, 0) > 0;
}

/* Whether there may be bytes to read. */
static bool
can_read(struct connection *connection)
{
	struct connection_tls *tls = &connection->tls;

	if (tls->is_asleep)
		return false;
	if (gnutls_record_check_pending(tls->session) > 0)
		return true;
	if (!tls->has_unread)
		return false;
	if (tls->was_left) {
		/* Once, until it has been read from again. */
		tls->has_unread = false;
		MHD_suspend_connection(connection->mhd);
		MHD_resume_connection(connection->mhd);
	}
	tls->was_left = true;
	return true;
}

bool
http_tls_wants_to_run(struct cell *cell)
{
	struct list *node;
	bool is_any = false;

	for (node = cell->connections.next; node != &cell->connections;
	     node = node->next) {
		struct connection *connection = CONTAINER_OF(
		    node, struct connection, in_cell);

		switch (connection->state) {
		case CONNECTION_IDLE:
		case CONNECTION_RECEIVING:
			is_any |= can_read(connection);
			break;
		case CONNECTION_SENDING:
			is_any |= can_send(connection);
			break;
		case CONNECTION_WAITING:
			break;
		}
	}
	return is_any;
}
