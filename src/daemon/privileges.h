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

/* Become that user for good.  No privileges are needed to become the current
 * user.
 * false: out_why says why, in one sentence without a full stop.  The process
 * must not go on then: it may be part one user, part the other. */
bool drop_privileges(
    const struct identity *identity, char *out_why, size_t why_size);

#endif
