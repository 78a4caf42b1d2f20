/* turn.h - what the engine thread has at hand while it runs requests.
 *
 * Floor: api.  Engine thread only.
 */
#ifndef PEERPOST_API_TURN_H
#define PEERPOST_API_TURN_H

#include "api/request.h"
#include "core/world.h"

struct turn {
	struct world *world;
	bool is_draining;        /* shutting down: no poll is held */
	struct queue_chain done; /* tasks that can be given back */
};

/* Find who is calling, and count it as a sign of life.
 * ERR_NO_SESSION; ERR_TIMED_OUT: *out_reason says why; ERR_STORAGE. */
MUST_CHECK enum err turn_find_session(struct turn *turn,
    const struct request *request, struct player **out,
    enum end_reason *out_reason);

/* Give the request back: its reply is ready. */
void turn_finish(struct turn *turn, struct request *request);

#endif
