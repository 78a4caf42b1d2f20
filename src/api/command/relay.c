/* relay.c - ###!OO, ###!AA, ###!CC: an offer, an answer or a candidate to one
 * peer; ###!SM: a message to everybody in the room, including the sender.
 *
 * The sender's object is relayed byte for byte, except that the value of its
 * `id` is replaced by the sender's peer id.
 */
#include "api/command.h"
#include "api/fault.h"
#include "api/value.h"
#include "core/relay.h"
#include "core/room.h"

#define MAX_PEER_ID 0x7fffffffu

/* An integer that cannot be a peer id is still an integer: peer 0, which does
 * not exist. */
static bool
read_number(struct call *call, struct span number)
{
	uint64_t peer;

	if (!text_to_whole(number, VALUE_MAX_UINT, &peer))
		return false;
	call->args.relay.peer = peer <= MAX_PEER_ID ? (uint32_t)peer : 0;
	return true;
}

/* The same for a JSON number, which may be negative. */
static bool
read_json_number(struct call *call, struct span number)
{
	bool is_negative = number.at[0] == '-';

	if (is_negative) {
		number.at++;
		number.len--;
	}
	if (!read_number(call, number))
		return false;
	if (is_negative)
		call->args.relay.peer = 0;
	return true;
}

static bool
read_string(struct call *call, struct json_value id)
{
	struct buf text;
	bool is_number;

	buf_init(&text, id.text.len);
	is_number = value_string(id, &text) &&
	    read_number(call, buf_span(&text));
	buf_fini(&text);
	return is_number;
}

static enum err
read_id(struct call *call, struct json_value id)
{
	call->args.relay.id = id.text;
	if (id.type == JSON_NUMBER && read_json_number(call, id.text))
		return ERR_NONE;
	if (id.type == JSON_STRING && read_string(call, id))
		return ERR_NONE;
	call->why = fault_in_value(
	    "id", id, "a peer id, a whole number from 1 to 2147483647");
	return ERR_BAD_DATA;
}

static enum err
check(struct call *call)
{
	struct json_value member, id = { JSON_NULL, { NULL, 0 } };
	struct json_walk walk;
	struct span key;

	if (call->data.type != JSON_OBJECT) {
		call->why = fault_in_value(call->data_name, call->data,
		    "an object with the integer member id");
		return ERR_BAD_DATA;
	}
	walk = json_walk(call->data);
	while (json_next_member(&walk, &key, &member)) {
		if (!value_key_is(key, "id"))
			continue;
		if (id.text.at) {
			call->why = fault_say(FAULT_TWICE, "id");
			return ERR_BAD_JSON;
		}
		id = member;
	}
	return read_id(call, id);
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

static enum err
check_message(struct call *call)
{
	if (call->data.type != JSON_NULL)
		return ERR_NONE;
	call->why = fault_in_value(call->data_name, call->data,
	    "the message, any JSON value except null");
	return ERR_BAD_DATA;
}

static enum err
run_message(
    struct session *session, const struct call *call, struct outcome *out)
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
	.check = check_message,
	.run = run_message,
};
