/* log_flood.h - kinds of line that a client can cause as often as it likes.
 *
 * Floor: base.  Any thread.
 *
 *	static struct log_flood flood;
 *
 *	if (log_flood_passes(&flood, LOG_LEVEL_WARNING, "cannot do that"))
 *		log_warning("cannot do that: %s", strerror(errno));
 *
 * The first line of a kind is written at once.  Those of the LOG_FLOOD_S
 * seconds after it are only counted, and the count is written at their end, in
 * one line, with or without another of the kind.  After a count, counting goes
 * on; a kind that has been quiet for as long begins anew.  So a kind makes no
 * more than two lines in LOG_FLOOD_S, whatever happens.
 */
#ifndef PEERPOST_BASE_LOG_FLOOD_H
#define PEERPOST_BASE_LOG_FLOOD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"

#define LOG_FLOOD_S 60

/* A kind.  All zero at first, and static: it is never forgotten. */
struct log_flood {
	struct log_flood *next; /* of those that have been used */
	bool is_known;          /* it is among those */
	enum log_level level;
	const char *kind;
	bool is_counting;
	int64_t since_ms;   /* when the first line, or the last count, was */
	uint64_t n_counted; /* since then */
};

/* Whether to write a line of this kind now; else it has been counted, or the
 * log is not to have lines of that level.  kind is static: what the line says,
 * in a few words, and the same ones each time. */
bool log_flood_passes(
    struct log_flood *flood, enum log_level level, const char *kind);

/* Write the counts whose time has come.  To be called once a second. */
void log_flood_tick(void);

/* Write all counts: the process is about to end. */
void log_flood_end(void);

#endif
