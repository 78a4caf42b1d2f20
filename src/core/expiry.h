/* expiry.h - ends sessions and rooms that have timed out (presence.h).
 *
 * Floor: core.  Engine thread only.
 */
#ifndef PEERPOST_CORE_EXPIRY_H
#define PEERPOST_CORE_EXPIRY_H

#include "core/world.h"

/* End up to max sessions and rooms that have timed out (and the sessions that
 * this evicts), in the running transaction.  ERR_STORAGE. */
MUST_CHECK enum err expiry_run(struct world *world, size_t max);
/* Whether expiry_run() has work to do. */
bool expiry_is_due(const struct world *world);

#endif
