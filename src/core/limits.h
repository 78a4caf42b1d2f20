/* limits.h - token buckets, one a player and one an address.
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
    struct bucket *bucket, struct rate rate, int64_t now_ms, uint32_t n);

#define ADDRESS_KEY_SIZE 16

/* A bucket for each address seen lately.  Holds only addresses whose bucket
 * is not full again: burst / rate seconds' worth. */
struct address_buckets {
	struct address_bucket *by_key;
	struct list by_use; /* longest unused first */
};

void address_buckets_init(struct address_buckets *buckets);
void address_buckets_fini(struct address_buckets *buckets);

/* bucket_take() of one token from the bucket of this address. */
int64_t address_buckets_take(struct address_buckets *buckets,
    const uint8_t key[ADDRESS_KEY_SIZE], struct rate rate, int64_t now_ms);

#endif
