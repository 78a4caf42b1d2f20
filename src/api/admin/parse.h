/* parse.h - what a request asks for on listeners that are not players'.
 *
 * Floor: api.  Any thread; pure.
 */
#ifndef PEERPOST_API_ADMIN_PARSE_H
#define PEERPOST_API_ADMIN_PARSE_H

#include <stdbool.h>

#include "api/request.h"

/* The same as request_parse(), at LISTENER_ADMIN and LISTENER_METRICS.  There
 * is no base path, and no OPTIONS: no page of any origin has any business here.
 */
MUST_CHECK bool admin_parse(struct request *request);

#endif
