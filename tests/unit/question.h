/* question.h - a request as a transport would make it.
 *
 * The body lies in a block of its exact size, so that a sanitiser sees a look
 * beyond it.
 */
#ifndef PEERPOST_TESTS_QUESTION_H
#define PEERPOST_TESTS_QUESTION_H

#include <stdlib.h>
#include <string.h>

#include "api/request.h"

/* What is to be asked; the zeroed struct is GET of nothing.  The texts must
 * live as long as the request. */
struct question {
	enum listener_class listener_class;
	enum method method;
	const char *target;
	const char *body;
	size_t body_len; /* 0: all up to the NUL */
	const char *authorization, *key, *last_event_id, *if_none_match;
	const char *content_encoding, *host, *mount;
	bool is_https, is_text_plain, is_too_large, has_demo;
};

/* The request, not yet parsed.  Caller frees with request_free(). */
static inline struct request *
question_request(struct question q)
{
	struct request *request = request_new(65536);
	size_t len = q.body_len;

	request->listener_class = q.listener_class;
	request->method = q.method;
	request->target = span_of(q.target);
	request->authorization = span_of(q.authorization);
	request->idempotency_key = span_of(q.key);
	request->last_event_id = span_of(q.last_event_id);
	request->if_none_match = span_of(q.if_none_match);
	request->host = span_of(q.host);
	request->mount = span_of(q.mount);
	request->is_https = q.is_https;
	request->content_encoding = span_of(q.content_encoding);
	request->has_demo = q.has_demo;
	request->is_text_plain = q.is_text_plain;
	request->is_too_large = q.is_too_large;
	request->is_exempt = true;
	if (q.body && len == 0)
		len = strlen(q.body);
	if (q.body) {
		request->body.data = malloc(len ? len : 1);
		if (!request->body.data)
			abort();
		memcpy(request->body.data, q.body, len);
		request->body.len = request->body.cap = len;
	}
	return request;
}

#endif
