/* room.c - rooms and their members.  See sql/sqlite/room.sql. */
#include "store/sqlite/internal.h"

static enum err
count_rooms(struct store *store, uint64_t *out)
{
	return sqlite_number(sqlite_of(store), SQL_ROOM_COUNT, out);
}

static enum err
room_insert(
    struct store *store, const char *uuid, uint32_t host, int64_t *out_id)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *stmt = sqlite_statement(s, SQL_ROOM_INSERT);
	enum err err;

	sqlite_bind_text(stmt, 1, span_of(uuid));
	sqlite_bind_int(stmt, 2, host);
	sqlite_note_stored(s, TEXT_UUID_SIZE);
	err = sqlite_run(s, SQL_ROOM_INSERT, NULL);
	if (err)
		return err;
	*out_id = sqlite3_last_insert_rowid(s->db);
	return ERR_NONE;
}

static void
read_room(sqlite3_stmt *stmt, struct room_row *out)
{
	out->id = sqlite3_column_int64(stmt, 0);
	sqlite_copy_text(stmt, 1, out->uuid, sizeof(out->uuid));
	out->host = (uint32_t)sqlite3_column_int64(stmt, 2);
	out->sealed = sqlite3_column_int(stmt, 3) != 0;
}

/* The bound statement `id` yields the columns of a room_row. */
static enum err
find_room(struct sqlite_store *s, enum sql_statement id, struct room_row *out)
{
	sqlite3_stmt *stmt = sqlite_statement(s, id);
	enum err err = sqlite_row(s, id);

	if (err)
		return err;
	read_room(stmt, out);
	sqlite_done(s, id);
	return ERR_NONE;
}

static enum err
room_by_uuid(struct store *store, const char *uuid, struct room_row *out)
{
	struct sqlite_store *s = sqlite_of(store);

	sqlite_bind_text(
	    sqlite_statement(s, SQL_ROOM_BY_UUID), 1, span_of(uuid));
	return find_room(s, SQL_ROOM_BY_UUID, out);
}

static enum err
room_by_id(struct store *store, int64_t id, struct room_row *out)
{
	struct sqlite_store *s = sqlite_of(store);

	sqlite_bind_int(sqlite_statement(s, SQL_ROOM_BY_ID), 1, id);
	return find_room(s, SQL_ROOM_BY_ID, out);
}

/* Run a statement that changes one room. */
static enum err
change_room(struct sqlite_store *s, enum sql_statement statement, int64_t id)
{
	int n_changes;
	enum err err;

	sqlite_bind_int(sqlite_statement(s, statement), 1, id);
	err = sqlite_run(s, statement, &n_changes);
	if (err)
		return err;
	return n_changes ? ERR_NONE : ERR_ABSENT;
}

static enum err
room_seal(struct store *store, int64_t id)
{
	return change_room(sqlite_of(store), SQL_ROOM_SEAL, id);
}

static enum err
room_delete(struct store *store, int64_t id)
{
	return change_room(sqlite_of(store), SQL_ROOM_DELETE, id);
}

static enum err
rooms_after(
    struct store *store, int64_t after, size_t max, store_room_fn fn, void *cls)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *stmt = sqlite_statement(s, SQL_ROOMS_AFTER);
	char host_name[STORE_NAME_SIZE];
	struct room_row row;
	enum err err;

	sqlite_bind_int(stmt, 1, after);
	sqlite_bind_uint(stmt, 2, max);
	while ((err = sqlite_row(s, SQL_ROOMS_AFTER)) == ERR_NONE) {
		read_room(stmt, &row);
		sqlite_copy_text(stmt, 4, host_name, sizeof(host_name));
		if (!fn(cls, &row, host_name,
			(uint64_t)sqlite3_column_int64(stmt, 5))) {
			sqlite_done(s, SQL_ROOMS_AFTER);
			return ERR_NONE;
		}
	}
	return err == ERR_ABSENT ? ERR_NONE : err;
}

static enum err
room_members(struct store *store, int64_t id, store_member_fn fn, void *cls)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *stmt = sqlite_statement(s, SQL_ROOM_MEMBERS);
	char name[STORE_NAME_SIZE];
	enum err err;

	sqlite_bind_int(stmt, 1, id);
	while ((err = sqlite_row(s, SQL_ROOM_MEMBERS)) == ERR_NONE) {
		sqlite_copy_text(stmt, 1, name, sizeof(name));
		if (!fn(cls, (uint32_t)sqlite3_column_int64(stmt, 0), name)) {
			sqlite_done(s, SQL_ROOM_MEMBERS);
			return ERR_NONE;
		}
	}
	return err == ERR_ABSENT ? ERR_NONE : err;
}

void
sqlite_set_room_ops(struct sqlite_store *s)
{
	struct store *ops = &s->ops;

	ops->count_rooms = count_rooms;
	ops->room_insert = room_insert;
	ops->room_by_uuid = room_by_uuid;
	ops->room_by_id = room_by_id;
	ops->room_seal = room_seal;
	ops->room_delete = room_delete;
	ops->rooms_after = rooms_after;
	ops->room_members = room_members;
}
