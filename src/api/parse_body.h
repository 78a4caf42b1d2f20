/* parse_body.h - the bodies of the three kinds of POST.
 *
 * Floor: api.  Any thread; pure.  For parse.c.
 *
 * A fault goes to request->err (of the whole request) or to the err of a single
 * call, and is reported after the session has been checked.
 */
#ifndef PEERPOST_API_PARSE_BODY_H
#define PEERPOST_API_PARSE_BODY_H

#include "api/request.h"

/* The body without a leading byte order mark; borrowed. */
struct span parse_body(const struct request *request);

/* Keep the hash of this token; an empty one counts as absent. */
void parse_token(struct request *request, struct span token);

/* Keep this Idempotency-Key, which is borrowed, and its hash.
 * ERR_BAD_KEY: not 1 to 64 printable ASCII characters. */
MUST_CHECK enum err parse_key(struct request *request, struct span key);

/* POST /register and similar: the body is the data of one command. */
void parse_command(struct request *request);

/* POST /command: an envelope, an array of them, or an object around either,
 * with the token, the key and a cursor. */
void parse_envelope(struct request *request);

/* POST /events: nothing, or an object with the token and the cursor. */
void parse_poll(struct request *request);

#endif
