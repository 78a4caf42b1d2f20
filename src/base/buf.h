/* buf.h - a growing byte buffer with a ceiling.
 *
 * Floor: base.  The owner of the buffer says which thread.
 *
 * Appending beyond the ceiling, or when memory runs out, appends nothing and
 * sets `overflowed`, which stays set until buf_reset(): a caller may append
 * many pieces and check once at the end.  A zeroed struct buf is empty and has
 * the ceiling 0; buf_init() sets another.
 */
#ifndef PEERPOST_BASE_BUF_H
#define PEERPOST_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

struct buf {
	char *data; /* not NUL-terminated */
	size_t len, cap, max;
	bool overflowed; /* something did not fit */
};

/* Start empty, never to hold more than max bytes.  Allocates nothing. */
void buf_init(struct buf *buf, size_t max);
/* Free the bytes; the ceiling stays. */
void buf_fini(struct buf *buf);
/* Drop the contents, keep the memory. */
void buf_reset(struct buf *buf);
/* Move the bytes (malloc'ed, *out_len of them) to the caller, who frees them;
 * buf is empty afterwards.  Never NULL, even without bytes. */
char *buf_take(struct buf *buf, size_t *out_len);

void buf_add(struct buf *buf, const void *bytes, size_t len);
void buf_add_text(struct buf *buf, const char *text);
void buf_add_span(struct buf *buf, struct span span);
void buf_add_int(struct buf *buf, int64_t value);

/* The contents; valid until buf changes. */
struct span buf_span(const struct buf *buf);

#endif
