/* parse_fixture.h - one request at a time, parsed, for the tests of parsing.
 *
 * Included first.  What ask() returns is freed by the next one or by the
 * teardown.
 */
#ifndef PEERPOST_TESTS_PARSE_FIXTURE_H
#define PEERPOST_TESTS_PARSE_FIXTURE_H

#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/command.h"
#include "api/parse.h"
#include "api/route.h"
#include "tests/unit/question.h"

#define UUID "0f1e2d3c-4b5a-4978-8796-a5b4c3d2e1f0"

/* The current request, or NULL, and what request_parse() returned for it. */
extern struct request *asked;
extern bool is_engines;

/* Test teardown, see TEST(): free the current request. */
int forget_request(void **state);

/* Parse what is asked, under this base path. */
struct request *ask_under(const char *base_path, struct question q);
/* Parse what is asked, under no base path. */
struct request *ask(struct question q);
/* The same for a POST. */
struct request *post(const char *target, const char *body);

/* Whether the body of the reply has this text in it. */
bool body_has(const struct request *request, const char *text);

/* The parser has answered the request, with this error. */
void assert_answered(const struct request *request, enum err err);

/* The request goes to the engine, with this error to be told, or none. */
void assert_passed(const struct request *request, enum err err);

void assert_span(struct span span, const char *text);

#define TEST(name) cmocka_unit_test_teardown(name, forget_request)

#endif
