/* command.c - see command.h. */
#include "api/command/command.h"

#include "api/fault.h"

static const struct command *const commands[] = {
	&command_register,
	&command_create_room,
	&command_join_room,
	&command_seal_room,
	&command_message,
	&command_offer,
	&command_answer,
	&command_candidate,
	&command_leave_room,
	&command_unregister,
};

const struct command *
command_find(struct span code)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (span_equals(code, commands[i]->code))
			return commands[i];
	return NULL;
}

enum err
command_check_nothing(struct call *call)
{
	/* The original's clients send the string. */
	if (call->data.type == JSON_NULL ||
	    span_equals(call->data.text, "\"null\""))
		return ERR_NONE;
	call->why = fault_in_value(call->data_name, call->data,
	    "null, the string 'null', or left out");
	return ERR_BAD_DATA;
}

void
command_answer_null(struct outcome *out)
{
	out->kind = OUTCOME_TEXT;
	buf_add_text(&out->text, "\"null\"");
}
