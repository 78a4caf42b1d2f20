/* get_room.c - see get_room.h. */
#include "api/get_room.h"

#include "api/reply.h"
#include "api/room_text.h"
#include "core/mailbox.h"

enum err
get_room_run(struct turn *turn, struct request *request)
{
	enum end_reason reason = END_UNREGISTERED;
	struct player *player;
	enum err err;

	err = turn_find_session(turn, request, &player, &reason);
	if (!err)
		err = request->err;
	if (!err)
		err = player->room ? mailbox_load(turn->world, player) :
				     ERR_NO_ROOM;
	if (err == ERR_STORAGE)
		return err;
	if (!err && !turn_pay_poll(turn, request, player))
		return ERR_NONE;
	if (err) {
		reply_fail_session(request, err, reason);
		return ERR_NONE;
	}
	return room_text_add_snapshot(
	    turn->world, player, reply_begin(request, 200));
}
