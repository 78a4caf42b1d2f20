/* listen_address.c - see listen_address.h.
 *
 * The sentence about a mistake shows the correct form of the given value: an
 * operator who forgot the port or the brackets can copy it.  It is a guess, so
 * it is only shown, never used.
 */
#include "net/listen_address.h"

#include <arpa/inet.h>
#include <grp.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/un.h>

#include "base/span.h"
#include "base/text.h"

#define MAX_PATH_LEN (sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1)
/* The most bytes of a value that are quoted. */
#define QUOTED 100
#define USUAL_PORT "8080"
#define USUAL_MODE 0660 /* if there is a group, but no mode */
#define GROUP_MODE 0060

/* ---- Unix sockets ---- */

bool
listen_access_set_mode(struct listen_access *access, const char *text,
    char out_why[LISTEN_WHY_SIZE])
{
	mode_t mode = 0;
	size_t len = strlen(text);

	if (len < 3 || len > 4 || strspn(text, "01234567") != len ||
	    (len == 4 && text[0] != '0'))
		return refuse_because(out_why,
		    "'%.100s' is not a mode: use three octal digits, such as "
		    "0660",
		    text);
	for (size_t i = 0; i < len; i++)
		mode = mode << 3 | (mode_t)(text[i] - '0');
	access->has_mode = true;
	access->mode = mode;
	return true;
}

bool
listen_access_set_group(struct listen_access *access, const char *text,
    char out_why[LISTEN_WHY_SIZE])
{
	const struct group *group = getgrnam(text);
	uint64_t number;

	if (!group && !text_to_uint(span_of(text), UINT32_MAX - 1, &number))
		return refuse_because(out_why,
		    "there is no group '%.100s': use the name or number of "
		    "a group",
		    text);
	access->has_group = true;
	access->group = group ? group->gr_gid : (gid_t)number;
	return true;
}

struct listen_access
listen_access_or(
    const struct listen_access *access, const struct listen_access *others)
{
	struct listen_access both = *access;

	if (!both.has_mode) {
		both.has_mode = others->has_mode || both.has_group;
		both.mode = others->has_mode ? others->mode : USUAL_MODE;
		/* Without it the group would have no effect. */
		if (both.has_group)
			both.mode |= GROUP_MODE;
	}
	if (!both.has_owner) {
		both.has_owner = others->has_owner;
		both.owner = others->owner;
	}
	if (!both.has_group) {
		both.has_group = others->has_group;
		both.group = others->group;
	}
	return both;
}

/* "mode=0660" or "group=www-data". */
static bool
parse_trait(
    const char *text, struct listen_access *out, char out_why[LISTEN_WHY_SIZE])
{
	if (strncmp(text, "mode=", 5) == 0) {
		if (out->has_mode)
			return refuse_because(out_why, "mode= is given twice");
		return listen_access_set_mode(out, text + 5, out_why);
	}
	if (strncmp(text, "group=", 6) == 0) {
		if (out->has_group)
			return refuse_because(out_why, "group= is given twice");
		return listen_access_set_group(out, text + 6, out_why);
	}
	return refuse_because(out_why,
	    "'%.100s' is not mode=MODE or group=GROUP, and the path of a Unix "
	    "socket has no comma",
	    text);
}

/* The part after the path and its comma. */
static bool
parse_traits(
    const char *text, struct listen_access *out, char out_why[LISTEN_WHY_SIZE])
{
	char trait[LISTEN_WHY_SIZE];
	size_t len;

	for (;; text += len + 1) {
		len = strcspn(text, ",");
		if (len >= sizeof(trait))
			return refuse_because(
			    out_why, "'%.100s' is too long", text);
		memcpy(trait, text, len);
		trait[len] = '\0';
		if (!parse_trait(trait, out, out_why))
			return false;
		if (!text[len])
			return true;
	}
}

static bool
parse_unix(
    const char *text, struct listen_address *out, char out_why[LISTEN_WHY_SIZE])
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	size_t len = strcspn(text, ",");

	if (len == 0)
		return refuse_because(out_why,
		    "'unix:%.100s' has no path: use unix:PATH, such as "
		    "unix:/run/peerpost/http.sock",
		    text);
	if (len > MAX_PATH_LEN)
		return refuse_because(out_why,
		    "the path of a Unix socket must have at most %zu bytes, "
		    "not %zu",
		    MAX_PATH_LEN, len);
	memcpy(un.sun_path, text, len);
	memcpy(&out->addr, &un, sizeof(un));
	out->len = sizeof(un);
	return !text[len] ||
	    parse_traits(text + len + 1, &out->access, out_why);
}

/* ---- TCP ---- */

static bool
parse_tcp(const char *host, uint16_t port, struct listen_address *out)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
		.sin_port = htons(port) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6,
		.sin6_port = htons(port) };
	size_t len = strlen(host);
	char inner[INET6_ADDRSTRLEN];

	if (inet_pton(AF_INET, host, &in.sin_addr) == 1) {
		memcpy(&out->addr, &in, sizeof(in));
		out->len = sizeof(in);
		return true;
	}
	if (len < 3 || len - 2 >= sizeof(inner) || host[0] != '[' ||
	    host[len - 1] != ']')
		return false;
	memcpy(inner, host + 1, len - 2);
	inner[len - 2] = '\0';
	if (inet_pton(AF_INET6, inner, &in6.sin6_addr) != 1)
		return false;
	memcpy(&out->addr, &in6, sizeof(in6));
	out->len = sizeof(in6);
	return true;
}

static bool
is_port(const char *text)
{
	uint64_t port;

	return text_to_uint(span_of(text), UINT16_MAX, &port);
}

static bool
is_ipv6(const char *text)
{
	struct in6_addr in6;

	return inet_pton(AF_INET6, text, &in6) == 1;
}

static bool
is_ipv4(const char *text)
{
	struct in_addr in;

	return inet_pton(AF_INET, text, &in) == 1;
}

/* There is nothing to make it from. */
static bool
explain_anew(const char *text, char out_why[LISTEN_WHY_SIZE])
{
	return refuse_because(out_why,
	    "'%.100s' is not ADDR:PORT: use an address and a port, such as "
	    "127.0.0.1:" USUAL_PORT,
	    text);
}

/* "/run/x.sock", which may not be the path of a socket either. */
static bool
explain_path(const char *text, char out_why[LISTEN_WHY_SIZE])
{
	struct listen_address address = { .len = 0 };
	char why[LISTEN_WHY_SIZE];

	if (strlen(text) > QUOTED || !parse_unix(text, &address, why))
		return refuse_because(out_why,
		    "'%.100s' is not ADDR:PORT: use unix:PATH for a Unix "
		    "socket",
		    text);
	return refuse_because(out_why,
	    "'%s' is not ADDR:PORT: use unix:%s for a Unix socket", text, text);
}

/* "[::1" or "[::1:80". */
static bool
explain_open_bracket(const char *text, char out_why[LISTEN_WHY_SIZE])
{
	const char *inner = text + 1, *colon = strrchr(inner, ':');
	char host[QUOTED];

	snprintf(host, sizeof(host), "%.*s", (int)(colon ? colon - inner : 0),
	    inner);
	if (is_ipv6(host) && is_port(colon + 1))
		return refuse_because(out_why,
		    "'%s' has no closing bracket: use [%s]:%s", text, host,
		    colon + 1);
	if (is_ipv6(inner))
		return refuse_because(out_why,
		    "'%s' has no closing bracket: use [%s]:" USUAL_PORT, text,
		    inner);
	return refuse_because(out_why,
	    "'%.100s' is not an IPv6 address in brackets: use one such as "
	    "[::1]:" USUAL_PORT,
	    text);
}

/* It begins with a bracket. */
static bool
explain_brackets(const char *text, char out_why[LISTEN_WHY_SIZE])
{
	const char *end = strchr(text, ']');
	const char *port = USUAL_PORT;
	char inner[QUOTED];

	if (!end)
		return explain_open_bracket(text, out_why);
	snprintf(inner, sizeof(inner), "%.*s", (int)(end - text - 1), text + 1);
	if (end[1] == ':' && is_port(end + 2))
		port = end + 2;
	if (is_ipv4(inner))
		return refuse_because(out_why,
		    "'%.100s' is not ADDR:PORT, only IPv6 addresses have "
		    "brackets: use %s:%s",
		    text, inner, port);
	if (!is_ipv6(inner))
		return refuse_because(out_why,
		    "'%.100s' is not an IPv6 address in brackets: use one such "
		    "as [::1]:%s",
		    text, port);
	if (end[1] == ':' && end[2])
		return refuse_because(out_why,
		    "'%.100s' is not a port: use a number from 0 to 65535",
		    end + 2);
	return refuse_because(
	    out_why, "'%.100s' has no port: use [%s]:" USUAL_PORT, text, inner);
}

/* It has no colon. */
static bool
explain_portless(const char *text, char out_why[LISTEN_WHY_SIZE])
{
	if (is_port(text))
		return refuse_because(out_why,
		    "'%s' has no address: use 127.0.0.1:%s, or 0.0.0.0:%s for "
		    "all addresses of the machine",
		    text, text, text);
	if (is_ipv4(text))
		return refuse_because(out_why,
		    "'%s' has no port: use %s:" USUAL_PORT, text, text);
	return explain_anew(text, out_why);
}

/* The part before a valid port. */
static bool
explain_host(const char *text, const char *host, const char *port,
    char out_why[LISTEN_WHY_SIZE])
{
	if (host[0] == '\0' || strcmp(host, "*") == 0)
		return refuse_because(out_why,
		    "'%.100s' has no address: use 127.0.0.1:%s, or 0.0.0.0:%s "
		    "for all addresses of the machine",
		    text, port, port);
	if (strcasecmp(host, "localhost") == 0)
		return refuse_because(out_why,
		    "'%s' is not ADDR:PORT, host names are not looked up: use "
		    "127.0.0.1:%s",
		    text, port);
	if (is_ipv6(host))
		return refuse_because(out_why,
		    "'%.100s' has no brackets: use [%s]:%s", text, host, port);
	if (strspn(host, "0123456789.") == strlen(host))
		return refuse_because(out_why,
		    "'%s' is not an IPv4 address: use one such as "
		    "127.0.0.1:%s",
		    host, port);
	if (strchr(host, ':'))
		return refuse_because(out_why,
		    "'%.100s' is not ADDR:PORT: an IPv6 address is written "
		    "[::1]:%s",
		    text, port);
	return refuse_because(out_why,
	    "'%.100s' is not ADDR:PORT, host names are not looked up: use an "
	    "address of this machine, such as 0.0.0.0:%s",
	    text, port);
}

/* Write the correct form of text, which is wrong. */
static bool
explain(const char *text, char out_why[LISTEN_WHY_SIZE])
{
	const char *colon = strrchr(text, ':');
	char host[QUOTED];
	size_t len = strcspn(text, "/");

	if (strncmp(text, "http://", 7) == 0 ||
	    strncmp(text, "https://", 8) == 0)
		return refuse_because(out_why,
		    "'%.100s' is not ADDR:PORT: this option takes no http:// or "
		    "https://",
		    text);
	if (strstr(text, "://"))
		return refuse_because(out_why,
		    "'%.100s' is not ADDR:PORT: leave out the part up to "
		    "://",
		    text);
	if (colon && text[len] == '/' && len > 0)
		return refuse_because(out_why,
		    "'%.100s' is not ADDR:PORT: remove the path, see "
		    "--base-path",
		    text);
	if (text[0] == '/' || text[0] == '.')
		return explain_path(text, out_why);
	if (text[0] == '[')
		return explain_brackets(text, out_why);
	if (!colon)
		return explain_portless(text, out_why);
	/* A longer one is none of the mistakes known below. */
	snprintf(host, sizeof(host), "%.*s", (int)(colon - text), text);
	if (is_ipv6(text) && !is_ipv6(host))
		return refuse_because(out_why,
		    "'%s' has neither brackets nor a port: use [%s]:" USUAL_PORT,
		    text, text);
	if (!colon[1] && is_ipv4(host))
		return refuse_because(
		    out_why, "'%s' has no port: use %s" USUAL_PORT, text, text);
	if (!colon[1])
		return explain_anew(text, out_why);
	if (!is_port(colon + 1))
		return refuse_because(out_why,
		    "'%.100s' is not a port: use a number from 0 to 65535",
		    colon + 1);
	return explain_host(text, host, colon + 1, out_why);
}

bool
listen_address_parse(
    const char *text, struct listen_address *out, char out_why[LISTEN_WHY_SIZE])
{
	const char *colon = strrchr(text, ':');
	char host[INET6_ADDRSTRLEN + 2];
	uint64_t port;

	memset(out, 0, sizeof(*out));
	if (strncmp(text, "unix:", 5) == 0)
		return parse_unix(text + 5, out, out_why);
	if (!colon || (size_t)(colon - text) >= sizeof(host) ||
	    !text_to_uint(span_of(colon + 1), UINT16_MAX, &port))
		return explain(text, out_why);
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	return parse_tcp(host, (uint16_t)port, out) || explain(text, out_why);
}

bool
listen_url_parse(const char *text, struct listen_address *out, bool *out_is_tls,
    char out_why[LISTEN_WHY_SIZE])
{
	bool is_tls = strncmp(text, "https://", 8) == 0;
	bool is_plain = strncmp(text, "http://", 7) == 0;

	text += is_tls ? 8 : is_plain ? 7 : 0;
	*out_is_tls = is_tls;
	if ((is_tls || is_plain) && strncmp(text, "unix:", 5) == 0)
		return refuse_because(out_why,
		    is_tls ? "https is not available on Unix sockets, which "
			     "need no encryption: use unix:PATH" :
			     "a Unix socket is unix:PATH, without http://");
	return listen_address_parse(text, out, out_why);
}
