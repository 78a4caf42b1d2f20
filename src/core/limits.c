/* limits.c - see limits.h.
 *
 * Buckets of addresses are in one hash, networks among them, and in a list by
 * last use.  Looking at a bucket counts as use, so the list is also in the
 * order of filled_ms, and buckets that are full again are at its head.
 */
#include "core/limits.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"

#define TOKEN 1000 /* one token in a bucket's unit */
#define NETWORK_BITS 48

struct address_bucket {
	uint8_t key[ADDRESS_KEY_SIZE];
	struct bucket bucket;
	struct list by_use;
	UT_hash_handle hh;
};

/* Fill the bucket, and compute the time until it has min(n, burst). */
static int64_t
fill(struct bucket *bucket, struct rate rate, int64_t now_ms, uint64_t n)
{
	int64_t full = (int64_t)rate.burst * TOKEN;
	int64_t need = (int64_t)(n < rate.burst ? n : rate.burst) * TOKEN;

	/* One token per second is one unit per millisecond.  After a long time
	 * the product would overflow. */
	if (bucket->filled_ms == 0 ||
	    now_ms - bucket->filled_ms > (full - bucket->millis) / rate.per_s)
		bucket->millis = full;
	else
		bucket->millis += (now_ms - bucket->filled_ms) *
		    (int64_t)rate.per_s;
	if (bucket->millis > full) /* the burst has been lowered */
		bucket->millis = full;
	bucket->filled_ms = now_ms;
	if (bucket->millis < need)
		return (need - bucket->millis + rate.per_s - 1) / rate.per_s;
	return 0;
}

int64_t
bucket_take(struct bucket *bucket, struct rate rate, int64_t now_ms, uint64_t n)
{
	int64_t wait_ms;

	if (rate.per_s == 0 || rate.burst == 0)
		return 0;
	wait_ms = fill(bucket, rate, now_ms, n);
	if (wait_ms == 0)
		bucket->millis -= (int64_t)n * TOKEN;
	return wait_ms;
}

bool
address_network(
    const uint8_t key[ADDRESS_KEY_SIZE], uint8_t out[ADDRESS_KEY_SIZE])
{
	static const uint8_t ipv4_prefix[] = { 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
		0xff, 0xff };

	if (memcmp(key, ipv4_prefix, sizeof(ipv4_prefix)) == 0)
		return false;
	memset(out, 0, ADDRESS_KEY_SIZE);
	memcpy(out, key, NETWORK_BITS / 8);
	/* The key of a /64 ends with zeros. */
	out[ADDRESS_KEY_SIZE - 1] = NETWORK_BITS;
	return true;
}

void
bill_begin(struct bill *bill)
{
	bill->credit += bill->paid;
	bill->paid = 0;
}

enum err
bill_pay(struct bill *bill, struct bucket *bucket, struct rate rate,
    int64_t now_ms, uint64_t n)
{
	if (n <= bill->credit) {
		bill->credit -= n;
	} else {
		bill->wait_ms = bucket_take(bucket, rate, now_ms, n);
		if (bill->wait_ms)
			return ERR_RATE_LIMITED;
	}
	bill->paid += n;
	return ERR_NONE;
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

/* A bucket not used for as long as an empty one takes to fill is full, and a
 * full bucket need not be kept. */
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

/* NULL: there is none. */
static struct address_bucket *
find(struct address_buckets *buckets, const uint8_t key[ADDRESS_KEY_SIZE])
{
	struct address_bucket *b;

	HASH_FIND(hh, buckets->by_key, key, ADDRESS_KEY_SIZE, b);
	return b;
}

/* The time until there is a token for this key; without a bucket it is full. */
static int64_t
look(struct address_buckets *buckets, const uint8_t key[ADDRESS_KEY_SIZE],
    struct rate rate, int64_t now_ms)
{
	struct address_bucket *b = find(buckets, key);

	if (!b)
		return 0;
	list_append(&buckets->by_use, &b->by_use);
	return fill(&b->bucket, rate, now_ms, 1);
}

/* Take the token that look() has seen. */
static void
take(struct address_buckets *buckets, const uint8_t key[ADDRESS_KEY_SIZE],
    struct rate rate, int64_t now_ms)
{
	struct address_bucket *b = find(buckets, key);

	if (!b) {
		if (HASH_CNT(hh, buckets->by_key) >= ADDRESS_MAX_BUCKETS)
			forget(buckets,
			    CONTAINER_OF(list_first(&buckets->by_use),
				struct address_bucket, by_use));
		b = mem_new(sizeof(*b));
		memcpy(b->key, key, ADDRESS_KEY_SIZE);
		list_init(&b->by_use);
		HASH_ADD(hh, buckets->by_key, key, ADDRESS_KEY_SIZE, b);
	}
	list_append(&buckets->by_use, &b->by_use);
	(void)bucket_take(&b->bucket, rate, now_ms, 1);
}

/* A refusal makes no bucket: a flood from ever-changing addresses would fill
 * the table with them. */
int64_t
address_buckets_take(struct address_buckets *buckets,
    const uint8_t key[ADDRESS_KEY_SIZE], struct rate rate, int64_t now_ms)
{
	/* The option's maximum is a million. */
	struct rate network_rate = { rate.per_s * ADDRESS_NETWORK_FACTOR,
		rate.burst * ADDRESS_NETWORK_FACTOR };
	uint8_t network[ADDRESS_KEY_SIZE];
	bool has_network = address_network(key, network);
	int64_t wait_ms, network_wait_ms = 0;

	if (rate.per_s == 0 || rate.burst == 0)
		return 0;
	forget_full(buckets, rate, now_ms);
	wait_ms = look(buckets, key, rate, now_ms);
	if (has_network)
		network_wait_ms = look(buckets, network, network_rate, now_ms);
	if (wait_ms || network_wait_ms)
		return wait_ms > network_wait_ms ? wait_ms : network_wait_ms;
	take(buckets, key, rate, now_ms);
	if (has_network)
		take(buckets, network, network_rate, now_ms);
	return 0;
}
