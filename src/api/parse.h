/* parse.h - from the bytes of a request to what it asks for.
 *
 * Floor: api.  Any thread; pure (it looks at no state but the request).
 *
 * This is most of the work on a request's text, and it is done on the loop
 * thread, beside the engine and not in front of the database.
 */
#ifndef PEERPOST_API_PARSE_H
#define PEERPOST_API_PARSE_H

#include <stdbool.h>

#include "api/request.h"
#include "api/target.h"

/* Parse a request at LISTENER_PUBLIC, whose body is complete.  Returns true
 * when the engine has to answer; false when the reply is there already (wrong
 * path, method, size or key, the answer to OPTIONS, a page).
 * base_path: "" or "/prefix". */
MUST_CHECK bool request_parse(struct request *request, const char *base_path);

/* Whether its body is in a coding other than identity (RFC 9110, section
 * 8.4.1), none of which we know. */
bool parse_is_encoded(const struct request *request);

/* Read a number of a poll's from its member of the query.
 * ERR_BAD_CURSOR: it is none, and request_explain() has been called. */
MUST_CHECK enum err parse_number(struct request *request,
    const struct target_member *member, bool *out_has, uint64_t *out);

#endif
