/* exchange.c - one request and its reply. */
#include "net/fastcgi/internal.h"

#include <assert.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/reply.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/text.h"
#include "net/fastcgi/cgi.h"
#include "net/reply_headers.h"

#define MAX_REPLY_HEADER 4096
/* More than is accepted, so that a refusal can name the Origin. */
#define MAX_PARAMS (2 * FRONT_MAX_HEADER)
/* A byte of a path becomes at most three. */
#define MAX_TARGET (3 * FRONT_MAX_HEADER)

static uint64_t
key_of(const struct fcgi_connection *connection, uint16_t id)
{
	return connection->serial << 16 | id;
}

static void
free_if_done(struct fcgi_exchange *exchange)
{
	if (exchange->connection || exchange->n_out > 0)
		return;
	front_finish(
	    exchange->fastcgi->front, exchange->request, &exchange->client);
	request_free(exchange->request);
	buf_fini(&exchange->params);
	buf_fini(&exchange->target);
	free(exchange);
}

/* The reply has come. */
static void
complete(struct fcgi_exchange *exchange)
{
	exchange->state = FCGI_STATE_REPLIED;
	list_remove(&exchange->deadline);
	if (!exchange->connection)
		return;
	list_append(&exchange->connection->replies, &exchange->reply);
	fcgi_connection_touch(exchange->connection);
}

static void
give_back(struct request *request, enum task_kind kind)
{
	struct fcgi_exchange *exchange = request->owner;

	exchange->n_out--;
	if (kind == TASK_RUN) {
		front_release(exchange->fastcgi->front, &exchange->client);
		complete(exchange);
	}
	free_if_done(exchange);
}

struct fcgi_exchange *
fcgi_exchange_begin(
    struct fcgi_connection *connection, uint16_t id, bool keep_conn)
{
	struct fastcgi *fastcgi = connection->fastcgi;
	struct fcgi_exchange *exchange;

	if (fastcgi->front->shared->n_fastcgi >=
	    fastcgi->front->settings.max_connections)
		return NULL;
	exchange = mem_new(sizeof(*exchange));
	exchange->fastcgi = fastcgi;
	exchange->connection = connection;
	exchange->id = id;
	exchange->key = key_of(connection, id);
	exchange->keep_conn = keep_conn;
	exchange->since_ms = clock_now_ms();
	list_init(&exchange->live);
	list_init(&exchange->reply);
	list_init(&exchange->deadline);
	buf_init(&exchange->params, MAX_PARAMS);
	buf_init(&exchange->target, MAX_TARGET);
	exchange->request = front_request_new(fastcgi->front, exchange,
	    give_back, FRONT_FASTCGI, &connection->peer, &exchange->client);
	HASH_ADD(hh, fastcgi->live, key, sizeof(exchange->key), exchange);
	list_append(&connection->exchanges, &exchange->live);
	list_append(&fastcgi->receiving, &exchange->deadline);
	connection->n_live++;
	fastcgi->n_live++;
	fastcgi->front->shared->n_fastcgi++;
	return exchange;
}

struct fcgi_exchange *
fcgi_exchange_find(const struct fcgi_connection *connection, uint16_t id)
{
	uint64_t key = key_of(connection, id);
	struct fcgi_exchange *exchange;

	HASH_FIND(hh, connection->fastcgi->live, &key, sizeof(key), exchange);
	return exchange;
}

void
fcgi_exchange_drop(struct fcgi_exchange *exchange)
{
	struct fastcgi *fastcgi = exchange->fastcgi;

	HASH_DELETE(hh, fastcgi->live, exchange);
	list_remove(&exchange->live);
	list_remove(&exchange->reply);
	list_remove(&exchange->deadline);
	exchange->connection->n_live--;
	fastcgi->n_live--;
	fastcgi->front->shared->n_fastcgi--;
	exchange->connection = NULL;
	free_if_done(exchange);
}

void
fcgi_exchange_fail(struct fcgi_exchange *exchange, enum err err)
{
	reply_fail_as(exchange->request, NULL, err);
	complete(exchange);
}

void
fcgi_exchange_cancel(struct fcgi_exchange *exchange)
{
	if (exchange->state != FCGI_STATE_WAITING || exchange->is_cancelled)
		return;
	exchange->is_cancelled = true;
	exchange->client.is_hung_up = true;
	exchange->n_out++;
	engine_cancel(exchange->fastcgi->front->cq, exchange->request);
}

/* ---- the request ---- */

/* The peer of the web server.  false: its address cannot be parsed.  No
 * REMOTE_ADDR, or "unix:" (nginx): a client on this machine, trusted as much as
 * the web server itself. */
static bool
find_remote(const struct fcgi_exchange *exchange, struct span text,
    struct peer_address *out)
{
	const char *zone = text.at ? memchr(text.at, '%', text.len) : NULL;

	*out = exchange->connection->peer;
	if (!text.at || span_equals(text, "unix:"))
		return true;
	if (zone) /* of a link-local address; RFC 4007, section 11 */
		text.len = (size_t)(zone - text.at);
	return peer_address_parse(text, out);
}

static void
identify(struct fcgi_exchange *exchange, const struct cgi *cgi)
{
	const struct front *front = exchange->fastcgi->front;
	const struct peer_address *peer = &exchange->connection->peer;
	struct span params = buf_span(&exchange->params);
	struct span x_forwarded_for = { NULL, 0 }, forwarded = { NULL, 0 };
	struct peer_address remote = *peer;
	struct buf lists[2];

	buf_init(&lists[0], MAX_PARAMS);
	buf_init(&lists[1], MAX_PARAMS);
	if (trusted_proxies_has(&front->settings.trusted, peer) &&
	    find_remote(exchange, cgi->remote_addr, &remote) &&
	    cgi->is_forwarded) {
		if (cgi_add_list(params, "HTTP_X_FORWARDED_FOR", &lists[0]))
			x_forwarded_for = buf_span(&lists[0]);
		if (cgi_add_list(params, "HTTP_FORWARDED", &lists[1]))
			forwarded = buf_span(&lists[1]);
	}
	front_identify(front, exchange->request, &remote,
	    memcmp(&remote, peer, sizeof(remote)) != 0, x_forwarded_for,
	    forwarded, &exchange->client);
	buf_fini(&lists[0]);
	buf_fini(&lists[1]);
}

/* Digits only, perhaps more than fit into our integers; or not there. */
static bool
is_number(struct span text)
{
	for (size_t i = 0; i < text.len; i++)
		if (text.at[i] < '0' || text.at[i] > '9')
			return false;
	return true;
}

static MUST_CHECK enum err
fill_request(struct fcgi_exchange *exchange, const struct cgi *cgi)
{
	const struct front_settings *settings = &exchange->fastcgi->front
						     ->settings;
	struct request *request = exchange->request;

	if (!cgi->request_method.at)
		return ERR_BAD_REQUEST;
	if (!front_parse_method(cgi->request_method, &request->method))
		return ERR_UNKNOWN_METHOD;
	request->target = cgi_target(
	    cgi, settings->base_path[0] != '\0', &exchange->target);
	request->authorization = cgi->authorization;
	request->idempotency_key = cgi->idempotency_key;
	request->last_event_id = cgi->last_event_id;
	request->if_none_match = cgi->if_none_match;
	request->host = cgi->host;
	if (settings->base_path[0] == '\0' && cgi->path_info.at)
		request->mount = cgi->script_name;
	request->is_https = front_is_https(exchange->fastcgi->front,
	    &exchange->connection->peer,
	    cgi->https.at && !text_equals_nocase(cgi->https, "off"),
	    cgi->forwarded_proto);
	request->content_encoding = cgi->content_encoding;
	request->is_text_plain = front_is_text_plain(cgi->content_type);
	exchange->has_length = text_to_uint(
	    cgi->content_length, UINT64_MAX, &exchange->length);
	if (!is_number(cgi->content_length))
		return ERR_BAD_REQUEST;
	identify(exchange, cgi);
	return ERR_NONE;
}

void
fcgi_exchange_end_params(struct fcgi_exchange *exchange)
{
	struct cgi cgi;
	enum err err;

	if (exchange->params.overflowed ||
	    exchange->params.len > FRONT_MAX_HEADER)
		err = ERR_HEADERS_TOO_LARGE;
	else
		err = cgi_parse(buf_span(&exchange->params), &cgi);
	if (err)
		exchange->cors.origin = cgi_origin(buf_span(&exchange->params));
	else
		exchange->cors = (struct cors_fields){ cgi.origin,
			cgi.asked_headers };
	if (!err)
		err = fill_request(exchange, &cgi);
	if (err) {
		fcgi_exchange_fail(exchange, err);
	} else if (front_is_oversized(cgi.content_length)) {
		front_refuse_body(exchange->fastcgi->front, exchange->request);
		complete(exchange);
	} else {
		exchange->state = FCGI_STATE_STDIN;
	}
}

void
fcgi_exchange_add_body(struct fcgi_exchange *exchange, struct span piece)
{
	exchange->n_body += piece.len;
	if (front_add_body(exchange->request, piece, &exchange->n_drained))
		return;
	front_refuse_body(exchange->fastcgi->front, exchange->request);
	complete(exchange);
}

void
fcgi_exchange_end_body(struct fcgi_exchange *exchange)
{
	struct front *front = exchange->fastcgi->front;
	struct request *request = exchange->request;

	list_remove(&exchange->deadline);
	if (exchange->has_length && exchange->n_body != exchange->length) {
		fcgi_exchange_fail(exchange, ERR_BAD_REQUEST);
		return;
	}
	request->no_hold = exchange->connection->is_half_closed;
	if (front_submit(front, request, &exchange->client)) {
		exchange->state = FCGI_STATE_WAITING;
		exchange->n_out++;
		exchange->connection->n_fresh++;
	} else {
		complete(exchange);
	}
}

/* ---- the reply ---- */

static void
add_header(void *cls, const char *name, const char *value)
{
	struct buf *header = cls;

	buf_add_text(header, name);
	buf_add_text(header, ": ");
	buf_add_text(header, value);
	buf_add_text(header, "\r\n");
}

/* RFC 9110, section 8.6: not with 204; with 304 it may be left out. */
static bool
has_length(unsigned status)
{
	return status != 204 && status != 304;
}

/* As a CGI response (RFC 3875, section 6). */
static void
write_reply(struct fcgi_exchange *exchange, struct buf *out)
{
	struct reply *reply = &exchange->request->reply;
	struct span body = reply_body(reply);
	char text[64];
	struct buf header;

	buf_init(&header, MAX_REPLY_HEADER);
	snprintf(text, sizeof(text), "%u %s", reply->status,
	    MHD_get_reason_phrase_for(reply->status));
	add_header(&header, "Status", text);
	reply_headers(reply, &exchange->fastcgi->front->settings,
	    &exchange->cors, add_header, &header);
	if (has_length(reply->status)) {
		snprintf(text, sizeof(text), "%zu", body.len);
		add_header(&header, "Content-Length", text);
	}
	buf_add_text(&header, "\r\n");
	assert(!header.overflowed);
	fcgi_add_stream(out, FCGI_STDOUT, exchange->id, buf_span(&header));
	if (exchange->request->method != METHOD_HEAD && reply->status != 304)
		fcgi_add_stream(out, FCGI_STDOUT, exchange->id, body);
	fcgi_add_record(
	    out, FCGI_STDOUT, exchange->id, (struct span){ NULL, 0 });
	buf_fini(&header);
}

void
fcgi_exchange_write(struct fcgi_exchange *exchange)
{
	struct fcgi_connection *connection = exchange->connection;

	front_finish(
	    exchange->fastcgi->front, exchange->request, &exchange->client);
	if (!exchange->is_aborted)
		write_reply(exchange, &connection->out);
	fcgi_add_end_request(
	    &connection->out, exchange->id, 0, FCGI_REQUEST_COMPLETE);
	if (!exchange->keep_conn || exchange->fastcgi->front->is_draining)
		connection->is_last = true;
	fcgi_exchange_drop(exchange);
}
