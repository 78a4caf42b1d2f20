/* remembered.c - see remembered.h. */
#include "api/command/remembered.h"

#include <string.h>

#include "base/clock.h"
#include "core/mailbox.h"

#define KEPT_S 600 /* none younger is forgotten, unless too many */
/* This part of a mailbox's bytes is reserved for replies. */
#define OWN_PART 8
/* With less room than this, look for replies that are too old; otherwise they
 * are deleted when the next reply is remembered. */
#define LITTLE_ROOM ((size_t)64 << 10)

enum err
remembered_find(struct world *world, const struct request *request,
    int64_t scope, struct reply_row *out_row, bool *out_found)
{
	struct store *store = world->store;
	enum err err;

	*out_found = false;
	if (!request->has_key)
		return ERR_NONE;
	err = store->reply_find(store, scope, request->key_hash, out_row);
	*out_found = err == ERR_NONE;
	return err == ERR_ABSENT ? ERR_NONE : err;
}

/* Forget replies that are too old, and all except the n newest. */
static MUST_CHECK enum err
forget(struct world *world, struct player *player, uint64_t n)
{
	struct store *store = world->store;
	uint64_t n_bytes = 0;
	enum err err;

	err = mailbox_load(world, player);
	if (!err)
		err = store->replies_forget(store, player->id,
		    world->store->now_s(world->store) - KEPT_S, n, &n_bytes);
	if (!err)
		player->reply_bytes -= n_bytes;
	return err;
}

static uint64_t
above(uint64_t limit, uint64_t n)
{
	return limit > n ? limit - n : 0;
}

/* mailbox_load() first. */
static size_t
room_now(const struct world *world, const struct player *player)
{
	uint64_t max = world->settings->max_mailbox_bytes;
	uint64_t beside_mail = above(max, player->bytes + player->reply_bytes);
	uint64_t own = above(max / OWN_PART, player->reply_bytes);

	return beside_mail > own ? beside_mail : own;
}

enum err
remembered_room(struct world *world, struct player *player, size_t *out)
{
	uint64_t max = world->settings->max_mailbox_bytes;
	enum err err;

	*out = max ? max : SIZE_MAX;
	if (max == 0 || !player)
		return ERR_NONE;
	err = mailbox_load(world, player);
	if (!err && player->reply_bytes &&
	    room_now(world, player) < LITTLE_ROOM)
		err = forget(world, player, REMEMBERED_MAX);
	if (!err)
		*out = room_now(world, player);
	return err;
}

enum err
remembered_add(struct world *world, const struct request *request,
    int64_t scope, struct player *player, struct span record)
{
	struct reply_row row = { .scope = scope,
		.body = record,
		.created_s = world->store->now_s(world->store) };
	enum err err;

	if (!request->has_key || !player || player->is_removed)
		return ERR_NONE;
	row.player = player->id;
	memcpy(row.key_hash, request->key_hash, DIGEST_SIZE);
	memcpy(row.request_hash, request->request_hash, DIGEST_SIZE);
	err = forget(world, player, REMEMBERED_MAX - 1);
	if (!err)
		err = world->store->reply_insert(world->store, &row);
	if (!err)
		player->reply_bytes += record.len;
	return err;
}
