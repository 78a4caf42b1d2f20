/* schema.c - whether a file is ours, and making it current.
 *
 * All of it happens in one exclusive transaction, which also keeps every
 * other process out: look first, then migrate, prepare every statement (which
 * is the check that all tables and columns are there), and only then commit.
 * A file that is refused before that is left as it was.
 *
 * Forward only: migration n takes user_version from n - 1 to n.
 */
#include "store/sqlite/internal.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"

/* 64 MiB of 4 KiB pages: a check of that size does not delay a start
 * noticeably.  Damage in a larger file shows when it is read. */
#define MAX_CHECKED_PAGES 16384

struct look {
	struct sqlite_store *s;
	const char *path;
	char *out_why;
	size_t why_size;
};

/* Give the reason, from the error that the connection has just reported. */
static enum err
refuse(const struct look *look)
{
	const char *path = look->path;
	char *out = look->out_why;
	size_t size = look->why_size;

	switch (sqlite3_errcode(look->s->db) & 0xff) {
	case SQLITE_BUSY:
		snprintf(out, size, "%s is in use by another process", path);
		return ERR_TAKEN;
	case SQLITE_NOTADB:
		snprintf(out, size, "%s is not a Peerpost database", path);
		return ERR_STORAGE;
	case SQLITE_CORRUPT:
		snprintf(out, size, "%s is corrupt", path);
		return ERR_STORAGE;
	default:
		snprintf(out, size, "%s cannot be opened: %s", path,
		    sqlite3_errmsg(look->s->db));
		return ERR_STORAGE;
	}
}

static enum err
refuse_as(const struct look *look, const char *what)
{
	snprintf(look->out_why, look->why_size, "%s %s", look->path, what);
	return ERR_STORAGE;
}

static enum err
run_once(const struct look *look, const char *text)
{
	if (sqlite3_exec(look->s->db, text, NULL, NULL, NULL) != SQLITE_OK)
		return refuse(look);
	return ERR_NONE;
}

/* The first column of the first row, as a number and as a text. */
static enum err
ask_once(const struct look *look, enum sql_once id, int *out, char *out_text,
    size_t text_size)
{
	sqlite3_stmt *stmt = NULL;
	enum err err = ERR_NONE;

	if (sqlite3_prepare_v2(look->s->db, sql_onces[id], -1, &stmt, NULL) !=
		SQLITE_OK ||
	    sqlite3_step(stmt) != SQLITE_ROW) {
		err = refuse(look);
		goto out;
	}
	if (out)
		*out = sqlite3_column_int(stmt, 0);
	if (out_text)
		sqlite_copy_text(stmt, 0, out_text, text_size);
out:
	sqlite3_finalize(stmt);
	return err;
}

/* Read the version of a database that is ours; a new one has 0. */
static enum err
check(const struct look *look, int *out_version)
{
	int n_pages, id, version;
	char verdict[4];
	enum err err;

	err = ask_once(look, SQL_ONCE_PAGE_COUNT, &n_pages, NULL, 0);
	if (!err)
		err = ask_once(look, SQL_ONCE_APPLICATION_ID, &id, NULL, 0);
	if (!err)
		err = ask_once(look, SQL_ONCE_USER_VERSION, &version, NULL, 0);
	if (err)
		return err;
	/* SQLite has just turned an empty file into one page, in memory.
	 * (Files that hold one such page were refused by their header.) */
	if (n_pages <= 1 && id == 0 && version == 0) {
		*out_version = 0;
		return ERR_NONE;
	}
	if (id != SQLITE_OUR_APPLICATION_ID)
		return refuse_as(look, "is not a Peerpost database");
	if (version > N_SQL_MIGRATIONS)
		return refuse_as(look, "is from a newer version of Peerpost");
	if (version < 1)
		return refuse_as(look, "is corrupt");
	if (n_pages <= MAX_CHECKED_PAGES) {
		err = ask_once(
		    look, SQL_ONCE_QUICK_CHECK, NULL, verdict, sizeof(verdict));
		if (err)
			return err;
		if (strcmp(verdict, "ok") != 0)
			return refuse_as(look, "is corrupt");
	}
	*out_version = version;
	return ERR_NONE;
}

static enum err
migrate(const struct look *look, int version)
{
	enum err err;
	int now;

	for (; version < N_SQL_MIGRATIONS; version++) {
		err = run_once(look, sql_migrations[version]);
		if (err)
			return err;
		err = ask_once(look, SQL_ONCE_USER_VERSION, &now, NULL, 0);
		if (err)
			return err;
		assert(now == version + 1);
	}
	return ERR_NONE;
}

static enum err
prepare_statements(const struct look *look)
{
	struct sqlite_store *s = look->s;
	int code;

	for (int i = 0; i < N_SQL_STATEMENTS; i++) {
		code = sqlite3_prepare_v3(s->db, sql_statements[i].text, -1,
		    SQLITE_PREPARE_PERSISTENT, &s->statements[i], NULL);
		/* SQLITE_ERROR: a table or column is missing. */
		if (code == SQLITE_ERROR)
			return refuse_as(look, "is corrupt");
		if (code != SQLITE_OK)
			return refuse(look);
	}
	return ERR_NONE;
}

static int
step_once(struct sqlite_store *s, enum sql_statement id)
{
	int code = sqlite3_step(s->statements[id]);

	sqlite_done(s, id);
	return code;
}

static enum err
make_secret(const struct look *look)
{
	struct sqlite_store *s = look->s;
	uint8_t value[DIGEST_SIZE];
	int code = step_once(s, SQL_SECRET_GET);

	if (code == SQLITE_ROW)
		return ERR_NONE;
	if (code != SQLITE_DONE)
		return refuse(look);
	random_bytes(value, sizeof(value));
	sqlite_bind_hash(sqlite_statement(s, SQL_SECRET_INSERT), 1, value);
	if (step_once(s, SQL_SECRET_INSERT) != SQLITE_DONE)
		return refuse(look);
	return ERR_NONE;
}

static enum err
read_clock(const struct look *look)
{
	struct sqlite_store *s = look->s;
	int code = sqlite3_step(s->statements[SQL_CLOCK_GET]);

	if (code == SQLITE_ROW)
		s->clock_stored_s = sqlite3_column_int64(
		    s->statements[SQL_CLOCK_GET], 0);
	sqlite_done(s, SQL_CLOCK_GET);
	if (code == SQLITE_DONE)
		return refuse_as(look, "is corrupt");
	if (code != SQLITE_ROW)
		return refuse(look);
	s->clock_read_s = s->clock_stored_s;
	s->clock_read_ms = clock_now_ms();
	return ERR_NONE;
}

enum err
sqlite_prepare_file(
    struct sqlite_store *s, const char *path, char *out_why, size_t why_size)
{
	struct look look = { s, path, out_why, why_size };
	int version = 0;
	enum err err;

	err = run_once(&look, sql_onces[SQL_ONCE_LOCK]);
	if (!err)
		err = check(&look, &version);
	if (!err)
		err = migrate(&look, version);
	if (!err)
		err = prepare_statements(&look);
	if (!err)
		err = make_secret(&look);
	if (!err)
		err = read_clock(&look);
	if (!err && step_once(s, SQL_COMMIT) != SQLITE_DONE)
		err = refuse(&look);
	return err;
}

enum err
sqlite_tune(struct sqlite_store *s, const char *path,
    enum durability durability, char *out_why, size_t why_size)
{
	struct look look = { s, path, out_why, why_size };
	char mode[4];
	enum err err;

	err = run_once(&look, sql_onces[SQL_ONCE_TUNE]);
	if (!err)
		err = ask_once(
		    &look, SQL_ONCE_JOURNAL_MODE, NULL, mode, sizeof(mode));
	if (!err && strcmp(mode, "wal") != 0)
		err = refuse_as(&look, "cannot have a write-ahead log");
	if (!err)
		err = run_once(&look,
		    sql_onces[durability == DURABILITY_POWER ?
			    SQL_ONCE_DURABILITY_POWER :
			    SQL_ONCE_DURABILITY_PROCESS]);
	return err;
}
