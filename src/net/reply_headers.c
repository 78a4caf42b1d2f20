/* reply_headers.c - see reply_headers.h. */
#include "net/reply_headers.h"

#include <stdio.h>
#include <string.h>

#include "api/asset.h"
#include "api/asset_files.h"

#define ALLOWED_METHODS "GET, POST, HEAD, OPTIONS"
#define ALLOWED_HEADERS \
	"Authorization, Content-Type, Idempotency-Key, Last-Event-ID"
#define EXPOSED_HEADERS "Retry-After, Idempotency-Replayed, Link"
#define PREFLIGHT_MAX_AGE "86400"
/* Of a page (Content Security Policy Level 3): nothing but what is named, and in
 * nobody's frame. */
#define NOTHING_ELSE \
	"; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
/* The demo's script and style come from here, but the daemon that it speaks to
 * may be any. */
#define DEMO_POLICY \
	"default-src 'none'; script-src 'self'; style-src 'self'; " \
	"img-src data:; connect-src *" NOTHING_ELSE
#define PAGE_POLICY \
	"default-src 'none'; script-src 'sha256-" ASSET_PAGE_HTML_SCRIPT_SHA256 \
	"'; style-src 'sha256-" ASSET_PAGE_HTML_STYLE_SHA256 "'" NOTHING_ELSE

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
	for (size_t i = 0; settings->origins[i]; i++)
		if (span_equals(origin, settings->origins[i]))
			add(cls, "Access-Control-Allow-Origin",
			    settings->origins[i]);
}

/* What a page may do, and that it does not tell others where it is: its address
 * may have a token in it. */
static void
add_page_headers(const char *policy, reply_header_fn add, void *cls)
{
	add(cls, "Content-Security-Policy", policy);
	add(cls, "Referrer-Policy", "no-referrer");
}

/* A file may be kept, but not used without asking whether it has changed: it
 * must be that of the daemon that runs. */
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

static void
add_content_headers(
    const struct reply *reply, enum door door, reply_header_fn add, void *cls)
{
	if (reply->status != 304)
		add(cls, "Content-Type", content_type(reply));
	if (reply->type == REPLY_ASSET)
		add_asset_headers(reply->asset, add, cls);
	else
		add(cls, "Cache-Control", "no-store");
	if (reply->type == REPLY_HTML)
		add_page_headers(PAGE_POLICY, add, cls);
	add(cls, "X-Content-Type-Options", "nosniff");
	add(cls, "Cross-Origin-Resource-Policy",
	    door == DOOR_PUBLIC ? "cross-origin" : "same-origin");
}

static void
add_links(const struct buf *links, reply_header_fn add, void *cls)
{
	for (size_t at = 0; at < links->len; at += strlen(links->data + at) + 1)
		add(cls, "Link", links->data + at);
}

void
reply_headers(const struct reply *reply, const struct front_settings *settings,
    struct span origin, reply_header_fn add, void *cls)
{
	char seconds[16];

	if (reply->type != REPLY_EMPTY)
		add_content_headers(reply, settings->door, add, cls);
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
	if (reply->is_preflight) {
		add(cls, "Access-Control-Allow-Methods", ALLOWED_METHODS);
		add(cls, "Access-Control-Allow-Headers", ALLOWED_HEADERS);
		add(cls, "Access-Control-Max-Age", PREFLIGHT_MAX_AGE);
	}
	if (settings->door == DOOR_PUBLIC)
		add_cors(settings, origin, add, cls);
}
