/* reply_headers.h - the headers of a reply.
 *
 * Floor: net.  Any thread; pure.
 */
#ifndef PEERPOST_NET_REPLY_HEADERS_H
#define PEERPOST_NET_REPLY_HEADERS_H

#include "api/request.h"
#include "net/front.h"

/* A browser's headers about the page that sends the request: their values, or
 * "not there". */
struct cors_fields {
	struct span origin;
	struct span asked_headers; /* Access-Control-Request-Headers */
};

/* Called with one header; both texts are valid only during the call. */
typedef void (*reply_header_fn)(void *cls, const char *name, const char *value);

/* Call add for each header of the reply, except for those about the connection
 * or the length of the body. */
void reply_headers(const struct reply *reply,
    const struct front_settings *settings, const struct cors_fields *cors,
    reply_header_fn add, void *cls);

#endif
