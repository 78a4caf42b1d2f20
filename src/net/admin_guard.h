/* admin_guard.h - keeps web pages away from the admin listener.
 *
 * Floor: net.  Any thread; pure.
 *
 * There is no authentication: any client that can reach it is the operator.
 * But a page in the operator's browser can reach it over TCP as well: by a
 * cross-site request (Fetch standard; Fetch Metadata Request Headers), or
 * through its own name that points to our address (DNS rebinding).
 */
#ifndef PEERPOST_NET_ADMIN_GUARD_H
#define PEERPOST_NET_ADMIN_GUARD_H

#include <stdbool.h>

#include "base/span.h"
#include "net/address.h"

/* Whether a page may have caused a request with these header values ("not
 * there" if there is none). */
bool admin_guard_is_foreign(const struct peer_address *peer, struct span host,
    struct span origin, struct span fetch_site);

#endif
