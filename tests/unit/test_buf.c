/* test_buf.c - the bounded buffer: its ceiling, its mark, who owns what. */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "base/buf.h"

static void
assert_holds(const struct buf *buf, const char *text)
{
	assert_true(span_equals(buf_span(buf), text));
}

static void
test_pieces_are_appended_in_order(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 1000);
	assert_holds(&buf, "");
	buf_add_text(&buf, "{\"id\":");
	buf_add_int(&buf, -42);
	buf_add_span(&buf, (struct span){ ",xyz", 2 });
	buf_add(&buf, "}\n", 1);
	buf_add_int(&buf, INT64_MAX);
	assert_holds(&buf, "{\"id\":-42,x}9223372036854775807");
	assert_false(buf.overflowed);
	buf_fini(&buf);
}

static void
test_adding_nothing_changes_nothing(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 0);
	buf_add(&buf, NULL, 0);
	buf_add_text(&buf, "");
	buf_add_span(&buf, (struct span){ NULL, 0 });
	assert_holds(&buf, "");
	assert_false(buf.overflowed);
	buf_fini(&buf);
}

static void
test_the_ceiling_itself_can_be_reached(void **state)
{
	struct buf buf;

	(void)state;
	for (size_t max = 1; max < 600; max++) {
		buf_init(&buf, max);
		for (size_t i = 0; i < max; i++)
			buf_add(&buf, "x", 1);
		assert_false(buf.overflowed);
		assert_int_equal(buf_span(&buf).len, max);
		assert_true(buf.cap <= max);
		buf_add(&buf, "y", 1);
		assert_true(buf.overflowed);
		assert_int_equal(buf_span(&buf).len, max);
		buf_fini(&buf);
	}
}

static void
test_a_piece_that_does_not_fit_leaves_a_mark_that_stays(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 4);
	buf_add_text(&buf, "abc");
	buf_add_text(&buf, "de");
	assert_true(buf.overflowed);
	assert_holds(&buf, "abc");
	/* would fit, but a text with a hole in it would be worse than none */
	buf_add_text(&buf, "f");
	assert_true(buf.overflowed);
	assert_holds(&buf, "abc");
	buf_reset(&buf);
	assert_false(buf.overflowed);
	buf_add_text(&buf, "wxyz");
	assert_holds(&buf, "wxyz");
	assert_false(buf.overflowed);
	buf_fini(&buf);
}

static void
test_a_huge_length_does_not_wrap_round(void **state)
{
	struct buf buf;

	(void)state;
	buf_init(&buf, 100);
	buf_add_text(&buf, "abc");
	buf_add(&buf, "x", SIZE_MAX);
	assert_true(buf.overflowed);
	buf_reset(&buf);
	buf_add(&buf, "x", SIZE_MAX - 2);
	assert_true(buf.overflowed);
	assert_int_equal(buf.len, 0);
	buf_fini(&buf);
}

static void
test_a_zeroed_buffer_takes_nothing(void **state)
{
	struct buf buf = { .max = 0 };

	(void)state;
	buf_add_text(&buf, "a");
	assert_true(buf.overflowed);
	assert_holds(&buf, "");
	buf_fini(&buf);
}

static void
test_taking_moves_the_bytes_to_the_caller(void **state)
{
	struct buf buf;
	size_t len = 99;
	char *bytes;

	(void)state;
	buf_init(&buf, 10);
	bytes = buf_take(&buf, &len);
	assert_non_null(bytes);
	assert_int_equal(len, 0);
	free(bytes);
	buf_add_text(&buf, "abc");
	bytes = buf_take(&buf, &len);
	assert_int_equal(len, 3);
	assert_memory_equal(bytes, "abc", 3);
	assert_holds(&buf, "");
	buf_add_text(&buf, "0123456789"); /* the ceiling is still there */
	assert_false(buf.overflowed);
	buf_add_text(&buf, "x");
	assert_true(buf.overflowed);
	assert_memory_equal(bytes, "abc", 3);
	free(bytes);
	buf_fini(&buf);
}

static void
test_a_reset_keeps_the_memory_and_a_fini_the_ceiling(void **state)
{
	struct buf buf;
	size_t cap;

	(void)state;
	buf_init(&buf, 1000);
	for (int i = 0; i < 50; i++)
		buf_add_text(&buf, "0123456789");
	cap = buf.cap;
	assert_true(cap >= 500);
	buf_reset(&buf);
	assert_int_equal(buf.cap, cap);
	assert_holds(&buf, "");
	buf_fini(&buf);
	assert_int_equal(buf.max, 1000);
	buf_add_text(&buf, "again");
	assert_holds(&buf, "again");
	buf_fini(&buf);
	buf_fini(&buf);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pieces_are_appended_in_order),
		cmocka_unit_test(test_adding_nothing_changes_nothing),
		cmocka_unit_test(test_the_ceiling_itself_can_be_reached),
		cmocka_unit_test(
		    test_a_piece_that_does_not_fit_leaves_a_mark_that_stays),
		cmocka_unit_test(test_a_huge_length_does_not_wrap_round),
		cmocka_unit_test(test_a_zeroed_buffer_takes_nothing),
		cmocka_unit_test(test_taking_moves_the_bytes_to_the_caller),
		cmocka_unit_test(
		    test_a_reset_keeps_the_memory_and_a_fini_the_ceiling),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
