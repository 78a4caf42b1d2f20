/* exchange.c - one request and its reply, over HTTP.
 *
 * It is made when the head of a request has arrived (intake.c), and given to
 * libmicrohttpd once the whole request has.  libmicrohttpd then calls
 * exchange_on_request() twice and, as long as there is no response, whenever
 * the cell runs.  (A response may be queued in the first call, but
 * libmicrohttpd may then close the connection.)
 *
 * A reply that comes from the engine is queued as soon as it is there, outside
 * of that callback, which saves a run of the cell.  While the engine has the
 * request, libmicrohttpd may find that the connection is broken, and forget all
 * about it: the request is ours.
 */
#include "net/http/internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/reply.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/admin_guard.h"

/* A burst may continue after this many requests in a row that were too fast:
 * for commands, which a client may send ahead, and for other requests, which
 * none does. */
#define MAX_LIMITED_COMMANDS 64
#define MAX_LIMITED_OTHERS 4

static void
free_if_done(struct exchange *exchange)
{
	if (!exchange->is_over || exchange->n_out > 0)
		return;
	front_finish(exchange->front, exchange->request, &exchange->client);
	request_free(exchange->request);
	buf_fini(&exchange->head_bytes);
	free(exchange);
}

/* Whether anything has arrived after the current request. */
static bool
has_more(const struct connection *connection)
{
	return connection->intake.ahead.len > 0 ||
	    connection_has_bytes(connection);
}

/* Whether the connection is to end after the reply, although nothing is wrong
 * with it.  When there is little room for more connections, a poll without
 * events makes room; when there is none, so does a newcomer once it has been
 * served: the last place is for everybody, one after the other.  And the rest
 * of a long burst of requests that are all too fast is ignored. */
static bool
is_unwelcome(const struct exchange *exchange)
{
	const struct connection *connection = exchange->connection;
	const struct request *request = exchange->request;
	bool is_crowded = front_is_crowded(exchange->front);
	unsigned max = is_crowded ? 1 :
	    request->n_calls      ? MAX_LIMITED_COMMANDS :
				    MAX_LIMITED_OTHERS;

	return (request->poll_end > POLL_MAIL && is_crowded) ||
	    (!connection->has_served && front_claim_yield(exchange->front)) ||
	    (connection->has_more_bytes && connection->n_limited >= max);
}

/* Count the consecutive replies that say so. */
static void
count_limited(struct exchange *exchange)
{
	if (exchange->request->reply.err == ERR_RATE_LIMITED)
		exchange->connection->n_limited++;
	else
		exchange->connection->n_limited = 0;
}

static enum MHD_Result
reply(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;
	bool is_last;

	count_limited(exchange);
	is_last = exchange->is_answered || !exchange->head.is_kept ||
	    exchange->front->is_draining ||
	    (connection->is_half_closed && !has_more(connection)) ||
	    is_unwelcome(exchange);
	exchange->has_reply = true;
	if (is_last)
		intake_end(connection);
	return response_queue(connection, exchange->request, is_last);
}

/* The connection may have ended when this returns, but the exchange is still
 * there. */
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
	engine_cancel(exchange->front->cq, exchange->request);
}

/* The connection is free for its next request, which may have come. */
static void
go_on(struct connection *connection)
{
	bool goes_on = connection->has_more_bytes && has_more(connection);

	connection->has_more_bytes = false;
	connection_set_state(
	    connection, goes_on ? CONNECTION_RECEIVING : CONNECTION_IDLE);
	if (goes_on)
		cell_touch(connection->cell);
}

void
exchange_on_completed(void *cls, struct MHD_Connection *mhd, void **context,
    enum MHD_RequestTerminationCode code)
{
	struct exchange *exchange = *context;
	struct connection *connection;

	(void)cls;
	(void)mhd;
	(void)code; /* COMPLETED_OK does not mean that it arrived */
	if (!exchange)
		return;
	*context = NULL;
	connection = exchange->connection;
	if (connection) {
		connection->exchange = NULL;
		connection_set_unsent(connection, 0);
		if (exchange->has_reply) /* else the engine may have it */
			connection->has_served |= exchange->request->reply
						      .status < 400;
		go_on(connection);
		if (connection->is_half_closed)
			connection_hang_up(connection);
	}
	exchange->connection = NULL;
	exchange->is_over = true;
	exchange_cancel(exchange);
	free_if_done(exchange);
}

/* The lines of one list-valued header (RFC 9110, section 5.3), joined. */
struct joined {
	struct span value; /* "not there", one line, or all of lines */
	struct buf lines;
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

struct forwarding {
	struct joined x_forwarded_for, forwarded;
};

static void
find_forwarding(const struct http_head *head, struct forwarding *out)
{
	struct span rest = head->fields, name, value;

	while (http_head_next_field(&rest, &name, &value)) {
		if (text_equals_nocase(name, "X-Forwarded-For"))
			join(&out->x_forwarded_for, value);
		else if (text_equals_nocase(name, "Forwarded"))
			join(&out->forwarded, value);
	}
}

static void
identify(struct exchange *exchange)
{
	const struct peer_address *peer = &exchange->connection->peer;
	const struct front *front = exchange->front;
	struct forwarding forwarding = { 0 };

	buf_init(&forwarding.x_forwarded_for.lines, FRONT_MAX_HEADER);
	buf_init(&forwarding.forwarded.lines, FRONT_MAX_HEADER);
	if (trusted_proxies_has(&front->settings.trusted, peer))
		find_forwarding(&exchange->head, &forwarding);
	front_identify(front, exchange->request, peer, false,
	    forwarding.x_forwarded_for.value, forwarding.forwarded.value,
	    &exchange->client);
	buf_fini(&forwarding.x_forwarded_for.lines);
	buf_fini(&forwarding.forwarded.lines);
}

/* The header fields that matter here.  If a name occurs more than once, the
 * first counts. */
enum field {
	FIELD_ASKED_HEADERS,
	FIELD_AUTHORIZATION,
	FIELD_CONTENT_ENCODING,
	FIELD_CONTENT_TYPE,
	FIELD_HOST,
	FIELD_IDEMPOTENCY_KEY,
	FIELD_IF_NONE_MATCH,
	FIELD_LAST_EVENT_ID,
	FIELD_ORIGIN,
	FIELD_SEC_FETCH_SITE,
	FIELD_X_FORWARDED_PROTO,
	N_FIELDS
};

static void
find_fields(const struct http_head *head, struct span out[N_FIELDS])
{
	static const char *const names[N_FIELDS] = {
		[FIELD_ASKED_HEADERS] = "Access-Control-Request-Headers",
		[FIELD_AUTHORIZATION] = "Authorization",
		[FIELD_CONTENT_ENCODING] = "Content-Encoding",
		[FIELD_CONTENT_TYPE] = "Content-Type",
		[FIELD_HOST] = "Host",
		[FIELD_IDEMPOTENCY_KEY] = "Idempotency-Key",
		[FIELD_IF_NONE_MATCH] = "If-None-Match",
		[FIELD_LAST_EVENT_ID] = "Last-Event-ID",
		[FIELD_ORIGIN] = "Origin",
		[FIELD_SEC_FETCH_SITE] = "Sec-Fetch-Site",
		[FIELD_X_FORWARDED_PROTO] = "X-Forwarded-Proto",
	};
	struct span rest = head->fields, name, value;

	while (http_head_next_field(&rest, &name, &value))
		for (int i = 0; i < N_FIELDS; i++)
			if (!out[i].at && text_equals_nocase(name, names[i]))
				out[i] = value;
}

/* Whether the announced body is so large that it is not even read.  A client
 * that waits for "100 Continue" has not sent it yet. */
static bool
is_oversized(const struct http_head *head, size_t max_body)
{
	return head->has_length &&
	    (head->length > FRONT_MAX_DRAIN ||
		(head->expects_continue && head->length > max_body));
}

/* Fill in the request from its head. */
static void
fill_request(struct exchange *exchange, const struct span fields[N_FIELDS])
{
	struct request *request = exchange->request;

	request->target = exchange->head.target;
	request->authorization = fields[FIELD_AUTHORIZATION];
	request->idempotency_key = fields[FIELD_IDEMPOTENCY_KEY];
	request->last_event_id = fields[FIELD_LAST_EVENT_ID];
	request->if_none_match = fields[FIELD_IF_NONE_MATCH];
	request->host = fields[FIELD_HOST];
	request->is_https = front_is_https(exchange->front,
	    &exchange->connection->peer,
	    connection_kind(exchange->connection) == FRONT_HTTPS,
	    fields[FIELD_X_FORWARDED_PROTO]);
	request->content_encoding = fields[FIELD_CONTENT_ENCODING];
	request->is_text_plain = front_is_text_plain(
	    fields[FIELD_CONTENT_TYPE]);
	identify(exchange);
	if (request->listener_class == LISTENER_ADMIN)
		request->is_foreign = admin_guard_is_foreign(
		    &exchange->connection->peer, fields[FIELD_HOST],
		    fields[FIELD_ORIGIN], fields[FIELD_SEC_FETCH_SITE]);
	if (is_oversized(&exchange->head, request->body.max))
		exchange_refuse_body(exchange);
}

void
exchange_begin(struct connection *connection, struct buf *head)
{
	struct front *front = connection->http->front;
	struct exchange *exchange = mem_new(sizeof(*exchange));
	struct span fields[N_FIELDS] = { { NULL, 0 } };
	enum err err;

	exchange->front = front;
	exchange->connection = connection;
	exchange->request = front_request_new(front, exchange, give_back,
	    connection_kind(connection), &connection->peer, &exchange->client);
	connection->exchange = exchange;
	exchange->head_bytes = *head;
	buf_init(head, head->max);
	err = http_head_parse(buf_span(&exchange->head_bytes), &exchange->head);
	find_fields(&exchange->head, fields);
	exchange->cors = (struct cors_fields){ fields[FIELD_ORIGIN],
		fields[FIELD_ASKED_HEADERS] };
	if (!err &&
	    !front_parse_method(
		exchange->head.method, &exchange->request->method))
		err = ERR_UNKNOWN_METHOD;
	if (!err)
		fill_request(exchange, fields);
	exchange->head_err = err;
}

void
exchange_refuse(struct exchange *exchange, enum err err)
{
	reply_fail_as(exchange->request, NULL, err);
	exchange->is_answered = true;
}

void
exchange_refuse_body(struct exchange *exchange)
{
	front_refuse_body(exchange->front, exchange->request);
	exchange->is_answered = true;
}

bool
exchange_add_body(struct exchange *exchange, struct span piece)
{
	return front_add_body(exchange->request, piece, &exchange->n_drained);
}

size_t
exchange_write_head(
    const struct exchange *exchange, bool is_last, char *out, size_t size)
{
	const struct http_head *head = &exchange->head;
	bool is_kept = head->is_kept && !is_last;
	/* Anything that is not the version's default (RFC 9112, section 9.3).
	 */
	const char *connection = is_kept == head->is_1_1 ? "" :
	    is_kept ? "Connection: keep-alive\r\n" :
		      "Connection: close\r\n";
	int len = snprintf(out, size, "%s / HTTP/1.%d\r\n%s\r\n",
	    span_equals(head->method, "HEAD") ? "HEAD" : "GET", head->is_1_1,
	    connection);

	assert(len > 0 && (size_t)len < size);
	return (size_t)len;
}

void
exchange_abandon(struct exchange *exchange)
{
	exchange->connection = NULL;
	exchange->is_over = true;
	free_if_done(exchange);
}

/* The request is complete: answer it, or submit it to the engine. */
static enum MHD_Result
submit(struct exchange *exchange)
{
	struct connection *connection = exchange->connection;
	struct request *request = exchange->request;

	request->no_hold = connection->is_half_closed;
	if (exchange->is_answered ||
	    !front_submit(exchange->front, request, &exchange->client))
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
	struct exchange *exchange = connection_of(mhd)->exchange;

	(void)cls;
	(void)url;
	(void)method;
	(void)version;
	(void)upload;
	(void)upload_size;
	/* Or it has read from the socket itself, see intake.c. */
	assert(exchange && exchange->is_given);
	if (!*context) {
		*context = exchange;
		return MHD_YES;
	}
	/* The reply could not be queued: libmicrohttpd will not ask again. */
	if (exchange->has_reply)
		return MHD_NO;
	/* The engine has it: there is no answer yet. */
	if (exchange->n_out > 0)
		return MHD_YES;
	return submit(exchange);
}
