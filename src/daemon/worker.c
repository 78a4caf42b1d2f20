/* worker.c - see worker.h.
 *
 * The main thread accepts, and hands each connection to the worker that has the
 * fewest.  (If each worker accepted its own, this would save a hand-over, but
 * nothing would even out connections that last for hours.)  A connection stays
 * with its worker for its whole life, and its requests come back to that
 * worker.  So little is shared: counts in struct front_shared, the queue of
 * arrivals, and for a reload or a stop a pause between two rounds, in which the
 * main thread may touch everything.  It never waits for a lock that a worker
 * holds while it works.
 *
 * When there is no room, the first worker that can close a connection does so,
 * and wakes the main thread.  Another may have an older connection; finding it
 * would take a lock for all.
 */
#include "daemon/worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/list.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/process.h"

#define FULL_ROUND_MS 100
#define PAUSE_MS 2000 /* a later tick means that the process stood still */

/* A connection that is being handed over. */
struct arrival {
	struct queue_item item;
	enum front_kind kind;
	struct certificate *certificate; /* shared, or NULL */
	int fd;
	struct sockaddr_storage addr;
	socklen_t len;
};

void
worker_wake(struct worker *worker)
{
	uint64_t one = 1;

	/* It fails only if the counter is full; the loop is awake then. */
	if (write(worker->wake_fd, &one, sizeof(one)) < 0)
		return;
}

/* On the engine thread. */
static void
on_completed(void *cls)
{
	worker_wake(cls);
}

static void
accept_here(struct worker *worker, enum front_kind kind,
    struct certificate *certificate, int fd, const struct sockaddr *addr,
    socklen_t len)
{
	if (kind == FRONT_FASTCGI)
		fastcgi_accept(worker->fastcgi, fd, addr);
	else
		http_accept(worker->http, certificate, fd, addr, len);
}

static void
accept_arrivals(struct worker *worker)
{
	struct queue_chain chain = queue_take(&worker->arrivals, 0);
	struct queue_item *item;

	while ((item = queue_chain_take(&chain)) != NULL) {
		struct arrival *arrival = CONTAINER_OF(
		    item, struct arrival, item);

		accept_here(worker, arrival->kind, arrival->certificate,
		    arrival->fd, (const struct sockaddr *)&arrival->addr,
		    arrival->len);
		certificate_release(arrival->certificate);
		free(arrival);
		worker->n_arriving--;
	}
}

static void
on_wake(struct loop_source *source, uint32_t events)
{
	struct worker *worker = CONTAINER_OF(source, struct worker, wake);
	uint64_t n;

	(void)events;
	if (read(worker->wake_fd, &n, sizeof(n)) < 0)
		return;
	front_complete(engine_take_completed(&worker->cq));
	accept_arrivals(worker);
}

bool
worker_open(struct worker *worker, unsigned number, struct front_shared *shared,
    struct worker *first)
{
	worker->number = number;
	worker->first = first;
	worker->front.shared = shared;
	worker->wake.on_ready = on_wake;
	queue_init(&worker->arrivals);
	sem_init(&worker->paused, 0, 0);
	sem_init(&worker->resumed, 0, 0);
	worker->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	worker->front.loop = loop_create();
	return worker->wake_fd >= 0 && worker->front.loop &&
	    loop_add(worker->front.loop, &worker->wake, worker->wake_fd,
		EPOLLIN) == 0;
}

void
worker_connect(struct worker *worker, struct engine *engine)
{
	completion_queue_open(&worker->cq, engine, on_completed, worker);
	worker->front.cq = &worker->cq;
	worker->http = http_create(&worker->front);
	worker->fastcgi = fastcgi_create(&worker->front);
}

static void
wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) < 0)
		;
}

static void *
run_thread(void *cls)
{
	struct worker *worker = cls;

	metric_use_shard(PROCESS_LOOP + worker->number);
	while (!worker->is_ending) {
		worker_run_round(worker, WORKER_TICK_MS);
		if (worker->is_pausing) {
			sem_post(&worker->paused);
			wait_for(&worker->resumed);
		}
	}
	return NULL;
}

bool
worker_start(struct worker *worker)
{
	errno = pthread_create(&worker->thread, NULL, run_thread, worker);
	if (errno)
		return false;
	worker->has_thread = true;
	process_note_thread(PROCESS_LOOP + worker->number, worker->thread);
	return true;
}

/* After a pause of the whole process, connections look overdue although their
 * bytes are there and have only not been read: they get until the next tick. */
static void
tick(struct worker *worker)
{
	int64_t now_ms = clock_now_ms(), running_ms = clock_running_ms();

	worker->was_stopped = running_ms - worker->ran_ms >
	    WORKER_TICK_MS + PAUSE_MS;
	worker->ran_ms = running_ms;
	worker->has_ticked = now_ms - worker->ticked_ms >=
	    clock_max_sleep_ms(WORKER_TICK_MS);
	if (!worker->has_ticked)
		return;
	worker->ticked_ms = now_ms;
	if (!worker->was_stopped) {
		http_expire(worker->http);
		fastcgi_expire(worker->fastcgi);
	}
}

/* Connections wait in the kernel while there is no room for them.  Do this at
 * the end of a round: before that, a connection that looks idle may have an
 * unread request. */
static void
evict_idle(struct worker *worker)
{
	struct front *front = &worker->front;

	if (!front_has_capacity(front) && !http_evict_idle(worker->http))
		fastcgi_evict_idle(worker->fastcgi);
	if (worker->first && front->shared->is_waited_for &&
	    front_has_capacity(front))
		worker_wake(worker->first);
}

void
worker_run_round(struct worker *worker, int64_t max_ms)
{
	if (worker->has_more || max_ms < 0)
		max_ms = 0;
	/* Connections make room as soon as their time is over. */
	else if (!front_has_capacity(&worker->front) && max_ms > FULL_ROUND_MS)
		max_ms = FULL_ROUND_MS;
	loop_wait(worker->front.loop,
	    clock_max_sleep_ms(
		max_ms < WORKER_TICK_MS ? (int)max_ms : WORKER_TICK_MS));
	tick(worker);
	worker->has_more = http_run(worker->http);
	worker->has_more |= fastcgi_run(worker->fastcgi);
	if (worker->front.cq)
		engine_flush(worker->front.cq);
	http_shed(worker->http);
	evict_idle(worker);
}

static void
hand_over(struct worker *worker, enum front_kind kind,
    struct certificate *certificate, int fd, const struct sockaddr *addr,
    socklen_t len)
{
	struct arrival *arrival = mem_new(sizeof(*arrival));
	struct queue_chain chain = { NULL, NULL };

	arrival->kind = kind;
	arrival->fd = fd;
	arrival->len = len;
	memcpy(&arrival->addr, addr, len);
	if (certificate)
		arrival->certificate = certificate_share(certificate);
	worker->n_arriving++;
	queue_chain_append(&chain, &arrival->item);
	if (queue_push(&worker->arrivals, &chain))
		worker_wake(worker);
}

void
worker_add_connection(struct worker *worker, enum front_kind kind,
    struct certificate *certificate, int fd, const struct sockaddr *addr,
    socklen_t len)
{
	front_take_place(&worker->front);
	if (worker->has_thread)
		hand_over(worker, kind, certificate, fd, addr, len);
	else
		accept_here(worker, kind, certificate, fd, addr, len);
}

size_t
worker_n_connections(const struct worker *worker)
{
	return worker->front.n_connections + worker->n_arriving;
}

void
workers_pause(struct worker *workers, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (!workers[i].has_thread)
			continue;
		workers[i].is_pausing = true;
		worker_wake(&workers[i]);
	}
	for (size_t i = 0; i < n; i++) {
		if (!workers[i].has_thread)
			continue;
		wait_for(&workers[i].paused);
		workers[i].is_pausing = false;
	}
}

void
workers_resume(struct worker *workers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (workers[i].has_thread)
			sem_post(&workers[i].resumed);
}

bool
worker_is_busy(const struct worker *worker)
{
	return http_is_busy(worker->http) || fastcgi_is_busy(worker->fastcgi) ||
	    worker->n_arriving > 0;
}

void
worker_close_transports(struct worker *worker)
{
	http_free(worker->http);
	fastcgi_free(worker->fastcgi);
	completion_queue_close(&worker->cq);
}

void
worker_end(struct worker *worker)
{
	if (!worker->has_thread)
		return;
	worker->is_ending = true;
	sem_post(&worker->resumed);
	worker_wake(worker);
	pthread_join(worker->thread, NULL);
	worker->has_thread = false;
}

void
worker_close(struct worker *worker)
{
	worker_end(worker);
	queue_fini(&worker->arrivals);
	sem_destroy(&worker->paused);
	sem_destroy(&worker->resumed);
	loop_free(worker->front.loop);
	if (worker->wake_fd >= 0)
		close(worker->wake_fd);
}
