/* limits.c - see limits.h. */
#include "core/limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define TOKEN 1000 /* one token in a bucket's unit */

struct address_bucket {
	uint8_t key[ADDRESS_KEY_SIZE];
	struct bucket bucket;
	struct list by_use;
	UT_hash_handle hh;
};

int64_t
bucket_take(struct bucket *bucket, struct rate rate, int64_t now_ms, uint32_t n)
{
	int64_t full = (int64_t)rate.burst * TOKEN;
	int64_t need = (int64_t)(n < rate.burst ? n : rate.burst) * TOKEN;

	if (rate.per_s == 0 || rate.burst == 0)
		return 0;
	if (bucket->filled_ms == 0)
		bucket->millis = full;
	else
		/* A token a second is a unit a millisecond. */
		bucket->millis += (now_ms - bucket->filled_ms) *
		    (int64_t)rate.per_s;
	if (bucket->millis > full)
		bucket->millis = full;
	bucket->filled_ms = now_ms;
	if (bucket->millis < need)
		return (need - bucket->millis + rate.per_s - 1) / rate.per_s;
	bucket->millis -= (int64_t)n * TOKEN;
	return 0;
}

void
address_buckets_init(struct address_buckets *buckets)
{
	buckets->by_key = NULL;
	list_init(&buckets->by_use);
}

static void
forget(struct address_buckets *buckets, struct address_bucket *b)
{
	list_remove(&b->by_use);
	HASH_DELETE(hh, buckets->by_key, b);
	free(b);
}

void
address_buckets_fini(struct address_buckets *buckets)
{
	struct list *node;

	while ((node = list_first(&buckets->by_use)) != NULL)
		forget(
		    buckets, CONTAINER_OF(node, struct address_bucket, by_use));
}

/* What has not been used for as long as an empty bucket takes to fill is full,
 * and a full bucket is as good as none. */
static void
forget_full(struct address_buckets *buckets, struct rate rate, int64_t now_ms)
{
	int64_t fill_ms = (int64_t)rate.burst * 1000 / rate.per_s + 1;
	struct list *node;

	while ((node = list_first(&buckets->by_use)) != NULL) {
		struct address_bucket *b = CONTAINER_OF(
		    node, struct address_bucket, by_use);

		if (now_ms - b->bucket.filled_ms < fill_ms)
			break;
		forget(buckets, b);
	}
}

int64_t
address_buckets_take(struct address_buckets *buckets,
    const uint8_t key[ADDRESS_KEY_SIZE], struct rate rate, int64_t now_ms)
{
	struct address_bucket *b;

	if (rate.per_s == 0 || rate.burst == 0)
		return 0;
	forget_full(buckets, rate, now_ms);
	HASH_FIND(hh, buckets->by_key, key, ADDRESS_KEY_SIZE, b);
	if (!b) {
		b = mem_new(sizeof(*b));
		memcpy(b->key, key, ADDRESS_KEY_SIZE);
		list_init(&b->by_use);
		HASH_ADD(hh, buckets->by_key, key, ADDRESS_KEY_SIZE, b);
	}
	list_append(&buckets->by_use, &b->by_use);
	return bucket_take(&b->bucket, rate, now_ms, 1);
}
