/* record.c - the meaning of records.
 *
 * Functions that return bool say whether the connection still makes sense.  If
 * it does not (another version, a stream out of order, an id that is live
 * already) it is closed, since there is no knowing what the other side meant,
 * and the specification leaves it open.  A request that makes no sense gets a
 * 400.  Records for a request that is not live are skipped (section 3.3), since
 * it may have been answered before its body came.
 */
#include "net/fastcgi/internal.h"

#include "base/text.h"

static bool
begin(struct fcgi_connection *connection)
{
	uint16_t id = connection->decoder.header.id;
	struct fcgi_begin begin;

	if (fcgi_exchange_find(connection, id))
		return false;
	fcgi_begin_parse((const void *)connection->control.data, &begin);
	if (begin.role != FCGI_RESPONDER) {
		fcgi_add_end_request(
		    &connection->out, id, 0, FCGI_UNKNOWN_ROLE);
		connection->is_last |= !begin.keep_conn;
	} else if (!connection->is_last &&
	    !fcgi_exchange_begin(connection, id, begin.keep_conn)) {
		fcgi_add_end_request(&connection->out, id, 0, FCGI_OVERLOADED);
		connection->is_last |= !begin.keep_conn;
	}
	return true;
}

/* GET_VALUES (section 4.1): the values asked for that we know. */
static bool
get_values(struct fcgi_connection *connection)
{
	const struct front *front = connection->fastcgi->front;
	struct span pairs = buf_span(&connection->control);
	char max[TEXT_INT_SIZE];
	struct span limit = { max,
		text_from_int(max, (int64_t)front->settings.max_connections) };
	struct fcgi_pair pair;
	struct buf values;
	bool more;

	buf_init(&values, FCGI_MAX_CONTENT);
	while (fcgi_next_pair(&pairs, &pair, &more) == ERR_NONE) {
		if (values.overflowed) /* no web server asks for so much */
			break;
		if (!more) {
			fcgi_add_record(&connection->out,
			    FCGI_GET_VALUES_RESULT, 0, buf_span(&values));
			buf_fini(&values);
			return true;
		}
		if (span_equals(pair.name, "FCGI_MAX_CONNS") ||
		    span_equals(pair.name, "FCGI_MAX_REQS"))
			fcgi_add_pair(&values, pair.name, limit);
		else if (span_equals(pair.name, "FCGI_MPXS_CONNS"))
			fcgi_add_pair(&values, pair.name, span_of("1"));
	}
	buf_fini(&values);
	return false;
}

static bool
is_application_type(uint8_t type)
{
	return type >= FCGI_BEGIN_REQUEST && type <= FCGI_DATA;
}

/* Whether to collect the record's content in connection->control. */
static bool
is_control(const struct fcgi_header *header)
{
	return header->type == FCGI_BEGIN_REQUEST ||
	    (header->type == FCGI_GET_VALUES && header->id == 0);
}

static bool
on_header(struct fcgi_connection *connection)
{
	const struct fcgi_header *header = &connection->decoder.header;
	const struct fcgi_exchange *exchange;

	buf_reset(&connection->control);
	if (header->id == 0)
		return !is_application_type(header->type);
	exchange = fcgi_exchange_find(connection, header->id);
	if (header->type == FCGI_BEGIN_REQUEST)
		return header->content_len == FCGI_BODY_SIZE;
	/* Streams come one after the other (section 6.2); those of a request
	 * answered early no longer matter. */
	if (header->type == FCGI_PARAMS)
		return !exchange || exchange->state == FCGI_STATE_PARAMS ||
		    exchange->state == FCGI_STATE_REPLIED;
	if (header->type == FCGI_STDIN)
		return !exchange || exchange->state != FCGI_STATE_PARAMS;
	return true;
}

static void
on_content(struct fcgi_connection *connection, struct span piece)
{
	const struct fcgi_header *header = &connection->decoder.header;
	struct fcgi_exchange *exchange;

	if (is_control(header)) {
		buf_add_span(&connection->control, piece);
		return;
	}
	exchange = fcgi_exchange_find(connection, header->id);
	if (!exchange)
		return;
	if (header->type == FCGI_PARAMS && exchange->state == FCGI_STATE_PARAMS)
		buf_add_span(&exchange->params, piece);
	else if (header->type == FCGI_STDIN &&
	    exchange->state == FCGI_STATE_STDIN)
		fcgi_exchange_add_body(exchange, piece);
}

static void
abort_request(struct fcgi_exchange *exchange)
{
	exchange->is_aborted = true;
	if (exchange->state == FCGI_STATE_WAITING)
		fcgi_exchange_cancel(exchange);
	else if (exchange->state != FCGI_STATE_REPLIED)
		fcgi_exchange_fail(exchange, ERR_BAD_REQUEST);
}

/* A record of a live exchange. */
static void
on_application_record(
    struct fcgi_exchange *exchange, const struct fcgi_header *header)
{
	if (header->type == FCGI_ABORT_REQUEST)
		abort_request(exchange);
	if (header->content_len > 0)
		return;
	/* An empty record is the end of a stream (section 3.3). */
	if (header->type == FCGI_PARAMS && exchange->state == FCGI_STATE_PARAMS)
		fcgi_exchange_end_params(exchange);
	else if (header->type == FCGI_STDIN &&
	    exchange->state == FCGI_STATE_STDIN)
		fcgi_exchange_end_body(exchange);
}

static bool
on_record_end(struct fcgi_connection *connection)
{
	const struct fcgi_header *header = &connection->decoder.header;
	struct fcgi_exchange *exchange;

	if (header->type == FCGI_BEGIN_REQUEST)
		return begin(connection);
	if (header->id == 0 && header->type == FCGI_GET_VALUES)
		return get_values(connection);
	if (header->id == 0) {
		fcgi_add_unknown_type(&connection->out, header->type);
		return true;
	}
	exchange = fcgi_exchange_find(connection, header->id);
	if (exchange)
		on_application_record(exchange, header);
	return true;
}

bool
fcgi_record_feed(struct fcgi_connection *connection, struct span bytes)
{
	struct span content;
	bool makes_sense = true;

	while (makes_sense) {
		switch (fcgi_decode(&connection->decoder, &bytes, &content)) {
		case FCGI_MORE:
			return true;
		case FCGI_RECORD:
			makes_sense = on_header(connection);
			break;
		case FCGI_CONTENT:
			on_content(connection, content);
			break;
		case FCGI_RECORD_END:
			makes_sense = on_record_end(connection);
			break;
		case FCGI_BAD_VERSION:
			return false;
		}
	}
	return false;
}
