/* get_ice_servers.h - GET /ice-servers.
 *
 * Floor: api.  Engine thread only.
 */
#ifndef PEERPOST_API_GET_ICE_SERVERS_H
#define PEERPOST_API_GET_ICE_SERVERS_H

#include "api/turn.h"

/* Write the reply: the STUN and TURN servers for the caller, with credentials
 * that count from now.  ERR_STORAGE. */
MUST_CHECK enum err get_ice_servers_run(
    struct turn *turn, struct request *request);

#endif
