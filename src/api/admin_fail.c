/* admin_fail.c - see admin_fail.h. */
#include "api/admin_fail.h"

#include "api/value.h"

void
admin_fail(struct request *request, unsigned status, const char *word,
    const char *message)
{
	struct reply *reply = &request->reply;

	request_reset_reply(request);
	reply->status = status;
	reply->type = REPLY_JSON;
	buf_add_text(&reply->body, "{\"error\":\"");
	buf_add_text(&reply->body, word);
	buf_add_text(&reply->body, "\",\"message\":");
	value_add_string(&reply->body, span_of(message));
	buf_add_text(&reply->body, "}");
}
