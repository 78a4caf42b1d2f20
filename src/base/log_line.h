/* log_line.h - one line of the log with fields.
 *
 * Floor: base.  Any thread.
 *
 *	struct log_line line;
 *
 *	log_line_begin(&line, LOG_LEVEL_INFO, "what happened");
 *	log_line_add_text(&line, "method", "GET");
 *	log_line_add_uint(&line, "status", 200);
 *	log_line_end(&line);
 *
 * Ask log_is_on() first: a line once begun is written.  If it becomes too long,
 * a message is cut, and a field is left out as a whole.
 */
#ifndef PEERPOST_BASE_LOG_LINE_H
#define PEERPOST_BASE_LOG_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

#define LOG_LINE_SIZE 2048

enum log_level {
	LOG_LEVEL_ERROR,
	LOG_LEVEL_WARNING,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG,
	LOG_LEVEL_NOTICE, /* written at any level; cannot be set */
};

enum log_format {
	LOG_FORMAT_TEXT,   /* "[TIME ]peerpostd: LEVEL: sentence key=value" */
	LOG_FORMAT_LOGFMT, /* time=... level=... msg=... key=value */
	LOG_FORMAT_JSON,   /* the same as an object (RFC 8259) */
};

/* "error", "warning", "info" or "debug".  false: none of them. */
bool log_level_parse(struct span name, enum log_level *out);
const char *log_level_name(enum log_level level);

struct log_line {
	enum log_format format;
	size_t len;
	char text[LOG_LINE_SIZE];
};

/* The prefix of a line of text. */
enum log_begin {
	LOG_BEGIN_BARE,     /* none: the reader adds the time */
	LOG_BEGIN_PRIORITY, /* "<4>"; in the other forms as well */
	LOG_BEGIN_TIME,     /* except for log_notice() */
};

/* The form of lines that begin from now on. */
void log_line_set_form(enum log_format format, enum log_begin begin);

/* Lines that this thread logs from now on are about the request with this id
 * (see struct request), which they have as a field; 0: about none. */
void log_set_request(uint32_t id);

/* Begin a line.  message may hold any bytes, but should be UTF-8. */
void log_line_begin(
    struct log_line *line, enum log_level level, const char *message);
/* Add a field.  key consists of lower-case letters and "_"; value may hold any
 * bytes. */
void log_line_add_text(
    struct log_line *line, const char *key, const char *value);
void log_line_add_uint(struct log_line *line, const char *key, uint64_t value);
/* Microseconds, written as milliseconds: "0.153". */
void log_line_add_ms(struct log_line *line, const char *key, uint64_t us);
/* Add the newline, and write it to stderr. */
void log_line_end(struct log_line *line);

#endif
