/* test_fcgi_wire.c - FastCGI records, byte for byte.
 *
 * What the decoder says is written down as text: "{type id length padding"
 * for a header, then "|" and the content, then "}"; "!" is a bad version.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "net/fastcgi/wire.h"

#define MAX_BYTES 1000000
/* A string literal, which may have NULs inside, as a span. */
#define BYTES(literal) ((struct span){ literal, sizeof(literal) - 1 })

/* Request 1 of appendix B, where "..." is not shown: here it ends. */
#define SERVER_PARAMS "\013\002SERVER_PORT80\013\016SERVER_ADDR199.170.183.42"
#define SIMPLE_REQUEST \
	"\1\1\0\1\0\10\0\0\0\1\0\0\0\0\0\0" \
	"\1\4\0\1\0\52\6\0" SERVER_PARAMS "\0\0\0\0\0\0" \
	"\1\4\0\1\0\0\0\0" \
	"\1\5\0\1\0\0\0\0"
#define PAGE "Content-type: text/html\r\n\r\n<html>\n<head>"
#define SIMPLE_RESPONSE \
	"\1\6\0\1\0\50\0\0" PAGE "\1\6\0\1\0\0\0\0" \
	"\1\3\0\1\0\10\0\0\0\0\0\0\0\0\0\0"

static void
assert_spans_equal(struct span a, struct span b)
{
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.at, b.at, a.len);
}

static void
note_header(struct buf *notes, const struct fcgi_header *header)
{
	const int fields[] = { header->type, header->id, header->content_len,
		header->padding_len };

	for (size_t i = 0; i < 4; i++) {
		buf_add(notes, i ? " " : "{", 1);
		buf_add_int(notes, fields[i]);
	}
	buf_add(notes, "|", 1);
}

/* Decode bytes, from a block of just their size, to FCGI_MORE or
 * FCGI_BAD_VERSION, and note what was said. */
static void
feed(struct fcgi_decoder *decoder, struct span bytes, struct buf *notes)
{
	char *block = malloc(bytes.len + 1);
	struct span rest = { block + 1, bytes.len }, content;

	assert_non_null(block);
	if (bytes.len)
		memcpy(block + 1, bytes.at, bytes.len);
	for (;;) {
		switch (fcgi_decode(decoder, &rest, &content)) {
		case FCGI_MORE:
			assert_int_equal(rest.len, 0);
			free(block);
			return;
		case FCGI_RECORD:
			note_header(notes, &decoder->header);
			break;
		case FCGI_CONTENT:
			assert_true(content.len > 0);
			assert_ptr_equal(content.at + content.len, rest.at);
			buf_add_span(notes, content);
			break;
		case FCGI_RECORD_END:
			buf_add(notes, "}", 1);
			break;
		case FCGI_BAD_VERSION:
			buf_add(notes, "!", 1);
			free(block);
			return;
		}
	}
}

static void
assert_decodes_to(struct span bytes, struct span expected)
{
	struct fcgi_decoder decoder = { .is_bad = false };
	struct buf notes;

	buf_init(&notes, MAX_BYTES);
	feed(&decoder, bytes, &notes);
	assert_false(notes.overflowed);
	assert_spans_equal(buf_span(&notes), expected);
	buf_fini(&notes);
}

static void
test_the_examples_of_the_specification_are_decoded(void **state)
{
	(void)state;
	assert_decodes_to(BYTES(SIMPLE_REQUEST),
	    BYTES("{1 1 8 0|\0\1\0\0\0\0\0\0}{4 1 42 6|" SERVER_PARAMS
		  "}{4 1 0 0|}{5 1 0 0|}"));
	assert_decodes_to(BYTES(SIMPLE_RESPONSE),
	    BYTES("{6 1 40 0|" PAGE "}{6 1 0 0|}{3 1 8 0|\0\0\0\0\0\0\0\0}"));
}

static void
test_the_examples_of_the_specification_are_encoded(void **state)
{
	struct buf params, out;

	(void)state;
	buf_init(&params, MAX_BYTES);
	buf_init(&out, MAX_BYTES);
	fcgi_add_pair(&params, span_of("SERVER_PORT"), span_of("80"));
	fcgi_add_pair(
	    &params, span_of("SERVER_ADDR"), span_of("199.170.183.42"));
	assert_spans_equal(buf_span(&params), BYTES(SERVER_PARAMS));
	fcgi_add_record(&out, FCGI_BEGIN_REQUEST, 1, BYTES("\0\1\0\0\0\0\0\0"));
	fcgi_add_stream(&out, FCGI_PARAMS, 1, buf_span(&params));
	fcgi_add_record(&out, FCGI_PARAMS, 1, span_of(NULL));
	fcgi_add_record(&out, FCGI_STDIN, 1, span_of(NULL));
	assert_spans_equal(buf_span(&out), BYTES(SIMPLE_REQUEST));
	buf_reset(&out);
	fcgi_add_stream(&out, FCGI_STDOUT, 1, span_of(PAGE));
	fcgi_add_record(&out, FCGI_STDOUT, 1, span_of(NULL));
	fcgi_add_end_request(&out, 1, 0, FCGI_REQUEST_COMPLETE);
	assert_spans_equal(buf_span(&out), BYTES(SIMPLE_RESPONSE));
	buf_fini(&out);
	buf_fini(&params);
}

static void
test_every_number_is_where_it_belongs(void **state)
{
	struct buf out;

	(void)state;
	buf_init(&out, MAX_BYTES);
	fcgi_add_end_request(&out, 0xfedc, 0x89abcdef, FCGI_UNKNOWN_ROLE);
	assert_spans_equal(buf_span(&out),
	    BYTES("\1\3\xfe\xdc\0\10\0\0\x89\xab\xcd\xef\3\0\0\0"));
	buf_reset(&out);
	fcgi_add_unknown_type(&out, 0xc8);
	assert_spans_equal(
	    buf_span(&out), BYTES("\1\13\0\0\0\10\0\0\xc8\0\0\0\0\0\0\0"));
	buf_reset(&out);
	fcgi_add_record(&out, FCGI_DATA, 0x1234, span_of("9 bytes.."));
	assert_spans_equal(buf_span(&out),
	    BYTES("\1\10\x12\x34\0\11\7\0"
		  "9 bytes..\0\0\0\0\0\0\0"));
	buf_fini(&out);
	/* The last byte of a header is reserved, and not looked at. */
	assert_decodes_to(
	    BYTES("\1\xfe\xfe\xdc\1\0\xab\xff"), BYTES("{254 65244 256 171|"));
}

static void
test_every_type_of_record_is_framed_in_the_same_way(void **state)
{
	(void)state;
	for (int type = 0; type < 256; type++) {
		const char bytes[] = { 1, (char)type, 0, 7, 0, 2, 1, 0, 'h',
			'i', 'x' };
		struct buf out, expected;

		buf_init(&out, MAX_BYTES);
		buf_init(&expected, MAX_BYTES);
		buf_add_text(&expected, "{");
		buf_add_int(&expected, type);
		buf_add_text(&expected, " 7 2 1|hi}");
		assert_decodes_to(
		    (struct span){ bytes, sizeof(bytes) }, buf_span(&expected));
		buf_reset(&expected);
		buf_add_text(&expected, "{");
		buf_add_int(&expected, type);
		buf_add_text(&expected, " 7 2 6|hi}");
		fcgi_add_record(&out, (enum fcgi_type)type, 7, span_of("hi"));
		assert_decodes_to(buf_span(&out), buf_span(&expected));
		buf_fini(&expected);
		buf_fini(&out);
	}
	assert_int_equal(FCGI_UNKNOWN_TYPE, 11);
	assert_int_equal(FCGI_FILTER, 3);
	assert_int_equal(FCGI_UNKNOWN_ROLE, 3);
}

/* In three pieces, either of which may be empty. */
static void
test_a_split_anywhere_changes_nothing(void **state)
{
	static const char text[] = SIMPLE_REQUEST
	    "\1\5\0\1\0\3\5\0abc-----"
	    "\1\2\0\1\0\0\3\0---" SIMPLE_RESPONSE "\2";
	const struct span all = BYTES(text);
	struct fcgi_decoder whole = { .is_bad = false };
	struct buf expected, notes;

	(void)state;
	buf_init(&expected, MAX_BYTES);
	buf_init(&notes, MAX_BYTES);
	feed(&whole, all, &expected);
	assert_true(expected.data[expected.len - 1] == '!');
	for (size_t i = 0; i <= all.len; i++) {
		for (size_t j = i; j < all.len; j++) {
			struct fcgi_decoder decoder = { .is_bad = false };

			buf_reset(&notes);
			feed(&decoder, (struct span){ text, i }, &notes);
			feed(
			    &decoder, (struct span){ text + i, j - i }, &notes);
			feed(&decoder, (struct span){ text + j, all.len - j },
			    &notes);
			assert_spans_equal(
			    buf_span(&notes), buf_span(&expected));
		}
	}
	buf_fini(&notes);
	buf_fini(&expected);
}

static void
test_byte_by_byte_changes_nothing(void **state)
{
	static const char text[] = SIMPLE_REQUEST SIMPLE_RESPONSE;
	struct fcgi_decoder decoder = { .is_bad = false };
	struct buf notes;

	(void)state;
	buf_init(&notes, MAX_BYTES);
	for (size_t i = 0; i < sizeof(text) - 1; i++) {
		feed(&decoder, (struct span){ text + i, 1 }, &notes);
		feed(&decoder, span_of(NULL), &notes);
	}
	assert_decodes_to(BYTES(text), buf_span(&notes));
	buf_fini(&notes);
}

static void
test_any_padding_is_passed_over(void **state)
{
	(void)state;
	for (int padding = 0; padding < 256; padding++) {
		for (int len = 0; len < 2; len++) {
			const char header[] = { 1, 6, 0, 1, 0, (char)len,
				(char)padding, 0 };
			struct buf bytes, expected;

			buf_init(&bytes, MAX_BYTES);
			buf_init(&expected, MAX_BYTES);
			buf_add(&bytes, header, sizeof(header));
			buf_add(&bytes, "\1", (size_t)len);
			for (int i = 0; i < padding; i++)
				buf_add(&bytes, "\2", 1);
			buf_add_span(&bytes, BYTES("\1\2\0\1\0\0\0\0"));
			buf_add_text(&expected, len ? "{6 1 1 " : "{6 1 0 ");
			buf_add_int(&expected, padding);
			buf_add_text(&expected, len ? "|\1}" : "|}");
			buf_add_text(&expected, "{2 1 0 0|}");
			assert_decodes_to(
			    buf_span(&bytes), buf_span(&expected));
			buf_fini(&expected);
			buf_fini(&bytes);
		}
	}
}

static void
test_an_end_waits_for_the_last_byte_and_for_no_more(void **state)
{
	(void)state;
	assert_decodes_to(BYTES("\1\5\0\1\0\0\0"), BYTES(""));
	assert_decodes_to(BYTES("\1\5\0\1\0\0\0\0"), BYTES("{5 1 0 0|}"));
	assert_decodes_to(BYTES("\1\5\0\1\0\0\1\0"), BYTES("{5 1 0 1|"));
	assert_decodes_to(BYTES("\1\5\0\1\0\0\1\0-"), BYTES("{5 1 0 1|}"));
	assert_decodes_to(BYTES("\1\5\0\1\0\2\0\0a"), BYTES("{5 1 2 0|a"));
	assert_decodes_to(BYTES("\1\5\0\1\0\2\0\0ab"), BYTES("{5 1 2 0|ab}"));
	assert_decodes_to(BYTES("\1\5\0\1\0\2\2\0ab-"), BYTES("{5 1 2 2|ab"));
}

static void
test_another_version_is_seen_at_its_first_byte_and_remembered(void **state)
{
	(void)state;
	for (int version = 0; version < 256; version++) {
		const char byte = (char)version;
		struct fcgi_decoder decoder = { .is_bad = false };
		struct span bytes = { &byte, 1 }, content;
		struct buf notes;

		if (version == 1)
			continue;
		assert_int_equal(
		    fcgi_decode(&decoder, &bytes, &content), FCGI_BAD_VERSION);
		assert_int_equal(bytes.len, 1);
		bytes = (struct span){ NULL, 0 };
		assert_int_equal(
		    fcgi_decode(&decoder, &bytes, &content), FCGI_BAD_VERSION);
		buf_init(&notes, MAX_BYTES);
		feed(&decoder, BYTES(SIMPLE_REQUEST), &notes);
		assert_spans_equal(buf_span(&notes), BYTES("!"));
		buf_fini(&notes);
	}
	assert_decodes_to(BYTES("\1\5\0\1\0\1\1\0a-GET / HTTP/1.1\r\n"),
	    BYTES("{5 1 1 1|a}!"));
}

/* One stream of len bytes, read back record by record. */
static void
check_stream(size_t len)
{
	char *text = malloc(len + 1);
	struct fcgi_decoder decoder = { .is_bad = false };
	struct buf out, content;
	struct span rest, piece;
	enum fcgi_event event;
	size_t n_records = 0;

	assert_non_null(text);
	for (size_t i = 0; i < len; i++)
		text[i] = (char)(i * 7 + i / 256);
	buf_init(&out, MAX_BYTES);
	buf_init(&content, MAX_BYTES);
	fcgi_add_stream(&out, FCGI_STDOUT, 3, (struct span){ text, len });
	assert_int_equal(out.len % 8, 0);
	rest = buf_span(&out);
	while ((event = fcgi_decode(&decoder, &rest, &piece)) != FCGI_MORE) {
		assert_int_not_equal(event, FCGI_BAD_VERSION);
		if (event == FCGI_CONTENT)
			buf_add_span(&content, piece);
		if (event == FCGI_RECORD)
			assert_true(decoder.header.content_len > 0);
		n_records += event == FCGI_RECORD_END;
	}
	assert_int_equal(n_records, (len + 65527) / 65528);
	assert_spans_equal(buf_span(&content), (struct span){ text, len });
	buf_fini(&content);
	buf_fini(&out);
	free(text);
}

static void
test_a_stream_takes_as_many_records_as_it_needs(void **state)
{
	static const size_t lens[] = { 0, 1, 7, 8, 9, 65527, 65528, 65529,
		65535, 65536, 131056, 131057, 300000 };

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++)
		check_stream(lens[i]);
}

static void
test_a_record_holds_up_to_65535_bytes(void **state)
{
	static char text[FCGI_MAX_CONTENT];
	struct buf out, expected;

	(void)state;
	memset(text, 'x', sizeof(text));
	buf_init(&out, MAX_BYTES);
	buf_init(&expected, MAX_BYTES);
	fcgi_add_record(
	    &out, FCGI_STDERR, 65535, (struct span){ text, sizeof(text) });
	assert_spans_equal((struct span){ out.data, FCGI_HEADER_SIZE },
	    BYTES("\1\7\xff\xff\xff\xff\1\0"));
	assert_int_equal(out.len, 8 + 65536);
	buf_add_text(&expected, "{7 65535 65535 1|");
	buf_add(&expected, text, sizeof(text));
	buf_add_text(&expected, "}");
	assert_decodes_to(buf_span(&out), buf_span(&expected));
	buf_fini(&expected);
	buf_fini(&out);
}

static void
test_a_buffer_too_small_is_marked(void **state)
{
	struct buf out;

	(void)state;
	for (size_t max = 0; max < 16; max++) {
		buf_init(&out, max);
		fcgi_add_record(&out, FCGI_STDOUT, 1, span_of("hello"));
		assert_true(out.overflowed);
		buf_fini(&out);
	}
	buf_init(&out, 16);
	fcgi_add_record(&out, FCGI_STDOUT, 1, span_of("hello"));
	assert_false(out.overflowed);
	buf_fini(&out);
}

static void
test_a_begin_is_parsed(void **state)
{
	static const uint8_t responder[] = { 0, 1, 0, 9, 9, 9, 9, 9 };
	static const uint8_t kept[] = { 0, 3, 1, 0, 0, 0, 0, 0 };
	static const uint8_t strange[] = { 0xfe, 0xdc, 0xfe, 0, 0, 0, 0, 0 };
	static const uint8_t all_flags[] = { 0, 2, 0xff, 0, 0, 0, 0, 0 };
	struct fcgi_begin begin;

	(void)state;
	fcgi_begin_parse(responder, &begin);
	assert_int_equal(begin.role, FCGI_RESPONDER);
	assert_false(begin.keep_conn);
	fcgi_begin_parse(kept, &begin);
	assert_int_equal(begin.role, FCGI_FILTER);
	assert_true(begin.keep_conn);
	fcgi_begin_parse(strange, &begin);
	assert_int_equal(begin.role, 0xfedc);
	assert_false(begin.keep_conn);
	fcgi_begin_parse(all_flags, &begin);
	assert_int_equal(begin.role, FCGI_AUTHORIZER);
	assert_true(begin.keep_conn);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_the_examples_of_the_specification_are_decoded),
		cmocka_unit_test(
		    test_the_examples_of_the_specification_are_encoded),
		cmocka_unit_test(test_every_number_is_where_it_belongs),
		cmocka_unit_test(
		    test_every_type_of_record_is_framed_in_the_same_way),
		cmocka_unit_test(test_a_split_anywhere_changes_nothing),
		cmocka_unit_test(test_byte_by_byte_changes_nothing),
		cmocka_unit_test(test_any_padding_is_passed_over),
		cmocka_unit_test(
		    test_an_end_waits_for_the_last_byte_and_for_no_more),
		cmocka_unit_test(
		    test_another_version_is_seen_at_its_first_byte_and_remembered),
		cmocka_unit_test(
		    test_a_stream_takes_as_many_records_as_it_needs),
		cmocka_unit_test(test_a_record_holds_up_to_65535_bytes),
		cmocka_unit_test(test_a_buffer_too_small_is_marked),
		cmocka_unit_test(test_a_begin_is_parsed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
