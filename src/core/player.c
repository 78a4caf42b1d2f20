/* player.c - see player.h. */
#include "core/player.h"

#include <assert.h>
#include <string.h>

#include "base/random.h"
#include "core/commit.h"
#include "core/presence.h"
#include "core/room.h"

#define MIN_ID 2u          /* 1 means the host */
#define MAX_ID 0x7fffffffu /* a Godot peer id is a positive int32 */
#define ENDED_KEPT_S 3600
#define PURGE_EVERY_S 60

enum err
player_find_ended(struct world *world, const uint8_t token_hash[DIGEST_SIZE],
    enum end_reason *out)
{
	struct store *store = world->store;
	int reason;
	enum err err = store->ended_by_token(
	    store, token_hash, store->now_s(store) - ENDED_KEPT_S, &reason);

	if (!err)
		*out = (enum end_reason)reason;
	return err;
}

enum err
player_new_id(struct world *world, uint32_t *out)
{
	for (;;) {
		struct player_row row;
		uint32_t id = random_between(MIN_ID, MAX_ID);
		enum err err = world->store->player_by_id(
		    world->store, id, &row);

		if (err == ERR_NONE)
			continue; /* taken: one in 20,000 at 100,000 players */
		if (err == ERR_ABSENT) {
			*out = id;
			return ERR_NONE;
		}
		return err;
	}
}

/* Make sure that there is a place for one more.  If there is none, a player
 * that has only registered loses its place: a flood of registers throws out its
 * own players, and none that play. */
static MUST_CHECK enum err
make_place(struct world *world)
{
	uint64_t max = world->settings->max_players;
	struct player *unused;
	enum err err;

	if (max == 0 || world->n_players < max)
		return ERR_NONE;
	/* More than one too many: a reload has lowered the limit. */
	if (world->n_players > max)
		return ERR_TOO_MANY_PLAYERS;
	while ((unused = presence_find_unused(world)) != NULL) {
		err = player_refresh(world, unused);
		if (err)
			return err;
		if (!unused->room)
			return player_end(world, unused, END_UNUSED);
		/* A rollback has put it back there. */
		presence_leave_lobby(unused);
	}
	return ERR_TOO_MANY_PLAYERS;
}

enum err
player_register(struct world *world, uint32_t id,
    const uint8_t token_hash[DIGEST_SIZE], const char *name,
    struct player **out)
{
	struct player_row row = { .id = id };
	struct player *player;
	enum err err;

	err = world_check_space(world, sizeof(row));
	if (!err)
		err = make_place(world);
	if (err)
		return err;
	memcpy(row.token_hash, token_hash, DIGEST_SIZE);
	assert(strlen(name) < sizeof(row.name));
	strcpy(row.name, name);
	err = world->store->player_insert(world->store, &row);
	assert(err != ERR_TAKEN); /* the id is from player_new_id() */
	if (err)
		return err;
	world->n_players++;
	player = player_new(world, id, token_hash);
	player->has_mailbox = true; /* empty */
	list_append(&world->added, &player->added);
	presence_registered(world, player);
	*out = player;
	return ERR_NONE;
}

/* The table of ended sessions is bounded by age and, should more sessions end
 * in an hour than may exist, by their number. */
static MUST_CHECK enum err
remember_end(
    struct world *world, const struct player *player, enum end_reason reason)
{
	struct store *store = world->store;
	int64_t now_s = store->now_s(store);
	uint64_t max = world->settings->max_players;
	enum err err;

	/* The rows of a flood would displace those worth keeping. */
	if (reason == END_UNREGISTERED || reason == END_UNUSED)
		return ERR_NONE;
	err = store->ended_insert(
	    store, player->token_hash, (int)reason, now_s);
	if (err || now_s < world->purge_s)
		return err;
	world->purge_s = now_s + PURGE_EVERY_S;
	return store->ended_purge(
	    store, now_s - ENDED_KEPT_S, max ? max : 1000000);
}

enum err
player_end(struct world *world, struct player *player, enum end_reason reason)
{
	enum err err = ERR_NONE;

	/* A player that is leaving gets no more mail and cannot overflow. */
	list_remove(&player->evicted);
	if (player->room)
		err = room_leave(world, player);
	if (!err)
		err = remember_end(world, player, reason);
	if (!err)
		err = world->store->player_delete(world->store, player->id);
	if (err)
		return err;
	world->n_players--;
	player->is_removed = true;
	player->end_reason = reason;
	list_append(&world->removed, &player->removed);
	list_remove(&player->seen);
	list_remove(&player->lobby);
	list_remove(&player->unused);
	list_remove(&player->woken);
	list_remove(&player->trim);
	return ERR_NONE;
}

enum err
player_evict(struct world *world)
{
	struct list *node;

	while ((node = list_first(&world->evicted)) != NULL) {
		struct player *player = CONTAINER_OF(
		    node, struct player, evicted);
		enum err err = player_end(world, player, END_MAILBOX_OVERFLOW);

		if (err)
			return err;
	}
	return ERR_NONE;
}

void
player_note_sent(struct world *world, uint32_t id, uint64_t upto)
{
	struct player *player;

	HASH_FIND(hh_id, world->players_by_id, &id, sizeof(id), player);
	if (player)
		player->sent_id = upto;
}
