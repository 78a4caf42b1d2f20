/* origin.c - see origin.h.
 *
 * Browsers compare origins byte by byte with our answer, so an origin written
 * in another way allows no page, without any message.  Such differences are
 * corrected; anything that an origin cannot have is refused with a sentence
 * that shows the correct form.
 */
#include "net/origin.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

#define MAX_LABEL 63
#define LETTERS "abcdefghijklmnopqrstuvwxyz"
#define DIGITS "0123456789"

/* The parts of an origin, and its normal form. */
struct parts {
	char scheme[ORIGIN_MAX_SCHEME + 1];
	char host[ORIGIN_MAX_HOST + 1];
	uint64_t port; /* 0: none, or the scheme's own */
};

/* Copy text to out, which has size bytes, in lower case. */
static bool
copy_lower(struct span text, char *out, size_t size)
{
	if (text.len >= size)
		return false;
	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		out[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
	}
	out[text.len] = '\0';
	return true;
}

/* Whether it consists of labels separated by dots, like a host name. */
static bool
are_labels(struct span text)
{
	size_t len = 0;

	for (size_t i = 0; i < text.len; i++) {
		char c = text.at[i];

		if (c == '.') {
			if (len == 0)
				return false;
			len = 0;
		} else if (++len > MAX_LABEL || c == '\0' ||
		    !strchr(LETTERS DIGITS "-_", c)) {
			return false;
		}
	}
	return len > 0;
}

/* ---- from the operator ---- */

static bool
read_scheme(const char *text, size_t len, struct parts *out)
{
	return len > 0 &&
	    copy_lower(
		(struct span){ text, len }, out->scheme, sizeof(out->scheme)) &&
	    strchr(LETTERS, out->scheme[0]) &&
	    strspn(out->scheme, LETTERS DIGITS "+-.") == len;
}

static bool
read_port(const char *text, struct parts *out, char out_why[ORIGIN_WHY_SIZE])
{
	if (!text_to_uint(span_of(text), 65535, &out->port) || out->port == 0)
		return refuse_because(out_why,
		    "'%.20s' is not a port: it must be a number from 1 to "
		    "65535; to use the default port, leave out the colon too",
		    text);
	if ((out->port == 80 && strcmp(out->scheme, "http") == 0) ||
	    (out->port == 443 && strcmp(out->scheme, "https") == 0))
		out->port = 0;
	return true;
}

static bool
read_ipv6(const char *text, size_t len, struct parts *out,
    char out_why[ORIGIN_WHY_SIZE])
{
	char address[INET6_ADDRSTRLEN] = "", normal[INET6_ADDRSTRLEN];
	struct in6_addr binary;

	if (len < sizeof(address))
		memcpy(address, text, len);
	if (inet_pton(AF_INET6, address, &binary) != 1 ||
	    !inet_ntop(AF_INET6, &binary, normal, sizeof(normal)))
		return refuse_because(out_why,
		    "'%.*s' is not an IPv6 address: it must be one in "
		    "brackets, as in http://[2001:db8::1]:8080",
		    len < 100 ? (int)len : 100, text);
	/* Browsers write no part of it like an IPv4 address (URL standard,
	 * "IPv6 serializer"); inet_ntop() does, after 80 zero bits and 0 or
	 * ffff, which both shorten to the same. */
	if (strchr(normal, '.'))
		snprintf(out->host, sizeof(out->host), "[::%s%x:%x]",
		    IN6_IS_ADDR_V4MAPPED(&binary) ? "ffff:" : "",
		    (unsigned)binary.s6_addr[12] << 8 | binary.s6_addr[13],
		    (unsigned)binary.s6_addr[14] << 8 | binary.s6_addr[15]);
	else
		snprintf(out->host, sizeof(out->host), "[%s]", normal);
	return true;
}

/* A name whose last label is a number is an IPv4 address. */
static bool
is_ipv4_or_name(const char *host)
{
	const char *dot = strrchr(host, '.');
	const char *label = dot ? dot + 1 : host;
	struct in_addr binary;

	return label[strspn(label, DIGITS)] != '\0' ||
	    inet_pton(AF_INET, host, &binary) == 1;
}

static bool
has_other_than_ascii(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if ((unsigned char)text.at[i] >= 0x80)
			return true;
	return false;
}

static bool
read_name(struct span text, struct parts *out, char out_why[ORIGIN_WHY_SIZE])
{
	int shown = text.len < 100 ? (int)text.len : 100;
	bool has_star = memchr(text.at, '*', text.len) != NULL;
	const char *name = out->host;

	if (has_other_than_ascii(text))
		return refuse_because(out_why,
		    "'%.*s' has characters outside ASCII: write the host in "
		    "punycode (xn--...), as browsers send it",
		    shown, text.at);
	if (!copy_lower(text, out->host, sizeof(out->host)))
		return refuse_because(out_why,
		    "the host has %zu characters: it must have at most %d",
		    text.len, ORIGIN_MAX_HOST);
	if (has_star)
		name = strncmp(out->host, "*.", 2) == 0 ? out->host + 2 : "*";
	if (has_star && (strchr(name, '*') || !strchr(name, '.')))
		return refuse_because(out_why,
		    "'%.*s' has a * in a wrong place: it must be the whole "
		    "first label, followed by at least two more, as in "
		    "https://*.example.com",
		    shown, text.at);
	if (!are_labels(span_of(name)) || !is_ipv4_or_name(name) ||
	    (has_star && name[strspn(name, DIGITS ".")] == '\0'))
		return refuse_because(out_why,
		    "'%.*s' is not the name or the address of a host: it must "
		    "be one, as in https://example.com",
		    shown, text.at);
	return true;
}

/* "host", "host:port", "[address]" or "[address]:port". */
static bool
read_authority(
    const char *text, struct parts *out, char out_why[ORIGIN_WHY_SIZE])
{
	const char *bracket = text[0] == '[' ? strchr(text, ']') : NULL;
	const char *behind = bracket ? bracket + 1 : text + strcspn(text, ":");
	bool is_good;

	if (bracket)
		is_good = read_ipv6(
		    text + 1, (size_t)(bracket - text - 1), out, out_why);
	else
		is_good = read_name(
		    (struct span){ text, (size_t)(behind - text) }, out,
		    out_why);
	if (!is_good || behind[0] == '\0')
		return is_good;
	if (behind[0] != ':')
		return refuse_because(out_why,
		    "'%.100s' follows the address: it must be a colon and a "
		    "port",
		    behind);
	return read_port(behind + 1, out, out_why);
}

bool
origin_normalise(
    const char *text, char out[ORIGIN_SIZE], char out_why[ORIGIN_WHY_SIZE])
{
	const char *colon = strstr(text, "://");
	struct parts parts = { .port = 0 };
	size_t len;

	/* Some web views send the last for a page from a file; others send
	 * null. */
	if (strcmp(text, "*") == 0 || strcmp(text, "null") == 0 ||
	    strcmp(text, "file://") == 0) {
		strcpy(out, text);
		return true;
	}
	if (!colon || !read_scheme(text, (size_t)(colon - text), &parts))
		return refuse_because(out_why,
		    "'%.100s' is not an origin: it must be *, null, or a "
		    "scheme, a host and optionally a port, as in "
		    "https://example.com",
		    text);
	len = strcspn(colon + 3, "/?#");
	if (colon[3 + len])
		return refuse_because(out_why,
		    "'%.80s' has a path: it must end with the host or its port, "
		    "without a slash: %.*s",
		    text, len < 80 ? (int)(colon + 3 + len - text) : 80, text);
	if (!read_authority(colon + 3, &parts, out_why))
		return false;
	len = (size_t)snprintf(
	    out, ORIGIN_SIZE, "%s://%s", parts.scheme, parts.host);
	if (parts.port)
		snprintf(
		    out + len, ORIGIN_SIZE - len, ":%u", (unsigned)parts.port);
	return true;
}

/* ---- from a browser ---- */

bool
origin_fits(const char *allowed, struct span origin)
{
	const char *star = strstr(allowed, "://*.");
	const char *behind;
	size_t before_len, behind_len;

	if (!star)
		return span_equals(origin, allowed);
	behind = star + strlen("://*");
	before_len = (size_t)(behind - 1 - allowed);
	behind_len = strlen(behind);
	if (!origin.at || origin.len >= ORIGIN_SIZE ||
	    origin.len <= before_len + behind_len ||
	    memcmp(origin.at, allowed, before_len) != 0 ||
	    memcmp(origin.at + origin.len - behind_len, behind, behind_len) !=
		0)
		return false;
	return are_labels((struct span){
	    origin.at + before_len, origin.len - before_len - behind_len });
}
