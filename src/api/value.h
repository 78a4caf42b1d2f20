/* value.h - decoding and writing the few JSON values that we interpret.
 *
 * Floor: api.  Any thread; pure.  For texts that json_check() has accepted;
 * relayed data is never decoded.
 */
#ifndef PEERPOST_API_VALUE_H
#define PEERPOST_API_VALUE_H

#include "api/json.h"
#include "base/buf.h"
#include "base/err.h"

/* The longest member name that can be searched for, in bytes. */
#define VALUE_MAX_NAME 16

/* The index of a member's key among the n names (key: between its quotes, still
 * escaped); n: it is none of them.  The key is unescaped once, however many
 * names there are, and no further than the longest name.  No name is longer
 * than VALUE_MAX_NAME. */
size_t value_find_name(struct span key, const char *const *names, size_t n);

/* Whether the key is this name. */
bool value_key_is(struct span key, const char *name);

/* Append the text of the JSON string to out, unescaped.  false: value is not a
 * string, or out is full; decoding stops there. */
bool value_string(struct json_value value, struct buf *out);

/* Read a JSON number whose value is an integer 0..2^53-1, however it is
 * written.  false: it is not. */
bool value_uint(struct json_value value, uint64_t *out);

/* Append the len bytes of UTF-8 text as a JSON string. */
void value_add_string(struct buf *out, struct span text);

/* Largest integer that JSON carries everywhere: 2^53 - 1. */
#define VALUE_MAX_UINT 9007199254740991u

#endif
