/* parse.h - parsing requests on the operator's listeners.
 *
 * Floor: api.  Any thread; pure.
 */
#ifndef PEERPOST_API_ADMIN_PARSE_H
#define PEERPOST_API_ADMIN_PARSE_H

#include <stdbool.h>

#include "api/request.h"

/* The same as request_parse(), for LISTENER_ADMIN and LISTENER_METRICS.  There
 * is no base path, and no OPTIONS: no web page may use these listeners.
 */
MUST_CHECK bool admin_parse(struct request *request);

#endif
