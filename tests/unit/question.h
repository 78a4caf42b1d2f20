/* question.h - a request as a transport would make it.
 *
 * The body lies in a block of its exact size, so that a sanitiser sees a read
 * beyond it.
 */
#ifndef PEERPOST_TESTS_QUESTION_H
#define PEERPOST_TESTS_QUESTION_H

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
struct request *question_request(struct question q);

#endif
