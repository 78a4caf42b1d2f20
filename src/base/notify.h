/* notify.h - messages to the service manager.
 *
 * Floor: base.  Main thread; notify_init() before any other starts.
 *
 * The protocol of sd_notify(3), as far as it needs only datagrams to a socket:
 * https://www.freedesktop.org/software/systemd/man/sd_notify.html.  Without a
 * service manager all of this does nothing.  No function here waits for the
 * manager for more than a second; a message that it does not accept is lost.
 */
#ifndef PEERPOST_BASE_NOTIFY_H
#define PEERPOST_BASE_NOTIFY_H

#include <stdint.h>

#include "base/err.h"

/* Find the manager's socket, $NOTIFY_SOCKET, and the interval of its watchdog,
 * $WATCHDOG_USEC if $WATCHDOG_PID is unset or our own; and unset all three,
 * since they are meant for this process only. */
void notify_init(void);

/* status is text for people: "serving". */
void notify_ready(const char *status);
/* A reload begins; notify_ready() ends it. */
void notify_reloading(const char *status);
void notify_stopping(const char *status);
void notify_status(const char *status);

/* The longest time between two calls of notify_watchdog() that the manager
 * allows, in milliseconds; 0: it expects none. */
int64_t notify_watchdog_ms(void);
void notify_watchdog(void);

#endif
