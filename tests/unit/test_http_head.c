/* test_http_head.c - heads of HTTP requests, byte for byte.
 *
 * Each head lies in a block of just its size, so that a sanitizer sees a look
 * beyond it, and is looked at whole and byte by byte.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "base/buf.h"
#include "base/text.h"
#include "net/http/head.h"

/* A string literal, which may have NULs inside, as a span. */
#define BYTES(literal) ((struct span){ literal, sizeof(literal) - 1 })
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

#define LINE "GET /a HTTP/1.1\r\n"
#define HOST "Host: x\r\n"

/* A copy of bytes in a block of just their size.  Caller frees. */
static struct span
copy_of(struct span bytes)
{
	char *block = malloc(bytes.len ? bytes.len : 1);

	assert_non_null(block);
	if (bytes.len)
		memcpy(block, bytes.at, bytes.len);
	return (struct span){ block, bytes.len };
}

static void
free_copy(struct span copy)
{
	free((void *)(uintptr_t)copy.at);
}

/* Scan bytes byte by byte. */
static enum err
scan_slowly(struct span bytes, size_t *out_used, bool *out_is_whole)
{
	struct http_head_scan scan = { 0 };
	enum err err = ERR_NONE;
	size_t used;

	*out_is_whole = false;
	*out_used = 0;
	for (size_t i = 0; !err && !*out_is_whole && i < bytes.len; i++) {
		struct span byte = copy_of((struct span){ bytes.at + i, 1 });

		err = http_head_scan(&scan, byte, &used, out_is_whole);
		assert_int_equal(used, err ? 0 : 1);
		*out_used += used;
		free_copy(byte);
	}
	return err;
}

/* Scan bytes at once, which must be the same as byte by byte. */
static enum err
scan(struct span bytes, size_t *out_used, bool *out_is_whole)
{
	struct http_head_scan state = { 0 };
	struct span copy = copy_of(bytes);
	size_t slow_used;
	bool slow_is_whole;
	enum err slow_err = scan_slowly(bytes, &slow_used, &slow_is_whole);
	enum err err = http_head_scan(&state, copy, out_used, out_is_whole);

	free_copy(copy);
	assert_int_equal(err, slow_err);
	assert_int_equal(*out_is_whole, slow_is_whole);
	assert_int_equal(*out_used, slow_used);
	return err;
}

/* What becomes of the bytes of one head, which may be refused on the way. */
static enum err
read_head(struct span bytes, struct http_head *out)
{
	size_t used;
	bool is_whole;
	enum err err = scan(bytes, &used, &is_whole);

	if (err)
		return err;
	assert_true(is_whole);
	assert_int_equal(used, bytes.len);
	return http_head_parse(bytes, out);
}

static void
assert_good(struct span bytes, struct http_head *out)
{
	enum err err = read_head(bytes, out);

	if (err)
		print_message("%.*s", (int)bytes.len, bytes.at);
	assert_int_equal(err, ERR_NONE);
}

static void
assert_bad(struct span bytes)
{
	struct http_head head;
	enum err err = read_head(bytes, &head);

	if (!err)
		print_message("%.*s", (int)bytes.len, bytes.at);
	assert_int_equal(err, ERR_BAD_REQUEST);
}

/* Each of these field lines, after a Host, makes a head that is refused. */
static void
assert_bad_fields(const struct span *lines, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct buf head;

		buf_init(&head, 1 << 16);
		buf_add_text(&head, LINE HOST);
		buf_add_span(&head, lines[i]);
		buf_add_text(&head, "\r\n\r\n");
		assert_bad(buf_span(&head));
		buf_fini(&head);
	}
}

static void
assert_text(struct span found, const char *text)
{
	assert_int_equal(found.len, strlen(text));
	assert_memory_equal(found.at, text, found.len);
}

/* --- where it ends --- */

static void
test_a_head_ends_with_its_empty_line(void **state)
{
	size_t used;
	bool is_whole;

	(void)state;
	assert_int_equal(
	    scan(BYTES(LINE HOST "\r\nGET"), &used, &is_whole), ERR_NONE);
	assert_true(is_whole);
	assert_int_equal(used, strlen(LINE HOST "\r\n"));
}

static void
test_a_head_that_goes_on_is_not_whole(void **state)
{
	struct span head = BYTES(LINE HOST "\r\n");
	size_t used;
	bool is_whole;

	(void)state;
	for (size_t len = 0; len < head.len; len++) {
		struct span part = { head.at, len };

		assert_int_equal(scan(part, &used, &is_whole), ERR_NONE);
		assert_false(is_whole);
		assert_int_equal(used, len);
	}
}

static void
test_empty_lines_in_front_are_no_head(void **state)
{
	struct http_head head;
	size_t used;
	bool is_whole;

	(void)state;
	assert_int_equal(
	    scan(BYTES("\r\n\r\n\r\n"), &used, &is_whole), ERR_NONE);
	assert_false(is_whole);
	assert_good(BYTES("\r\n\r\n\r\n" LINE HOST "\r\n"), &head);
	assert_text(head.target, "/a");
}

static void
test_cr_and_lf_come_together_only(void **state)
{
	(void)state;
	assert_bad(BYTES("GET /a HTTP/1.1\n" HOST "\r\n"));
	assert_bad(BYTES(LINE "Host: x\n\r\n"));
	assert_bad(BYTES(LINE HOST "\n"));
	assert_bad(BYTES("\n" LINE HOST "\r\n"));
	assert_bad(BYTES("GET /a HTTP/1.1\r" HOST "\r\r"));
	assert_bad(BYTES(LINE "Host: x\r \r\n\r\n"));
	assert_bad(BYTES(LINE HOST "X: a\rb\r\n\r\n"));
	assert_bad(BYTES(LINE HOST "X: a\r\r\n\r\n"));
	assert_bad(BYTES(LINE HOST "\r\r\n"));
}

static void
test_what_comes_before_a_wrong_byte_is_said(void **state)
{
	size_t used;
	bool is_whole;

	(void)state;
	assert_int_equal(
	    scan(BYTES(LINE HOST "X: a\0b\r\n\r\n"), &used, &is_whole),
	    ERR_BAD_REQUEST);
	assert_false(is_whole);
	assert_int_equal(used, strlen(LINE HOST "X: a"));
}

static void
test_control_characters_are_refused_anywhere(void **state)
{
	const char head[] = "GET /a HTTP/1.1\r\nHost: x\r\nX: ab\r\n\r\n";

	(void)state;
	for (int c = 0; c < 256; c++) {
		bool is_control = (c < 0x20 && c != '\t') || c == 0x7f;

		for (size_t i = 0; i <= sizeof(head) - 1; i++) {
			char bytes[sizeof(head)];
			struct http_head_scan scan_state = { 0 };
			size_t used;
			bool is_whole;
			enum err err;

			/* CR and LF are the previous test's. */
			if (c == '\r' || c == '\n')
				continue;
			memcpy(bytes, head, i);
			bytes[i] = (char)c;
			memcpy(bytes + i + 1, head + i, sizeof(head) - 1 - i);
			err = http_head_scan(&scan_state,
			    (struct span){ bytes, sizeof(bytes) }, &used,
			    &is_whole);
			/* Behind the end it is not looked at, and nothing may
			 * come between CR and LF. */
			if (i == sizeof(head) - 1)
				assert_int_equal(err, ERR_NONE);
			else if (is_control || head[i] == '\n')
				assert_int_equal(err, ERR_BAD_REQUEST);
			else
				assert_int_equal(err, ERR_NONE);
		}
	}
}

/* --- the request line --- */

static void
test_a_request_line_has_three_words(void **state)
{
	struct http_head head;

	(void)state;
	assert_good(BYTES("GET /a?b=c HTTP/1.1\r\n" HOST "\r\n"), &head);
	assert_text(head.method, "GET");
	assert_text(head.target, "/a?b=c");
	assert_good(BYTES("BREW! * HTTP/1.1\r\n" HOST "\r\n"), &head);
	assert_text(head.method, "BREW!");
	assert_text(head.target, "*");
	assert_good(BYTES("GET /\xff\xfe HTTP/1.1\r\n" HOST "\r\n"), &head);
	assert_text(head.target, "/\xff\xfe");
	assert_bad(BYTES("GET\r\n" HOST "\r\n"));
	assert_bad(BYTES("GET /a\r\n" HOST "\r\n"));
	assert_bad(BYTES("GET HTTP/1.1\r\n" HOST "\r\n"));
	assert_bad(BYTES("GET  HTTP/1.1\r\n" HOST "\r\n"));
	assert_bad(BYTES("GET  /a HTTP/1.1\r\n" HOST "\r\n"));
	assert_bad(BYTES("GET /a  HTTP/1.1\r\n" HOST "\r\n"));
	assert_bad(BYTES("GET /a b HTTP/1.1\r\n" HOST "\r\n"));
	assert_bad(BYTES("GET /a HTTP/1.1 \r\n" HOST "\r\n"));
	assert_bad(BYTES(" GET /a HTTP/1.1\r\n" HOST "\r\n"));
	assert_bad(BYTES("GET\t/a\tHTTP/1.1\r\n" HOST "\r\n"));
	assert_bad(BYTES("GET /a\tb HTTP/1.1\r\n" HOST "\r\n"));
	assert_bad(BYTES(" \r\n" HOST "\r\n"));
}

static void
test_a_method_is_a_token(void **state)
{
	(void)state;
	assert_bad(BYTES("G(T /a HTTP/1.1\r\n" HOST "\r\n"));
	assert_bad(BYTES("G\xc3\xa4T /a HTTP/1.1\r\n" HOST "\r\n"));
	assert_bad(BYTES("GET: /a HTTP/1.1\r\n" HOST "\r\n"));
}

static void
test_only_versions_1_x_are_understood(void **state)
{
	static const char *const bad[] = { "HTTP/0.9", "HTTP/2.0", "HTTP/1",
		"HTTP/1.", "HTTP/1.10", "HTTP/1.a", "HTTP/1,1", "http/1.1",
		"HTTP/11", "HTTP/01.1", "HTTPS/1.1" };
	struct http_head head;

	(void)state;
	for (size_t i = 0; i < N_OF(bad); i++) {
		struct buf bytes;

		buf_init(&bytes, 1000);
		buf_add_text(&bytes, "GET /a ");
		buf_add_text(&bytes, bad[i]);
		buf_add_text(&bytes, "\r\n" HOST "\r\n");
		assert_bad(buf_span(&bytes));
		buf_fini(&bytes);
	}
	assert_good(BYTES("GET /a HTTP/1.0\r\n\r\n"), &head);
	assert_false(head.is_1_1);
	assert_good(BYTES("GET /a HTTP/1.1\r\n" HOST "\r\n"), &head);
	assert_true(head.is_1_1);
	assert_good(BYTES("GET /a HTTP/1.9\r\n" HOST "\r\n"), &head);
	assert_true(head.is_1_1);
}

/* --- field lines --- */

static void
test_a_field_name_is_a_token_up_to_the_colon(void **state)
{
	const struct span bad[] = {
		BYTES("foo"),
		BYTES(": x"),
		BYTES(":"),
		BYTES("A : x"),
		BYTES("A\t: x"),
		BYTES("a b: x"),
		BYTES("X(Y): x"),
		BYTES("X\xc3\xa4: x"),
		BYTES("\"X\": x"),
		BYTES("X\0Y: x"),
	};

	(void)state;
	assert_bad_fields(bad, N_OF(bad));
}

static void
test_folded_lines_are_refused(void **state)
{
	const struct span bad[] = {
		BYTES("X: y\r\n z"),
		BYTES("X: y\r\n\tz"),
		BYTES("X: y\r\n z: z"),
		BYTES("X:\r\n y"),
		BYTES("X: y\r\n "),
		BYTES("Transfer-Encoding:\r\n chunked"),
		BYTES("X: y\r\n Transfer-Encoding: chunked"),
	};

	(void)state;
	assert_bad_fields(bad, N_OF(bad));
	assert_bad(BYTES(LINE " X: y\r\n" HOST "\r\n"));
	assert_bad(BYTES(LINE " \r\n" HOST "\r\n"));
}

static void
test_fields_are_found_without_the_blanks_around_values(void **state)
{
	struct http_head head;
	struct span name, value, rest;

	(void)state;
	assert_good(BYTES(LINE "Host:x\r\nA: \t b c\t \r\nEmpty:\r\nB: \r\n"
			       "C::d: e\r\nD: \xff\r\n\r\n"),
	    &head);
	rest = head.fields;
	assert_true(http_head_next_field(&rest, &name, &value));
	assert_text(name, "Host");
	assert_text(value, "x");
	assert_true(http_head_next_field(&rest, &name, &value));
	assert_text(name, "A");
	assert_text(value, "b c");
	assert_true(http_head_next_field(&rest, &name, &value));
	assert_text(name, "Empty");
	assert_text(value, "");
	assert_non_null(value.at);
	assert_true(http_head_next_field(&rest, &name, &value));
	assert_text(name, "B");
	assert_text(value, "");
	assert_true(http_head_next_field(&rest, &name, &value));
	assert_text(name, "C");
	assert_text(value, ":d: e");
	assert_true(http_head_next_field(&rest, &name, &value));
	assert_text(name, "D");
	assert_text(value, "\xff");
	assert_false(http_head_next_field(&rest, &name, &value));
}

static void
test_fields_of_a_refused_head_are_found_all_the_same(void **state)
{
	struct http_head head;
	struct span name, value, rest;

	(void)state;
	assert_int_equal(http_head_parse(BYTES("GET /a HTTP/3\r\nbad\r\n"
					       "Origin: o\r\nhalf: a li"),
			     &head),
	    ERR_BAD_REQUEST);
	rest = head.fields;
	assert_true(http_head_next_field(&rest, &name, &value));
	assert_text(name, "Origin");
	assert_text(value, "o");
	assert_false(http_head_next_field(&rest, &name, &value));
	/* Not even a line. */
	assert_int_equal(http_head_parse(BYTES(""), &head), ERR_BAD_REQUEST);
	assert_int_equal(
	    http_head_parse(BYTES("GET /a HT"), &head), ERR_BAD_REQUEST);
	rest = head.fields;
	assert_false(http_head_next_field(&rest, &name, &value));
}

/* --- what it says about the body --- */

static void
test_a_length_is_digits(void **state)
{
	const struct span bad[] = {
		BYTES("Content-Length:"),
		BYTES("Content-Length: +3"),
		BYTES("Content-Length: -1"),
		BYTES("Content-Length: 0x3"),
		BYTES("Content-Length: 3 4"),
		BYTES("Content-Length: 3, 3"),
		BYTES("Content-Length: 1_0"),
		BYTES("Content-Length: 3."),
		BYTES("Content-Length: abc"),
		BYTES("Content-Length: \"3\""),
		BYTES("Content-Length: 3\0"),
		BYTES("Content-Length: 99999999999999999999999a"),
	};
	struct http_head head;

	(void)state;
	assert_bad_fields(bad, N_OF(bad));
	assert_good(BYTES(LINE HOST "Content-Length: 007\r\n\r\n"), &head);
	assert_true(head.has_length);
	assert_int_equal(head.length, 7);
	assert_good(BYTES(LINE HOST "content-LENGTH:0\r\n\r\n"), &head);
	assert_true(head.has_length);
	assert_int_equal(head.length, 0);
	assert_good(BYTES(LINE HOST "\r\n"), &head);
	assert_false(head.has_length);
	assert_false(head.is_chunked);
}

static void
test_a_length_beyond_all_numbers_is_the_largest(void **state)
{
	struct http_head head;

	(void)state;
	assert_good(
	    BYTES(LINE HOST "Content-Length: 18446744073709551614\r\n\r\n"),
	    &head);
	assert_true(head.length == UINT64_MAX - 1);
	assert_good(
	    BYTES(LINE HOST "Content-Length: 18446744073709551616\r\n\r\n"),
	    &head);
	assert_true(head.length == UINT64_MAX);
	assert_good(BYTES(LINE HOST "Content-Length: "
				    "18446744073709551619000000\r\n\r\n"),
	    &head);
	assert_true(head.length == UINT64_MAX);
}

static void
test_the_only_coding_is_chunked(void **state)
{
	const struct span bad[] = {
		BYTES("Transfer-Encoding:"),
		BYTES("Transfer-Encoding: xchunked"),
		BYTES("Transfer-Encoding: chunkedx"),
		BYTES("Transfer-Encoding: identity"),
		BYTES("Transfer-Encoding: gzip, chunked"),
		BYTES("Transfer-Encoding: chunked, identity"),
		BYTES("Transfer-Encoding: chunked, chunked"),
		BYTES("Transfer-Encoding: chunked;q=1"),
		BYTES("Transfer-Encoding: \"chunked\""),
		BYTES("Transfer-Encoding: \vchunked"),
		BYTES("Transfer-Encoding: ,chunked"),
	};
	struct http_head head;

	(void)state;
	assert_bad_fields(bad, N_OF(bad));
	assert_good(
	    BYTES(LINE HOST "Transfer-Encoding:\t CHUNKED \r\n\r\n"), &head);
	assert_true(head.is_chunked);
	/* Other names mean nothing. */
	assert_good(
	    BYTES(LINE HOST "Transfer_Encoding: chunked\r\n\r\n"), &head);
	assert_false(head.is_chunked);
}

static void
test_a_body_has_one_length_or_one_coding(void **state)
{
	const struct span bad[] = {
		BYTES("Content-Length: 3\r\nContent-Length: 3"),
		BYTES("Content-Length: 3\r\nContent-Length: 0"),
		BYTES("Content-Length: 3\r\nTransfer-Encoding: chunked"),
		BYTES("Transfer-Encoding: chunked\r\nContent-Length: 3"),
		BYTES("Transfer-Encoding: chunked\r\n"
		      "Transfer-Encoding: chunked"),
	};

	(void)state;
	assert_bad_fields(bad, N_OF(bad));
}

static void
test_http_1_0_has_no_coding(void **state)
{
	(void)state;
	assert_bad(BYTES(
	    "POST /a HTTP/1.0\r\n" HOST "Transfer-Encoding: chunked\r\n\r\n"));
}

/* --- what else it says --- */

static void
test_there_is_one_host(void **state)
{
	const struct span bad[] = {
		BYTES("Host: x"),
		BYTES("Host: y"),
		BYTES("HOST:"),
	};
	struct http_head head;

	(void)state;
	assert_bad_fields(bad, N_OF(bad));
	assert_bad(BYTES(LINE "\r\n"));
	assert_bad(BYTES("GET /a HTTP/1.0\r\n" HOST HOST "\r\n"));
	assert_good(BYTES("GET /a HTTP/1.0\r\n\r\n"), &head);
}

static void
test_a_host_is_a_name_or_an_address_with_a_port(void **state)
{
	static const char *const good[] = { "", "x", "x:8080", "[::1]:80",
		"a-b.c_d~e", "%41", "127.0.0.1" };
	static const char *const bad[] = { "a b", "a,b", "a/b", "a@b", "a?b",
		"a#b", "a\"b", "a\\b", "a\tb", "\xc3\xa4", "<x>", "a|b" };
	struct http_head head;

	(void)state;
	for (size_t i = 0; i < N_OF(good) + N_OF(bad); i++) {
		bool is_good = i < N_OF(good);
		struct buf bytes;

		buf_init(&bytes, 1000);
		buf_add_text(&bytes, LINE "Host: ");
		buf_add_text(&bytes, is_good ? good[i] : bad[i - N_OF(good)]);
		buf_add_text(&bytes, "\r\n\r\n");
		if (is_good)
			assert_good(buf_span(&bytes), &head);
		else
			assert_bad(buf_span(&bytes));
		buf_fini(&bytes);
	}
}

static bool
is_kept(const char *version, const char *fields)
{
	struct http_head head;
	struct buf bytes;

	buf_init(&bytes, 1000);
	buf_add_text(&bytes, "GET /a ");
	buf_add_text(&bytes, version);
	buf_add_text(&bytes, "\r\n" HOST);
	buf_add_text(&bytes, fields);
	buf_add_text(&bytes, "\r\n");
	assert_good(buf_span(&bytes), &head);
	buf_fini(&bytes);
	return head.is_kept;
}

static void
test_a_connection_is_kept_as_rfc_9112_9_3_says(void **state)
{
	(void)state;
	assert_true(is_kept("HTTP/1.1", ""));
	assert_true(is_kept("HTTP/1.1", "Connection: keep-alive\r\n"));
	assert_true(is_kept("HTTP/1.1", "Connection: upgrade\r\n"));
	assert_true(is_kept("HTTP/1.1", "Connection: closed\r\n"));
	assert_false(is_kept("HTTP/1.1", "Connection: close\r\n"));
	assert_false(is_kept("HTTP/1.1", "Connection: a,CLOSE\t,b\r\n"));
	assert_false(is_kept("HTTP/1.1", "Connection: keep-alive, close\r\n"));
	assert_false(is_kept(
	    "HTTP/1.1", "Connection: keep-alive\r\nConnection: close\r\n"));
	assert_false(is_kept("HTTP/1.0", ""));
	assert_false(is_kept("HTTP/1.0", "Connection: ,\r\n"));
	assert_true(is_kept("HTTP/1.0", "Connection: Keep-Alive\r\n"));
	assert_false(is_kept("HTTP/1.0", "Connection: close, keep-alive\r\n"));
}

static void
test_only_http_1_1_expects_a_100(void **state)
{
	struct http_head head;

	(void)state;
	assert_good(BYTES(LINE HOST "Expect: 100-Continue\r\n\r\n"), &head);
	assert_true(head.expects_continue);
	assert_good(BYTES(LINE HOST "Expect: 200-ok\r\n\r\n"), &head);
	assert_false(head.expects_continue);
	assert_good(
	    BYTES("GET /a HTTP/1.0\r\nExpect: 100-continue\r\n\r\n"), &head);
	assert_false(head.expects_continue);
}

static void
test_tokens_are_those_of_rfc_9110(void **state)
{
	static const char others[] = "!#$%&'*+-.^_`|~";

	(void)state;
	for (int c = 0; c < 256; c++) {
		char byte = (char)c;
		bool is_expected = (c >= '0' && c <= '9') ||
		    (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
		    (c && strchr(others, c));

		assert_int_equal(
		    text_is_token((struct span){ &byte, 1 }), is_expected);
	}
	assert_false(text_is_token(BYTES("")));
	assert_true(text_is_token(BYTES("X-Y")));
	assert_false(text_is_token(BYTES("X Y")));
	assert_false(text_is_token(BYTES("X\0")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_head_ends_with_its_empty_line),
		cmocka_unit_test(test_a_head_that_goes_on_is_not_whole),
		cmocka_unit_test(test_empty_lines_in_front_are_no_head),
		cmocka_unit_test(test_cr_and_lf_come_together_only),
		cmocka_unit_test(test_what_comes_before_a_wrong_byte_is_said),
		cmocka_unit_test(test_control_characters_are_refused_anywhere),
		cmocka_unit_test(test_a_request_line_has_three_words),
		cmocka_unit_test(test_a_method_is_a_token),
		cmocka_unit_test(test_only_versions_1_x_are_understood),
		cmocka_unit_test(test_a_field_name_is_a_token_up_to_the_colon),
		cmocka_unit_test(test_folded_lines_are_refused),
		cmocka_unit_test(
		    test_fields_are_found_without_the_blanks_around_values),
		cmocka_unit_test(
		    test_fields_of_a_refused_head_are_found_all_the_same),
		cmocka_unit_test(test_a_length_is_digits),
		cmocka_unit_test(
		    test_a_length_beyond_all_numbers_is_the_largest),
		cmocka_unit_test(test_the_only_coding_is_chunked),
		cmocka_unit_test(test_a_body_has_one_length_or_one_coding),
		cmocka_unit_test(test_http_1_0_has_no_coding),
		cmocka_unit_test(test_there_is_one_host),
		cmocka_unit_test(
		    test_a_host_is_a_name_or_an_address_with_a_port),
		cmocka_unit_test(
		    test_a_connection_is_kept_as_rfc_9112_9_3_says),
		cmocka_unit_test(test_only_http_1_1_expects_a_100),
		cmocka_unit_test(test_tokens_are_those_of_rfc_9110),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
