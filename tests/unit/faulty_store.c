/* faulty_store.c - a store that fails when it is told to.
 *
 * Each operation asks faulty_next() for the real store, and fails if there is
 * none.
 */
#include "tests/unit/faulty_store.h"

#include <stdlib.h>
#include <string.h>

static struct faulty_store *
faulty_of(struct store *store)
{
	return (struct faulty_store *)store;
}

/* The store that is to be asked, or NULL: fail. */
static struct store *
faulty_next(struct store *store)
{
	struct faulty_store *f = faulty_of(store);
	bool fails = atomic_load(&f->is_down);

	if (f->is_dead)
		atomic_store(&f->is_misused, true);
	/* -1 stays what it is; the one that fails leaves -1 behind. */
	if (atomic_load(&f->ops_left) >= 0 &&
	    atomic_fetch_sub(&f->ops_left, 1) == 0)
		fails = true;
	if (!fails)
		return f->real;
	f->is_dead = f->is_open;
	return NULL;
}

#define FAULTY(store, call) \
	((store = faulty_next(store)) != NULL ? store->call : ERR_STORAGE)

static void
faulty_close(struct store *store)
{
	struct faulty_store *f = faulty_of(store);

	f->real->close(f->real);
	free(f);
}

static int64_t
faulty_now_s(struct store *store)
{
	store = faulty_of(store)->real;
	return store->now_s(store);
}

static enum err
faulty_begin(struct store *store)
{
	struct faulty_store *f = faulty_of(store);
	enum err err = FAULTY(store, begin(store));

	f->is_open = true;
	f->is_dead = err != ERR_NONE;
	return err;
}

static bool
faulty_has_written(struct store *store)
{
	struct faulty_store *f = faulty_of(store);

	if (f->is_dead)
		atomic_store(&f->is_misused, true);
	return f->real->has_written(f->real);
}

static enum err
faulty_commit(struct store *store)
{
	struct faulty_store *f = faulty_of(store);
	enum err err = ERR_STORAGE;

	if (!atomic_load(&f->commits_fail))
		err = FAULTY(store, commit(store));
	f->is_open = err != ERR_NONE;
	return err;
}

static void
faulty_rollback(struct store *store)
{
	struct faulty_store *f = faulty_of(store);

	f->is_open = f->is_dead = false;
	f->real->rollback(f->real);
}

static enum err
faulty_probe(struct store *store)
{
	return FAULTY(store, probe(store));
}

static enum err
faulty_watch(struct store *store)
{
	store = faulty_of(store)->real;
	return store->watch(store);
}

static bool
faulty_tidy(struct store *store)
{
	store = faulty_of(store)->real;
	return store->tidy(store);
}

static enum err
faulty_check_space(struct store *store, uint64_t bytes, uint64_t max_bytes)
{
	return FAULTY(store, check_space(store, bytes, max_bytes));
}

static void
faulty_status(struct store *store, struct store_status *out)
{
	store = faulty_of(store)->real;
	store->status(store, out);
}

static enum err
faulty_backup_begin(struct store *store, char *out_why, size_t why_size)
{
	store = faulty_of(store)->real;
	return store->backup_begin(store, out_why, why_size);
}

static enum err
faulty_backup_step(struct store *store, int n_pages, int *out_fd, char *out_why,
    size_t why_size)
{
	store = faulty_of(store)->real;
	return store->backup_step(store, n_pages, out_fd, out_why, why_size);
}

static void
faulty_backup_abort(struct store *store)
{
	store = faulty_of(store)->real;
	store->backup_abort(store);
}

static enum err
faulty_secret(struct store *store, uint8_t out[DIGEST_SIZE])
{
	return FAULTY(store, secret(store, out));
}

static enum err
faulty_count_players(struct store *store, uint64_t *out)
{
	return FAULTY(store, count_players(store, out));
}

static enum err
faulty_count_rooms(struct store *store, uint64_t *out)
{
	return FAULTY(store, count_rooms(store, out));
}

static enum err
faulty_player_insert(struct store *store, const struct player_row *row)
{
	return FAULTY(store, player_insert(store, row));
}

static enum err
faulty_player_by_token(struct store *store,
    const uint8_t token_hash[DIGEST_SIZE], struct player_row *out)
{
	return FAULTY(store, player_by_token(store, token_hash, out));
}

static enum err
faulty_player_by_id(struct store *store, uint32_t id, struct player_row *out)
{
	return FAULTY(store, player_by_id(store, id, out));
}

static enum err
faulty_players_after(struct store *store, uint32_t after, size_t max,
    uint32_t *out_ids, size_t *out_n)
{
	return FAULTY(store, players_after(store, after, max, out_ids, out_n));
}

static enum err
faulty_player_set_room(struct store *store, uint32_t id, int64_t room)
{
	return FAULTY(store, player_set_room(store, id, room));
}

static enum err
faulty_player_delete(struct store *store, uint32_t id)
{
	return FAULTY(store, player_delete(store, id));
}

static enum err
faulty_room_insert(
    struct store *store, const char *uuid, uint32_t host, int64_t *out_id)
{
	return FAULTY(store, room_insert(store, uuid, host, out_id));
}

static enum err
faulty_room_by_uuid(struct store *store, const char *uuid, struct room_row *out)
{
	return FAULTY(store, room_by_uuid(store, uuid, out));
}

static enum err
faulty_room_by_id(struct store *store, int64_t id, struct room_row *out)
{
	return FAULTY(store, room_by_id(store, id, out));
}

static enum err
faulty_room_seal(struct store *store, int64_t id)
{
	return FAULTY(store, room_seal(store, id));
}

static enum err
faulty_room_delete(struct store *store, int64_t id)
{
	return FAULTY(store, room_delete(store, id));
}

static enum err
faulty_rooms_after(
    struct store *store, int64_t after, size_t max, store_room_fn fn, void *cls)
{
	return FAULTY(store, rooms_after(store, after, max, fn, cls));
}

static enum err
faulty_room_members(
    struct store *store, int64_t id, store_member_fn fn, void *cls)
{
	return FAULTY(store, room_members(store, id, fn, cls));
}

static enum err
faulty_message_insert(struct store *store, int kind, struct span body,
    uint32_t n_events, int64_t *out_id)
{
	struct faulty_store *f = faulty_of(store);

	if (atomic_load(&f->is_poisoned) &&
	    memmem(body.at, body.len, "poison", 6)) {
		f->is_dead = true;
		return ERR_STORAGE;
	}
	return FAULTY(
	    store, message_insert(store, kind, body, n_events, out_id));
}

static enum err
faulty_event_append(struct store *store, uint32_t player, uint64_t id,
    int64_t message, uint64_t size_bytes)
{
	return FAULTY(
	    store, event_append(store, player, id, message, size_bytes));
}

static enum err
faulty_events_after(struct store *store, uint32_t player, uint64_t after,
    store_event_fn fn, void *cls)
{
	return FAULTY(store, events_after(store, player, after, fn, cls));
}

static enum err
faulty_events_bytes(
    struct store *store, uint32_t player, uint64_t after, uint64_t *out)
{
	return FAULTY(store, events_bytes(store, player, after, out));
}

static enum err
faulty_events_last_id(struct store *store, uint32_t player, uint64_t *out)
{
	return FAULTY(store, events_last_id(store, player, out));
}

static enum err
faulty_events_trim(struct store *store, const struct trim *trims, size_t n)
{
	atomic_fetch_add(&faulty_of(store)->n_trims, 1);
	if (atomic_load(&faulty_of(store)->trims_fail))
		return ERR_STORAGE;
	return FAULTY(store, events_trim(store, trims, n));
}

static enum err
faulty_ended_insert(struct store *store, const uint8_t token_hash[DIGEST_SIZE],
    int reason, int64_t at_s)
{
	return FAULTY(store, ended_insert(store, token_hash, reason, at_s));
}

static enum err
faulty_ended_by_token(struct store *store,
    const uint8_t token_hash[DIGEST_SIZE], int64_t since_s, int *out_reason)
{
	return FAULTY(
	    store, ended_by_token(store, token_hash, since_s, out_reason));
}

static enum err
faulty_ended_purge(struct store *store, int64_t before_s, uint64_t max)
{
	return FAULTY(store, ended_purge(store, before_s, max));
}

static enum err
faulty_reply_insert(struct store *store, const struct reply_row *row)
{
	return FAULTY(store, reply_insert(store, row));
}

static enum err
faulty_replies_forget(struct store *store, uint32_t player, int64_t before_s,
    uint64_t max, uint64_t *out)
{
	return FAULTY(store, replies_forget(store, player, before_s, max, out));
}

static enum err
faulty_replies_bytes(struct store *store, uint32_t player, uint64_t *out)
{
	return FAULTY(store, replies_bytes(store, player, out));
}

static enum err
faulty_reply_find(struct store *store, int64_t scope,
    const uint8_t key_hash[DIGEST_SIZE], struct reply_row *out)
{
	return FAULTY(store, reply_find(store, scope, key_hash, out));
}

struct faulty_store *
faulty_store_new(struct store *real)
{
	struct faulty_store *f = calloc(1, sizeof(*f));

	if (!f)
		abort();
	f->ops = (struct store){
		.close = faulty_close,
		.now_s = faulty_now_s,
		.begin = faulty_begin,
		.has_written = faulty_has_written,
		.commit = faulty_commit,
		.rollback = faulty_rollback,
		.probe = faulty_probe,
		.watch = faulty_watch,
		.check_space = faulty_check_space,
		.tidy = faulty_tidy,
		.status = faulty_status,
		.backup_begin = faulty_backup_begin,
		.backup_step = faulty_backup_step,
		.backup_abort = faulty_backup_abort,
		.secret = faulty_secret,
		.count_players = faulty_count_players,
		.count_rooms = faulty_count_rooms,
		.player_insert = faulty_player_insert,
		.player_by_token = faulty_player_by_token,
		.player_by_id = faulty_player_by_id,
		.players_after = faulty_players_after,
		.player_set_room = faulty_player_set_room,
		.player_delete = faulty_player_delete,
		.room_insert = faulty_room_insert,
		.room_by_uuid = faulty_room_by_uuid,
		.room_by_id = faulty_room_by_id,
		.room_seal = faulty_room_seal,
		.room_delete = faulty_room_delete,
		.rooms_after = faulty_rooms_after,
		.room_members = faulty_room_members,
		.message_insert = faulty_message_insert,
		.event_append = faulty_event_append,
		.events_after = faulty_events_after,
		.events_bytes = faulty_events_bytes,
		.events_last_id = faulty_events_last_id,
		.events_trim = faulty_events_trim,
		.ended_insert = faulty_ended_insert,
		.ended_by_token = faulty_ended_by_token,
		.ended_purge = faulty_ended_purge,
		.reply_insert = faulty_reply_insert,
		.replies_forget = faulty_replies_forget,
		.replies_bytes = faulty_replies_bytes,
		.reply_find = faulty_reply_find,
	};
	f->real = real;
	atomic_init(&f->ops_left, -1);
	return f;
}
