/* test_log_flood.c - repeats are counted, and no count is lost.
 *
 * What is written to stderr goes into a pipe, and is read back as one text.
 */
#include "tests/unit/scratch_clock.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log_flood.h"
#include "base/log_line.h"

#define N_THREADS 4
#define N_LINES 10000

static int pipe_fds[2], real_stderr;
static struct log_flood full, broken, many;

static int
set_up_all(void **state)
{
	if (scratch_set_up_clock(state) < 0)
		return -1;
	scratch_clock[2] = 1; /* it stands still */
	return 0;
}

static void
begin_anew(struct log_flood *flood)
{
	flood->is_counting = false;
	flood->n_counted = 0;
}

static int
set_up(void **state)
{
	(void)state;
	begin_anew(&full);
	begin_anew(&broken);
	begin_anew(&many);
	log_line_set_form(LOG_FORMAT_TEXT, LOG_BEGIN_BARE);
	log_set_level(LOG_LEVEL_INFO);
	if (pipe2(pipe_fds, O_NONBLOCK) < 0)
		return -1;
	real_stderr = dup(STDERR_FILENO);
	return dup2(pipe_fds[1], STDERR_FILENO) < 0 ? -1 : 0;
}

static int
tear_down(void **state)
{
	(void)state;
	dup2(real_stderr, STDERR_FILENO);
	close(real_stderr);
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return 0;
}

/* What has been written since the last call. */
static const char *
written(void)
{
	static char text[65536];
	ssize_t len = read(pipe_fds[0], text, sizeof(text) - 1);

	text[len > 0 ? len : 0] = '\0';
	return text;
}

static void
complain(struct log_flood *flood, const char *kind)
{
	if (log_flood_passes(flood, LOG_LEVEL_WARNING, kind))
		log_warning("no %s", kind);
}

static void
test_the_first_is_there_at_once_and_the_rest_as_a_number(void **state)
{
	(void)state;
	complain(&full, "room");
	assert_string_equal(written(), "peerpostd: warning: no room\n");
	for (int i = 0; i < 1000; i++) {
		complain(&full, "room");
		log_flood_tick();
	}
	assert_string_equal(written(), "");
	scratch_clock[0] += 59999;
	log_flood_tick();
	assert_string_equal(written(), "");
	/* Though no further one comes. */
	scratch_clock[0] += 1;
	log_flood_tick();
	assert_string_equal(written(),
	    "peerpostd: warning: repeats that are not logged kind=room "
	    "count=1000 seconds=60\n");
	scratch_clock[0] += 60000;
	log_flood_tick();
	assert_string_equal(written(), "");
	complain(&full, "room");
	assert_string_equal(written(), "peerpostd: warning: no room\n");
}

static void
test_a_flood_that_goes_on_makes_one_line_a_minute(void **state)
{
	size_t n_lines = 0;

	(void)state;
	for (int s = 0; s < 600; s++) {
		for (int i = 0; i < 100; i++)
			complain(&full, "room");
		scratch_clock[0] += 1000;
		log_flood_tick();
	}
	for (const char *at = written(); (at = strchr(at, '\n')); at++)
		n_lines++;
	assert_int_equal(n_lines, 11);
}

static void
test_each_kind_has_its_own_first_line_and_count(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		complain(&full, "room");
	complain(&broken, "disk");
	complain(&broken, "disk");
	assert_string_equal(written(),
	    "peerpostd: warning: no room\npeerpostd: warning: no disk\n");
	log_line_set_form(LOG_FORMAT_LOGFMT, LOG_BEGIN_BARE);
	log_flood_end();
	assert_non_null(strstr(written(), "kind=disk count=1 seconds=0\n"));
}

static void
test_the_end_tells_all_counts_in_every_form(void **state)
{
	(void)state;
	complain(&full, "a room");
	complain(&full, "a room");
	(void)written();
	scratch_clock[0] += 1500;
	log_line_set_form(LOG_FORMAT_JSON, LOG_BEGIN_BARE);
	log_flood_end();
	assert_non_null(strstr(written(),
	    "\"level\":\"warning\",\"msg\":\"repeats that are not logged\","
	    "\"kind\":\"a room\",\"count\":1,\"seconds\":2}\n"));
	log_flood_end();
	assert_string_equal(written(), "");
	complain(&full, "a room");
	log_line_set_form(LOG_FORMAT_LOGFMT, LOG_BEGIN_BARE);
	log_flood_end();
	assert_non_null(strstr(written(),
	    "level=warning msg=\"repeats that are not logged\" "
	    "kind=\"a room\" count=1 seconds=0\n"));
}

static void
test_without_a_tick_the_next_one_tells_the_count(void **state)
{
	(void)state;
	complain(&full, "room");
	complain(&full, "room");
	scratch_clock[0] += 90000;
	(void)written();
	complain(&full, "room");
	assert_string_equal(written(),
	    "peerpostd: warning: repeats that are not logged kind=room count=1 "
	    "seconds=90\n");
	log_flood_end();
	assert_non_null(strstr(written(), "kind=room count=1 "));
}

static void
test_what_the_level_shuts_out_is_not_counted(void **state)
{
	(void)state;
	log_set_level(LOG_LEVEL_ERROR);
	for (int i = 0; i < 10; i++)
		complain(&full, "room");
	log_set_level(LOG_LEVEL_INFO);
	log_flood_end();
	assert_string_equal(written(), "");
	complain(&full, "room");
	assert_string_equal(written(), "peerpostd: warning: no room\n");
}

static void *
fail_often(void *cls)
{
	(void)cls;
	for (int i = 0; i < N_LINES; i++)
		complain(&many, "thing");
	return NULL;
}

static void
test_threads_lose_no_count(void **state)
{
	pthread_t threads[N_THREADS];
	char expected[64];

	(void)state;
	for (int i = 0; i < N_THREADS; i++)
		assert_int_equal(
		    pthread_create(&threads[i], NULL, fail_often, NULL), 0);
	for (int i = 0; i < N_THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_string_equal(written(), "peerpostd: warning: no thing\n");
	log_flood_end();
	snprintf(
	    expected, sizeof(expected), "count=%d ", N_THREADS * N_LINES - 1);
	assert_non_null(strstr(written(), expected));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_the_first_is_there_at_once_and_the_rest_as_a_number),
		TEST(test_a_flood_that_goes_on_makes_one_line_a_minute),
		TEST(test_each_kind_has_its_own_first_line_and_count),
		TEST(test_the_end_tells_all_counts_in_every_form),
		TEST(test_without_a_tick_the_next_one_tells_the_count),
		TEST(test_what_the_level_shuts_out_is_not_counted),
		TEST(test_threads_lose_no_count),
	};

	return cmocka_run_group_tests(tests, set_up_all, NULL);
}
