/* http.h - HTTP/1.x, by many small libmicrohttpd daemons on our loop.
 *
 * Floor: net.  The loop thread that the front belongs to.
 *
 * The pieces: cell.c (the daemons), connection.c (connections and their
 * hang-ups), capacity.c (deadlines, and making room), intake.c (assembling
 * requests, with head.c and chunks.c), exchange.c (one request and its reply),
 * http.c (headers), tls.c (connections over TLS).  Each begins with the traps
 * of libmicrohttpd that it works around.
 */
#ifndef PEERPOST_NET_HTTP_HTTP_H
#define PEERPOST_NET_HTTP_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "net/front.h"

struct http;
struct certificate;

/* Borrows front until http_free(). */
struct http *http_create(struct front *front);

/* Add a connection that has a place.  certificate: NULL, or that of a
 * connection over TLS. */
void http_accept(struct http *http, struct certificate *certificate, int fd,
    const struct sockaddr *addr, socklen_t len);

/* Run libmicrohttpd for everything that has been touched.  Call once a round.
 * Returns whether work is left for the next round, which should not wait. */
bool http_run(struct http *http);
/* Close overdue connections.  Call once a second, but not right after a pause
 * of the whole process: the bytes that came in meanwhile have not been read
 * yet. */
void http_expire(struct http *http);
/* When there is no room: close the connection that has been idle, or on the
 * same request or reply, for longest, if for at least FRONT_SPARED_MS; one that
 * never got a reply goes first, after FRONT_SPARED_NEW_MS.  Returns whether one
 * was closed. */
bool http_evict_idle(struct http *http);
/* When too many bytes of replies wait to be sent: close the connections that
 * have waited for longest. */
void http_shed(struct http *http);

/* Shutting down: close connections between two requests, before requests on
 * them are refused.  A client whose connection ends opens another; one that
 * gets a 503 has failed. */
void http_end_idle(struct http *http);

/* Whether any request or reply is under way. */
bool http_is_busy(const struct http *http);

/* Close everything.  No request may be with the engine. */
void http_free(struct http *http);

#endif
