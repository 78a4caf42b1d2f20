/* inherited.h - listening sockets that the service manager has opened.
 *
 * Floor: net.  Main thread, before any other starts.
 *
 * The protocol of sd_listen_fds(3):
 * https://www.freedesktop.org/software/systemd/man/sd_listen_fds.html.
 * Such a socket outlives the daemon: clients that connect while none runs wait
 * in the kernel for the next.
 */
#ifndef PEERPOST_NET_INHERITED_H
#define PEERPOST_NET_INHERITED_H

#include <stdbool.h>
#include <stddef.h>

#include "net/listener.h"

#define INHERITED_MAX 32

struct inherited {
	struct {
		int fd;           /* close-on-exec, does not block */
		const char *name; /* what is to be served there */
	} sockets[INHERITED_MAX];
	size_t n_sockets;
	char *texts; /* which the names are parts of; or NULL */
};

/* Take the sockets that $LISTEN_FDS, $LISTEN_PID and $LISTEN_FDNAMES tell of,
 * if they are meant for this process, and remove the three.  A name is what
 * FileDescriptorName= of systemd.socket(5) says.  Sockets without one have the
 * name of their unit, or "unknown": if all have the same such name, they are
 * called fallback.
 * The names and the sockets live as long as the process.
 * false: they make no sense, or one is no listening stream socket; why is in
 * out_why, one sentence without a full stop. */
bool inherited_take(struct inherited *out, const char *fallback, char *out_why,
    size_t why_size);

/* How an address and the inherited sockets go together. */
enum inherited_match {
	INHERITED_NONE,   /* it can be bound, as far as they are concerned */
	INHERITED_HAS,    /* one of them takes its connections */
	INHERITED_CLASHES /* one of them has a part of it: it cannot be bound */
};

/* Look for an address among the inherited sockets.  *out_i is the one that has
 * it or clashes with it.  Port 0, which is any free one, is never among them.
 */
enum inherited_match inherited_look_up(const struct inherited *inherited,
    const struct listen_address *address, size_t *out_i);

/* Whether there is one of this name. */
bool inherited_has(const struct inherited *inherited, const char *name);

#endif
