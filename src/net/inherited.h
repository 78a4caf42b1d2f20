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
		const char *name; /* the protocol to serve there */
	} sockets[INHERITED_MAX];
	size_t n_sockets;
	char *texts; /* memory of the names; or NULL */
};

/* Take the sockets given by $LISTEN_FDS, $LISTEN_PID and $LISTEN_FDNAMES if
 * they are meant for this process, and unset the three.  The name of a socket
 * is that of FileDescriptorName= (systemd.socket(5)).  Sockets without one have
 * the name of their unit, or "unknown": if all have the same such name, they
 * are called fallback.
 * The names and the sockets live as long as the process.
 * false: the variables make no sense, or one is not a listening stream socket;
 * out_why says why, in one sentence without a full stop. */
bool inherited_take(struct inherited *out, const char *fallback, char *out_why,
    size_t why_size);

/* The relation of an address to the inherited sockets. */
enum inherited_match {
	INHERITED_NONE,   /* none of them prevents binding it */
	INHERITED_HAS,    /* one of them accepts its connections */
	INHERITED_CLASHES /* one of them has part of it: it cannot be bound */
};

/* Look for an address among the inherited sockets.  *out_i: the one that has it
 * or clashes with it.  Port 0, which means any free port, matches none.
 */
enum inherited_match inherited_look_up(const struct inherited *inherited,
    const struct listen_address *address, size_t *out_i);

/* Whether one has this name. */
bool inherited_has(const struct inherited *inherited, const char *name);

#endif
