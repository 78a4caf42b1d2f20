/* test_log.c - lines of the log, in their three forms. */
#include "tests/unit/unit.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/log.h"
#include "base/log_line.h"

static struct log_line line;

/* The line so far, as it is written, without its time. */
static const char *
closed(void)
{
	static char text[LOG_LINE_SIZE + 1];
	char *time, *end;
	int file = memfd_create("log", MFD_CLOEXEC);
	int saved = dup(STDERR_FILENO);
	ssize_t n;

	assert_true(file >= 0 && saved >= 0);
	dup2(file, STDERR_FILENO);
	log_line_end(&line);
	dup2(saved, STDERR_FILENO);
	n = pread(file, text, LOG_LINE_SIZE, 0);
	close(file);
	close(saved);
	assert_true(n > 0);
	text[n] = '\0';
	assert_int_equal(strlen(text), n);
	assert_ptr_equal(strchr(text, '\n'), text + n - 1);
	text[n - 1] = '\0';
	time = strstr(text, "202");
	end = time ? strchr(time, 'Z') : NULL;
	if (end)
		memmove(time, end, strlen(end) + 1);
	return text;
}

static bool
ends(const char *text, const char *end)
{
	return strcmp(text + strlen(text) - strlen(end), end) == 0;
}

static const char *
message_in(enum log_format format, const char *message)
{
	log_line_set_form(format, LOG_BEGIN_BARE);
	log_line_begin(&line, LOG_LEVEL_WARNING, message);
	return closed();
}

static const char *
value_in(enum log_format format, const char *value)
{
	log_line_set_form(format, LOG_BEGIN_BARE);
	log_line_begin(&line, LOG_LEVEL_WARNING, "m");
	log_line_add_text(&line, "k", value);
	return closed();
}

#define LOGFMT "time=Z level=warning msg="
#define JSON "{\"time\":\"Z\",\"level\":\"warning\",\"msg\":"

static void
test_a_message_is_a_sentence_a_pair_or_a_member(void **state)
{
	(void)state;
	assert_string_equal(message_in(LOG_FORMAT_TEXT, "no \"x\": a=b"),
	    "peerpostd: warning: no \"x\": a=b");
	assert_string_equal(message_in(LOG_FORMAT_LOGFMT, "no \"x\": a=b"),
	    LOGFMT "\"no \\\"x\\\": a=b\"");
	assert_string_equal(message_in(LOG_FORMAT_JSON, "no \"x\": a=b"),
	    JSON "\"no \\\"x\\\": a=b\"}");
}

static void
test_logfmt_quotes_what_needs_it(void **state)
{
	static const char *const pairs[][2] = {
		{ "bare", "bare" },
		{ "/a/b:c,d;e[f]", "/a/b:c,d;e[f]" },
		{ "\xc3\xa9", "\xc3\xa9" },
		{ "", "\"\"" },
		{ "a b", "\"a b\"" },
		{ "a=b", "\"a=b\"" },
		{ "a\"b", "\"a\\\"b\"" },
		{ "a\\b", "\"a\\\\b\"" },
		{ "a\nb", "\"a\\nb\"" },
		{ "\t", "\"\\u0009\"" },
		{ "\x1b[2J", "\"\\u001b[2J\"" },
		{ "\x7f", "\"\\u007f\"" },
		{ "\xc2\x9b", "\"\\u009b\"" },
		{ "\xff\xfe", "\"\xef\xbf\xbd\xef\xbf\xbd\"" },
	};
	char expected[128];

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		strcpy(expected, LOGFMT "m k=");
		strcat(expected, pairs[i][1]);
		assert_string_equal(
		    value_in(LOG_FORMAT_LOGFMT, pairs[i][0]), expected);
	}
}

static void
test_json_is_json_whatever_is_in_it(void **state)
{
	(void)state;
	assert_string_equal(value_in(LOG_FORMAT_JSON, "\"\\\n\x01\xc3"),
	    JSON "\"m\",\"k\":\"\\\"\\\\\\n\\u0001\xef\xbf\xbd\"}");
	log_line_set_form(LOG_FORMAT_JSON, LOG_BEGIN_BARE);
	log_line_begin(&line, LOG_LEVEL_WARNING, "m");
	log_line_add_uint(&line, "n", UINT64_MAX);
	log_line_add_ms(&line, "ms", 12034);
	assert_string_equal(
	    closed(), JSON "\"m\",\"n\":18446744073709551615,\"ms\":12.034}");
}

static void
test_a_line_break_makes_no_line(void **state)
{
	(void)state;
	assert_string_equal(message_in(LOG_FORMAT_TEXT,
				"cannot open a\npeerpostd: error: b\r\x1b[m"),
	    "peerpostd: warning: cannot open a\\npeerpostd: error: "
	    "b\\u000d\\u001b[m");
}

static void
test_what_is_too_long_is_cut_and_stays_in_form(void **state)
{
	char message[2 * LOG_LINE_SIZE];
	const char *text;

	(void)state;
	memset(message, 'x', sizeof(message) - 1);
	message[sizeof(message) - 1] = '\0';
	text = message_in(LOG_FORMAT_JSON, message);
	assert_true(ends(text, "xx\"}"));
	memset(message, '"', sizeof(message) - 1);
	text = message_in(LOG_FORMAT_JSON, message);
	assert_true(ends(text, "\\\"\\\"\"}"));
	for (size_t n = 0; n < 16; n++) {
		memset(message, 'y', sizeof(message));
		message[LOG_LINE_SIZE - 64 - n] = '\0';
		log_line_set_form(LOG_FORMAT_JSON, LOG_BEGIN_BARE);
		log_line_begin(&line, LOG_LEVEL_WARNING, message);
		for (int i = 0; i < 8; i++)
			log_line_add_text(&line, "k", "zz z");
		log_line_add_uint(&line, "n", 1);
		text = closed();
		assert_true(ends(text, ",\"k\":\"zz z\"}") ||
		    ends(text, ",\"n\":1}") || ends(text, "yy\"}"));
		assert_true(line.len <= LOG_LINE_SIZE);
	}
}

static void
test_the_journal_is_told_the_priority(void **state)
{
	static const char *const expected[] = { "<3>m", "<4>m", "<6>m", "<7>m",
		"<5>m" };

	(void)state;
	log_line_set_form(LOG_FORMAT_TEXT, LOG_BEGIN_PRIORITY);
	for (int i = 0; i < 5; i++) {
		log_line_begin(&line, (enum log_level)i, "m");
		assert_string_equal(closed(), expected[i]);
	}
	log_line_set_form(LOG_FORMAT_LOGFMT, LOG_BEGIN_PRIORITY);
	log_line_begin(&line, LOG_LEVEL_NOTICE, "m");
	assert_string_equal(closed(), "<5>time=Z level=notice msg=m");
}

static void
test_text_for_later_has_the_time_except_where_scripts_wait(void **state)
{
	(void)state;
	log_line_set_form(LOG_FORMAT_TEXT, LOG_BEGIN_TIME);
	log_line_begin(&line, LOG_LEVEL_WARNING, "m");
	assert_string_equal(closed(), "Z peerpostd: warning: m");
	log_line_begin(&line, LOG_LEVEL_NOTICE, "m");
	assert_string_equal(closed(), "m");
	log_line_set_form(LOG_FORMAT_LOGFMT, LOG_BEGIN_TIME);
	log_line_begin(&line, LOG_LEVEL_WARNING, "m");
	assert_string_equal(closed(), LOGFMT "m");
}

static void
test_lines_about_a_request_say_so(void **state)
{
	(void)state;
	log_set_request(0xabc);
	assert_string_equal(
	    value_in(LOG_FORMAT_LOGFMT, "v"), LOGFMT "m request=00000abc k=v");
	log_set_request(0);
	assert_string_equal(value_in(LOG_FORMAT_LOGFMT, "v"), LOGFMT "m k=v");
}

static void
test_a_level_shuts_out_what_is_less_urgent(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_WARNING);
	assert_true(log_is_on(LOG_LEVEL_ERROR));
	assert_true(log_is_on(LOG_LEVEL_WARNING));
	assert_false(log_is_on(LOG_LEVEL_INFO));
	assert_false(log_is_on(LOG_LEVEL_DEBUG));
	assert_true(log_is_on(LOG_LEVEL_NOTICE));
	log_set_level(LOG_LEVEL_DEBUG);
	assert_true(log_is_on(LOG_LEVEL_DEBUG));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_a_message_is_a_sentence_a_pair_or_a_member),
		cmocka_unit_test(test_logfmt_quotes_what_needs_it),
		cmocka_unit_test(test_json_is_json_whatever_is_in_it),
		cmocka_unit_test(test_a_line_break_makes_no_line),
		cmocka_unit_test(
		    test_what_is_too_long_is_cut_and_stays_in_form),
		cmocka_unit_test(test_the_journal_is_told_the_priority),
		cmocka_unit_test(
		    test_text_for_later_has_the_time_except_where_scripts_wait),
		cmocka_unit_test(test_lines_about_a_request_say_so),
		cmocka_unit_test(test_a_level_shuts_out_what_is_less_urgent),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
