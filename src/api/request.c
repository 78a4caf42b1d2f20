/* request.c - see request.h. */
#include "api/request.h"

#include <stdlib.h>
#include <unistd.h>

#include "api/admin/reply.h"
#include "api/asset.h"
#include "api/event_text.h"
#include "api/route.h"
#include "base/mem.h"

/* A reply holds at most a poll's worth of events, one event more, and the
 * replies to an array of commands that echo what they were given. */
#define MAX_REPLY ((size_t)64 << 20)

struct request *
request_new(size_t max_body)
{
	struct request *request = mem_new(sizeof(*request));

	buf_init(&request->body, max_body);
	buf_init(&request->reply.body, MAX_REPLY);
	buf_init(&request->reply.links, REPLY_MAX_LINKS);
	request->run = (struct task){ .kind = TASK_RUN, .request = request };
	request->cancel = (struct task){ .kind = TASK_CANCEL,
		.request = request };
	return request;
}

static void
close_file(struct reply *reply)
{
	if (reply->type == REPLY_FILE && reply->fd >= 0)
		close(reply->fd);
}

void
request_free(struct request *request)
{
	if (!request)
		return;
	close_file(&request->reply);
	for (size_t i = 0; i < request->n_calls; i++)
		free(request->calls[i].why);
	free(request->calls);
	free(request->why);
	buf_fini(&request->body);
	buf_fini(&request->reply.body);
	buf_fini(&request->reply.links);
	free(request);
}

void
request_reset_reply(struct request *request)
{
	struct buf body = request->reply.body, links = request->reply.links;

	close_file(&request->reply);
	buf_reset(&body);
	buf_reset(&links);
	request->reply = (struct reply){ .body = body, .links = links };
}

struct span
reply_body(const struct reply *reply)
{
	return reply->type == REPLY_ASSET ? reply->asset->bytes :
					    buf_span(&reply->body);
}

size_t
reply_n_sent(const struct request *request)
{
	if (request->method == METHOD_HEAD || request->reply.status == 304)
		return 0;
	if (request->reply.type == REPLY_FILE)
		return (size_t)request->reply.fd_size;
	return reply_body(&request->reply).len;
}

void
request_explain(struct request *request, char *why)
{
	if (request->err || request->why)
		free(why);
	else
		request->why = why;
}

bool
request_hides_token(const struct request *request)
{
	return !request->has_token &&
	    (request->err == ERR_BAD_JSON || request->has_odd_token);
}

/* What is known of err besides what it always says; or NULL. */
static const char *
find_why(const struct request *request, enum err err)
{
	const struct call *call = request->calls;

	if (request->why && request->err == err)
		return request->why;
	if (call && !request->is_array && call->err == err)
		return call->why;
	return NULL;
}

void
request_fail(struct request *request, const char *code, enum err err)
{
	struct reply *reply = &request->reply;
	const char *why = find_why(request, err);

	if (request->door != DOOR_PUBLIC) {
		admin_fail(request, err_status(err), err_word(err),
		    why ? why : err_sentence(err));
		reply->err = err;
		reply->retry_after_s = err_retry_after(err);
		return;
	}
	request_reset_reply(request);
	request->poll_end = POLL_NONE;
	if (!code)
		code = route_failure_code(request->route);
	reply->status = err_status(err);
	reply->err = err;
	reply->retry_after_s = err_retry_after(err);
	reply->type = REPLY_JSON;
	event_text_add_failure(&reply->body, code, err, why);
}

const char *
front_kind_word(enum front_kind kind)
{
	static const char *const words[N_FRONT_KINDS] = {
		[FRONT_HTTP] = "http",
		[FRONT_HTTPS] = "https",
		[FRONT_FASTCGI] = "fastcgi",
	};

	return words[kind];
}

const char *
poll_end_word(enum poll_end end)
{
	static const char *const words[N_POLL_ENDS] = {
		[POLL_NONE] = "",
		[POLL_MAIL] = "mail",
		[POLL_EMPTY] = "empty",
		[POLL_LATE] = "late",
		[POLL_RESET] = "reset",
		[POLL_SUPERSEDED] = "superseded",
		[POLL_CROWDED] = "crowded",
		[POLL_DRAINED] = "drained",
		[POLL_HUNG_UP] = "hung-up",
		[POLL_ENDED] = "ended",
	};

	return words[end];
}
