/* fault.h - what is wrong with a value that a client has sent, as a sentence.
 *
 * Floor: api.  Any thread; pure.
 *
 * A sentence names the value, says what it was, and what it must be:
 *
 *	after is -1: it must be a whole number from 0 to 9007199254740991.
 *
 * What a client has sent is shown up to FAULT_MAX_SHOWN bytes, of them only
 * what can be printed.  The sentence is UTF-8 without control characters, and
 * in JSON has at most FAULT_MAX_JSON bytes: a failure with it is a
 * COMMAND_SMALL_ANSWER.  The caller frees it.
 */
#ifndef PEERPOST_API_FAULT_H
#define PEERPOST_API_FAULT_H

#include "api/json.h"
#include "base/err.h"
#include "base/span.h"

#define FAULT_MAX_SHOWN 32
#define FAULT_MAX 160 /* bytes of a sentence */
#define FAULT_MAX_JSON (FAULT_MAX + FAULT_MAX_SHOWN)

/* What is expected of every number in a poll. */
#define FAULT_WHOLE_NUMBER "a whole number from 0 to 9007199254740991"

/* For fault_say(), with a name. */
#define FAULT_TWICE "%s is there twice: it must be there once."

/* "NAME is VALUE: it must be MUST."  value: out of a checked text; one without
 * a text is missing. */
char *fault_in_value(
    const char *name, struct json_value value, const char *must);

/* The same of what is secret: of the value only its kind is shown. */
char *fault_in_secret(
    const char *name, struct json_value value, const char *must);

/* The same of bytes that are no JSON, such as the value of a header. */
char *fault_in_text(const char *name, struct span text, const char *must);

/* A sentence in other words.  Whatever is put into it is ours. */
char *fault_say(const char *format, ...) PRINTF_LIKE(1, 2);

/* "Byte N of WHAT is 0xHH, which is no UTF-8: ..."; NULL: the text is UTF-8. */
char *fault_in_utf8(const char *what, struct span text);

#endif
