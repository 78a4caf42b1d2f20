/* test_notify.c - what the service manager is told, by a real socket.
 *
 * notify_init() is for once in a process, so each test has one of its own.
 */
#include "tests/unit/unit.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/notify.h"

/* A manager's socket of an abstract name, and the name: "@...". */
static int
open_manager(char name[64])
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	size_t len;

	snprintf(name, 64, "@peerpost-test-notify-%d", (int)getpid());
	len = strlen(name);
	memcpy(addr.sun_path, name, len);
	addr.sun_path[0] = '\0';
	if (fd < 0 ||
	    bind(fd, (const struct sockaddr *)&addr,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		abort();
	return fd;
}

/* Check by check: the child of a test that is not right ends with the line. */
#define CHECK(is_right) \
	do { \
		if (!(is_right)) \
			_exit(1 + __LINE__ % 250); \
	} while (0)

static bool
hears(int fd, const char *text)
{
	char heard[1024];
	ssize_t len = recv(fd, heard, sizeof(heard) - 1, 0);

	if (len < 0)
		return text == NULL;
	heard[len] = '\0';
	return text && strcmp(heard, text) == 0;
}

static void
run_in_child(void (*run)(void))
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (child == 0) {
		run();
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
set_number(const char *name, long value)
{
	char text[32];

	snprintf(text, sizeof(text), "%ld", value);
	setenv(name, text, 1);
}

static void
tell_all(void)
{
	long long usec, before, after;
	struct timespec now;
	char name[64], heard[1024];
	int fd = open_manager(name), end = 0;
	ssize_t len;

	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", "30000000", 1);
	set_number("WATCHDOG_PID", getpid());
	notify_init();
	CHECK(!getenv("NOTIFY_SOCKET") && !getenv("WATCHDOG_USEC") &&
	    !getenv("WATCHDOG_PID"));
	CHECK(notify_watchdog_ms() == 30000);
	notify_ready("serving");
	CHECK(hears(fd, "READY=1\nSTATUS=serving"));
	notify_status("3 players");
	CHECK(hears(fd, "STATUS=3 players"));
	notify_watchdog();
	CHECK(hears(fd, "WATCHDOG=1"));
	clock_gettime(CLOCK_MONOTONIC, &now);
	before = (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	notify_reloading("reading");
	clock_gettime(CLOCK_MONOTONIC, &now);
	after = (long long)now.tv_sec * 1000000 + now.tv_nsec / 1000;
	len = recv(fd, heard, sizeof(heard) - 1, 0);
	CHECK(len > 0);
	heard[len] = '\0';
	CHECK(
	    sscanf(heard, "RELOADING=1\nMONOTONIC_USEC=%lld\nSTATUS=reading%n",
		&usec, &end) == 1 &&
	    end == len);
	CHECK(before <= usec && usec <= after);
	notify_stopping("bye");
	CHECK(hears(fd, "STOPPING=1\nSTATUS=bye"));
	CHECK(hears(fd, NULL));
	/* Nobody is there any more: nothing happens. */
	close(fd);
	notify_status("alone");
	notify_watchdog();
}

static void
test_all_that_can_be_said(void **state)
{
	(void)state;
	run_in_child(tell_all);
}

static void
tell_nobody(void)
{
	setenv("WATCHDOG_USEC", "30000000", 1);
	notify_init();
	CHECK(!getenv("WATCHDOG_USEC"));
	CHECK(notify_watchdog_ms() == 0);
	notify_ready("serving");
	notify_watchdog();
}

static void
test_without_a_manager_nothing_happens(void **state)
{
	(void)state;
	run_in_child(tell_nobody);
}

static void
watch(const char *usec, const char *pid, int64_t expected_ms)
{
	char name[64];

	open_manager(name);
	setenv("NOTIFY_SOCKET", name, 1);
	setenv("WATCHDOG_USEC", usec, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
	notify_init();
	CHECK(notify_watchdog_ms() == expected_ms);
}

static void
watch_another(void)
{
	watch("1000000", "1", 0);
}

static void
watch_anybody(void)
{
	watch("1500", NULL, 1);
}

static void
watch_nonsense(void)
{
	watch("often", NULL, 0);
}

static void
test_the_watchdog_is_for_one_process(void **state)
{
	(void)state;
	run_in_child(watch_another);
	run_in_child(watch_anybody);
	run_in_child(watch_nonsense);
}

static void
tell_strange(void)
{
	/* Of another kind, such as a manager outside of a machine has. */
	setenv("NOTIFY_SOCKET", "vsock:2:1234", 1);
	setenv("WATCHDOG_USEC", "1000000", 1);
	notify_init();
	CHECK(notify_watchdog_ms() == 0);
	notify_ready("serving");
}

static void
test_a_strange_address_is_passed_over(void **state)
{
	(void)state;
	run_in_child(tell_strange);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_that_can_be_said),
		cmocka_unit_test(test_without_a_manager_nothing_happens),
		cmocka_unit_test(test_the_watchdog_is_for_one_process),
		cmocka_unit_test(test_a_strange_address_is_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
