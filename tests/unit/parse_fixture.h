/* parse_fixture.h - a request as a transport would make it, for the tests of
 * parsing.
 *
 * Included first: it brings what cmocka wants.  One request at a time: what
 * ask() returns is freed by the next one or by the teardown.
 */
#ifndef PEERPOST_TESTS_PARSE_FIXTURE_H
#define PEERPOST_TESTS_PARSE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "api/command.h"
#include "api/parse.h"
#include "api/route.h"
#include "tests/unit/question.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))
#define UUID "0f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0"

static struct request *asked;
static bool is_engines; /* what request_parse() said */

static inline int
forget_request(void **state)
{
	(void)state;
	request_free(asked);
	asked = NULL;
	return 0;
}

static inline struct request *
ask_under(const char *base_path, struct question q)
{
	forget_request(NULL);
	asked = question_request(q);
	is_engines = request_parse(asked, base_path);
	return asked;
}

static inline struct request *
ask(struct question q)
{
	return ask_under("", q);
}

static inline struct request *
post(const char *target, const char *body)
{
	return ask((struct question){
	    .method = METHOD_POST, .target = target, .body = body });
}

static inline bool
body_has(const struct request *request, const char *text)
{
	return memmem(request->reply.body.data, request->reply.body.len, text,
		   strlen(text)) != NULL;
}

/* The request was answered by the parser, with this error. */
static inline void
assert_answered(const struct request *request, enum err err)
{
	char word[64];

	assert_false(is_engines);
	assert_int_equal(request->reply.status, err_status(err));
	snprintf(word, sizeof(word), "\"error\":\"%s\"}", err_word(err));
	assert_true(body_has(request, word));
	assert_int_equal(request->reply.type, REPLY_JSON);
}

/* The request goes to the engine, with this error to be told, or none. */
static inline void
assert_passed(const struct request *request, enum err err)
{
	assert_true(is_engines);
	assert_int_equal(request->reply.status, 0);
	assert_int_equal(request->err, err);
}

static inline void
assert_span(struct span span, const char *text)
{
	assert_non_null(span.at);
	assert_int_equal(span.len, strlen(text));
	assert_memory_equal(span.at, text, span.len);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_request)

#endif
