/* status.h - how the daemon is doing, and how much it says about it.
 *
 * Floor: api.  Engine thread only.  Each is an admin_run_fn.
 */
#ifndef PEERPOST_API_ADMIN_STATUS_H
#define PEERPOST_API_ADMIN_STATUS_H

#include "api/turn.h"

/* GET /status */
MUST_CHECK enum err get_status_run(struct turn *turn, struct request *request);
/* POST /log-level: {"level":NAME}, a JSON string, or the bare name. */
MUST_CHECK enum err set_log_level_run(
    struct turn *turn, struct request *request);

#endif
