/* log.h - lines on stderr.
 *
 * Floor: base.  Any thread; a line is one write(2).
 *
 * Never logged: tokens, query strings, headers, messages.  Callers pass
 * routes, player ids, error words and system errors only.
 */
#ifndef PEERPOST_BASE_LOG_H
#define PEERPOST_BASE_LOG_H

#include "base/err.h"

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

/* Drop what is less urgent than level. */
void log_set_level(enum log_level level);

/* "peerpostd: LEVEL: text\n" */
void log_error(const char *format, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *format, ...) PRINTF_LIKE(1, 2);
void log_info(const char *format, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
