/* clock.c - see clock.h. */
#include "base/clock.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define TEST_SLEEP_MS 10

struct test_clock {
	volatile int64_t passed_ms;
	volatile int64_t stalled_ms;
	volatile int64_t is_still;
	volatile int64_t wall_ms;
};

static const struct test_clock *test_clock;
/* The time at which it was found. */
static struct timespec start_monotonic, start_real;

void
clock_init(void)
{
	const char *path = getenv("PEERPOST_TEST_CLOCK");
	void *map = MAP_FAILED;
	struct stat st;
	int fd;

	if (!path)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (fstat(fd, &st) == 0 &&
		    st.st_size >= (off_t)sizeof(*test_clock))
			map = mmap(NULL, sizeof(*test_clock), PROT_READ,
			    MAP_SHARED, fd, 0);
		close(fd);
	}
	if (map == MAP_FAILED) {
		fprintf(stderr, "peerpostd: cannot map PEERPOST_TEST_CLOCK\n");
		exit(1);
	}
	clock_gettime(CLOCK_MONOTONIC, &start_monotonic);
	clock_gettime(CLOCK_REALTIME, &start_real);
	test_clock = map;
}

static struct timespec
read_clock(clockid_t id)
{
	struct timespec ts;

	if (test_clock && test_clock->is_still)
		return id == CLOCK_MONOTONIC ? start_monotonic : start_real;
	clock_gettime(id, &ts);
	return ts;
}

static int64_t
ms_of(struct timespec ts)
{
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t
clock_now_ms(void)
{
	int64_t ms = clock_running_ms();

	return test_clock ? ms + test_clock->passed_ms : ms;
}

int64_t
clock_now_us(void)
{
	struct timespec ts = read_clock(CLOCK_MONOTONIC);
	int64_t us = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;

	return test_clock ?
	    us + (test_clock->stalled_ms + test_clock->passed_ms) * 1000 :
	    us;
}

int64_t
clock_running_ms(void)
{
	int64_t ms = ms_of(read_clock(CLOCK_MONOTONIC));

	return test_clock ? ms + test_clock->stalled_ms : ms;
}

int64_t
clock_unix_s(void)
{
	int64_t ms = ms_of(read_clock(CLOCK_REALTIME));

	if (test_clock)
		ms += test_clock->passed_ms + test_clock->stalled_ms +
		    test_clock->wall_ms;
	return ms / 1000;
}

int
clock_max_sleep_ms(int wanted_ms)
{
	if (test_clock && (wanted_ms < 0 || wanted_ms > TEST_SLEEP_MS))
		return TEST_SLEEP_MS;
	return wanted_ms;
}
