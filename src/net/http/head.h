/* head.h - the head of an HTTP/1.x request: finding its end, and parsing it.
 *
 * Floor: net.  Any thread; pure.
 *
 * Strict where two readers could disagree (RFC 9112, section 11.2): lines end
 * with CR LF, no control characters, no blanks around names, no folding, one
 * length or one coding.
 */
#ifndef PEERPOST_NET_HTTP_HEAD_H
#define PEERPOST_NET_HTTP_HEAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/span.h"

/* Progress of the search for the end of a head.  Zero: at its start. */
struct http_head_scan {
	size_t n_lines;  /* whole lines, without leading empty ones */
	size_t line_len; /* bytes of the current line */
	bool has_cr;     /* and the last byte was its CR */
};

/* Scan more bytes of a head.  *out_used: how many of them belong to it.  Also
 * writes whether it ends with them.
 * ERR_BAD_REQUEST: a control character, or CR and LF apart; *out_used: how many
 * come before it. */
MUST_CHECK enum err http_head_scan(struct http_head_scan *scan,
    struct span bytes, size_t *out_used, bool *out_is_whole);

/* Spans point into the block. */
struct http_head {
	struct span method; /* a token */
	struct span target; /* as sent; without blanks */
	bool is_1_1;        /* HTTP/1.1 or a later 1.x; else HTTP/1.0 */
	bool is_kept;       /* the connection stays open */
	bool is_chunked;
	bool has_length;
	uint64_t length; /* UINT64_MAX: that, or more */
	bool expects_continue;
	struct span fields; /* the field lines, for http_head_next_field() */
};

/* Read a whole head (RFC 9112, sections 2 to 6): a request line, field lines,
 * an empty line; empty lines in front are skipped (section 2.2).
 * ERR_BAD_REQUEST: it is malformed or ambiguous.  The parts that could be read
 * are in *out all the same, and the rest of it is zero. */
MUST_CHECK enum err http_head_parse(struct span block, struct http_head *out);

/* Take the next field line that is well-formed off *rest.  value: without
 * blanks around it.  false: there is none. */
bool http_head_next_field(
    struct span *rest, struct span *out_name, struct span *out_value);

#endif
