/* latewait.c - a machine that is slow to act on what epoll_wait() has told.
 *
 * A library for LD_PRELOAD.  When epoll_wait() has events it returns with them
 * only when the test lets it, so that what happens meanwhile on the sockets
 * falls between being told and being dealt with.
 *
 *	LATEWAIT_DIR  a directory with `count`, a file of one native 64-bit
 *	              number: so many times epoll_wait() returns with events at
 *	              once, or always if it is negative; and `go`, a FIFO: after
 *	              that it waits until somebody opens this for writing
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "next.h"

static char go[256];

/* The number in the file, which the test changes. */
static _Atomic int64_t *
map_count(void)
{
	const char *dir = getenv("LATEWAIT_DIR");
	char path[256];
	void *count;
	int fd;

	if (!dir)
		return NULL;
	snprintf(path, sizeof(path), "%s/count", dir);
	snprintf(go, sizeof(go), "%s/go", dir);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (fd < 0)
		abort();
	count = mmap(
	    NULL, sizeof(int64_t), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (count == MAP_FAILED)
		abort();
	close(fd);
	return count;
}

int
epoll_wait(int epoll_fd, struct epoll_event *events, int max, int timeout_ms)
{
	static int (*next)(int, struct epoll_event *, int, int);
	static _Atomic int64_t *count;
	int n;

	if (!next) {
		count = map_count();
		find_next("epoll_wait", &next, sizeof(next));
	}
	n = next(epoll_fd, events, max, timeout_ms);
	if (n <= 0 || !count || atomic_load(count) < 0)
		return n;
	if (atomic_load(count) > 0)
		atomic_fetch_sub(count, 1);
	else
		close(open(go, O_RDONLY | O_CLOEXEC));
	return n;
}
