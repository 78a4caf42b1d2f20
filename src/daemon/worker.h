/* worker.h - one loop, the transports of players on it, and who runs it.
 *
 * Floor: daemon.
 *
 * The first one is run by the main thread, which has the listeners, the admin
 * listener and the signals on it, too.  Each of the others (--io-threads) has a
 * thread of its own, to which everything in it belongs.  The main thread hands
 * connections over to it, and may touch what is inside while it is paused.
 */
#ifndef PEERPOST_DAEMON_WORKER_H
#define PEERPOST_DAEMON_WORKER_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "net/certificate.h"
#include "net/fastcgi/fastcgi.h"
#include "net/front.h"
#include "net/http/http.h"

#define WORKER_TICK_MS 1000 /* what is overdue is looked for so often */

struct worker {
	struct front front;
	struct http *http;
	struct fastcgi *fastcgi;
	struct completion_queue cq;
	struct loop_source wake;
	int wake_fd;
	bool has_more;     /* the last round has left something */
	bool has_ticked;   /* the last round was one of those once a second */
	bool was_stopped;  /* and came late: the process stood still */
	int64_t ticked_ms; /* clock_now_ms() of the last tick */
	struct worker *first; /* which takes connections; NULL: it is it */

	/* Shared with the main thread. */
	struct queue arrivals;      /* struct arrival */
	_Atomic(size_t) n_arriving; /* so many */
	_Atomic(int64_t) ran_ms;    /* clock_running_ms() of the last round */
	_Atomic(bool) is_pausing, is_ending;
	sem_t paused, resumed;

	/* Main thread. */
	unsigned number; /* from 0 */
	pthread_t thread;
	bool has_thread;             /* of its own */
	struct loop_source in_first; /* for stop.c */
};

/* Open the loop.  first: NULL for the first one.  false: it cannot (errno);
 * worker_close() is to be called all the same. */
bool worker_open(struct worker *worker, unsigned number,
    struct front_shared *shared, struct worker *first);
/* Serve by that engine, from when it is run. */
void worker_connect(struct worker *worker, struct engine *engine);
/* Run it by a thread of its own.  false: there is none (errno). */
bool worker_start(struct worker *worker);

/* A round: wait for max_ms at most, then do what there is to do.  By the thread
 * of its own; the main thread, if there is none, or it is paused. */
void worker_run_round(struct worker *worker, int64_t max_ms);

/* Add a connection, fd, which came by a listener of that kind.  certificate is
 * borrowed, and NULL but for FRONT_HTTPS.  Main thread. */
void worker_add_connection(struct worker *worker, enum front_kind kind,
    struct certificate *certificate, int fd, const struct sockaddr *addr,
    socklen_t len);
/* How many connections it has, or is about to have.  Main thread. */
size_t worker_n_connections(const struct worker *worker);

/* Let it run a round.  Any thread. */
void worker_wake(struct worker *worker);

/* Make those that have threads of their own wait between two rounds, and go on.
 * Main thread. */
void workers_pause(struct worker *workers, size_t n);
void workers_resume(struct worker *workers, size_t n);

/* Whether some request is under way, or some reply. */
bool worker_is_busy(const struct worker *worker);

/* Close its connections.  The engine has been stopped, and everything that it
 * had has been taken back. */
void worker_close_transports(struct worker *worker);
/* End the thread of its own, paused or not.  Without one: nothing happens. */
void worker_end(struct worker *worker);
/* The same, and close the rest. */
void worker_close(struct worker *worker);

#endif
