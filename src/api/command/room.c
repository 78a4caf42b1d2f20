/* room.c - ###!CR, ###!JR, ###!SR and ###!LR (ours): create a room with the
 * player as its host, join the room with this UUID, seal the room, and leave it
 * for the lobby.
 */
#include <string.h>

#include "api/command.h"
#include "api/fault.h"
#include "api/texts.h"
#include "api/value.h"
#include "core/room.h"

/* ---- create ---- */

static enum err
run_create(
    struct session *session, const struct call *call, struct outcome *out)
{
	enum err err = room_create(session->world, session->player);

	(void)call;
	if (err)
		return err;
	out->kind = OUTCOME_TEXT;
	buf_add_text(&out->text, "\"");
	buf_add_text(&out->text, session->player->room->uuid);
	buf_add_text(&out->text, "\",\"id\":");
	buf_add_int(&out->text,
	    room_peer_id(session->player->room, session->player->id));
	return ERR_NONE;
}

const struct command command_create_room = {
	.code = "###!CR",
	.path = "/create-room",
	.ok = "###!CRK",
	.failed = "###!CRB",
	.check = command_check_nothing,
	.run = run_create,
};

/* ---- join ---- */

static enum err
check_join(struct call *call)
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
check_bare_join(struct call *call, struct span body, bool is_text_plain)
{
	(void)is_text_plain;
	return text_is_uuid(text_trim(body), call->args.uuid);
}

/* A name occurs in the answer twice, and each byte of it may be escaped. */
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
measure_join(struct session *session, const struct call *call, size_t *out)
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
		return ERR_NONE; /* run() will report it */
	if (err)
		return err;
	(void)on_member(out, row.id, row.name);
	return world->store->room_members(
	    world->store, room->id, on_member, out);
}

static enum err
run_join(struct session *session, const struct call *call, struct outcome *out)
{
	(void)out;
	return room_join(session->world, session->player, call->args.uuid);
}

static enum err
answer_join(
    struct session *session, const struct call *call, struct outcome *out)
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
	.check = check_join,
	.check_bare = check_bare_join,
	.measure = measure_join,
	.run = run_join,
	.answer = answer_join,
};

/* ---- seal ---- */

static enum err
run_seal(struct session *session, const struct call *call, struct outcome *out)
{
	(void)call;
	command_answer_null(out);
	return room_seal(session->world, session->player);
}

const struct command command_seal_room = {
	.code = "###!SR",
	.path = "/seal-room",
	.ok = "###!SRK",
	.failed = "###!SRB",
	.check = command_check_nothing,
	.run = run_seal,
};

/* ---- leave ---- */

static enum err
run_leave(struct session *session, const struct call *call, struct outcome *out)
{
	(void)call;
	command_answer_null(out);
	return room_leave(session->world, session->player);
}

const struct command command_leave_room = {
	.code = "###!LR",
	.path = "/leave-room",
	.ok = "###!LRK",
	.failed = "###!LRB",
	.check = command_check_nothing,
	.run = run_leave,
};
