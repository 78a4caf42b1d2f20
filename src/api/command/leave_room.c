/* leave_room.c - ###!LR (ours): back to the lobby. */
#include "api/command.h"
#include "core/room.h"

static enum err
run(struct session *session, const struct call *call, struct outcome *out)
{
	(void)call;
	command_answer_null(out);
	return room_leave(session->world, session->player);
}

const struct command command_leave_room = {
	.code = "###!LR",
	.path = "/leave-room",
	.ok = "###!LRK",
	.failed = "###!LRB",
	.check = command_check_nothing,
	.run = run,
};
