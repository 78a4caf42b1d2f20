/* inherited.c - see inherited.h. */
#include "net/inherited.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/mem.h"
#include "base/text.h"

#define FIRST_FD 3 /* SD_LISTEN_FDS_START */

static bool
read_number(const char *variable, uint64_t max, uint64_t *out)
{
	const char *text = getenv(variable);

	return text && text_to_uint(span_of(text), max, out);
}

/* The number of sockets for this process. */
static uint64_t
count(void)
{
	uint64_t pid, n;

	/* Another process's, such as the shell that started us. */
	if (!read_number("LISTEN_PID", INT32_MAX, &pid) ||
	    (pid_t)pid != getpid())
		return 0;
	return read_number("LISTEN_FDS", INT32_MAX, &n) ? n : 0;
}

/* Names are separated by colons; a missing one is "unknown". */
static void
name_all(struct inherited *out)
{
	const char *names = getenv("LISTEN_FDNAMES");
	char *rest = names ? mem_copy_text(names) : NULL;

	out->texts = rest;
	for (size_t i = 0; i < out->n_sockets; i++) {
		const char *name = rest ? strsep(&rest, ":") : NULL;

		out->sockets[i].name = name && name[0] ? name : "unknown";
	}
}

/* The common name of sockets without a FileDescriptorName=. */
static bool
is_nameless(const char *name)
{
	static const char suffix[] = ".socket";
	size_t len = strlen(name), suffix_len = sizeof(suffix) - 1;

	return strcmp(name, "unknown") == 0 ||
	    (len > suffix_len && strcmp(name + len - suffix_len, suffix) == 0);
}

static void
name_nameless(struct inherited *out, const char *fallback)
{
	const char *name = out->n_sockets ? out->sockets[0].name : "";

	if (!is_nameless(name))
		return;
	for (size_t i = 1; i < out->n_sockets; i++)
		if (strcmp(out->sockets[i].name, name) != 0)
			return;
	for (size_t i = 0; i < out->n_sockets; i++)
		out->sockets[i].name = fallback;
}

/* The fault of the socket, or NULL. */
static const char *
find_fault(int fd)
{
	struct sockaddr_storage addr = { 0 };
	socklen_t len = sizeof(addr), type_len, listens_len;
	int type = 0, listens = 0;

	type_len = sizeof(type);
	listens_len = sizeof(listens);
	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) < 0)
		return errno == EBADF ? "is not open" : "is not a socket";
	if (type != SOCK_STREAM)
		return "is not a stream socket";
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listens, &listens_len) <
		0 ||
	    !listens)
		return "is not listening (Accept=no is needed)";
	if (getsockname(fd, (struct sockaddr *)&addr, &len) < 0 ||
	    (addr.ss_family != AF_INET && addr.ss_family != AF_INET6 &&
		addr.ss_family != AF_UNIX))
		return "is neither an Internet nor a Unix socket";
	return NULL;
}

static bool
check_all(const struct inherited *out, char *out_why, size_t why_size)
{
	for (size_t i = 0; i < out->n_sockets; i++) {
		int fd = out->sockets[i].fd;
		const char *fault = find_fault(fd);

		if (fault) {
			snprintf(out_why, why_size,
			    "the inherited descriptor %d (%s) %s", fd,
			    out->sockets[i].name, fault);
			return false;
		}
		fcntl(fd, F_SETFD, FD_CLOEXEC);
		fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
	}
	return true;
}

bool
inherited_take(
    struct inherited *out, const char *fallback, char *out_why, size_t why_size)
{
	uint64_t n = count();

	*out = (struct inherited){ .n_sockets = 0 };
	if (n > INHERITED_MAX) {
		snprintf(out_why, why_size,
		    "more than %d sockets are inherited", INHERITED_MAX);
		return false;
	}
	for (; out->n_sockets < n; out->n_sockets++)
		out->sockets[out->n_sockets].fd = FIRST_FD +
		    (int)out->n_sockets;
	name_all(out);
	name_nameless(out, fallback);
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return check_all(out, out_why, why_size);
}

/* Whether it is the same file, by name; options cannot ask for abstract ones.
 */
static enum inherited_match
match_unix(
    const struct sockaddr_storage *held, const struct sockaddr_storage *wanted)
{
	const struct sockaddr_un *one = (const void *)held;
	const struct sockaddr_un *other = (const void *)wanted;

	return strncmp(one->sun_path, other->sun_path, sizeof(one->sun_path)) ==
		0 ?
	    INHERITED_HAS :
	    INHERITED_NONE;
}

static enum inherited_match
match_ipv4(
    const struct sockaddr_storage *held, const struct sockaddr_storage *wanted)
{
	const struct sockaddr_in *one = (const void *)held;
	const struct sockaddr_in *other = (const void *)wanted;
	in_addr_t has = one->sin_addr.s_addr, wants = other->sin_addr.s_addr;

	if (one->sin_port != other->sin_port)
		return INHERITED_NONE;
	if (has == wants || has == INADDR_ANY)
		return INHERITED_HAS;
	return wants == INADDR_ANY ? INHERITED_CLASHES : INHERITED_NONE;
}

static enum inherited_match
match_ipv6(
    const struct sockaddr_storage *held, const struct sockaddr_storage *wanted)
{
	const struct sockaddr_in6 *one = (const void *)held;
	const struct sockaddr_in6 *other = (const void *)wanted;

	if (one->sin6_port != other->sin6_port)
		return INHERITED_NONE;
	if (IN6_IS_ADDR_UNSPECIFIED(&one->sin6_addr) ||
	    IN6_ARE_ADDR_EQUAL(&one->sin6_addr, &other->sin6_addr))
		return INHERITED_HAS;
	return IN6_IS_ADDR_UNSPECIFIED(&other->sin6_addr) ? INHERITED_CLASHES :
							    INHERITED_NONE;
}

/* All of IPv6 is all of IPv4 as well, unless IPV6_V6ONLY (ipv6(7)) is set. */
static enum inherited_match
match_ipv4_in_ipv6(int fd, const struct sockaddr_storage *held,
    const struct sockaddr_storage *wanted)
{
	const struct sockaddr_in6 *one = (const void *)held;
	const struct sockaddr_in *other = (const void *)wanted;
	int is_only = 0;
	socklen_t len = sizeof(is_only);

	getsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &is_only, &len);
	return !is_only && one->sin6_port == other->sin_port &&
		IN6_IS_ADDR_UNSPECIFIED(&one->sin6_addr) ?
	    INHERITED_HAS :
	    INHERITED_NONE;
}

static enum inherited_match
match(int fd, const struct sockaddr_storage *wanted)
{
	struct sockaddr_storage held = { 0 };
	socklen_t len = sizeof(held);

	if (getsockname(fd, (struct sockaddr *)&held, &len) < 0)
		return INHERITED_NONE;
	if (held.ss_family == AF_INET6 && wanted->ss_family == AF_INET)
		return match_ipv4_in_ipv6(fd, &held, wanted);
	/* IPv6 addresses from the options are IPv6 only. */
	if (held.ss_family != wanted->ss_family)
		return INHERITED_NONE;
	return held.ss_family == AF_UNIX ? match_unix(&held, wanted) :
	    held.ss_family == AF_INET    ? match_ipv4(&held, wanted) :
					   match_ipv6(&held, wanted);
}

enum inherited_match
inherited_look_up(const struct inherited *inherited,
    const struct listen_address *address, size_t *out_i)
{
	enum inherited_match best = INHERITED_NONE;

	for (size_t i = 0; i < inherited->n_sockets; i++) {
		enum inherited_match one = match(
		    inherited->sockets[i].fd, &address->addr);

		if (one == INHERITED_NONE || best == INHERITED_HAS)
			continue;
		best = one;
		*out_i = i;
	}
	return best;
}

bool
inherited_has(const struct inherited *inherited, const char *name)
{
	for (size_t i = 0; i < inherited->n_sockets; i++)
		if (strcmp(inherited->sockets[i].name, name) == 0)
			return true;
	return false;
}
