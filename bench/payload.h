/* payload.h - what is relayed: texts like a browser's, with a mark in them.
 *
 * The mark, `"mark":"SSSSNNNNNNNN"`, says which sender's how-manieth text this
 * is, in hexadecimal, so that whoever gets it can tell whose time to stop and
 * whether something is missing or came twice.
 */
#ifndef PEERPOST_BENCH_PAYLOAD_H
#define PEERPOST_BENCH_PAYLOAD_H

#include "bench/contender.h"

#define PAYLOAD_MAX_BATCH 16

/* Room for one payload.  Keep it for as long as the payload is used. */
struct payload_text {
	char text[PAYLOAD_MAX_BATCH][1280];
};

/* An offer of about 1 KiB. */
void payload_offer(struct payload *payload, struct payload_text *text,
    uint32_t to, uint32_t sender, uint32_t number);
/* n candidates of some 200 bytes; n is PAYLOAD_MAX_BATCH at most. */
void payload_candidates(struct payload *payload, struct payload_text *text,
    uint32_t to, uint32_t sender, uint32_t number, size_t n);

/* Take the next mark out of a body.  Returns false when there is none. */
bool payload_next_mark(
    struct span *body, uint32_t *out_sender, uint32_t *out_number);

#endif
