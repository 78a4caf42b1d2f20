/* json.c - see json.h.
 *
 * Two halves.  The first checks a text in one pass: a loop instead of
 * recursion, whose only memory of the containers around a value is their number
 * and a bit for each (array or object).  The second walks over texts that the
 * first has accepted, and so only looks for the ends of values.
 *
 * This is on the path of every command, and most of a command is one long
 * string of plain ASCII (the session description), so strings are looked at
 * eight bytes at a time.
 */
#include "api/json.h"

#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "base/text.h"

static_assert(JSON_MAX_DEPTH <= 32, "struct scan has a bit for each level");

struct scan {
	const char *at, *end;
	uint32_t is_object; /* the open containers, the innermost lowest */
	unsigned depth;     /* their number */
	bool wants_value;   /* a value must come next */
};

static const char *
skip_blanks(const char *at, const char *end)
{
	while (at < end &&
	    (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t'))
		at++;
	return at;
}

static bool
is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Step over the byte c if it is next. */
static bool
take(struct scan *scan, char c)
{
	if (scan->at == scan->end || *scan->at != c)
		return false;
	scan->at++;
	return true;
}

/* Whether c stands for itself in a string and is ASCII. */
static bool
is_plain(char c)
{
	unsigned char byte = (unsigned char)c;

	return byte >= 0x20 && byte < 0x80 && byte != '"' && byte != '\\';
}

/* Whether is_plain() holds for all of eight bytes.  A subtraction borrows
 * into a byte's highest bit where the byte is too small; a byte that makes
 * its neighbour borrow is not plain itself, so the answer is exact. */
static bool
are_plain(const char *bytes)
{
	const uint64_t ones = UINT64_C(0x0101010101010101);
	uint64_t word;

	memcpy(&word, bytes, sizeof(word));
	return (((word - ones * 0x20) | ((word ^ ones * '"') - ones) |
		    ((word ^ ones * '\\') - ones) | word) &
		   ones * 0x80) == 0;
}

/* The four hexadecimal digits of a \u escape; false: there are not four. */
static bool
scan_hex(struct scan *scan, unsigned *out_unit)
{
	unsigned unit = 0;

	if (scan->end - scan->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		int value = text_hex_value(*scan->at++);

		if (value < 0)
			return false;
		unit = unit << 4 | (unsigned)value;
	}
	*out_unit = unit;
	return true;
}

/* An escape, from behind its backslash. */
static bool
scan_escape(struct scan *scan)
{
	unsigned unit, low;
	char c;

	if (scan->at == scan->end)
		return false;
	c = *scan->at++;
	if (c != 'u')
		return c != '\0' && strchr("\"\\/bfnrt", c) != NULL;
	if (!scan_hex(scan, &unit))
		return false;
	if (unit < 0xd800 || unit > 0xdfff)
		return true;
	/* One half of a pair: the first, and the second right behind it. */
	return unit < 0xdc00 && take(scan, '\\') && take(scan, 'u') &&
	    scan_hex(scan, &low) && low >= 0xdc00 && low <= 0xdfff;
}

static bool
scan_string(struct scan *scan)
{
	uint32_t code;
	size_t n;

	if (!take(scan, '"'))
		return false;
	for (;;) {
		while (scan->end - scan->at >= 8 && are_plain(scan->at))
			scan->at += 8;
		while (scan->at < scan->end && is_plain(*scan->at))
			scan->at++;
		if (take(scan, '"'))
			return true;
		if (take(scan, '\\')) {
			if (!scan_escape(scan))
				return false;
			continue;
		}
		if (scan->at == scan->end || (unsigned char)*scan->at < 0x20)
			return false;
		n = text_utf8_next(
		    scan->at, (size_t)(scan->end - scan->at), &code);
		if (n == 0)
			return false;
		scan->at += n;
	}
}

/* One digit or more. */
static bool
scan_digits(struct scan *scan)
{
	const char *start = scan->at;

	while (scan->at < scan->end && is_digit(*scan->at))
		scan->at++;
	return scan->at > start;
}

/* A number.  The bytes after it are not checked: in "01" the number is 0, and
 * the caller meets a 1 where none is allowed. */
static bool
scan_number(struct scan *scan)
{
	take(scan, '-');
	if (!take(scan, '0') && !scan_digits(scan))
		return false;
	if (take(scan, '.') && !scan_digits(scan))
		return false;
	if (!take(scan, 'e') && !take(scan, 'E'))
		return true;
	if (!take(scan, '+'))
		take(scan, '-');
	return scan_digits(scan);
}

static bool
scan_word(struct scan *scan, const char *word)
{
	size_t len = strlen(word);

	if ((size_t)(scan->end - scan->at) < len ||
	    memcmp(scan->at, word, len) != 0)
		return false;
	scan->at += len;
	return true;
}

/* A member's key and its colon, each with blanks before it. */
static bool
scan_key(struct scan *scan)
{
	scan->at = skip_blanks(scan->at, scan->end);
	if (!scan_string(scan))
		return false;
	scan->at = skip_blanks(scan->at, scan->end);
	return take(scan, ':');
}

/* The start of an array or object, up to its first value; all of it if it is
 * empty. */
static bool
scan_open(struct scan *scan, bool is_object)
{
	if (scan->depth == JSON_MAX_DEPTH)
		return false;
	scan->at = skip_blanks(scan->at + 1, scan->end);
	if (take(scan, is_object ? '}' : ']'))
		return true;
	scan->depth++;
	scan->is_object = scan->is_object << 1 | is_object;
	scan->wants_value = true;
	return is_object ? scan_key(scan) : true;
}

/* The part after a value inside a container: the container's end, or everything
 * before the next value. */
static bool
scan_behind_value(struct scan *scan)
{
	bool is_object = scan->is_object & 1;

	scan->at = skip_blanks(scan->at, scan->end);
	if (take(scan, ',')) {
		scan->wants_value = true;
		return is_object ? scan_key(scan) : true;
	}
	scan->depth--;
	scan->is_object >>= 1;
	return take(scan, is_object ? '}' : ']');
}

static enum json_kind
type_of(char first)
{
	switch (first) {
	case 'n':
		return JSON_NULL;
	case 't':
	case 'f':
		return JSON_BOOL;
	case '"':
		return JSON_STRING;
	case '[':
		return JSON_ARRAY;
	case '{':
		return JSON_OBJECT;
	default:
		return JSON_NUMBER;
	}
}

/* A value or, of a container, the part before its first value. */
static bool
scan_value(struct scan *scan)
{
	scan->wants_value = false;
	scan->at = skip_blanks(scan->at, scan->end);
	if (scan->at == scan->end)
		return false;
	switch (type_of(*scan->at)) {
	case JSON_NULL:
		return scan_word(scan, "null");
	case JSON_BOOL:
		return scan_word(scan, *scan->at == 't' ? "true" : "false");
	case JSON_STRING:
		return scan_string(scan);
	case JSON_ARRAY:
		return scan_open(scan, false);
	case JSON_OBJECT:
		return scan_open(scan, true);
	case JSON_NUMBER:
		break;
	}
	return scan_number(scan);
}

enum err
json_check(struct span text, struct json_value *out)
{
	struct scan scan = { .wants_value = true };
	const char *start;

	if (text.len == 0)
		return ERR_BAD_JSON;
	scan.end = text.at + text.len;
	scan.at = start = skip_blanks(text.at, scan.end);
	while (scan.wants_value) {
		if (!scan_value(&scan))
			return ERR_BAD_JSON;
		while (scan.depth && !scan.wants_value)
			if (!scan_behind_value(&scan))
				return ERR_BAD_JSON;
	}
	if (skip_blanks(scan.at, scan.end) != scan.end)
		return ERR_BAD_JSON;
	*out = (struct json_value){ type_of(*start),
		{ start, (size_t)(scan.at - start) } };
	return ERR_NONE;
}

/* From here on the text has been checked. */

/* The end of the string whose first quote is at `at`: after the next quote with
 * an even number of backslashes before it. */
static const char *
end_of_string(const char *at, const char *end)
{
	const char *start = at + 1, *quote = at;

	for (;;) {
		const char *p;

		quote++;
		quote = memchr(quote, '"', (size_t)(end - quote));
		assert(quote);
		for (p = quote; p > start && p[-1] == '\\'; p--)
			;
		if ((quote - p) % 2 == 0)
			return quote + 1;
	}
}

static const char *
end_of_container(const char *at, const char *end)
{
	size_t depth = 0;

	do {
		assert(at < end);
		switch (*at) {
		case '"':
			at = end_of_string(at, end);
			continue;
		case '[':
		case '{':
			depth++;
			break;
		case ']':
		case '}':
			depth--;
			break;
		default:
			break;
		}
		at++;
	} while (depth);
	return at;
}

static const char *
end_of_value(const char *at, const char *end)
{
	if (*at == '"')
		return end_of_string(at, end);
	if (*at == '[' || *at == '{')
		return end_of_container(at, end);
	while (at < end && *at != ',' && *at != ']' && *at != '}' &&
	    skip_blanks(at, end) == at)
		at++;
	return at;
}

struct json_walk
json_walk(struct json_value container)
{
	assert(container.type == JSON_ARRAY || container.type == JSON_OBJECT);
	return (struct json_walk){ container.text.at + 1,
		container.text.at + container.text.len - 1 };
}

bool
json_next_element(struct json_walk *walk, struct json_value *out)
{
	const char *start = skip_blanks(walk->at, walk->end);

	if (start < walk->end && *start == ',')
		start = skip_blanks(start + 1, walk->end);
	walk->at = start;
	if (start == walk->end)
		return false;
	walk->at = end_of_value(start, walk->end);
	*out = (struct json_value){ type_of(*start),
		{ start, (size_t)(walk->at - start) } };
	return true;
}

bool
json_next_member(
    struct json_walk *walk, struct span *out_key, struct json_value *out)
{
	struct json_value key;

	if (!json_next_element(walk, &key))
		return false;
	assert(key.type == JSON_STRING);
	walk->at = skip_blanks(walk->at, walk->end) + 1; /* the colon */
	*out_key = (struct span){ key.text.at + 1, key.text.len - 2 };
	return json_next_element(walk, out);
}
