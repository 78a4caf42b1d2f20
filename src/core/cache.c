/* cache.c - see cache.h. */
#include "core/cache.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "core/presence.h"

/* ---- rooms ---- */

void
room_add_member(struct room *room, uint32_t player)
{
	if (room->n_members == room->cap_members) {
		room->cap_members = room->cap_members ? 2 * room->cap_members :
							4;
		room->members = mem_resize(
		    room->members, room->cap_members, sizeof(room->members[0]));
	}
	room->members[room->n_members++] = player;
}

void
room_remove_member(struct room *room, uint32_t player)
{
	size_t n = 0;

	for (size_t i = 0; i < room->n_members; i++)
		if (room->members[i] != player)
			room->members[n++] = room->members[i];
	room->n_members = n;
}

static bool
on_member(void *cls, uint32_t player, const char *name)
{
	(void)name;
	room_add_member(cls, player);
	return true;
}

struct room *
room_new(struct world *world, const struct room_row *row)
{
	struct room *room = mem_new(sizeof(*room));

	room->id = row->id;
	memcpy(room->uuid, row->uuid, sizeof(room->uuid));
	room->host = row->host;
	room->is_sealed = row->sealed;
	list_init(&room->active);
	list_init(&room->sealed);
	HASH_ADD(hh, world->rooms, id, sizeof(room->id), room);
	return room;
}

void
room_free(struct world *world, struct room *room)
{
	HASH_DELETE(hh, world->rooms, room);
	list_remove(&room->active);
	list_remove(&room->sealed);
	free(room->members);
	free(room);
}

static MUST_CHECK enum err
load_room(struct world *world, const struct room_row *row, struct room **out)
{
	struct room *room = room_new(world, row);
	enum err err;

	err = world->store->room_members(
	    world->store, room->id, on_member, room);
	if (err) {
		room_free(world, room);
		return err;
	}
	presence_room_loaded(world, room);
	*out = room;
	return ERR_NONE;
}

static struct room *
find_cached(struct world *world, int64_t id)
{
	struct room *room;

	HASH_FIND(hh, world->rooms, &id, sizeof(id), room);
	return room;
}

/* The room with this id, loaded if necessary.  ERR_ABSENT. */
static MUST_CHECK enum err
find_by_id(struct world *world, int64_t id, struct room **out)
{
	struct room *room = find_cached(world, id);
	struct room_row row;
	enum err err;

	if (room) {
		*out = room;
		return ERR_NONE;
	}
	err = world->store->room_by_id(world->store, id, &row);
	return err ? err : load_room(world, &row, out);
}

enum err
room_find_by_uuid(struct world *world, const char *uuid, struct room **out)
{
	struct room_row row;
	enum err err;

	err = world->store->room_by_uuid(world->store, uuid, &row);
	if (err == ERR_ABSENT)
		return ERR_ROOM_NOT_FOUND;
	return err ? err : find_by_id(world, row.id, out);
}

/* ---- players ---- */

struct player *
player_new(
    struct world *world, uint32_t id, const uint8_t token_hash[DIGEST_SIZE])
{
	struct player *player = mem_new(sizeof(*player));

	player->id = id;
	memcpy(player->token_hash, token_hash, DIGEST_SIZE);
	player->generation = world->generation;
	list_init(&player->seen);
	list_init(&player->lobby);
	list_init(&player->unused);
	list_init(&player->woken);
	list_init(&player->evicted);
	list_init(&player->added);
	list_init(&player->removed);
	list_init(&player->trim);
	HASH_ADD(hh_id, world->players_by_id, id, sizeof(player->id), player);
	HASH_ADD(
	    hh_token, world->players_by_token, token_hash, DIGEST_SIZE, player);
	return player;
}

void
player_free(struct world *world, struct player *player)
{
	assert(!player->parked);
	HASH_DELETE(hh_id, world->players_by_id, player);
	HASH_DELETE(hh_token, world->players_by_token, player);
	list_remove(&player->seen);
	list_remove(&player->lobby);
	list_remove(&player->unused);
	list_remove(&player->woken);
	list_remove(&player->evicted);
	list_remove(&player->added);
	list_remove(&player->removed);
	list_remove(&player->trim);
	free(player);
}

static MUST_CHECK enum err
find_room(struct world *world, int64_t id, struct room **out)
{
	if (id)
		return find_by_id(world, id, out);
	*out = NULL;
	return ERR_NONE;
}

static MUST_CHECK enum err
load_player(
    struct world *world, const struct player_row *row, struct player **out)
{
	struct room *room;
	struct player *player;
	enum err err = find_room(world, row->room, &room);

	if (err)
		return err;
	player = player_new(world, row->id, row->token_hash);
	player->room = room;
	player->acked = player->sent_id = row->trimmed_id;
	player->is_used = true;
	presence_player_loaded(world, player);
	*out = player;
	return ERR_NONE;
}

enum err
player_refresh(struct world *world, struct player *player)
{
	struct player_row row;
	struct room *room;
	enum err err;

	if (player->is_removed)
		return ERR_ABSENT;
	if (player->generation == world->generation)
		return ERR_NONE;
	err = world->store->player_by_id(world->store, player->id, &row);
	if (!err)
		err = find_room(world, row.room, &room);
	if (err)
		return err;
	player->room = room;
	if (room)
		presence_leave_lobby(player);
	else if (list_is_empty(&player->lobby))
		presence_enter_lobby(world, player);
	player->has_mailbox = false;
	player->generation = world->generation;
	return ERR_NONE;
}

enum err
player_find(struct world *world, uint32_t id, struct player **out)
{
	struct player *player;
	struct player_row row;
	enum err err;

	HASH_FIND(hh_id, world->players_by_id, &id, sizeof(id), player);
	if (!player) {
		err = world->store->player_by_id(world->store, id, &row);
		return err ? err : load_player(world, &row, out);
	}
	err = player_refresh(world, player);
	if (!err)
		*out = player;
	return err;
}

enum err
player_find_by_token(struct world *world, const uint8_t token_hash[DIGEST_SIZE],
    struct player **out)
{
	struct player *player;
	struct player_row row;
	enum err err;

	HASH_FIND(
	    hh_token, world->players_by_token, token_hash, DIGEST_SIZE, player);
	if (!player) {
		err = world->store->player_by_token(
		    world->store, token_hash, &row);
		return err ? err : load_player(world, &row, out);
	}
	err = player_refresh(world, player);
	if (!err)
		*out = player;
	return err;
}
