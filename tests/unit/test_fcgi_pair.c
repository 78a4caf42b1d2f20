/* test_fcgi_pair.c - FastCGI name-value pairs, byte for byte. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "net/fastcgi/wire.h"

#define MAX_BYTES 1000000
/* A string literal, which may have NULs inside, as a span. */
#define BYTES(literal) ((struct span){ literal, sizeof(literal) - 1 })

static void
assert_spans_equal(struct span a, struct span b)
{
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.at, b.at, a.len);
}

static void
assert_next(struct span *pairs, const char *name, const char *value)
{
	struct fcgi_pair pair;
	bool more = false;

	assert_int_equal(fcgi_next_pair(pairs, &pair, &more), ERR_NONE);
	assert_true(more);
	assert_true(span_equals(pair.name, name));
	assert_true(span_equals(pair.value, value));
}

static void
assert_no_next(struct span *pairs)
{
	struct fcgi_pair pair = { .name = span_of("kept") };
	bool more = true;

	assert_int_equal(fcgi_next_pair(pairs, &pair, &more), ERR_NONE);
	assert_false(more);
	assert_int_equal(pairs->len, 0);
	assert_true(span_equals(pair.name, "kept"));
}

/* From a block of just their size, so that a sanitiser sees a look beyond. */
static void
assert_bad(struct span bytes)
{
	char *block = malloc(bytes.len);
	struct span pairs = { block, bytes.len };
	struct fcgi_pair pair = { .name = span_of("kept") };
	bool more = true;

	assert_non_null(block);
	memcpy(block, bytes.at, bytes.len);
	assert_int_equal(fcgi_next_pair(&pairs, &pair, &more), ERR_BAD_REQUEST);
	assert_ptr_equal(pairs.at, block);
	assert_int_equal(pairs.len, bytes.len);
	assert_true(more);
	assert_true(span_equals(pair.name, "kept"));
	free(block);
}

static void
test_pairs_come_one_after_another(void **state)
{
	struct span pairs = BYTES("\013\002SERVER_PORT80"
				  "\013\016SERVER_ADDR199.170.183.42");

	(void)state;
	assert_next(&pairs, "SERVER_PORT", "80");
	assert_next(&pairs, "SERVER_ADDR", "199.170.183.42");
	assert_no_next(&pairs);
	assert_no_next(&pairs);
	pairs = span_of(NULL);
	assert_no_next(&pairs);
}

static void
test_names_and_values_may_be_empty(void **state)
{
	struct span pairs = BYTES("\1\0a\0\1b\0\0\1\1cd\0\0");

	(void)state;
	assert_next(&pairs, "a", "");
	assert_next(&pairs, "", "b");
	assert_next(&pairs, "", "");
	assert_next(&pairs, "c", "d");
	assert_next(&pairs, "", "");
	assert_no_next(&pairs);
}

static void
test_a_short_length_may_be_written_in_4_bytes(void **state)
{
	struct span pairs = BYTES("\x80\0\0\1\1ab"
				  "\1\x80\0\0\1cd"
				  "\x80\0\0\0\x80\0\0\0"
				  "\x80\0\0\1\x80\0\0\2efg");

	(void)state;
	assert_next(&pairs, "a", "b");
	assert_next(&pairs, "c", "d");
	assert_next(&pairs, "", "");
	assert_next(&pairs, "e", "fg");
	assert_no_next(&pairs);
}

/* The lengths of a pair as they are written, and back. */
static void
check_lengths(size_t name_len, size_t value_len, struct span lengths)
{
	static char text[MAX_BYTES / 2];
	const struct span name = { text, name_len };
	const struct span value = { text + 1, value_len };
	struct fcgi_pair pair;
	struct buf out;
	struct span pairs;
	bool more = false;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)(i * 7 + i / 256);
	buf_init(&out, MAX_BYTES);
	fcgi_add_pair(&out, name, value);
	assert_false(out.overflowed);
	assert_spans_equal((struct span){ out.data, lengths.len }, lengths);
	assert_int_equal(out.len, lengths.len + name_len + value_len);
	pairs = buf_span(&out);
	assert_int_equal(fcgi_next_pair(&pairs, &pair, &more), ERR_NONE);
	assert_true(more);
	assert_spans_equal(pair.name, name);
	assert_spans_equal(pair.value, value);
	assert_ptr_equal(pair.name.at, out.data + lengths.len);
	assert_no_next(&pairs);
	/* Either of them one longer than there is. */
	for (size_t i = 0; i < 2; i++) {
		size_t last = i ? lengths.len - 1 : name_len > 127 ? 3 : 0;

		assert_true((uint8_t)out.data[last] != 127);
		assert_true((uint8_t)out.data[last] != 255);
		out.data[last]++;
		assert_bad(buf_span(&out));
		out.data[last]--;
	}
	buf_fini(&out);
}

static void
test_lengths_from_128_take_4_bytes(void **state)
{
	(void)state;
	check_lengths(0, 0, BYTES("\0\0"));
	check_lengths(126, 126, BYTES("\x7e\x7e"));
	check_lengths(128, 126, BYTES("\x80\0\0\x80\x7e"));
	check_lengths(126, 128, BYTES("\x7e\x80\0\0\x80"));
	check_lengths(128, 128, BYTES("\x80\0\0\x80\x80\0\0\x80"));
	check_lengths(254, 256, BYTES("\x80\0\0\xfe\x80\0\1\0"));
	check_lengths(65536, 5, BYTES("\x80\1\0\0\5"));
	check_lengths(5, 0x54321, BYTES("\5\x80\5\x43\x21"));
}

/* Only here the first of the 4 bytes counts. */
static void
test_a_value_may_have_16_mebibytes(void **state)
{
	static const char lengths[] = { 1, (char)0x81, 0, 0, 2 };
	const size_t value_len = (1 << 24) + 2;
	const size_t len = sizeof(lengths) + 1 + value_len;
	char *block = malloc(len);
	struct span pairs = { block, len };
	struct fcgi_pair pair;
	bool more = false;

	(void)state;
	assert_non_null(block);
	memset(block, 'x', len);
	memcpy(block, lengths, sizeof(lengths));
	assert_int_equal(fcgi_next_pair(&pairs, &pair, &more), ERR_NONE);
	assert_true(more);
	assert_int_equal(pair.name.len, 1);
	assert_int_equal(pair.value.len, value_len);
	assert_no_next(&pairs);
	block[1]++;
	assert_bad((struct span){ block, len });
	free(block);
}

static void
test_127_is_the_longest_in_1_byte(void **state)
{
	char text[128];
	struct span long_text = { text, 127 };
	struct buf out;
	struct span pairs;
	struct fcgi_pair pair;
	bool more = false;

	(void)state;
	memset(text, 'x', sizeof(text));
	buf_init(&out, MAX_BYTES);
	fcgi_add_pair(&out, long_text, long_text);
	assert_int_equal(out.len, 2 + 127 + 127);
	assert_memory_equal(out.data, "\x7f\x7f", 2);
	pairs = buf_span(&out);
	assert_int_equal(fcgi_next_pair(&pairs, &pair, &more), ERR_NONE);
	assert_true(more);
	assert_spans_equal(pair.name, long_text);
	assert_spans_equal(pair.value, long_text);
	assert_no_next(&pairs);
	buf_fini(&out);
}

static void
test_a_length_cut_off_is_bad(void **state)
{
	(void)state;
	assert_bad(BYTES("\0"));
	assert_bad(BYTES("\1"));
	assert_bad(BYTES("\x80"));
	assert_bad(BYTES("\x80\0"));
	assert_bad(BYTES("\x80\0\0"));
	assert_bad(BYTES("\x80\0\0\0"));
	assert_bad(BYTES("\0\x80"));
	assert_bad(BYTES("\0\x80\0"));
	assert_bad(BYTES("\0\x80\0\0"));
	assert_bad(BYTES("\x80\0\0\0\x80\0\0"));
}

static void
test_a_length_beyond_the_end_is_bad(void **state)
{
	(void)state;
	assert_bad(BYTES("\1\0"));
	assert_bad(BYTES("\0\1"));
	assert_bad(BYTES("\1\1a"));
	assert_bad(BYTES("\2\1ab"));
	assert_bad(BYTES("\1\2ab"));
	assert_bad(BYTES("\3\0ab"));
	assert_bad(BYTES("\0\3ab"));
	assert_bad(BYTES("\x7f\0ab"));
	assert_bad(BYTES("\x80\0\0\3\0ab"));
	assert_bad(BYTES("\0\x80\0\0\3ab"));
	assert_bad(BYTES("\x80\0\1\0\0ab"));
	/* The largest there are. */
	assert_bad(BYTES("\xff\xff\xff\xff\0ab"));
	assert_bad(BYTES("\0\xff\xff\xff\xff"
			 "ab"));
	assert_bad(BYTES("\xff\xff\xff\xff\xff\xff\xff\xff"
			 "ab"));
}

static void
test_what_came_before_a_bad_pair_is_good(void **state)
{
	struct span pairs = BYTES("\1\1ab\1\1c");

	(void)state;
	assert_next(&pairs, "a", "b");
	assert_int_equal(pairs.len, 3);
	assert_bad(pairs);
}

static void
test_a_buffer_too_small_is_marked(void **state)
{
	struct buf out;

	(void)state;
	for (size_t max = 0; max < 7; max++) {
		buf_init(&out, max);
		fcgi_add_pair(&out, span_of("abc"), span_of("de"));
		assert_true(out.overflowed);
		buf_fini(&out);
	}
	buf_init(&out, 7);
	fcgi_add_pair(&out, span_of("abc"), span_of("de"));
	assert_false(out.overflowed);
	buf_fini(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs_come_one_after_another),
		cmocka_unit_test(test_names_and_values_may_be_empty),
		cmocka_unit_test(test_a_short_length_may_be_written_in_4_bytes),
		cmocka_unit_test(test_lengths_from_128_take_4_bytes),
		cmocka_unit_test(test_a_value_may_have_16_mebibytes),
		cmocka_unit_test(test_127_is_the_longest_in_1_byte),
		cmocka_unit_test(test_a_length_cut_off_is_bad),
		cmocka_unit_test(test_a_length_beyond_the_end_is_bad),
		cmocka_unit_test(test_what_came_before_a_bad_pair_is_good),
		cmocka_unit_test(test_a_buffer_too_small_is_marked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
