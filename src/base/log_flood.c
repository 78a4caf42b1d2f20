/* log_flood.c - see log_flood.h.
 *
 * A full table or a full disk makes every request fail, and a client that sends
 * many could fill the operator's disk with warnings about it.  A kind is a
 * variable in the file that logs it, so their number is fixed, and nothing
 * grows.  One lock serves all of them: it is taken only for lines that would
 * otherwise have cost a write(2).
 */
#include "base/log_flood.h"

#include <pthread.h>
#include <stddef.h>

#include "base/clock.h"
#include "base/log_line.h"

#define WINDOW_MS (LOG_FLOOD_S * INT64_C(1000))

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of all below */
static struct log_flood *first;

static void
write_count(struct log_flood *flood, int64_t now_ms)
{
	struct log_line line;

	if (log_is_on(flood->level)) {
		log_line_begin(
		    &line, flood->level, "repeats that are not logged");
		log_line_add_text(&line, "kind", flood->kind);
		log_line_add_uint(&line, "count", flood->n_counted);
		log_line_add_uint(&line, "seconds",
		    (uint64_t)(now_ms - flood->since_ms + 999) / 1000);
		log_line_end(&line);
	}
	flood->since_ms = now_ms;
	flood->n_counted = 0;
}

/* The lock is held. */
static bool
passes(struct log_flood *flood, int64_t now_ms)
{
	if (flood->is_counting && now_ms - flood->since_ms >= WINDOW_MS) {
		if (flood->n_counted)
			write_count(flood, now_ms);
		else
			flood->is_counting = false;
	}
	if (flood->is_counting) {
		flood->n_counted++;
		return false;
	}
	flood->is_counting = true;
	flood->since_ms = now_ms;
	return true;
}

bool
log_flood_passes(
    struct log_flood *flood, enum log_level level, const char *kind)
{
	bool does_pass;

	if (!log_is_on(level))
		return false;
	pthread_mutex_lock(&lock);
	if (!flood->is_known) {
		flood->is_known = true;
		flood->next = first;
		first = flood;
	}
	flood->level = level;
	flood->kind = kind;
	does_pass = passes(flood, clock_now_ms());
	pthread_mutex_unlock(&lock);
	return does_pass;
}

static void
write_counts(int64_t min_ms)
{
	int64_t now_ms;

	pthread_mutex_lock(&lock);
	now_ms = clock_now_ms();
	for (struct log_flood *flood = first; flood; flood = flood->next)
		if (flood->n_counted && now_ms - flood->since_ms >= min_ms)
			write_count(flood, now_ms);
	pthread_mutex_unlock(&lock);
}

void
log_flood_tick(void)
{
	write_counts(WINDOW_MS);
}

void
log_flood_end(void)
{
	write_counts(0);
}
