/* chunks.h - decoding a chunked body.
 *
 * Floor: net.  Any thread; pure.
 *
 * RFC 9112, section 7.1.  Strict: lines end with CR LF, sizes are hexadecimal
 * digits, and no line grows without bound.  Extensions and trailer fields are
 * skipped.
 */
#ifndef PEERPOST_NET_HTTP_CHUNKS_H
#define PEERPOST_NET_HTTP_CHUNKS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

/* The longest line with a chunk's size, extensions included. */
#define HTTP_CHUNKS_MAX_LINE 1024
/* The longest trailer section. */
#define HTTP_CHUNKS_MAX_TRAILER ((size_t)16 << 10)

enum http_chunks_state {
	CHUNKS_SIZE, /* at the first digit of a size, or a later one */
	CHUNKS_EXTENSION,
	CHUNKS_SIZE_LF,
	CHUNKS_DATA,
	CHUNKS_DATA_CR,
	CHUNKS_DATA_LF,
	CHUNKS_TRAILER, /* at the start of a line of it */
	CHUNKS_TRAILER_NAME,
	CHUNKS_TRAILER_VALUE,
	CHUNKS_TRAILER_LF,
	CHUNKS_LAST_LF,
	CHUNKS_WHOLE,
};

/* Zero: at the start of a body. */
struct http_chunks {
	enum http_chunks_state state;
	uint64_t left;   /* the size read so far; then data still to come */
	size_t n_digits; /* of the size */
	size_t n_line;   /* bytes of the line with the size */
	size_t n_trailer;
};

/* Take bytes off *rest up to the end of a piece of data, of the body (the state
 * is then CHUNKS_WHOLE), or of *rest.  *out_piece: the data; empty: none.
 * ERR_BAD_REQUEST: not a valid chunked body.  ERR_TOO_LARGE: a size beyond our
 * integers.  ERR_HEADERS_TOO_LARGE: the trailer section is too long. */
MUST_CHECK enum err http_chunks_next(
    struct http_chunks *chunks, struct span *rest, struct span *out_piece);

#endif
