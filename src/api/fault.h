/* fault.h - sentences about faulty values from clients.
 *
 * Floor: api.  Any thread; pure.
 *
 * A sentence has the name of the value, the value, and the rule for it:
 *
 *	after is -1: it must be a whole number from 0 to 9007199254740991.
 *
 * Text from a client is shown up to FAULT_MAX_SHOWN bytes, and only its
 * printable characters.  The sentence is UTF-8 without control characters, and
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

/* The rule for every number in a poll. */
#define FAULT_WHOLE_NUMBER "a whole number from 0 to 9007199254740991"

/* For fault_say(), with a name. */
#define FAULT_TWICE "%s appears twice: it must appear once."

/* "NAME is VALUE: it must be MUST."  value: from a checked text; without a text
 * it is missing. */
char *fault_in_value(
    const char *name, struct json_value value, const char *must);

/* The same for a secret: only the kind of the value is shown. */
char *fault_in_secret(
    const char *name, struct json_value value, const char *must);

/* The same for bytes that are not JSON, such as the value of a header. */
char *fault_in_text(const char *name, struct span text, const char *must);

/* A sentence in other words.  Its arguments must not come from clients. */
char *fault_say(const char *format, ...) PRINTF_LIKE(1, 2);

/* "Byte N of WHAT is 0xHH, which is no UTF-8: ..."; NULL: the text is UTF-8. */
char *fault_in_utf8(const char *what, struct span text);

#endif
