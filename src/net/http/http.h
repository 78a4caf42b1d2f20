/* http.h - HTTP/1.x by libmicrohttpd, many small daemons of it on our loop.
 *
 * Floor: net.  The loop thread that the front belongs to.
 *
 * The pieces: cell.c (the daemons), connection.c (connections and
 * their hang-ups), capacity.c (deadlines, and which connection makes room),
 * intake.c (putting requests together, with head.c and chunks.c),
 * exchange.c (one request and its reply), http.c (headers),
 * tls.c (connections over TLS).  Each begins with the traps of libmicrohttpd
 * that it works around.
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

/* Take a connection that has a place.  certificate: NULL, or it is to be one
 * over TLS. */
void http_accept(struct http *http, struct certificate *certificate, int fd,
    const struct sockaddr *addr, socklen_t len);

/* Let libmicrohttpd work on everything that has been touched.  Once a round.
 * Returns whether something is left for the next, which should not wait. */
bool http_run(struct http *http);
/* Close what is overdue.  Once a second, but not right after a pause of the
 * whole process: what came in meanwhile has not been read yet. */
void http_expire(struct http *http);
/* When there is no room: close the connection that has been idle, or at the
 * same request or reply, for longest, if that is at least FRONT_SPARED_MS; one
 * that never got a reply goes first, after FRONT_SPARED_NEW_MS.  Returns
 * whether there was one. */
bool http_evict_idle(struct http *http);
/* When too many bytes of replies wait to be sent: close those that have waited
 * for longest. */
void http_shed(struct http *http);

/* Shutting down: close what is between two requests, before anything that
 * comes there is refused.  A client that sees its connection end opens another;
 * one that is told 503 has failed. */
void http_end_idle(struct http *http);

/* Whether some request is under way, or some reply. */
bool http_is_busy(const struct http *http);

/* Close everything.  No request may be with the engine. */
void http_free(struct http *http);

#endif
