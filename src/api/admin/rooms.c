/* rooms.c - the operator's list of rooms, closing rooms, kicking players. */
#include "api/admin/route.h"

#include <assert.h>

#include "api/admin/reply.h"
#include "api/reply.h"
#include "base/log.h"
#include "core/mailbox.h"
#include "core/player.h"
#include "core/presence.h"
#include "core/room.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX 1000

/* ---- GET /rooms ---- */

struct page {
	struct buf *out;
	uint64_t n, max;
	uint64_t last; /* id of the last one */
	bool has_more;
};

static void
add_room(struct buf *out, const struct room_row *room)
{
	admin_add_text(out, "room", room->uuid);
	admin_add_int(out, "host", room->host);
	admin_add_bool(out, "sealed", room->sealed);
}

static bool
on_room(void *cls, const struct room_row *room, const char *host_name,
    uint64_t n_members)
{
	struct page *page = cls;

	if (page->n == page->max) {
		page->has_more = true;
		return false;
	}
	buf_add_text(page->out, page->n ? ",{" : "{");
	add_room(page->out, room);
	admin_add_text(page->out, "host_name", host_name);
	admin_add_int(page->out, "members", n_members);
	buf_add_text(page->out, "}");
	page->last = (uint64_t)room->id;
	page->n++;
	return true;
}

enum err
get_rooms_run(struct transaction *txn, struct request *request)
{
	const struct poll_args *args = &request->poll;
	struct store *store = txn->world->store;
	struct page page = { .out = reply_begin(request, 200),
		.max = args->has_max ? args->max : PAGE_DEFAULT,
		.last = args->after };
	enum err err;

	if (page.max > PAGE_MAX)
		page.max = PAGE_MAX;
	buf_add_text(page.out, "{\"rooms\":[");
	err = store->rooms_after(
	    store, (int64_t)args->after, (size_t)page.max + 1, on_room, &page);
	buf_add_text(page.out, "],\"next\":");
	buf_add_int(page.out, (int64_t)page.last);
	if (page.has_more)
		buf_add_text(page.out, ",\"more\":true");
	buf_add_text(page.out, "}");
	return err;
}

/* ---- one room ---- */

/* The room that the path names.  ERR_ROOM_NOT_FOUND, ERR_STORAGE. */
static MUST_CHECK enum err
find_named(
    struct world *world, const struct request *request, struct room **out)
{
	char uuid[TEXT_UUID_SIZE];

	if (!text_is_uuid(span_of(request->argument), uuid))
		return ERR_ROOM_NOT_FOUND;
	return room_find_by_uuid(world, uuid, out);
}

/* Load all members with their mailboxes: the store must not be used while it
 * lists their names. */
static MUST_CHECK enum err
load_members(struct world *world, const struct room *room)
{
	enum err err = ERR_NONE;

	for (size_t i = 0; !err && i < room->n_members; i++) {
		struct player *player;

		err = player_find(world, room->members[i], &player);
		if (!err)
			err = mailbox_load(world, player);
	}
	return err;
}

struct member_list {
	struct world *world;
	const struct room *room;
	struct buf *out;
	bool has_first;
};

static bool
on_member(void *cls, uint32_t id, const char *name)
{
	struct member_list *list = cls;
	struct buf *out = list->out;
	struct player *player = NULL;
	enum err err = player_find(list->world, id, &player);

	assert(!err); /* load_members() */
	buf_add_text(out, list->has_first ? ",{" : "{");
	list->has_first = true;
	admin_add_int(out, "id", id);
	admin_add_text(out, "name", name);
	admin_add_int(out, "peer", room_peer_id(list->room, id));
	admin_add_bool(out, "parked", player->parked != NULL);
	admin_add_int(out, "idle_s",
	    (uint64_t)presence_idle_ms(list->world, player) / 1000);
	admin_add_object(out, "mailbox");
	admin_add_int(out, "events", player->last_id - player->acked);
	admin_add_int(out, "bytes", player->bytes);
	buf_add_text(out, "}}");
	return true;
}

enum err
get_one_room_run(struct transaction *txn, struct request *request)
{
	struct world *world = txn->world;
	struct member_list list = { .world = world };
	struct room_row row = { 0 };
	struct room *room;
	enum err err;

	err = find_named(world, request, &room);
	if (!err)
		err = load_members(world, room);
	if (err == ERR_ROOM_NOT_FOUND) {
		reply_fail_as(request, NULL, err);
		return ERR_NONE;
	}
	if (err)
		return err;
	list.room = room;
	list.out = reply_begin(request, 200);
	memcpy(row.uuid, room->uuid, sizeof(row.uuid));
	row.host = room->host;
	row.sealed = room->is_sealed;
	buf_add_text(list.out, "{");
	add_room(list.out, &row);
	buf_add_text(list.out, ",\"members\":[");
	err = world->store->room_members(
	    world->store, room->id, on_member, &list);
	buf_add_text(list.out, "]}");
	return err;
}

enum err
close_room_run(struct transaction *txn, struct request *request)
{
	struct world *world = txn->world;
	char uuid[TEXT_UUID_SIZE];
	struct room *room;
	struct buf *out;
	uint64_t n_members;
	enum err err;

	err = find_named(world, request, &room);
	if (err == ERR_ROOM_NOT_FOUND) {
		reply_fail_as(request, NULL, err);
		return ERR_NONE;
	}
	if (err)
		return err;
	memcpy(uuid, room->uuid, sizeof(uuid)); /* the room is freed below */
	n_members = room->n_members;
	err = room_close(world, room, span_of("\"Room Closed By Operator\""));
	if (!err)
		err = player_evict(world);
	if (err)
		return err;
	log_info("admin: room %s closed", uuid);
	out = reply_begin(request, 200);
	buf_add_text(out, "{");
	admin_add_text(out, "room", uuid);
	admin_add_int(out, "members", n_members);
	buf_add_text(out, "}");
	return ERR_NONE;
}

/* ---- players ---- */

/* ERR_ABSENT, ERR_STORAGE. */
static MUST_CHECK enum err
kick(struct world *world, const char *text, uint64_t *out_id)
{
	struct player *player;
	enum err err;

	if (!text_to_whole(span_of(text), UINT32_MAX, out_id))
		return ERR_ABSENT;
	err = player_find(world, (uint32_t)*out_id, &player);
	if (!err)
		err = player_end(world, player, END_KICKED);
	return err ? err : player_evict(world);
}

enum err
kick_player_run(struct transaction *txn, struct request *request)
{
	uint64_t id;
	struct buf *out;
	enum err err = kick(txn->world, request->argument, &id);

	if (err == ERR_ABSENT) {
		reply_fail_admin(request, 404, "player-not-found",
		    "There is no such player.");
		return ERR_NONE;
	}
	if (err)
		return err;
	log_info("admin: player %u kicked", (unsigned)id);
	out = reply_begin(request, 200);
	buf_add_text(out, "{");
	admin_add_int(out, "id", id);
	buf_add_text(out, "}");
	return ERR_NONE;
}
