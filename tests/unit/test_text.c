/* test_text.c - numbers, UTF-8, names, UUIDs. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/text.h"

#define TEXT(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static void
test_an_int_is_written_in_decimal(void **state)
{
	static const struct {
		int64_t value;
		const char *text;
	} rows[] = {
		{ 0, "0" },
		{ 7, "7" },
		{ 10, "10" },
		{ -1, "-1" },
		{ 9007199254740991, "9007199254740991" },
		{ INT64_MAX, "9223372036854775807" },
		{ INT64_MIN, "-9223372036854775808" },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		char out[TEXT_INT_SIZE];
		size_t len = text_from_int(out, rows[i].value);

		assert_true(
		    span_equals((struct span){ out, len }, rows[i].text));
	}
}

static void
test_a_number_of_digits_is_read(void **state)
{
	static const struct {
		const char *text;
		uint64_t max, value;
	} rows[] = {
		{ "0", 0, 0 },
		{ "7", 7, 7 },
		{ "10", 10, 10 },
		{ "007", 7, 7 },
		{ "00000000000000000000000000000000", 0, 0 },
		{ "9007199254740991", 9007199254740991, 9007199254740991 },
		{ "18446744073709551615", UINT64_MAX, UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		uint64_t value = 99;

		assert_true(
		    text_to_uint(span_of(rows[i].text), rows[i].max, &value));
		assert_int_equal(value, rows[i].value);
	}
}

static void
test_a_whole_number_is_read_however_it_is_written(void **state)
{
	static const struct {
		const char *text;
		uint64_t value;
	} rows[] = {
		{ "0", 0 },
		{ "007", 7 },
		{ "1.0", 1 },
		{ "5.00", 5 },
		{ "1e0", 1 },
		{ "1E0", 1 },
		{ "1e+2", 100 },
		{ "10e-1", 1 },
		{ "1.5e1", 15 },
		{ "0.0125e4", 125 },
		{ "12500.0e-2", 125 },
		{ "1.0e00000000000000000000000000000000001", 10 },
		{ "-0", 0 },
		{ "-0.0", 0 },
		{ "0e999999999999999999999999999", 0 },
		{ "0.000e-999999999999999999999999999", 0 },
		{ "9007199254740991.000", 9007199254740991 },
		{ "9.007199254740991e15", 9007199254740991 },
		{ "9007199254740991000e-3", 9007199254740991 },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		uint64_t value = 99;

		if (!text_to_whole(
			span_of(rows[i].text), 9007199254740991, &value))
			fail_msg("refused: %s", rows[i].text);
		assert_int_equal(value, rows[i].value);
	}
}

static void
test_what_is_no_whole_number_is_refused(void **state)
{
	static const struct span rows[] = { TEXT(""), { NULL, 0 }, TEXT("-"),
		TEXT("."), TEXT("1."), TEXT(".5"), TEXT("1.e1"), TEXT("e1"),
		TEXT("1e"), TEXT("1e+"), TEXT("1e-"), TEXT("1e+-1"),
		TEXT("1.5"), TEXT("0.5"), TEXT("15e-1"), TEXT("1e-1"),
		TEXT("1e-999999999999999999999999999"), TEXT("-1"),
		TEXT("-1.0"), TEXT("--0"), TEXT("+1"), TEXT(" 1"), TEXT("1 "),
		TEXT("1.0 "), TEXT("1.0abc"), TEXT("1.0.0"), TEXT("1e1e1"),
		TEXT("1,0"), TEXT("0x1"), TEXT("NaN"), TEXT("Infinity"),
		TEXT("1\0"), TEXT("9007199254740992"),
		TEXT("9007199254740992.0"), TEXT("9007199254740991.5"),
		TEXT("9.007199254740992e15"), TEXT("1e16"), TEXT("1e999999999"),
		TEXT("1e999999999999999999999999999"),
		TEXT("18446744073709551617"), TEXT("1e-1e999") };

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		uint64_t value = 99;

		if (text_to_whole(rows[i], 9007199254740991, &value))
			fail_msg(
			    "accepted: %.*s", (int)rows[i].len, rows[i].at);
		assert_int_equal(value, 99);
	}
}

/* Megabytes of zeros, and an exponent that takes them all back. */
static void
test_a_long_number_is_read_once(void **state)
{
	size_t n = (size_t)4 << 20;
	char *text = malloc(n + 16);
	uint64_t value = 0;

	(void)state;
	assert_non_null(text);
	memset(text, '0', n);
	text[1] = '.';
	text[n - 1] = '7';
	snprintf(text + n, 16, "e%zu", n - 2);
	assert_true(text_to_whole(span_of(text), 7, &value));
	assert_int_equal(value, 7);
	snprintf(text + n, 16, "e%zu", n - 3);
	assert_false(text_to_whole(span_of(text), UINT64_MAX, &value));
	free(text);
}

static void
test_a_byte_order_mark_is_skipped(void **state)
{
	static const struct span marked = TEXT("\xef\xbb\xbfx"),
				 cut = TEXT("\xef\xbb"), other = TEXT("x");

	(void)state;
	assert_true(span_equals(text_skip_mark(marked), "x"));
	assert_true(span_equals(text_skip_mark(cut), "\xef\xbb"));
	assert_true(span_equals(text_skip_mark(other), "x"));
	assert_null(text_skip_mark((struct span){ NULL, 0 }).at);
}

static void
test_what_is_no_number_or_too_great_is_refused(void **state)
{
	static const struct {
		struct span text;
		uint64_t max;
	} rows[] = {
		{ TEXT(""), 100 },
		{ { NULL, 0 }, 100 },
		{ TEXT(" 1"), 100 },
		{ TEXT("1 "), 100 },
		{ TEXT("-1"), 100 },
		{ TEXT("+1"), 100 },
		{ TEXT("1.0"), 100 },
		{ TEXT("1e1"), 100 },
		{ TEXT("0x1"), 100 },
		{ TEXT("1\0"), 100 },
		{ TEXT("/"), 100 },
		{ TEXT(":"), 100 },
		{ TEXT("1"), 0 },
		{ TEXT("8"), 7 },
		{ TEXT("70"), 7 },
		{ TEXT("11"), 10 },
		{ TEXT("101"), 100 },
		{ TEXT("9007199254740992"), 9007199254740991 },
		{ TEXT("18446744073709551616"), UINT64_MAX },
		{ TEXT("18446744073709551620"), UINT64_MAX },
		{ TEXT("99999999999999999999999"), UINT64_MAX },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		uint64_t value = 99;

		if (text_to_uint(rows[i].text, rows[i].max, &value))
			fail_msg("accepted: %.*s", (int)rows[i].text.len,
			    rows[i].text.at);
		assert_int_equal(value, 99);
	}
}

/* The bytes of a code point; our own encoder, surrogates and all. */
static size_t
encode(uint32_t code, char *out)
{
	if (code < 0x80) {
		out[0] = (char)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (char)(0xc0 | code >> 6);
		out[1] = (char)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (char)(0xe0 | code >> 12);
		out[1] = (char)(0x80 | (code >> 6 & 0x3f));
		out[2] = (char)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | code >> 18);
	out[1] = (char)(0x80 | (code >> 12 & 0x3f));
	out[2] = (char)(0x80 | (code >> 6 & 0x3f));
	out[3] = (char)(0x80 | (code & 0x3f));
	return 4;
}

static void
test_every_code_point_but_surrogates_is_utf8(void **state)
{
	(void)state;
	for (uint32_t code = 0; code <= 0x1fffff; code++) {
		bool is_good = code <= 0x10ffff &&
		    (code < 0xd800 || code > 0xdfff);
		char bytes[4];
		size_t len = encode(code, bytes);
		uint32_t read = 0;

		if (text_utf8_next(bytes, len, &read) != (is_good ? len : 0))
			fail_msg("U+%04X", (unsigned)code);
		if (is_good &&
		    (read != code ||
			text_utf8_next(bytes, len - 1, &read) != 0))
			fail_msg("U+%04X", (unsigned)code);
	}
}

static void
test_malformed_utf8_is_refused(void **state)
{
	static const struct span texts[] = { TEXT(""), TEXT("\x80"),
		TEXT("\xbf"), TEXT("\xc0\x80"), TEXT("\xc1\xbf"),
		TEXT("\xe0\x80\x80"), TEXT("\xe0\x9f\xbf"),
		TEXT("\xf0\x80\x80\x80"), TEXT("\xf0\x8f\xbf\xbf"),
		TEXT("\xf8\x88\x80\x80\x80"), TEXT("\xff"), TEXT("\xfe"),
		TEXT("\xc3("), TEXT("\xe2\x82("), TEXT("\xe2(\xac"),
		TEXT("\xf0\x9f\x98("), TEXT("\xc3\xc3") };

	(void)state;
	for (size_t i = 0; i < N_OF(texts); i++) {
		uint32_t code;

		assert_int_equal(
		    text_utf8_next(texts[i].at, texts[i].len, &code), 0);
	}
}

static void
test_a_name_counts_code_points(void **state)
{
	(void)state;
	assert_true(text_is_name(span_of("a"), 1, 64));
	assert_true(text_is_name(span_of("\xf0\x9f\x98\x80"), 1, 1));
	assert_true(text_is_name(span_of("J\xc3\xb6rg \xe2\x82\xac"), 6, 6));
	assert_false(text_is_name(span_of("\xc3\xa9\xc3\xa9"), 1, 1));
	assert_false(text_is_name(span_of("ab"), 3, 64));
	assert_false(text_is_name(span_of(""), 1, 64));
	assert_true(text_is_name(span_of(""), 0, 64));
	assert_false(text_is_name((struct span){ NULL, 0 }, 1, 64));
}

static void
test_a_name_has_no_control_characters(void **state)
{
	(void)state;
	for (uint32_t code = 0; code < 0x180; code++) {
		bool is_control = code < 0x20 || (code >= 0x7f && code < 0xa0);
		char bytes[6] = "a";
		size_t len = 1 + encode(code, bytes + 1);

		bytes[len++] = 'b';
		assert_int_equal(
		    text_is_name((struct span){ bytes, len }, 1, 64),
		    !is_control);
	}
	assert_false(text_is_name(span_of("a\xff"), 1, 64));
	assert_false(text_is_name(span_of("a\xc3"), 1, 64));
}

static void
test_a_uuid_is_told_by_its_shape(void **state)
{
	const char *good = "01234567-89ab-CDEF-0123-456789ABCDEF";
	char out[TEXT_UUID_SIZE] = "kept", bad[TEXT_UUID_SIZE];

	(void)state;
	assert_true(text_is_uuid(span_of(good), NULL));
	for (size_t at = 0; at < TEXT_UUID_SIZE - 1; at++) {
		bool is_dash = at == 8 || at == 13 || at == 18 || at == 23;

		memcpy(bad, good, sizeof(bad));
		bad[at] = is_dash ? 'a' : '-';
		assert_false(text_is_uuid(span_of(bad), out));
		bad[at] = 'g';
		assert_false(text_is_uuid(span_of(bad), out));
		bad[at] = '\0';
		assert_false(text_is_uuid(
		    (struct span){ bad, TEXT_UUID_SIZE - 1 }, out));
		assert_false(text_is_uuid((struct span){ good, at }, out));
	}
	assert_false(text_is_uuid(
	    span_of("01234567-89ab-cdef-0123-456789abcdef0"), out));
	assert_false(
	    text_is_uuid(span_of("{01234567-89ab-cdef-0123-456789abcd}"), out));
	assert_string_equal(out, "kept");
	assert_true(text_is_uuid(span_of(good), out));
	assert_string_equal(out, "01234567-89ab-cdef-0123-456789abcdef");
}

static void
test_random_bytes_make_a_version_4_uuid(void **state)
{
	char out[TEXT_UUID_SIZE];
	uint8_t bytes[16];

	(void)state;
	memset(bytes, 0, sizeof(bytes));
	text_from_uuid(out, bytes);
	assert_string_equal(out, "00000000-0000-4000-8000-000000000000");
	memset(bytes, 0xff, sizeof(bytes));
	text_from_uuid(out, bytes);
	assert_string_equal(out, "ffffffff-ffff-4fff-bfff-ffffffffffff");
	for (uint8_t i = 0; i < 16; i++)
		bytes[i] = (uint8_t)(i * 0x11);
	text_from_uuid(out, bytes);
	assert_string_equal(out, "00112233-4455-4677-8899-aabbccddeeff");
	assert_true(text_is_uuid(span_of(out), NULL));
}

static void
test_trimming_takes_json_blanks_only(void **state)
{
	(void)state;
	assert_true(span_equals(text_trim(span_of(" \t\r\na b\n ")), "a b"));
	assert_true(span_equals(text_trim(span_of("\va\f")), "\va\f"));
	assert_true(span_equals(text_trim(span_of("a")), "a"));
	assert_int_equal(text_trim(span_of(" \n\t\r")).len, 0);
	assert_int_equal(text_trim(span_of("")).len, 0);
	assert_int_equal(text_trim((struct span){ NULL, 0 }).len, 0);
}

static void
test_ascii_case_does_not_matter_where_said(void **state)
{
	struct span with_nul = TEXT("Bea\0er");

	(void)state;
	assert_true(text_equals_nocase(span_of("BeArEr"), "bearer"));
	assert_true(text_equals_nocase(span_of(""), ""));
	assert_false(text_equals_nocase(span_of("bearer "), "bearer"));
	assert_false(text_equals_nocase(span_of("beare"), "bearer"));
	assert_false(text_equals_nocase(span_of("[]"), "{}"));
	assert_false(text_equals_nocase(with_nul, "bearer"));
	assert_false(text_equals_nocase((struct span){ NULL, 0 }, "x"));
}

static void
test_a_span_that_is_not_there_equals_nothing(void **state)
{
	(void)state;
	assert_false(span_equals((struct span){ NULL, 0 }, ""));
	assert_true(span_equals(span_of(""), ""));
	assert_true(span_equals(span_of("ab"), "ab"));
	assert_false(span_equals(span_of("ab"), "abc"));
	assert_false(span_equals(span_of("abc"), "ab"));
	assert_int_equal(span_of(NULL).len, 0);
	assert_null(span_of(NULL).at);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_int_is_written_in_decimal),
		cmocka_unit_test(test_a_number_of_digits_is_read),
		cmocka_unit_test(
		    test_a_whole_number_is_read_however_it_is_written),
		cmocka_unit_test(test_what_is_no_whole_number_is_refused),
		cmocka_unit_test(test_a_long_number_is_read_once),
		cmocka_unit_test(test_a_byte_order_mark_is_skipped),
		cmocka_unit_test(
		    test_what_is_no_number_or_too_great_is_refused),
		cmocka_unit_test(test_every_code_point_but_surrogates_is_utf8),
		cmocka_unit_test(test_malformed_utf8_is_refused),
		cmocka_unit_test(test_a_name_counts_code_points),
		cmocka_unit_test(test_a_name_has_no_control_characters),
		cmocka_unit_test(test_a_uuid_is_told_by_its_shape),
		cmocka_unit_test(test_random_bytes_make_a_version_4_uuid),
		cmocka_unit_test(test_trimming_takes_json_blanks_only),
		cmocka_unit_test(test_ascii_case_does_not_matter_where_said),
		cmocka_unit_test(test_a_span_that_is_not_there_equals_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
