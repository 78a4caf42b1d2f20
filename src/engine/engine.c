/* engine.c - see engine.h.
 *
 * A round of the thread: look at the clocks, end sessions and rooms that have
 * timed out, run the requests that have come in (batch.c), answer the polls
 * that are due, give back everything that is ready.
 */
#include "engine/engine.h"

#include <pthread.h>
#include <stdlib.h>

#include "api/admin/backup.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/metric.h"
#include "base/process.h"
#include "core/commit.h"
#include "core/presence.h"
#include "engine/batch.h"
#include "engine/poll.h"
#include "engine/transaction.h"
#include "engine/upkeep.h"

#define MAX_BATCH 256 /* requests in one transaction */

struct engine {
	/* Shared. */
	struct queue submitted;

	/* Main thread. */
	pthread_t thread;
	struct task drain, stop;

	/* Engine thread. */
	struct store *store;
	struct settings settings;
	struct world world;
	struct transaction txn;
	struct queue_chain inbox; /* taken, not yet run */
	struct upkeep upkeep;
	bool is_stopping;
};

static void
run_cancel(struct engine *engine, struct task *task)
{
	struct parked *parked = &task->request->parked;

	/* A client that has only closed its sending side may still read. */
	if (parked->player) {
		poll_answer_parked(&engine->txn, parked);
		task->request->poll_end = POLL_HUNG_UP;
	} else if (task->request->is_held) {
		backup_cancel(&engine->txn);
	}
	queue_chain_append(&engine->txn.done, &task->item);
}

static void
change_settings(struct engine *engine, struct task *task)
{
	engine->settings = CONTAINER_OF(task, struct settings_change, task)
			       ->settings;
	metric_set(METRIC_DATABASE_MAX_BYTES, engine->settings.max_database);
	queue_chain_append(&engine->txn.done, &task->item);
}

static void
run_drain(struct engine *engine)
{
	struct heap_node *node;

	engine->txn.is_draining = true;
	while ((node = heap_first(&engine->world.parked)) != NULL)
		poll_answer_drained(&engine->txn,
		    transaction_request_of(
			CONTAINER_OF(node, struct parked, due)));
}

/* Nothing comes after this: held requests go back. */
static void
stop(struct engine *engine)
{
	run_drain(engine);
	backup_cancel(&engine->txn);
	engine->is_stopping = true;
}

static struct task *
take_task(struct engine *engine)
{
	struct queue_item *item = queue_chain_take(&engine->inbox);

	return item ? CONTAINER_OF(item, struct task, item) : NULL;
}

/* Run the tasks in the inbox, up to one batch of requests. */
static void
run_inbox(struct engine *engine)
{
	struct request *batch[MAX_BATCH];
	struct task *task;
	size_t n = 0;

	while (n < MAX_BATCH && (task = take_task(engine)) != NULL) {
		if (task->kind == TASK_RUN) {
			batch[n++] = task->request;
			continue;
		}
		/* Order matters: run the requests before it first. */
		if (n)
			batch_run(&engine->txn, batch, n);
		n = 0;
		if (task->kind == TASK_CANCEL)
			run_cancel(engine, task);
		else if (task->kind == TASK_SETTINGS)
			change_settings(engine, task);
		else if (task->kind == TASK_DRAIN)
			run_drain(engine);
		else
			stop(engine);
	}
	if (n)
		batch_run(&engine->txn, batch, n);
}

static void
run_due_polls(struct engine *engine)
{
	int64_t now_ms = clock_now_ms();
	struct parked *parked;

	while ((parked = parking_due(&engine->world, now_ms)) != NULL)
		poll_answer_parked(&engine->txn, parked);
}

/* Each through the completion queue that it came by. */
static void
give_back(struct engine *engine)
{
	struct completion_queue *queues = NULL, *cq;
	struct queue_item *item;

	metric_set(METRIC_STORAGE_FAILING, engine->txn.is_failing);
	while ((item = queue_chain_take(&engine->txn.done)) != NULL) {
		cq = CONTAINER_OF(item, struct task, item)->cq;
		if (!cq->done.first) {
			cq->next_done = queues;
			queues = cq;
		}
		queue_chain_append(&cq->done, item);
	}
	for (cq = queues; cq; cq = cq->next_done) {
		if (!queue_push(&cq->completed, &cq->done))
			continue;
		metric_add(METRIC_LOOP_WAKEUPS, 1);
		cq->on_completed(cq->cls);
	}
}

/* How long the thread may sleep. */
static int
sleep_ms(struct engine *engine)
{
	int64_t now_ms = clock_now_ms();
	int64_t due_ms = parking_next_due_ms(&engine->world);
	int64_t ms = PRESENCE_TICK_MS;

	if (engine->inbox.first || engine->txn.backup)
		return 0;
	if (upkeep_is_due(&engine->upkeep, &engine->txn))
		return 0;
	if (due_ms >= 0 && due_ms - now_ms < ms)
		ms = due_ms > now_ms ? due_ms - now_ms : 0;
	return clock_max_sleep_ms((int)ms);
}

static void
fetch(struct engine *engine)
{
	struct queue_chain chain = queue_take(
	    &engine->submitted, sleep_ms(engine));

	if (!chain.first)
		return;
	if (engine->inbox.first)
		engine->inbox.last->next = chain.first;
	else
		engine->inbox.first = chain.first;
	engine->inbox.last = chain.last;
}

static void *
run_thread(void *cls)
{
	struct engine *engine = cls;

	metric_use_shard(PROCESS_ENGINE);
	metric_set(METRIC_DATABASE_MAX_BYTES, engine->settings.max_database);
	world_committed(&engine->world); /* counts from before the start */
	while (!engine->is_stopping || engine->inbox.first) {
		fetch(engine);
		upkeep_run(&engine->upkeep, &engine->txn);
		run_inbox(engine);
		run_due_polls(engine);
		backup_work(&engine->txn);
		give_back(engine);
	}
	upkeep_finish(&engine->txn);
	engine->store->close(engine->store);
	return NULL;
}

struct engine *
engine_start(struct store *store, const struct settings *settings)
{
	struct engine *engine = mem_new(sizeof(*engine));

	engine->store = store;
	engine->settings = *settings;
	engine->drain.kind = TASK_DRAIN;
	engine->stop.kind = TASK_STOP;
	queue_init(&engine->submitted);
	engine->txn.world = &engine->world;
	engine->txn.started_ms = clock_now_ms();
	if (world_init(&engine->world, store, &engine->settings)) {
		log_error("the database cannot be read");
		goto undo;
	}
	if (pthread_create(&engine->thread, NULL, run_thread, engine)) {
		log_error("cannot start a thread");
		goto undo;
	}
	process_note_thread(PROCESS_ENGINE, engine->thread);
	return engine;
undo:
	store->close(store);
	engine_free(engine);
	return NULL;
}

void
completion_queue_open(struct completion_queue *cq, struct engine *engine,
    void (*on_completed)(void *cls), void *cls)
{
	*cq = (struct completion_queue){
		.engine = engine, .on_completed = on_completed, .cls = cls
	};
	queue_init(&cq->completed);
}

void
completion_queue_close(struct completion_queue *cq)
{
	if (cq->engine)
		queue_fini(&cq->completed);
	cq->engine = NULL;
}

static void
hand_over(struct completion_queue *cq, struct task *task)
{
	task->cq = cq;
	queue_chain_append(&cq->outbox, &task->item);
}

void
engine_submit(struct completion_queue *cq, struct request *request)
{
	hand_over(cq, &request->run);
}

void
engine_cancel(struct completion_queue *cq, struct request *request)
{
	hand_over(cq, &request->cancel);
}

void
engine_change_settings(
    struct completion_queue *cq, struct settings_change *change)
{
	change->task.kind = TASK_SETTINGS;
	hand_over(cq, &change->task);
}

void
engine_flush(struct completion_queue *cq)
{
	queue_push(&cq->engine->submitted, &cq->outbox);
}

struct queue_chain
engine_take_completed(struct completion_queue *cq)
{
	return queue_take(&cq->completed, 0);
}

/* Submit one of the engine's own tasks, at once. */
static void
enqueue(struct engine *engine, struct task *task)
{
	struct queue_chain chain = { NULL, NULL };

	queue_chain_append(&chain, &task->item);
	queue_push(&engine->submitted, &chain);
}

void
engine_drain(struct engine *engine)
{
	enqueue(engine, &engine->drain);
}

void
engine_stop(struct engine *engine)
{
	enqueue(engine, &engine->stop);
	pthread_join(engine->thread, NULL);
}

void
engine_free(struct engine *engine)
{
	world_fini(&engine->world);
	queue_fini(&engine->submitted);
	free(engine);
}
