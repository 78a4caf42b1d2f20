/* seal_room.c - ###!SR: nobody may join any more. */
#include "api/command.h"
#include "core/room.h"

static enum err
run(struct session *session, const struct call *call, struct outcome *out)
{
	(void)call;
	command_answer_null(out);
	return room_seal(session->world, session->player);
}

const struct command command_seal_room = {
	.code = "###!SR",
	.path = "/seal-room",
	.ok = "###!SRK",
	.failed = "###!SRB",
	.check = command_check_nothing,
	.run = run,
};
