/* message.c - ###!SM: to everybody in the room, the sender too. */
#include "api/command.h"
#include "api/fault.h"
#include "core/relay.h"

static enum err
check(struct call *call)
{
	if (call->data.type != JSON_NULL)
		return ERR_NONE;
	call->why = fault_in_value(call->data_name, call->data,
	    "the message, any JSON value other than null");
	return ERR_BAD_DATA;
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
