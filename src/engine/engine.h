/* engine.h - the thread that owns the database, the parked polls and all
 * clocks.
 *
 * Floor: engine.  Main thread, except for the functions of a completion queue:
 * those belong to the loop thread that has the queue.
 *
 * Requests go in through engine_submit() and come back through
 * engine_take_completed(), each exactly once, by the same completion queue.
 * The requests that have come in (at most 256) run one after the other in one
 * transaction, and are given back after its commit, together with the polls
 * that they have woken.  A lone request is never delayed.
 */
#ifndef PEERPOST_ENGINE_ENGINE_H
#define PEERPOST_ENGINE_ENGINE_H

#include "api/request.h"
#include "core/settings.h"
#include "store/store.h"

struct engine;

/* New settings, on their way to the engine. */
struct settings_change {
	struct task task; /* the engine's */
	struct settings settings;
	/* Called on the queue's thread once they are in effect; it frees the
	 * change, and may free the texts of the old settings. */
	void (*give_back)(struct settings_change *change);
};

/* How a loop thread hands tasks over and takes them back.  The members are
 * private to the engine. */
struct completion_queue {
	struct engine *engine;
	struct queue_chain outbox; /* loop thread */
	struct queue completed;    /* shared */
	void (*on_completed)(void *cls);
	void *cls;
	struct queue_chain done; /* engine thread, within a round */
	struct completion_queue *next_done;
};

/* Start the thread.  Takes ownership of the store; copies the settings, but
 * borrows their texts.
 * NULL: the store cannot be read, or the thread cannot be started (logged); the
 * store is closed then. */
struct engine *engine_start(
    struct store *store, const struct settings *settings);

/* Open a completion queue.  on_completed is called on the engine thread when
 * there is something to take; it may do nothing but wake the loop. */
void completion_queue_open(struct completion_queue *cq, struct engine *engine,
    void (*on_completed)(void *cls), void *cls);
/* Close it, after engine_stop() and once everything has been taken.  Zeroed:
 * nothing happens. */
void completion_queue_close(struct completion_queue *cq);

/* Hand a parsed request over; the next engine_flush() sends it on. */
void engine_submit(struct completion_queue *cq, struct request *request);
/* Ask for a submitted request back early, because its client has gone.  A
 * parked poll comes back at once, anything else when it is done.  The
 * cancellation itself comes back too (TASK_CANCEL): only then may the request
 * be freed.
 * The cancellation of a request that was never submitted is a barrier: when it
 * comes back, everything handed over before it has been answered or parked.
 */
void engine_cancel(struct completion_queue *cq, struct request *request);
/* Use change->settings once everything handed over before it has been run;
 * polls that are already held keep their due time.  The change comes back, as
 * requests do. */
void engine_change_settings(
    struct completion_queue *cq, struct settings_change *change);
/* Send on everything that has been handed over. */
void engine_flush(struct completion_queue *cq);

/* Take the tasks that have come back: requests with their replies,
 * cancellations and changes of settings.  Never waits. */
struct queue_chain engine_take_completed(struct completion_queue *cq);

/* Answer the polls that are held, and hold none from now on. */
void engine_drain(struct engine *engine);
/* Finish everything that has been sent on, answer the polls that are held,
 * commit, close the store and end the thread.
 * The last tasks that it gives back can be taken afterwards. */
void engine_stop(struct engine *engine);
/* Free a stopped engine. */
void engine_free(struct engine *engine);

#endif
