/* span.h - a range of borrowed bytes.
 *
 * Floor: base.  Not NUL-terminated.  {NULL, 0} is "not there".
 */
#ifndef PEERPOST_BASE_SPAN_H
#define PEERPOST_BASE_SPAN_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct span {
	const char *at;
	size_t len;
};

static inline struct span
span_of(const char *text)
{
	return (struct span){ text, text ? strlen(text) : 0 };
}

/* Whether the bytes of s are exactly those of the string text. */
static inline bool
span_equals(struct span s, const char *text)
{
	return s.at && s.len == strlen(text) && memcmp(s.at, text, s.len) == 0;
}

#endif
