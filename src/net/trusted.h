/* trusted.h - the peers that are trusted proxies.
 *
 * Floor: net.  Any thread; pure.  Filled from the options before anything is
 * served, and only read from then on.
 *
 * To trust a proxy is to believe the client addresses that it reports
 * (forwarded.h), so a block should contain proxies only: a client that connects
 * from inside it can pass for any other.
 */
#ifndef PEERPOST_NET_TRUSTED_H
#define PEERPOST_NET_TRUSTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/address.h"

#define TRUSTED_MAX 32

/* All addresses that begin with the same bits (CIDR; RFC 4632, RFC 4291). */
struct trusted_block {
	uint8_t prefix[16]; /* as in peer_address; zero after the bits */
	uint8_t n_bits;     /* 0..128 */
};

/* Zeroed, it trusts no peer. */
struct trusted_proxies {
	struct trusted_block blocks[TRUSTED_MAX];
	size_t n_blocks;
	bool is_unix; /* any peer on a Unix socket */
};

/* Also trust the peers that text names: "192.0.2.1", "192.0.2.0/24",
 * "2001:db8::1", "2001:db8::/32", "unix", or "none", which adds nothing.  Bits
 * set beyond the prefix are ignored.  ::ffff:192.0.2.0/120 is 192.0.2.0/24; but
 * no other block written as IPv6 holds IPv4 addresses: ::/0 is all of IPv6,
 * 0.0.0.0/0 all of IPv4.  Borrows text.  false: it is none of these, or there
 * are too many blocks (TRUSTED_MAX); nothing is changed. */
bool trusted_proxies_add(struct trusted_proxies *trusted, const char *text);

/* Whether peer is one of them. */
bool trusted_proxies_has(
    const struct trusted_proxies *trusted, const struct peer_address *peer);

#endif
