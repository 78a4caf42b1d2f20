/* create_room.c - ###!CR: a room with the player as its host. */
#include "api/command.h"
#include "core/room.h"

static enum err
run(struct session *session, const struct call *call, struct outcome *out)
{
	enum err err = room_create(session->world, session->player);

	(void)call;
	if (err)
		return err;
	out->kind = OUTCOME_TEXT;
	buf_add_text(&out->text, "\"");
	buf_add_text(&out->text, session->player->room->uuid);
	buf_add_text(&out->text, "\",\"id\":");
	buf_add_int(&out->text,
	    room_peer_id(session->player->room, session->player->id));
	return ERR_NONE;
}

const struct command command_create_room = {
	.code = "###!CR",
	.path = "/create-room",
	.ok = "###!CRK",
	.failed = "###!CRB",
	.check = command_check_nothing,
	.run = run,
};
