/* notify.h - telling the service manager how we are.
 *
 * Floor: base.  Main thread; notify_init() before any other starts.
 *
 * The protocol of sd_notify(3), of which only datagrams to a socket are
 * needed: https://www.freedesktop.org/software/systemd/man/sd_notify.html.
 * Without a service manager all of this does nothing.  Nothing here waits for
 * the manager for more than a second, and what it does not take is lost.
 */
#ifndef PEERPOST_BASE_NOTIFY_H
#define PEERPOST_BASE_NOTIFY_H

#include <stdint.h>

#include "base/err.h"

/* Find the manager's socket, $NOTIFY_SOCKET, and how often it wants to hear
 * from us, $WATCHDOG_USEC if $WATCHDOG_PID is ours or nobody's; and remove all
 * three, since they are meant for this process only. */
void notify_init(void);

/* What is said in status is for people: "serving". */
void notify_ready(const char *status);
/* A reload begins; notify_ready() is its end. */
void notify_reloading(const char *status);
void notify_stopping(const char *status);
void notify_status(const char *status);

/* At the latest so often, in milliseconds, the manager wants
 * notify_watchdog(); 0: it does not. */
int64_t notify_watchdog_ms(void);
void notify_watchdog(void);

#endif
