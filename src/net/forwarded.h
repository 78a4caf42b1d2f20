/* forwarded.h - the address of a client behind proxies.
 *
 * Floor: net.  Any thread; pure.  No allocation, time linear in the headers,
 * any bytes.
 *
 * Each proxy adds the address of its own peer at the right end of a list.  So
 * only the right end can be believed, as far as trusted proxies have written
 * it; anything the client itself sent is further left, and is ignored.
 */
#ifndef PEERPOST_NET_FORWARDED_H
#define PEERPOST_NET_FORWARDED_H

#include "base/span.h"
#include "net/address.h"
#include "net/trusted.h"

/* The client behind peer, which sent these headers (several lines of one name
 * joined by commas; {NULL, 0} if there is none).
 *
 * A peer that is not trusted is the client.  Otherwise it is the rightmost
 * address in X-Forwarded-For that is not a trusted proxy, or the leftmost of
 * all if all are.  Without X-Forwarded-For (or if it is blank) the same goes
 * for Forwarded (RFC 7239).  X-Forwarded-For wins because every proxy sets
 * that; one that sets only Forwarded must remove the other, or its clients
 * may write it themselves.
 *
 * If the search meets an element that is not an address before it has found the
 * client ("unknown", "_hidden", no for=, an empty element, broken quotes), the
 * client is unknown: the result is peer. */
struct peer_address forwarded_client(const struct trusted_proxies *trusted,
    const struct peer_address *peer, struct span x_forwarded_for,
    struct span forwarded);

#endif
