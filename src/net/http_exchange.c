/* http_exchange.c - one request and its reply, from libmicrohttpd's side.
 *
 * libmicrohttpd calls exchange_on_request() once when the headers are there,
 * then for each piece of the body, then once more at its end, and as long as
 * there is no response whenever the cell is run.  A response queued in the
 * first call makes it close the connection afterwards; so only what should
 * close is answered there, and everything else at the end.
 *
 * A reply that comes from the engine is queued as soon as it is there, outside
 * of that callback, which saves a run of the cell.  While the engine has the
 * request, libmicrohttpd may find that the connection is broken, and forget
 * all that came over it: the engine reads copies only.
 */
#include "net/http_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/admin_guard.h"

static void
free_if_done(struct exchange *exchange)
{
	if (!exchange->is_over || exchange->n_out > 0)
		return;
	front_finish(exchange->front, exchange->request, &exchange->client);
	request_free(exchange->request);
	free(exchange->target);
	free(exchange->key);
	free(exchange);
}

static enum MHD_Result
reply(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;

	exchange->has_reply = true;
	return response_queue(connection, exchange->request,
	    exchange->front->is_draining || connection->is_half_closed);
}

/* It may be over when this returns, but the exchange is still there. */
static void
complete(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;

	if (exchange->is_over)
		return;
	cell_touch(connection->cell);
	if (reply(exchange) != MHD_YES)
		connection_end(connection);
}

static void
give_back(struct request *request, enum task_kind kind)
{
	struct exchange *exchange = request->owner;

	if (kind == TASK_RUN) {
		front_release(exchange->front, &exchange->client);
		complete(exchange);
	}
	exchange->n_out--;
	free_if_done(exchange);
}

void
exchange_cancel(struct exchange *exchange)
{
	if (exchange->n_out == 0 || exchange->has_reply ||
	    exchange->is_cancelled)
		return;
	exchange->is_cancelled = true;
	exchange->client.is_hung_up = true;
	exchange->n_out++;
	engine_cancel(exchange->front->port, exchange->request);
}

void *
exchange_on_target(void *cls, const char *target, struct MHD_Connection *mhd)
{
	struct http *http = cls;
	struct connection *connection = connection_of(mhd);
	struct exchange *exchange = mem_new(sizeof(*exchange));

	exchange->front = http->front;
	exchange->connection = connection;
	exchange->request = front_request_new(http->front, exchange, give_back,
	    connection_kind(connection), &connection->peer, &exchange->client);
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
	exchange_cancel(exchange);
	free_if_done(exchange);
}

static struct span
header(struct MHD_Connection *mhd, const char *name)
{
	return span_of(MHD_lookup_connection_value(mhd, MHD_HEADER_KIND, name));
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

	return front_is_hopeless(length) ||
	    (text_equals_nocase(expect, "100-continue") &&
		text_to_uint(length, UINT64_MAX, &size) && size > max_body);
}

/* The lines of one list-valued header (RFC 9110, section 5.3), joined. */
struct joined {
	struct span value; /* "not there"; of one line; or all of lines */
	struct buf lines;
};

struct forwarding {
	struct joined x_forwarded_for, forwarded;
};

static void
join(struct joined *joined, struct span value)
{
	if (!joined->value.at) {
		joined->value = value;
		return;
	}
	if (joined->lines.len == 0)
		buf_add_span(&joined->lines, joined->value);
	buf_add_text(&joined->lines, ", ");
	buf_add_span(&joined->lines, value);
	joined->value = buf_span(&joined->lines);
}

static enum MHD_Result
take_forwarding(void *cls, enum MHD_ValueKind kind, const char *key,
    size_t key_size, const char *value, size_t value_size)
{
	struct forwarding *forwarding = cls;
	struct span name = { key, key_size };

	(void)kind;
	if (value && text_equals_nocase(name, "X-Forwarded-For"))
		join(&forwarding->x_forwarded_for,
		    (struct span){ value, value_size });
	else if (value && text_equals_nocase(name, "Forwarded"))
		join(
		    &forwarding->forwarded, (struct span){ value, value_size });
	return MHD_YES;
}

static void
identify(struct exchange *exchange, struct MHD_Connection *mhd)
{
	const struct peer_address *peer = &exchange->connection->peer;
	const struct front *front = exchange->front;
	struct forwarding forwarding = { 0 };

	buf_init(&forwarding.x_forwarded_for.lines, FRONT_MAX_HEADER);
	buf_init(&forwarding.forwarded.lines, FRONT_MAX_HEADER);
	if (trusted_proxies_has(&front->settings.trusted, peer))
		MHD_get_connection_values_n(
		    mhd, MHD_HEADER_KIND, take_forwarding, &forwarding);
	front_identify(front, exchange->request, peer, false,
	    forwarding.x_forwarded_for.value, forwarding.forwarded.value,
	    &exchange->client);
	buf_fini(&forwarding.x_forwarded_for.lines);
	buf_fini(&forwarding.forwarded.lines);
}

static void
take_key(struct exchange *exchange, struct MHD_Connection *mhd)
{
	struct span key = header(mhd, "Idempotency-Key");

	if (!key.at)
		return;
	exchange->key = mem_copy_text(key.at);
	exchange->request->idempotency_key = span_of(exchange->key);
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
	err = guard_check(mhd, version);
	if (!err && !front_parse_method(span_of(method), &request->method))
		err = ERR_UNKNOWN_METHOD;
	if (err)
		return refuse(exchange, err);
	request->target = span_of(exchange->target);
	request->authorization = header(mhd, "Authorization");
	take_key(exchange, mhd);
	request->last_event_id = header(mhd, "Last-Event-ID");
	request->if_none_match = header(mhd, "If-None-Match");
	request->is_text_plain = front_is_text_plain(
	    header(mhd, "Content-Type"));
	identify(exchange, mhd);
	if (request->door == DOOR_ADMIN)
		request->is_foreign = admin_guard_is_foreign(&connection->peer,
		    header(mhd, "Host"), header(mhd, "Origin"),
		    header(mhd, "Sec-Fetch-Site"));
	if (is_hopeless(mhd, request->body.max)) {
		front_refuse_body(connection->http->front, request);
		exchange->has_reply = true;
		return response_queue(connection, request, true);
	}
	return MHD_YES;
}

static enum MHD_Result
take_upload(struct exchange *exchange, const char *upload, size_t *size)
{
	if (!front_take_body(exchange->request, (struct span){ upload, *size },
		&exchange->n_swallowed))
		return MHD_NO;
	*size = 0;
	return MHD_YES;
}

/* The body is there: answer, or let the engine answer. */
static enum MHD_Result
submit(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;
	struct request *request = exchange->request;

	request->no_hold = connection->is_half_closed;
	if (!front_submit(exchange->front, request, &exchange->client))
		return reply(exchange);
	connection_set_state(connection, CONNECTION_WAITING);
	exchange->n_out++;
	return MHD_YES;
}

enum MHD_Result
exchange_on_request(void *cls, struct MHD_Connection *mhd, const char *url,
    const char *method, const char *version, const char *upload,
    size_t *upload_size, void **context)
{
	struct exchange *exchange = *context;

	(void)cls;
	(void)url; /* we parse the target ourselves */
	if (!exchange->is_started)
		return start(exchange, mhd, method, version);
	if (*upload_size)
		return take_upload(exchange, upload, upload_size);
	/* The engine has it: there is nothing to say yet. */
	if (exchange->n_out > 0)
		return MHD_YES;
	return submit(exchange);
}
