/* limits.h - token buckets, two a player and one an address.
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
	int64_t filled_ms; /* when it was filled last; 0: never used, full */
};

/* Take n tokens if the bucket holds min(n, burst).  Returns 0 when they are
 * taken or there is no limit; otherwise nothing is taken, and it is the
 * milliseconds until they will be there (at least 1). */
int64_t bucket_take(
    struct bucket *bucket, struct rate rate, int64_t now_ms, uint64_t n);

/* What one request takes from a bucket while its transaction is open.  When
 * that is rolled back, the request is run once more and must not pay twice.
 * Zeroed: nothing has been paid. */
struct bill {
	uint64_t paid;   /* in this try */
	uint64_t credit; /* paid in an earlier try and not used up since */
	int64_t wait_ms; /* until what was refused last could be paid */
};

/* The request is run from the start, perhaps again. */
void bill_begin(struct bill *bill);

/* Take n tokens, as bucket_take() does, or use the credit.
 * ERR_RATE_LIMITED: nothing is taken, and wait_ms says for how long. */
MUST_CHECK enum err bill_pay(struct bill *bill, struct bucket *bucket,
    struct rate rate, int64_t now_ms, uint64_t n);

/* What an address is counted by: IPv4 as ::ffff:a.b.c.d, of IPv6 the /64 with
 * zeros behind it. */
#define ADDRESS_KEY_SIZE 16
/* A limit per address, times this, is the limit of its network. */
#define ADDRESS_NETWORK_FACTOR 8

/* The network that an address is counted with besides: the /48 of IPv6, which
 * a site has, and in which it is free to choose another /64 for each request.
 * Writes a key that is no address's.  false: IPv4 has none. */
bool address_network(
    const uint8_t key[ADDRESS_KEY_SIZE], uint8_t out[ADDRESS_KEY_SIZE]);

/* Most buckets that are kept, 8 MiB of them; beyond it the one that has not
 * been used for longest is forgotten, and so is full when it is needed again.
 */
#define ADDRESS_MAX_BUCKETS 65536

/* A bucket for each address and network seen lately.  Holds only those whose
 * bucket is not full again (burst / rate seconds' worth), and no more than
 * ADDRESS_MAX_BUCKETS. */
struct address_buckets {
	struct address_bucket *by_key;
	struct list by_use; /* longest unused first */
};

void address_buckets_init(struct address_buckets *buckets);
void address_buckets_fini(struct address_buckets *buckets);

/* bucket_take() of one token from the bucket of this address, and of one from
 * that of its network, which is ADDRESS_NETWORK_FACTOR times as large and as
 * quick.  One is taken from both, or from neither. */
int64_t address_buckets_take(struct address_buckets *buckets,
    const uint8_t key[ADDRESS_KEY_SIZE], struct rate rate, int64_t now_ms);

#endif
