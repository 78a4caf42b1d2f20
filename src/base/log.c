/* log.c - see log.h: which lines are logged.  log_line.c writes them.
 *
 * The level may be changed while others log; it does not matter which of them
 * sees it first.
 */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_MESSAGE 1024

static _Atomic(int) max_level = LOG_LEVEL_INFO;

/* systemd.exec(5), $JOURNAL_STREAM: "DEVICE:INODE" of the stderr that systemd
 * set up; a shell may have redirected it since. */
static bool
is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 &&
	    fstat(STDERR_FILENO, &st) == 0 && st.st_dev == device &&
	    st.st_ino == inode;
}

/* On a terminal or in a file nothing else adds the time; the reader of a pipe
 * or a socket can. */
static bool
is_read_later(void)
{
	struct stat st;

	return isatty(STDERR_FILENO) ||
	    (fstat(STDERR_FILENO, &st) == 0 && S_ISREG(st.st_mode));
}

void
log_init(enum log_format format)
{
	log_line_set_form(format,
	    is_journal()        ? LOG_BEGIN_PRIORITY :
		is_read_later() ? LOG_BEGIN_TIME :
				  LOG_BEGIN_BARE);
}

void
log_set_level(enum log_level level)
{
	atomic_store_explicit(&max_level, (int)level, memory_order_relaxed);
}

enum log_level
log_get_level(void)
{
	return (enum log_level)atomic_load_explicit(
	    &max_level, memory_order_relaxed);
}

bool
log_is_on(enum log_level level)
{
	return level == LOG_LEVEL_NOTICE ||
	    (int)level <=
	    atomic_load_explicit(&max_level, memory_order_relaxed);
}

static void PRINTF_LIKE(2, 0)
    write_line(enum log_level level, const char *format, va_list args)
{
	char message[MAX_MESSAGE];
	struct log_line line;

	if (!log_is_on(level))
		return;
	if (vsnprintf(message, sizeof(message), format, args) < 0)
		return;
	log_line_begin(&line, level, message);
	log_line_end(&line);
}

#define DEFINE_LOG(function, level) \
	void function(const char *format, ...) \
	{ \
		va_list args; \
		va_start(args, format); \
		write_line(level, format, args); \
		va_end(args); \
	}

DEFINE_LOG(log_error, LOG_LEVEL_ERROR)
DEFINE_LOG(log_warning, LOG_LEVEL_WARNING)
DEFINE_LOG(log_info, LOG_LEVEL_INFO)
DEFINE_LOG(log_debug, LOG_LEVEL_DEBUG)
DEFINE_LOG(log_notice, LOG_LEVEL_NOTICE)
