/* parse_body.h - the bodies of the three kinds of POST.
 *
 * Floor: api.  Any thread; pure.  For parse.c.
 *
 * What is wrong goes to request->err (the whole request) or to the err of a
 * single call, and is reported after the session has been looked at.
 */
#ifndef PEERPOST_API_PARSE_BODY_H
#define PEERPOST_API_PARSE_BODY_H

#include "api/request.h"

/* The body without a byte order mark in front of it; borrowed. */
struct span parse_body(const struct request *request);

/* Keep the hash of this token; an empty or absent one is none. */
void parse_token(struct request *request, struct span token);

/* Keep this Idempotency-Key, which is borrowed, and its hash.
 * ERR_BAD_KEY: not 1 to 64 printable ASCII characters. */
MUST_CHECK enum err parse_key(struct request *request, struct span key);

/* POST /register and its like: the body is the data of one command. */
void parse_command(struct request *request);

/* POST /command: an envelope, an array of them, or an object around either,
 * with the token, the key and a cursor. */
void parse_envelope(struct request *request);

/* POST /events: nothing, or an object with the token and the cursor. */
void parse_poll(struct request *request);

#endif
