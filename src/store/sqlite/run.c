/* run.c - running statements, and handling their errors.
 *
 * See internal.h for the rules.  A full disk makes every command fail for as
 * long as it lasts, so only the first error of each kind is logged, and then
 * the number of the others.
 */
#include "store/sqlite/internal.h"

#include <assert.h>
#include <string.h>

#include "base/log_flood.h"
#include "base/metric.h"

#define N_CODES 32 /* SQLite has long had fewer */

/* A kind is a primary result code, with SQLite's text for it. */
static void
log_failure(int code, const char *why, const char *what)
{
	static struct log_flood floods[N_CODES];
	int primary = code & 0xff;

	if (log_flood_passes(&floods[primary < N_CODES ? primary : 0],
		LOG_LEVEL_ERROR, sqlite3_errstr(primary)))
		log_error(
		    "database: %s: %s (SQLite error %d)", what, why, code);
}

static enum err
fail(struct sqlite_store *s, int code, const char *why, const char *what)
{
	if (code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_DIR_FSYNC)
		s->fsync_failed = true;
	/* The latter is a quota, or a limit on the size of files. */
	if ((code & 0xff) == SQLITE_FULL || code == SQLITE_IOERR_WRITE)
		s->is_out_of_room = true;
	if (s->in_transaction)
		s->dead = true;
	metric_add(METRIC_STORAGE_ERRORS, 1);
	log_failure(code, why, what);
	return ERR_STORAGE;
}

enum err
sqlite_failed(struct sqlite_store *s, const char *what)
{
	return fail(
	    s, sqlite3_extended_errcode(s->db), sqlite3_errmsg(s->db), what);
}

enum err
sqlite_failed_as(struct sqlite_store *s, int code, const char *what)
{
	return fail(s, code, sqlite3_errstr(code), what);
}

sqlite3_stmt *
sqlite_statement(struct sqlite_store *s, enum sql_statement id)
{
	return s->statements[id];
}

/* Binding without a copy fails only if the statement has no such parameter or
 * is not reset: a bug of ours. */
static void
check_bound(int code)
{
	assert(code == SQLITE_OK);
	(void)code;
}

void
sqlite_bind_int(sqlite3_stmt *stmt, int i, int64_t value)
{
	check_bound(sqlite3_bind_int64(stmt, i, value));
}

void
sqlite_bind_uint(sqlite3_stmt *stmt, int i, uint64_t value)
{
	sqlite_bind_int(
	    stmt, i, value > INT64_MAX ? INT64_MAX : (int64_t)value);
}

void
sqlite_bind_text(sqlite3_stmt *stmt, int i, struct span text)
{
	/* A null pointer would bind NULL. */
	check_bound(sqlite3_bind_text64(stmt, i, text.at ? text.at : "",
	    text.len, SQLITE_STATIC, SQLITE_UTF8));
}

void
sqlite_bind_blob(sqlite3_stmt *stmt, int i, struct span bytes)
{
	check_bound(sqlite3_bind_blob64(
	    stmt, i, bytes.at ? bytes.at : "", bytes.len, SQLITE_STATIC));
}

void
sqlite_bind_hash(sqlite3_stmt *stmt, int i, const uint8_t hash[DIGEST_SIZE])
{
	check_bound(
	    sqlite3_bind_blob64(stmt, i, hash, DIGEST_SIZE, SQLITE_STATIC));
}

enum err
sqlite_row(struct sqlite_store *s, enum sql_statement id)
{
	enum err err = ERR_STORAGE;

	if (!s->dead) {
		switch (sqlite3_step(s->statements[id])) {
		case SQLITE_ROW:
			return ERR_NONE;
		case SQLITE_DONE:
			err = ERR_ABSENT;
			break;
		default:
			err = sqlite_failed(s, sql_statements[id].name);
		}
	}
	sqlite_done(s, id);
	return err;
}

enum err
sqlite_run(struct sqlite_store *s, enum sql_statement id, int *out_changes)
{
	enum err err;

	do {
		err = sqlite_row(s, id);
	} while (err == ERR_NONE);
	if (err != ERR_ABSENT)
		return err;
	if (out_changes)
		*out_changes = sqlite3_changes(s->db);
	return ERR_NONE;
}

void
sqlite_done(struct sqlite_store *s, enum sql_statement id)
{
	/* Repeats the result of step(). */
	sqlite3_reset(s->statements[id]);
	sqlite3_clear_bindings(s->statements[id]);
}

enum err
sqlite_number(struct sqlite_store *s, enum sql_statement id, uint64_t *out)
{
	enum err err = sqlite_row(s, id);

	if (err)
		return err;
	*out = (uint64_t)sqlite3_column_int64(s->statements[id], 0);
	sqlite_done(s, id);
	return ERR_NONE;
}

struct span
sqlite_column(sqlite3_stmt *stmt, int i)
{
	/* column_text() would need memory for a NUL; column_blob() does not,
	 * and returns texts as well. */
	const char *at = sqlite3_column_blob(stmt, i);

	if (!at)
		return (struct span){ "", 0 };
	return (struct span){ at, (size_t)sqlite3_column_bytes(stmt, i) };
}

void
sqlite_copy_hash(sqlite3_stmt *stmt, int i, uint8_t out[DIGEST_SIZE])
{
	struct span bytes = sqlite_column(stmt, i);

	/* Always of that length: the schema has a CHECK. */
	memset(out, 0, DIGEST_SIZE);
	memcpy(
	    out, bytes.at, bytes.len < DIGEST_SIZE ? bytes.len : DIGEST_SIZE);
}

void
sqlite_copy_text(sqlite3_stmt *stmt, int i, char *out, size_t size)
{
	struct span text = sqlite_column(stmt, i);
	size_t len = text.len < size ? text.len : size - 1;

	memcpy(out, text.at, len);
	out[len] = '\0';
}
