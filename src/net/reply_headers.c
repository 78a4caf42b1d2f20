/* reply_headers.c - see reply_headers.h. */
#include "net/reply_headers.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "api/asset.h"
#include "api/asset_files.h"
#include "base/text.h"
#include "net/origin.h"

#define ALLOWED_METHODS "GET, POST, HEAD, OPTIONS"
#define ALLOWED_HEADERS \
	"Authorization, Content-Type, Idempotency-Key, Last-Event-ID"
#define EXPOSED_HEADERS "Retry-After, Idempotency-Replayed, Link"
#define PREFLIGHT_MAX_AGE "86400"
/* Headers that a page may send besides these. */
#define MAX_ASKED_HEADERS ((size_t)1 << 10)
/* Of a page (Content Security Policy Level 3): only the sources named, and in
 * no frame. */
#define NOTHING_ELSE \
	"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
/* The demo's script and style come from here, but it may speak to any daemon.
 */
#define DEMO_POLICY \
	"default-src 'none'; script-src 'self'; style-src 'self'; " \
	"img-src data:; connect-src *" NOTHING_ELSE
#define PAGE_POLICY \
	"default-src 'none'; script-src 'sha256-" ASSET_PAGE_HTML_SCRIPT_SHA256 \
	"'; style-src 'sha256-" ASSET_PAGE_HTML_STYLE_SHA256 "'" NOTHING_ELSE

/* The request's origin is one of those allowed. */
static void
add_named_origin(struct span origin, reply_header_fn add, void *cls)
{
	char value[ORIGIN_SIZE];

	memcpy(value, origin.at, origin.len);
	value[origin.len] = '\0';
	add(cls, "Access-Control-Allow-Origin", value);
	/* A proxy before us may ask for a password.  Pages of any origin are
	 * allowed. */
	if (strcmp(value, "null") != 0 && strcmp(value, "file://") != 0)
		add(cls, "Access-Control-Allow-Credentials", "true");
}

/* Cross-Origin Resource Sharing (Fetch standard).  On errors too: without it
 * an error looks to a page like a network failure. */
static void
add_cors(const struct front_settings *settings, struct span origin,
    reply_header_fn add, void *cls)
{
	add(cls, "Access-Control-Expose-Headers", EXPOSED_HEADERS);
	if (settings->allows_any_origin) {
		add(cls, "Access-Control-Allow-Origin", "*");
		return;
	}
	add(cls, "Vary", "Origin");
	for (size_t i = 0; settings->origins[i]; i++) {
		if (origin_fits(settings->origins[i], origin)) {
			add_named_origin(origin, add, cls);
			return;
		}
	}
}

/* Take the next name off the front of a list.  false: there is none left.
 */
static bool
take_name(struct span *list, struct span *out)
{
	const char *comma = list->len ? memchr(list->at, ',', list->len) : NULL;
	size_t len = comma ? (size_t)(comma - list->at) : list->len;

	*out = text_trim((struct span){ list->at, len });
	if (!comma)
		return false;
	list->at = comma + 1;
	list->len -= len + 1;
	return true;
}

/* Whether it is a list of header names (RFC 9110, section 5.6.2) and not too
 * long. */
static bool
are_names(struct span list)
{
	struct span name;
	bool has_more;

	if (!list.at || list.len > MAX_ASKED_HEADERS)
		return false;
	do {
		has_more = take_name(&list, &name);
		if (!text_is_token(name))
			return false;
	} while (has_more);
	return true;
}

static bool
is_always_allowed(struct span name)
{
	struct span always = span_of(ALLOWED_HEADERS), one;
	bool has_more;

	do {
		has_more = take_name(&always, &one);
		if (one.len == name.len &&
		    strncasecmp(one.at, name.at, name.len) == 0)
			return true;
	} while (has_more);
	return false;
}

/* A page may send all headers that it asks for: we trust none that a browser
 * would send without being asked. */
static void
add_allowed_headers(struct span asked, reply_header_fn add, void *cls)
{
	char text[sizeof(ALLOWED_HEADERS ", ") + MAX_ASKED_HEADERS];
	struct span name;
	struct buf out;
	bool has_more;

	if (!are_names(asked)) {
		add(cls, "Access-Control-Allow-Headers", ALLOWED_HEADERS);
		return;
	}
	buf_init(&out, sizeof(text) - 1);
	buf_add_text(&out, ALLOWED_HEADERS);
	do {
		has_more = take_name(&asked, &name);
		if (is_always_allowed(name))
			continue;
		buf_add_text(
		    &out, out.len < sizeof(ALLOWED_HEADERS) ? ", " : ",");
		buf_add_span(&out, name);
	} while (has_more);
	memcpy(text, out.data, out.len);
	text[out.len] = '\0';
	buf_fini(&out);
	add(cls, "Access-Control-Allow-Headers", text);
}

static void
add_preflight(struct span asked, reply_header_fn add, void *cls)
{
	add(cls, "Access-Control-Allow-Methods", ALLOWED_METHODS);
	add_allowed_headers(asked, add, cls);
	add(cls, "Access-Control-Max-Age", PREFLIGHT_MAX_AGE);
}

/* The policy of a page, and a Referrer-Policy that keeps its address, which may
 * contain a token, from others. */
static void
add_page_headers(const char *policy, reply_header_fn add, void *cls)
{
	add(cls, "Content-Security-Policy", policy);
	add(cls, "Referrer-Policy", "no-referrer");
}

/* A file may be cached, but must be validated before use: it must be that of
 * the running daemon. */
static void
add_asset_headers(const struct asset *asset, reply_header_fn add, void *cls)
{
	add(cls, "ETag", asset->etag);
	add(cls, "Cache-Control", "no-cache");
	if (asset->is_page)
		add_page_headers(DEMO_POLICY, add, cls);
}

static const char *
content_type(const struct reply *reply)
{
	if (reply->media)
		return reply->media;
	if (reply->type == REPLY_ASSET)
		return reply->asset->type;
	if (reply->type == REPLY_HTML)
		return "text/html; charset=utf-8";
	return reply->type == REPLY_TEXT ? "text/plain; charset=utf-8" :
					   "application/json; charset=utf-8";
}

/* JSON must not be compressed on the way: games in browsers have been seen to
 * decompress it a second time. */
static const char *
cache_control(const struct reply *reply)
{
	return reply->type == REPLY_JSON || reply->type == REPLY_EMPTY ?
	    "no-store, no-transform" :
	    "no-store";
}

static void
add_content_headers(const struct reply *reply, enum listener_class class,
    reply_header_fn add, void *cls)
{
	if (reply->status != 304)
		add(cls, "Content-Type", content_type(reply));
	if (reply->type == REPLY_ASSET)
		add_asset_headers(reply->asset, add, cls);
	if (reply->type == REPLY_HTML)
		add_page_headers(PAGE_POLICY, add, cls);
	add(cls, "X-Content-Type-Options", "nosniff");
	add(cls, "Cross-Origin-Resource-Policy",
	    class == LISTENER_PUBLIC ? "cross-origin" : "same-origin");
}

static void
add_links(const struct buf *links, reply_header_fn add, void *cls)
{
	for (size_t at = 0; at < links->len; at += strlen(links->data + at) + 1)
		add(cls, "Link", links->data + at);
}

void
reply_headers(const struct reply *reply, const struct front_settings *settings,
    const struct cors_fields *cors, reply_header_fn add, void *cls)
{
	char seconds[16];

	/* On every reply: Godot in a browser counts a reply as lost if the page
	 * cannot see any of its fields, and Cache-Control is always visible
	 * (Fetch standard, "CORS-safelisted response-header name"). */
	if (reply->type != REPLY_ASSET)
		add(cls, "Cache-Control", cache_control(reply));
	if (reply->type != REPLY_EMPTY)
		add_content_headers(reply, settings->listener_class, add, cls);
	if (reply->retry_after_s) {
		snprintf(seconds, sizeof(seconds), "%u", reply->retry_after_s);
		add(cls, "Retry-After", seconds);
	}
	if (reply->allow)
		add(cls, "Allow", reply->allow);
	add_links(&reply->links, add, cls);
	if (reply->location)
		add(cls, "Location", reply->location);
	if (reply->is_replay)
		add(cls, "Idempotency-Replayed", "true");
	if (reply->status == 401) /* RFC 9110, section 11.6.1 */
		add(cls, "WWW-Authenticate", "Bearer");
	if (reply->status == 415) /* RFC 9110, section 15.5.16 */
		add(cls, "Accept-Encoding", "identity");
	if (reply->is_preflight)
		add_preflight(cors->asked_headers, add, cls);
	if (settings->listener_class == LISTENER_PUBLIC)
		add_cors(settings, cors->origin, add, cls);
}
