/* privileges.h - becoming the user that the daemon runs as.
 *
 * Floor: daemon.  Main thread, before any other starts.
 */
#ifndef PEERPOST_DAEMON_PRIVILEGES_H
#define PEERPOST_DAEMON_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>

#include "config/identity.h"

/* Whether becoming that user changes anything. */
bool identity_is_other(const struct identity *identity);

/* Become that user for ever.  Anybody may become what it is already.
 * false: why is in out_why, one sentence without a full stop.  The process
 * must not go on then: it may be half of each. */
bool drop_privileges(
    const struct identity *identity, char *out_why, size_t why_size);

#endif
