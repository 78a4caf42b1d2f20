/* join_room.c - ###!JR: into the room with this UUID. */
#include <string.h>

#include "api/command.h"
#include "api/fault.h"
#include "api/room_text.h"
#include "api/value.h"
#include "core/room.h"

static enum err
check(struct call *call)
{
	struct buf uuid;
	enum err err = ERR_BAD_DATA;

	buf_init(&uuid, TEXT_UUID_SIZE);
	if (value_string(call->data, &uuid) &&
	    text_is_uuid(buf_span(&uuid), call->args.uuid))
		err = ERR_NONE;
	buf_fini(&uuid);
	if (err)
		call->why = fault_in_value(
		    call->data_name, call->data, "the UUID of a room");
	return err;
}

/* curl -d $UUID */
static bool
check_bare(struct call *call, struct span body, bool is_text_plain)
{
	(void)is_text_plain;
	return text_is_uuid(text_trim(body), call->args.uuid);
}

/* A name stands in the answer twice, and each byte of it may be escaped. */
#define ROOM_FOR_NAME(len) (2 * (2 * (len) + sizeof("\"\",")))
#define ROOM_FOR_PEER sizeof("{\"id\":2147483647,\"name\":},")

static bool
on_member(void *cls, uint32_t player, const char *name)
{
	(void)player;
	*(size_t *)cls += ROOM_FOR_NAME(strlen(name)) + ROOM_FOR_PEER;
	return true;
}

static enum err
measure(struct session *session, const struct call *call, size_t *out)
{
	struct world *world = session->world;
	struct room *room;
	struct player_row row;
	enum err err;

	err = room_find_by_uuid(world, call->args.uuid, &room);
	if (!err)
		err = world->store->player_by_id(
		    world->store, session->player->id, &row);
	if (err == ERR_ROOM_NOT_FOUND)
		return ERR_NONE; /* run() will say so */
	if (err)
		return err;
	(void)on_member(out, row.id, row.name);
	return world->store->room_members(
	    world->store, room->id, on_member, out);
}

static enum err
run(struct session *session, const struct call *call, struct outcome *out)
{
	(void)out;
	return room_join(session->world, session->player, call->args.uuid);
}

static enum err
answer(struct session *session, const struct call *call, struct outcome *out)
{
	const struct player *player = session->player;
	enum err err;

	(void)call;
	if (!player->room) /* closed at once: its host has been evicted */
		return ERR_ROOM_NOT_FOUND;
	out->kind = OUTCOME_TEXT;
	err = room_text_add_names(session->world, player->room, &out->text);
	buf_add_text(&out->text, ",\"room\":\"");
	buf_add_text(&out->text, player->room->uuid);
	buf_add_text(&out->text, "\",\"id\":");
	buf_add_int(&out->text, room_peer_id(player->room, player->id));
	buf_add_text(&out->text, ",\"peers\":");
	return err ?
	    err :
	    room_text_add_peers(session->world, player->room, &out->text);
}

const struct command command_join_room = {
	.code = "###!JR",
	.path = "/join-room",
	.ok = "###!JRK",
	.failed = "###!JRB",
	.check = check,
	.check_bare = check_bare,
	.measure = measure,
	.run = run,
	.answer = answer,
};
