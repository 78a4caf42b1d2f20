/* address.h - the address of the other end, and how limits count it.
 *
 * Floor: net.  Any thread; pure, except for the counts.
 */
#ifndef PEERPOST_NET_ADDRESS_H
#define PEERPOST_NET_ADDRESS_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/span.h"
#include "core/limits.h"

/* The full address of a peer, or of a hop reported by a proxy. */
struct peer_address {
	/* IPv4 as ::ffff:a.b.c.d, so that it is the same address whether it
	 * came through an IPv4 or an IPv6 socket.  All zero if is_unix. */
	uint8_t ip[16];
	bool is_unix;
};

/* The address of an accepted connection.  Anything other than IPv4 and IPv6 is
 * a Unix socket: we listen on nothing else. */
struct peer_address peer_address_of(const struct sockaddr *addr);

/* Read an address as proxies write it: "192.0.2.1", "2001:db8::1" or
 * "[2001:db8::1]"; with a port where that is unambiguous: "192.0.2.1:1234",
 * "[2001:db8::1]:1234".  The port may be obfuscated (RFC 7239, section 6.3);
 * it is ignored.  Borrows text, any bytes.  false: anything else (a name, a
 * zone id, blanks around it); *out is untouched. */
bool peer_address_parse(struct span text, struct peer_address *out);

/* peer_address_parse() of an address alone: no brackets, no port. */
bool peer_address_parse_bare(struct span text, struct peer_address *out);

#define PEER_ADDRESS_SIZE 46 /* INET6_ADDRSTRLEN */

/* Write it as text: "192.0.2.1", "2001:db8::1" or "unix". */
void peer_address_format(
    const struct peer_address *peer, char out[PEER_ADDRESS_SIZE]);

/* Whether it is an IPv4 address, on either kind of socket. */
bool peer_address_is_ipv4(const struct peer_address *peer);

/* The key of limits per address, see core/limits.h: IPv4 as ::ffff:a.b.c.d; of
 * IPv6 the /64, which one subscriber has. */
struct address {
	uint8_t key[ADDRESS_KEY_SIZE];
	/* Loopback or a Unix socket: a reverse proxy, or the operator.  Limits
	 * per address do not apply. */
	bool is_exempt;
};

struct address address_of_peer(const struct peer_address *peer);

/* Connections by address and by network (address_network()).  Has only those
 * with a connection, so at most two entries per connection.  Lasts as long as
 * the process. */
struct address_counts {
	pthread_mutex_t lock; /* of the rest */
	struct address_count *by_key;
};

void address_counts_init(struct address_counts *counts);

/* Count one more.  false: nothing is counted, because there are max already, or
 * ADDRESS_NETWORK_FACTOR times max in its network (max 0: no limit). */
bool address_counts_add(
    struct address_counts *counts, const struct address *address, uint32_t max);
/* Count one less. */
void address_counts_remove(
    struct address_counts *counts, const struct address *address);

#endif
