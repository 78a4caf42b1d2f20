/* listener.c - see listener.h. */
#include "net/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/list.h"
#include "base/log_flood.h"
#include "base/mem.h"

#define BACKLOG 4096
#define BY_UNIT \
	"under systemd, set it in a socket unit: see UNIX SOCKETS in " \
	"peerpostd(8)"
#define MAX_ACCEPTS 16 /* at once, so that others get their turn */

struct listener {
	struct loop *loop;
	struct loop_source source;
	int fd;
	bool is_paused;
	char *unix_path; /* to be removed; NULL: TCP, or not ours */
	char url[LISTENER_URL_SIZE];
	listener_accept_fn on_accept;
	void *cls;
};

/* Out of descriptors or memory, though there is room by our own count.  The
 * level-triggered epoll would spin. */
static void
on_accept_failed(struct listener *listener)
{
	static const char why[] = "cannot accept connections";
	static struct log_flood flood;
	int code = errno;

	if (log_flood_passes(&flood, LOG_LEVEL_WARNING, why))
		log_warning("%s: %s", why, strerror(code));
	listener_pause(listener, true);
	listener->on_accept(listener->cls, -1, NULL, 0);
}

static void
on_ready(struct loop_source *source, uint32_t events)
{
	struct listener *listener = CONTAINER_OF(
	    source, struct listener, source);

	(void)events;
	for (int i = 0; i < MAX_ACCEPTS && !listener->is_paused; i++) {
		struct sockaddr_storage addr;
		socklen_t len = sizeof(addr);
		int fd = accept4(listener->fd, (struct sockaddr *)&addr, &len,
		    SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0) {
			listener->on_accept(
			    listener->cls, fd, (struct sockaddr *)&addr, len);
			continue;
		}
		if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
		    errno == ENOMEM)
			on_accept_failed(listener);
		/* Any other error concerns one client only; EAGAIN is the
		 * ordinary end. */
		if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

/* A kill -9 leaves a socket file that no process listens on. */
static void
remove_stale_file(const struct sockaddr_un *un)
{
	struct stat st;
	int fd;

	if (stat(un->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return;
	/* Do not wait for a live one with a full backlog. */
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return;
	if (connect(fd, (const struct sockaddr *)un, sizeof(*un)) < 0 &&
	    errno == ECONNREFUSED)
		unlink(un->sun_path);
	close(fd);
}

/* No client can connect before listen(2), so none slips in meanwhile. */
static int
grant(const struct sockaddr_un *un, const struct listen_access *access,
    const char **out_what)
{
	if (access && access->has_owner &&
	    chown(un->sun_path, access->owner, (gid_t)-1) < 0) {
		*out_what = "its owner cannot be set: ";
		return -1;
	}
	if (access && access->has_group &&
	    chown(un->sun_path, (uid_t)-1, access->group) < 0) {
		*out_what = "its group cannot be set: ";
		return -1;
	}
	if (access && access->has_mode && chmod(un->sun_path, access->mode) < 0)
		return -1;
	return 0;
}

static int
bind_unix(int fd, const struct listen_address *address,
    const struct listen_access *access, const char **out_what)
{
	struct sockaddr_un un;
	int saved;

	memcpy(&un, &address->addr, sizeof(un));
	remove_stale_file(&un);
	if (bind(fd, (const struct sockaddr *)&address->addr, address->len) < 0)
		return -1;
	if (grant(&un, access, out_what) == 0 && listen(fd, BACKLOG) == 0)
		return 0;
	saved = errno;
	unlink(un.sun_path);
	errno = saved;
	return -1;
}

static int
bind_tcp(int fd, const struct listen_address *address)
{
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	/* Accepted sockets inherit it. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (address->addr.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&address->addr, address->len) < 0)
		return -1;
	return listen(fd, BACKLOG);
}

/* -1: errno; *out_what: the subject of the error, or "". */
static int
open_socket(const struct listen_address *address,
    const struct listen_access *access, const char **out_what)
{
	int family = address->addr.ss_family, result;
	int fd = socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -1;
	result = family == AF_UNIX ? bind_unix(fd, address, access, out_what) :
				     bind_tcp(fd, address);
	if (result < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

/* An abstract name (unix(7)) as "@name", up to its first NUL. */
static void
write_unix_url(struct listener *listener, const char *scheme,
    const struct sockaddr_storage *addr, socklen_t len)
{
	bool is_http = strcmp(scheme, "http") == 0;
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t path_len;
	const char *path = un.sun_path;

	memcpy(&un, addr, len < sizeof(un) ? len : sizeof(un));
	path_len = len > offsetof(struct sockaddr_un, sun_path) ?
	    len - offsetof(struct sockaddr_un, sun_path) :
	    0;
	if (path_len > 1 && path[0] == '\0') {
		path++;
		path_len--;
	}
	snprintf(listener->url, sizeof(listener->url), "%s%sunix:%s%.*s",
	    is_http ? "" : scheme, is_http ? "" : "+",
	    path > un.sun_path ? "@" : "", (int)strnlen(path, path_len), path);
}

static void
write_url(struct listener *listener, const char *scheme)
{
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof(addr);
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
	char host[INET6_ADDRSTRLEN] = "";

	getsockname(listener->fd, (struct sockaddr *)&addr, &len);
	if (addr.ss_family == AF_INET) {
		memcpy(&in, &addr, sizeof(in));
		inet_ntop(AF_INET, &in.sin_addr, host, sizeof(host));
		snprintf(listener->url, sizeof(listener->url), "%s://%s:%u",
		    scheme, host, ntohs(in.sin_port));
	} else if (addr.ss_family == AF_INET6) {
		memcpy(&in6, &addr, sizeof(in6));
		inet_ntop(AF_INET6, &in6.sin6_addr, host, sizeof(host));
		snprintf(listener->url, sizeof(listener->url), "%s://[%s]:%u",
		    scheme, host, ntohs(in6.sin6_port));
	} else {
		write_unix_url(listener, scheme, &addr, len);
	}
}

static struct listener *
start(struct loop *loop, int fd, const char *scheme,
    listener_accept_fn on_accept, void *cls)
{
	struct listener *listener = mem_new(sizeof(*listener));

	listener->loop = loop;
	listener->source.on_ready = on_ready;
	listener->fd = fd;
	listener->is_paused = true;
	listener->on_accept = on_accept;
	listener->cls = cls;
	write_url(listener, scheme);
	listener_pause(listener, false);
	return listener;
}

/* Advice for the errors that operators meet, or "".  The service unit that
 * comes with the daemon cannot write to /run, and knows only its own group, so
 * a Unix socket in its configuration file leads to the last ones. */
static const char *
hint(int code, int family)
{
	if (code == EADDRINUSE)
		return " (\"ss -lp\" shows the process; if it is systemd, \"systemctl "
		       "list-sockets\" shows the unit)";
	if (code == EACCES)
		return " (open it as root, with --user, or by a socket unit of "
		       "systemd)";
	if (family == AF_UNIX && code == ENOENT)
		return " (its directory does not exist; " BY_UNIT ")";
	/* EINVAL: a group that PrivateUsers= hides. */
	if (family == AF_UNIX &&
	    (code == EROFS || code == EPERM || code == EINVAL))
		return " (" BY_UNIT ")";
	return "";
}

struct listener *
listener_open(struct loop *loop, const struct listen_address *address,
    const char *scheme, const struct listen_access *access,
    listener_accept_fn on_accept, void *cls, char *out_why, size_t why_size)
{
	struct listener *listener;
	const char *what = "";
	int fd = open_socket(address, access, &what);

	if (fd < 0) {
		snprintf(out_why, why_size, "%s%s%s", what, strerror(errno),
		    hint(errno, address->addr.ss_family));
		return NULL;
	}
	listener = start(loop, fd, scheme, on_accept, cls);
	if (address->addr.ss_family == AF_UNIX)
		listener->unix_path = mem_copy_text(
		    ((const struct sockaddr_un *)(const void *)&address->addr)
			->sun_path);
	return listener;
}

struct listener *
listener_adopt(struct loop *loop, int fd, const char *scheme,
    listener_accept_fn on_accept, void *cls)
{
	int on = 1;

	/* As bind_tcp() does; Unix sockets have no such option. */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return start(loop, fd, scheme, on_accept, cls);
}

void
listener_close(struct listener *listener)
{
	if (!listener)
		return;
	listener_pause(listener, true);
	/* First: while we listen, no other daemon takes the file for a stale
	 * one and replaces it with its own, which we would then remove. */
	if (listener->unix_path)
		unlink(listener->unix_path);
	close(listener->fd);
	free(listener->unix_path);
	free(listener);
}

void
listener_pause(struct listener *listener, bool is_paused)
{
	if (is_paused == listener->is_paused)
		return;
	if (is_paused)
		loop_remove(listener->loop, &listener->source, listener->fd);
	else if (loop_add(listener->loop, &listener->source, listener->fd,
		     EPOLLIN) < 0)
		return; /* out of memory: the next tick tries again */
	listener->is_paused = is_paused;
}

const char *
listener_url(const struct listener *listener)
{
	return listener->url;
}
