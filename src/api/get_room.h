/* get_room.h - GET /room.
 *
 * Floor: api.  Engine thread only.
 */
#ifndef PEERPOST_API_GET_ROOM_H
#define PEERPOST_API_GET_ROOM_H

#include "api/turn.h"

/* Write the reply: a snapshot of the caller's room.  ERR_STORAGE. */
MUST_CHECK enum err get_room_run(struct turn *turn, struct request *request);

#endif
