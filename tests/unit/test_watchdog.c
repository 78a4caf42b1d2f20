/* test_watchdog.c - when the service manager is told that nothing hangs.
 *
 * The test plays the engine, which gives the barrier back, and the loops.
 */
#include "tests/unit/unit.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/notify.h"
#include "daemon/watchdog.h"

static int manager;

static int
set_up_group(void **state)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	socklen_t len = sizeof(addr);
	char name[sizeof(addr.sun_path) + 1];

	(void)state;
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	/* Linux finds an abstract name. */
	if (manager < 0 ||
	    bind(manager, (const struct sockaddr *)&addr,
		sizeof(addr.sun_family)) < 0 ||
	    getsockname(manager, (struct sockaddr *)&addr, &len) < 0)
		return -1;
	addr.sun_path[0] = '@';
	len -= (socklen_t)offsetof(struct sockaddr_un, sun_path);
	for (socklen_t i = 0; i < len; i++)
		name[i] = addr.sun_path[i];
	name[len] = '\0';
	setenv("NOTIFY_SOCKET", name, 1);
	/* So long that no second barrier is due before a test makes it so. */
	setenv("WATCHDOG_USEC", "3600000000", 1);
	unsetenv("WATCHDOG_PID");
	clock_init();
	notify_init();
	return 0;
}

static unsigned
n_told(void)
{
	char text[64];
	unsigned n = 0;

	while (recv(manager, text, sizeof(text), 0) > 0)
		n++;
	return n;
}

/* The engine has been asked: answer. */
static void
give_back(struct completion_queue *cq, struct watchdog *watchdog)
{
	struct queue_item *item = queue_chain_take(&cq->outbox);

	assert_ptr_equal(item, &watchdog->barrier->cancel.item);
	assert_null(queue_chain_take(&cq->outbox));
	watchdog->barrier->give_back(watchdog->barrier, TASK_CANCEL);
}

static void
ask(struct watchdog *watchdog, struct completion_queue *cq)
{
	assert_false(watchdog_run(watchdog, cq, 0));
	watchdog->asked_ms -= watchdog->every_ms;
	assert_true(watchdog_run(watchdog, cq, 0));
}

static void
test_the_manager_is_told_when_the_barrier_and_all_loops_are_back(void **state)
{
	struct completion_queue cq = { .engine = NULL };
	struct watchdog watchdog;

	(void)state;
	watchdog_init(&watchdog);
	for (int i = 0; i < 3; i++) {
		ask(&watchdog, &cq);
		assert_int_equal(n_told(), 0);
		give_back(&cq, &watchdog);
		watchdog_run(&watchdog, &cq, watchdog.asked_ms);
		assert_int_equal(n_told(), 1);
	}
	watchdog_fini(&watchdog);
}

static void
test_it_is_not_told_while_the_engine_hangs(void **state)
{
	struct completion_queue cq = { .engine = NULL };
	struct watchdog watchdog;

	(void)state;
	watchdog_init(&watchdog);
	ask(&watchdog, &cq);
	assert_false(watchdog_run(&watchdog, &cq, INT64_MAX));
	assert_int_equal(n_told(), 0);
	give_back(&cq, &watchdog);
	watchdog_fini(&watchdog);
}

static void
test_it_is_not_told_while_a_loop_hangs(void **state)
{
	struct completion_queue cq = { .engine = NULL };
	struct watchdog watchdog;

	(void)state;
	watchdog_init(&watchdog);
	ask(&watchdog, &cq);
	give_back(&cq, &watchdog);
	assert_false(watchdog_run(&watchdog, &cq, watchdog.asked_ms - 1));
	assert_int_equal(n_told(), 0);
	/* It was only slow. */
	watchdog_run(&watchdog, &cq, watchdog.asked_ms);
	assert_int_equal(n_told(), 1);
	watchdog_fini(&watchdog);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_the_manager_is_told_when_the_barrier_and_all_loops_are_back),
		cmocka_unit_test(test_it_is_not_told_while_the_engine_hangs),
		cmocka_unit_test(test_it_is_not_told_while_a_loop_hangs),
	};

	return cmocka_run_group_tests(tests, set_up_group, NULL);
}
