/* get_ice_servers.c - see get_ice_servers.h. */
#include "api/get_ice_servers.h"

#include "api/ice_text.h"
#include "api/reply.h"
#include "base/clock.h"

enum err
get_ice_servers_run(struct turn *turn, struct request *request)
{
	enum end_reason reason = END_UNREGISTERED;
	struct player *player;
	enum err err;

	err = turn_find_session(turn, request, &player, &reason);
	if (err == ERR_STORAGE)
		return err;
	if (!err)
		err = request->err;
	if (err) {
		reply_fail_session(request, err, reason);
		return ERR_NONE;
	}
	if (!turn_pay_poll(turn, request, player))
		return ERR_NONE;
	ice_text_add(&turn->world->settings->ice, player->id, clock_unix_s(),
	    reply_begin(request, 200), &request->reply.links);
	return ERR_NONE;
}
