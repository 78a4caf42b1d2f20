/* target.h - request target and query string (RFC 3986, RFC 9112 section 3.2).
 *
 * Floor: api.  Any thread; pure.
 *
 * The raw target is parsed here, not by the HTTP library, so that all
 * transports agree to the byte.
 */
#ifndef PEERPOST_API_TARGET_H
#define PEERPOST_API_TARGET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/span.h"

#define TARGET_MAX_PATH 256  /* decoded; a longer path is not found */
#define TARGET_MAX_VALUE 256 /* decoded value of a query member */

struct target {
	char path[TARGET_MAX_PATH + 1]; /* decoded, without the base path;
	                                 * starts with '/' or is "*" */
	struct span query; /* raw, after the '?'; points into the target */
};

/* Split raw (origin form, absolute form or "*") and take base_path ("" or
 * "/prefix", no slash at its end) off the front; the prefix itself, with or
 * without a slash, is "/".  Several slashes in a row count as one, because
 * proxies merge them.
 * ERR_BAD_REQUEST: a bad percent escape or %00 in the path, or none of the
 * three forms.
 * ERR_NOT_FOUND: outside base_path, or too long. */
MUST_CHECK enum err target_parse(
    struct span raw, const char *base_path, struct target *out);

/* Walk over the members of a raw query ("a=1&b=2"; '+' is a space). The caller
 * ignores unknown names.  A name or value too long for its array is cut off (it
 * then matches no known name, and is not a valid value).
 * *out_more false: there was none left.
 * ERR_BAD_REQUEST: a bad percent escape or %00 in it. */
struct target_member {
	char name[32];
	char value[TARGET_MAX_VALUE + 1];
	bool is_cut; /* value was too long */
};
MUST_CHECK enum err target_next_member(
    struct span *query, struct target_member *out, bool *out_more);

#endif
