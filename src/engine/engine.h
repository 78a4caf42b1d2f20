/* engine.h - the thread that owns the database, the parked polls and all
 * clocks.
 *
 * Floor: engine.  Main thread, but for the functions of a completion queue:
 * those are the loop thread's that the queue belongs to.
 *
 * Requests go in by engine_submit() and come back by engine_take_completed(),
 * each exactly once, through the same completion queue.  All that have come in
 * are run one after the other in one transaction (at most 256), and given back
 * after its commit, together with the polls that were waiting for what they
 * did.  A lone request is never delayed.
 */
#ifndef PEERPOST_ENGINE_ENGINE_H
#define PEERPOST_ENGINE_ENGINE_H

#include "api/request.h"
#include "core/settings.h"
#include "store/store.h"

struct engine;

/* Other settings, on their way to the engine. */
struct settings_change {
	struct task task; /* the engine's */
	struct settings settings;
	/* Called on the queue's thread when they hold; it frees the change, and
	 * may free the texts of the settings before. */
	void (*give_back)(struct settings_change *change);
};

/* Where a loop thread hands tasks over, and takes them back.  Members are the
 * engine's own business. */
struct completion_queue {
	struct engine *engine;
	struct queue_chain outbox; /* loop thread */
	struct queue completed;    /* shared */
	void (*on_completed)(void *cls);
	void *cls;
	struct queue_chain done; /* engine thread, within a round */
	struct completion_queue *next_done;
};

/* Start the thread.  Takes the store; copies the settings, but borrows their
 * texts.
 * NULL: the store cannot be read, or there is no thread (logged); the store
 * is closed then. */
struct engine *engine_start(
    struct store *store, const struct settings *settings);

/* Open a completion queue.  on_completed is called on the engine thread when
 * there is something to take; it must only wake the loop. */
void completion_queue_open(struct completion_queue *cq, struct engine *engine,
    void (*on_completed)(void *cls), void *cls);
/* After engine_stop(), and when everything has been taken.  Zeroed: nothing
 * happens. */
void completion_queue_close(struct completion_queue *cq);

/* Hand a parsed request over, to be sent on with the next engine_flush(). */
void engine_submit(struct completion_queue *cq, struct request *request);
/* Ask for a submitted request back early: its client has gone.  A parked
 * poll comes back at once, anything else when it is done. The cancellation
 * itself comes back too (TASK_CANCEL): only then may the request be freed.
 * The cancellation of a request that was never submitted is a barrier: when it
 * comes back, all that was handed over before it has been answered or parked.
 */
void engine_cancel(struct completion_queue *cq, struct request *request);
/* Go by change->settings from then on when everything handed over before has
 * been run; polls that are held stay so until the time that they were given.
 * The change comes back, like requests. */
void engine_change_settings(
    struct completion_queue *cq, struct settings_change *change);
/* Send on what has been handed over. */
void engine_flush(struct completion_queue *cq);

/* Take the tasks that have come back: requests with their reply,
 * cancellations, and changes of settings.  Never waits. */
struct queue_chain engine_take_completed(struct completion_queue *cq);

/* From now on hold no poll, and answer those that are held. */
void engine_drain(struct engine *engine);
/* Finish everything that has been sent on, answer the polls that are held,
 * commit, close the store, end the thread.
 * What it gave back last can be taken afterwards. */
void engine_stop(struct engine *engine);
/* Free a stopped engine. */
void engine_free(struct engine *engine);

#endif
