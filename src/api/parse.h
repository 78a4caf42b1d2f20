/* parse.h - parsing a request.
 *
 * Floor: api.  Any thread; pure (it uses no state except the request).
 *
 * Most work on the text of a request is done here, on the loop thread, in
 * parallel with the engine and its database.
 */
#ifndef PEERPOST_API_PARSE_H
#define PEERPOST_API_PARSE_H

#include <stdbool.h>

#include "api/request.h"
#include "api/target.h"

/* Parse a request at LISTENER_PUBLIC whose body is complete.  Returns true if
 * the engine has to answer it; false if its reply is ready (wrong path, method,
 * size or key, the answer to OPTIONS, a page).
 * base_path: "" or "/prefix". */
MUST_CHECK bool request_parse(struct request *request, const char *base_path);

/* Whether its body is in a coding other than identity (RFC 9110, section
 * 8.4.1), none of which is supported. */
bool parse_is_encoded(const struct request *request);

/* Read a number of a poll from its query member.
 * ERR_BAD_CURSOR: it is not a number, and request_explain() has been called. */
MUST_CHECK enum err parse_number(struct request *request,
    const struct target_member *member, bool *out_has, uint64_t *out);

#endif
