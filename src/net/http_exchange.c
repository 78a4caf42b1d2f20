/* http_exchange.c - one request and its reply, from libmicrohttpd's side.
 *
 * libmicrohttpd calls exchange_on_request() once when the headers are there,
 * then for each piece of the body, then once more at its end, and again after
 * a resume.  A response queued in the first call makes it close the
 * connection afterwards; so only what should close is answered there, and
 * everything else at the end.
 */
#include "net/http_internal.h"

#include <stdlib.h>
#include <string.h>

#include "api/parse.h"
#include "base/mem.h"
#include "base/text.h"

/* A body over the limit is read and dropped up to this size, so that its
 * sender can read the answer; beyond it the connection is closed. */
#define MAX_SWALLOW ((size_t)8 << 20)

static void
free_if_done(struct exchange *exchange)
{
	if (!exchange->is_over || exchange->n_out > 0)
		return;
	request_free(exchange->request);
	free(exchange->target);
	free(exchange);
}

void *
exchange_on_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
	struct http *http = cls;
	struct connection *connection = connection_of(mhd);
	struct exchange *exchange = mem_new(sizeof(*exchange));

	exchange->connection = connection;
	exchange->request = request_new(http->settings->max_body);
	exchange->request->owner = exchange;
	/* libmicrohttpd is about to decode the original in its place. */
	exchange->target = strdup(target);
	connection->exchange = exchange;
	if (connection->state == CONNECTION_IDLE)
		connection_set_state(connection, CONNECTION_RECEIVING);
	return exchange;
}

void
exchange_on_completed(void *cls, struct MHD_Connection *mhd, void **context,
    enum MHD_RequestTerminationCode code)
{
	struct exchange *exchange = *context;
	struct connection *connection;

	(void)cls;
	(void)mhd;
	(void)code; /* COMPLETED_OK does not mean that anything arrived */
	if (!exchange)
		return;
	*context = NULL;
	connection = exchange->connection;
	if (connection) {
		connection->exchange = NULL;
		connection->is_kept = true;
		connection_set_state(connection,
		    connection->has_more_bytes ? CONNECTION_RECEIVING :
						 CONNECTION_IDLE);
		connection->has_more_bytes = false;
		if (connection->is_half_closed)
			connection_hang_up(connection);
	}
	exchange->connection = NULL;
	exchange->is_over = true;
	free_if_done(exchange);
}

static enum method
method_of(const char *method)
{
	static const struct {
		const char *name;
		enum method method;
	} served[] = { { "GET", METHOD_GET }, { "POST", METHOD_POST },
		{ "HEAD", METHOD_HEAD }, { "OPTIONS", METHOD_OPTIONS } };

	for (size_t i = 0; i < sizeof(served) / sizeof(served[0]); i++)
		if (strcmp(method, served[i].name) == 0)
			return served[i].method;
	return METHOD_OTHER;
}

static struct span
header(struct MHD_Connection *mhd, const char *name)
{
	return span_of(MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, name));
}

static bool
is_text_plain(struct span type)
{
	const char *end = type.at ? memchr(type.at, ';', type.len) : NULL;

	if (end)
		type.len = (size_t)(end - type.at);
	return text_equals_nocase(text_trim(type), "text/plain");
}

/* Write the failure and close: the rest of the request is not read. */
static enum MHD_Result
refuse(struct exchange *exchange, enum err err)
{
	struct request *request = exchange->request;

	request_fail(request, NULL, err);
	exchange->has_reply = true;
	return response_queue(exchange->connection, request, true);
}

/* Whether so large a body has been announced that it is not even read.  A
 * client that waits for "100 Continue" has not sent it yet. */
static bool
is_hopeless(struct MHD_Connection *mhd, size_t max_body)
{
	struct span length = header(mhd, "Content-Length");
	struct span expect = header(mhd, "Expect");
	uint64_t size;

	if (!length.at)
		return false;
	if (!text_to_uint(length, UINT64_MAX, &size) || size > MAX_SWALLOW)
		return true;
	return size > max_body && text_equals_nocase(expect, "100-continue");
}

/* The headers are there. */
static enum MHD_Result
start(struct exchange *exchange, struct MHD_Connection *mhd, const char *method,
    const char *version)
{
	struct connection *connection = exchange->connection;
	struct request *request = exchange->request;
	enum err err;

	exchange->is_started = true;
	connection->memory = method;
	if (!exchange->target)
		return MHD_NO;
	err = guard_check(mhd, method, version);
	if (err)
		return refuse(exchange, err);
	request->method = method_of(method);
	request->target = span_of(exchange->target);
	request->authorization = header(mhd, "Authorization");
	request->idempotency_key = header(mhd, "Idempotency-Key");
	request->last_event_id = header(mhd, "Last-Event-ID");
	request->is_text_plain = is_text_plain(header(mhd, "Content-Type"));
	memcpy(request->address, connection->address.key, ADDRESS_KEY_SIZE);
	request->is_exempt = connection->address.is_exempt;
	if (is_hopeless(mhd, request->body.max)) {
		request->is_too_large = true;
		if (request_parse(
			request, connection->http->settings->base_path))
			request_fail(request, NULL, ERR_TOO_LARGE);
		exchange->has_reply = true;
		return response_queue(connection, request, true);
	}
	return MHD_YES;
}

static enum MHD_Result
take_upload(struct exchange *exchange, const char *upload, size_t *size)
{
	struct request *request = exchange->request;

	buf_add(&request->body, upload, *size);
	if (request->body.overflowed) {
		request->is_too_large = true;
		exchange->swallowed += *size;
		if (exchange->swallowed > MAX_SWALLOW)
			return MHD_NO;
	}
	*size = 0;
	return MHD_YES;
}

/* The body is there: answer, or let the engine answer. */
static enum MHD_Result
submit(struct exchange *exchange, struct MHD_Connection *mhd)
{
	struct connection *connection = exchange->connection;
	struct request *request = exchange->request;
	struct http *http = connection->http;

	if (request_parse(request, http->settings->base_path) && http->engine) {
		request->no_hold = connection->is_half_closed;
		connection_set_state(connection, CONNECTION_WAITING);
		MHD_suspend_connection(mhd);
		exchange->n_out++;
		engine_submit(http->engine, request);
		return MHD_YES;
	}
	if (request->reply.status == 0)
		request_fail(request, NULL, ERR_SHUTTING_DOWN);
	exchange->has_reply = true;
	return response_queue(connection, request,
	    http->is_draining || connection->is_half_closed);
}

enum MHD_Result
exchange_on_request(void *cls, struct MHD_Connection *mhd, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **context)
{
	struct exchange *exchange = *context;
	struct http *http = cls;

	(void)url; /* we parse the target ourselves */
	if (!exchange->is_started)
		return start(exchange, mhd, method, version);
	if (*upload_size)
		return take_upload(exchange, upload, upload_size);
	if (!exchange->is_whole) {
		/* Ask to be called again.  A connection that is suspended in
		 * this call still wants to read: after the resume it would
		 * find the end of a half-closed stream, and close without
		 * sending our answer. */
		exchange->is_whole = true;
		cell_touch(exchange->connection->cell);
		return MHD_YES;
	}
	if (!exchange->has_reply)
		return submit(exchange, mhd);
	return response_queue(exchange->connection, exchange->request,
	    http->is_draining || exchange->connection->is_half_closed);
}

void
exchange_on_hangup(struct exchange *exchange)
{
	exchange->n_out++;
	engine_cancel(exchange->connection->http->engine, exchange->request);
}

static void
complete(struct exchange *exchange)
{
	exchange->has_reply = true;
	if (exchange->is_over)
		return;
	cell_touch(exchange->connection->cell);
	MHD_resume_connection(exchange->connection->mhd);
}

void
http_complete(struct http *http, struct queue_chain chain)
{
	struct queue_item *item;

	(void)http;
	while ((item = queue_chain_take(&chain)) != NULL) {
		struct task *task = CONTAINER_OF(item, struct task, item);
		struct exchange *exchange = task->request->owner;

		exchange->n_out--;
		if (task->kind == TASK_RUN)
			complete(exchange);
		free_if_done(exchange);
	}
}
