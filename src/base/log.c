/* log.c - see log.h. */
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <unistd.h>

#define MAX_LINE 1024

static atomic_int max_level = LOG_LEVEL_INFO;

static const char *const names[] = { "error", "warning", "info", "debug" };

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
log_level_parse(struct span name, enum log_level *out)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (span_equals(name, names[i])) {
			*out = (enum log_level)i;
			return true;
		}
	}
	return false;
}

const char *
log_level_name(enum log_level level)
{
	return names[level];
}

static void PRINTF_LIKE(2, 0)
    write_line(enum log_level level, const char *format, va_list args)
{
	char line[MAX_LINE];
	int n, m;

	if (level > log_get_level())
		return;
	n = snprintf(line, sizeof(line), "peerpostd: %s: ", names[level]);
	m = vsnprintf(line + n, sizeof(line) - (size_t)n - 1, format, args);
	if (m < 0)
		return;
	n += m;
	if (n > MAX_LINE - 2)
		n = MAX_LINE - 2;
	line[n] = '\n';
	/* There is nobody to tell when stderr is gone. */
	if (write(STDERR_FILENO, line, (size_t)n + 1) < 0)
		return;
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
