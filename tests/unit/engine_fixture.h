/* engine_fixture.h - the engine over a store that can fail, asked by hand.
 *
 * Included first.  The test is the loop thread.  Nothing here sleeps: waiting
 * is for the engine to give something back, and fails after ten seconds.
 */
#ifndef PEERPOST_TESTS_ENGINE_FIXTURE_H
#define PEERPOST_TESTS_ENGINE_FIXTURE_H

#include "tests/unit/unit.h"

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/admin/parse.h"
#include "api/parse.h"
#include "base/clock.h"
#include "base/log.h"
#include "engine/engine.h"
#include "tests/unit/faulty_store.h"
#include "tests/unit/question.h"
#include "tests/unit/scratch.h"
#include "tests/unit/scratch_clock.h"

#define MAX_EXCHANGES 1024

/* A request on its way, or back. */
struct exchange {
	struct request *request;
	char texts[4][128]; /* target, authorization, key, last event id */
	unsigned n_back, n_cancels_back;
	unsigned order; /* in which it came back, from 1 */
};

struct fixture {
	struct scratch scratch;
	struct settings settings;
	struct faulty_store *store; /* the engine's, while it runs */
	struct engine *engine;      /* NULL: stopped */
	struct completion_queue cq;
	sem_t completed;
	struct exchange *exchanges[MAX_EXCHANGES];
	size_t n_exchanges;
	unsigned n_back;
};

struct user {
	uint32_t id;
	char token[64];
	char bearer[80];
};

/* Test setup and teardown: see TEST(). */
int set_up(void **state);
int tear_down(void **state);

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Open the store and start the engine with one completion queue. */
void start_engine(struct fixture *f);

/* Stop the engine, if it runs.  The test fails unless each request submitted
 * has come back once, and the store was used as store.h says. */
void stop_engine(struct fixture *f);

/* Free all requests.  The engine must be stopped. */
void forget_exchanges(struct fixture *f);

/* For completion_queue_open(): post the semaphore cls. */
void on_completed(void *cls);

/* Take what has come back through the completion queue, and check it. */
void collect_from(struct fixture *f, struct completion_queue *cq);
/* The same for the fixture's own queue. */
void collect(struct fixture *f);

/* A request that has been parsed, and is to be submitted.  It is the
 * fixture's. */
struct exchange *prepare(struct fixture *f, struct question q);

/* Hand a request over, to go with the next engine_flush(). */
struct exchange *submit_through(
    struct fixture *f, struct completion_queue *cq, struct question q);
/* The same for the fixture's own queue. */
struct exchange *submit(struct fixture *f, struct question q);

/* Wait until the counter, which collect() moves, is not 0. */
void wait_for(struct fixture *f, const unsigned *counter);

/* Ask and wait for the answer. */
struct exchange *ask(struct fixture *f, struct question q);

/* Send on what was submitted, and wait until the engine has dealt with it:
 * what is not back then is parked. */
void settle(struct fixture *f);

/* What the user asks with its token. */
struct question post_of(
    const struct user *user, const char *target, const char *body);
struct question get_of(const struct user *user, const char *target);

/* Whether the body of the reply has this text in it. */
bool says(const struct exchange *e, const char *text);

/* It is back, with this status and body. */
void assert_reply(const struct exchange *e, unsigned status, const char *body);
/* It is back, with this error. */
void assert_failed(const struct exchange *e, enum err err);

/* Read the reply to a register. */
void read_user(const struct exchange *e, struct user *out);

/* Register a player named Ann. */
struct user add_user(struct fixture *f);

/* Read the reply to a create-room. */
void read_uuid(const struct exchange *e, char uuid[TEXT_UUID_SIZE]);

/* Two players in a room; the first is the host.  Their mailboxes hold 2
 * events each, not acknowledged. */
void add_pair(struct fixture *f, struct user *host, struct user *guest);

#endif
