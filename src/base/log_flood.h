/* log_flood.h - limits lines that clients can cause as often as they like.
 *
 * Floor: base.  Any thread.
 *
 *	static struct log_flood flood;
 *
 *	if (log_flood_passes(&flood, LOG_LEVEL_WARNING, "cannot do that"))
 *		log_warning("cannot do that: %s", strerror(errno));
 *
 * The first line of a kind is written at once.  Lines in the LOG_FLOOD_S
 * seconds after it are only counted, and the count is written at the end of
 * that time, in one line, whether or not another of the kind follows.  After a
 * count, counting goes on; a kind that has been quiet for as long starts from
 * the beginning.  So a kind makes at most two lines in LOG_FLOOD_S.
 */
#ifndef PEERPOST_BASE_LOG_FLOOD_H
#define PEERPOST_BASE_LOG_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"

#define LOG_FLOOD_S 60

/* A kind.  All zero at first, and static, since it is never removed. */
struct log_flood {
	struct log_flood *next; /* the kinds used so far */
	bool is_known;          /* it is one of them */
	enum log_level level;
	const char *kind;
	bool is_counting;
	int64_t since_ms;   /* when the first line, or the last count, was */
	uint64_t n_counted; /* since then */
};

/* Whether to write a line of this kind now; otherwise it has been counted, or
 * lines of that level are not logged.  kind is a static text: the subject of
 * the line in a few words, the same each time. */
bool log_flood_passes(
    struct log_flood *flood, enum log_level level, const char *kind);

/* Write the counts that are due.  Call once a second. */
void log_flood_tick(void);

/* Write all counts: the process is about to end. */
void log_flood_end(void);

#endif
