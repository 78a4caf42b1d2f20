/* ice.h - STUN and TURN servers: their addresses (RFC 7064, RFC 7065), their
 * form for RTCPeerConnection and WHIP, and their credentials.
 *
 * Floor: api.  Any thread; pure.
 *
 * A time-limited credential is the one that coturn checks with use-auth-secret
 * (its README.turnserver, "TURN REST API"; draft-uberti-behave-turn-rest-00,
 * section 2.2): the username says for whom and until when it is valid, and the
 * credential proves that a holder of the secret said so.  Nothing is stored,
 * and the TURN server need not ask anyone.
 */
#ifndef PEERPOST_API_ICE_H
#define PEERPOST_API_ICE_H

#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"
#include "core/settings.h"

#define ICE_URL_MAX 255

enum ice_url_kind { ICE_URL_STUN, ICE_URL_TURN };

/* The fault of this address, as a sentence for the operator (static, without
 * the address and without a full stop); NULL: none, and *out is its kind.
 * Forms that browsers refuse are faults too: "//", an empty port, transports
 * other than udp and tcp, and any transport for STUN.  So are schemes in upper
 * case, because not all libraries know them. */
const char *ice_url_find_fault(struct span url, enum ice_url_kind *out);

/* Append {"iceServers":[...]} to body, followed by "ttl" (seconds) if there are
 * credentials that expire; now_s is Unix time.  Consecutive servers with the
 * same credentials share an entry.  Append to links the value of a Link header
 * (RFC 9725, section 4.6) for each URL, with a NUL after each; if they do not
 * all fit, none. */
void ice_text_add(const struct ice_settings *ice, uint32_t player,
    int64_t now_s, struct buf *body, struct buf *links);

#endif
