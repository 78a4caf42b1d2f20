/* cmd_message.c - ###!SM: to everybody in the room, the sender too. */
#include "api/command.h"
#include "core/relay.h"

static enum err
check(struct call *call)
{
	return call->data.type == JSON_NULL ? ERR_BAD_DATA : ERR_NONE;
}

static enum err
run(struct session *session, const struct call *call, struct outcome *out)
{
	out->kind = OUTCOME_ECHO;
	return relay_message(session->world, session->player, call->data.text,
	    session->relay_bill);
}

const struct command command_message = {
	.code = "###!SM",
	.path = "/message",
	.ok = "###!RMK",
	.failed = "###!RMB",
	.check = check,
	.run = run,
};
