/* engine_fixture.c - the engine over a store that can fail, asked by hand. */
#include "tests/unit/engine_fixture.h"

#include <time.h>

#define DEADLINE_S 10

void
on_completed(void *cls)
{
	sem_post(cls);
}

void
start_engine(struct fixture *f)
{
	f->store = faulty_store_new(scratch_open(&f->scratch));
	f->engine = engine_start(&f->store->ops, &f->settings);
	assert_non_null(f->engine);
	completion_queue_open(&f->cq, f->engine, on_completed, &f->completed);
}

void
collect_from(struct fixture *f, struct completion_queue *cq)
{
	struct queue_chain chain = engine_take_completed(cq);
	struct queue_item *item;

	while ((item = queue_chain_take(&chain)) != NULL) {
		struct task *task = CONTAINER_OF(item, struct task, item);
		struct exchange *e;

		if (task->kind == TASK_SETTINGS) {
			struct settings_change *change = CONTAINER_OF(
			    task, struct settings_change, task);

			change->give_back(change);
			continue;
		}
		e = task->request->owner;
		if (task->kind == TASK_CANCEL) {
			e->n_cancels_back++;
			continue;
		}
		assert_int_equal(task->kind, TASK_RUN);
		assert_int_not_equal(e->request->reply.status, 0);
		assert_null(e->request->parked.player);
		e->n_back++;
		e->order = ++f->n_back;
	}
}

void
collect(struct fixture *f)
{
	collect_from(f, &f->cq);
}

void
forget_exchanges(struct fixture *f)
{
	for (size_t i = 0; i < f->n_exchanges; i++) {
		request_free(f->exchanges[i]->request);
		free(f->exchanges[i]);
	}
	f->n_exchanges = 0;
}

void
stop_engine(struct fixture *f)
{
	struct engine *engine = f->engine;
	bool is_misused;

	if (!engine)
		return;
	f->engine = NULL;
	is_misused = atomic_load(&f->store->is_misused);
	engine_flush(&f->cq);
	engine_stop(engine);
	collect(f);
	for (size_t i = 0; i < f->n_exchanges; i++)
		assert_int_equal(f->exchanges[i]->n_back, 1);
	assert_false(is_misused);
	completion_queue_close(&f->cq);
	engine_free(engine);
}

int
set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f || scratch_make(&f->scratch) || sem_init(&f->completed, 0, 0))
		return -1;
	f->settings.poll_wait_ms = 25000;
	f->settings.poll_wait_max_ms = 55000;
	start_engine(f);
	*state = f;
	return 0;
}

int
tear_down(void **state)
{
	struct fixture *f = *state;

	stop_engine(f);
	forget_exchanges(f);
	scratch_remove(&f->scratch);
	sem_destroy(&f->completed);
	free(f);
	return 0;
}

static const char *
keep_text(struct exchange *e, size_t i, const char *text)
{
	if (!text)
		return NULL;
	assert_true(strlen(text) < sizeof(e->texts[i]));
	return strcpy(e->texts[i], text);
}

struct exchange *
prepare(struct fixture *f, struct question q)
{
	struct exchange *e = calloc(1, sizeof(*e));

	assert_non_null(e);
	assert_true(f->n_exchanges < MAX_EXCHANGES);
	q.target = keep_text(e, 0, q.target);
	q.authorization = keep_text(e, 1, q.authorization);
	q.key = keep_text(e, 2, q.key);
	q.last_event_id = keep_text(e, 3, q.last_event_id);
	e->request = question_request(q);
	e->request->owner = e;
	f->exchanges[f->n_exchanges++] = e;
	assert_true(e->request->listener_class == LISTENER_PUBLIC ?
		request_parse(e->request, "") :
		admin_parse(e->request));
	return e;
}

struct exchange *
submit_through(
    struct fixture *f, struct completion_queue *cq, struct question q)
{
	struct exchange *e = prepare(f, q);

	engine_submit(cq, e->request);
	return e;
}

struct exchange *
submit(struct fixture *f, struct question q)
{
	return submit_through(f, &f->cq, q);
}

void
wait_for(struct fixture *f, const unsigned *counter)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += DEADLINE_S;
	for (;;) {
		collect(f);
		if (*counter)
			return;
		if (sem_timedwait(&f->completed, &until))
			fail_msg("the engine gave nothing back");
	}
}

struct exchange *
ask(struct fixture *f, struct question q)
{
	struct exchange *e = submit(f, q);

	engine_flush(&f->cq);
	wait_for(f, &e->n_back);
	return e;
}

void
settle(struct fixture *f)
{
	struct exchange probe = { .request = request_new(0) };

	probe.request->owner = &probe;
	engine_cancel(&f->cq, probe.request);
	engine_flush(&f->cq);
	wait_for(f, &probe.n_cancels_back);
	request_free(probe.request);
}

struct question
post_of(const struct user *user, const char *target, const char *body)
{
	return (struct question){ .method = METHOD_POST,
		.target = target,
		.body = body,
		.authorization = user->bearer };
}

struct question
get_of(const struct user *user, const char *target)
{
	return (
	    struct question){ .target = target, .authorization = user->bearer };
}

bool
says(const struct exchange *e, const char *text)
{
	const struct buf *body = &e->request->reply.body;

	return memmem(body->data, body->len, text, strlen(text)) != NULL;
}

void
assert_reply(const struct exchange *e, unsigned status, const char *body)
{
	const struct reply *reply = &e->request->reply;

	assert_int_equal(e->n_back, 1);
	if (reply->status != status || reply->body.len != strlen(body) ||
	    (body[0] && memcmp(reply->body.data, body, strlen(body))))
		fail_msg("%u %.*s, not %u %s", reply->status,
		    (int)reply->body.len, reply->body.data, status, body);
}

void
assert_failed(const struct exchange *e, enum err err)
{
	char word[64];

	snprintf(word, sizeof(word), "\"error\":\"%s\"}", err_word(err));
	assert_int_equal(e->n_back, 1);
	assert_int_equal(e->request->reply.status, err_status(err));
	assert_true(says(e, word));
}

void
read_user(const struct exchange *e, struct user *out)
{
	char body[256];
	const struct reply *reply = &e->request->reply;

	assert_int_equal(reply->status, 200);
	snprintf(
	    body, sizeof(body), "%.*s", (int)reply->body.len, reply->body.data);
	assert_int_equal(sscanf(body,
			     "{\"command\":\"###!RPK\",\"data\":%u,"
			     "\"token\":\"%63[^\"]\"}",
			     &out->id, out->token),
	    2);
	snprintf(out->bearer, sizeof(out->bearer), "Bearer %s", out->token);
}

struct user
add_user(struct fixture *f)
{
	struct user user = { .id = 0 };

	read_user(ask(f,
		      (struct question){ .method = METHOD_POST,
			  .target = "/register",
			  .body = "\"Ann\"" }),
	    &user);
	return user;
}

void
read_uuid(const struct exchange *e, char uuid[TEXT_UUID_SIZE])
{
	static const char start[] = "{\"command\":\"###!CRK\",\"data\":\"";
	const struct reply *reply = &e->request->reply;

	assert_int_equal(reply->status, 200);
	assert_true(reply->body.len > sizeof(start) + 36);
	assert_memory_equal(reply->body.data, start, sizeof(start) - 1);
	memcpy(uuid, reply->body.data + sizeof(start) - 1, 36);
	uuid[36] = '\0';
}

void
add_pair(struct fixture *f, struct user *host, struct user *guest)
{
	char uuid[TEXT_UUID_SIZE];

	*host = add_user(f);
	*guest = add_user(f);
	read_uuid(ask(f, post_of(host, "/create-room", NULL)), uuid);
	assert_int_equal(
	    ask(f, post_of(guest, "/join-room", uuid))->request->reply.status,
	    200);
}
