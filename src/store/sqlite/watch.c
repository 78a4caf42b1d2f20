/* watch.c - checks that the files still have the names that they were opened
 * by.
 *
 * A file that is removed or replaced while it is open goes on taking writes,
 * and all of them are lost when the last descriptor is closed.  So each commit
 * checks the two names, with two stat(2), before anything in it is
 * acknowledged, and the engine checks them now and then between commits.
 *
 * The log is created by the first transaction that writes, and keeps its file
 * until the store is closed: it is known once it has been seen.
 */
#include "store/sqlite/internal.h"

#include <errno.h>
#include <sys/stat.h>

#include "base/log.h"

/* Whether path refers to the same file as before; a file seen for the first
 * time is recorded. */
static bool
is_in_place(struct sqlite_file *file, const char *path)
{
	struct stat status;
	const char *fate = NULL;

	if (stat(path, &status) != 0) {
		/* On other errors the file may still be there. */
		if (file->inode && (errno == ENOENT || errno == ENOTDIR))
			fate = "removed or renamed";
	} else if (!file->inode) {
		file->device = status.st_dev;
		file->inode = status.st_ino;
	} else if (file->device != status.st_dev ||
	    file->inode != status.st_ino) {
		fate = "replaced by another file";
	}
	if (fate)
		log_error("%s has been %s while it was in use: stopping "
			  "without acknowledging anything",
		    path, fate);
	return !fate;
}

enum err
sqlite_check_files(struct sqlite_store *s)
{
	const char *path = sqlite3_db_filename(s->db, "main");

	if (is_in_place(&s->file, path) &&
	    is_in_place(&s->log_file, sqlite3_filename_wal(path)))
		return ERR_NONE;
	return ERR_FATAL;
}
