/* wire.h - FastCGI records and name-value pairs, to and from bytes.
 *
 * Floor: net.  Any thread; pure.
 *
 * FastCGI 1.0, https://fastcgi-archives.github.io/FastCGI_Specification.html;
 * section numbers below refer to it.  This is the framing only: the order of
 * records, and the meaning of unknown types and roles, are left to the owner of
 * the connection.
 *
 * The decoder takes bytes in whatever pieces a socket delivers, and copies and
 * allocates nothing.  Its results do not depend on where the bytes were cut,
 * except for the pieces in which content comes.  It refuses only another
 * version of the protocol: any other header has a meaning, if only how many
 * bytes to skip.
 */
#ifndef PEERPOST_NET_FASTCGI_WIRE_H
#define PEERPOST_NET_FASTCGI_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

#define FCGI_HEADER_SIZE 8
#define FCGI_MAX_CONTENT 65535
#define FCGI_BODY_SIZE 8 /* of BEGIN_REQUEST, END_REQUEST, UNKNOWN_TYPE */

/* Section 8. */
enum fcgi_type {
	FCGI_BEGIN_REQUEST = 1,
	FCGI_ABORT_REQUEST,
	FCGI_END_REQUEST,
	FCGI_PARAMS,
	FCGI_STDIN,
	FCGI_STDOUT,
	FCGI_STDERR,
	FCGI_DATA,
	FCGI_GET_VALUES,
	FCGI_GET_VALUES_RESULT,
	FCGI_UNKNOWN_TYPE,
};

enum fcgi_role { FCGI_RESPONDER = 1, FCGI_AUTHORIZER, FCGI_FILTER };

/* protocolStatus of an END_REQUEST (section 5.5). */
enum fcgi_status {
	FCGI_REQUEST_COMPLETE,
	FCGI_CANT_MPX_CONN,
	FCGI_OVERLOADED,
	FCGI_UNKNOWN_ROLE,
};

/* Section 3.3, without the version and the reserved byte. */
struct fcgi_header {
	uint8_t type; /* enum fcgi_type, or an unknown one */
	uint16_t id;  /* 0: a management record */
	uint16_t content_len;
	uint8_t padding_len;
};

enum fcgi_event {
	/* All bytes have been taken; the record goes on, or another may follow.
	 */
	FCGI_MORE,
	/* A header is complete: decoder->header. */
	FCGI_RECORD,
	/* A piece of its content: *out_content. */
	FCGI_CONTENT,
	/* Content and padding, if any, have ended. */
	FCGI_RECORD_END,
	/* Not FastCGI 1: nothing after it can be understood. */
	FCGI_BAD_VERSION,
};

/* Zeroed is a valid start. */
struct fcgi_decoder {
	struct fcgi_header header; /* from FCGI_RECORD to the next one */
	/* The rest is private to the decoder. */
	uint8_t raw[FCGI_HEADER_SIZE]; /* of an incomplete header */
	uint8_t raw_len;
	uint8_t padding_left;
	uint16_t content_left;
	bool in_record;
	bool is_bad;
};

/* Take the next item off the front of *bytes, and return its kind.  Call it
 * until FCGI_MORE or FCGI_BAD_VERSION: even when *bytes is empty, an
 * FCGI_RECORD_END may still be due.
 * *out_content is written for FCGI_CONTENT only; it points into the bytes that
 * *bytes had, and is never empty.
 * FCGI_BAD_VERSION is returned at the first byte of a header, which is not
 * taken, and from then on by every call, even without bytes. */
enum fcgi_event fcgi_decode(
    struct fcgi_decoder *decoder, struct span *bytes, struct span *out_content);

/* The body of a BEGIN_REQUEST (section 5.1). */
struct fcgi_begin {
	uint16_t role; /* enum fcgi_role, or an unknown one */
	bool keep_conn;
};

void fcgi_begin_parse(
    const uint8_t body[FCGI_BODY_SIZE], struct fcgi_begin *out);

struct fcgi_pair {
	struct span name, value; /* may be empty, but `at` is never NULL */
};

/* Walk over the name-value pairs (section 3.4) of one complete stream: take the
 * first pair off the front of *pairs.  *out points into it.
 * *out_more false: none was left, and *out is unchanged.
 * ERR_BAD_REQUEST: a length is cut off or reaches beyond the end; *pairs is
 * unchanged too. */
MUST_CHECK enum err fcgi_next_pair(
    struct span *pairs, struct fcgi_pair *out, bool *out_more);

/* The encoders append to *out.  If it overflows (base/buf.h), its contents may
 * end inside a record and must not be sent.
 * Content is padded to a multiple of 8, as section 3.3 recommends. */

/* One record.  Empty content ends a stream.  content.len is at most
 * FCGI_MAX_CONTENT. */
void fcgi_add_record(
    struct buf *out, enum fcgi_type type, uint16_t id, struct span content);
/* As many records as the bytes need, none if there are none; does not end the
 * stream. */
void fcgi_add_stream(
    struct buf *out, enum fcgi_type type, uint16_t id, struct span bytes);
/* Section 5.5.  app_status: as an argument of exit(). */
void fcgi_add_end_request(
    struct buf *out, uint16_t id, uint32_t app_status, enum fcgi_status status);
/* The answer to a management record of an unknown type (section 4.2). */
void fcgi_add_unknown_type(struct buf *out, uint8_t type);
/* A name-value pair (section 3.4): content, not a record.  name and value are
 * shorter than 2 GiB. */
void fcgi_add_pair(struct buf *out, struct span name, struct span value);

#endif
