/* page.c - see page.h. */
#include "config.h"

#include "api/page.h"

#include <string.h>

/* To change the style is to change PAGE_STYLE_SHA256. */
static const char head
    [] = "<!doctype html>\n"
	 "<html lang=\"en\">\n"
	 "<meta charset=\"utf-8\">\n"
	 "<meta name=\"viewport\" content=\"width=device-width\">\n"
	 "<title>Peerpost</title>\n"
	 "<style>body{font:1rem/1.5 system-ui,sans-serif;max-width:40rem;"
	 "margin:2rem auto;padding:0 1rem}pre{overflow:auto}</style>\n"
	 "<h1>Peerpost</h1>\n"
	 "<p>This is a WebRTC signalling server for clients that cannot use\n"
	 "WebSockets: every command is a POST, and everything that the server\n"
	 "has to say comes through a long poll.</p>\n"
	 "<pre>curl -d '\"Alice\"' URL/register\n"
	 "curl -X POST -H 'Authorization: Bearer TOKEN' "
	 "URL/create-room\n"
	 "curl -H 'Authorization: Bearer TOKEN' URL/events</pre>\n"
	 "<ul>\n";
static const char tail
    [] = "</ul>\n"
	 "<p>The protocol is described in <i>peerpost-protocol(7)</i>.</p>\n"
	 "<p><small>peerpostd " PACKAGE_VERSION "</small></p>\n"
	 "</html>\n";

/* Where links begin.  They are relative, because only the web server in front
 * of us knows where we are mounted.  But the base path is the page, too: who
 * asked for that, without a slash at its end, is one step further up. */
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

static void
add_link(
    struct buf *body, struct span here, const char *path, const char *about)
{
	buf_add_text(body, "<li><a href=\".");
	buf_add_span(body, here);
	buf_add_text(body, path);
	buf_add_text(body, "\">");
	buf_add_text(body, path + 1);
	buf_add_text(body, "</a>: ");
	buf_add_text(body, about);
	buf_add_text(body, "</li>\n");
}

void
page_answer(struct request *request, const char *base_path)
{
	struct span here = find_here(request->target, base_path);
	struct buf *body = &request->reply.body;

	request_reset_reply(request);
	request->reply.status = 200;
	request->reply.type = REPLY_HTML;
	buf_add(body, head, sizeof(head) - 1);
	if (request->has_demo)
		add_link(body, here, "/demo/", "a demo, for two tabs or more");
	add_link(body, here, "/peerpost.js", "the client for browsers");
	add_link(body, here, "/openapi.yaml", "the protocol, for programs");
	buf_add(body, tail, sizeof(tail) - 1);
}
