/* admin_parse.h - what a request on the admin listener asks for.
 *
 * Floor: api.  Any thread; pure.
 */
#ifndef PEERPOST_API_ADMIN_PARSE_H
#define PEERPOST_API_ADMIN_PARSE_H

#include <stdbool.h>

#include "api/request.h"

/* request_parse() for DOOR_ADMIN.  There is no base path, and no OPTIONS: no
 * page of any origin has any business here. */
MUST_CHECK bool admin_parse(struct request *request);

#endif
