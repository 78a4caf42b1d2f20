/* session.c - ###!RP: a new player and the token of its session; ###!UP (ours):
 * the end of the session.
 *
 * The token of a register with an Idempotency-Key is derived from the key, so
 * that it can be sent again to a client with the key, without being stored
 * (peerpost-protocol(7), RETRYING); any other is random.
 */
#include <string.h>

#include "api/command.h"
#include "api/fault.h"
#include "api/token.h"
#include "api/value.h"
#include "base/text.h"
#include "core/player.h"

#define MAX_NAME 64 /* code points */
#define MUST_BE "a string of 1 to 64 characters, without control characters"

/* Whether the text has a control character; *out is the first. */
static bool
find_control(struct span text, uint32_t *out)
{
	size_t n;

	for (size_t i = 0; i < text.len; i += n ? n : 1) {
		n = text_utf8_next(text.at + i, text.len - i, out);
		if (n && text_is_control(*out))
			return true;
	}
	return false;
}

static enum err
refuse_name(struct call *call, struct span name)
{
	uint32_t control = 0;

	call->why = fault_in_utf8("the name", name);
	if (call->why)
		return ERR_BAD_NAME;
	if (find_control(name, &control))
		call->why = fault_say("The name has the control character "
				      "U+%04X: it must be " MUST_BE ".",
		    (unsigned)control);
	else
		call->why = fault_say("The name has %s: it must be " MUST_BE
				      ".",
		    name.len ? "more than 64 characters" : "no characters");
	return ERR_BAD_NAME;
}

static enum err
read_name(struct call *call, struct span name)
{
	if (name.len >= sizeof(call->args.name) ||
	    !text_is_name(name, 1, MAX_NAME))
		return refuse_name(call, name);
	memcpy(call->args.name, name.at, name.len);
	call->args.name[name.len] = '\0';
	return ERR_NONE;
}

static enum err
check_register(struct call *call)
{
	struct buf name;
	enum err err;

	if (call->data.type != JSON_STRING) {
		call->why = fault_in_value("The name", call->data, MUST_BE);
		return ERR_BAD_NAME;
	}
	buf_init(&name, call->data.text.len);
	(void)value_string(call->data, &name);
	err = read_name(call, buf_span(&name));
	buf_fini(&name);
	return err;
}

static bool
check_bare_register(struct call *call, struct span body, bool is_text_plain)
{
	if (!is_text_plain || (body.len && body.at[0] == '"'))
		return false;
	call->err = read_name(call, body);
	return true;
}

static enum err
run_register(
    struct session *session, const struct call *call, struct outcome *out)
{
	struct world *world = session->world;
	const struct request *request = session->request;
	uint8_t hash[DIGEST_SIZE];
	uint32_t id;
	enum err err;

	if (session->player)
		return ERR_ALREADY_REGISTERED;
	err = player_new_id(world, &id);
	if (err)
		return err;
	if (request->has_key) {
		err = token_derive(
		    world->store, request->idempotency_key, id, session->token);
		if (err)
			return err;
	} else {
		token_make(session->token);
	}
	digest_sha256(span_of(session->token), hash);
	err = player_register(
	    world, id, hash, call->args.name, &session->player);
	if (err)
		return err;
	out->kind = OUTCOME_TOKEN;
	buf_add_int(&out->text, id);
	return ERR_NONE;
}

const struct command command_register = {
	.code = "###!RP",
	.path = "/register",
	.ok = "###!RPK",
	.failed = "###!RPB",
	.is_register = true,
	.check = check_register,
	.check_bare = check_bare_register,
	.run = run_register,
};

static enum err
run_unregister(
    struct session *session, const struct call *call, struct outcome *out)
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
	.run = run_unregister,
};
