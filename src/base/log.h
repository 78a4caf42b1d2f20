/* log.h - lines on stderr.
 *
 * Floor: base.  Any thread; a line is one write(2).
 *
 * Never logged: tokens, query strings, headers, messages.  Callers pass
 * routes, player ids, error words and system errors only.
 */
#ifndef PEERPOST_BASE_LOG_H
#define PEERPOST_BASE_LOG_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

/* Drop what is less urgent than level, from now on. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* "error", "warning", "info" or "debug".  false: none of them. */
bool log_level_parse(struct span name, enum log_level *out);
const char *log_level_name(enum log_level level);

/* "peerpostd: LEVEL: text\n" */
void log_error(const char *format, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *format, ...) PRINTF_LIKE(1, 2);
void log_info(const char *format, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
