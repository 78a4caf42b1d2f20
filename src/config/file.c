/* file.c - see file.h.
 *
 * inih parses the lines.  By default it cuts lines off at 200 bytes and values
 * at " ;", joins indented lines, and has sections.  Its switches turn off most
 * of this; read_line(), which gives it the lines, refuses the rest, so that
 * nothing is ever cut silently.
 *
 * The command line is read before the file.  The file's values for an option
 * that the command line has go into other options, which are dropped, so that
 * they are checked as well.
 */
#include "config/file.h"

#include <assert.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/mem.h"
#include "config/table.h"
#include "config/value.h"

/* With "\n", a NUL, and a spare byte: inih takes a full buffer for half a line.
 */
#define BUFFER_SIZE (OPTIONS_MAX_LINE + 3)
#define MAX_FILE ((size_t)1 << 20)
#define BLANKS " \t\r\n\v\f" /* as inih strips off */

struct reading {
	struct options *options;
	struct options overridden; /* values that are only checked */
	const char *path;
	const char *at, *end; /* still to be read */
	unsigned n_lines;
	char line[BUFFER_SIZE]; /* as in the file */
	options_complain_fn complain;
	bool has_fault, is_over;
};

static void complain_of_line(struct reading *reading, const char *format, ...)
    PRINTF_LIKE(2, 3);

static void
complain_of_line(struct reading *reading, const char *format, ...)
{
	char what[OPTIONS_MAX_LINE + OPTIONS_WHY_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	options_complain(reading->complain, "%s:%u: %s", reading->path,
	    reading->n_lines, what);
	reading->has_fault = true;
	if (!reading->options->is_check)
		reading->is_over = true;
}

/* ---- lines ---- */

/* Read up to the end of a line.  false: there is no line, or it has no end. */
static bool
read_bytes(struct reading *reading)
{
	char *line = reading->line;
	bool has_nul = false;
	size_t len = 0;
	char byte = 0;

	while (byte != '\n' && reading->at < reading->end) {
		byte = *reading->at++;
		if (len == OPTIONS_MAX_LINE && byte != '\n') {
			complain_of_line(reading,
			    "the line is longer than %d bytes",
			    OPTIONS_MAX_LINE);
			reading->is_over = true;
			return false;
		}
		line[len++] = byte;
		has_nul |= byte == '\0';
	}
	line[len] = '\0';
	if (has_nul) {
		complain_of_line(reading, "the line has a NUL byte");
		strcpy(line, "\n");
	}
	return len > 0;
}

static char *
read_line(char *out, int size, void *cls)
{
	struct reading *reading = cls;
	const char *line = reading->line;

	assert(size >= BUFFER_SIZE);
	if (reading->is_over)
		return NULL;
	reading->n_lines++;
	if (!read_bytes(reading))
		return NULL;
	if (line[strspn(line, BLANKS)] == '[') {
		complain_of_line(
		    reading, "sections are not supported: remove the line");
		line = "\n";
	}
	return strcpy(out, line);
}

/* ---- values ---- */

static bool
is_plain_name(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz-_");

	return len > 0 && len < 40 && name[len] == '\0';
}

static const char *
find_comment(const char *value)
{
	for (const char *at = value; *at; at++)
		if ((*at == ';' || *at == '#') &&
		    (at == value || strchr(BLANKS, at[-1])))
			return at;
	return NULL;
}

bool
options_file_can_hold(const char *text)
{
	size_t len = strlen(text);

	return len == 0 ||
	    (len < OPTIONS_MAX_LINE - 64 && !strpbrk(text, "\n") &&
		!strchr(BLANKS, text[0]) && !strchr(BLANKS, text[len - 1]) &&
		!find_comment(text));
}

/* Whether the command line has the option: its values have no line number. */
static bool
is_overridden(const struct options *options, const struct option_spec *spec)
{
	const struct option_value *value = options_find_value(options, spec);

	return value && value->line == 0;
}

static void
set_value(
    struct reading *reading, const struct option_spec *spec, const char *text)
{
	struct options *options = is_overridden(reading->options, spec) ?
	    &reading->overridden :
	    reading->options;
	const struct option_value *earlier = options_find_value(options, spec);

	if (earlier && !(spec->traits & OPTION_REPEATABLE))
		complain_of_line(reading, "%s: it is already set in line %u",
		    spec->name, earlier->line);
	else if (!options_set(options, spec, text, reading->n_lines))
		complain_of_line(reading, "%s: %s", spec->name, options->why);
}

/* An unknown word is shown only if it looks like a name, since it may be a
 * secret. */
static void
complain_of_name(struct reading *reading, const char *name)
{
	const char *similar = find_similar_option(name);

	if (!is_plain_name(name) && similar)
		complain_of_line(reading,
		    "there is no option of that name: did you mean %s?",
		    similar);
	else if (!is_plain_name(name))
		complain_of_line(reading, "the line is not 'option = value'");
	else if (similar)
		complain_of_line(reading,
		    "unknown option '%s': did you mean %s?", name, similar);
	else
		complain_of_line(
		    reading, "unknown option '%s': see peerpostd --help", name);
}

/* inih also accepts a colon, but values have colons. */
static bool
has_equals_sign(const char *line)
{
	return line[strcspn(line, "=:")] == '=';
}

static int
on_pair(void *cls, const char *section, const char *name, const char *text)
{
	struct reading *reading = cls;
	const struct option_spec *spec = find_option_spec(name);

	(void)section;
	if (text && spec && !has_equals_sign(reading->line))
		complain_of_line(reading,
		    "the line is not 'option = value': it has a colon where "
		    "'=' belongs");
	else if (!text || !has_equals_sign(reading->line))
		complain_of_line(reading, "the line is not 'option = value'");
	else if (!spec)
		complain_of_name(reading, name);
	else if (spec->traits & OPTION_COMMAND)
		complain_of_line(reading,
		    "%s: use it on the command line, not in a file",
		    spec->name);
	else if (find_comment(text))
		complain_of_line(reading,
		    "%s: put the comment on a line of its own; no value can "
		    "have ';' or '#' at its beginning or after a blank",
		    spec->name);
	else
		set_value(reading, spec, text);
	return 1;
}

/* ---- the file ---- */

static void
read_pairs(struct reading *reading)
{
	ini_use_stack = false;
	ini_initial_alloc = BUFFER_SIZE;
	ini_max_line = BUFFER_SIZE;
	ini_allow_multiline = false;
	ini_allow_inline_comments = false;
	ini_allow_no_value = true;
	if (ini_parse_stream(read_line, reading, on_pair, reading) == -2)
		mem_exhausted();
}

static bool
has_secret(const struct options *options)
{
	for (size_t i = 0; i < options->n_values; i++)
		if (options->values[i].line > 0 &&
		    option_secret_at(
			options->values[i].spec, options->values[i].text))
			return true;
	return false;
}

bool
options_read_file(
    struct options *options, const char *path, options_complain_fn complain)
{
	struct reading reading = {
		.options = options, .path = path, .complain = complain
	};
	struct file_text text;
	char why[FILE_WHY_SIZE];

	if (!file_read(path, MAX_FILE, &text, why)) {
		options_complain(complain, "cannot read '%s': %s", path, why);
		return false;
	}
	reading.at = text.data;
	reading.end = text.data + text.len;
	read_pairs(&reading);
	if (text.is_exposed)
		options->is_config_exposed = has_secret(options) ||
		    has_secret(&reading.overridden);
	file_forget(&text);
	options_free(&reading.overridden);
	return !reading.has_fault;
}
