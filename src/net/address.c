/* address.c - see address.h. */
#include "net/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/text.h"

#define IPV4_PREFIX_BYTES 12 /* ::ffff:0:0/96; RFC 4291, section 2.5.5.2 */
#define IPV6_SUBSCRIBER_BYTES 8

struct address_count {
	uint8_t key[ADDRESS_KEY_SIZE];
	uint32_t n;
	UT_hash_handle hh;
};

static const uint8_t ipv4_prefix[IPV4_PREFIX_BYTES] = {
	[10] = 0xff, [11] = 0xff
};

static struct peer_address
peer_of_ipv4(const struct in_addr *in)
{
	struct peer_address peer = { .is_unix = false };

	memcpy(peer.ip, ipv4_prefix, sizeof(ipv4_prefix));
	memcpy(peer.ip + sizeof(ipv4_prefix), in, sizeof(*in));
	return peer;
}

static struct peer_address
peer_of_ipv6(const struct in6_addr *in)
{
	struct peer_address peer = { .is_unix = false };

	memcpy(peer.ip, in, sizeof(peer.ip));
	return peer;
}

struct peer_address
peer_address_of(const struct sockaddr *addr)
{
	/* Copies, because a sockaddr need not be aligned for its real type. */
	if (addr->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, addr, sizeof(in));
		return peer_of_ipv4(&in.sin_addr);
	}
	if (addr->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, addr, sizeof(in6));
		return peer_of_ipv6(&in6.sin6_addr);
	}
	return (struct peer_address){ .is_unix = true };
}

bool
peer_address_is_ipv4(const struct peer_address *peer)
{
	return !peer->is_unix &&
	    memcmp(peer->ip, ipv4_prefix, sizeof(ipv4_prefix)) == 0;
}

void
peer_address_format(
    const struct peer_address *peer, char out[PEER_ADDRESS_SIZE])
{
	if (peer->is_unix)
		strcpy(out, "unix");
	else if (peer_address_is_ipv4(peer))
		inet_ntop(AF_INET, peer->ip + IPV4_PREFIX_BYTES, out,
		    PEER_ADDRESS_SIZE);
	else
		inet_ntop(AF_INET6, peer->ip, out, PEER_ADDRESS_SIZE);
}

bool
peer_address_parse_bare(struct span text, struct peer_address *out)
{
	char copy[INET6_ADDRSTRLEN];
	struct in_addr in;
	struct in6_addr in6;

	if (text.len == 0 || text.len >= sizeof(copy) ||
	    memchr(text.at, '\0', text.len))
		return false;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	if (inet_pton(AF_INET, copy, &in) == 1)
		*out = peer_of_ipv4(&in);
	else if (inet_pton(AF_INET6, copy, &in6) == 1)
		*out = peer_of_ipv6(&in6);
	else
		return false;
	return true;
}

/* Whether text is a port (RFC 7239, section 6: digits or "_name"). */
static bool
is_port(struct span text)
{
	uint64_t port;

	if (text.len < 2 || text.at[0] != '_')
		return text_to_uint(text, UINT16_MAX, &port);
	for (size_t i = 1; i < text.len; i++) {
		char c = text.at[i];

		if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
		    !(c >= '0' && c <= '9') && c != '.' && c != '_' && c != '-')
			return false;
	}
	return true;
}

/* Split text at its first c, which is dropped.  false: there is none. */
static bool
split(struct span text, char c, struct span *out_before, struct span *out_after)
{
	const char *at = text.len ? memchr(text.at, c, text.len) : NULL;

	if (!at)
		return false;
	out_before->at = text.at;
	out_before->len = (size_t)(at - text.at);
	out_after->at = at + 1;
	out_after->len = text.len - out_before->len - 1;
	return true;
}

/* "[2001:db8::1]" and "[2001:db8::1]:1234", after the first bracket. */
static bool
parse_bracketed(struct span text, struct peer_address *out)
{
	struct span ip, port;

	if (!split(text, ']', &ip, &port) || !memchr(ip.at, ':', ip.len))
		return false;
	if (port.len && port.at[0] != ':')
		return false;
	if (port.len && !is_port((struct span){ port.at + 1, port.len - 1 }))
		return false;
	return peer_address_parse_bare(ip, out);
}

bool
peer_address_parse(struct span text, struct peer_address *out)
{
	struct span ip, port;

	if (text.len && text.at[0] == '[')
		return parse_bracketed(
		    (struct span){ text.at + 1, text.len - 1 }, out);
	/* One colon: no IPv6 address has so few. */
	if (split(text, ':', &ip, &port) && !memchr(port.at, ':', port.len))
		return is_port(port) && peer_address_parse_bare(ip, out);
	return peer_address_parse_bare(text, out);
}

static bool
is_loopback(const struct peer_address *peer)
{
	static const uint8_t ipv6_loopback[16] = { [15] = 1 };

	if (peer_address_is_ipv4(peer))
		return peer->ip[IPV4_PREFIX_BYTES] == 127;
	return memcmp(peer->ip, ipv6_loopback, sizeof(ipv6_loopback)) == 0;
}

struct address
address_of_peer(const struct peer_address *peer)
{
	struct address address = { .is_exempt = peer->is_unix ||
		    is_loopback(peer) };

	if (peer_address_is_ipv4(peer))
		memcpy(address.key, peer->ip, sizeof(peer->ip));
	else
		memcpy(address.key, peer->ip, IPV6_SUBSCRIBER_BYTES);
	return address;
}

static struct address_count *
find_count(struct address_counts *counts, const uint8_t key[ADDRESS_KEY_SIZE])
{
	struct address_count *count;

	HASH_FIND(hh, counts->by_key, key, ADDRESS_KEY_SIZE, count);
	return count;
}

void
address_counts_init(struct address_counts *counts)
{
	int rc = pthread_mutex_init(&counts->lock, NULL);

	assert(rc == 0);
	counts->by_key = NULL;
}

static bool
has_capacity(struct address_counts *counts, const uint8_t key[ADDRESS_KEY_SIZE],
    uint64_t max)
{
	struct address_count *count = find_count(counts, key);

	return !count || max == 0 || count->n < max;
}

static void
add(struct address_counts *counts, const uint8_t key[ADDRESS_KEY_SIZE])
{
	struct address_count *count = find_count(counts, key);

	if (!count) {
		count = mem_new(sizeof(*count));
		memcpy(count->key, key, ADDRESS_KEY_SIZE);
		HASH_ADD(hh, counts->by_key, key, ADDRESS_KEY_SIZE, count);
	}
	count->n++;
}

static void
remove_count(struct address_counts *counts, const uint8_t key[ADDRESS_KEY_SIZE])
{
	struct address_count *count = find_count(counts, key);

	assert(count && count->n > 0);
	if (--count->n > 0)
		return;
	HASH_DELETE(hh, counts->by_key, count);
	free(count);
}

bool
address_counts_add(
    struct address_counts *counts, const struct address *address, uint32_t max)
{
	uint8_t network[ADDRESS_KEY_SIZE];
	bool has_network, is_added;

	if (address->is_exempt)
		return true;
	has_network = address_network(address->key, network);
	pthread_mutex_lock(&counts->lock);
	is_added = has_capacity(counts, address->key, max) &&
	    (!has_network ||
		has_capacity(
		    counts, network, (uint64_t)max * ADDRESS_NETWORK_FACTOR));
	if (is_added)
		add(counts, address->key);
	if (is_added && has_network)
		add(counts, network);
	pthread_mutex_unlock(&counts->lock);
	return is_added;
}

void
address_counts_remove(
    struct address_counts *counts, const struct address *address)
{
	uint8_t network[ADDRESS_KEY_SIZE];

	if (address->is_exempt)
		return;
	pthread_mutex_lock(&counts->lock);
	remove_count(counts, address->key);
	if (address_network(address->key, network))
		remove_count(counts, network);
	pthread_mutex_unlock(&counts->lock);
}
