/* value.c - see value.h. */
#include "api/value.h"

#include <json-c/json.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"

/* Let json-c parse a string with escapes in it. */
static struct json_object *
parse_string(struct span text)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object;

	if (!tokener)
		mem_exhausted();
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, text.at, (int)text.len);
	json_tokener_free(tokener);
	return object;
}

bool
value_string(struct json_value value, struct buf *out)
{
	struct json_object *object;

	if (value.type != JSON_STRING)
		return false;
	if (!memchr(value.text.at, '\\', value.text.len)) {
		buf_add(out, value.text.at + 1, value.text.len - 2);
		return !out->overflowed;
	}
	object = parse_string(value.text);
	if (!json_object_is_type(object, json_type_string))
		out->overflowed = true;
	else
		buf_add(out, json_object_get_string(object),
		    (size_t)json_object_get_string_len(object));
	json_object_put(object);
	return !out->overflowed;
}

bool
value_key_is(struct span key, const char *name)
{
	struct json_value quoted = { JSON_STRING, { key.at - 1, key.len + 2 } };
	struct buf text;
	bool same;

	if (!memchr(key.at, '\\', key.len))
		return span_equals(key, name);
	/* Each character of ours takes six at most (\u0061). */
	if (key.len > 6 * strlen(name))
		return false;
	buf_init(&text, key.len);
	same = value_string(quoted, &text) &&
	    span_equals(buf_span(&text), name);
	buf_fini(&text);
	return same;
}

bool
value_uint(struct json_value value, uint64_t *out)
{
	return value.type == JSON_NUMBER &&
	    text_to_uint(value.text, VALUE_MAX_UINT, out);
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
