/* open.c - opening a file as a store, or refusing it untouched.
 *
 * SQLite alone is not careful enough: looking at a foreign file it would roll
 * back a journal that lies beside it, make a log, and checkpoint it when
 * closing.  So the header is read first, without SQLite, and a file that is
 * plainly not ours is never given to it; other files are locked, examined
 * properly (schema.c), and not checkpointed until they are accepted.  A file in
 * use is tried again for five seconds, so that a daemon can start while its
 * predecessor is stopping.
 */
#include "store/sqlite/internal.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/mem.h"
#include "base/random.h"

#define RETRY_MS 5000

/* The header of a database (SQLite, "Database File Format", 1.3). */
#define HEADER_SIZE 100
#define HEADER_MAGIC "SQLite format 3" /* and its NUL */
#define HEADER_USER_VERSION 60
#define HEADER_APPLICATION_ID 68

static uint32_t
number_at(const unsigned char *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

/* Why a file that begins like this is not ours, or NULL. */
static const char *
judge_header(const unsigned char *header, size_t len)
{
	static const unsigned char zeros[HEADER_SIZE];

	/* Empty: new.  Only zeros: perhaps the power failed when it was new,
	 * and SQLite finds a journal that makes it new again. */
	if (len == 0 ||
	    (len == HEADER_SIZE && memcmp(header, zeros, HEADER_SIZE) == 0))
		return NULL;
	if (len < HEADER_SIZE ||
	    memcmp(header, HEADER_MAGIC, sizeof(HEADER_MAGIC)) != 0 ||
	    number_at(header + HEADER_APPLICATION_ID) !=
		SQLITE_OUR_APPLICATION_ID)
		return "is not a Peerpost database";
	if (number_at(header + HEADER_USER_VERSION) > N_SQL_MIGRATIONS)
		return "is from a newer version of Peerpost";
	return NULL;
}

/* The log is created and removed beside the file, so a writable file is not
 * enough, and SQLite's error would not say what is missing.  -1: errno. */
static int
check_folder(const char *path)
{
	char *file = realpath(path, NULL); /* NULL: there is none yet */
	int result;

	if (!file)
		file = mem_copy_text(path);
	result = faccessat(AT_FDCWD, dirname(file), W_OK | X_OK, AT_EACCESS);
	free(file);
	return result;
}

/* Read the header; a file that does not exist is made, readable for its owner
 * only (SQLite gives its log the same mode). */
static enum err
peek(const char *path, char *out_why, size_t why_size)
{
	unsigned char header[HEADER_SIZE];
	const char *verdict = NULL;
	struct stat status;
	ssize_t len = 0;
	int fd;

	if (check_folder(path) < 0) {
		snprintf(out_why, why_size,
		    "%s cannot be opened: its directory cannot be written: "
		    "%s",
		    path, strerror(errno));
		return ERR_STORAGE;
	}
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600);
	if (fd < 0)
		verdict = strerror(errno);
	else if (fstat(fd, &status) != 0)
		verdict = strerror(errno);
	else if (!S_ISREG(status.st_mode))
		verdict = "not a regular file";
	else if ((len = pread(fd, header, sizeof(header), 0)) < 0)
		verdict = strerror(errno);
	if (verdict) {
		snprintf(out_why, why_size, "%s cannot be opened: %s", path,
		    verdict);
	} else {
		verdict = judge_header(header, (size_t)len);
		if (verdict)
			snprintf(out_why, why_size, "%s %s", path, verdict);
	}
	if (fd >= 0)
		close(fd);
	return verdict ? ERR_STORAGE : ERR_NONE;
}

static void
close_refused(struct sqlite_store *s)
{
	for (int i = 0; i < N_SQL_STATEMENTS; i++) {
		sqlite3_finalize(s->statements[i]);
		s->statements[i] = NULL;
	}
	/* Rolls back. */
	sqlite3_close(s->db);
	s->db = NULL;
}

/* Outputs as of sqlite_prepare_file(). */
static enum err
try_open(struct sqlite_store *s, const char *path, enum durability durability,
    char *out_why, size_t why_size)
{
	enum err err = ERR_STORAGE;
	/* Not PATH as it was given: ":memory:" and "file:" mean something
	 * else to SQLite. */
	char *resolved = realpath(path, NULL);

	if (!resolved ||
	    sqlite3_open_v2(resolved, &s->db,
		SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
		    SQLITE_OPEN_EXRESCODE,
		NULL) != SQLITE_OK) {
		snprintf(out_why, why_size, "%s cannot be opened: %s", path,
		    resolved ? sqlite3_errmsg(s->db) : strerror(errno));
		goto out;
	}
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	if (sqlite3_db_readonly(s->db, "main")) {
		snprintf(out_why, why_size, "%s cannot be written", path);
		goto out;
	}
	err = sqlite_prepare_file(s, path, out_why, why_size);
	if (!err)
		err = sqlite_tune(s, path, durability, out_why, why_size);
	if (err)
		goto out;
	sqlite3_db_config(s->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
out:
	if (err)
		close_refused(s);
	free(resolved);
	return err;
}

static void
wait_a_little(void)
{
	/* At random, or two daemons started together might keep getting in each
	 * other's way. */
	struct timespec pause = { .tv_nsec = random_between(20, 80) *
		    1000000L };

	nanosleep(&pause, NULL);
}

struct store *
sqlite_open_retrying(const char *path, enum durability durability, int retry_ms,
    char *out_why, size_t why_size)
{
	struct sqlite_store *s = mem_new(sizeof(*s));
	int64_t deadline_ms = clock_now_ms() + retry_ms;
	enum err err;

	err = peek(path, out_why, why_size);
	if (err)
		goto refused;
	while ((err = try_open(s, path, durability, out_why, why_size)) ==
		ERR_TAKEN &&
	    clock_now_ms() < deadline_ms)
		wait_a_little();
	if (err)
		goto refused;
	/* As much as SQLite can hold; requests have been limited already. */
	buf_init(&s->reply_body, INT_MAX);
	s->durability = durability;
	sqlite_remove_copy(s);
	sqlite_open_space(s);
	err = sqlite_check_files(s);
	assert(!err); /* the first call only records */
	sqlite_set_transaction_ops(s);
	sqlite_set_space_ops(s);
	sqlite_set_backup_ops(s);
	sqlite_set_session_ops(s);
	sqlite_set_room_ops(s);
	sqlite_set_mailbox_ops(s);
	return &s->ops;

refused:
	free(s);
	return NULL;
}

struct store *
sqlite_open(const char *path, enum durability durability, char *out_why,
    size_t why_size)
{
	return sqlite_open_retrying(
	    path, durability, RETRY_MS, out_why, why_size);
}
