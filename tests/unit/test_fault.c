/* test_fault.c - sentences about values that clients have sent. */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <string.h>

#include "api/fault.h"
#include "api/value.h"

static void
assert_says(char *sentence, const char *expected)
{
	assert_string_equal(sentence, expected);
	free(sentence);
}

static struct json_value
value_of(const char *text)
{
	struct json_value value;

	assert_int_equal(json_check(span_of(text), &value), ERR_NONE);
	return value;
}

static void
test_a_value_is_shown_as_it_was(void **state)
{
	static const struct json_value missing = { JSON_NULL, { NULL, 0 } };

	(void)state;
	assert_says(fault_in_value("x", value_of("1.5e3"), "y"),
	    "x is 1.5e3: it must be y.");
	assert_says(fault_in_value("x", value_of("\"a b\""), "y"),
	    "x is the string 'a b': it must be y.");
	assert_says(fault_in_value("x", value_of("false"), "y"),
	    "x is false: it must be y.");
	assert_says(fault_in_value("x", value_of("null"), "y"),
	    "x is null: it must be y.");
	assert_says(fault_in_value("x", value_of("[1,2]"), "y"),
	    "x is an array: it must be y.");
	assert_says(fault_in_value("x", value_of("{\"secret\":1}"), "y"),
	    "x is an object: it must be y.");
	assert_says(
	    fault_in_value("x", missing, "y"), "x is missing: it must be y.");
	assert_says(
	    fault_in_text("x", span_of(""), "y"), "x is '': it must be y.");
}

static void
test_of_a_secret_only_the_kind_is_shown(void **state)
{
	(void)state;
	assert_says(fault_in_secret("x", value_of("4711"), "y"),
	    "x is a number: it must be y.");
	assert_says(fault_in_secret("x", value_of("\"hidden\""), "y"),
	    "x is a string: it must be y.");
	assert_says(fault_in_secret("x", value_of("true"), "y"),
	    "x is true or false: it must be y.");
}

static void
test_what_cannot_be_printed_is_not_shown(void **state)
{
	(void)state;
	assert_says(
	    fault_in_text("x", span_of("a\x01\x7f\r\n\xff\xc2\x85z"), "y"),
	    "x is 'a??????z': it must be y.");
	assert_says(
	    fault_in_text("x", span_of("\xc3\xa9\xf0\x9f\x98\x80"), "y"),
	    "x is '\xc3\xa9\xf0\x9f\x98\x80': it must be y.");
}

/* And no character is cut in two. */
static void
test_a_long_value_is_cut_off(void **state)
{
	(void)state;
	assert_says(fault_in_text(
			"x", span_of("01234567890123456789012345678901"), "y"),
	    "x is '01234567890123456789012345678901': it must be y.");
	assert_says(fault_in_text(
			"x", span_of("012345678901234567890123456789012"), "y"),
	    "x is '01234567890123456789012345678901...': it must be y.");
	assert_says(
	    fault_in_text(
		"x", span_of("0123456789012345678901234567890\xc3\xa9"), "y"),
	    "x is '0123456789012345678901234567890...': it must be y.");
}

static void
test_a_sentence_stays_short_in_json(void **state)
{
	char *sentence = fault_in_text("Last-Event-ID",
	    span_of(
		"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\"\""
		"\"\"\"\"\"\"\"\"\"\""),
	    FAULT_WHOLE_NUMBER);
	struct buf out;

	(void)state;
	buf_init(&out, SIZE_MAX);
	value_add_string(&out, span_of(sentence));
	assert_true(out.len > strlen(sentence) + FAULT_MAX_SHOWN);
	assert_true(out.len - 2 <= FAULT_MAX_JSON);
	buf_fini(&out);
	free(sentence);
}

static void
test_the_first_byte_that_is_no_utf8_is_named(void **state)
{
	(void)state;
	assert_null(fault_in_utf8("it", span_of("")));
	assert_null(fault_in_utf8("it", span_of("caf\xc3\xa9")));
	assert_says(fault_in_utf8("it", span_of("caf\xe9")),
	    "Byte 4 of it is 0xe9, which is not UTF-8: send it as UTF-8, "
	    "not as Latin-1 or UTF-16.");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_value_is_shown_as_it_was),
		cmocka_unit_test(test_of_a_secret_only_the_kind_is_shown),
		cmocka_unit_test(test_what_cannot_be_printed_is_not_shown),
		cmocka_unit_test(test_a_long_value_is_cut_off),
		cmocka_unit_test(test_a_sentence_stays_short_in_json),
		cmocka_unit_test(test_the_first_byte_that_is_no_utf8_is_named),
	};

	return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
