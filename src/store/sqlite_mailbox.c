/* sqlite_mailbox.c - messages, and the events that share them.
 *
 * See sql/sqlite/mailbox.sql.  A message counts its references.  When many
 * mailboxes are trimmed at once, most messages lose several references, so
 * the ids of all are collected first and each message is touched once.
 */
#include "store/sqlite_internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

/* Messages that have lost a reference, one entry for each. */
struct lost {
	int64_t *ids;
	size_t n, cap;
};

static enum err
message_insert(struct store *store, int kind, struct span body,
    uint32_t n_events, int64_t *out_id)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *stmt = sqlite_statement(s, SQL_MESSAGE_INSERT);
	enum err err;

	assert(n_events > 0);
	sqlite_bind_int(stmt, 1, kind);
	sqlite_bind_int(stmt, 2, n_events);
	sqlite_bind_text(stmt, 3, body);
	err = sqlite_run(s, SQL_MESSAGE_INSERT, NULL);
	if (err)
		return err;
	*out_id = sqlite3_last_insert_rowid(s->db);
	return ERR_NONE;
}

static enum err
event_append(struct store *store, uint32_t player, uint64_t id, int64_t message,
    uint64_t size_bytes)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *stmt = sqlite_statement(s, SQL_EVENT_INSERT);

	sqlite_bind_int(stmt, 1, player);
	sqlite_bind_uint(stmt, 2, id);
	sqlite_bind_int(stmt, 3, message);
	sqlite_bind_uint(stmt, 4, size_bytes);
	return sqlite_run(s, SQL_EVENT_INSERT, NULL);
}

static enum err
events_after(struct store *store, uint32_t player, uint64_t after,
    store_event_fn fn, void *cls)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *stmt = sqlite_statement(s, SQL_EVENTS_AFTER);
	enum err err;

	sqlite_bind_int(stmt, 1, player);
	sqlite_bind_uint(stmt, 2, after);
	while ((err = sqlite_row(s, SQL_EVENTS_AFTER)) == ERR_NONE) {
		if (!fn(cls, (uint64_t)sqlite3_column_int64(stmt, 0),
			sqlite3_column_int(stmt, 1), sqlite_column(stmt, 2))) {
			sqlite_done(s, SQL_EVENTS_AFTER);
			return ERR_NONE;
		}
	}
	return err == ERR_ABSENT ? ERR_NONE : err;
}

static enum err
events_bytes(
    struct store *store, uint32_t player, uint64_t after, uint64_t *out)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *stmt = sqlite_statement(s, SQL_EVENTS_BYTES);

	sqlite_bind_int(stmt, 1, player);
	sqlite_bind_uint(stmt, 2, after);
	return sqlite_number(s, SQL_EVENTS_BYTES, out);
}

static enum err
events_head(struct store *store, uint32_t player, uint64_t *out)
{
	struct sqlite_store *s = sqlite_of(store);

	sqlite_bind_int(sqlite_statement(s, SQL_EVENTS_HEAD), 1, player);
	return sqlite_number(s, SQL_EVENTS_HEAD, out);
}

static void
add_lost(struct lost *lost, int64_t id)
{
	if (lost->n == lost->cap) {
		lost->cap = lost->cap ? lost->cap * 2 : 64;
		lost->ids = mem_resize(
		    lost->ids, lost->cap, sizeof(*lost->ids));
	}
	lost->ids[lost->n++] = id;
}

static int
compare_ids(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static enum err
delete_events_of(
    struct sqlite_store *s, const struct trim *trim, struct lost *lost)
{
	sqlite3_stmt *stmt = sqlite_statement(s, SQL_EVENTS_ACKNOWLEDGED);
	enum err err;

	sqlite_bind_int(stmt, 1, trim->player);
	sqlite_bind_uint(stmt, 2, trim->upto);
	while ((err = sqlite_row(s, SQL_EVENTS_ACKNOWLEDGED)) == ERR_NONE)
		add_lost(lost, sqlite3_column_int64(stmt, 0));
	if (err != ERR_ABSENT)
		return err;
	stmt = sqlite_statement(s, SQL_EVENTS_DELETE);
	sqlite_bind_int(stmt, 1, trim->player);
	sqlite_bind_uint(stmt, 2, trim->upto);
	return sqlite_run(s, SQL_EVENTS_DELETE, NULL);
}

/* Take n references away from a message. */
static enum err
release_message(struct sqlite_store *s, int64_t id, size_t n)
{
	sqlite3_stmt *stmt = sqlite_statement(s, SQL_MESSAGE_DELETE);
	int n_changes;
	enum err err;

	sqlite_bind_int(stmt, 1, id);
	sqlite_bind_uint(stmt, 2, n);
	err = sqlite_run(s, SQL_MESSAGE_DELETE, &n_changes);
	if (err || n_changes)
		return err;
	stmt = sqlite_statement(s, SQL_MESSAGE_RELEASE);
	sqlite_bind_int(stmt, 1, id);
	sqlite_bind_uint(stmt, 2, n);
	return sqlite_run(s, SQL_MESSAGE_RELEASE, NULL);
}

enum err
sqlite_delete_events(struct sqlite_store *s, const struct trim *trims, size_t n)
{
	struct lost lost = { NULL, 0, 0 };
	enum err err = ERR_NONE;
	size_t end;

	for (size_t i = 0; i < n && !err; i++)
		err = delete_events_of(s, &trims[i], &lost);
	if (err || lost.n == 0)
		goto out;
	qsort(lost.ids, lost.n, sizeof(*lost.ids), compare_ids);
	for (size_t i = 0; i < lost.n && !err; i = end) {
		for (end = i + 1; end < lost.n; end++)
			if (lost.ids[end] != lost.ids[i])
				break;
		err = release_message(s, lost.ids[i], end - i);
	}
out:
	free(lost.ids);
	return err;
}

static enum err
events_trim(struct store *store, const struct trim *trims, size_t n)
{
	struct sqlite_store *s = sqlite_of(store);
	sqlite3_stmt *stmt = sqlite_statement(s, SQL_PLAYER_RAISE_FLOOR);
	enum err err;

	/* Before the events go: the floor is never above the greatest. */
	for (size_t i = 0; i < n; i++) {
		sqlite_bind_int(stmt, 1, trims[i].player);
		sqlite_bind_uint(stmt, 2, trims[i].upto);
		err = sqlite_run(s, SQL_PLAYER_RAISE_FLOOR, NULL);
		if (err)
			return err;
	}
	return sqlite_delete_events(s, trims, n);
}

void
sqlite_set_mailbox_ops(struct sqlite_store *s)
{
	struct store *ops = &s->ops;

	ops->message_insert = message_insert;
	ops->event_append = event_append;
	ops->events_after = events_after;
	ops->events_bytes = events_bytes;
	ops->events_head = events_head;
	ops->events_trim = events_trim;
}
