/* http_response.c - a reply's headers. */
#include "net/http_internal.h"

#include <assert.h>

#include "net/reply_headers.h"

/* (libmicrohttpd's own notes of a request take less than 150 bytes.) */
static_assert(HTTP_MEMORY / 2 >= 150 + REPLY_MAX_LINKS + 1000,
    "the largest header of a reply fits beside the head of the request");

static void
add(void *cls, const char *name, const char *value)
{
	/* It fails only when memory is short; then the rest is still right. */
	(void)MHD_add_response_header(cls, name, value);
}

static struct MHD_Response *
make_response(struct reply *reply)
{
	struct span file;
	size_t len;
	char *body;

	if (reply->type == REPLY_FILE) {
		int fd = reply->fd;

		reply->fd = -1; /* the response closes it */
		return MHD_create_response_from_fd64(reply->fd_size, fd);
	}
	if (reply->type != REPLY_ASSET) {
		body = buf_take(&reply->body, &len);
		return MHD_create_response_from_buffer(
		    len, body, MHD_RESPMEM_MUST_FREE);
	}
	file = reply_body(reply);
	return MHD_create_response_from_buffer(
	    file.len, (void *)(uintptr_t)file.at, MHD_RESPMEM_PERSISTENT);
}

enum MHD_Result
response_queue(
    struct connection *connection, struct request *request, bool is_last)
{
	struct reply *reply = &request->reply;
	struct MHD_Response *response;
	enum MHD_Result result;

	front_finish(
	    connection->http->front, request, &connection->exchange->client);
	response = make_response(reply);
	if (!response)
		return MHD_NO;
	reply_headers(reply, &connection->http->front->settings,
	    connection->exchange->origin, add, response);
	if (is_last)
		add(response, "Connection", "close");
	result = MHD_queue_response(connection->mhd, reply->status, response);
	MHD_destroy_response(response);
	if (result == MHD_YES)
		connection_set_state(connection, CONNECTION_SENDING);
	return result;
}
