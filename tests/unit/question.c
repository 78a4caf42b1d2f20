/* question.c - a request as a transport would make it. */
#include "tests/unit/question.h"

#include <stdlib.h>
#include <string.h>

struct request *
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
