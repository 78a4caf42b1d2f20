/* address.c - see address.h. */
#include "net/address.h"

#include <assert.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define IPV6_SUBSCRIBER_BYTES 8

struct address_count {
	uint8_t key[ADDRESS_KEY_SIZE];
	uint32_t n;
	UT_hash_handle hh;
};

static struct address
address_of_ipv4(struct in_addr in)
{
	struct address address = { .key = { [10] = 0xff, [11] = 0xff } };

	memcpy(address.key + 12, &in, sizeof(in));
	address.is_exempt = address.key[12] == 127;
	return address;
}

static struct address
address_of_ipv6(const struct in6_addr *in)
{
	struct address address = { .is_exempt = IN6_IS_ADDR_LOOPBACK(in) };
	struct in_addr mapped;

	if (IN6_IS_ADDR_V4MAPPED(in)) {
		memcpy(&mapped, in->s6_addr + 12, sizeof(mapped));
		return address_of_ipv4(mapped);
	}
	memcpy(address.key, in->s6_addr, IPV6_SUBSCRIBER_BYTES);
	return address;
}

struct address
address_of(const struct sockaddr *addr)
{
	/* Copies, because a sockaddr need not be aligned for what it is. */
	if (addr->sa_family == AF_INET) {
		struct sockaddr_in in;

		memcpy(&in, addr, sizeof(in));
		return address_of_ipv4(in.sin_addr);
	}
	if (addr->sa_family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, addr, sizeof(in6));
		return address_of_ipv6(&in6.sin6_addr);
	}
	return (struct address){ .is_exempt = true };
}

static struct address_count *
find_count(struct address_counts *counts, const struct address *address)
{
	struct address_count *count;

	HASH_FIND(hh, counts->by_key, address->key, ADDRESS_KEY_SIZE, count);
	return count;
}

bool
address_counts_add(
    struct address_counts *counts, const struct address *address, uint32_t max)
{
	struct address_count *count;

	if (address->is_exempt)
		return true;
	count = find_count(counts, address);
	if (count && max && count->n >= max)
		return false;
	if (!count) {
		count = mem_new(sizeof(*count));
		memcpy(count->key, address->key, ADDRESS_KEY_SIZE);
		HASH_ADD(hh, counts->by_key, key, ADDRESS_KEY_SIZE, count);
	}
	count->n++;
	return true;
}

void
address_counts_remove(
    struct address_counts *counts, const struct address *address)
{
	struct address_count *count;

	if (address->is_exempt)
		return;
	count = find_count(counts, address);
	assert(count && count->n > 0);
	if (--count->n == 0) {
		HASH_DELETE(hh, counts->by_key, count);
		free(count);
	}
}
