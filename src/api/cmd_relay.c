/* cmd_relay.c - ###!OO, ###!AA, ###!CC: an offer, an answer or a candidate to
 * one peer.
 *
 * What is relayed is the sender's object, byte for byte, but for the value of
 * its `id`, in whose place the sender's peer id is spliced.
 */
#include "api/command.h"
#include "api/value.h"
#include "core/relay.h"
#include "core/room.h"

#define MAX_PEER_ID 0x7fffffffu

static bool
is_integer(struct span text)
{
	if (text.len && text.at[0] == '-') {
		text.at++;
		text.len--;
	}
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
	return text.len > 0;
}

/* An integer that can be no peer id is still an integer: peer 0, whom nobody
 * will find. */
static uint32_t
peer_from(struct span digits)
{
	uint64_t peer;

	return text_to_uint(digits, MAX_PEER_ID, &peer) ? (uint32_t)peer : 0;
}

static enum err
take_id(struct call *call, struct json_value id)
{
	struct buf text;
	enum err err = ERR_BAD_DATA;

	call->args.relay.id = id.text;
	if (id.type == JSON_NUMBER && is_integer(id.text)) {
		call->args.relay.peer = peer_from(id.text);
		return ERR_NONE;
	}
	if (id.type != JSON_STRING)
		return ERR_BAD_DATA;
	buf_init(&text, id.text.len);
	if (value_string(id, &text) && text.len && text.data[0] != '-' &&
	    is_integer(buf_span(&text))) {
		call->args.relay.peer = peer_from(buf_span(&text));
		err = ERR_NONE;
	}
	buf_fini(&text);
	return err;
}

static enum err
check(struct call *call)
{
	struct json_value member, id = { JSON_NULL, { NULL, 0 } };
	struct json_walk walk;
	struct span key;

	if (call->data.type != JSON_OBJECT)
		return ERR_BAD_DATA;
	walk = json_walk(call->data);
	while (json_next_member(&walk, &key, &member)) {
		if (!value_key_is(key, "id"))
			continue;
		if (id.text.at)
			return ERR_BAD_JSON;
		id = member;
	}
	return id.text.at ? take_id(call, id) : ERR_BAD_DATA;
}

static enum err
relay(struct session *session, const struct call *call, enum event_kind kind)
{
	struct span data = call->data.text, id = call->args.relay.id;
	struct player *recipient;
	struct buf body;
	enum err err;

	err = room_find_peer(
	    session->world, session->player, call->args.relay.peer, &recipient);
	if (err)
		return err;
	buf_init(&body, data.len + TEXT_INT_SIZE);
	buf_add(&body, data.at, (size_t)(id.at - data.at));
	buf_add_int(
	    &body, room_peer_id(session->player->room, session->player->id));
	buf_add(&body, id.at + id.len,
	    (size_t)(data.at + data.len - (id.at + id.len)));
	err = body.overflowed ?
	    ERR_STORAGE :
	    relay_one(session->world, session->player, recipient, kind,
		buf_span(&body), session->relay_bill);
	buf_fini(&body);
	return err;
}

static enum err
run_offer(struct session *session, const struct call *call, struct outcome *out)
{
	(void)out;
	return relay(session, call, EVENT_OFFER);
}

static enum err
run_answer(
    struct session *session, const struct call *call, struct outcome *out)
{
	(void)out;
	return relay(session, call, EVENT_ANSWER);
}

static enum err
run_candidate(
    struct session *session, const struct call *call, struct outcome *out)
{
	(void)out;
	return relay(session, call, EVENT_CANDIDATE);
}

const struct command command_offer = {
	.code = "###!OO",
	.path = "/offer",
	.failed = "###!ICB",
	.check = check,
	.run = run_offer,
};

const struct command command_answer = {
	.code = "###!AA",
	.path = "/answer",
	.failed = "###!ICB",
	.check = check,
	.run = run_answer,
};

const struct command command_candidate = {
	.code = "###!CC",
	.path = "/candidate",
	.failed = "###!ICB",
	.check = check,
	.run = run_candidate,
};
