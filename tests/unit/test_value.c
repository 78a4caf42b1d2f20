/* test_value.c - decoding and printing single JSON values.
 *
 * Each text goes through json_check() first, as the contract asks, and lies
 * in a block of its exact size.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/value.h"
#include "base/text.h"

#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static char *block;
static struct buf out;

static int
set_up(void **state)
{
	(void)state;
	buf_init(&out, 65536);
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	buf_fini(&out);
	free(block);
	block = NULL;
	return 0;
}

/* The one value of the text. */
static struct json_value
value_of(const char *text)
{
	struct json_value value;
	size_t len = strlen(text);

	free(block);
	block = malloc(len);
	assert_non_null(block);
	memcpy(block, text, len);
	assert_int_equal(
	    json_check((struct span){ block, len }, &value), ERR_NONE);
	return value;
}

static void
assert_decoded(const char *json, const char *text, size_t len)
{
	buf_reset(&out);
	assert_true(value_string(value_of(json), &out));
	assert_int_equal(out.len, len);
	assert_memory_equal(out.data, text, len);
}

static void
test_strings_are_unescaped(void **state)
{
	(void)state;
	assert_decoded("\"\"", "", 0);
	assert_decoded("\"Ann\"", "Ann", 3);
	assert_decoded("\"\xc3\xa9\"", "\xc3\xa9", 2);
	assert_decoded("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\/\b\f\n\r\t", 8);
	assert_decoded("\"\\u00e9\\u20AC\\ud83d\\uDE00\"",
	    "\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80", 9);
	assert_decoded("\"a\\u0000b\"", "a\0b", 3);
}

static void
test_every_code_point_can_be_escaped(void **state)
{
	char json[16];
	uint32_t found;

	(void)state;
	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		if (code >= 0xd800 && code <= 0xdfff)
			continue;
		if (code < 0x10000)
			snprintf(
			    json, sizeof(json), "\"\\u%04x\"", (unsigned)code);
		else
			snprintf(json, sizeof(json), "\"\\u%04X\\u%04x\"",
			    (unsigned)(0xd7c0 + (code >> 10)),
			    (unsigned)(0xdc00 + (code & 0x3ff)));
		buf_reset(&out);
		assert_true(value_string(value_of(json), &out));
		assert_int_equal(
		    text_utf8_next(out.data, out.len, &found), out.len);
		assert_int_equal(found, code);
	}
}

static void
test_only_strings_are_strings(void **state)
{
	static const char *const others[] = { "1", "null", "true", "[\"a\"]",
		"{\"a\":\"b\"}" };

	(void)state;
	for (size_t i = 0; i < N_OF(others); i++)
		assert_false(value_string(value_of(others[i]), &out));
	assert_int_equal(out.len, 0);
}

static void
test_a_string_that_does_not_fit_is_told(void **state)
{
	(void)state;
	buf_fini(&out);
	buf_init(&out, 3);
	assert_true(value_string(value_of("\"abc\""), &out));
	buf_reset(&out);
	assert_true(value_string(value_of("\"\\u0061bc\""), &out));
	buf_reset(&out);
	assert_false(value_string(value_of("\"abcd\""), &out));
	buf_reset(&out);
	assert_false(value_string(value_of("\"\\u0061bcd\""), &out));
}

static bool
key_is(const char *json, const char *name)
{
	struct json_value value = value_of(json);

	return value_key_is(
	    (struct span){ value.text.at + 1, value.text.len - 2 }, name);
}

static void
test_keys_are_compared_after_unescaping(void **state)
{
	(void)state;
	assert_true(key_is("\"token\"", "token"));
	assert_true(key_is("\"t\\u006fken\"", "token"));
	assert_true(key_is("\"\\u0074\\u006F\\u006b\\u0065\\u006e\"", "token"));
	assert_false(key_is("\"Token\"", "token"));
	assert_false(key_is("\"toke\"", "token"));
	assert_false(key_is("\"tokens\"", "token"));
	assert_false(key_is("\"\"", "token"));
	assert_false(key_is("\"token\\u0000\"", "token"));
	assert_false(key_is("\"\\u0074oken\\u0000\"", "token"));
	assert_false(key_is("\"\\\\token\"", "token"));
	assert_false(
	    key_is("\"\\u0074\\u006F\\u006b\\u0065\\u006e\\u0073\"", "token"));
}

static size_t
find_name(const char *json)
{
	static const char *const names[] = { "id", "\xc3\xa9\xf0\x9f\x98\x80",
		"sixteen-bytes-it", "\"\\\n" };
	struct json_value value = value_of(json);

	return value_find_name(
	    (struct span){ value.text.at + 1, value.text.len - 2 }, names,
	    N_OF(names));
}

static void
test_a_name_is_found_however_it_is_written(void **state)
{
	(void)state;
	assert_int_equal(find_name("\"id\""), 0);
	assert_int_equal(find_name("\"\\u0069d\""), 0);
	assert_int_equal(find_name("\"\xc3\xa9\xf0\x9f\x98\x80\""), 1);
	assert_int_equal(find_name("\"\\u00E9\\uD83d\\ude00\""), 1);
	assert_int_equal(find_name("\"\\u00e9\xf0\x9f\x98\x80\""), 1);
	assert_int_equal(find_name("\"sixteen-bytes-i\\u0074\""), 2);
	assert_int_equal(find_name("\"sixteen-bytes-i\\u0074s\""), 4);
	assert_int_equal(find_name("\"\\\"\\\\\\n\""), 3);
	assert_int_equal(find_name("\"\""), 4);
	assert_int_equal(find_name("\"\\n\""), 4);
	assert_int_equal(find_name("\"i\\u0064\\ud83d\\ude00\\ud83d\\ude00"
				   "\\ud83d\\ude00\\ud83d\\ude00\""),
	    4);
}

static void
test_numbers_are_integers_from_0_to_2_53_less_1(void **state)
{
	static const struct {
		const char *text;
		uint64_t number;
	} good[] = { { "0", 0 }, { "7", 7 },
		{ "9007199254740991", 9007199254740991 }, { "1.0", 1 },
		{ "1e2", 100 }, { "-0.0", 0 } };
	static const char *const bad[] = { "-1", "-1.0", "0.5", "1e-1",
		"1e999999999", "9007199254740992", "99999999999999999999999",
		"\"7\"", "true", "null", "[7]" };
	uint64_t number;

	(void)state;
	for (size_t i = 0; i < N_OF(good); i++) {
		assert_true(value_uint(value_of(good[i].text), &number));
		assert_int_equal(number, good[i].number);
	}
	number = 4711;
	for (size_t i = 0; i < N_OF(bad); i++) {
		assert_false(value_uint(value_of(bad[i]), &number));
		assert_int_equal(number, 4711);
	}
}

static void
test_printed_strings_are_json_and_read_back_the_same(void **state)
{
	static const char *const texts[] = { "", "Ann", "\"\\/",
		"\b\f\n\r\t\x01\x1f\x7f", "\xc3\xa9\xf0\x9f\x98\x80",
		"</script>", "\xe2\x80\xa8" };
	struct json_value value;
	struct buf printed;

	(void)state;
	buf_init(&printed, 1000);
	for (size_t i = 0; i < N_OF(texts); i++) {
		buf_reset(&printed);
		value_add_string(&printed, span_of(texts[i]));
		assert_int_equal(
		    json_check(buf_span(&printed), &value), ERR_NONE);
		buf_reset(&out);
		assert_true(value_string(value, &out));
		assert_int_equal(out.len, strlen(texts[i]));
		if (out.len)
			assert_memory_equal(out.data, texts[i], out.len);
	}
	buf_fini(&printed);
}

static void
test_a_slash_is_printed_as_it_is(void **state)
{
	(void)state;
	value_add_string(&out, span_of("a/b"));
	assert_int_equal(out.len, 5);
	assert_memory_equal(out.data, "\"a/b\"", 5);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_strings_are_unescaped),
		TEST(test_every_code_point_can_be_escaped),
		TEST(test_only_strings_are_strings),
		TEST(test_a_string_that_does_not_fit_is_told),
		TEST(test_keys_are_compared_after_unescaping),
		TEST(test_a_name_is_found_however_it_is_written),
		TEST(test_numbers_are_integers_from_0_to_2_53_less_1),
		TEST(test_printed_strings_are_json_and_read_back_the_same),
		TEST(test_a_slash_is_printed_as_it_is),
	};

	return cmocka_run_group_tests_name("value", tests, NULL, NULL);
}
