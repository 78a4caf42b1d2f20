/* buf.c - see buf.h. */
#include "base/buf.h"

#include <stdlib.h>

#include "base/mem.h"
#include "base/text.h"

void
buf_init(struct buf *buf, size_t max)
{
	*buf = (struct buf){ .max = max };
}

void
buf_fini(struct buf *buf)
{
	free(buf->data);
	buf_init(buf, buf->max);
}

void
buf_reset(struct buf *buf)
{
	buf->len = 0;
	buf->overflowed = false;
}

char *
buf_take(struct buf *buf, size_t *out_len)
{
	char *data = buf->data ? buf->data : mem_new(1);

	*out_len = buf->len;
	buf_init(buf, buf->max);
	return data;
}

static bool
grow(struct buf *buf, size_t need)
{
	size_t cap = buf->cap ? buf->cap : 128;
	char *data;

	while (cap < need)
		cap *= 2;
	if (cap > buf->max)
		cap = buf->max;
	data = realloc(buf->data, cap);
	if (!data)
		return false;
	buf->data = data;
	buf->cap = cap;
	return true;
}

void
buf_add(struct buf *buf, const void *bytes, size_t len)
{
	if (len == 0)
		return;
	if (buf->overflowed || len > buf->max - buf->len ||
	    (buf->len + len > buf->cap && !grow(buf, buf->len + len))) {
		buf->overflowed = true;
		return;
	}
	memcpy(buf->data + buf->len, bytes, len);
	buf->len += len;
}

void
buf_add_text(struct buf *buf, const char *text)
{
	buf_add(buf, text, strlen(text));
}

void
buf_add_span(struct buf *buf, struct span span)
{
	buf_add(buf, span.at, span.len);
}

void
buf_add_int(struct buf *buf, int64_t value)
{
	char digits[TEXT_INT_SIZE];

	buf_add(buf, digits, text_from_int(digits, value));
}

struct span
buf_span(const struct buf *buf)
{
	return (struct span){ buf->data ? buf->data : "", buf->len };
}
