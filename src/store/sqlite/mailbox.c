/* mailbox.c - messages, and the events that share them.
 *
 * See sql/sqlite/mailbox.sql.  A message is stored once and counts its
 * references.  When many mailboxes are trimmed at once, most messages lose
 * several references, so the ids of all are collected first and each message is
 * touched once.  The row of a player's last acknowledged event stays, without
 * its message, so that its id is never given out again.  (A column of the
 * player would do as well, but then each deletion would write to a page of
 * another table too.)
 */
#include "store/sqlite/internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

/* A row of event, in a page that may be half full. */
#define EVENT_BYTES 64

/* Messages that have lost references, one entry per reference. */
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
	sqlite_note_stored(s, body.len);
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
	s->stored_bytes += EVENT_BYTES;
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
events_last_id(struct store *store, uint32_t player, uint64_t *out)
{
	struct sqlite_store *s = sqlite_of(store);

	sqlite_bind_int(sqlite_statement(s, SQL_EVENTS_LAST_ID), 1, player);
	return sqlite_number(s, SQL_EVENTS_LAST_ID, out);
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

/* Collect the messages of the events up to and including upto.  *out_last: the
 * greatest of those events; 0: there are none. */
static enum err
collect(struct sqlite_store *s, uint32_t player, uint64_t upto,
    struct lost *lost, uint64_t *out_last)
{
	sqlite3_stmt *stmt = sqlite_statement(s, SQL_EVENTS_ACKNOWLEDGED);
	uint64_t last = 0;
	enum err err;

	sqlite_bind_int(stmt, 1, player);
	sqlite_bind_uint(stmt, 2, upto);
	while ((err = sqlite_row(s, SQL_EVENTS_ACKNOWLEDGED)) == ERR_NONE) {
		last = (uint64_t)sqlite3_column_int64(stmt, 0);
		add_lost(lost, sqlite3_column_int64(stmt, 1));
	}
	if (err != ERR_ABSENT)
		return err;
	*out_last = last;
	return ERR_NONE;
}

static enum err
run_for_event(struct sqlite_store *s, enum sql_statement id, uint32_t player,
    uint64_t event)
{
	sqlite3_stmt *stmt = sqlite_statement(s, id);

	sqlite_bind_int(stmt, 1, player);
	sqlite_bind_uint(stmt, 2, event);
	return sqlite_run(s, id, NULL);
}

static enum err
trim_one(struct sqlite_store *s, const struct trim *trim, struct lost *lost)
{
	uint64_t last;
	enum err err = collect(s, trim->player, trim->upto, lost, &last);

	if (err || last == 0)
		return err;
	err = run_for_event(s, SQL_EVENTS_DELETE_BEFORE, trim->player, last);
	if (err)
		return err;
	return run_for_event(s, SQL_EVENT_RELEASE, trim->player, last);
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

static enum err
release_messages(struct sqlite_store *s, struct lost *lost)
{
	enum err err = ERR_NONE;
	size_t end;

	if (lost->n == 0)
		return ERR_NONE;
	qsort(lost->ids, lost->n, sizeof(*lost->ids), compare_ids);
	for (size_t i = 0; i < lost->n && !err; i = end) {
		for (end = i + 1; end < lost->n; end++)
			if (lost->ids[end] != lost->ids[i])
				break;
		err = release_message(s, lost->ids[i], end - i);
	}
	return err;
}

static enum err
events_trim(struct store *store, const struct trim *trims, size_t n)
{
	struct sqlite_store *s = sqlite_of(store);
	struct lost lost = { NULL, 0, 0 };
	enum err err = ERR_NONE;

	for (size_t i = 0; i < n && !err; i++)
		err = trim_one(s, &trims[i], &lost);
	if (!err)
		err = release_messages(s, &lost);
	free(lost.ids);
	return err;
}

enum err
sqlite_delete_mailbox(struct sqlite_store *s, uint32_t player)
{
	struct lost lost = { NULL, 0, 0 };
	uint64_t last;
	enum err err = collect(s, player, UINT64_MAX, &lost, &last);

	if (!err) {
		sqlite_bind_int(
		    sqlite_statement(s, SQL_EVENTS_DELETE_ALL), 1, player);
		err = sqlite_run(s, SQL_EVENTS_DELETE_ALL, NULL);
	}
	if (!err)
		err = release_messages(s, &lost);
	free(lost.ids);
	return err;
}

void
sqlite_set_mailbox_ops(struct sqlite_store *s)
{
	struct store *ops = &s->ops;

	ops->message_insert = message_insert;
	ops->event_append = event_append;
	ops->events_after = events_after;
	ops->events_bytes = events_bytes;
	ops->events_last_id = events_last_id;
	ops->events_trim = events_trim;
}
