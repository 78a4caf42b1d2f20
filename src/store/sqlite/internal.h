/* internal.h - shared by the files of the SQLite backend.
 *
 * Floor: store/sqlite.  Engine thread only (opening: before).
 *
 * One connection, for the whole life of the store and locked exclusively:
 * SQLite before 3.51.3 can damage a WAL when two connections reset it, and a
 * second reader would let it grow without bound.  The lock also keeps a second
 * daemon out.  So nothing here is ever busy once the store is open.
 *
 * Every statement is prepared at the start and used in the same way: bind, then
 * sqlite_run() or sqlite_row(), which always leave it reset and without
 * bindings.  (sqlite_row() does so when there is no row; after a row the caller
 * calls sqlite_done().)  Values are bound without a copy, and so must live
 * until then.
 *
 * After a hard error within a transaction the store is dead: SQLite may have
 * rolled back by then, so nothing touches the database until rollback(), lest
 * it begin a new transaction by accident.  A constraint that fails is a hard
 * error too, since the store cannot tell a caller's mistake from a damaged
 * index.
 */
#ifndef PEERPOST_STORE_SQLITE_INTERNAL_H
#define PEERPOST_STORE_SQLITE_INTERNAL_H

#include <sqlite3.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/span.h"
#include "store/sqlite/sql.h"
#include "store/store.h"

/* "PrPo" in the file's header: schema/0001_initial.sql sets it. */
#define SQLITE_OUR_APPLICATION_ID 0x5072506f

/* A copy in progress; backup.c. */
struct sqlite_copy {
	sqlite3 *db; /* NULL: none */
	sqlite3_backup *backup;
	int fd; /* of the same file, or -1 */
};

/* The file that a name refers to; inode 0: not known yet. */
struct sqlite_file {
	dev_t device;
	ino_t inode;
};

struct sqlite_store {
	struct store ops; /* first: a struct store * is one of these */
	sqlite3 *db;
	sqlite3_stmt *statements[N_SQL_STATEMENTS];

	bool in_transaction; /* since begin(), until commit or rollback() */
	bool dead;           /* the open transaction is lost */
	bool fsync_failed;   /* the state of the disk is unknown */
	int wal_pages;       /* in the log since its last checkpoint */

	/* The database's clock: the committed value, and the value at
	 * clock_now_ms() == clock_read_ms. */
	int64_t clock_stored_s, clock_read_s;
	int64_t clock_read_ms;

	/* space.c */
	uint64_t page_bytes;
	uint64_t n_pages, n_free_pages; /* when they were last counted */
	uint64_t stored_bytes;          /* since then, in pages; an estimate */
	bool is_stale;                  /* something was committed since */
	uint64_t max_file_bytes;        /* by a limit of the system */
	sqlite3_int64 allotted_bytes;   /* length given to the file */
	bool is_out_of_room;            /* a write failed on a full disk */
	bool has_reserve;               /* or cannot have one */
	bool is_shrinkable;             /* by incremental vacuum */
	bool has_shrunk;    /* since the last checkpoint of tidy() */
	int64_t reserve_ms; /* not tried again before this */

	struct sqlite_file file, log_file; /* watch.c */

	struct buf reply_body; /* of the last reply_find() */

	enum durability durability;
	struct sqlite_copy copy;
};

static inline struct sqlite_store *
sqlite_of(struct store *store)
{
	return (struct sqlite_store *)store;
}

/* sqlite_open(), trying for retry_ms while the file is in use. */
struct store *sqlite_open_retrying(const char *path, enum durability durability,
    int retry_ms, char *out_why, size_t why_size);

/* Lock, look at, and bring up to date the database of s->db, prepare the
 * statements, make sure that there is a secret, and read the clock.  On failure
 * out_why has the reason.  ERR_TAKEN: in use by another process.  ERR_STORAGE:
 * anything else.  Either way nothing is changed, and a transaction may be open.
 */
enum err sqlite_prepare_file(struct sqlite_store *s, const char *path,
    char *out_why, size_t why_size) MUST_CHECK;
/* Set up a database that has been accepted; from here on it has a WAL. */
enum err sqlite_tune(struct sqlite_store *s, const char *path,
    enum durability durability, char *out_why, size_t why_size) MUST_CHECK;

/* Fill in the operations of one file. */
void sqlite_set_transaction_ops(struct sqlite_store *s);
void sqlite_set_space_ops(struct sqlite_store *s);
void sqlite_set_backup_ops(struct sqlite_store *s);
void sqlite_set_session_ops(struct sqlite_store *s);
void sqlite_set_room_ops(struct sqlite_store *s);
void sqlite_set_mailbox_ops(struct sqlite_store *s);

/* The statement, for binding to it.  Parameters count from 1. */
sqlite3_stmt *sqlite_statement(struct sqlite_store *s, enum sql_statement id);
void sqlite_bind_int(sqlite3_stmt *stmt, int i, int64_t value);
/* A number that a client may have sent: anything above INT64_MAX becomes
 * INT64_MAX. */
void sqlite_bind_uint(sqlite3_stmt *stmt, int i, uint64_t value);
void sqlite_bind_text(sqlite3_stmt *stmt, int i, struct span text);
void sqlite_bind_blob(sqlite3_stmt *stmt, int i, struct span bytes);
void sqlite_bind_hash(
    sqlite3_stmt *stmt, int i, const uint8_t hash[DIGEST_SIZE]);

/* Run a statement for its effect; any rows are ignored.
 * *out_changes, unless NULL: how many rows it changed. */
enum err sqlite_run(
    struct sqlite_store *s, enum sql_statement id, int *out_changes) MUST_CHECK;
/* Run a statement to its next row.  ERR_ABSENT: there is none. */
enum err sqlite_row(struct sqlite_store *s, enum sql_statement id) MUST_CHECK;
void sqlite_done(struct sqlite_store *s, enum sql_statement id);
/* Run a bound statement that yields one number. */
enum err sqlite_number(
    struct sqlite_store *s, enum sql_statement id, uint64_t *out) MUST_CHECK;

/* Columns of the current row, from 0; the span lives as long as the row. */
struct span sqlite_column(sqlite3_stmt *stmt, int i);
void sqlite_copy_hash(sqlite3_stmt *stmt, int i, uint8_t out[DIGEST_SIZE]);
/* With a NUL; cut off when out is too small. */
void sqlite_copy_text(sqlite3_stmt *stmt, int i, char *out, size_t size);

/* Record and log a hard error that the connection has just reported during
 * `what`.  Returns ERR_STORAGE. */
enum err sqlite_failed(struct sqlite_store *s, const char *what);
/* The same for an error that did not come from the connection. */
enum err sqlite_failed_as(struct sqlite_store *s, int code, const char *what);

/* Check that the names of the database and its log still refer to the same
 * files as at first.  ERR_FATAL: they do not (logged). */
enum err sqlite_check_files(struct sqlite_store *s) MUST_CHECK;

/* Checkpoint the log, in one of SQLite's modes; a failure is logged. */
void sqlite_checkpoint(struct sqlite_store *s, int mode);
/* Whether the log is long enough for a checkpoint when idle. */
bool sqlite_has_long_log(const struct sqlite_store *s);

/* After opening the database: make sure that it can be shortened and that there
 * is a reserve. */
void sqlite_open_space(struct sqlite_store *s);
/* Note that this many bytes have been stored, in one row or several. */
void sqlite_note_stored(struct sqlite_store *s, size_t bytes);
/* Make the file long enough for the coming commit, so that a checkpoint needs
 * no room.  is_due: it is time to count its pages.  ERR_STORAGE: the disk is
 * full. */
enum err sqlite_allot(struct sqlite_store *s, bool is_due) MUST_CHECK;
/* Count the pages, if there have been commits since, for the metric. */
void sqlite_count_changes(struct sqlite_store *s);
/* After a transaction that failed on a full disk: make sure that the next one
 * can delete something.  Otherwise nothing happens. */
void sqlite_release_reserve(struct sqlite_store *s);
/* Whether the disk has no room for anything new, even after another attempt to
 * make the reserve. */
bool sqlite_is_short_of_room(struct sqlite_store *s);

/* Remove a copy that a killed daemon may have left. */
void sqlite_remove_copy(struct sqlite_store *s);

/* Delete all events of a player, and the messages that no other event shares.
 */
enum err sqlite_delete_mailbox(
    struct sqlite_store *s, uint32_t player) MUST_CHECK;

#endif
