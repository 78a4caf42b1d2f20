/* cmd_message.c - ###!SM: to everybody in the room, the sender too. */
#include "api/command.h"
#include "core/room.h"

static enum err
check(struct call *call)
{
	return call->data.type == JSON_NULL ? ERR_BAD_DATA : ERR_NONE;
}

static enum err
run(struct session *session, const struct call *call, struct outcome *out)
{
	out->kind = OUTCOME_ECHO;
	return room_message(session->world, session->player, call->data.text);
}

const struct command command_message = {
	.code = "###!SM",
	.path = "/message",
	.ok = "###!RMK",
	.failed = "###!RMB",
	.check = check,
	.run = run,
};
