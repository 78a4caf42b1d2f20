/* page.c - see page.h.
 *
 * page.html is written out with each name between two "@" replaced by its
 * value.  "@DEMO@" has an empty value; without the demo the rest of its line is
 * left out.
 *
 * Links are relative, because only the web server in front of us knows where we
 * are mounted.  Lines to paste into a shell cannot be relative, so they have
 * the address as far as the request shows it, and the page's script puts in the
 * address that the browser has. */
#include "config.h"

#include "api/page.h"

#include <string.h>

#include "api/asset_files.h"
#include "api/ice.h"
#include "api/reply.h"
#include "api/texts.h"
#include "base/clock.h"
#include "core/mailbox.h"

/* The address if the request does not show it. */
#define NO_URL "URL"

/* The start of links.  The page is also at the base path: without a slash at
 * the end of that, links start one step further up. */
static struct span
find_here(struct span target, const char *base_path)
{
	const char *query = memchr(target.at, '?', target.len);
	const char *slash = strrchr(base_path, '/');

	if (query)
		target.len = (size_t)(query - target.at);
	if (!slash || target.len == 0 || target.at[target.len - 1] == '/')
		return span_of("");
	return span_of(slash);
}

/* Whether a byte stands for itself in an address, between shell quotes, and in
 * HTML (RFC 3986, section 2.3). */
static bool
is_plain(char byte)
{
	return (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
	    (byte >= 'a' && byte <= 'z') ||
	    (byte != '\0' && strchr("-._~", byte) != NULL);
}

/* Only names, addresses and ports are shown. */
static bool
is_host(struct span host)
{
	for (size_t i = 0; i < host.len; i++) {
		char byte = host.at[i];

		if (!is_plain(byte) && byte != '[' && byte != ']' &&
		    byte != ':')
			return false;
	}
	return host.len > 0;
}

static void
add_path(struct buf *body, struct span path)
{
	static const char digits[] = "0123456789ABCDEF";

	for (size_t i = 0; i < path.len; i++) {
		unsigned char byte = (unsigned char)path.at[i];
		char escaped[] = { '%', digits[byte >> 4], digits[byte & 15] };

		if (is_plain(path.at[i]) || byte == '/')
			buf_add(body, path.at + i, 1);
		else
			buf_add(body, escaped, sizeof(escaped));
	}
}

static void
add_url(struct buf *body, const struct request *request, const char *base_path)
{
	if (!is_host(request->host)) {
		buf_add_text(body, NO_URL);
		return;
	}
	buf_add_text(body, request->is_https ? "https://" : "http://");
	buf_add_span(body, request->host);
	add_path(body, request->mount.at ? request->mount : span_of(base_path));
}

/* Take word off the front of text.  false: it is not there. */
static bool
take(struct span *text, const char *word)
{
	size_t len = strlen(word);

	if (text->len < len || memcmp(text->at, word, len) != 0)
		return false;
	text->at += len;
	text->len -= len;
	return true;
}

static void
skip_line(struct span *text)
{
	const char *end = memchr(text->at, '\n', text->len);
	const char *next = end ? end + 1 : text->at + text->len;

	text->len -= (size_t)(next - text->at);
	text->at = next;
}

/* Write out one byte, which does not begin a name, and all bytes up to the next
 * that may. */
static void
add_up_to_name(struct buf *body, struct span *text)
{
	const char *next = memchr(text->at + 1, '@', text->len - 1);
	size_t len = next ? (size_t)(next - text->at) : text->len;

	buf_add(body, text->at, len);
	text->at += len;
	text->len -= len;
}

void
page_answer(struct request *request, const char *base_path)
{
	struct span rest = asset_files[ASSET_PAGE_HTML].bytes;
	struct buf *body = &request->reply.body;

	request_reset_reply(request);
	request->reply.status = 200;
	request->reply.type = REPLY_HTML;
	while (rest.len) {
		if (take(&rest, "@HERE@")) {
			buf_add_span(
			    body, find_here(request->target, base_path));
		} else if (take(&rest, "@URL@")) {
			add_url(body, request, base_path);
		} else if (take(&rest, "@VERSION@")) {
			buf_add_text(body, PACKAGE_VERSION);
		} else if (take(&rest, "@DEMO@")) {
			if (!request->has_demo)
				skip_line(&rest);
		} else {
			add_up_to_name(body, &rest);
		}
	}
}

enum err
get_room_run(struct transaction *txn, struct request *request)
{
	enum end_reason reason = END_UNREGISTERED;
	struct player *player;
	enum err err;

	err = transaction_find_session(txn, request, &player, &reason);
	if (!err)
		err = request->err;
	if (!err)
		err = player->room ? mailbox_load(txn->world, player) :
				     ERR_NO_ROOM;
	if (err == ERR_STORAGE)
		return err;
	if (!err && !transaction_pay_poll(txn, request, player))
		return ERR_NONE;
	if (err) {
		reply_fail_session(request, err, reason);
		return ERR_NONE;
	}
	return room_text_add_snapshot(
	    txn->world, player, reply_begin(request, 200));
}

enum err
get_ice_servers_run(struct transaction *txn, struct request *request)
{
	enum end_reason reason = END_UNREGISTERED;
	struct player *player;
	enum err err;

	err = transaction_find_session(txn, request, &player, &reason);
	if (err == ERR_STORAGE)
		return err;
	if (!err)
		err = request->err;
	if (err) {
		reply_fail_session(request, err, reason);
		return ERR_NONE;
	}
	if (!transaction_pay_poll(txn, request, player))
		return ERR_NONE;
	ice_text_add(&txn->world->settings->ice, player->id, clock_unix_s(),
	    reply_begin(request, 200), &request->reply.links);
	return ERR_NONE;
}
