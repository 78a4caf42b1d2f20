/* notify.c - see notify.h.
 *
 * The address is kept rather than a connected socket: a manager that has been
 * re-executed may have made a new socket of the same name.
 */
#include "base/notify.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "base/text.h"

#define MAX_MESSAGE 512

static struct {
	int fd; /* -1: there is no manager */
	struct sockaddr_un addr;
	socklen_t len;
	int64_t watchdog_ms;
} manager = { .fd = -1 };

/* A path, or "@name": an abstract one (unix(7)), which has no NUL at its end
 * and a NUL at its beginning. */
static bool
parse_address(const char *text)
{
	size_t len = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || len < 2 ||
	    len >= sizeof(manager.addr.sun_path))
		return false;
	manager.addr.sun_family = AF_UNIX;
	memcpy(manager.addr.sun_path, text, len);
	if (text[0] == '@')
		manager.addr.sun_path[0] = '\0';
	else
		len++;
	manager.len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	return true;
}

static void
open_socket(const char *text)
{
	struct timeval second = { .tv_sec = 1 };
	int fd;

	if (!parse_address(text)) {
		log_warning("NOTIFY_SOCKET is neither a path nor an "
			    "abstract name: readiness is not reported");
		return;
	}
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0) {
		log_warning(
		    "cannot reach the service manager: %s", strerror(errno));
		return;
	}
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &second, sizeof(second));
	manager.fd = fd;
}

static void
read_watchdog(const char *usec, const char *pid)
{
	uint64_t n_usec, n_pid;

	if (pid &&
	    (!text_to_uint(span_of(pid), INT32_MAX, &n_pid) ||
		(pid_t)n_pid != getpid()))
		return;
	if (!usec || !text_to_uint(span_of(usec), INT64_MAX, &n_usec) ||
	    n_usec == 0)
		return;
	manager.watchdog_ms = n_usec < 1000 ? 1 : (int64_t)(n_usec / 1000);
}

void
notify_init(void)
{
	const char *socket_name = getenv("NOTIFY_SOCKET");

	if (socket_name && socket_name[0])
		open_socket(socket_name);
	if (manager.fd >= 0)
		read_watchdog(getenv("WATCHDOG_USEC"), getenv("WATCHDOG_PID"));
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

static void
send_text(const char *text, int flags)
{
	if (manager.fd < 0)
		return;
	if (sendto(manager.fd, text, strlen(text), flags | MSG_NOSIGNAL,
		(const struct sockaddr *)&manager.addr, manager.len) < 0)
		log_debug("the service manager was not notified: %s",
		    strerror(errno));
}

/* Lines for the message, each with its "\n". */
static void
send_state(const char *what, const char *status, int flags)
{
	char text[MAX_MESSAGE];

	snprintf(text, sizeof(text), "%sSTATUS=%s", what, status);
	send_text(text, flags);
}

void
notify_ready(const char *status)
{
	send_state("READY=1\n", status, 0);
}

void
notify_reloading(const char *status)
{
	char what[64];
	struct timespec now;

	/* The start of the reload, for Type=notify-reload. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(what, sizeof(what), "RELOADING=1\nMONOTONIC_USEC=%lld\n",
	    (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000);
	send_state(what, status, 0);
}

void
notify_stopping(const char *status)
{
	send_state("STOPPING=1\n", status, 0);
}

void
notify_status(const char *status)
{
	send_state("", status, MSG_DONTWAIT);
}

int64_t
notify_watchdog_ms(void)
{
	return manager.watchdog_ms;
}

void
notify_watchdog(void)
{
	send_text("WATCHDOG=1", MSG_DONTWAIT);
}
