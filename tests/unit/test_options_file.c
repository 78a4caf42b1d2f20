/* test_options_file.c - what goes into a configuration file comes out of it
 * unchanged, or is refused. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/file.h"
#include "config/table.h"
#include "config/value.h"

static struct options options;
static char fault[OPTIONS_MAX_LINE * 2];

static void
on_complaint(const char *text)
{
	snprintf(fault, sizeof(fault), "%s", text);
}

static int
forget(void **state)
{
	(void)state;
	options_free(&options);
	fault[0] = '\0';
	return 0;
}

#define TEST(name) cmocka_unit_test_teardown(name, forget)

static bool
read_bytes(const char *bytes, size_t len)
{
	char path[] = "/tmp/peerpost-test.XXXXXX";
	int fd = mkstemp(path);
	bool result;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
	result = options_read_file(&options, path, on_complaint);
	assert_int_equal(result, fault[0] == '\0');
	unlink(path);
	return result;
}

static bool
read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static void
test_a_value_is_kept_with_its_line(void **state)
{
	const struct option_value *value;

	(void)state;
	assert_true(read_text("\n# x\n max-rooms = 7\n"));
	assert_int_equal(options.settings.max_rooms, 7);
	value = options_find_value(&options, find_option_spec("max-rooms"));
	assert_string_equal(value->text, "7");
	assert_int_equal(value->line, 3);
	assert_int_equal(options.n_values, 1);
}

static void
test_what_is_there_already_stays(void **state)
{
	const struct option_spec *spec = find_option_spec("max-rooms");

	(void)state;
	assert_true(options_set(&options, spec, "5", 0));
	assert_true(read_text("max-rooms = 7\nmax-players = 8\n"));
	assert_int_equal(options.settings.max_rooms, 5);
	assert_int_equal(options.settings.max_players, 8);
	assert_false(read_text("max-rooms = x\n"));
	assert_non_null(strstr(fault, ":1: max-rooms: 'x' is not"));
}

/* Each text of up to five of these bytes. */
static const char bytes[] = "a\t ;#=:[\\\"\r\xc3";

static void
make_text(char out[6], unsigned n)
{
	while (n) {
		*out++ = bytes[n % sizeof(bytes)];
		n /= sizeof(bytes);
	}
	*out = '\0';
}

static void
test_no_value_is_changed_in_silence(void **state)
{
	unsigned n_held = 0, n_refused = 0;

	/* Some of all, spread out. */
	for (unsigned n = 1; n < 13 * 13 * 13 * 13 * 13; n += 97) {
		char text[6], line[64];
		bool is_good;

		make_text(text, n);
		if (!text[0])
			continue;
		snprintf(line, sizeof(line), "database = %s\n", text);
		is_good = read_text(line);
		if (options_file_can_hold(text)) {
			assert_true(is_good);
			assert_string_equal(options.database, text);
			n_held++;
		} else if (is_good) {
			/* Nothing but blanks at its ends is gone. */
			char *start = strstr(text, options.database);

			assert_non_null(start);
			assert_int_equal(strspn(text, " \t\r"), start - text);
			start += strlen(options.database);
			assert_int_equal(strspn(start, " \t\r"), strlen(start));
		} else {
			n_refused++;
		}
		forget(state);
	}
	assert_true(n_held > 500);
	assert_true(n_refused > 500);
}

static void
test_the_longest_line_has_8000_bytes(void **state)
{
	char text[OPTIONS_MAX_LINE + 2];
	const size_t name = strlen("database=");

	(void)state;
	memset(text, 'x', sizeof(text));
	memcpy(text, "database=", name);
	assert_true(read_bytes(text, OPTIONS_MAX_LINE)); /* no end of line */
	assert_int_equal(strlen(options.database), OPTIONS_MAX_LINE - name);
	options_free(&options);
	text[OPTIONS_MAX_LINE] = '\n';
	assert_true(read_bytes(text, OPTIONS_MAX_LINE + 1));
	assert_int_equal(strlen(options.database), OPTIONS_MAX_LINE - name);
	options_free(&options);
	text[OPTIONS_MAX_LINE] = 'x';
	text[OPTIONS_MAX_LINE + 1] = '\n';
	assert_false(read_bytes(text, OPTIONS_MAX_LINE + 2));
	assert_non_null(strstr(fault, ":1: the line is longer than 8000"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_value_is_kept_with_its_line),
		TEST(test_what_is_there_already_stays),
		TEST(test_no_value_is_changed_in_silence),
		TEST(test_the_longest_line_has_8000_bytes),
	};

	return cmocka_run_group_tests_name("options_file", tests, NULL, NULL);
}
