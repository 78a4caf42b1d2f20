/* watchdog.c - see watchdog.h. */
#include "daemon/watchdog.h"

#include "base/clock.h"
#include "base/notify.h"

#define BUSY_MS 10 /* a busy loop gets this long, repeatedly */

static void
on_barrier(struct request *request, enum task_kind kind)
{
	struct watchdog *watchdog = request->owner;

	(void)kind;
	watchdog->is_back = true;
}

void
watchdog_init(struct watchdog *watchdog)
{
	int64_t limit_ms = notify_watchdog_ms();

	*watchdog = (struct watchdog){ .every_ms = (limit_ms + 1) / 2 };
	if (limit_ms == 0)
		return;
	watchdog->barrier = request_new(0);
	watchdog->barrier->owner = watchdog;
	watchdog->barrier->give_back = on_barrier;
	watchdog->asked_ms = clock_running_ms();
}

void
watchdog_fini(struct watchdog *watchdog)
{
	request_free(watchdog->barrier);
	watchdog->barrier = NULL;
}

bool
watchdog_run(
    struct watchdog *watchdog, struct completion_queue *cq, int64_t ran_ms)
{
	int64_t now_ms = clock_running_ms();

	if (watchdog->is_back && ran_ms >= watchdog->asked_ms) {
		watchdog->is_out = watchdog->is_back = false;
		notify_watchdog();
	}
	if (watchdog->every_ms == 0 || watchdog->is_out ||
	    now_ms - watchdog->asked_ms < watchdog->every_ms)
		return false;
	watchdog->is_out = true;
	watchdog->asked_ms = now_ms;
	engine_cancel(cq, watchdog->barrier);
	return true;
}

int64_t
watchdog_max_wait_ms(const struct watchdog *watchdog, int64_t max_ms)
{
	if (watchdog->is_back && max_ms > BUSY_MS)
		return BUSY_MS;
	return watchdog->every_ms && watchdog->every_ms < max_ms ?
	    watchdog->every_ms :
	    max_ms;
}
