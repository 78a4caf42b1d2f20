/* value.c - see value.h.
 *
 * Clients choose how a string is written, so "id" may come as "\u0069d".  A
 * body has many keys, and nearly none of them are ours: a key is unescaped into
 * a few bytes on the stack, and given up once it is longer than any name.
 * json_check() has checked that every escape is complete and every surrogate
 * part of a pair.
 */
#include "api/value.h"

#include <assert.h>
#include <json-c/json.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

#define MAX_CHARACTER 4 /* bytes of UTF-8 */

/* The code unit written by the four digits. */
static uint32_t
code_unit(const char *at)
{
	uint32_t unit = 0;

	for (int i = 0; i < 4; i++)
		unit = unit << 4 | (uint32_t)text_hex_value(at[i]);
	return unit;
}

static size_t
write_utf8(uint32_t code, char out[MAX_CHARACTER])
{
	size_t n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;

	if (n == 1) {
		out[0] = (char)code;
		return n;
	}
	for (size_t i = n - 1; i > 0; i--) {
		out[i] = (char)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	out[0] = (char)((0xf0u << (4 - n) & 0xff) | code);
	return n;
}

/* Read the escape at *at, which is moved past it.  Returns the length of the
 * bytes that it stands for. */
static size_t
take_escape(const char **at, char out[MAX_CHARACTER])
{
	static const char escapes[] = "bfnrt", meanings[] = "\b\f\n\r\t";
	const char *p = *at + 1, *known;
	uint32_t code, low;

	if (*p != 'u') {
		known = strchr(escapes, *p);
		out[0] = known ? meanings[known - escapes] : *p;
		*at = p + 1;
		return 1;
	}
	code = code_unit(p + 1);
	p += 5;
	if (code >= 0xd800 && code <= 0xdbff) {
		low = code_unit(p + 2);
		code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
		p += 6;
	}
	*at = p;
	return write_utf8(code, out);
}

bool
value_string(struct json_value value, struct buf *out)
{
	const char *at, *end, *escape;
	char character[MAX_CHARACTER];

	if (value.type != JSON_STRING)
		return false;
	at = value.text.at + 1;
	end = at + value.text.len - 2;
	while (at < end && !out->overflowed) {
		escape = memchr(at, '\\', (size_t)(end - at));
		if (escape == at) {
			buf_add(out, character, take_escape(&at, character));
			continue;
		}
		buf_add(out, at, (size_t)((escape ? escape : end) - at));
		at = escape ? escape : end;
	}
	return !out->overflowed;
}

/* Unescape the key into name.  false: it does not fit. */
static bool
unescape_key(struct span key, char name[VALUE_MAX_NAME], size_t *out_len)
{
	const char *at = key.at, *end = key.at + key.len;
	char character[MAX_CHARACTER];
	size_t len = 0, n;

	while (at < end) {
		n = 1;
		if (*at == '\\')
			n = take_escape(&at, character);
		else
			character[0] = *at++;
		if (len + n > VALUE_MAX_NAME)
			return false;
		memcpy(name + len, character, n);
		len += n;
	}
	*out_len = len;
	return true;
}

size_t
value_find_name(struct span key, const char *const *names, size_t n)
{
	char unescaped[VALUE_MAX_NAME];

	if (memchr(key.at, '\\', key.len)) {
		if (!unescape_key(key, unescaped, &key.len))
			return n;
		key.at = unescaped;
	}
	for (size_t i = 0; i < n; i++) {
		assert(strlen(names[i]) <= VALUE_MAX_NAME);
		if (span_equals(key, names[i]))
			return i;
	}
	return n;
}

bool
value_key_is(struct span key, const char *name)
{
	return value_find_name(key, &name, 1) == 0;
}

bool
value_uint(struct json_value value, uint64_t *out)
{
	return value.type == JSON_NUMBER &&
	    text_to_whole(value.text, VALUE_MAX_UINT, out);
}

void
value_add_string(struct buf *out, struct span text)
{
	struct json_object *object = json_object_new_string_len(
	    text.at, (int)text.len);
	const char *printed;
	size_t len;

	if (!object)
		mem_exhausted();
	printed = json_object_to_json_string_length(object,
	    JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE, &len);
	if (!printed)
		mem_exhausted();
	buf_add(out, printed, len);
	json_object_put(object);
}
