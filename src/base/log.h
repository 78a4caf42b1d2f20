/* log.h - lines on stderr.
 *
 * Floor: base.  Any thread; a line is one write(2).
 *
 * Never logged: tokens, query strings, headers, messages.  Callers pass
 * routes, player ids, error words and system errors only.
 *
 * A line is a sentence for people and, where programs should find something
 * in it, fields (log_line.h).  Whatever is in them, an event is one line.
 */
#ifndef PEERPOST_BASE_LOG_H
#define PEERPOST_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/log_line.h"
#include "base/span.h"

/* Set the form of the lines, and find out what stderr is.  If it is the
 * journal, each begins with its priority, "<4>" (sd-daemon(3)); text on a
 * terminal or in a file, with the time.  Before any thread starts. */
void log_init(enum log_format format);

/* Drop what is less urgent than level, from now on. */
void log_set_level(enum log_level level);
enum log_level log_get_level(void);

/* Whether a line of this level would be written. */
bool log_is_on(enum log_level level);

void log_error(const char *format, ...) PRINTF_LIKE(1, 2);
void log_warning(const char *format, ...) PRINTF_LIKE(1, 2);
void log_info(const char *format, ...) PRINTF_LIKE(1, 2);
void log_debug(const char *format, ...) PRINTF_LIKE(1, 2);
/* What scripts wait for: written whatever the level is, and as text without
 * anything before it. */
void log_notice(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
