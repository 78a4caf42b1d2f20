/* limits.h - token buckets, two per player and one per address.
 *
 * Floor: core.  Engine thread only.
 *
 * A bucket starts full.  It may be overdrawn by a request that costs more
 * than it can ever hold; the debt is paid at the same rate.
 */
#ifndef PEERPOST_CORE_LIMITS_H
#define PEERPOST_CORE_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/list.h"
#include "core/settings.h"

struct bucket {
	int64_t millis;    /* thousandths of a token; may be negative */
	int64_t filled_ms; /* when it was last filled; 0: never used, full */
};

/* Take n tokens if the bucket holds min(n, burst).  Returns 0 if they have been
 * taken or there is no limit; otherwise nothing is taken, and the result is the
 * milliseconds until they will be there (at least 1). */
int64_t bucket_take(
    struct bucket *bucket, struct rate rate, int64_t now_ms, uint64_t n);

/* The tokens that one request takes from a bucket while its transaction is
 * open.  If that is rolled back, the request is run again and must not pay
 * twice.  Zeroed: nothing has been paid. */
struct bill {
	uint64_t paid;   /* in this attempt */
	uint64_t credit; /* paid in an earlier attempt and not used since */
	int64_t wait_ms; /* until the last refused cost could be paid */
};

/* The request is run from the start, perhaps not for the first time. */
void bill_begin(struct bill *bill);

/* Take n tokens, as bucket_take() does, or use the credit.
 * ERR_RATE_LIMITED: nothing is taken, and wait_ms is the time to wait. */
MUST_CHECK enum err bill_pay(struct bill *bill, struct bucket *bucket,
    struct rate rate, int64_t now_ms, uint64_t n);

/* The key of an address: IPv4 as ::ffff:a.b.c.d, IPv6 as its /64 followed by
 * zeros. */
#define ADDRESS_KEY_SIZE 16
/* The limit of a network is this times the limit per address. */
#define ADDRESS_NETWORK_FACTOR 8

/* The network that an address is also counted with: the /48 of IPv6, which
 * belongs to one site, which may choose another /64 in it for each request.
 * Writes a key that no address has.  false: IPv4 has no network. */
bool address_network(
    const uint8_t key[ADDRESS_KEY_SIZE], uint8_t out[ADDRESS_KEY_SIZE]);

/* The most buckets that are kept (8 MiB).  Beyond that the least recently used
 * one is dropped, and so is full when it is needed again.
 */
#define ADDRESS_MAX_BUCKETS 65536

/* A bucket for each address and network seen lately.  Holds only those whose
 * bucket is not full again (burst / rate seconds' worth), and no more than
 * ADDRESS_MAX_BUCKETS. */
struct address_buckets {
	struct address_bucket *by_key;
	struct list by_use; /* least recently used first */
};

void address_buckets_init(struct address_buckets *buckets);
void address_buckets_fini(struct address_buckets *buckets);

/* bucket_take() of one token from the bucket of this address, and of one from
 * that of its network, which is ADDRESS_NETWORK_FACTOR times as large and as
 * fast.  A token is taken from both or from neither. */
int64_t address_buckets_take(struct address_buckets *buckets,
    const uint8_t key[ADDRESS_KEY_SIZE], struct rate rate, int64_t now_ms);

#endif
