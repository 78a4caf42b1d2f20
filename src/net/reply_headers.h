/* reply_headers.h - which headers a reply has.
 *
 * Floor: net.  Any thread; pure.
 */
#ifndef PEERPOST_NET_REPLY_HEADERS_H
#define PEERPOST_NET_REPLY_HEADERS_H

#include "api/request.h"
#include "net/front.h"

/* Takes one header; both texts are valid during the call only. */
typedef void (*reply_header_fn)(void *cls, const char *name, const char *value);

/* Call add for each header of the reply, but for those that belong to the
 * connection or to the length of the body.  origin: the value of the request's
 * Origin, or "not there". */
void reply_headers(const struct reply *reply,
    const struct front_settings *settings, struct span origin,
    reply_header_fn add, void *cls);

#endif
