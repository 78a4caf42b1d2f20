/* engine.c - see engine.h.
 *
 * One round of the thread: look at the clocks, end what is over, run what has
 * come in, answer the polls that are due, give back all that is ready.
 *
 * When the store fails, the transaction is lost with everything in it.  Then
 * each request of the batch is run again in a transaction of its own, and
 * those that still fail get 503: one command too big for the disk does not
 * spoil its neighbours.  A failed fsync ends the process: nobody knows what is on
 * the disk then, and asking again would lie.
 */
#include "config.h"

#include "api/engine.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "api/commands.h"
#include "api/event_text.h"
#include "api/poll.h"
#include "api/reply.h"
#include "api/room_text.h"
#include "api/route.h"
#include "api/turn.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/mailbox.h"
#include "core/player.h"
#include "core/presence.h"

#define MAX_BATCH 256  /* requests in one transaction */
#define MAX_EXPIRE 256 /* sessions and rooms ended in one */
#define MAX_TRIM 4096  /* mailboxes trimmed in one */
#define TRIM_EVERY_MS 1000
#define TIDY_AFTER_MS 2000 /* of quiet */

struct engine {
	/* Shared. */
	struct queue submitted, completed;
	void (*on_completed)(void *cls);
	void *cls;

	/* Loop thread. */
	pthread_t thread;
	struct queue_chain outbox;
	struct task drain, stop;

	/* Engine thread. */
	struct store *store;
	struct world world;
	struct turn turn;
	struct queue_chain inbox; /* taken, not yet run */
	bool is_stopping;
	bool is_failing;  /* the last write failed */
	int64_t retry_ms; /* no work of our own before this */
	int64_t trim_ms;  /* when acknowledged events go; 0: none */
	int64_t tidy_ms;  /* when to tidy up; 0: nothing to tidy */
};

static struct request *
request_of(struct parked *parked)
{
	return CONTAINER_OF(parked, struct request, parked);
}

/* GET /room */
static MUST_CHECK enum err
run_room(struct engine *engine, struct request *request)
{
	enum end_reason reason = END_UNREGISTERED;
	struct player *player;
	enum err err;

	err = turn_find_session(&engine->turn, request, &player, &reason);
	if (!err)
		err = request->err;
	if (!err)
		err = player->room ? mailbox_load(&engine->world, player) :
				     ERR_NO_ROOM;
	if (err == ERR_STORAGE)
		return err;
	if (err == ERR_TIMED_OUT) {
		reply_fail_ended(request, reason);
	} else if (err) {
		reply_fail(request, err);
	} else {
		request_reset_reply(request);
		request->reply.status = 200;
		request->reply.type = REPLY_JSON;
		return room_text_add_snapshot(
		    &engine->world, player, &request->reply.body);
	}
	return ERR_NONE;
}

/* GET /healthz, outside a transaction. */
static void
run_health(struct engine *engine, struct request *request)
{
	uint64_t n;
	enum err err = engine->is_failing ?
	    engine->store->probe(engine->store) :
	    engine->store->count_rooms(engine->store, &n);

	engine->is_failing = err != ERR_NONE;
	if (err) {
		reply_fail(request, ERR_STORAGE);
		return;
	}
	request_reset_reply(request);
	request->reply.status = 200;
	request->reply.type = REPLY_JSON;
	buf_add_text(&request->reply.body,
	    "{\"status\":\"ok\",\"version\":\"" PACKAGE_VERSION "\"}");
}

/* Run one request inside the transaction.  Afterwards it has its reply, or
 * is parked. */
static MUST_CHECK enum err
run_request(struct engine *engine, struct request *request)
{
	switch (request->route->kind) {
	case ROUTE_COMMAND:
	case ROUTE_ENVELOPE:
		return commands_run(&engine->turn, request);
	case ROUTE_EVENTS:
		return poll_run(&engine->turn, request);
	case ROUTE_ROOM:
		return run_room(engine, request);
	case ROUTE_HEALTH: /* later, see answer_batch() */
	case ROUTE_PAGE:
		break;
	}
	return ERR_NONE;
}

static void
roll_back(struct engine *engine)
{
	engine->store->rollback(engine->store);
	world_rolled_back(&engine->world);
	engine->is_failing = true;
}

/* Commit; with anything written, acknowledged events go along for free. */
static MUST_CHECK enum err
commit(struct engine *engine)
{
	struct store *store = engine->store;
	bool has_written = store->has_written(store);
	enum err err = ERR_NONE;

	if (has_written)
		err = world_trim(&engine->world, MAX_TRIM);
	if (!err)
		err = store->commit(store);
	if (err == ERR_FATAL) {
		log_error("the database could not be synced to disk: "
			  "stopping without acknowledging anything");
		_exit(1);
	}
	if (err)
		return err;
	if (has_written) {
		engine->is_failing = false;
		engine->tidy_ms = clock_now_ms() + TIDY_AFTER_MS;
	}
	return ERR_NONE;
}

/* Polls of sessions that have just ended, and of players who got mail. */
static void
answer_parked(struct engine *engine)
{
	struct world *world = &engine->world;
	struct list *node;

	for (node = world->removed.next; node != &world->removed;
	     node = node->next) {
		struct player *player = CONTAINER_OF(
		    node, struct player, removed);
		struct request *request;

		if (!player->parked)
			continue;
		request = request_of(player->parked);
		parking_remove(world, player->parked);
		if (player->end_reason == END_UNREGISTERED)
			reply_fail(request, ERR_NO_SESSION);
		else
			reply_fail_ended(request, player->end_reason);
		turn_finish(&engine->turn, request);
	}
	world_committed(world);
	while ((node = list_take_first(&world->woken)) != NULL) {
		struct player *player = CONTAINER_OF(
		    node, struct player, woken);
		struct request *request = request_of(player->parked);

		parking_remove(world, player->parked);
		if (poll_run(&engine->turn, request))
			reply_fail(request, ERR_STORAGE);
		if (!request->parked.player)
			turn_finish(&engine->turn, request);
	}
}

static MUST_CHECK enum err
run_transaction(struct engine *engine, struct request **batch, size_t n)
{
	enum err err = engine->store->begin(engine->store);

	for (size_t i = 0; !err && i < n; i++)
		err = run_request(engine, batch[i]);
	if (!err)
		err = commit(engine);
	if (err)
		roll_back(engine);
	else
		answer_parked(engine);
	return err;
}

static void
answer_batch(struct engine *engine, struct request **batch, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct request *request = batch[i];

		if (request->parked.player || request->is_finished)
			continue;
		if (request->route->kind == ROUTE_HEALTH)
			run_health(engine, request);
		turn_finish(&engine->turn, request);
	}
}

static void
run_batch(struct engine *engine, struct request **batch, size_t n)
{
	enum err err = run_transaction(engine, batch, n);

	for (size_t i = 0; err && i < n; i++) {
		/* A poll that has been parked owes nothing to the
		 * transaction. */
		if (batch[i]->parked.player || batch[i]->is_finished)
			continue;
		if (n == 1 || run_transaction(engine, &batch[i], 1))
			reply_fail(batch[i], ERR_STORAGE);
	}
	answer_batch(engine, batch, n);
}

/* Answer a parked poll with what there is: nothing, most likely. */
static void
answer_due(struct engine *engine, struct request *request)
{
	parking_remove(&engine->world, &request->parked);
	request->is_due = true;
	if (poll_run(&engine->turn, request))
		reply_fail(request, ERR_STORAGE);
	turn_finish(&engine->turn, request);
}

static void
run_cancel(struct engine *engine, struct task *task)
{
	struct request *request = task->request;

	if (request->parked.player) {
		/* A client that has only closed its half may still read. */
		answer_due(engine, request);
	}
	queue_chain_append(&engine->turn.done, &task->item);
}

static void
run_drain(struct engine *engine)
{
	struct heap_node *node;

	engine->turn.is_draining = true;
	while ((node = heap_first(&engine->world.parked)) != NULL)
		poll_answer_drained(&engine->turn,
		    request_of(CONTAINER_OF(node, struct parked, due)));
}

/* Nothing comes after this: what is held goes back. */
static void
stop(struct engine *engine)
{
	run_drain(engine);
	engine->is_stopping = true;
}

static struct task *
take_task(struct engine *engine)
{
	struct queue_item *item = queue_chain_take(&engine->inbox);

	return item ? CONTAINER_OF(item, struct task, item) : NULL;
}

/* Run what stands in the inbox, up to one batch of requests. */
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
		/* Order matters: what came before it comes first. */
		if (n)
			run_batch(engine, batch, n);
		n = 0;
		if (task->kind == TASK_CANCEL)
			run_cancel(engine, task);
		else if (task->kind == TASK_DRAIN)
			run_drain(engine);
		else
			stop(engine);
	}
	if (n)
		run_batch(engine, batch, n);
}

static void
run_due_polls(struct engine *engine)
{
	int64_t now_ms = clock_now_ms();
	struct parked *parked;

	while ((parked = parking_due(&engine->world, now_ms)) != NULL)
		answer_due(engine, request_of(parked));
}

/* End sessions and rooms whose time is over, delete acknowledged events. */
static void
run_upkeep(struct engine *engine)
{
	struct world *world = &engine->world;
	int64_t now_ms = clock_now_ms();
	bool is_trim_due = false;
	enum err err;

	presence_tick(world);
	if (!world_has_trim(world))
		engine->trim_ms = 0;
	else if (engine->trim_ms == 0)
		engine->trim_ms = now_ms + TRIM_EVERY_MS;
	else
		is_trim_due = now_ms >= engine->trim_ms;
	if (now_ms < engine->retry_ms ||
	    (!is_trim_due && !presence_is_due(world)))
		return;
	err = engine->store->begin(engine->store);
	if (!err)
		err = presence_expire(world, MAX_EXPIRE);
	if (!err && is_trim_due)
		err = world_trim(world, MAX_TRIM);
	if (!err)
		err = commit(engine);
	if (err) {
		roll_back(engine);
		engine->retry_ms = now_ms + TRIM_EVERY_MS;
		return;
	}
	answer_parked(engine);
}

static void
give_back(struct engine *engine)
{
	if (queue_push(&engine->completed, &engine->turn.done))
		engine->on_completed(engine->cls);
}

/* How long the thread may sleep. */
static int
sleep_ms(struct engine *engine)
{
	int64_t now_ms = clock_now_ms();
	int64_t due_ms = parking_next_due_ms(&engine->world);
	int64_t ms = PRESENCE_TICK_MS;

	if (engine->inbox.first)
		return 0;
	if (presence_is_due(&engine->world) && now_ms >= engine->retry_ms)
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

static void
tidy_when_quiet(struct engine *engine)
{
	if (engine->tidy_ms == 0 || engine->inbox.first ||
	    clock_now_ms() < engine->tidy_ms)
		return;
	engine->tidy_ms = 0;
	engine->store->tidy(engine->store);
}

/* The last transaction: what has been acknowledged need not be told again
 * after an orderly stop. */
static void
trim_all(struct engine *engine)
{
	enum err err = ERR_NONE;

	while (!err && world_has_trim(&engine->world)) {
		err = engine->store->begin(engine->store);
		if (!err)
			err = world_trim(&engine->world, MAX_TRIM);
		if (!err)
			err = commit(engine);
		if (err)
			roll_back(engine);
		else
			world_committed(&engine->world);
	}
}

static void *
run_thread(void *cls)
{
	struct engine *engine = cls;

	while (!engine->is_stopping || engine->inbox.first) {
		fetch(engine);
		run_upkeep(engine);
		run_inbox(engine);
		run_due_polls(engine);
		give_back(engine);
		tidy_when_quiet(engine);
	}
	trim_all(engine);
	engine->store->close(engine->store);
	return NULL;
}

struct engine *
engine_start(struct store *store, const struct settings *settings,
    void (*on_completed)(void *cls), void *cls)
{
	struct engine *engine = mem_new(sizeof(*engine));

	engine->store = store;
	engine->on_completed = on_completed;
	engine->cls = cls;
	engine->drain.kind = TASK_DRAIN;
	engine->stop.kind = TASK_STOP;
	queue_init(&engine->submitted);
	queue_init(&engine->completed);
	engine->turn.world = &engine->world;
	if (world_init(&engine->world, store, settings)) {
		log_error("the database cannot be read");
		goto undo;
	}
	if (pthread_create(&engine->thread, NULL, run_thread, engine)) {
		log_error("cannot start a thread");
		goto undo;
	}
	return engine;
undo:
	store->close(store);
	engine_free(engine);
	return NULL;
}

void
engine_submit(struct engine *engine, struct request *request)
{
	queue_chain_append(&engine->outbox, &request->run.item);
}

void
engine_cancel(struct engine *engine, struct request *request)
{
	queue_chain_append(&engine->outbox, &request->cancel.item);
}

void
engine_drain(struct engine *engine)
{
	queue_chain_append(&engine->outbox, &engine->drain.item);
}

void
engine_flush(struct engine *engine)
{
	queue_push(&engine->submitted, &engine->outbox);
}

struct queue_chain
engine_take_completed(struct engine *engine)
{
	return queue_take(&engine->completed, 0);
}

void
engine_stop(struct engine *engine)
{
	queue_chain_append(&engine->outbox, &engine->stop.item);
	engine_flush(engine);
	pthread_join(engine->thread, NULL);
}

void
engine_free(struct engine *engine)
{
	world_fini(&engine->world);
	queue_fini(&engine->completed);
	queue_fini(&engine->submitted);
	free(engine);
}
