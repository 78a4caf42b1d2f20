/* admin_guard.c - see admin_guard.h. */
#include "net/admin_guard.h"

#include "base/text.h"

/* Whether it has no name that someone else can point anywhere. */
static bool
is_address(struct span host)
{
	static const char name[] = "localhost";
	struct peer_address address;
	struct span port = { NULL, 0 };
	const char *colon;
	uint64_t number;

	if (peer_address_parse(host, &address))
		return true;
	colon = memchr(host.at, ':', host.len);
	if (colon) {
		port = (struct span){ colon + 1,
			host.len - (size_t)(colon + 1 - host.at) };
		host.len = (size_t)(colon - host.at);
	}
	return text_equals_nocase(host, name) &&
	    (!colon || text_to_uint(port, UINT16_MAX, &number));
}

bool
admin_guard_is_foreign(const struct peer_address *peer, struct span host,
    struct span origin, struct span fetch_site)
{
	/* "none": typed in by hand. */
	if (origin.at || (fetch_site.at && !span_equals(fetch_site, "none")))
		return true;
	/* Browsers do not use Unix sockets. */
	return !peer->is_unix && host.at && !is_address(host);
}
