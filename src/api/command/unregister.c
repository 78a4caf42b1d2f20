/* unregister.c - ###!UP (ours): the end of the session. */
#include "api/command.h"
#include "core/player.h"

static enum err
run(struct session *session, const struct call *call, struct outcome *out)
{
	enum err err;

	(void)call;
	command_answer_null(out);
	err = player_end(session->world, session->player, END_UNREGISTERED);
	if (err)
		return err;
	session->player = NULL;
	session->is_over = true;
	return ERR_NONE;
}

const struct command command_unregister = {
	.code = "###!UP",
	.path = "/unregister",
	.ok = "###!UPK",
	.failed = "###!ICB",
	.check = command_check_nothing,
	.run = run,
};
