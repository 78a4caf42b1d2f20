/* text.h - functions for short texts: numbers, UTF-8, UUIDs.
 *
 * Floor: base.  Any thread; pure.
 */
#ifndef PEERPOST_BASE_TEXT_H
#define PEERPOST_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/span.h"

#define TEXT_INT_SIZE 21  /* "-9223372036854775808", and a spare byte */
#define TEXT_UUID_SIZE 37 /* 36 characters and a NUL */

/* Write value in decimal to out, without a NUL.  Returns the length. */
size_t text_from_int(char out[TEXT_INT_SIZE], int64_t value);

/* Read a number that consists of decimal digits only.  Leading zeros are fine.
 * false: empty, another character, or more than max; *out is untouched. */
bool text_to_uint(struct span text, uint64_t max, uint64_t *out);

/* Read a number in decimal that may have a fraction and an exponent, as JSON
 * writes them, and whose value is whole: 5, 5.0 and 50e-1 are the same.
 * Leading zeros are fine, and so is -0.  Linear in the length of the text,
 * whatever the exponent.
 * false: it is not a number, has a fractional part, is negative, or more than
 * max; *out is untouched. */
bool text_to_whole(struct span text, uint64_t max, uint64_t *out);

/* The value of a hexadecimal digit, or -1. */
int text_hex_value(char c);

/* The length in bytes of the well-formed UTF-8 sequence (RFC 3629: no
 * surrogates, no overlong forms, up to U+10FFFF) at the start of the len
 * bytes, or 0.  Writes the code point to *out. */
size_t text_utf8_next(const char *bytes, size_t len, uint32_t *out);

/* Whether it is a control character (U+0000..1F, U+007F..9F). */
bool text_is_control(uint32_t code);

/* The text without its leading byte order mark, if it has one. */
struct span text_skip_mark(struct span text);

/* Whether the text is well-formed UTF-8 of min..max code points without
 * control characters. */
bool text_is_name(struct span text, size_t min, size_t max);

/* Whether the text has the shape of a UUID (RFC 9562, section 4).  If so and
 * out is not NULL, writes it in lower case with a NUL. */
bool text_is_uuid(struct span text, char out[TEXT_UUID_SIZE]);

/* Write 16 random bytes as a version 4 UUID (RFC 9562, section 5.4). */
void text_from_uuid(char out[TEXT_UUID_SIZE], const uint8_t bytes[16]);

/* The text without JSON's white space (RFC 8259, section 2) at both ends. */
struct span text_trim(struct span text);

/* Whether two texts are equal except for the case of ASCII letters. */
bool text_equals_nocase(struct span a, const char *b);

/* Whether it is a token of HTTP (RFC 9110, section 5.6.2). */
bool text_is_token(struct span text);

#endif
