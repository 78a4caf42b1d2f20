/* session.c - players, why their sessions ended, and their remembered
 * replies; and the database's secret.  See sql/sqlite/player.sql, ended.sql,
 * reply.sql. */
#include "store/sqlite/internal.h"

#include <assert.h>
#include <string.h>

#include "base/log_flood.h"

static enum err
secret(struct store *store, uint8_t out[DIGEST_SIZE])
{
	struct sqlite_store *s = sqlite_of(store);
	enum err err = sqlite_row(s, SQL_SECRET_GET);

	if (err)
		return err;
	sqlite_copy_hash(sqlite_statement(s, SQL_SECRET_GET), 0, out);
	sqlite_done(s, SQL_SECRET_GET);
	return ERR_NONE;
}

static enum err
count_players(struct store *store, uint64_t *out)
{
	return sqlite_number(sqlite_of(store), SQL_PLAYER_COUNT, out);
}

static enum err
player_insert(struct store *store, const struct player_row *row)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *stmt = sqlite_statement(s, SQL_PLAYER_INSERT);
	int n_changes;
	enum err err;

	sqlite_bind_int(stmt, 1, row->id);
	sqlite_bind_hash(stmt, 2, row->token_hash);
	sqlite_bind_text(stmt, 3, span_of(row->name));
	sqlite_note_stored(s, sizeof(*row));
	err = sqlite_run(s, SQL_PLAYER_INSERT, &n_changes);
	if (err)
		return err;
	return n_changes ? ERR_NONE : ERR_TAKEN;
}

/* The bound statement `id` yields the columns of a player_row. */
static enum err
find_player(
    struct sqlite_store *s, enum sql_statement id, struct player_row *out)
{
	sqlite3_stmt *stmt = sqlite_statement(s, id);
	enum err err = sqlite_row(s, id);

	if (err)
		return err;
	out->id = (uint32_t)sqlite3_column_int64(stmt, 0);
	sqlite_copy_hash(stmt, 1, out->token_hash);
	sqlite_copy_text(stmt, 2, out->name, sizeof(out->name));
	out->room = sqlite3_column_int64(stmt, 3);
	out->trimmed_id = (uint64_t)sqlite3_column_int64(stmt, 4);
	sqlite_done(s, id);
	return ERR_NONE;
}

static enum err
player_by_token(struct store *store, const uint8_t token_hash[DIGEST_SIZE],
    struct player_row *out)
{
	struct sqlite_store *s = sqlite_of(store);

	sqlite_bind_hash(
	    sqlite_statement(s, SQL_PLAYER_BY_TOKEN), 1, token_hash);
	return find_player(s, SQL_PLAYER_BY_TOKEN, out);
}

static enum err
player_by_id(struct store *store, uint32_t id, struct player_row *out)
{
	struct sqlite_store *s = sqlite_of(store);

	sqlite_bind_int(sqlite_statement(s, SQL_PLAYER_BY_ID), 1, id);
	return find_player(s, SQL_PLAYER_BY_ID, out);
}

static enum err
players_after(struct store *store, uint32_t after, size_t max,
    uint32_t *out_ids, size_t *out_n)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *stmt = sqlite_statement(s, SQL_PLAYERS_AFTER);
	size_t n = 0;
	enum err err;

	sqlite_bind_int(stmt, 1, after);
	sqlite_bind_uint(stmt, 2, max);
	while ((err = sqlite_row(s, SQL_PLAYERS_AFTER)) == ERR_NONE)
		out_ids[n++] = (uint32_t)sqlite3_column_int64(stmt, 0);
	if (err != ERR_ABSENT)
		return err;
	*out_n = n;
	return ERR_NONE;
}

static enum err
player_set_room(struct store *store, uint32_t id, int64_t room)
{
	struct sqlite_store *s = sqlite_of(store);
	enum sql_statement statement = room ? SQL_PLAYER_ENTER_ROOM :
					      SQL_PLAYER_LEAVE_ROOM;
	sqlite3_stmt *stmt = sqlite_statement(s, statement);
	int n_changes;
	enum err err;

	sqlite_bind_int(stmt, 1, id);
	if (room)
		sqlite_bind_int(stmt, 2, room);
	err = sqlite_run(s, statement, &n_changes);
	if (err)
		return err;
	return n_changes ? ERR_NONE : ERR_ABSENT;
}

static enum err
player_delete(struct store *store, uint32_t id)
{
	struct sqlite_store *s = sqlite_of(store);
	int n_changes;
	enum err err;

	err = sqlite_delete_mailbox(s, id);
	if (err)
		return err;
	sqlite_bind_int(sqlite_statement(s, SQL_REPLY_DELETE_ALL), 1, id);
	err = sqlite_run(s, SQL_REPLY_DELETE_ALL, NULL);
	if (err)
		return err;
	sqlite_bind_int(sqlite_statement(s, SQL_PLAYER_DELETE), 1, id);
	err = sqlite_run(s, SQL_PLAYER_DELETE, &n_changes);
	if (err)
		return err;
	return n_changes ? ERR_NONE : ERR_ABSENT;
}

static enum err
ended_insert(struct store *store, const uint8_t token_hash[DIGEST_SIZE],
    int reason, int64_t at_s)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *stmt = sqlite_statement(s, SQL_ENDED_INSERT);

	sqlite_bind_hash(stmt, 1, token_hash);
	sqlite_bind_int(stmt, 2, reason);
	sqlite_bind_int(stmt, 3, at_s);
	sqlite_note_stored(s, DIGEST_SIZE);
	return sqlite_run(s, SQL_ENDED_INSERT, NULL);
}

static enum err
ended_by_token(struct store *store, const uint8_t token_hash[DIGEST_SIZE],
    int64_t since_s, int *out_reason)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *stmt = sqlite_statement(s, SQL_ENDED_BY_TOKEN);
	enum err err;

	sqlite_bind_hash(stmt, 1, token_hash);
	sqlite_bind_int(stmt, 2, since_s);
	err = sqlite_row(s, SQL_ENDED_BY_TOKEN);
	if (err)
		return err;
	*out_reason = sqlite3_column_int(stmt, 0);
	sqlite_done(s, SQL_ENDED_BY_TOKEN);
	return ERR_NONE;
}

static enum err
ended_purge(struct store *store, int64_t before_s, uint64_t max)
{
	struct sqlite_store *s = sqlite_of(store);
	enum err err;

	sqlite_bind_int(sqlite_statement(s, SQL_ENDED_DELETE_OLD), 1, before_s);
	err = sqlite_run(s, SQL_ENDED_DELETE_OLD, NULL);
	if (err)
		return err;
	sqlite_bind_uint(sqlite_statement(s, SQL_ENDED_DELETE_MANY), 1, max);
	return sqlite_run(s, SQL_ENDED_DELETE_MANY, NULL);
}

/* Run a bound statement that deletes replies and yields the size of each. */
static enum err
delete_replies(struct sqlite_store *s, enum sql_statement id, uint64_t *sum)
{
	enum err err;

	while ((err = sqlite_row(s, id)) == ERR_NONE)
		*sum += (uint64_t)sqlite3_column_int64(
		    sqlite_statement(s, id), 0);
	return err == ERR_ABSENT ? ERR_NONE : err;
}

static enum err
replies_forget(struct store *store, uint32_t player, int64_t before_s,
    uint64_t max, uint64_t *out)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *stmt = sqlite_statement(s, SQL_REPLY_DELETE_OLD);
	uint64_t sum = 0;
	enum err err;

	sqlite_bind_int(stmt, 1, player);
	sqlite_bind_int(stmt, 2, before_s);
	err = delete_replies(s, SQL_REPLY_DELETE_OLD, &sum);
	if (err)
		return err;
	stmt = sqlite_statement(s, SQL_REPLY_DELETE_MANY);
	sqlite_bind_int(stmt, 1, player);
	sqlite_bind_uint(stmt, 2, max);
	err = delete_replies(s, SQL_REPLY_DELETE_MANY, &sum);
	if (!err)
		*out = sum;
	return err;
}

static enum err
replies_bytes(struct store *store, uint32_t player, uint64_t *out)
{
	struct sqlite_store *s = sqlite_of(store);

	sqlite_bind_int(sqlite_statement(s, SQL_REPLIES_BYTES), 1, player);
	return sqlite_number(s, SQL_REPLIES_BYTES, out);
}

static enum err
reply_insert(struct store *store, const struct reply_row *row)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *stmt = sqlite_statement(s, SQL_REPLY_INSERT);

	sqlite_bind_int(stmt, 1, row->scope);
	sqlite_bind_hash(stmt, 2, row->key_hash);
	sqlite_bind_int(stmt, 3, row->player);
	sqlite_bind_hash(stmt, 4, row->request_hash);
	sqlite_bind_blob(stmt, 5, row->body);
	sqlite_bind_int(stmt, 6, row->created_s);
	sqlite_note_stored(s, row->body.len + 2 * DIGEST_SIZE);
	return sqlite_run(s, SQL_REPLY_INSERT, NULL);
}

static enum err
reply_find(struct store *store, int64_t scope,
    const uint8_t key_hash[DIGEST_SIZE], struct reply_row *out)
{
	struct sqlite_store *s = sqlite_of(store);
	static const char why[] = "no memory for a remembered reply";
	static struct log_flood flood;
	sqlite3_stmt *stmt = sqlite_statement(s, SQL_REPLY_FIND);
	enum err err;

	sqlite_bind_int(stmt, 1, scope);
	sqlite_bind_hash(stmt, 2, key_hash);
	err = sqlite_row(s, SQL_REPLY_FIND);
	if (err)
		return err;
	/* Copy it: the bytes of a row end with the statement. */
	buf_reset(&s->reply_body);
	buf_add_span(&s->reply_body, sqlite_column(stmt, 2));
	if (s->reply_body.overflowed) {
		sqlite_done(s, SQL_REPLY_FIND);
		s->dead = s->in_transaction;
		if (log_flood_passes(&flood, LOG_LEVEL_ERROR, why))
			log_error("database: %s", why);
		return ERR_STORAGE;
	}
	out->scope = scope;
	memcpy(out->key_hash, key_hash, DIGEST_SIZE);
	out->player = (uint32_t)sqlite3_column_int64(stmt, 0);
	sqlite_copy_hash(stmt, 1, out->request_hash);
	out->body = buf_span(&s->reply_body);
	out->created_s = sqlite3_column_int64(stmt, 3);
	sqlite_done(s, SQL_REPLY_FIND);
	return ERR_NONE;
}

void
sqlite_set_session_ops(struct sqlite_store *s)
{
	struct store *ops = &s->ops;

	ops->secret = secret;
	ops->count_players = count_players;
	ops->player_insert = player_insert;
	ops->player_by_token = player_by_token;
	ops->player_by_id = player_by_id;
	ops->players_after = players_after;
	ops->player_set_room = player_set_room;
	ops->player_delete = player_delete;
	ops->ended_insert = ended_insert;
	ops->ended_by_token = ended_by_token;
	ops->ended_purge = ended_purge;
	ops->reply_insert = reply_insert;
	ops->replies_forget = replies_forget;
	ops->replies_bytes = replies_bytes;
	ops->reply_find = reply_find;
}
