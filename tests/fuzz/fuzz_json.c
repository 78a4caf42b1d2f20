/* fuzz_json.c - what json_check() takes, every parser must take.
 *
 * json-c stands for the recipients' parsers: a text that we pass must be one
 * to it too, of the same shape.  (Not the other way round: it takes much that
 * is no JSON.)  And the walks must find in the text just what json-c does.
 */
#include <assert.h>
#include <stdlib.h>

/* json-c has an enum of this name, too. */
#include <json-c/json.h>

#include "api/json.h"
#include "tests/fuzz/fuzz.h"

static enum json_kind
type_of_object(const struct json_object *object)
{
	if (!object)
		return JSON_NULL;
	switch (json_object_get_type(object)) {
	case json_type_boolean:
		return JSON_BOOL;
	case json_type_int:
	case json_type_double:
		return JSON_NUMBER;
	case json_type_string:
		return JSON_STRING;
	case json_type_array:
		return JSON_ARRAY;
	case json_type_object:
		return JSON_OBJECT;
	case json_type_null:
		break;
	}
	return JSON_NULL;
}

/* Parse text with json-c, which must take it.  Caller puts the result. */
static struct json_object *
parse(struct span text)
{
	struct json_tokener *tokener = json_tokener_new_ex(JSON_MAX_DEPTH + 1);
	struct json_object *object;
	char *copy = malloc(text.len + 1);

	assert(tokener && copy);
	/* With its NUL, or a number could still go on. */
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	json_tokener_set_flags(
	    tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, copy, (int)text.len + 1);
	assert(json_tokener_get_error(tokener) == json_tokener_success);
	assert(json_tokener_get_parse_end(tokener) >= text.len);
	json_tokener_free(tokener);
	free(copy);
	return object;
}

/* key, decoded as json-c decodes it, names a member of object. */
static void
check_key(const struct json_object *object, struct span key)
{
	struct span quoted = { key.at - 1, key.len + 2 };
	struct json_object *text = parse(quoted);
	const char *name = json_object_get_string(text);

	assert(json_object_get_type(text) == json_type_string);
	assert(json_object_object_get_ex(object, name, NULL));
	json_object_put(text);
}

static void
check_array(struct json_value value, const struct json_object *array)
{
	struct json_walk walk = json_walk(value);
	struct json_value element;
	size_t n = 0;

	for (; json_next_element(&walk, &element); n++) {
		struct json_object *same = json_object_array_get_idx(array, n);

		assert(element.type == type_of_object(same));
		if (element.type == JSON_ARRAY)
			check_array(element, same);
	}
	assert(n == json_object_array_length(array));
	assert(walk.at == value.text.at + value.text.len - 1);
}

static void
check_object(struct json_value value, const struct json_object *object)
{
	struct json_walk walk = json_walk(value);
	struct json_value member;
	struct span key;
	size_t n = 0;

	for (; json_next_member(&walk, &key, &member); n++)
		check_key(object, key);
	/* Of duplicates json-c keeps one. */
	assert(n >= (size_t)json_object_object_length(object));
	assert((n > 0) == (json_object_object_length(object) > 0));
	assert(walk.at == value.text.at + value.text.len - 1);
}

/* Each value inside a checked text is one when it stands alone, and the same
 * one: its type and bounds are right. */
static void
check_parts(struct json_value value)
{
	struct json_walk walk;
	struct json_value part, alone;
	struct span key;
	enum err err = json_check(value.text, &alone);

	assert(err == ERR_NONE && alone.type == value.type);
	assert(alone.text.at == value.text.at);
	assert(alone.text.len == value.text.len);
	if (value.type != JSON_ARRAY && value.type != JSON_OBJECT)
		return;
	walk = json_walk(value);
	while (value.type == JSON_ARRAY ? json_next_element(&walk, &part) :
					  json_next_member(&walk, &key, &part))
		check_parts(part);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span text = { (const char *)data, size };
	struct json_value value;
	struct json_object *object;

	if (json_check(text, &value))
		return 0;
	check_parts(value);
	object = parse(text);
	assert(value.type == type_of_object(object));
	if (value.type == JSON_ARRAY)
		check_array(value, object);
	if (value.type == JSON_OBJECT)
		check_object(value, object);
	json_object_put(object);
	return 0;
}
