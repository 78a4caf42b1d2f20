/* http_response.c - a reply's headers. */
#include "net/http_internal.h"

#include <stdio.h>
#include <string.h>

#define ALLOWED_METHODS "GET, POST, HEAD, OPTIONS"
#define ALLOWED_HEADERS \
	"Authorization, Content-Type, Idempotency-Key, Last-Event-ID"
#define EXPOSED_HEADERS "Retry-After, Idempotency-Replayed"
#define PREFLIGHT_MAX_AGE "86400"

static void
add(struct MHD_Response *response, const char *name, const char *value)
{
	/* It fails only when memory is short; then the rest is still right. */
	(void)MHD_add_response_header(response, name, value);
}

/* Cross-Origin Resource Sharing (Fetch standard).  On errors too: without it
 * an error looks to a page like a network failure. */
static void
add_cors(struct MHD_Response *response, const struct http_settings *settings,
    struct MHD_Connection *mhd)
{
	const char *origin;

	add(response, "Access-Control-Expose-Headers", EXPOSED_HEADERS);
	if (settings->allows_any_origin) {
		add(response, "Access-Control-Allow-Origin", "*");
		return;
	}
	add(response, "Vary", "Origin");
	origin = MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, "Origin");
	for (size_t i = 0; origin && settings->origins[i]; i++)
		if (strcmp(origin, settings->origins[i]) == 0)
			add(response, "Access-Control-Allow-Origin", origin);
}

static void
add_content_headers(struct MHD_Response *response, enum reply_type type)
{
	add(response, "Content-Type",
	    type == REPLY_HTML ? "text/html; charset=utf-8" :
				 "application/json; charset=utf-8");
	add(response, "Cache-Control", "no-store");
	add(response, "X-Content-Type-Options", "nosniff");
	add(response, "Cross-Origin-Resource-Policy", "cross-origin");
}

static void
add_reply_headers(struct MHD_Response *response, const struct reply *reply)
{
	char seconds[16];

	if (reply->type != REPLY_EMPTY)
		add_content_headers(response, reply->type);
	if (reply->retry_after_s) {
		snprintf(seconds, sizeof(seconds), "%u", reply->retry_after_s);
		add(response, "Retry-After", seconds);
	}
	if (reply->allow)
		add(response, "Allow", reply->allow);
	if (reply->is_replay)
		add(response, "Idempotency-Replayed", "true");
	if (reply->status == 401) /* RFC 9110, section 11.6.1 */
		add(response, "WWW-Authenticate", "Bearer");
	if (reply->is_preflight) {
		add(response, "Access-Control-Allow-Methods", ALLOWED_METHODS);
		add(response, "Access-Control-Allow-Headers", ALLOWED_HEADERS);
		add(response, "Access-Control-Max-Age", PREFLIGHT_MAX_AGE);
	}
}

enum MHD_Result
response_queue(
    struct connection *connection, struct request *request, bool is_last)
{
	struct reply *reply = &request->reply;
	struct MHD_Response *response;
	enum MHD_Result result;
	size_t len;
	char *body = buf_take(&reply->body, &len);

	request_log(request);
	response = MHD_create_response_from_buffer(
	    len, body, MHD_RESPMEM_MUST_FREE);
	if (!response)
		return MHD_NO;
	add_reply_headers(response, reply);
	add_cors(response, connection->http->settings, connection->mhd);
	if (is_last)
		add(response, "Connection", "close");
	result = MHD_queue_response(connection->mhd, reply->status, response);
	MHD_destroy_response(response);
	if (result == MHD_YES)
		connection_set_state(connection, CONNECTION_SENDING);
	return result;
}
