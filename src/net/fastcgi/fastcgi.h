/* fastcgi.h - FastCGI 1.0, for web servers in front of us.
 *
 * Floor: net.  The loop thread that the front belongs to.
 *
 * https://fastcgi-archives.github.io/FastCGI_Specification.html.  Existing
 * libraries answer one request per thread, so this is our own.  The pieces:
 * wire.h (records), cgi.h (parameters), connection.c (connections), record.c
 * (the meaning of records), exchange.c (one request and its reply).
 */
#ifndef PEERPOST_NET_FASTCGI_FASTCGI_H
#define PEERPOST_NET_FASTCGI_FASTCGI_H

#include <stdbool.h>
#include <sys/socket.h>

#include "net/front.h"

struct fastcgi;

/* Borrows front until fastcgi_free(). */
struct fastcgi *fastcgi_create(struct front *front);

/* Add a connection that has a place. */
void fastcgi_accept(
    struct fastcgi *fastcgi, int fd, const struct sockaddr *addr);

/* Read and write as much as possible.  Call once a round.  Returns whether work
 * is left for the next round, which should not wait. */
bool fastcgi_run(struct fastcgi *fastcgi);
/* End everything overdue.  Call once a second, but not right after a pause of
 * the whole process. */
void fastcgi_expire(struct fastcgi *fastcgi);
/* When there is no room: close the connection that has been without a request
 * for longest, if for at least FRONT_SPARED_MS.  Returns whether one was
 * closed. */
bool fastcgi_evict_idle(struct fastcgi *fastcgi);

/* Whether any request or reply is under way. */
bool fastcgi_is_busy(const struct fastcgi *fastcgi);

/* Close everything.  No request may be with the engine. */
void fastcgi_free(struct fastcgi *fastcgi);

#endif
