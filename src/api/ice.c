/* ice.c - see ice.h.
 *
 * Addresses that need escaping in JSON, in a header or in a shell are refused.
 */
#include "api/ice.h"

#include <arpa/inet.h>
#include <stdbool.h>
#include <string.h>

#include "api/value.h"
#include "base/digest.h"
#include "base/text.h"

#define MAX_HOST 253 /* of a name in the DNS */

/* ---- addresses ---- */

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

/* Take everything before the first byte in stops. */
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
		return "the URL must begin with stun:, stuns:, turn: or "
		       "turns:";
	if (take_prefix(&rest, "//"))
		return "a STUN or TURN URL must not have '//'";
	if (url.len > ICE_URL_MAX)
		return "the URL has more than 255 bytes";
	if (!take_host(&rest))
		return "after the scheme must come a name, an IPv4 address, "
		       "or an IPv6 address in brackets";
	if (take_prefix(&rest, ":") && !is_port(take_until(&rest, "?")))
		return "the port is not a number from 1 to 65535";
	if (rest.len && kind == ICE_URL_STUN)
		return "a STUN URL must end after its host and port";
	if (rest.len && !span_equals(rest, "?transport=udp") &&
	    !span_equals(rest, "?transport=tcp"))
		return "only ?transport=udp or ?transport=tcp may follow "
		       "host and port";
	*out = kind;
	return NULL;
}

/* ---- for clients ---- */

struct credential {
	/* "EXPIRY:PLAYER": Unix seconds, and the player's id */
	char username[2 * TEXT_INT_SIZE];
	/* base64(HMAC-SHA-1(secret, username)) */
	char credential[DIGEST_SHA1_TEXT_SIZE];
};

/* The player's credential under secret, valid until expiry_s. */
static void
make_credential(const char *secret, int64_t expiry_s, uint32_t player,
    struct credential *out)
{
	uint8_t mac[DIGEST_SHA1_SIZE];
	size_t len = text_from_int(out->username, expiry_s);

	out->username[len++] = ':';
	len += text_from_int(out->username + len, player);
	out->username[len] = '\0';
	digest_hmac_sha1(
	    span_of(secret), (struct span){ out->username, len }, mac);
	digest_sha1_to_text(mac, out->credential);
}

struct writer {
	struct buf *body, *links;
	const struct ice_server *last; /* its entry is open; or NULL */
};

/* A quoted-string (RFC 9110, section 5.6.4); text is printable ASCII. */
static void
add_quoted(struct buf *out, const char *text)
{
	buf_add_text(out, "\"");
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			buf_add_text(out, "\\");
		buf_add(out, text, 1);
	}
	buf_add_text(out, "\"");
}

static void
add_link(struct buf *out, const struct ice_server *server)
{
	buf_add_text(out, "<");
	buf_add_text(out, server->url);
	buf_add_text(out, ">; rel=\"ice-server\"");
	if (server->username) {
		buf_add_text(out, "; username=");
		add_quoted(out, server->username);
		buf_add_text(out, "; credential=");
		add_quoted(out, server->credential);
		buf_add_text(out, "; credential-type=\"password\"");
	}
	buf_add(out, "", 1);
}

static void
end_entry(struct writer *writer)
{
	const struct ice_server *last = writer->last;

	if (!last)
		return;
	buf_add_text(writer->body, "]");
	if (last->username) {
		buf_add_text(writer->body, ",\"username\":");
		value_add_string(writer->body, span_of(last->username));
		buf_add_text(writer->body, ",\"credential\":");
		value_add_string(writer->body, span_of(last->credential));
	}
	buf_add_text(writer->body, "}");
}

static bool
shares_entry(const struct ice_server *a, const struct ice_server *b)
{
	if (!a->username || !b->username)
		return !a->username && !b->username;
	return strcmp(a->username, b->username) == 0 &&
	    strcmp(a->credential, b->credential) == 0;
}

/* server must remain until the next call, or end_entry(). */
static void
add_server(struct writer *writer, const struct ice_server *server)
{
	const struct ice_server *last = writer->last;

	if (last && shares_entry(last, server)) {
		buf_add_text(writer->body, ",");
	} else {
		end_entry(writer);
		buf_add_text(
		    writer->body, last ? ",{\"urls\":[" : "{\"urls\":[");
	}
	value_add_string(writer->body, span_of(server->url));
	add_link(writer->links, server);
	writer->last = server;
}

void
ice_text_add(const struct ice_settings *ice, uint32_t player, int64_t now_s,
    struct buf *body, struct buf *links)
{
	struct writer writer = { body, links, NULL };
	struct ice_server turn[ICE_MAX_TURN_URIS];
	struct credential credential;

	buf_add_text(body, "{\"iceServers\":[");
	for (size_t i = 0; i < ice->n_servers; i++)
		add_server(&writer, &ice->servers[i]);
	if (ice->n_turn_uris)
		make_credential(ice->turn_secret,
		    now_s + (int64_t)ice->turn_ttl_s, player, &credential);
	for (size_t i = 0; i < ice->n_turn_uris; i++) {
		turn[i] = (struct ice_server){ ice->turn_uris[i],
			credential.username, credential.credential };
		add_server(&writer, &turn[i]);
	}
	end_entry(&writer);
	buf_add_text(body, "]");
	if (ice->n_turn_uris) {
		buf_add_text(body, ",\"ttl\":");
		buf_add_int(body, (int64_t)ice->turn_ttl_s);
	}
	buf_add_text(body, "}");
	if (links->overflowed) /* not half of one */
		buf_reset(links);
}
