/* backup.c - a copy of the database while it is in use; its status.
 *
 * By SQLite's backup API (https://www.sqlite.org/backup.html).  The copy is
 * made through the store's own connection, so its writes between two steps go
 * into the copy as well, and only a rollback makes the copy start again.
 * No read transaction is open between steps: checkpoints go on.
 *
 * The copy is a file beside the database, where there should be room.  It loses
 * its name as soon as SQLite has opened it; a kill at just that moment leaves
 * an empty file, which the next start removes.
 */
#include "store/sqlite/internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/mem.h"

#define SUFFIX "-backup"
/* The room that a copy must leave for players. */
#define SPARED_BYTES ((uint64_t)16 << 20)

static const char *
database_path(const struct sqlite_store *s)
{
	return sqlite3_db_filename(s->db, "main");
}

/* The name of the copy; the caller frees it. */
static char *
copy_path(const struct sqlite_store *s)
{
	const char *path = database_path(s);
	size_t size = strlen(path) + sizeof(SUFFIX);
	char *out = mem_resize(NULL, size, 1);

	snprintf(out, size, "%s" SUFFIX, path);
	return out;
}

void
sqlite_remove_copy(struct sqlite_store *s)
{
	char *path = copy_path(s);

	unlink(path);
	free(path);
}

static uint64_t
size_of(const char *path)
{
	struct stat status;

	return stat(path, &status) == 0 ? (uint64_t)status.st_size : 0;
}

static void
status(struct store *store, struct store_status *out)
{
	struct sqlite_store *s = sqlite_of(store);
	struct statvfs fs;

	out->path = database_path(s);
	out->size_bytes = size_of(out->path);
	out->log_bytes = size_of(sqlite3_filename_wal(out->path));
	out->free_bytes = UINT64_MAX;
	/* Some filesystems do not know. */
	if (statvfs(out->path, &fs) == 0 && fs.f_blocks)
		out->free_bytes = (uint64_t)fs.f_bavail * fs.f_frsize;
	out->durability = s->durability;
}

static void
backup_abort(struct store *store)
{
	struct sqlite_copy *copy = &sqlite_of(store)->copy;

	/* All of these accept a missing object. */
	sqlite3_backup_finish(copy->backup);
	sqlite3_close(copy->db);
	if (copy->fd >= 0)
		close(copy->fd);
	*copy = (struct sqlite_copy){ .fd = -1 };
}

/* Whether there will be room left for players. */
static bool
has_space(struct store *store, int fd)
{
	struct store_status now;
	struct statvfs fs;

	if (fstatvfs(fd, &fs) < 0)
		return true; /* the copy will show */
	status(store, &now);
	/* A checkpoint of the log may make the database longer. */
	return (uint64_t)fs.f_bavail * fs.f_frsize >=
	    now.size_bytes + now.log_bytes + SPARED_BYTES;
}

/* Open the copy's file for SQLite, and take its name away. */
static enum err
open_copy(struct sqlite_copy *copy, const char *path)
{
	int code = sqlite3_open_v2(path, &copy->db,
	    SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
	    NULL);

	unlink(path);
	if (code == SQLITE_OK)
		code = sqlite3_exec(
		    copy->db, sql_onces[SQL_ONCE_BACKUP], NULL, NULL, NULL);
	return code == SQLITE_OK ? ERR_NONE : ERR_STORAGE;
}

static enum err
backup_begin(struct store *store, char *out_why, size_t why_size)
{
	struct sqlite_store *s = sqlite_of(store);
	struct sqlite_copy *copy = &s->copy;
	char *path = copy_path(s);
	enum err err = ERR_STORAGE;

	assert(!copy->db && !s->in_transaction);
	unlink(path);
	copy->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (copy->fd < 0) {
		snprintf(out_why, why_size, "%s cannot be created: %s", path,
		    strerror(errno));
		goto out;
	}
	if (!has_space(store, copy->fd)) {
		snprintf(out_why, why_size,
		    "%s cannot be written: not enough space left on device",
		    path);
		unlink(path);
		goto out;
	}
	err = open_copy(copy, path);
	if (!err)
		copy->backup = sqlite3_backup_init(
		    copy->db, "main", s->db, "main");
	if (!copy->backup) {
		snprintf(out_why, why_size, "%s cannot be written: %s", path,
		    sqlite3_errmsg(copy->db));
		err = ERR_STORAGE;
	}
out:
	if (err)
		backup_abort(store);
	free(path);
	return err;
}

/* A full disk in the words of the C library, which are clearer. */
static void
say_why(struct sqlite_store *s, int code, char *out_why, size_t why_size)
{
	char *path = copy_path(s);

	if ((code & 0xff) == SQLITE_FULL)
		snprintf(out_why, why_size, "%s cannot be written: %s", path,
		    strerror(ENOSPC));
	else /* either file may have caused it */
		snprintf(out_why, why_size, "%s cannot be copied to %s: %s",
		    database_path(s), path, sqlite3_errstr(code));
	free(path);
}

static enum err
backup_step(struct store *store, int n_pages, int *out_fd, char *out_why,
    size_t why_size)
{
	struct sqlite_store *s = sqlite_of(store);
	struct sqlite_copy *copy = &s->copy;
	int code;

	assert(copy->db && !s->in_transaction);
	*out_fd = -1;
	code = sqlite3_backup_step(copy->backup, n_pages);
	if (code == SQLITE_OK)
		return ERR_NONE;
	if (code == SQLITE_DONE) {
		/* Commits. */
		code = sqlite3_backup_finish(copy->backup);
		copy->backup = NULL;
	}
	if (code != SQLITE_OK) {
		say_why(s, code, out_why, why_size);
		backup_abort(store);
		return ERR_STORAGE;
	}
	*out_fd = copy->fd;
	copy->fd = -1;
	backup_abort(store);
	return ERR_NONE;
}

void
sqlite_set_backup_ops(struct sqlite_store *s)
{
	struct store *ops = &s->ops;

	s->copy.fd = -1;
	ops->status = status;
	ops->backup_begin = backup_begin;
	ops->backup_step = backup_step;
	ops->backup_abort = backup_abort;
}
