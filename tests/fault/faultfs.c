/* faultfs.c - a disk that fails when a test says so.
 *
 * A library for LD_PRELOAD.  It stands between a program and the C library's
 * write, pwrite, posix_fallocate, fsync, fdatasync and fstatvfs, and lets them
 * fail, or two of them hang, for the files of one database and for no other
 * file or socket.
 *
 *	FAULTFS_FILES    the path that the names of these files begin with,
 *	                 so that "/x/y.db" means /x/y.db-wal as well
 *	FAULTFS_CONTROL  a file that the test writes and this library maps:
 *	                 a struct control, in the machine's own byte order
 *
 * The test changes what happens by writing into the control file; the mapping
 * sees that at once, without a signal and without a restart.  n_failed tells
 * the test whether the fault was met at all, since a test of a fault that
 * never happened proves nothing.
 *
 * The functions are looked up with dlsym(RTLD_NEXT) rather than replaced by
 * system calls, so that a sanitizer that wraps them keeps its view of the
 * memory that is written.
 */
#undef _FILE_OFFSET_BITS /* or pwrite and pwrite64 would be one name */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <unistd.h>

#include "next.h"

enum mode {
	MODE_OFF = 0,
	MODE_FULL = 1, /* what writes or grows: ENOSPC */
	MODE_SYNC = 2, /* fsync and fdatasync: EIO */
	MODE_HANG = 3, /* the same two: they return when the mode is another */
	MODE_TIGHT = 4 /* fstatvfs: nothing is free */
};

struct control {
	volatile int32_t mode;
	int32_t n_pass;   /* this many calls still succeed */
	int32_t n_failed; /* counted up by this library */
};

static struct control *control;
static const char *files;

__attribute__((constructor)) static void
map_control(void)
{
	const char *path = getenv("FAULTFS_CONTROL");
	void *map;
	int fd;

	files = getenv("FAULTFS_FILES");
	if (!path || !files)
		return;
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0) {
		perror(path);
		abort();
	}
	map = mmap(
	    NULL, sizeof(*control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	close(fd);
	if (map == MAP_FAILED) {
		perror(path);
		abort();
	}
	control = map;
}

/* The name is asked for at each call: a table of what was opened would have
 * to follow open, openat, creat, dup and close as well. */
static bool
is_ours(int fd)
{
	char link[64], path[4096];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path));
	return len > 0 && (size_t)len >= strlen(files) &&
	    memcmp(path, files, strlen(files)) == 0;
}

/* Shall this call fail?  Leaves errno alone when not. */
static bool
is_due(enum mode mode, int fd)
{
	int saved = errno;
	bool due;

	if (!control || control->mode != (int32_t)mode)
		return false;
	due = is_ours(fd);
	errno = saved;
	if (!due)
		return false;
	if (__atomic_fetch_sub(&control->n_pass, 1, __ATOMIC_SEQ_CST) > 0)
		return false;
	__atomic_store_n(&control->n_pass, 0, __ATOMIC_SEQ_CST);
	__atomic_fetch_add(&control->n_failed, 1, __ATOMIC_SEQ_CST);
	return true;
}

static void
hang(int fd)
{
	if (!is_due(MODE_HANG, fd))
		return;
	while (control->mode == MODE_HANG)
		usleep(5000);
}

ssize_t
write(int fd, const void *bytes, size_t len)
{
	static ssize_t (*next)(int, const void *, size_t);

	if (!next)
		find_next("write", &next, sizeof(next));
	if (is_due(MODE_FULL, fd)) {
		errno = ENOSPC;
		return -1;
	}
	return next(fd, bytes, len);
}

ssize_t
pwrite(int fd, const void *bytes, size_t len, off_t offset)
{
	static ssize_t (*next)(int, const void *, size_t, off_t);

	if (!next)
		find_next("pwrite", &next, sizeof(next));
	if (is_due(MODE_FULL, fd)) {
		errno = ENOSPC;
		return -1;
	}
	return next(fd, bytes, len, offset);
}

ssize_t
pwrite64(int fd, const void *bytes, size_t len, off64_t offset)
{
	static ssize_t (*next)(int, const void *, size_t, off64_t);

	if (!next)
		find_next("pwrite64", &next, sizeof(next));
	if (is_due(MODE_FULL, fd)) {
		errno = ENOSPC;
		return -1;
	}
	return next(fd, bytes, len, offset);
}

int
posix_fallocate(int fd, off_t offset, off_t len)
{
	static int (*next)(int, off_t, off_t);

	if (!next)
		find_next("posix_fallocate", &next, sizeof(next));
	if (is_due(MODE_FULL, fd))
		return ENOSPC;
	return next(fd, offset, len);
}

int
fsync(int fd)
{
	static int (*next)(int);

	if (!next)
		find_next("fsync", &next, sizeof(next));
	hang(fd);
	if (is_due(MODE_SYNC, fd)) {
		errno = EIO;
		return -1;
	}
	return next(fd);
}

int
fdatasync(int fd)
{
	static int (*next)(int);

	if (!next)
		find_next("fdatasync", &next, sizeof(next));
	hang(fd);
	if (is_due(MODE_SYNC, fd)) {
		errno = EIO;
		return -1;
	}
	return next(fd);
}

int
fstatvfs(int fd, struct statvfs *out)
{
	static int (*next)(int, struct statvfs *);
	int result;

	if (!next)
		find_next("fstatvfs", &next, sizeof(next));
	result = next(fd, out);
	if (is_due(MODE_TIGHT, fd))
		out->f_bavail = 0;
	return result;
}
