/* rooms.h - rooms and players, as an operator sees and ends them.
 *
 * Floor: api.  Engine thread only.  Each is an admin_run_fn.
 */
#ifndef PEERPOST_API_ADMIN_ROOMS_H
#define PEERPOST_API_ADMIN_ROOMS_H

#include "api/turn.h"

/* GET /rooms?after=N&max=M: a page of them. */
MUST_CHECK enum err get_rooms_run(struct turn *turn, struct request *request);
/* GET /rooms/UUID: one, and its members. */
MUST_CHECK enum err get_one_room_run(
    struct turn *turn, struct request *request);
/* POST /rooms/UUID/close */
MUST_CHECK enum err close_room_run(struct turn *turn, struct request *request);
/* POST /players/ID/kick */
MUST_CHECK enum err kick_player_run(struct turn *turn, struct request *request);

#endif
