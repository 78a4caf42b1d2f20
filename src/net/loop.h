/* loop.h - one epoll for everything that a loop thread waits for.
 *
 * Floor: net.  The thread of that loop only.
 *
 * A source may be removed, and freed, from inside any callback: events that
 * the same epoll_wait(2) had for it are dropped, because epoll knows a source
 * by the number of a slot and its generation, never by an address or an fd.
 */
#ifndef PEERPOST_NET_LOOP_H
#define PEERPOST_NET_LOOP_H

#include <stdint.h>

#include "base/err.h"

struct loop;

/* Embedded in the object that waits for an fd.  Zeroed: not in a loop. */
struct loop_source {
	void (*on_ready)(struct loop_source *source, uint32_t events);
	uint32_t slot; /* from 1; 0: in no loop */
};

/* NULL: there is no epoll (errno). */
struct loop *loop_create(void);
void loop_free(struct loop *loop);

/* Wait for events (EPOLL*) on fd.  on_ready must be set.  Borrows source until
 * loop_remove().  -1: it failed (errno). */
MUST_CHECK int loop_add(
    struct loop *loop, struct loop_source *source, int fd, uint32_t events);
/* Remove source.  If it is in no loop, nothing happens. */
void loop_remove(struct loop *loop, struct loop_source *source, int fd);

/* An fd that is readable when anything in the loop is ready, so that another
 * loop can wait for it.  Owned by the loop. */
int loop_fd(const struct loop *loop);

/* Wait for up to timeout_ms (-1: for ever), then call on_ready of all sources
 * that are ready. */
void loop_wait(struct loop *loop, int timeout_ms);

#endif
