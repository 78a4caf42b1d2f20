/* watchdog.h - shows the service manager that nothing hangs.
 *
 * Floor: daemon.  Main thread.
 *
 * A turning loop proves little: a database that does not return leaves every
 * command without an answer.  So the manager is notified only when a barrier
 * has come back the engine has returned it and every loop has turned in the
 * meantime.  If the daemon hangs, the manager kills it and starts it again.
 */
#ifndef PEERPOST_DAEMON_WATCHDOG_H
#define PEERPOST_DAEMON_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "engine/engine.h"

/* Zeroed: no watchdog. */
struct watchdog {
	struct request *barrier;
	bool is_out;  /* on its way, or back while a loop still hangs */
	bool is_back; /* from the engine */
	int64_t every_ms;
	int64_t asked_ms; /* clock_running_ms() when the last one went out */
};

/* After notify_init(). */
void watchdog_init(struct watchdog *watchdog);
/* The engine must have given back everything that it had. */
void watchdog_fini(struct watchdog *watchdog);

/* Once a round: notify the manager, or send a barrier if it is time.  ran_ms:
 * when the loop that is furthest behind began its last round
 * (clock_running_ms()).
 * Returns whether a barrier was sent: every loop should run a round now. */
bool watchdog_run(
    struct watchdog *watchdog, struct completion_queue *cq, int64_t ran_ms);
/* How long a round may wait: max_ms or less. */
int64_t watchdog_max_wait_ms(const struct watchdog *watchdog, int64_t max_ms);

#endif
