/* worker.h - one loop, the players' transports on it, and its thread.
 *
 * Floor: daemon.
 *
 * The main thread runs the first worker, whose loop also has the listeners, the
 * admin listeners and the signals.  Each of the others (--io-threads) has its
 * own thread, which owns everything in it.  The main thread hands connections
 * over to it, and may touch its contents while it is paused.
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

#define WORKER_TICK_MS 1000 /* how often it looks for anything overdue */

struct worker {
	struct front front;
	struct http *http;
	struct fastcgi *fastcgi;
	struct completion_queue cq;
	struct loop_source wake;
	int wake_fd;
	bool has_more;     /* the last round has left work */
	bool has_ticked;   /* the last round had the tick of a second */
	bool was_stopped;  /* and the tick was late: the process stood still */
	int64_t ticked_ms; /* clock_now_ms() of the last tick */
	struct worker *first; /* which accepts connections; NULL: this one */

	/* Shared with the main thread. */
	struct queue arrivals;      /* struct arrival */
	_Atomic(size_t) n_arriving; /* their number */
	_Atomic(int64_t) ran_ms;    /* clock_running_ms() of the last round */
	_Atomic(bool) is_pausing, is_ending;
	sem_t paused, resumed;

	/* Main thread. */
	unsigned number; /* from 0 */
	pthread_t thread;
	bool has_thread;             /* its own */
	struct loop_source in_first; /* for stop.c */
};

/* Open the loop.  first: NULL for the first one.  false: it failed (errno);
 * worker_close() must be called all the same. */
bool worker_open(struct worker *worker, unsigned number,
    struct front_shared *shared, struct worker *first);
/* Use that engine, once the worker runs. */
void worker_connect(struct worker *worker, struct engine *engine);
/* Run it on its own thread.  false: the thread cannot be started (errno). */
bool worker_start(struct worker *worker);

/* Run one round: wait for max_ms at most, then do all work that is due.  On its
 * own thread; on the main thread if it has none, or is paused. */
void worker_run_round(struct worker *worker, int64_t max_ms);

/* Add a connection, fd, from a listener of that kind.  certificate is borrowed,
 * and NULL except for FRONT_HTTPS.  Main thread. */
void worker_add_connection(struct worker *worker, enum front_kind kind,
    struct certificate *certificate, int fd, const struct sockaddr *addr,
    socklen_t len);
/* How many connections it has or is about to have.  Main thread. */
size_t worker_n_connections(const struct worker *worker);

/* Let it run a round.  Any thread. */
void worker_wake(struct worker *worker);

/* Make the workers that have their own threads wait between two rounds, or let
 * them go on.  Main thread. */
void workers_pause(struct worker *workers, size_t n);
void workers_resume(struct worker *workers, size_t n);

/* Whether any request or reply is under way. */
bool worker_is_busy(const struct worker *worker);

/* Close its connections.  The engine must have stopped, and everything that it
 * had must have been taken back. */
void worker_close_transports(struct worker *worker);
/* End its own thread, paused or not.  If it has none, nothing happens. */
void worker_end(struct worker *worker);
/* The same, and close everything else. */
void worker_close(struct worker *worker);

#endif
