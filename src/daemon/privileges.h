/* privileges.h - becoming the user that the daemon runs as.
 *
 * Floor: daemon.  Main thread, before any other starts.
 */
#ifndef PEERPOST_DAEMON_PRIVILEGES_H
#define PEERPOST_DAEMON_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>

#include "config/identity.h"

/* Whether taking it on changes anything. */
bool identity_is_other(const struct identity *identity);

/* Become it for ever.  What is us already may be taken on by anybody.
 * false: why is in out_why, one sentence without a full stop.  The process
 * must not go on then: it may be half of each. */
bool identity_take_on(
    const struct identity *identity, char *out_why, size_t why_size);

#endif
