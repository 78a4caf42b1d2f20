/* http.c - see http.h: start, end, and replies.
 *
 * Between two requests of a connection libmicrohttpd overwrites all of its
 * memory for it with zeros, and keeps it resident.  So it gets little,
 * HTTP_MEMORY: for a head that we write, and for the header of the reply.
 * (With the heads of clients in it, it would need 32 KiB.)
 */
#include "net/http/http.h"

#include <assert.h>
#include <stdlib.h>

#include "api/reply.h"
#include "base/mem.h"
#include "net/http/internal.h"
#include "net/reply_headers.h"

/* libmicrohttpd's own data about a request takes less than 150 bytes, and
 * everything except the values of Links less than 850.  Replies that can have
 * more, a page and a preflight that names all requested headers, have no Links,
 * and less than 850 plus HTTP_LINKS_BESIDE (test_reply_headers.c). */
static_assert(HTTP_MEMORY / 2 >= 150 + HTTP_LINKS_BESIDE + 850,
    "the header of a reply fits beside a head that takes half");
static_assert(HTTP_MEMORY >= 1000 + REPLY_MAX_LINKS + 850,
    "the largest header of a reply fits beside any other head");

struct http *
http_create(struct front *front)
{
	struct http *http = mem_new(sizeof(*http));

	http->front = front;
	for (int i = 0; i < N_CELL_KINDS; i++) {
		list_init(&http->roomy[i]);
		list_init(&http->full[i]);
	}
	list_init(&http->touched);
	for (int i = 0; i < N_CONNECTION_STATES; i++)
		for (int j = 0; j < N_CONNECTION_WORTHS; j++)
			list_init(&http->in_state[i][j]);
	list_init(&http->unsent);
	list_init(&http->hungup);
	return http;
}

bool
http_is_busy(const struct http *http)
{
	if (http->n_sending > 0 || http->n_waiting > 0)
		return true;
	for (int i = 0; i < N_CONNECTION_WORTHS; i++)
		if (!list_is_empty(&http->in_state[CONNECTION_RECEIVING][i]))
			return true;
	return false;
}

static void
free_cells(struct list *cells)
{
	struct list *node;

	while ((node = list_first(cells)) != NULL)
		cell_free(CONTAINER_OF(node, struct cell, roomy));
}

void
http_free(struct http *http)
{
	if (!http)
		return;
	for (int i = 0; i < N_CELL_KINDS; i++) {
		free_cells(&http->roomy[i]);
		free_cells(&http->full[i]);
	}
	free(http);
}

static void
add(void *cls, const char *name, const char *value)
{
	/* It fails only without memory; the rest is still correct then. */
	(void)MHD_add_response_header(cls, name, value);
}

/* NULL: there is no memory, and nothing is left behind. */
static struct MHD_Response *
make_response(struct reply *reply)
{
	struct MHD_Response *response;
	struct span file;
	size_t len;
	char *body;

	if (reply->type == REPLY_FILE) {
		response = MHD_create_response_from_fd64(
		    reply->fd_size, reply->fd);
		if (response)
			reply->fd = -1; /* the response closes it */
		return response;
	}
	if (reply->type != REPLY_ASSET) {
		body = buf_take(&reply->body, &len);
		response = MHD_create_response_from_buffer(
		    len, body, MHD_RESPMEM_MUST_FREE);
		if (!response)
			free(body);
		return response;
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
	/* A file is not in memory. */
	size_t n_bytes = reply->type == REPLY_ASSET ||
		reply->type == REPLY_FILE ?
	    0 :
	    reply_n_sent(request);

	/* They repeat the body. */
	if (connection->exchange->is_filled_up &&
	    reply->links.len > HTTP_LINKS_BESIDE)
		buf_reset(&reply->links);
	front_finish(
	    connection->http->front, request, &connection->exchange->client);
	response = make_response(reply);
	if (!response)
		return MHD_NO;
	reply_headers(reply, &connection->http->front->settings,
	    &connection->exchange->cors, add, response);
	if (is_last)
		add(response, "Connection", "close");
	result = MHD_queue_response(connection->mhd, reply->status, response);
	MHD_destroy_response(response);
	if (result == MHD_YES) {
		connection_set_unsent(connection, n_bytes);
		connection_set_state(connection, CONNECTION_SENDING);
	}
	return result;
}
