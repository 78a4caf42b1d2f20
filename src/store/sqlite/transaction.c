/* transaction.c - begin, commit, roll back, checkpoint, probe.
 *
 * The WAL is checkpointed here, not by SQLite's own hook, which drops the
 * result: an fsync that fails in a checkpoint is as fatal as one in a commit,
 * because the kernel may have dropped the pages and report success the next
 * time.  PASSIVE right after the commit that made the log CHECKPOINT_PAGES
 * long; since the file is open nowhere else, that always reaches the end, and
 * the next commit starts the log again.  TRUNCATE when the daemon is idle.
 */
#include "store/sqlite/internal.h"

#include <assert.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/metric.h"

/* Pages of 4 KiB: 4 MiB and 1 MiB. */
#define CHECKPOINT_PAGES 1024
#define TIDY_PAGES 256

static int
on_commit(void *cls, sqlite3 *db, const char *name, int n_pages)
{
	struct sqlite_store *s = cls;

	(void)db;
	(void)name;
	s->wal_pages = n_pages;
	return SQLITE_OK;
}

void
sqlite_checkpoint(struct sqlite_store *s, int mode)
{
	int64_t before_us = clock_now_us();
	int code;

	assert(!s->in_transaction);
	code = sqlite3_wal_checkpoint_v2(s->db, "main", mode, NULL, NULL);
	metric_observe(
	    METRIC_ROW_CHECKPOINT_SECONDS, clock_now_us() - before_us);
	if (code != SQLITE_OK) {
		/* The log keeps what was committed; the next commit or tidy()
		 * tries again, unless it was the fsync. */
		(void)sqlite_failed(s, "checkpoint");
		return;
	}
	s->wal_pages = 0;
	/* It has cut off the unneeded part of the file. */
	s->allotted_bytes = 0;
}

bool
sqlite_has_long_log(const struct sqlite_store *s)
{
	return s->wal_pages >= TIDY_PAGES;
}

static int64_t
now_s(struct store *store)
{
	struct sqlite_store *s = sqlite_of(store);

	return s->clock_read_s + (clock_now_ms() - s->clock_read_ms) / 1000;
}

/* Store the clock with the transaction: one more page, once a second. */
static enum err
store_clock(struct sqlite_store *s, int64_t seconds)
{
	if (seconds == s->clock_stored_s)
		return ERR_NONE;
	sqlite_bind_int(sqlite_statement(s, SQL_CLOCK_SET), 1, seconds);
	return sqlite_run(s, SQL_CLOCK_SET, NULL);
}

static enum err
begin(struct store *store)
{
	struct sqlite_store *s = sqlite_of(store);
	enum err err;

	assert(!s->in_transaction);
	err = sqlite_run(s, SQL_BEGIN, NULL);
	if (err)
		return err;
	s->in_transaction = true;
	return ERR_NONE;
}

static bool
has_written(struct store *store)
{
	return sqlite3_txn_state(sqlite_of(store)->db, "main") ==
	    SQLITE_TXN_WRITE;
}

static enum err
give_up(void)
{
	log_error("the database could not be synced to disk: stopping without "
		  "acknowledging anything");
	return ERR_FATAL;
}

static enum err
commit(struct store *store)
{
	struct sqlite_store *s = sqlite_of(store);
	int64_t seconds = s->clock_stored_s;
	bool has_changed = has_written(store);
	enum err err = ERR_NONE;

	assert(s->in_transaction);
	if (s->fsync_failed)
		return give_up();
	if (has_changed) {
		seconds = now_s(store);
		err = store_clock(s, seconds);
		if (!err)
			err = sqlite_allot(s, seconds != s->clock_stored_s);
	}
	if (!err)
		err = sqlite_run(s, SQL_COMMIT, NULL);
	if (s->fsync_failed)
		return give_up();
	if (err)
		return err;
	s->in_transaction = false;
	s->clock_stored_s = seconds;
	if (s->wal_pages >= CHECKPOINT_PAGES)
		sqlite_checkpoint(s, SQLITE_CHECKPOINT_PASSIVE);
	sqlite_release_reserve(s);
	return has_changed ? sqlite_check_files(s) : ERR_NONE;
}

static void
rollback(struct store *store)
{
	struct sqlite_store *s = sqlite_of(store);

	s->dead = false;
	/* After some errors SQLite has already rolled back. */
	if (!sqlite3_get_autocommit(s->db) && sqlite_run(s, SQL_ROLLBACK, NULL))
		s->dead = false;
	s->in_transaction = false;
	s->stored_bytes = UINT32_MAX; /* unknown: count */
	sqlite_release_reserve(s);
}

static enum err
write_probe(struct store *store, enum sql_statement id)
{
	struct sqlite_store *s = sqlite_of(store);
	enum err err = begin(store);

	if (err)
		return err;
	err = sqlite_run(s, id, NULL);
	if (!err)
		err = commit(store);
	if (err)
		rollback(store);
	/* The next commit will report that the disk is lost. */
	return err ? ERR_STORAGE : ERR_NONE;
}

static enum err
probe(struct store *store)
{
	enum err err = write_probe(store, SQL_PROBE_FILL);

	if (!err)
		err = write_probe(store, SQL_PROBE_CLEAR);
	if (!err && sqlite_is_short_of_room(sqlite_of(store)))
		err = ERR_STORAGE;
	return err;
}

static enum err
watch(struct store *store)
{
	struct sqlite_store *s = sqlite_of(store);

	sqlite_count_changes(s);
	return s->fsync_failed ? ERR_FATAL : sqlite_check_files(s);
}

static void
close_store(struct store *store)
{
	struct sqlite_store *s = sqlite_of(store);

	if (s->in_transaction)
		rollback(store);
	store->backup_abort(store);
	for (int i = 0; i < N_SQL_STATEMENTS; i++)
		sqlite3_finalize(s->statements[i]);
	/* Checkpoint and remove the log, but not when an fsync has failed: then
	 * the log has the best copy of the data. */
	if (s->fsync_failed)
		sqlite3_db_config(
		    s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (sqlite3_close(s->db) != SQLITE_OK)
		log_error(
		    "database: cannot be closed: %s", sqlite3_errmsg(s->db));
	buf_fini(&s->reply_body);
	free(s);
}

void
sqlite_set_transaction_ops(struct sqlite_store *s)
{
	struct store *ops = &s->ops;

	ops->close = close_store;
	ops->now_s = now_s;
	ops->begin = begin;
	ops->has_written = has_written;
	ops->commit = commit;
	ops->rollback = rollback;
	ops->probe = probe;
	ops->watch = watch;
	/* A log found when opening is of unknown length: worth a look. */
	s->wal_pages = TIDY_PAGES;
	sqlite3_wal_hook(s->db, on_commit, s);
}
