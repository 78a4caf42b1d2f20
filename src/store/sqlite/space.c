/* space.c - room in the file and on the disk.
 *
 * Deleting needs room, too: it goes through the log.  Without precautions a
 * full disk stays full: a checkpoint cannot make the file longer, so the log
 * cannot start again, takes all the room that is left, and then nothing can be
 * deleted any more.  Three things prevent that:
 *
 *   - The file is made as long as its pages need before they are committed
 *     (sqlite_allot(), in chunks).  So a checkpoint never needs room, and
 *     after it the log is used again from its beginning.
 *   - Where the log is too short to delete anything, the room is in a file of
 *     its own, the reserve.  It is given up when a write meets a full disk
 *     (sqlite_release_reserve()), and made again when there is room for it.
 *   - While there is no reserve, only as much is stored as the file has free
 *     pages for (check_space()).
 *
 * Pages that hold something count as used.  When idle, the file is shortened
 * from its end by incremental vacuum (shrink()): a step at a time, and not
 * while a copy is being made, which would have to follow.
 *
 * The reserve is not synced: if a power cut in its first seconds loses it, the
 * next start makes it again.
 */
#include "store/sqlite/internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log_flood.h"
#include "base/mem.h"
#include "base/metric.h"

#define SUFFIX "-reserve"
#define RESERVE_BYTES (4 << 20)
/* The room that must be left when the reserve has been made, or the next
 * command would use it up again; while there is no reserve, the room in the
 * file that must be free for new data. */
#define SPARED_BYTES (1 << 20)
#define CHUNK_BYTES (256 << 10)
/* Counting pages takes as long as storing a message, so in between their growth
 * is estimated.  A row takes this much besides its bytes, and all estimates
 * together are wrong by no more than the slack. */
#define ROW_BYTES 256
#define SLACK_BYTES (64 << 10)
#define RETRY_MS 1000

#define KEPT_FREE_PAGES 256     /* not worth a vacuum: 1 MiB */
#define MAX_REBUILT_PAGES 65536 /* at a start, in memory: 256 MiB */

static char *
reserve_path(const struct sqlite_store *s)
{
	const char *path = sqlite3_db_filename(s->db, "main");
	size_t size = strlen(path) + sizeof(SUFFIX);
	char *out = mem_resize(NULL, size, 1);

	snprintf(out, size, "%s" SUFFIX, path);
	return out;
}

/* A state that lasts long, or flaps. */
static struct log_flood no_reserve, regained, given_up, at_bound;

/* 0, or an error number. */
static int
fill_reserve(int fd)
{
	struct stat status;
	struct statvfs fs;

	if (fstat(fd, &status) != 0)
		return errno;
	if ((int64_t)status.st_blocks * 512 >= RESERVE_BYTES)
		return 0;
	if (fstatvfs(fd, &fs) == 0 && fs.f_blocks &&
	    (uint64_t)fs.f_bavail * fs.f_frsize < RESERVE_BYTES + SPARED_BYTES)
		return ENOSPC;
	return posix_fallocate(fd, 0, RESERVE_BYTES);
}

/* Make the reserve, unless it is there already. */
static void
make_reserve(struct sqlite_store *s)
{
	char *path = reserve_path(s);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int fault = fd < 0 ? errno : fill_reserve(fd);

	s->reserve_ms = clock_now_ms() + RETRY_MS;
	if (fd >= 0)
		close(fd);
	if (fault == ENOSPC || fault == EDQUOT) {
		/* Half a reserve would only take room. */
		(void)!truncate(path, 0);
		s->has_reserve = false;
	} else if (fault == EMFILE || fault == ENFILE || fault == ENOMEM ||
	    fault == EINTR) {
		/* Another time. */
		s->has_reserve = false;
	} else {
		/* Perhaps there can be none, as under a limit on the size of
		 * files, against which it would not help. */
		if (fault &&
		    log_flood_passes(&no_reserve, LOG_LEVEL_WARNING,
			"no reserve can be made"))
			log_warning(
			    "%s cannot be created: %s", path, strerror(fault));
		s->has_reserve = true;
	}
	free(path);
}

static void
regain_reserve(struct sqlite_store *s)
{
	make_reserve(s);
	if (s->has_reserve &&
	    log_flood_passes(
		&regained, LOG_LEVEL_NOTICE, "there is space again"))
		log_notice("there is space on the disk again");
}

static void
give_up_reserve(struct sqlite_store *s)
{
	char *path = reserve_path(s);

	(void)!truncate(path, 0);
	free(path);
	s->has_reserve = false;
	s->reserve_ms = clock_now_ms() + RETRY_MS;
	if (log_flood_passes(&given_up, LOG_LEVEL_WARNING, "the disk is full"))
		log_warning("the disk is full: nothing new is stored until "
			    "there is space again");
}

void
sqlite_release_reserve(struct sqlite_store *s)
{
	if (!s->is_out_of_room || s->fsync_failed)
		return;
	s->is_out_of_room = false;
	if (s->has_reserve)
		give_up_reserve(s);
	/* Passive: room that a truncation frees might not come back to us. */
	sqlite_checkpoint(s, SQLITE_CHECKPOINT_PASSIVE);
	s->is_out_of_room = false;
}

static uint64_t
used_bytes(const struct sqlite_store *s)
{
	return (s->n_pages - s->n_free_pages) * s->page_bytes;
}

/* Count the pages of the file, as this transaction has them. */
static enum err
count_pages(struct sqlite_store *s)
{
	struct rlimit limit;
	enum err err = sqlite_number(s, SQL_PAGES, &s->n_pages);

	if (!err)
		err = sqlite_number(s, SQL_FREE_PAGES, &s->n_free_pages);
	if (err)
		return err;
	s->stored_bytes = 0;
	s->is_stale = false;
	metric_set(METRIC_DATABASE_USED_BYTES, used_bytes(s));
	s->max_file_bytes = UINT64_MAX;
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
	    limit.rlim_cur != RLIM_INFINITY)
		s->max_file_bytes = limit.rlim_cur > 2 * CHUNK_BYTES ?
		    limit.rlim_cur - 2 * CHUNK_BYTES :
		    0;
	return ERR_NONE;
}

void
sqlite_note_stored(struct sqlite_store *s, size_t bytes)
{
	s->stored_bytes += bytes < s->page_bytes ? 2 * bytes + ROW_BYTES :
						   bytes + 2 * s->page_bytes;
}

/* The length that the file must have; SQLite rounds up to whole chunks. */
static sqlite3_int64
needed_bytes(const struct sqlite_store *s)
{
	return (sqlite3_int64)(s->n_pages * s->page_bytes + s->stored_bytes) +
	    SLACK_BYTES;
}

/* The file cannot be made longer: whether it is long enough for its pages,
 * which have just been counted.  It is if something was deleted. */
static bool
is_long_enough(struct sqlite_store *s)
{
	struct stat status;

	if (stat(sqlite3_db_filename(s->db, "main"), &status) != 0 ||
	    (uint64_t)status.st_size < s->n_pages * s->page_bytes)
		return false;
	s->allotted_bytes = status.st_size;
	return true;
}

enum err
sqlite_allot(struct sqlite_store *s, bool is_due)
{
	sqlite3_int64 bytes;
	enum err err;

	s->is_stale = true;
	if (!is_due && needed_bytes(s) <= s->allotted_bytes)
		return ERR_NONE;
	err = count_pages(s);
	if (err || needed_bytes(s) <= s->allotted_bytes)
		return err;
	bytes = needed_bytes(s) + SLACK_BYTES; /* not again so soon */
	/* Its codes differ by method, but the cause must be the room. */
	if (sqlite3_file_control(
		s->db, "main", SQLITE_FCNTL_SIZE_HINT, &bytes) != SQLITE_OK)
		return is_long_enough(s) ?
		    ERR_NONE :
		    sqlite_failed_as(s, SQLITE_FULL, "making room");
	s->allotted_bytes = bytes;
	return ERR_NONE;
}

void
sqlite_count_changes(struct sqlite_store *s)
{
	if (s->is_stale && count_pages(s))
		s->stored_bytes = UINT32_MAX; /* count again next time */
}

static bool
has_capacity(const struct sqlite_store *s, uint64_t bytes, uint64_t bound)
{
	if (bound > s->max_file_bytes)
		bound = s->max_file_bytes;
	bytes += s->stored_bytes;
	if (used_bytes(s) + bytes >= bound)
		return false;
	return s->has_reserve ||
	    s->n_free_pages * s->page_bytes >= bytes + SPARED_BYTES;
}

static enum err
check_space(struct store *store, uint64_t bytes, uint64_t max_bytes)
{
	struct sqlite_store *s = sqlite_of(store);
	uint64_t bound = max_bytes ? max_bytes : UINT64_MAX;
	enum err err;

	if (has_capacity(s, bytes + SLACK_BYTES, bound))
		return ERR_NONE;
	/* It may be close: count. */
	if (!s->has_reserve && clock_now_ms() >= s->reserve_ms)
		regain_reserve(s);
	err = count_pages(s);
	if (err)
		return err;
	if (has_capacity(s, bytes, bound))
		return ERR_NONE;
	if (s->has_reserve &&
	    log_flood_passes(
		&at_bound, LOG_LEVEL_WARNING, "the database is full"))
		log_warning("the database holds %llu bytes, its limit: "
			    "nothing new is stored until something is "
			    "deleted",
		    (unsigned long long)used_bytes(s));
	return ERR_DATABASE_FULL;
}

/* Move some pages from the end of the file to free ones.  Returns whether
 * there is more to do. */
static bool
shrink(struct sqlite_store *s)
{
	struct store *store = &s->ops;
	enum err err;

	if (!s->is_shrinkable || s->copy.db || count_pages(s) ||
	    s->n_free_pages <= KEPT_FREE_PAGES)
		return false;
	err = store->begin(store);
	if (!err)
		err = sqlite_run(s, SQL_VACUUM_SOME, NULL);
	if (!err)
		err = store->commit(store);
	if (err) {
		/* The next commit will return ERR_FATAL again. */
		store->rollback(store);
		return false;
	}
	s->has_shrunk = true;
	return true;
}

static bool
tidy(struct store *store)
{
	struct sqlite_store *s = sqlite_of(store);

	if (s->fsync_failed)
		return false;
	if (shrink(s))
		return true;
	if (s->fsync_failed)
		return false;
	if (!sqlite_has_long_log(s) && !s->has_shrunk)
		return false;
	s->has_shrunk = false;
	/* Without a reserve the log keeps its room. */
	sqlite_checkpoint(s,
	    s->has_reserve ? SQLITE_CHECKPOINT_TRUNCATE :
			     SQLITE_CHECKPOINT_PASSIVE);
	return false;
}

static uint64_t
ask(struct sqlite_store *s, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	uint64_t number = 0;

	if (sqlite3_prepare_v2(s->db, sql, -1, &stmt, NULL) == SQLITE_OK &&
	    sqlite3_step(stmt) == SQLITE_ROW)
		number = (uint64_t)sqlite3_column_int64(stmt, 0);
	sqlite3_finalize(stmt);
	return number;
}

/* A file can be shortened in steps only if it was created for that or converted
 * by a VACUUM: new files and those of version 1. */
static void
make_shrinkable(struct sqlite_store *s)
{
	const char *path = sqlite3_db_filename(s->db, "main");
	const char *why = NULL;

	s->is_shrinkable = ask(s, sql_onces[SQL_ONCE_AUTO_VACUUM]) == 2;
	if (s->is_shrinkable)
		return;
	if (ask(s, sql_onces[SQL_ONCE_USED_PAGES]) > MAX_REBUILT_PAGES)
		why = "it is too large";
	else if (sqlite3_exec(s->db, sql_onces[SQL_ONCE_REBUILD], NULL, NULL,
		     NULL) != SQLITE_OK)
		why = sqlite3_errmsg(s->db);
	s->is_shrinkable = !why;
	if (why)
		log_warning(
		    "%s cannot be rebuilt to shrink while idle: %s", path, why);
}

void
sqlite_open_space(struct sqlite_store *s)
{
	int chunk = CHUNK_BYTES;

	s->page_bytes = ask(s, sql_onces[SQL_ONCE_PAGE_SIZE]);
	assert(s->page_bytes);
	make_shrinkable(s);
	s->is_stale = true;
	s->stored_bytes = UINT32_MAX; /* unknown: count */
	sqlite3_file_control(s->db, "main", SQLITE_FCNTL_CHUNK_SIZE, &chunk);
	make_reserve(s);
	if (!s->has_reserve)
		log_warning("the disk is full: nothing new is stored until "
			    "there are %d MiB free",
		    (RESERVE_BYTES + SPARED_BYTES) >> 20);
}

bool
sqlite_is_short_of_room(struct sqlite_store *s)
{
	if (!s->has_reserve)
		regain_reserve(s);
	return check_space(&s->ops, 0, 0) != ERR_NONE;
}

void
sqlite_set_space_ops(struct sqlite_store *s)
{
	s->ops.check_space = check_space;
	s->ops.tidy = tidy;
}
