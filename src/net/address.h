/* address.h - clients' addresses, as far as limits care.
 *
 * Floor: net.  Loop thread only.
 */
#ifndef PEERPOST_NET_ADDRESS_H
#define PEERPOST_NET_ADDRESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/limits.h"

/* Who is at the other end.  IPv4 as ::ffff:a.b.c.d; of IPv6 the /64, which is
 * what one subscriber has. */
struct address {
	uint8_t key[ADDRESS_KEY_SIZE];
	/* Loopback or a Unix socket: somebody's reverse proxy, or the
	 * operator.  Limits per address do not apply. */
	bool is_exempt;
};

struct address address_of(const struct sockaddr *addr);

/* Connections by address. */
struct address_counts {
	struct address_count *by_key;
};

/* Count one more.  false: there are max already (max 0: no limit). */
bool address_counts_add(
    struct address_counts *counts, const struct address *address, uint32_t max);
/* Count one less. */
void address_counts_remove(
    struct address_counts *counts, const struct address *address);

#endif
