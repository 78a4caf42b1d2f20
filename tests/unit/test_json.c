/* test_json.c - what the strict scanner takes, refuses, and walks over.
 *
 * Every text is checked in a heap block of its exact size, so that a look
 * beyond its end is seen by a sanitiser or valgrind.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>

#include "api/json.h"

/* A text with a NUL in it, or without one. */
#define TEXT(literal) \
	{ \
		literal, sizeof(literal) - 1 \
	}
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

static bool
is_json(struct span text, enum json_kind *out_type)
{
	struct json_value value;
	char *copy = malloc(text.len ? text.len : 1);
	bool is_good;

	assert_non_null(copy);
	if (text.len)
		memcpy(copy, text.at, text.len);
	is_good = json_check((struct span){ copy, text.len }, &value) ==
	    ERR_NONE;
	if (is_good && out_type)
		*out_type = value.type;
	free(copy);
	return is_good;
}

static void
assert_good(const struct span *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!is_json(texts[i], NULL))
			fail_msg(
			    "refused: %.*s", (int)texts[i].len, texts[i].at);
}

static void
assert_bad(const struct span *texts, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is_json(texts[i], NULL))
			fail_msg(
			    "accepted: %.*s", (int)texts[i].len, texts[i].at);
}

/* Walk over all of value, however deep.  Returns how many values it has. */
static size_t
count_values(struct json_value value)
{
	struct json_walk walk;
	struct json_value inner, again;
	struct span key;
	size_t n = 1;

	assert_int_equal(json_check(value.text, &again), ERR_NONE);
	assert_int_equal(again.type, value.type);
	assert_ptr_equal(again.text.at, value.text.at);
	assert_int_equal(again.text.len, value.text.len);
	if (value.type != JSON_ARRAY && value.type != JSON_OBJECT)
		return n;
	walk = json_walk(value);
	while (value.type == JSON_ARRAY ? json_next_element(&walk, &inner) :
					  json_next_member(&walk, &key, &inner))
		n += count_values(inner);
	assert_ptr_equal(walk.at, value.text.at + value.text.len - 1);
	return n;
}

static void
test_every_kind_of_value_is_told(void **state)
{
	static const struct {
		const char *text;
		enum json_kind type;
	} rows[] = {
		{ "null", JSON_NULL },
		{ "true", JSON_BOOL },
		{ "false", JSON_BOOL },
		{ "0", JSON_NUMBER },
		{ "-1.5e3", JSON_NUMBER },
		{ "\"\"", JSON_STRING },
		{ "[]", JSON_ARRAY },
		{ "{}", JSON_OBJECT },
		{ "[1,\"a\",null]", JSON_ARRAY },
		{ "{\"a\":{\"b\":[]}}", JSON_OBJECT },
	};

	(void)state;
	for (size_t i = 0; i < N_OF(rows); i++) {
		enum json_kind type = JSON_NULL;

		assert_true(is_json(span_of(rows[i].text), &type));
		assert_int_equal(type, rows[i].type);
	}
}

static void
test_a_value_comes_without_the_blanks_around_it(void **state)
{
	const char *text = " \t\r\n[ 1 ] \n\r\t ";
	struct json_value value;

	(void)state;
	assert_int_equal(json_check(span_of(text), &value), ERR_NONE);
	assert_ptr_equal(value.text.at, text + 4);
	assert_int_equal(value.text.len, 5);
}

static void
test_a_refused_text_leaves_the_output_alone(void **state)
{
	struct json_value value = { JSON_BOOL, { "x", 1 } };

	(void)state;
	assert_int_equal(json_check(span_of("[1,]"), &value), ERR_BAD_JSON);
	assert_int_equal(value.type, JSON_BOOL);
	assert_string_equal(value.text.at, "x");
}

static void
test_an_empty_or_blank_text_is_no_value(void **state)
{
	static const struct span texts[] = { TEXT(""), TEXT(" "),
		TEXT("\n\t\r "), TEXT("\0"), { NULL, 0 } };

	(void)state;
	assert_bad(texts, N_OF(texts));
}

static void
test_only_four_bytes_are_blank(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		bool is_blank = c == ' ' || c == '\t' || c == '\n' || c == '\r';
		char texts[3][4] = { { (char)c, '1' }, { '7', (char)c },
			{ '[', (char)c, '1', ']' } };

		if (c >= '0' && c <= '9')
			continue;
		if (c != '-')
			assert_int_equal(
			    is_json((struct span){ texts[0], 2 }, NULL),
			    is_blank);
		assert_int_equal(
		    is_json((struct span){ texts[1], 2 }, NULL), is_blank);
		if (c != '-')
			assert_int_equal(
			    is_json((struct span){ texts[2], 4 }, NULL),
			    is_blank);
	}
}

static void
test_numbers_of_the_grammar_are_accepted(void **state)
{
	static const struct span texts[] = { TEXT("0"), TEXT("-0"), TEXT("10"),
		TEXT("1234567890"), TEXT("0.0"), TEXT("-0.01"), TEXT("1e1"),
		TEXT("1E1"), TEXT("1e+1"), TEXT("1E-1"), TEXT("0e0"),
		TEXT("1.5e007"), TEXT("1e999999999"), TEXT("-1e-999999999"),
		TEXT("123456789012345678901234567890123456789012345678901234"),
		TEXT("0.0000000000000000000000000000000000000000000000000001"),
		TEXT("[1,-2,3.5]"), TEXT(" 1 ") };

	(void)state;
	assert_good(texts, N_OF(texts));
}

static void
test_other_numbers_are_refused(void **state)
{
	static const struct span texts[] = { TEXT("-"), TEXT("+1"), TEXT("1."),
		TEXT(".5"), TEXT("-.5"), TEXT("1.e1"), TEXT("1e"), TEXT("1E+"),
		TEXT("1e-"), TEXT("1e1.5"), TEXT("01"), TEXT("-01"), TEXT("00"),
		TEXT("-00"), TEXT("0123"), TEXT("012.5"), TEXT("--1"),
		TEXT("-+1"), TEXT("1-"), TEXT("1+2"), TEXT("0x10"), TEXT("0X1"),
		TEXT("1_000"), TEXT("1,000"), TEXT("1 000"), TEXT("1f"),
		TEXT("1.5.5"), TEXT("1ee1"), TEXT("- 1"), TEXT("e1"),
		TEXT("-e1"), TEXT("[-]"), TEXT("[1.]"), TEXT("[01]"),
		TEXT("{\"a\":+1}"), TEXT("NaN"), TEXT("-NaN"), TEXT("nan"),
		TEXT("Infinity"), TEXT("-Infinity"), TEXT("+Infinity"),
		TEXT("inf"), TEXT("[NaN]"), TEXT("[Infinity]"),
		TEXT("\xef\xbc\x91") };

	(void)state;
	assert_bad(texts, N_OF(texts));
}

static void
test_words_are_exact(void **state)
{
	static const struct span texts[] = { TEXT("n"), TEXT("nul"),
		TEXT("nulll"), TEXT("null0"), TEXT("Null"), TEXT("NULL"),
		TEXT("nuLl"), TEXT("tru"), TEXT("truee"), TEXT("True"),
		TEXT("TRUE"), TEXT("fals"), TEXT("False"), TEXT("falsey"),
		TEXT("t"), TEXT("f"), TEXT("yes"), TEXT("undefined"),
		TEXT("None"), TEXT("[nul]"), TEXT("[truefalse]"),
		TEXT("{\"a\":tru}"), TEXT("nul\0"), TEXT("a") };

	(void)state;
	assert_bad(texts, N_OF(texts));
}

static void
test_escapes_of_the_grammar_are_accepted(void **state)
{
	static const struct span texts[] = {
		TEXT("\"\\\" \\\\ \\/ \\b \\f \\n \\r \\t\""),
		TEXT("\"\\u0000\\u001f\\uABCD\\uabcd\\uffff\""),
		TEXT("\"\\ud7ff\\ue000\""), TEXT("\"\\ud83d\\ude00\""),
		TEXT("\"\\uD800\\uDC00\\uDBFF\\uDFFF\""), TEXT("\"\\\\u12\""),
		TEXT("\"\\\\\""), TEXT("\"\\\\\\\"\""),
		TEXT("{\"\\u0061\":\"\\u005c\"}")
	};

	(void)state;
	assert_good(texts, N_OF(texts));
}

static void
test_other_escapes_are_refused(void **state)
{
	static const struct span texts[] = { TEXT("\"\\"), TEXT("\"\\\""),
		TEXT("\"\\a\""), TEXT("\"\\x41\""), TEXT("\"\\'\""),
		TEXT("\"\\0\""), TEXT("\"\\N\""), TEXT("\"\\U00000041\""),
		TEXT("\"\\u\""), TEXT("\"\\u1\""), TEXT("\"\\u12\""),
		TEXT("\"\\u123\""), TEXT("\"\\u123g\""), TEXT("\"\\u 123\""),
		TEXT("\"\\u+123\""), TEXT("\"\\u-123\""), TEXT("\"\\u00/0\""),
		TEXT("\"\\u00:0\""), TEXT("\"\\u00@0\""), TEXT("\"\\u00G0\""),
		TEXT("\"\\u00`0\""), TEXT("\"\\\0\""), TEXT("\"\\\n\""),
		TEXT("\"\\ \""), TEXT("\"\\\xc3\xa9\""),
		TEXT("\"\\u\xc3\xa9"
		     "00\""),
		TEXT("{\"\\q\":1}"), TEXT("\"\\u004"), TEXT("\\n") };

	(void)state;
	assert_bad(texts, N_OF(texts));
}

static void
test_nine_bytes_can_follow_a_backslash(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 256; c++) {
		char text[] = { '"', '\\', (char)c, '0', '0', '4', '1', '"' };

		assert_int_equal(
		    is_json((struct span){ text, sizeof(text) }, NULL),
		    c != '\0' && strchr("\"\\/bfnrtu", (int)c) != NULL);
	}
}

static void
test_lone_surrogates_are_refused(void **state)
{
	static const struct span texts[] = { TEXT("\"\\ud800\""),
		TEXT("\"\\udbff\""), TEXT("\"\\udc00\""), TEXT("\"\\uDFFF\""),
		TEXT("\"\\udc00\\ud800\""), TEXT("\"\\ud800\\ud800\""),
		TEXT("\"\\udc00\\udc00\""), TEXT("\"\\udfff\\udfff\""),
		TEXT("\"\\ud800\\u0041\""), TEXT("\"\\ud800\\ue000\""),
		TEXT("\"\\ud800\\udbff\""), TEXT("\"\\ud800x\\udc00\""),
		TEXT("\"\\ud800\\n\""), TEXT("\"\\ud800\\\\udc00\""),
		TEXT("\"\\ud800\\udc0\""), TEXT("\"\\ud800\\u\""),
		TEXT("\"\\ud800\\\""), TEXT("\"\\ud800\\"), TEXT("\"\\ud800"),
		TEXT("\"\\ud800\\ud800\\udc00\""),
		TEXT("\"\\ud83d\\ude00\\ude00\""), TEXT("\"\\ud800/udc00\""),
		TEXT("{\"\\udc00\":1}"), TEXT("[\"a\",\"\\udc00\"]") };

	(void)state;
	assert_bad(texts, N_OF(texts));
}

/* The scanner looks at eight bytes at a time: each byte, at each place. */
static void
test_each_byte_is_judged_at_each_place_of_a_string(void **state)
{
	char text[24];

	(void)state;
	for (size_t at = 1; at < sizeof(text) - 1; at++) {
		for (unsigned c = 0; c < 256; c++) {
			bool is_good = c >= 0x20 && c < 0x80 && c != '"' &&
			    c != '\\';

			memset(text, 'x', sizeof(text));
			text[0] = text[sizeof(text) - 1] = '"';
			text[at] = (char)c;
			assert_int_equal(
			    is_json((struct span){ text, sizeof(text) }, NULL),
			    is_good);
		}
	}
}

static void
test_well_formed_utf8_is_accepted(void **state)
{
	static const struct span texts[] = { TEXT("\"\x7f\""),
		TEXT("\"\xc2\x80\""), TEXT("\"\xdf\xbf\""),
		TEXT("\"\xe0\xa0\x80\""), TEXT("\"\xed\x9f\xbf\""),
		TEXT("\"\xee\x80\x80\""), TEXT("\"\xef\xbf\xbf\""),
		TEXT("\"\xef\xbb\xbf\""), TEXT("\"\xf0\x90\x80\x80\""),
		TEXT("\"\xf4\x8f\xbf\xbf\""), TEXT("\"\xe2\x80\xa8\""),
		TEXT("{\"\xc3\xa9\":\"\xf0\x9f\x98\x80 abcdefgh\"}") };

	(void)state;
	assert_good(texts, N_OF(texts));
}

static void
test_malformed_utf8_is_refused(void **state)
{
	static const struct span texts[] = { /* alone, or too few of them */
		TEXT("\"\x80\""), TEXT("\"\xbf\""), TEXT("\"\xc3\""),
		TEXT("\"\xe2\x82\""), TEXT("\"\xf0\x9f\x98\""), TEXT("\"\xc3"),
		TEXT("\"\xe2\x82"), TEXT("\"\xf0\x9f\x98"),
		TEXT("\"\xc3\xc3\xa9\""), TEXT("\"\xe9\""),
		TEXT("\"\xc3\xa9\xa9\""), TEXT("\"\xe2\x28\xa1\""),
		TEXT("\"\xe2\x82\x28\""), TEXT("\"\xf0\x9f\x28\x80\""),
		/* overlong */
		TEXT("\"\xc0\x80\""), TEXT("\"\xc0\xaf\""),
		TEXT("\"\xc1\xbf\""), TEXT("\"\xe0\x80\xaf\""),
		TEXT("\"\xe0\x9f\xbf\""), TEXT("\"\xf0\x80\x80\xaf\""),
		TEXT("\"\xf0\x8f\xbf\xbf\""), TEXT("\"\xf8\x80\x80\x80\xaf\""),
		TEXT("\"\xfc\x80\x80\x80\x80\xaf\""),
		/* surrogates (CESU-8), and above U+10FFFF */
		TEXT("\"\xed\xa0\x80\""), TEXT("\"\xed\xbf\xbf\""),
		TEXT("\"\xed\xa0\xbd\xed\xb8\x80\""),
		TEXT("\"\xf4\x90\x80\x80\""), TEXT("\"\xf5\x80\x80\x80\""),
		TEXT("\"\xf7\xbf\xbf\xbf\""), TEXT("\"\xfe\""),
		TEXT("\"\xff\""),
		/* in keys and outside strings */
		TEXT("{\"\xff\":1}"), TEXT("[\"\",\"\xc3\"]"), TEXT("\xc3"),
		TEXT("[\xc3\xa9]"),
		TEXT("\xe2\x80\xa8"
		     "1")
	};

	(void)state;
	assert_bad(texts, N_OF(texts));
}

static void
test_a_byte_order_mark_is_refused(void **state)
{
	static const struct span texts[] = { TEXT("\xef\xbb\xbf{}"),
		TEXT("\xef\xbb\xbf"), TEXT("{}\xef\xbb\xbf"),
		TEXT("\xff\xfe{\0}\0"), TEXT("\xfe\xff\0{\0}"), TEXT("{\0}\0"),
		TEXT("[\xef\xbb\xbf]") };

	(void)state;
	assert_bad(texts, N_OF(texts));
}

static void
test_nothing_follows_the_value(void **state)
{
	static const struct span texts[] = { TEXT("{}\0"), TEXT("1\0"),
		TEXT("\"a\"\0"), TEXT("null\0null"), TEXT("[1]\0]"),
		TEXT("{}{}"), TEXT("{} {}"), TEXT("1 2"), TEXT("1,2"),
		TEXT("1,"), TEXT("{},"), TEXT("[],"), TEXT("[]]"), TEXT("{}}"),
		TEXT("\"a\"\"b\""), TEXT("\"a\" x"), TEXT("null x"),
		TEXT("[1]x"), TEXT("{}\n#"), TEXT("{};"), TEXT("\"\"\""),
		TEXT("[][]"), TEXT("1]"), TEXT("1}"), TEXT("{}\v"),
		TEXT("truefalse") };

	(void)state;
	assert_bad(texts, N_OF(texts));
}

static void
test_a_nul_byte_is_nowhere_allowed(void **state)
{
	static const struct span texts[] = { TEXT("\0{}"), TEXT("{\0}"),
		TEXT("[\0]"), TEXT("[1\0]"), TEXT("[1,\0]"), TEXT("\"\0\""),
		TEXT("\"a\0b\""), TEXT("{\"a\0\":1}"), TEXT("{\"a\"\0:1}"),
		TEXT("1\0") };

	(void)state;
	assert_bad(texts, N_OF(texts));
}

static void
test_comments_and_other_dialects_are_refused(void **state)
{
	static const struct span texts[] = { TEXT("/**/1"), TEXT("1/**/"),
		TEXT("1//x"), TEXT("//x\n1"), TEXT("#x\n1"), TEXT("[1/*x*/]"),
		TEXT("{/*x*/}"), TEXT("{\"a\":/*x*/1}"), TEXT("'a'"),
		TEXT("['a']"), TEXT("{'a':1}"), TEXT("{\"a\":'b'}"),
		TEXT("{a:1}"), TEXT("{1:1}"), TEXT("{null:1}"),
		TEXT("{\"a\"=1}"), TEXT("{\"a\"=>1}"), TEXT("`a`"),
		TEXT("\xe2\x80\x9c"
		     "a\xe2\x80\x9d"),
		TEXT("a"), TEXT("(1)"), TEXT("<1>"), TEXT("*"), TEXT("?"),
		TEXT("/"), TEXT("\\"), TEXT("\"a\"+\"b\""), TEXT("[1;2]"),
		TEXT("{\"a\":1;}"), TEXT("&"), TEXT("x\"a\""), TEXT("[...]") };

	(void)state;
	assert_bad(texts, N_OF(texts));
}

static void
test_commas_and_colons_stand_where_they_must(void **state)
{
	static const struct span texts[] = { TEXT("[,]"), TEXT("[1,]"),
		TEXT("[,1]"), TEXT("[1,,2]"), TEXT("[1 2]"), TEXT("[\"a\" 1]"),
		TEXT("[1:2]"), TEXT("[\"a\":1]"), TEXT("[[] []]"),
		TEXT("[[],]"), TEXT("[\"\",]"), TEXT("{,}"), TEXT("{\"a\":1,}"),
		TEXT("{,\"a\":1}"), TEXT("{\"a\":1,,\"b\":2}"),
		TEXT("{\"a\":1 \"b\":2}"), TEXT("{\"a\"}"), TEXT("{\"a\":}"),
		TEXT("{\"a\",1}"), TEXT("{\"a\" 1}"), TEXT("{\"a\"::1}"),
		TEXT("{:1}"), TEXT("{\"a\":1:2}"), TEXT("{\"a\":\"b\":1}"),
		TEXT("{1}"), TEXT("{[]:1}"), TEXT("{{}}"), TEXT("{[]}"),
		TEXT("{\"a\":,}"), TEXT("{\"a\":1,\"b\"}"), TEXT("{\"a\":1,2}"),
		TEXT(","), TEXT(":"), TEXT("[1,\n,]") };

	(void)state;
	assert_bad(texts, N_OF(texts));
}

static void
test_what_is_opened_is_closed(void **state)
{
	static const struct span texts[] = { TEXT("["), TEXT("{"), TEXT("]"),
		TEXT("}"), TEXT("[1"), TEXT("[1,"), TEXT("[[]"), TEXT("[\"a\""),
		TEXT("[\"a"), TEXT("{\""), TEXT("{\"a"), TEXT("{\"a\""),
		TEXT("{\"a\":"), TEXT("{\"a\":1"), TEXT("{\"a\":1,"),
		TEXT("{\"a\":1,\""), TEXT("{\"a\":{}"), TEXT("[{}"), TEXT("[}"),
		TEXT("{]"), TEXT("[1}"), TEXT("{\"a\":1]"), TEXT("[{]}"),
		TEXT("[{\"a\":1]"), TEXT("{\"a\":[1}"), TEXT("{\"a\":[1}]"),
		TEXT("\""), TEXT("\"a"), TEXT("\"\\\"") };

	(void)state;
	assert_bad(texts, N_OF(texts));
}

static void
test_duplicate_and_empty_keys_pass(void **state)
{
	static const struct span texts[] = { TEXT("{\"a\":1,\"a\":2}"),
		TEXT("{\"a\":1,\"\\u0061\":2}"), TEXT("{\"\":0}"),
		TEXT("{\"\":0,\"\":{\"\":1}}") };

	(void)state;
	assert_good(texts, N_OF(texts));
}

/* n openings and closings, the kinds in turn as pattern says ('[' or '{'). */
static bool
is_nested_json(const char *pattern, size_t n)
{
	char text[6 * 64 + 1];
	size_t len = 0, period = strlen(pattern);

	assert_true(n <= 64);
	for (size_t i = 0; i < n; i++) {
		bool is_object = pattern[i % period] == '{';

		text[len++] = pattern[i % period];
		if (is_object && i + 1 < n) {
			memcpy(text + len, "\"\":", 3);
			len += 3;
		}
	}
	for (size_t i = n; i-- > 0;)
		text[len++] = pattern[i % period] == '{' ? '}' : ']';
	return is_json((struct span){ text, len }, NULL);
}

static void
test_depth_32_passes_and_33_does_not(void **state)
{
	static const char *const patterns[] = { "[", "{", "[{", "{[", "[[{" };

	(void)state;
	for (size_t i = 0; i < N_OF(patterns); i++) {
		for (size_t n = 1; n <= 64; n++)
			assert_int_equal(is_nested_json(patterns[i], n),
			    n <= JSON_MAX_DEPTH);
	}
}

static void
test_depth_counts_what_is_open_only(void **state)
{
	char text[4096];
	size_t len = 0;

	(void)state;
	text[len++] = '[';
	for (int i = 0; i < 400; i++) {
		memcpy(text + len, "[{}],", 5);
		len += 5;
	}
	text[len++] = '1';
	text[len++] = ']';
	assert_true(is_json((struct span){ text, len }, NULL));
}

/* Something of everything; the root is an object, so that no proper prefix
 * of it is a value. */
static const char rich[] =
    "{\"id\": 1, \"rtc\":{\"type\":\"offer\",\"sdp\":\"v=0\\r\\no=- 46117 2 "
    "IN IP4 127.0.0.1\\r\\n\\\"x\\\\\"},\"u\":\"\\ud83d\\ude00 \xf0\x9f\x98"
    "\x80 \xc3\xa9 \xe2\x82\xac\",\n\t\"n\":[0,-1.5e+10,12E-3,true,false,null"
    ",[],{},[[1]],{\"\":{\"a\":\"]}\\\"[{\"}}], \"z\" : \"\\u00e9\" }";

static void
test_every_truncation_is_refused(void **state)
{
	(void)state;
	assert_true(is_json(span_of(rich), NULL));
	for (size_t len = 0; len < sizeof(rich) - 1; len++)
		assert_false(is_json((struct span){ rich, len }, NULL));
}

static void
test_every_corrupt_byte_is_survived(void **state)
{
	struct json_value value;
	char *copy = malloc(sizeof(rich) - 1);
	size_t n_good = 0;

	(void)state;
	assert_non_null(copy);
	memcpy(copy, rich, sizeof(rich) - 1);
	for (size_t at = 0; at < sizeof(rich) - 1; at++) {
		for (unsigned c = 0; c < 256; c++) {
			struct span text = { copy, sizeof(rich) - 1 };

			copy[at] = (char)c;
			if (json_check(text, &value) == ERR_NONE) {
				n_good++;
				assert_true(count_values(value) > 1);
			}
		}
		copy[at] = rich[at];
	}
	assert_true(n_good > sizeof(rich));
	free(copy);
}

static void
test_every_removed_byte_is_survived(void **state)
{
	char copy[sizeof(rich)];
	struct json_value value;

	(void)state;
	for (size_t at = 0; at < sizeof(rich) - 1; at++) {
		memcpy(copy, rich, at);
		memcpy(copy + at, rich + at + 1, sizeof(rich) - 2 - at);
		if (json_check((struct span){ copy, sizeof(rich) - 2 },
			&value) == ERR_NONE)
			assert_true(count_values(value) > 1);
	}
}

static void
assert_next_element(
    struct json_walk *walk, enum json_kind type, const char *text)
{
	struct json_value value;

	assert_true(json_next_element(walk, &value));
	assert_int_equal(value.type, type);
	assert_true(span_equals(value.text, text));
}

static void
assert_next_member(struct json_walk *walk, const char *wanted_key,
    enum json_kind type, const char *text)
{
	struct json_value value;
	struct span key;

	assert_true(json_next_member(walk, &key, &value));
	assert_true(span_equals(key, wanted_key));
	assert_int_equal(value.type, type);
	assert_true(span_equals(value.text, text));
}

static struct json_walk
walk_over(const char *text)
{
	struct json_value value = { JSON_NULL, { NULL, 0 } };

	assert_int_equal(json_check(span_of(text), &value), ERR_NONE);
	return json_walk(value);
}

static void
test_a_walk_gives_each_element_in_order(void **state)
{
	struct json_walk walk = walk_over(
	    " [ 1 ,\"a,b]\", [2,[3]] ,\n"
	    "{\"x\":[]},true,null , -0.5e3,\"\" ] ");
	struct json_value value = { JSON_BOOL, { NULL, 0 } };

	(void)state;
	assert_next_element(&walk, JSON_NUMBER, "1");
	assert_next_element(&walk, JSON_STRING, "\"a,b]\"");
	assert_next_element(&walk, JSON_ARRAY, "[2,[3]]");
	assert_next_element(&walk, JSON_OBJECT, "{\"x\":[]}");
	assert_next_element(&walk, JSON_BOOL, "true");
	assert_next_element(&walk, JSON_NULL, "null");
	assert_next_element(&walk, JSON_NUMBER, "-0.5e3");
	assert_next_element(&walk, JSON_STRING, "\"\"");
	assert_false(json_next_element(&walk, &value));
	assert_false(json_next_element(&walk, &value));
	assert_int_equal(value.type, JSON_BOOL);
}

static void
test_a_walk_gives_each_member_in_order(void **state)
{
	struct json_walk walk = walk_over(
	    "{\"id\":1, \"a\\\"b\" : \"x\\\\\""
	    ",\"id\":{\"id\":2},\"\":[ \"}\" ]\t,\"\\u0061\":false}");
	struct json_value value;
	struct span key;

	(void)state;
	assert_next_member(&walk, "id", JSON_NUMBER, "1");
	assert_next_member(&walk, "a\\\"b", JSON_STRING, "\"x\\\\\"");
	assert_next_member(&walk, "id", JSON_OBJECT, "{\"id\":2}");
	assert_next_member(&walk, "", JSON_ARRAY, "[ \"}\" ]");
	assert_next_member(&walk, "\\u0061", JSON_BOOL, "false");
	assert_false(json_next_member(&walk, &key, &value));
	assert_false(json_next_member(&walk, &key, &value));
}

static void
test_a_walk_over_nothing_ends_at_once(void **state)
{
	static const char *const texts[] = { "[]", "[ \n ]", "{}", "{ \t }" };
	struct json_value value;
	struct span key;

	(void)state;
	for (size_t i = 0; i < N_OF(texts); i++) {
		struct json_walk walk = walk_over(texts[i]);

		assert_false(json_next_element(&walk, &value));
		walk = walk_over(texts[i]);
		assert_false(json_next_member(&walk, &key, &value));
	}
}

static void
test_a_walk_sees_through_backslashes_before_quotes(void **state)
{
	struct json_walk walk = walk_over(
	    "[\"\\\\\",\"\\\\\\\"\",\"\\\"\""
	    ",\"\\\\\\\\\",{\"\\\\\":\"\\\"]\"}]");

	(void)state;
	assert_next_element(&walk, JSON_STRING, "\"\\\\\"");
	assert_next_element(&walk, JSON_STRING, "\"\\\\\\\"\"");
	assert_next_element(&walk, JSON_STRING, "\"\\\"\"");
	assert_next_element(&walk, JSON_STRING, "\"\\\\\\\\\"");
	assert_next_element(&walk, JSON_OBJECT, "{\"\\\\\":\"\\\"]\"}");
}

static void
test_a_walk_reaches_every_value(void **state)
{
	struct json_value value;

	(void)state;
	assert_int_equal(json_check(span_of(rich), &value), ERR_NONE);
	/* the root, id, rtc and its two, u, n and its ten, [[1]]'s two,
	 * the last object's two, z */
	assert_int_equal(count_values(value), 22);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_kind_of_value_is_told),
		cmocka_unit_test(
		    test_a_value_comes_without_the_blanks_around_it),
		cmocka_unit_test(test_a_refused_text_leaves_the_output_alone),
		cmocka_unit_test(test_an_empty_or_blank_text_is_no_value),
		cmocka_unit_test(test_only_four_bytes_are_blank),
		cmocka_unit_test(test_numbers_of_the_grammar_are_accepted),
		cmocka_unit_test(test_other_numbers_are_refused),
		cmocka_unit_test(test_words_are_exact),
		cmocka_unit_test(test_escapes_of_the_grammar_are_accepted),
		cmocka_unit_test(test_other_escapes_are_refused),
		cmocka_unit_test(test_nine_bytes_can_follow_a_backslash),
		cmocka_unit_test(test_lone_surrogates_are_refused),
		cmocka_unit_test(
		    test_each_byte_is_judged_at_each_place_of_a_string),
		cmocka_unit_test(test_well_formed_utf8_is_accepted),
		cmocka_unit_test(test_malformed_utf8_is_refused),
		cmocka_unit_test(test_a_byte_order_mark_is_refused),
		cmocka_unit_test(test_nothing_follows_the_value),
		cmocka_unit_test(test_a_nul_byte_is_nowhere_allowed),
		cmocka_unit_test(test_comments_and_other_dialects_are_refused),
		cmocka_unit_test(test_commas_and_colons_stand_where_they_must),
		cmocka_unit_test(test_what_is_opened_is_closed),
		cmocka_unit_test(test_duplicate_and_empty_keys_pass),
		cmocka_unit_test(test_depth_32_passes_and_33_does_not),
		cmocka_unit_test(test_depth_counts_what_is_open_only),
		cmocka_unit_test(test_every_truncation_is_refused),
		cmocka_unit_test(test_every_corrupt_byte_is_survived),
		cmocka_unit_test(test_every_removed_byte_is_survived),
		cmocka_unit_test(test_a_walk_gives_each_element_in_order),
		cmocka_unit_test(test_a_walk_gives_each_member_in_order),
		cmocka_unit_test(test_a_walk_over_nothing_ends_at_once),
		cmocka_unit_test(
		    test_a_walk_sees_through_backslashes_before_quotes),
		cmocka_unit_test(test_a_walk_reaches_every_value),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
