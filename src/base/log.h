/* log.h - lines on stderr.
 *
 * Floor: base.  Any thread; a line is one write(2).
 *
 * Never logged: tokens, query strings, headers, messages.  Callers pass
 * routes, player ids, error words and system errors only.
 *
 * A line is a sentence for people, with fields for programs where they are
 * useful (log_line.h).  An event is one line, whatever bytes it contains.
 */
#ifndef PEERPOST_BASE_LOG_H
#define PEERPOST_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log_line.h"
#include "base/span.h"

/* Set the form of the lines, and find out whether stderr is the journal, a
 * terminal or a file.  For the journal, each line begins with its priority,
 * "<4>" (sd-daemon(3)); for a terminal or a file, text begins with the time.
 * Call before any thread starts. */
void log_init(enum log_format format);

/* Drop lines less urgent than level from now on. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* Whether a line of this level would be written. */
bool log_is_on(enum log_level level);

void log_error(const char *format, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *format, ...) PRINTF_LIKE(1, 2);
void log_info(const char *format, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *format, ...) PRINTF_LIKE(1, 2);
/* A line that scripts wait for: written at any level, and as text without a
 * prefix. */
void log_notice(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
