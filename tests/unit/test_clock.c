/* test_clock.c - the clock, and the one that tests can move.
 *
 * clock_init() is for once in a process, so the order matters here: the
 * tests without a test clock come first, then every one with it.
 */
#include "tests/unit/unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

#define VARIABLE "PEERPOST_TEST_CLOCK"

static int64_t *moved; /* passed_ms, stalled_ms, is_still, wall_ms */

static int64_t
system_ms(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* Each clock, bracketed by looks at the system's, is ahead by just so much. */
static void
assert_ahead(int64_t now_ms, int64_t running_ms, int64_t unix_s)
{
	int64_t before = system_ms(CLOCK_MONOTONIC);
	int64_t now = clock_now_ms(), running = clock_running_ms();
	int64_t after = system_ms(CLOCK_MONOTONIC);
	int64_t before_s = system_ms(CLOCK_REALTIME) / 1000;
	int64_t unix_now = clock_unix_s();
	int64_t after_s = system_ms(CLOCK_REALTIME) / 1000;

	assert_true(now >= before + now_ms && now <= after + now_ms);
	assert_true(
	    running >= before + running_ms && running <= after + running_ms);
	assert_true(
	    unix_now >= before_s + unix_s && unix_now <= after_s + unix_s);
}

static void
test_without_a_test_clock_time_is_the_systems(void **state)
{
	(void)state;
	assert_int_equal(unsetenv(VARIABLE), 0);
	clock_init();
	assert_ahead(0, 0, 0);
}

static void
test_without_a_test_clock_sleep_is_not_cut(void **state)
{
	(void)state;
	assert_int_equal(clock_max_sleep_ms(-1), -1);
	assert_int_equal(clock_max_sleep_ms(0), 0);
	assert_int_equal(clock_max_sleep_ms(3600000), 3600000);
}

static void
test_a_test_clock_that_is_not_there_ends_the_process(void **state)
{
	char message[200];
	ssize_t len;
	int status, fds[2];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		dup2(fds[1], STDERR_FILENO);
		setenv(VARIABLE, "/nonexistent/clock", 1);
		clock_init();
		_exit(0);
	}
	close(fds[1]);
	len = read(fds[0], message, sizeof(message));
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
	assert_true(len > 1 && message[len - 1] == '\n');
}

static int
set_up_test_clock(void **state)
{
	char path[] = "/tmp/peerpost-test-clock-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0 || ftruncate(fd, 4 * sizeof(int64_t)) < 0)
		return -1;
	moved = mmap(NULL, 4 * sizeof(int64_t), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	close(fd);
	if (moved == MAP_FAILED)
		return -1;
	setenv(VARIABLE, path, 1);
	clock_init();
	return unlink(path);
}

static void
test_an_untouched_test_clock_changes_no_time(void **state)
{
	(void)state;
	assert_ahead(0, 0, 0);
}

static void
test_time_that_passes_is_no_stall(void **state)
{
	(void)state;
	moved[0] = 3600000;
	assert_ahead(3600000, 0, 3600);
	moved[0] += 120000;
	assert_ahead(3720000, 0, 3720);
	moved[0] = 0;
}

static void
test_a_stall_moves_every_clock(void **state)
{
	(void)state;
	moved[1] = 60000;
	assert_ahead(60000, 60000, 60);
	moved[0] = 1000;
	assert_ahead(61000, 60000, 61);
	moved[0] = moved[1] = 0;
}

static void
test_a_step_of_the_wall_clock_moves_no_other(void **state)
{
	(void)state;
	moved[3] = 86400000;
	assert_ahead(0, 0, 86400);
	moved[3] = -86400000;
	assert_ahead(0, 0, -86400);
	moved[3] = 0;
}

static void
test_when_it_stands_still_no_real_time_passes(void **state)
{
	const struct timespec pause = { 0, 20000000 };
	int64_t now_ms, now_us, running_ms, unix_s;

	(void)state;
	moved[2] = 1;
	now_ms = clock_now_ms();
	now_us = clock_now_us();
	running_ms = clock_running_ms();
	unix_s = clock_unix_s();
	nanosleep(&pause, NULL);
	assert_int_equal(clock_now_ms(), now_ms);
	assert_int_equal(clock_now_us(), now_us);
	assert_int_equal(now_us / 1000, now_ms);
	assert_int_equal(clock_running_ms(), running_ms);
	assert_int_equal(clock_unix_s(), unix_s);
	moved[0] = 5000;
	moved[1] = 2000;
	assert_int_equal(clock_now_ms(), now_ms + 7000);
	assert_int_equal(clock_now_us(), now_us + 7000000);
	assert_int_equal(clock_running_ms(), running_ms + 2000);
	assert_int_equal(clock_unix_s(), unix_s + 7);
	moved[0] = moved[1] = moved[2] = 0;
	assert_ahead(0, 0, 0);
}

static void
test_with_a_test_clock_nobody_sleeps_long(void **state)
{
	(void)state;
	assert_in_range(clock_max_sleep_ms(-1), 1, 10);
	assert_in_range(clock_max_sleep_ms(3600000), 1, 10);
	assert_int_equal(clock_max_sleep_ms(1), 1);
	assert_int_equal(clock_max_sleep_ms(0), 0);
}

int
main(void)
{
	const struct CMUnitTest plain[] = {
		cmocka_unit_test(test_without_a_test_clock_time_is_the_systems),
		cmocka_unit_test(test_without_a_test_clock_sleep_is_not_cut),
		cmocka_unit_test(
		    test_a_test_clock_that_is_not_there_ends_the_process),
	};
	const struct CMUnitTest with_test_clock[] = {
		cmocka_unit_test(test_an_untouched_test_clock_changes_no_time),
		cmocka_unit_test(test_time_that_passes_is_no_stall),
		cmocka_unit_test(test_a_stall_moves_every_clock),
		cmocka_unit_test(test_a_step_of_the_wall_clock_moves_no_other),
		cmocka_unit_test(test_when_it_stands_still_no_real_time_passes),
		cmocka_unit_test(test_with_a_test_clock_nobody_sleeps_long),
	};
	int failed = cmocka_run_group_tests(plain, NULL, NULL);

	return failed +
	    cmocka_run_group_tests(with_test_clock, set_up_test_clock, NULL);
}
