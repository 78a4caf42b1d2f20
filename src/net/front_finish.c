/* front_finish.c - the metrics and the log line of a finished request.
 *
 * The metrics count it, and the log has one line for it.  The line has its
 * route, never its path, which may hold a token, as may the query.  An address
 * is personal data, and is written only if the operator has turned on the
 * access log.
 */
#include "net/front.h"

#include "api/admin/metrics.h"
#include "api/reply.h"
#include "api/route.h"
#include "base/clock.h"
#include "base/log_flood.h"
#include "base/log_line.h"
#include "base/metric.h"

/* A failure on our side is a warning, unless there have just been many of its
 * kind. */
static enum log_level
level_of(const struct front *front, const struct reply *reply)
{
	static struct log_flood floods[N_ERRS];

	/* The store reports that the database is full. */
	if (reply->status >= 500 &&
	    reply->status != err_status(ERR_UNKNOWN_METHOD) &&
	    reply->err != ERR_DATABASE_FULL &&
	    log_flood_passes(&floods[reply->err], LOG_LEVEL_WARNING,
		reply->err ? err_word(reply->err) : "failed"))
		return LOG_LEVEL_WARNING;
	return front->settings.has_access_log ? LOG_LEVEL_INFO :
						LOG_LEVEL_DEBUG;
}

/* If the headers of a request were refused, it is not known. */
static const char *
method_of(const struct request *request)
{
	static const char *const names[] = { "GET", "HEAD", "POST", "OPTIONS",
		"other" };

	return request->target.at ? names[request->method] : "-";
}

static void
add_reply(struct log_line *line, const struct request *request)
{
	const struct reply *reply = &request->reply;

	if (reply->status == 0)
		return;
	log_line_add_uint(line, "status", reply->status);
	if (reply->err)
		log_line_add_text(line, "error", err_word(reply->err));
	if (request->poll_end)
		log_line_add_text(
		    line, "poll", poll_end_word(request->poll_end));
	log_line_add_uint(line, "bytes", reply_n_sent(request));
}

static const char *
transport_of(const struct request *request, const struct front_client *client)
{
	switch (request->listener_class) {
	case LISTENER_ADMIN:
		return "admin";
	case LISTENER_METRICS:
		return "metrics";
	case LISTENER_PUBLIC:
		break;
	}
	return front_kind_word(client->kind);
}

static void
write_line(const struct front *front, const struct request *request,
    const struct front_client *client, enum log_level level, int64_t now_us)
{
	int64_t us = now_us - client->began_us;
	char address[PEER_ADDRESS_SIZE];
	struct log_line line;

	log_set_request(request->id);
	log_line_begin(&line, level, "finished");
	log_set_request(0);
	log_line_add_text(&line, "transport", transport_of(request, client));
	log_line_add_text(&line, "method", method_of(request));
	log_line_add_text(
	    &line, "route", request->route ? request->route->path : "-");
	add_reply(&line, request);
	log_line_add_ms(&line, "ms", us > 0 ? (uint64_t)us : 0);
	if (client->is_hung_up || request->reply.status == 0)
		log_line_add_text(&line, "gone", "yes");
	if (front->settings.has_access_log) {
		peer_address_format(&client->peer, address);
		log_line_add_text(&line, "client", address);
	}
	log_line_end(&line);
}

static void
count(const struct request *request, const struct front_client *client,
    int64_t now_us)
{
	if (request->reply.status)
		metrics_count_request(request, client->began_us, now_us);
	if (client->is_hung_up)
		metric_add(METRIC_HANGUPS, 1);
}

void
front_finish(const struct front *front, const struct request *request,
    struct front_client *client)
{
	enum log_level level;
	int64_t now_us;

	if (client->is_finished)
		return;
	client->is_finished = true;
	now_us = clock_now_us();
	if (request->listener_class == LISTENER_PUBLIC)
		count(request, client, now_us);
	level = level_of(front, &request->reply);
	if (log_is_on(level))
		write_line(front, request, client, level, now_us);
}
