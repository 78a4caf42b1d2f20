/* cgi.h - the meta-variables by which a web server describes a request
 * (RFC 3875, section 4.1), as FastCGI parameters.
 *
 * Floor: net.  Any thread; pure.
 */
#ifndef PEERPOST_NET_FASTCGI_CGI_H
#define PEERPOST_NET_FASTCGI_CGI_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"

/* The variables that we use.  The texts point into the parameters; {NULL, 0} is
 * "not there", which means the same as "empty" except for the request's own
 * header fields (HTTP_*). */
struct cgi {
	struct span request_method;
	struct span request_uri; /* not in the RFC, but all servers set it */
	struct span script_name, path_info, query_string;
	struct span content_length, content_type;
	struct span remote_addr;
	struct span authorization;
	struct span idempotency_key;
	struct span last_event_id;
	struct span if_none_match;
	struct span content_encoding;
	struct span origin;
	struct span host, forwarded_proto;
	struct span https;         /* "on"; not in the RFC either */
	struct span asked_headers; /* Access-Control-Request-Headers */
	bool is_forwarded;         /* cgi_add_list() finds a list */
};

/* Read params, a whole stream of name-value pairs.  If a name occurs twice the
 * last counts: web servers' configurations override included parameters in this
 * way.  ERR_BAD_REQUEST: a wrong length, a control byte in a header field, or
 * two lengths of the body. */
MUST_CHECK enum err cgi_parse(struct span params, struct cgi *out);

/* The value of the request's Origin, even if the parameters are otherwise
 * invalid, because a page can read only a failure that names its origin; or
 * "not there". */
struct span cgi_origin(struct span params);

/* All values of HTTP_X_FORWARDED_FOR or HTTP_FORWARDED, as one list (RFC 9110,
 * section 5.3): some web servers pass the lines of a field one by one.  Added
 * to out.  false: there is none.  params have been read by cgi_parse(). */
bool cgi_add_list(struct span params, const char *name, struct buf *out);

/* The request's target (RFC 9112, section 3.2), raw.  That is REQUEST_URI; or,
 * if the web server does not set it, SCRIPT_NAME and PATH_INFO (which are
 * decoded, so they are escaped again) with QUERY_STRING.  If both SCRIPT_NAME
 * and PATH_INFO are there, the first is the path at which we are mounted, and
 * is left out unless keeps_mount.
 * Points into what cgi points into, or into scratch, to which it is added.
 * Empty: the web server does not set any of them. */
struct span cgi_target(
    const struct cgi *cgi, bool keeps_mount, struct buf *scratch);

#endif
