/* test_engine_backup.c - the engine while it makes a backup. */
#include "tests/unit/engine_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#define N_MESSAGES 100
#define MESSAGE_SIZE 65000 /* some six mebibytes in all: several rounds */

static const struct question backup = { .listener_class = LISTENER_ADMIN,
	.method = METHOD_POST,
	.target = "/backup" };

static void
fill(struct fixture *f, struct user *ann)
{
	static char body[MESSAGE_SIZE + 3];

	body[0] = body[MESSAGE_SIZE + 1] = '"';
	memset(body + 1, 'x', MESSAGE_SIZE);
	*ann = add_user(f);
	assert_int_equal(
	    ask(f, post_of(ann, "/create-room", NULL))->request->reply.status,
	    200);
	for (int i = 0; i < N_MESSAGES; i++)
		submit(f, post_of(ann, "/message", body));
	settle(f);
}

static void
assert_is_copy(const struct exchange *e)
{
	const struct reply *reply = &e->request->reply;
	char magic[16];

	assert_int_equal(e->n_back, 1);
	assert_int_equal(reply->status, 200);
	assert_int_equal(reply->type, REPLY_FILE);
	assert_true(reply->fd_size > N_MESSAGES * MESSAGE_SIZE);
	assert_int_equal(pread(reply->fd, magic, sizeof(magic), 0), 16);
	assert_memory_equal(magic, "SQLite format 3", 16);
}

static void
assert_given_up(const struct exchange *e)
{
	assert_int_equal(e->n_back, 1);
	assert_int_equal(e->request->reply.status, 503);
	assert_true(says(e, "{\"error\":\"shutting-down\","));
}

static void
test_commands_are_answered_while_it_is_made(void **state)
{
	struct fixture *f = *state;
	struct exchange *b, *e;
	struct user ann;

	fill(f, &ann);
	b = submit(f, backup);
	e = submit(f, post_of(&ann, "/message", "1"));
	engine_flush(&f->cq);
	wait_for(f, &b->n_back);
	assert_int_equal(e->n_back, 1);
	assert_int_equal(e->request->reply.status, 200);
	assert_true(e->order < b->order);
	assert_is_copy(b);
}

static void
test_a_second_one_is_refused(void **state)
{
	struct fixture *f = *state;
	struct exchange *first, *second;
	struct user ann;

	fill(f, &ann);
	first = submit(f, backup);
	second = submit(f, backup);
	engine_flush(&f->cq);
	wait_for(f, &second->n_back);
	assert_int_equal(second->request->reply.status, 409);
	assert_true(says(second, "\"error\":\"backup-running\""));
	wait_for(f, &first->n_back);
	assert_is_copy(first);
	assert_is_copy(ask(f, backup));
}

static void
test_it_is_given_up_when_its_client_has_gone(void **state)
{
	struct fixture *f = *state;
	struct exchange *b;
	struct user ann;

	fill(f, &ann);
	b = submit(f, backup);
	engine_cancel(&f->cq, b->request);
	engine_flush(&f->cq);
	wait_for(f, &b->n_cancels_back);
	assert_given_up(b);
	assert_is_copy(ask(f, backup));
}

static void
test_it_is_given_up_at_the_end(void **state)
{
	struct fixture *f = *state;
	struct exchange *b, *late;
	struct user ann;

	fill(f, &ann);
	b = submit(f, backup);
	engine_drain(f->engine);
	late = submit(f, backup);
	stop_engine(f);
	assert_given_up(b);
	assert_given_up(late);
}

static void
test_a_copy_that_nobody_takes_is_closed(void **state)
{
	struct fixture *f = *state;
	struct exchange *b;
	struct user ann;
	int fd;

	fill(f, &ann);
	b = ask(f, backup);
	assert_is_copy(b);
	fd = b->request->reply.fd;
	assert_int_not_equal(fcntl(fd, F_GETFD), -1);
	request_reset_reply(b->request);
	assert_int_equal(fcntl(fd, F_GETFD), -1);
}

/* Its transaction is lost, and run again. */
static void
test_a_failing_neighbour_does_no_harm(void **state)
{
	struct fixture *f = *state;
	struct exchange *b, *e;
	struct user ann;

	fill(f, &ann);
	b = submit(f, backup);
	atomic_store(&f->store->is_poisoned, true);
	e = submit(f, post_of(&ann, "/message", "\"poison\""));
	engine_flush(&f->cq);
	wait_for(f, &b->n_back);
	assert_failed(e, ERR_STORAGE);
	assert_is_copy(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_commands_are_answered_while_it_is_made),
		TEST(test_a_second_one_is_refused),
		TEST(test_it_is_given_up_when_its_client_has_gone),
		TEST(test_it_is_given_up_at_the_end),
		TEST(test_a_copy_that_nobody_takes_is_closed),
		TEST(test_a_failing_neighbour_does_no_harm),
	};

	log_set_level(LOG_LEVEL_ERROR);
	return cmocka_run_group_tests_name("engine_backup", tests, NULL, NULL);
}
