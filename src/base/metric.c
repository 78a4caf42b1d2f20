/* metric.c - see metric.h.
 *
 * Each thread writes only to its own shard, so counting needs no lock and no
 * message.  A shard starts on its own cache line: two threads writing to the
 * same line cost more than all the rest.  A reader may see one counter a moment
 * older than another, so no decision may depend on a metric.  The sum and the
 * buckets of a histogram may differ by an observation in progress; its count is
 * the sum of the buckets that were read.  A gauge that is set, not added to,
 * must be set by one thread only.
 *
 * The cost is two readings of the clock per request, one per transaction, and
 * two more per commit that writes; counting takes a few nanoseconds.
 */
#include "base/metric.h"

#include <assert.h>
#include <stdalign.h>

#include "base/process.h"

#define CACHE_LINE 64

/* clang-format off */
static const uint32_t times[METRIC_N_TIMES] = {
	100, 250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000,
	500000, 1000000, 2500000
};
/* By default a poll is held for 22.5 to 25 s. */
static const uint32_t holds[METRIC_N_HOLDS] = {
	100000, 500000, 1000000, 2500000, 5000000, 10000000, 15000000,
	20000000, 25000000, 30000000, 45000000, 60000000
};
static const uint32_t sizes[METRIC_N_SIZES] = {
	1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024
};
/* clang-format on */

/* clang-format off */
const struct metric metrics[N_METRIC_ROWS] = {
#define X(id, kind, n, name, label, help) \
	[METRIC_ROW_##id] = { name, label, help, METRIC_##kind, n, METRIC_##id },
	METRIC_COUNTED_TABLE(X)
#undef X
#define X(id, kind, n, name, label, help) \
	[METRIC_ROW_##id] = { name, label, help, METRIC_##kind, n, 0 },
	METRIC_READ_TABLE(X)
#undef X
};
/* clang-format on */

/* Each starts on its own cache line: no two threads write to the same one. */
struct shard {
	alignas(CACHE_LINE) _Atomic(uint64_t) counters[N_METRIC_COUNTERS];
};

static struct shard shards[N_PROCESS_THREADS];

_Thread_local _Atomic(uint64_t) *metric_shard = shards[PROCESS_LOOP].counters;

void
metric_use_shard(unsigned thread)
{
	assert(thread < N_PROCESS_THREADS);
	metric_shard = shards[thread].counters;
}

uint64_t
metric_get(unsigned counter)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < N_PROCESS_THREADS; i++)
		sum += atomic_load_explicit(
		    &shards[i].counters[counter], memory_order_relaxed);
	return sum;
}

const uint32_t *
metric_bounds(enum metric_kind kind)
{
	static const uint32_t *const bounds[] = {
		[METRIC_TIMES] = times,
		[METRIC_HOLDS] = holds,
		[METRIC_SIZES] = sizes,
	};

	assert(bounds[kind]); /* it is a histogram */
	return bounds[kind];
}

void
metric_observe(unsigned row, int64_t value)
{
	const struct metric *metric = &metrics[row];
	const uint32_t *bounds = metric_bounds(metric->kind);
	uint64_t size = value > 0 ? (uint64_t)value : 0;
	unsigned i = 0;

	/* Small values are the most frequent. */
	while (i < metric->n && size > bounds[i])
		i++;
	metric_add(metric->counter + i, 1);
	metric_add(metric->counter + (unsigned)metric->n + 1, size);
}
