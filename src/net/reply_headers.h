/* reply_headers.h - which headers a reply has.
 *
 * Floor: net.  Any thread; pure.
 */
#ifndef PEERPOST_NET_REPLY_HEADERS_H
#define PEERPOST_NET_REPLY_HEADERS_H

#include "api/request.h"
#include "net/front.h"

/* What a browser says of the page that asks: values of the request's headers,
 * or "not there". */
struct cors_fields {
	struct span origin;
	struct span asked_headers; /* Access-Control-Request-Headers */
};

/* Takes one header; both texts are valid during the call only. */
typedef void (*reply_header_fn)(void *cls, const char *name, const char *value);

/* Call add for each header of the reply, but for those that belong to the
 * connection or to the length of the body. */
void reply_headers(const struct reply *reply,
    const struct front_settings *settings, const struct cors_fields *cors,
    reply_header_fn add, void *cls);

#endif
