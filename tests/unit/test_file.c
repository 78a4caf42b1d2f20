/* test_file.c - what is read of the operator's files, and what is not. */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/file.h"

static char dir[] = "/tmp/peerpost-test-file-XXXXXX";
static char path[64];

static int
set_up_all(void **state)
{
	(void)state;
	/* Who waits for a pipe waits for ever. */
	alarm(60);
	if (!mkdtemp(dir))
		return -1;
	snprintf(path, sizeof(path), "%s/file", dir);
	return 0;
}

static int
tear_down_all(void **state)
{
	(void)state;
	return rmdir(dir);
}

static int
tear_down(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void
write_file(size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	for (size_t i = 0; i < len; i++)
		putc('a' + (int)(i % 26), file);
	assert_int_equal(fclose(file), 0);
}

static void
assert_refused(const char *name, const char *expected)
{
	struct file_text text = { .data = (char *)1 };
	char why[FILE_WHY_SIZE];

	assert_false(file_read(name, 100, &text, why));
	assert_string_equal(why, expected);
	assert_null(text.data);
}

static void
test_a_file_is_read_to_its_end_with_a_nul_behind(void **state)
{
	static const size_t lengths[] = { 0, 1, 4095, 4096, 4097, 100000 };
	char why[FILE_WHY_SIZE];
	struct file_text text;

	(void)state;
	for (size_t k = 0; k < sizeof(lengths) / sizeof(lengths[0]); k++) {
		write_file(lengths[k]);
		assert_true(file_read(path, 100000, &text, why));
		assert_int_equal(text.len, lengths[k]);
		assert_int_equal(text.data[text.len], '\0');
		for (size_t i = 0; i < text.len; i++)
			assert_int_equal(text.data[i], 'a' + (int)(i % 26));
		file_forget(&text);
		assert_null(text.data);
	}
}

static void
write_text(const char *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void
test_a_byte_order_mark_in_front_is_left_out(void **state)
{
	static const struct {
		const char *bytes, *read;
	} rows[] = {
		{ "\xef\xbb\xbfsecret\n", "secret\n" },
		{ "\xef\xbb\xbf", "" },
		{ "\xef\xbb\xbf\xef\xbb\xbfx", "\xef\xbb\xbfx" },
		{ "x\xef\xbb\xbf", "x\xef\xbb\xbf" },
		{ "\xef\xbb", "\xef\xbb" },
		{ "\xff\xfex", "\xff\xfex" },
	};
	char why[FILE_WHY_SIZE];
	struct file_text text;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		write_text(rows[i].bytes, strlen(rows[i].bytes));
		assert_true(file_read(path, 100, &text, why));
		assert_int_equal(text.len, strlen(rows[i].read));
		assert_string_equal(text.data, rows[i].read);
		file_forget(&text);
	}
}

static void
test_more_than_the_most_is_refused(void **state)
{
	char why[FILE_WHY_SIZE];
	struct file_text text;

	(void)state;
	write_file(100);
	assert_true(file_read(path, 100, &text, why));
	file_forget(&text);
	write_file(101);
	assert_refused(path, "it is larger than 100 bytes");
	assert_int_equal(truncate(path, (off_t)1 << 40), 0);
	assert_refused(path, "it is larger than 100 bytes");
}

static void
test_only_regular_files_are_read(void **state)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int fd;

	(void)state;
	assert_refused(dir, "Is a directory");
	assert_refused("/dev/zero", "it is a device, not a regular file");
	assert_refused("/dev/null", "it is a device, not a regular file");
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_refused(path, "it is a pipe, not a regular file");
	unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	strcpy(un.sun_path, path);
	assert_int_equal(bind(fd, (const struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
	assert_refused(path, "No such device or address");
}

static void
test_what_is_not_there_is_said_so(void **state)
{
	(void)state;
	assert_refused(path, "No such file or directory");
	assert_refused("", "No such file or directory");
}

static void
test_that_everybody_can_read_it_is_noticed(void **state)
{
	char why[FILE_WHY_SIZE];
	struct file_text text;

	(void)state;
	write_file(1);
	assert_int_equal(chmod(path, 0640), 0);
	assert_true(file_read(path, 100, &text, why));
	assert_false(text.is_exposed);
	file_forget(&text);
	assert_int_equal(chmod(path, 0604), 0);
	assert_true(file_read(path, 100, &text, why));
	assert_true(text.is_exposed);
	file_forget(&text);
}

#define TEST(name) cmocka_unit_test_teardown(name, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_file_is_read_to_its_end_with_a_nul_behind),
		TEST(test_a_byte_order_mark_in_front_is_left_out),
		TEST(test_more_than_the_most_is_refused),
		TEST(test_only_regular_files_are_read),
		TEST(test_what_is_not_there_is_said_so),
		TEST(test_that_everybody_can_read_it_is_noticed),
	};

	return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
