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

/* Called for each new connection; takes ownership of fd, which does not block.
 * fd -1, without address and length: a connection waits but cannot be accepted,
 * for want of descriptors or memory (logged).  The listener is then paused
 * until listener_pause() resumes it. */
typedef void (*listener_accept_fn)(
    void *cls, int fd, const struct sockaddr *addr, socklen_t len);

/* Listen.  A stale socket file, which no process listens on, is replaced.
 * scheme: the protocol there, "http", "https" or "fastcgi".  access applies to
 * Unix sockets only; NULL: the defaults.
 * NULL: it failed; out_why has one sentence without a full stop. */
struct listener *listener_open(struct loop *loop,
    const struct listen_address *address, const char *scheme,
    const struct listen_access *access, listener_accept_fn on_accept, void *cls,
    char *out_why, size_t why_size);

/* Accept connections from a socket that listens already and does not block.
 * Takes ownership of fd. */
struct listener *listener_adopt(struct loop *loop, int fd, const char *scheme,
    listener_accept_fn on_accept, void *cls);

/* Stop listening; a Unix socket's file is removed, unless the socket has been
 * adopted: its owner goes on listening.  NULL is fine. */
void listener_close(struct listener *listener);

/* Stop accepting connections, which then wait in the kernel, or go on. */
void listener_pause(struct listener *listener, bool is_paused);

/* "http://127.0.0.1:8080", with the real port; "unix:/path" for HTTP,
 * "fastcgi+unix:/path" for others; "unix:@name" if it is abstract. */
const char *listener_url(const struct listener *listener);

#endif
