/* listener.h - listening sockets.
 *
 * Floor: net.  Main thread, whose loop they are on.
 */
#ifndef PEERPOST_NET_LISTENER_H
#define PEERPOST_NET_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "net/listen_address.h"
#include "net/loop.h"

#define LISTENER_URL_SIZE 160

struct listener;

/* Called for each connection that comes in; takes fd, which does not block.
 * With an fd of -1, and neither address nor length: one waits, and cannot be
 * accepted, for want of descriptors or memory (logged).  The listener has
 * paused until listener_pause() says otherwise. */
typedef void (*listener_accept_fn)(
    void *cls, int fd, const struct sockaddr *addr, socklen_t len);

/* Listen.  A socket file that nobody listens on any more is replaced.
 * scheme: what is spoken there, "http", "https" or "fastcgi".  access matters
 * to Unix sockets only; NULL: nothing is said.
 * NULL: it cannot, and one sentence without a full stop is in out_why. */
struct listener *listener_open(struct loop *loop,
    const struct listen_address *address, const char *scheme,
    const struct listen_access *access, listener_accept_fn on_accept, void *cls,
    char *out_why, size_t why_size);

/* Take connections from a socket that listens already, and does not block.
 * Takes fd. */
struct listener *listener_adopt(struct loop *loop, int fd, const char *scheme,
    listener_accept_fn on_accept, void *cls);

/* Stop listening; a Unix socket's file is removed, unless the socket has been
 * adopted: whoever opened it goes on listening.  NULL is fine. */
void listener_close(struct listener *listener);

/* Stop or go on taking connections; meanwhile they wait in the kernel. */
void listener_pause(struct listener *listener, bool is_paused);

/* "http://127.0.0.1:8080", with the real port; "unix:/path" for HTTP,
 * "fastcgi+unix:/path" for others; "unix:@name" if it is abstract. */
const char *listener_url(const struct listener *listener);

#endif
