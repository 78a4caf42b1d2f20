/* front.c - see front.h. */
#include "net/front.h"

#include <string.h>

#include "api/parse.h"
#include "base/text.h"

bool
front_has_room(const struct front *front)
{
	return front->n_connections < front->settings.max_connections;
}

bool
front_parse_method(struct span name, enum method *out)
{
	static const struct {
		const char *name;
		enum method method;
	} known[] = { { "GET", METHOD_GET }, { "POST", METHOD_POST },
		{ "HEAD", METHOD_HEAD }, { "OPTIONS", METHOD_OPTIONS },
		{ "PUT", METHOD_OTHER }, { "DELETE", METHOD_OTHER },
		{ "CONNECT", METHOD_OTHER }, { "TRACE", METHOD_OTHER },
		{ "PATCH", METHOD_OTHER } };

	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++) {
		if (span_equals(name, known[i].name)) {
			*out = known[i].method;
			return true;
		}
	}
	return false;
}

bool
front_is_text_plain(struct span type)
{
	const char *end = type.at ? memchr(type.at, ';', type.len) : NULL;

	if (end)
		type.len = (size_t)(end - type.at);
	return text_equals_nocase(text_trim(type), "text/plain");
}

bool
front_has_control(struct span value)
{
	for (size_t i = 0; i < value.len; i++) {
		unsigned char byte = (unsigned char)value.at[i];

		if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
			return true;
	}
	return false;
}

bool
front_is_hopeless(struct span length)
{
	uint64_t size;

	return length.at &&
	    (!text_to_uint(length, UINT64_MAX, &size) ||
		size > FRONT_MAX_SWALLOW);
}

bool
front_take_body(struct request *request, struct span piece, size_t *n_swallowed)
{
	buf_add_span(&request->body, piece);
	if (!request->body.overflowed)
		return true;
	request->is_too_large = true;
	*n_swallowed += piece.len;
	return *n_swallowed <= FRONT_MAX_SWALLOW;
}

bool
front_submit(
    struct front *front, struct request *request, const char *base_path)
{
	if (!request_parse(request, base_path))
		return false;
	if (!front->engine) {
		request_fail(request, NULL, ERR_SHUTTING_DOWN);
		return false;
	}
	engine_submit(front->engine, request);
	return true;
}

void
front_refuse_body(struct request *request, const char *base_path)
{
	request->is_too_large = true;
	/* A wrong path or method comes first, as it does with a small body. */
	if (request_parse(request, base_path))
		request_fail(request, NULL, ERR_TOO_LARGE);
}

void
front_complete(struct queue_chain chain)
{
	struct queue_item *item;

	while ((item = queue_chain_take(&chain)) != NULL) {
		struct task *task = CONTAINER_OF(item, struct task, item);

		task->request->give_back(task->request, task->kind);
	}
}
