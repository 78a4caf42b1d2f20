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

/* What we look at.  The texts point into the parameters; {NULL, 0} is "not
 * there", which for all but the request's own header fields (HTTP_*) means the
 * same as "empty". */
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
	bool is_forwarded;         /* cgi_add_list() has something to say */
};

/* Read params, a whole stream of name-value pairs.  Of a name that comes
 * twice the last counts: that is how a web server's configuration overrides
 * what it has included.  ERR_BAD_REQUEST: a length that lies, a control byte
 * in a header field, or two lengths of the body. */
MUST_CHECK enum err cgi_parse(struct span params, struct cgi *out);

/* The value of the request's Origin, also of parameters that are no good as a
 * whole: a page can read only a failure that names it.  Or "not there". */
struct span cgi_origin(struct span params);

/* All values of HTTP_X_FORWARDED_FOR or HTTP_FORWARDED, as one list (RFC 9110,
 * section 5.3): some web servers pass the lines of a field one by one.  Added
 * to out.  false: there is none.  params have been read by cgi_parse(). */
bool cgi_add_list(struct span params, const char *name, struct buf *out);

/* The request's target (RFC 9112, section 3.2), raw.  That is REQUEST_URI; or,
 * where the web server sets none, SCRIPT_NAME and PATH_INFO (which are
 * decoded: they are escaped again) with QUERY_STRING.  If there are both of
 * SCRIPT_NAME and PATH_INFO, the first is where we are mounted, and is left
 * out unless keeps_mount.
 * Points into what cgi points into, or into scratch, to which it is added.
 * Empty: the web server does not say. */
struct span cgi_target(
    const struct cgi *cgi, bool keeps_mount, struct buf *scratch);

#endif
