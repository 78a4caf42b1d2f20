/* wire.c - see wire.h. */
#include "net/fastcgi/wire.h"

#include <assert.h>
#include <string.h>

#define VERSION 1
#define ALIGNMENT 8
/* The longest content that needs no padding. */
#define MAX_ALIGNED (FCGI_MAX_CONTENT / ALIGNMENT * ALIGNMENT)
#define KEEP_CONN 1 /* in the flags of a BEGIN_REQUEST */

#define LONG_LENGTH 0x80 /* in the first of a length's 4 bytes */
#define MAX_SHORT_LENGTH 0x7f
#define MAX_LENGTH 0x7fffffff

static uint16_t
get_16(const uint8_t *bytes)
{
	return (uint16_t)(bytes[0] << 8 | bytes[1]);
}

static void
put_16(uint8_t *bytes, uint16_t value)
{
	bytes[0] = (uint8_t)(value >> 8);
	bytes[1] = (uint8_t)value;
}

static void
put_32(uint8_t *bytes, uint32_t value)
{
	put_16(bytes, (uint16_t)(value >> 16));
	put_16(bytes + 2, (uint16_t)value);
}

/* Take up to n bytes off the front of *bytes.  Never called for an empty
 * *bytes, whose at may be NULL. */
static struct span
take(struct span *bytes, size_t n)
{
	struct span taken = { bytes->at, n < bytes->len ? n : bytes->len };

	bytes->at += taken.len;
	bytes->len -= taken.len;
	return taken;
}

static enum fcgi_event
decode_header(struct fcgi_decoder *decoder, struct span *bytes)
{
	uint8_t *raw = decoder->raw;
	struct span part;

	/* A peer that speaks HTTP or TLS may never send 8 bytes: the first is
	 * enough to recognise it. */
	if (decoder->raw_len == 0 && (uint8_t)bytes->at[0] != VERSION) {
		decoder->is_bad = true;
		return FCGI_BAD_VERSION;
	}
	part = take(bytes, (size_t)(FCGI_HEADER_SIZE - decoder->raw_len));
	memcpy(raw + decoder->raw_len, part.at, part.len);
	decoder->raw_len = (uint8_t)(decoder->raw_len + part.len);
	if (decoder->raw_len < FCGI_HEADER_SIZE)
		return FCGI_MORE;
	decoder->header = (struct fcgi_header){
		.type = raw[1],
		.id = get_16(raw + 2),
		.content_len = get_16(raw + 4),
		.padding_len = raw[6],
	};
	decoder->raw_len = 0;
	decoder->content_left = decoder->header.content_len;
	decoder->padding_left = decoder->header.padding_len;
	decoder->in_record = true;
	return FCGI_RECORD;
}

enum fcgi_event
fcgi_decode(
    struct fcgi_decoder *decoder, struct span *bytes, struct span *out_content)
{
	if (decoder->is_bad)
		return FCGI_BAD_VERSION;
	if (decoder->content_left && bytes->len) {
		*out_content = take(bytes, decoder->content_left);
		decoder->content_left = (uint16_t)(decoder->content_left -
		    out_content->len);
		return FCGI_CONTENT;
	}
	if (decoder->padding_left && bytes->len)
		decoder->padding_left = (uint8_t)(decoder->padding_left -
		    take(bytes, decoder->padding_left).len);
	if (decoder->in_record && !decoder->content_left &&
	    !decoder->padding_left) {
		decoder->in_record = false;
		return FCGI_RECORD_END;
	}
	return bytes->len ? decode_header(decoder, bytes) : FCGI_MORE;
}

void
fcgi_begin_parse(const uint8_t body[FCGI_BODY_SIZE], struct fcgi_begin *out)
{
	*out = (struct fcgi_begin){
		.role = get_16(body),
		.keep_conn = body[2] & KEEP_CONN,
	};
}

/* Take a length off the front of *bytes. */
static enum err
take_length(struct span *bytes, size_t *out)
{
	const uint8_t *at = (const uint8_t *)bytes->at;

	if (bytes->len == 0)
		return ERR_BAD_REQUEST;
	if (at[0] <= MAX_SHORT_LENGTH) {
		*out = at[0];
		take(bytes, 1);
		return ERR_NONE;
	}
	if (bytes->len < 4)
		return ERR_BAD_REQUEST;
	*out = (size_t)(at[0] & ~LONG_LENGTH) << 24 | (size_t)at[1] << 16 |
	    get_16(at + 2);
	take(bytes, 4);
	return ERR_NONE;
}

enum err
fcgi_next_pair(struct span *pairs, struct fcgi_pair *out, bool *out_more)
{
	struct span rest = *pairs;
	size_t name_len, value_len;

	if (rest.len == 0) {
		*out_more = false;
		return ERR_NONE;
	}
	if (take_length(&rest, &name_len) || take_length(&rest, &value_len) ||
	    name_len > rest.len || value_len > rest.len - name_len)
		return ERR_BAD_REQUEST;
	out->name = take(&rest, name_len);
	out->value = take(&rest, value_len);
	*pairs = rest;
	*out_more = true;
	return ERR_NONE;
}

void
fcgi_add_record(
    struct buf *out, enum fcgi_type type, uint16_t id, struct span content)
{
	static const uint8_t padding[ALIGNMENT - 1];
	uint8_t header[FCGI_HEADER_SIZE] = { VERSION, (uint8_t)type };
	size_t padding_len = (ALIGNMENT - content.len % ALIGNMENT) % ALIGNMENT;

	assert(content.len <= FCGI_MAX_CONTENT);
	put_16(header + 2, id);
	put_16(header + 4, (uint16_t)content.len);
	header[6] = (uint8_t)padding_len;
	buf_add(out, header, sizeof(header));
	buf_add_span(out, content);
	buf_add(out, padding, padding_len);
}

void
fcgi_add_stream(
    struct buf *out, enum fcgi_type type, uint16_t id, struct span bytes)
{
	while (bytes.len)
		fcgi_add_record(out, type, id, take(&bytes, MAX_ALIGNED));
}

void
fcgi_add_end_request(
    struct buf *out, uint16_t id, uint32_t app_status, enum fcgi_status status)
{
	uint8_t body[FCGI_BODY_SIZE] = { [4] = (uint8_t)status };

	put_32(body, app_status);
	fcgi_add_record(out, FCGI_END_REQUEST, id,
	    (struct span){ (const char *)body, sizeof(body) });
}

void
fcgi_add_unknown_type(struct buf *out, uint8_t type)
{
	const uint8_t body[FCGI_BODY_SIZE] = { type };

	fcgi_add_record(out, FCGI_UNKNOWN_TYPE, 0,
	    (struct span){ (const char *)body, sizeof(body) });
}

static void
add_length(struct buf *out, size_t len)
{
	uint8_t bytes[4];

	assert(len <= MAX_LENGTH);
	if (len <= MAX_SHORT_LENGTH) {
		bytes[0] = (uint8_t)len;
		buf_add(out, bytes, 1);
		return;
	}
	put_32(bytes, (uint32_t)len);
	bytes[0] |= LONG_LENGTH;
	buf_add(out, bytes, 4);
}

void
fcgi_add_pair(struct buf *out, struct span name, struct span value)
{
	add_length(out, name.len);
	add_length(out, value.len);
	buf_add_span(out, name);
	buf_add_span(out, value);
}
