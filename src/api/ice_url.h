/* ice_url.h - addresses of STUN and TURN servers (RFC 7064, RFC 7065).
 *
 * Floor: api.  Any thread; pure.
 */
#ifndef PEERPOST_API_ICE_URL_H
#define PEERPOST_API_ICE_URL_H

#include "base/span.h"

#define ICE_URL_MAX 255

enum ice_url_kind { ICE_URL_STUN, ICE_URL_TURN };

/* What is wrong with this address, as a sentence for the operator (static,
 * without what was given, and without a full stop); NULL: nothing, and *out
 * says which kind it is.
 * What browsers refuse is wrong too: "//", an empty port, transports other
 * than udp and tcp, and any for STUN.  Schemes in upper case are, because not
 * all libraries know them. */
const char *ice_url_find_fault(struct span url, enum ice_url_kind *out);

#endif
