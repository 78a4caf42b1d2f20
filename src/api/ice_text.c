/* ice_text.c - see ice_text.h. */
#include "api/ice_text.h"

#include <stdbool.h>
#include <string.h>

#include "api/value.h"

void
ice_credential_make(const char *secret, int64_t expiry_s, uint32_t player,
    struct ice_credential *out)
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
	const struct ice_server *last; /* whose entry is open; or NULL */
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

/* server must stay until the next call, or end_entry(). */
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
	struct ice_credential credential;

	buf_add_text(body, "{\"iceServers\":[");
	for (size_t i = 0; i < ice->n_servers; i++)
		add_server(&writer, &ice->servers[i]);
	if (ice->n_turn_uris)
		ice_credential_make(ice->turn_secret,
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
	if (links->overflowed) /* not the half of one */
		buf_reset(links);
}
