/* json.h - strict JSON scanner (RFC 8259).
 *
 * Floor: api.  Any thread; pure; allocates nothing; never recurses.
 *
 * Messages are relayed byte for byte, so one text that some parser refuses
 * would break every poll of its recipient.  json-c accepts NaN, single quotes,
 * control bytes, "-01", "1.", lone surrogates and overlong UTF-8, and ignores
 * everything after a NUL.  So a text is checked here first, and only then are
 * single members decoded (see value.h).
 */
#ifndef PEERPOST_API_JSON_H
#define PEERPOST_API_JSON_H

#include <stdbool.h>

#include "base/err.h"
#include "base/span.h"

#define JSON_MAX_DEPTH 32

enum json_kind {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT,
};

/* One value inside a checked text: its type and its bytes, without white
 * space around it; a string's bytes include the quotes. */
struct json_value {
	enum json_kind type;
	struct span text;
};

/* Check that text is exactly one JSON value, with nothing but white space
 * around it: RFC 8259's grammar, well-formed UTF-8 (RFC 3629), no byte order
 * mark, no lone surrogates in \u escapes, at most JSON_MAX_DEPTH arrays and
 * objects inside one another. Duplicate keys and numbers of any size are fine.
 * ERR_BAD_JSON: it is not. */
MUST_CHECK enum err json_check(struct span text, struct json_value *out);

/* Walks over the members of an object or the elements of an array. */
struct json_walk {
	const char *at, *end;
};

/* Start walking over container, an array or object from a checked text. */
struct json_walk json_walk(struct json_value container);

/* The next element of the array; false: there is none. */
bool json_next_element(struct json_walk *walk, struct json_value *out);

/* The next member of the object; false: there is none.  key is the string
 * between its quotes, still escaped. */
bool json_next_member(
    struct json_walk *walk, struct span *out_key, struct json_value *out);

#endif
