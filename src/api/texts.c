/* texts.c - see texts.h. */
#include "api/texts.h"

#include <stdlib.h>

#include "api/value.h"
#include "core/room.h"

/* ---- events and failures ---- */

/* The protocol's codes, by kind of event. */
static const char *
code_of(enum event_kind kind)
{
	switch (kind) {
	case EVENT_CONNECTED_TO_ROOM:
		return "###!CTR";
	case EVENT_PEER_CONNECTED:
		return "###!RPC";
	case EVENT_PEER_DISCONNECTED:
		return "###!RPD";
	case EVENT_ROOM_CLOSED:
		return "###!RCL";
	case EVENT_ROOM_SEALED:
		return "###!SRK";
	case EVENT_ROOM_MESSAGE:
		return "###!RMK";
	case EVENT_OFFER:
		return "###!OOO";
	case EVENT_ANSWER:
		return "###!AAA";
	case EVENT_CANDIDATE:
		return "###!CCC";
	}
	/* A kind of event that no release has stored. */
	abort();
}

void
event_text_add(
    struct buf *out, uint64_t id, enum event_kind kind, struct span body)
{
	buf_add_text(out, "{\"id\":");
	buf_add_int(out, (int64_t)id);
	buf_add_text(out, ",\"command\":\"");
	buf_add_text(out, code_of(kind));
	buf_add_text(out, "\",\"data\":");
	buf_add_span(out, body);
	buf_add_text(out, "}");
}

static void
add_failure(
    struct buf *out, const char *code, const char *sentence, const char *word)
{
	buf_add_text(out, "{\"command\":\"");
	buf_add_text(out, code);
	buf_add_text(out, "\",\"data\":");
	value_add_string(out, span_of(sentence));
	buf_add_text(out, ",\"error\":\"");
	buf_add_text(out, word);
	buf_add_text(out, "\"}");
}

void
event_text_add_failure(
    struct buf *out, const char *code, enum err err, const char *why)
{
	add_failure(out, code, why ? why : err_sentence(err), err_word(err));
}

static const char *
reason_sentence(enum end_reason reason)
{
	switch (reason) {
	case END_STOPPED_POLLING:
		return "Player Stopped Polling";
	case END_LEFT_IN_LOBBY:
		return "Player Took Too Long To Enter A Room";
	case END_MAILBOX_OVERFLOW:
		return "Mailbox Overflow";
	case END_KICKED:
		return "Player Kicked By Operator";
	case END_UNREGISTERED:
	case END_UNUSED:
		break;
	}
	return err_sentence(ERR_TIMED_OUT);
}

void
event_text_add_ended(struct buf *out, enum end_reason reason)
{
	add_failure(
	    out, "###!PTO", reason_sentence(reason), err_word(ERR_TIMED_OUT));
}

/* ---- members of rooms ---- */

struct member_list {
	const struct room *room;
	struct buf *out;
	bool has_first;
};

static void
add_comma(struct member_list *list)
{
	if (list->has_first)
		buf_add_text(list->out, ",");
	list->has_first = true;
}

static bool
on_name(void *cls, uint32_t player, const char *name)
{
	struct member_list *list = cls;

	(void)player;
	add_comma(list);
	value_add_string(list->out, span_of(name));
	return true;
}

static bool
on_peer(void *cls, uint32_t player, const char *name)
{
	struct member_list *list = cls;

	add_comma(list);
	buf_add_text(list->out, "{\"id\":");
	buf_add_int(list->out, room_peer_id(list->room, player));
	buf_add_text(list->out, ",\"name\":");
	value_add_string(list->out, span_of(name));
	buf_add_text(list->out, "}");
	return true;
}

static MUST_CHECK enum err
add_members(struct world *world, const struct room *room, struct buf *out,
    store_member_fn fn)
{
	struct member_list list = { room, out, false };
	enum err err;

	buf_add_text(out, "[");
	err = world->store->room_members(world->store, room->id, fn, &list);
	buf_add_text(out, "]");
	return err;
}

enum err
room_text_add_names(
    struct world *world, const struct room *room, struct buf *out)
{
	return add_members(world, room, out, on_name);
}

enum err
room_text_add_peers(
    struct world *world, const struct room *room, struct buf *out)
{
	return add_members(world, room, out, on_peer);
}

enum err
room_text_add_snapshot(
    struct world *world, const struct player *player, struct buf *out)
{
	const struct room *room = player->room;
	enum err err;

	if (!room) {
		buf_add_text(out, "null");
		return ERR_NONE;
	}
	buf_add_text(out, "{\"room\":\"");
	buf_add_text(out, room->uuid);
	buf_add_text(out, "\",\"host\":");
	buf_add_int(out, room_peer_id(room, room->host));
	buf_add_text(
	    out, room->is_sealed ? ",\"sealed\":true" : ",\"sealed\":false");
	buf_add_text(out, ",\"id\":");
	buf_add_int(out, room_peer_id(room, player->id));
	buf_add_text(out, ",\"peers\":");
	err = room_text_add_peers(world, room, out);
	buf_add_text(out, ",\"next\":");
	buf_add_int(out, (int64_t)player->last_id);
	buf_add_text(out, "}");
	return err;
}
