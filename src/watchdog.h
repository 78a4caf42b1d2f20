/* watchdog.h - showing the service manager that nothing hangs.
 *
 * Floor: top.  Loop thread only.
 *
 * That the loop turns proves little: a database that does not return leaves
 * every command without an answer.  So what is told to the manager is that an
 * echo has come back from the engine.  A daemon that hangs is killed by the
 * manager, and started again.
 */
#ifndef PEERPOST_WATCHDOG_H
#define PEERPOST_WATCHDOG_H

#include <stdbool.h>
#include <stdint.h>

#include "api/engine.h"

/* Zeroed: there is nobody to show it to. */
struct watchdog {
	struct request *echo;
	bool is_out; /* the engine has it */
	int64_t every_ms;
	int64_t asked_ms; /* clock_running_ms() when the last one went out */
};

/* After notify_init(). */
void watchdog_init(struct watchdog *watchdog);
/* The engine must have given back what it had. */
void watchdog_fini(struct watchdog *watchdog);

/* Once a round: send an echo if it is time. */
void watchdog_run(struct watchdog *watchdog, struct engine *engine);
/* How long a round may wait: max_ms, or less. */
int64_t watchdog_max_wait_ms(const struct watchdog *watchdog, int64_t max_ms);

#endif
