/* test_http_chunks.c - chunked bodies, byte for byte.
 *
 * What is found is written down as text: the data, then "|" and whether the
 * body is whole ("."), goes on ("+") or is refused (the status of the error).
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "base/buf.h"
#include "net/http/chunks.h"

#define MAX_NOTES 1000000
/* A string literal, which may have NULs inside, as a span. */
#define BYTES(literal) ((struct span){ literal, sizeof(literal) - 1 })

/* Take a piece of a body, in a block of just its size, and note its data.
 * *out_left: how many bytes of it are left. */
static enum err
take_piece(struct http_chunks *chunks, struct span piece, struct buf *notes,
    size_t *out_left)
{
	char *block = malloc(piece.len ? piece.len : 1);
	struct span rest = { block, piece.len }, data;
	enum err err = ERR_NONE;

	assert_non_null(block);
	if (piece.len)
		memcpy(block, piece.at, piece.len);
	while (!err && rest.len && chunks->state != CHUNKS_WHOLE) {
		const struct span before = rest;

		err = http_chunks_next(chunks, &rest, &data);
		assert_true(err || rest.len < before.len);
		assert_ptr_equal(rest.at + rest.len, before.at + before.len);
		if (data.len) {
			assert_int_equal(err, ERR_NONE);
			assert_true(data.at >= before.at);
			assert_ptr_equal(data.at + data.len, rest.at);
			buf_add_span(notes, data);
		}
	}
	*out_left = rest.len;
	free(block);
	return err;
}

/* Take a body in pieces of so many bytes.  Returns how many were used. */
static size_t
take_in_pieces(struct span bytes, size_t size, struct buf *notes)
{
	struct http_chunks chunks = { 0 };
	enum err err = ERR_NONE;
	size_t at = 0, left;

	while (!err && at < bytes.len && chunks.state != CHUNKS_WHOLE) {
		size_t len = bytes.len - at < size ? bytes.len - at : size;

		err = take_piece(
		    &chunks, (struct span){ bytes.at + at, len }, notes, &left);
		at += len - left;
	}
	buf_add_text(notes, "|");
	if (err)
		buf_add_int(notes, err_status(err));
	else
		buf_add_text(notes, chunks.state == CHUNKS_WHOLE ? "." : "+");
	return at;
}

/* However bytes are cut, the same is found in them; behind a whole body there
 * are n_behind more. */
static void
assert_found(struct span bytes, const char *expected, size_t n_behind)
{
	static const size_t sizes[] = { 1, 2, 3, 7, SIZE_MAX };

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct buf notes;
		size_t used;

		buf_init(&notes, MAX_NOTES);
		used = take_in_pieces(bytes, sizes[i], &notes);
		assert_false(notes.overflowed);
		buf_add(&notes, "", 1);
		assert_string_equal(notes.data, expected);
		if (strchr(expected, '.'))
			assert_int_equal(bytes.len - used, n_behind);
		buf_fini(&notes);
	}
}

static void
assert_whole(struct span bytes, const char *expected)
{
	assert_found(bytes, expected, 0);
}

/* A body that begins with n bytes c, between two texts. */
static void
assert_found_long(const char *before, size_t n, char c, const char *after,
    const char *expected)
{
	struct buf bytes;

	buf_init(&bytes, MAX_NOTES);
	buf_add_text(&bytes, before);
	for (size_t i = 0; i < n; i++)
		buf_add(&bytes, &c, 1);
	buf_add_text(&bytes, after);
	assert_found(buf_span(&bytes), expected, 0);
	buf_fini(&bytes);
}

static void
test_data_is_put_together(void **state)
{
	(void)state;
	assert_whole(BYTES("3\r\nabc\r\n0\r\n\r\n"), "abc|.");
	assert_whole(BYTES("3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n"), "abcd|.");
	assert_whole(BYTES("0\r\n\r\n"), "|.");
	assert_whole(BYTES("a\r\n0123456789\r\n0\r\n\r\n"), "0123456789|.");
	assert_whole(BYTES("A\r\n0123456789\r\n0\r\n\r\n"), "0123456789|.");
	assert_whole(BYTES("5\r\n\r\n0\r\n\r\n0\r\n\r\n"), "\r\n0\r\n|.");
}

static void
test_what_is_behind_is_left(void **state)
{
	(void)state;
	assert_found(BYTES("1\r\na\r\n0\r\n\r\nGET /"), "a|.", 5);
	assert_found(BYTES("0\r\n\r\n\r\n"), "|.", 2);
}

static void
test_a_body_that_goes_on_is_not_whole(void **state)
{
	const struct span body = BYTES("3;a=b\r\nabc\r\n0\r\nX: y\r\n\r\n");
	const size_t data_at = 7;

	(void)state;
	for (size_t len = 0; len < body.len; len++) {
		char expected[8] = "abc|+";
		size_t n_data = len < data_at ? 0 : len - data_at;

		if (n_data < 3)
			memcpy(expected + n_data, "|+", 3);
		assert_found((struct span){ body.at, len }, expected, 0);
	}
}

static void
test_a_size_is_hexadecimal_digits(void **state)
{
	const struct span bad[] = {
		BYTES("\r\n"),
		BYTES(" 3\r\n"),
		BYTES("3 \r\n"),
		BYTES("3\t;a\r\n"),
		BYTES("+3\r\n"),
		BYTES("-3\r\n"),
		BYTES("0x3\r\n"),
		BYTES("3g\r\n"),
		BYTES("3_\r\n"),
		BYTES("3\0\r\n"),
		BYTES("g\r\n"),
		BYTES(";a\r\n"),
		BYTES("\0"),
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_whole(bad[i], "|400");
}

static void
test_a_size_may_be_as_large_as_our_numbers(void **state)
{
	(void)state;
	assert_whole(BYTES("ffffffffffffffff\r\nabc"), "abc|+");
	assert_whole(BYTES("8000000000000000\r\nabc"), "abc|+");
	assert_whole(BYTES("10000000000000000\r\nabc"), "|413");
	assert_whole(BYTES("10000000000000003\r\nabc"), "|413");
	assert_whole(BYTES("fffffffffffffffff"), "|413");
}

static void
test_zeros_in_front_of_a_size_mean_nothing(void **state)
{
	(void)state;
	assert_found_long("", 40, '0', "3\r\nabc\r\n0\r\n\r\n", "abc|.");
	assert_found_long("3\r\nabc\r\n", 40, '0', "\r\n\r\n", "abc|.");
	assert_found_long("", 20, '0', "10000000000000000\r\nabc", "|413");
}

static void
test_lines_end_with_cr_lf(void **state)
{
	(void)state;
	assert_whole(BYTES("3\nabc\r\n0\r\n\r\n"), "|400");
	assert_whole(BYTES("3\rabc\r\n0\r\n\r\n"), "|400");
	assert_whole(BYTES("3;a\nabc\r\n0\r\n\r\n"), "|400");
	assert_whole(BYTES("3;a\rb\r\nabc\r\n0\r\n\r\n"), "|400");
	assert_whole(BYTES("3\r\nabc\n0\r\n\r\n"), "abc|400");
	assert_whole(BYTES("3\r\nabc\r0\r\n\r\n"), "abc|400");
	assert_whole(BYTES("0\n\r\n"), "|400");
	assert_whole(BYTES("0\r\n\n"), "|400");
	assert_whole(BYTES("0\r\n\r\r\n"), "|400");
	assert_whole(BYTES("0\r\nX: y\n\r\n"), "|400");
	assert_whole(BYTES("0\r\nX: y\rz\r\n\r\n"), "|400");
}

static void
test_data_is_as_long_as_its_size(void **state)
{
	(void)state;
	assert_whole(BYTES("3\r\nabcX\r\n0\r\n\r\n"), "abc|400");
	assert_whole(BYTES("3\r\nabcX\n0\r\n\r\n"), "abc|400");
	assert_whole(BYTES("3\r\nabc\rX0\r\n\r\n"), "abc|400");
	assert_whole(BYTES("3\r\nabc0\r\n\r\n"), "abc|400");
	assert_whole(BYTES("3\r\nab\r\n0\r\n\r\n"), "ab\r|400");
}

static void
test_extensions_are_read_over(void **state)
{
	(void)state;
	assert_whole(BYTES("3;a=b\r\nabc\r\n0;c\r\n\r\n"), "abc|.");
	assert_whole(BYTES("3;a=\"x;y\"\r\nabc\r\n0\r\n\r\n"), "abc|.");
	assert_whole(BYTES("3;\t a \xff\r\nabc\r\n0\r\n\r\n"), "abc|.");
	assert_whole(BYTES("3;a\0\r\nabc\r\n0\r\n\r\n"), "|400");
	assert_whole(BYTES("3;a\x7f\r\nabc\r\n0\r\n\r\n"), "|400");
	assert_whole(BYTES("3;a\x01\r\nabc\r\n0\r\n\r\n"), "|400");
}

static void
test_trailer_fields_are_read_over(void **state)
{
	(void)state;
	assert_whole(BYTES("3\r\nabc\r\n0\r\nX: y\r\n\r\n"), "abc|.");
	assert_whole(BYTES("0\r\nX:\r\nContent-Length: 50\r\n\r\n"), "|.");
	assert_whole(BYTES("0\r\nX: \t\xff:y\r\n\r\n"), "|.");
	assert_whole(BYTES("0\r\nfoo\r\n\r\n"), "|400");
	assert_whole(BYTES("0\r\n: x\r\n\r\n"), "|400");
	assert_whole(BYTES("0\r\nX : y\r\n\r\n"), "|400");
	assert_whole(BYTES("0\r\nX: y\r\n z\r\n\r\n"), "|400");
	assert_whole(BYTES("0\r\n X: y\r\n\r\n"), "|400");
	assert_whole(BYTES("0\r\nX: a\0b\r\n\r\n"), "|400");
	assert_whole(BYTES("0\r\nX: a\x7f\r\n\r\n"), "|400");
}

static void
test_a_line_with_a_size_is_bounded(void **state)
{
	const size_t max = HTTP_CHUNKS_MAX_LINE;

	(void)state;
	/* CR and LF belong to it. */
	assert_found_long("", max - 3, '0', "1\r\na\r\n0\r\n\r\n", "a|.");
	assert_found_long("", max - 2, '0', "1\r\na\r\n0\r\n\r\n", "|400");
	assert_found_long("", max + 100, '0', "", "|400");
	assert_found_long("1;", max - 4, 'x', "\r\na\r\n0\r\n\r\n", "a|.");
	assert_found_long("1;", max - 3, 'x', "\r\na\r\n0\r\n\r\n", "|400");
	assert_found_long("1;", max + 100, 'x', "", "|400");
	/* Each of them, not all together. */
	assert_found_long("1;", max - 4, 'x',
	    "\r\na\r\n00000000000000000000000001\r\nb\r\n0\r\n\r\n", "ab|.");
}

static void
test_the_trailer_section_is_bounded(void **state)
{
	const size_t max = HTTP_CHUNKS_MAX_TRAILER;

	(void)state;
	/* All of it, the empty line too: "X:", twice CR LF. */
	assert_found_long("0\r\nX:", max - 6, 'y', "\r\n\r\n", "|.");
	assert_found_long("0\r\nX:", max - 5, 'y', "\r\n\r\n", "|431");
	assert_found_long("0\r\nX:", max + 100, 'y', "", "|431");
	assert_found_long("0\r\n", max + 100, 'X', "", "|431");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_data_is_put_together),
		cmocka_unit_test(test_what_is_behind_is_left),
		cmocka_unit_test(test_a_body_that_goes_on_is_not_whole),
		cmocka_unit_test(test_a_size_is_hexadecimal_digits),
		cmocka_unit_test(test_a_size_may_be_as_large_as_our_numbers),
		cmocka_unit_test(test_zeros_in_front_of_a_size_mean_nothing),
		cmocka_unit_test(test_lines_end_with_cr_lf),
		cmocka_unit_test(test_data_is_as_long_as_its_size),
		cmocka_unit_test(test_extensions_are_read_over),
		cmocka_unit_test(test_trailer_fields_are_read_over),
		cmocka_unit_test(test_a_line_with_a_size_is_bounded),
		cmocka_unit_test(test_the_trailer_section_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
