/* value.h - decoding and printing the few JSON values that we interpret.
 *
 * Floor: api.  Any thread; pure.  On texts that json_check() has let through;
 * what is relayed never comes here.
 */
#ifndef PEERPOST_API_VALUE_H
#define PEERPOST_API_VALUE_H

#include "api/json.h"
#include "base/buf.h"
#include "base/err.h"

/* The longest name of a member that can be looked for, in bytes. */
#define VALUE_MAX_NAME 16

/* Which of the n names a member's key is (key: between its quotes, still
 * escaped); n: none of them.  The key is unescaped once, however many names
 * there are, and no further than a name can reach.  No name is longer than
 * VALUE_MAX_NAME. */
size_t value_find_name(struct span key, const char *const *names, size_t n);

/* Whether the key is that one name. */
bool value_key_is(struct span key, const char *name);

/* Append the text of the JSON string to out, unescaped.  false: value is no
 * string, or out is full; work on it ends where out does. */
bool value_string(struct json_value value, struct buf *out);

/* Read a JSON number whose value is an integer 0..2^53-1, however it is
 * written.  false: it is none. */
bool value_uint(struct json_value value, uint64_t *out);

/* Append the len bytes of UTF-8 text as a JSON string. */
void value_add_string(struct buf *out, struct span text);

/* Largest integer that JSON carries everywhere: 2^53 - 1. */
#define VALUE_MAX_UINT 9007199254740991u

#endif
