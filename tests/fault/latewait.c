/* latewait.c - a machine that is slow to act on what epoll_wait() has told.
 *
 * A library for LD_PRELOAD.  When epoll_wait() has events it returns with them
 * so many milliseconds later, so that what happens meanwhile on the sockets
 * falls between being told and being dealt with.
 *
 *	LATEWAIT_MS  how many
 */
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>

#include "next.h"

int
epoll_wait(int epoll_fd, struct epoll_event *events, int max, int timeout_ms)
{
	static int (*next)(int, struct epoll_event *, int, int);
	const char *text = getenv("LATEWAIT_MS");
	long ms = text ? atol(text) : 0;
	struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };
	int n;

	if (!next)
		find_next("epoll_wait", &next, sizeof(next));
	n = next(epoll_fd, events, max, timeout_ms);
	if (n > 0)
		nanosleep(&pause, NULL);
	return n;
}
