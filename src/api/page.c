/* page.c - see page.h. */
#include "config.h"

#include "api/page.h"

static const char page
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
	 "<pre>curl -d '\"Alice\"' http://HOST/register\n"
	 "curl -X POST -H 'Authorization: Bearer TOKEN' "
	 "http://HOST/create-room\n"
	 "curl -H 'Authorization: Bearer TOKEN' http://HOST/events</pre>\n"
	 "<p>The protocol is described in <i>peerpost-protocol(7)</i>.</p>\n"
	 "<p><small>peerpostd " PACKAGE_VERSION "</small></p>\n"
	 "</html>\n";

void
page_answer(struct request *request)
{
	request_reset_reply(request);
	request->reply.status = 200;
	request->reply.type = REPLY_HTML;
	buf_add(&request->reply.body, page, sizeof(page) - 1);
}
