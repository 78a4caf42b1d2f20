/* ice_url.c - see ice_url.h.
 *
 * Nothing gets through that would have to be escaped in JSON, in a header or
 * in a shell.
 */
#include "api/ice_url.h"

#include <arpa/inet.h>

#include "base/text.h"

#define MAX_HOST 253 /* of a name in the DNS */

/* Take text off the front of rest. */
static bool
take_prefix(struct span *rest, const char *text)
{
	size_t len = strlen(text);

	if (rest->len < len || memcmp(rest->at, text, len) != 0)
		return false;
	rest->at += len;
	rest->len -= len;
	return true;
}

/* Take all up to, but without, the first byte that is in stops. */
static struct span
take_until(struct span *rest, const char *stops)
{
	struct span taken = { rest->at, 0 };

	while (taken.len < rest->len && rest->at[taken.len] &&
	    !strchr(stops, rest->at[taken.len]))
		taken.len++;
	rest->at += taken.len;
	rest->len -= taken.len;
	return taken;
}

static bool
is_ipv6(struct span text)
{
	char copy[INET6_ADDRSTRLEN];
	struct in6_addr address;

	if (text.len >= sizeof(copy))
		return false;
	memcpy(copy, text.at, text.len);
	copy[text.len] = '\0';
	return inet_pton(AF_INET6, copy, &address) == 1;
}

/* A name, or an IPv4 address, which looks like one. */
static bool
is_name(struct span text)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";

	if (text.len == 0 || text.len > MAX_HOST)
		return false;
	for (size_t i = 0; i < text.len; i++)
		if (!text.at[i] || !strchr(allowed, text.at[i]))
			return false;
	return text.at[0] != '.' && text.at[0] != '-';
}

static bool
take_host(struct span *rest)
{
	struct span host;

	if (!take_prefix(rest, "["))
		return is_name(take_until(rest, ":?"));
	host = take_until(rest, "]");
	return take_prefix(rest, "]") && is_ipv6(host);
}

static bool
is_port(struct span text)
{
	uint64_t port;

	return text_to_uint(text, 65535, &port) && port > 0;
}

static bool
take_scheme(struct span *rest, enum ice_url_kind *out)
{
	if (take_prefix(rest, "stun:") || take_prefix(rest, "stuns:"))
		*out = ICE_URL_STUN;
	else if (take_prefix(rest, "turn:") || take_prefix(rest, "turns:"))
		*out = ICE_URL_TURN;
	else
		return false;
	return true;
}

const char *
ice_url_find_fault(struct span url, enum ice_url_kind *out)
{
	struct span rest = url;
	enum ice_url_kind kind;

	if (!take_scheme(&rest, &kind))
		return "a URL begins with stun:, stuns:, turn: or turns:";
	if (take_prefix(&rest, "//"))
		return "there is no '//' in a STUN or TURN URL";
	if (url.len > ICE_URL_MAX)
		return "the URL has more than 255 bytes";
	if (!take_host(&rest))
		return "after the scheme comes a name, an IPv4 address, or an "
		       "IPv6 address in brackets";
	if (take_prefix(&rest, ":") && !is_port(take_until(&rest, "?")))
		return "the port is not a number from 1 to 65535";
	if (rest.len && kind == ICE_URL_STUN)
		return "nothing comes after host and port of a STUN URL";
	if (rest.len && !span_equals(rest, "?transport=udp") &&
	    !span_equals(rest, "?transport=tcp"))
		return "only ?transport=udp or ?transport=tcp can come after "
		       "host and port";
	*out = kind;
	return NULL;
}
