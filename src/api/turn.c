/* turn.c - see turn.h. */
#include "api/turn.h"

#include <assert.h>

#include "core/player.h"
#include "core/presence.h"

enum err
turn_find_session(struct turn *turn, const struct request *request,
    struct player **out, enum end_reason *out_reason)
{
	struct world *world = turn->world;
	enum err err;

	if (!request->has_token)
		return ERR_NO_SESSION;
	err = player_find_by_token(world, request->token_hash, out);
	if (!err)
		presence_seen(world, *out);
	if (err != ERR_ABSENT)
		return err;
	err = player_find_ended(world, request->token_hash, out_reason);
	if (err == ERR_ABSENT)
		return ERR_NO_SESSION;
	return err ? err : ERR_TIMED_OUT;
}

void
turn_finish(struct turn *turn, struct request *request)
{
	assert(request->reply.status && !request->parked.player);
	assert(!request->is_finished);
	request->is_finished = true;
	if (request->reply.given_to)
		player_note_given(
		    turn->world, request->reply.given_to, request->reply.given);
	queue_chain_append(&turn->done, &request->run.item);
}
