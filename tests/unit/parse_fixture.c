/* parse_fixture.c - one request at a time, parsed. */
#include "tests/unit/parse_fixture.h"

struct request *asked;
bool is_engines;

int
forget_request(void **state)
{
	(void)state;
	request_free(asked);
	asked = NULL;
	return 0;
}

struct request *
ask_under(const char *base_path, struct question q)
{
	forget_request(NULL);
	asked = question_request(q);
	is_engines = request_parse(asked, base_path);
	return asked;
}

struct request *
ask(struct question q)
{
	return ask_under("", q);
}

struct request *
post(const char *target, const char *body)
{
	return ask((struct question){
	    .method = METHOD_POST, .target = target, .body = body });
}

bool
body_has(const struct request *request, const char *text)
{
	return memmem(request->reply.body.data, request->reply.body.len, text,
		   strlen(text)) != NULL;
}

void
assert_answered(const struct request *request, enum err err)
{
	char word[64];

	assert_false(is_engines);
	assert_int_equal(request->reply.status, err_status(err));
	snprintf(word, sizeof(word), "\"error\":\"%s\"}", err_word(err));
	assert_true(body_has(request, word));
	assert_int_equal(request->reply.type, REPLY_JSON);
}

void
assert_passed(const struct request *request, enum err err)
{
	assert_true(is_engines);
	assert_int_equal(request->reply.status, 0);
	assert_int_equal(request->err, err);
}

void
assert_span(struct span span, const char *text)
{
	assert_non_null(span.at);
	assert_int_equal(span.len, strlen(text));
	assert_memory_equal(span.at, text, span.len);
}
