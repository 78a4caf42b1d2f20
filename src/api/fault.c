/* fault.c - see fault.h.
 *
 * A sentence goes into JSON later, where a quote or a backslash takes two
 * bytes.  Only text from clients has these, so only the shown part of a value
 * may double.
 */
#include "api/fault.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/text.h"

/* Append the printable part of the text. */
static void
add_shown(struct buf *out, struct span text)
{
	size_t start = out->len;

	for (size_t i = 0; i < text.len;) {
		uint32_t code = 0;
		size_t n = text_utf8_next(text.at + i, text.len - i, &code);

		if (out->len - start + (n ? n : 1) > FAULT_MAX_SHOWN) {
			buf_add_text(out, "...");
			return;
		}
		if (n == 0 || text_is_control(code))
			buf_add_text(out, "?");
		else
			buf_add(out, text.at + i, n);
		i += n ? n : 1;
	}
}

static void
add_quoted(struct buf *out, struct span text)
{
	buf_add_text(out, "'");
	add_shown(out, text);
	buf_add_text(out, "'");
}

static const char *
kind_of(struct json_value value)
{
	static const char *const kinds[] = {
		[JSON_NULL] = "null",
		[JSON_BOOL] = "true or false",
		[JSON_NUMBER] = "a number",
		[JSON_STRING] = "a string",
		[JSON_ARRAY] = "an array",
		[JSON_OBJECT] = "an object",
	};

	return value.text.len ? kinds[value.type] : "missing";
}

static void
add_value(struct buf *out, struct json_value value)
{
	struct span text = value.text;

	if (text.len == 0 || value.type == JSON_ARRAY ||
	    value.type == JSON_OBJECT) {
		buf_add_text(out, kind_of(value));
	} else if (value.type == JSON_STRING) {
		/* Its contents may look like the expected value. */
		buf_add_text(out, "the string ");
		add_quoted(out, (struct span){ text.at + 1, text.len - 2 });
	} else {
		add_shown(out, text);
	}
}

static void
begin(struct buf *out, const char *name)
{
	buf_init(out, FAULT_MAX);
	buf_add_text(out, name);
	buf_add_text(out, " is ");
}

static char *
end(struct buf *out, const char *must)
{
	char *sentence;

	buf_add_text(out, ": it must be ");
	buf_add_text(out, must);
	buf_add_text(out, ".");
	assert(!out->overflowed);
	sentence = mem_new(out->len + 1); /* of zeros */
	memcpy(sentence, out->data, out->len);
	buf_fini(out);
	return sentence;
}

char *
fault_in_value(const char *name, struct json_value value, const char *must)
{
	struct buf out;

	begin(&out, name);
	add_value(&out, value);
	return end(&out, must);
}

char *
fault_in_secret(const char *name, struct json_value value, const char *must)
{
	struct buf out;

	begin(&out, name);
	buf_add_text(&out, kind_of(value));
	return end(&out, must);
}

char *
fault_in_text(const char *name, struct span text, const char *must)
{
	struct buf out;

	begin(&out, name);
	add_quoted(&out, text);
	return end(&out, must);
}

char *
fault_say(const char *format, ...)
{
	char sentence[FAULT_MAX + 1];
	va_list args;
	int len;

	va_start(args, format);
	len = vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	assert(len > 0 && (size_t)len < sizeof(sentence));
	return mem_copy_text(sentence);
}

char *
fault_in_utf8(const char *what, struct span text)
{
	uint32_t code;
	size_t n;

	for (size_t i = 0; i < text.len; i += n) {
		n = text_utf8_next(text.at + i, text.len - i, &code);
		if (n == 0)
			return fault_say("Byte %zu of %s is 0x%02x, which "
					 "is not UTF-8: send it as UTF-8, "
					 "not as Latin-1 or UTF-16.",
			    i + 1, what, (unsigned char)text.at[i]);
	}
	return NULL;
}
