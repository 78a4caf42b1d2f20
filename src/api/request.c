/* request.c - see request.h. */
#include "api/request.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

/* A reply holds at most the events of a poll, one event more, and the replies
 * to an array of commands that echo their data. */
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
