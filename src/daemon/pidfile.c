/* pidfile.c - see pidfile.h.
 *
 * The file is not written under another name and renamed: once the daemon is
 * ready it may not be allowed to do that in /run.  Writing a few bytes to an
 * empty file is as good: no reader sees half of them.
 */
#include "daemon/pidfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define MAX_TEXT 16

/* The number in the file; "" if it is empty.  false: it has other contents, so
 * it is not a pid file, and may be precious. */
static bool
read_number(int fd, char out[MAX_TEXT])
{
	ssize_t len = pread(fd, out, MAX_TEXT - 1, 0);
	size_t n_digits;

	if (len < 0)
		return false;
	out[len] = '\0';
	n_digits = strspn(out, "0123456789");
	if (strcmp(out + n_digits, "\n") != 0 && len > 0)
		return false;
	out[n_digits] = '\0';
	return true;
}

static void
say_who_has_it(int fd, char *out_why, size_t why_size)
{
	char number[MAX_TEXT];
	bool is_known = read_number(fd, number) && number[0];

	snprintf(out_why, why_size, "it is in use by %s%s",
	    is_known ? "process " : "another process", is_known ? number : "");
}

/* Whether path is still this file: its last user may have removed it between
 * our opening and our locking it. */
static bool
is_still_there(const char *path, int fd)
{
	struct stat here, there;

	return fstat(fd, &here) == 0 && lstat(path, &there) == 0 &&
	    here.st_ino == there.st_ino && here.st_dev == there.st_dev;
}

/* -1: it failed, and out_why says why. */
static int
open_locked(const char *path, char *out_why, size_t why_size)
{
	for (;;) {
		/* Never through a link: root must not follow a link that a user
		 * has put into their own directory. */
		int fd = open(path,
		    O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
		    0644);

		if (fd < 0) {
			snprintf(out_why, why_size, "%s", strerror(errno));
			return -1;
		}
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			say_who_has_it(fd, out_why, why_size);
			close(fd);
			return -1;
		}
		if (is_still_there(path, fd))
			return fd;
		close(fd);
	}
}

bool
pid_file_open(
    struct pid_file *file, const char *path, char *out_why, size_t why_size)
{
	int fd = open_locked(path, out_why, why_size);
	char number[MAX_TEXT];
	struct stat status;

	if (fd < 0)
		return false;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
	    !read_number(fd, number) || ftruncate(fd, 0) < 0) {
		snprintf(out_why, why_size, "its content is not a process id");
		close(fd);
		return false;
	}
	*file = (struct pid_file){ .path = mem_copy_text(path), .fd = fd };
	return true;
}

bool
pid_file_write(const struct pid_file *file)
{
	char text[MAX_TEXT];
	int len;

	if (!file->path)
		return true;
	len = snprintf(text, sizeof(text), "%d\n", (int)getpid());
	return pwrite(file->fd, text, (size_t)len, 0) == len;
}

void
pid_file_remove(struct pid_file *file)
{
	if (!file->path)
		return;
	if (unlink(file->path) < 0 && ftruncate(file->fd, 0) < 0)
		(void)errno; /* It is no longer locked, which is enough. */
	close(file->fd);
	free(file->path);
	file->path = NULL;
}
