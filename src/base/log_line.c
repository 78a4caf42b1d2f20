/* log_line.c - see log_line.h.
 *
 * logfmt is the format of Heroku's router and of Go's tools: "key=value", with
 * the value in quotation marks if it is empty or contains a blank, "=" or a
 * quotation mark, and then escaped like a JSON string.  There is no standard;
 * all readers of it agree on the form written here.
 *
 * Each byte that is not valid UTF-8 becomes U+FFFD, and control characters are
 * escaped in all three forms: file names come from other people, and a line
 * break in one would forge a line of the log.
 */
#include "base/log_line.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

#define MAX_CLOSING 4              /* "\"}\n", and one to spare */
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

static enum log_format form;
static enum log_begin begins;
static _Thread_local uint32_t request_id;

/* syslog(3) */
static const int priorities[] = {
	[LOG_LEVEL_ERROR] = 3,
	[LOG_LEVEL_WARNING] = 4,
	[LOG_LEVEL_INFO] = 6,
	[LOG_LEVEL_DEBUG] = 7,
	[LOG_LEVEL_NOTICE] = 5,
};

static const char *const names[] = { "error", "warning", "info", "debug",
	"notice" };

bool
log_level_parse(struct span name, enum log_level *out)
{
	for (int i = 0; i < LOG_LEVEL_NOTICE; i++) {
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

void
log_line_set_form(enum log_format format, enum log_begin begin)
{
	form = format;
	begins = begin;
}

void
log_set_request(uint32_t id)
{
	request_id = id;
}

/* false: it does not fit, and nothing is written. */
static bool
put(struct log_line *line, const char *bytes, size_t len)
{
	if (line->len + len > sizeof(line->text) - MAX_CLOSING)
		return false;
	memcpy(line->text + line->len, bytes, len);
	line->len += len;
	return true;
}

static bool
put_text(struct log_line *line, const char *text)
{
	return put(line, text, strlen(text));
}

/* C0, DEL and C1: a terminal may take them for commands. */
static bool
is_control(uint32_t code)
{
	return code < 0x20 || (code >= 0x7f && code <= 0x9f);
}

/* One character, of n bytes (0: no UTF-8), as it is written between quotation
 * marks or in plain text. */
static bool
put_character(struct log_line *line, const char *at, size_t n, uint32_t code,
    bool is_quoted)
{
	char escape[8];

	if (n == 0)
		return put_text(line, REPLACEMENT);
	if (code == '\n')
		return put_text(line, "\\n");
	if (is_control(code)) {
		snprintf(escape, sizeof(escape), "\\u%04x", (unsigned)code);
		return put_text(line, escape);
	}
	if (is_quoted && (code == '"' || code == '\\')) {
		escape[0] = '\\';
		escape[1] = (char)code;
		return put(line, escape, 2);
	}
	return put(line, at, n);
}

/* false: it has been cut, at a character. */
static bool
put_escaped(struct log_line *line, const char *text, bool is_quoted)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len;) {
		uint32_t code = 0;
		size_t n = text_utf8_next(text + i, len - i, &code);

		if (!put_character(line, text + i, n, code, is_quoted))
			return false;
		i += n ? n : 1;
	}
	return true;
}

/* Whether logfmt needs no quotation marks. */
static bool
is_bare(const char *text)
{
	size_t len = strlen(text);

	for (size_t i = 0; i < len;) {
		uint32_t code = 0;
		size_t n = text_utf8_next(text + i, len - i, &code);

		if (n == 0 || is_control(code) || code == ' ' || code == '=' ||
		    code == '"' || code == '\\')
			return false;
		i += n;
	}
	return len > 0;
}

static bool
put_value(struct log_line *line, const char *value)
{
	bool is_whole;

	if (line->format != LOG_FORMAT_JSON && is_bare(value))
		return put_text(line, value);
	is_whole = put_text(line, "\"") && put_escaped(line, value, true);
	line->text[line->len++] = '"'; /* MAX_CLOSING leaves room for it */
	return is_whole;
}

static bool
put_key(struct log_line *line, const char *key)
{
	if (line->format == LOG_FORMAT_JSON)
		return put_text(line, ",\"") && put_text(line, key) &&
		    put_text(line, "\":");
	return put_text(line, " ") && put_text(line, key) &&
	    put_text(line, "=");
}

/* RFC 3339, UTC. */
static void
write_time(char *out, size_t size)
{
	struct timespec now;
	struct tm tm;
	size_t len;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	len = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + len, size - len, ".%03dZ", (int)(now.tv_nsec / 1000000));
}

/* The journal shows the level and the program's name itself. */
static void
begin_text(struct log_line *line, enum log_level level, const char *message)
{
	char now[64];

	if (begins == LOG_BEGIN_TIME && level != LOG_LEVEL_NOTICE) {
		write_time(now, sizeof(now));
		put_text(line, now);
		put_text(line, " ");
	}
	if (begins != LOG_BEGIN_PRIORITY && level != LOG_LEVEL_NOTICE) {
		put_text(line, "peerpostd: ");
		put_text(line, log_level_name(level));
		put_text(line, ": ");
	}
	put_escaped(line, message, false);
}

static void
begin_fields(struct log_line *line, enum log_level level, const char *message)
{
	bool is_json = line->format == LOG_FORMAT_JSON;
	char now[64];

	write_time(now, sizeof(now));
	put_text(line, is_json ? "{\"time\":\"" : "time=");
	put_text(line, now);
	put_text(line, is_json ? "\",\"level\":\"" : " level=");
	put_text(line, log_level_name(level));
	put_text(line, is_json ? "\",\"msg\":" : " msg=");
	put_value(line, message);
}

void
log_line_begin(struct log_line *line, enum log_level level, const char *message)
{
	char text[16];

	line->format = form;
	line->len = 0;
	if (begins == LOG_BEGIN_PRIORITY) {
		snprintf(text, sizeof(text), "<%d>", priorities[level]);
		put_text(line, text);
	}
	if (line->format == LOG_FORMAT_TEXT)
		begin_text(line, level, message);
	else
		begin_fields(line, level, message);
	if (request_id) {
		snprintf(text, sizeof(text), "%08x", (unsigned)request_id);
		log_line_add_text(line, "request", text);
	}
}

void
log_line_add_text(struct log_line *line, const char *key, const char *value)
{
	size_t before = line->len;

	if (!put_key(line, key) || !put_value(line, value))
		line->len = before;
}

static void
add_number(struct log_line *line, const char *key, const char *digits)
{
	size_t before = line->len;

	if (!put_key(line, key) || !put_text(line, digits))
		line->len = before;
}

void
log_line_add_uint(struct log_line *line, const char *key, uint64_t value)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%llu", (unsigned long long)value);
	add_number(line, key, digits);
}

void
log_line_add_ms(struct log_line *line, const char *key, uint64_t us)
{
	char digits[32];

	snprintf(digits, sizeof(digits), "%llu.%03u",
	    (unsigned long long)(us / 1000), (unsigned)(us % 1000));
	add_number(line, key, digits);
}

static void
close_line(struct log_line *line)
{
	if (line->format == LOG_FORMAT_JSON)
		line->text[line->len++] = '}';
	line->text[line->len++] = '\n';
}

void
log_line_end(struct log_line *line)
{
	close_line(line);
	/* If stderr is gone, there is nowhere to report it. */
	if (write(STDERR_FILENO, line->text, line->len) < 0)
		return;
}
