/* ice.h - STUN and TURN servers: their addresses (RFC 7064, RFC 7065), how
 * RTCPeerConnection and WHIP take them, and the credentials for them.
 *
 * Floor: api.  Any thread; pure.
 *
 * A time-limited credential is what coturn checks with use-auth-secret (its
 * README.turnserver, "TURN REST API"; draft-uberti-behave-turn-rest-00,
 * section 2.2): the username says until when it is good and for whom, and the
 * credential proves that this was said by a holder of the secret.  Nothing is
 * stored, and the TURN server asks no one else.
 */
#ifndef PEERPOST_API_ICE_H
#define PEERPOST_API_ICE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "core/settings.h"

#define ICE_URL_MAX 255

enum ice_url_kind { ICE_URL_STUN, ICE_URL_TURN };

/* What is wrong with this address, as a sentence for the operator (static,
 * without what was given, and without a full stop); NULL: nothing, and *out
 * says which kind it is.
 * What browsers refuse is wrong too: "//", an empty port, transports other
 * than udp and tcp, and any for STUN.  Schemes in upper case are, because not
 * all libraries know them. */
const char *ice_url_find_fault(struct span url, enum ice_url_kind *out);

/* Append {"iceServers":[...]} to body, with "ttl" (seconds) behind it when
 * there are credentials that expire; now_s is Unix time.  Neighbours with the
 * same credentials share an entry.  Append to links the value of a Link header
 * (RFC 9725, section 4.6) for each URL, with a NUL behind each; if they do not
 * all fit, none. */
void ice_text_add(const struct ice_settings *ice, uint32_t player,
    int64_t now_s, struct buf *body, struct buf *links);

#endif
