/* listener.h - listening sockets.
 *
 * Floor: net.  Main thread, whose loop they are on.
 */
#ifndef PEERPOST_NET_LISTENER_H
#define PEERPOST_NET_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "net/loop.h"

#define LISTENER_URL_SIZE 160

/* Where to listen: "127.0.0.1:8080", "[::1]:8080", or "unix:/path". */
struct listen_address {
	struct sockaddr_storage addr;
	socklen_t len;
};

/* false: text is none of the three. */
bool listen_address_parse(const char *text, struct listen_address *out);

/* The same with "http://" or "https://" in front of an address of TCP.  false:
 * it is neither; *out_why is a sentence about that, or NULL if text is just not
 * an address. */
bool listen_url_parse(const char *text, struct listen_address *out,
    bool *out_is_tls, const char **out_why);

struct listener;

/* Called for each connection that comes in; takes fd, which does not block.
 * With an fd of -1, and neither address nor length: one waits, and cannot be
 * accepted, for want of descriptors or memory (logged).  The listener has paused
 * until listener_pause() says otherwise. */
typedef void (*listener_accept_fn)(
    void *cls, int fd, const struct sockaddr *addr, socklen_t len);

/* Who may connect to a Unix socket: its file's mode, owner and group. */
struct listen_access {
	bool has_mode;
	mode_t mode; /* else: what umask(2) leaves */
	bool has_owner;
	uid_t owner; /* else: the process's own */
	bool has_group;
	gid_t group; /* else: the process's own */
};

/* Listen.  A socket file that nobody listens on any more is replaced.
 * scheme: what is spoken there, "http", "https" or "fastcgi".  access matters to Unix
 * sockets only; NULL: nothing is said.
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
