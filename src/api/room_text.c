/* room_text.c - see room_text.h. */
#include "api/room_text.h"

#include "api/value.h"
#include "core/room.h"

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
	buf_add_int(out, (int64_t)player->head);
	buf_add_text(out, "}");
	return err;
}
