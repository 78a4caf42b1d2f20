/* test_queue.c - the queue between two threads.
 *
 * cmocka's asserts jump, so only the main thread asserts; the other one
 * counts, and is looked at after it has been joined.  The waits are long or
 * for ever: a test that hangs has failed.
 */
#include "tests/unit/unit.h"

#include "base/list.h"
#include "base/queue.h"

#define N_ITEMS 20000
#define LONG_MS 60000

struct numbered {
	int number;
	struct queue_item item;
};

static int
take_number(struct queue_chain *chain)
{
	struct queue_item *item = queue_chain_take(chain);

	return item ? CONTAINER_OF(item, struct numbered, item)->number : -1;
}

static bool
push_one(struct queue *queue, struct numbered *numbered)
{
	struct queue_chain chain = { NULL, NULL };

	queue_chain_append(&chain, &numbered->item);
	return queue_push(queue, &chain);
}

static void
test_a_chain_is_first_in_first_out(void **state)
{
	struct numbered items[3] = { { .number = 1 }, { .number = 2 },
		{ .number = 3 } };
	struct queue_chain chain = { NULL, NULL };

	(void)state;
	assert_int_equal(take_number(&chain), -1);
	queue_chain_append(&chain, &items[0].item);
	queue_chain_append(&chain, &items[1].item);
	assert_int_equal(take_number(&chain), 1);
	queue_chain_append(&chain, &items[2].item);
	assert_int_equal(take_number(&chain), 2);
	assert_int_equal(take_number(&chain), 3);
	assert_int_equal(take_number(&chain), -1);
	assert_null(chain.last);
	queue_chain_append(&chain, &items[0].item);
	assert_int_equal(take_number(&chain), 1);
}

static void
test_an_empty_queue_gives_an_empty_chain(void **state)
{
	struct queue queue;
	struct queue_chain chain;

	(void)state;
	queue_init(&queue);
	chain = queue_take(&queue, 0);
	assert_null(chain.first);
	chain = queue_take(&queue, 1); /* comes back by itself */
	assert_null(chain.first);
	queue_fini(&queue);
}

static void
test_a_push_tells_whether_the_queue_was_empty(void **state)
{
	struct numbered items[3] = { { .number = 1 }, { .number = 2 },
		{ .number = 3 } };
	struct queue_chain chain = { NULL, NULL };
	struct queue queue;

	(void)state;
	queue_init(&queue);
	assert_false(queue_push(&queue, &chain)); /* nothing to tell */
	assert_true(push_one(&queue, &items[0]));
	assert_false(push_one(&queue, &items[1]));
	assert_false(queue_push(&queue, &chain));
	chain = queue_take(&queue, -1);
	assert_int_equal(take_number(&chain), 1);
	assert_int_equal(take_number(&chain), 2);
	assert_int_equal(take_number(&chain), -1);
	assert_true(push_one(&queue, &items[2]));
	chain = queue_take(&queue, LONG_MS);
	assert_int_equal(take_number(&chain), 3);
	queue_fini(&queue);
}

static void
test_a_pushed_chain_is_empty_then_and_keeps_its_order(void **state)
{
	struct numbered items[4] = { { .number = 1 }, { .number = 2 },
		{ .number = 3 }, { .number = 4 } };
	struct queue_chain chain = { NULL, NULL };
	struct queue queue;

	(void)state;
	queue_init(&queue);
	queue_chain_append(&chain, &items[0].item);
	queue_chain_append(&chain, &items[1].item);
	assert_true(queue_push(&queue, &chain));
	assert_null(chain.first);
	queue_chain_append(&chain, &items[2].item);
	queue_chain_append(&chain, &items[3].item);
	assert_false(queue_push(&queue, &chain));
	chain = queue_take(&queue, 0);
	for (int i = 1; i <= 4; i++)
		assert_int_equal(take_number(&chain), i);
	assert_int_equal(take_number(&chain), -1);
	queue_fini(&queue);
}

struct pusher {
	struct queue *to;
	struct numbered *items;
};

static void *
push_all(void *arg)
{
	struct pusher *pusher = arg;
	struct queue_chain chain = { NULL, NULL };

	/* Now one, now several. */
	for (int i = 0; i < N_ITEMS; i++) {
		queue_chain_append(&chain, &pusher->items[i].item);
		if (i % 7 != 3)
			queue_push(pusher->to, &chain);
	}
	queue_push(pusher->to, &chain);
	return NULL;
}

static void
test_every_item_arrives_once_and_in_order(void **state)
{
	static struct numbered items[N_ITEMS];
	struct queue queue;
	struct pusher pusher = { &queue, items };
	pthread_t thread;
	int next = 0;

	(void)state;
	for (int i = 0; i < N_ITEMS; i++)
		items[i].number = i;
	queue_init(&queue);
	assert_int_equal(pthread_create(&thread, NULL, push_all, &pusher), 0);
	while (next < N_ITEMS) {
		struct queue_chain chain = queue_take(
		    &queue, next % 2 ? -1 : LONG_MS);
		int number;

		assert_non_null(chain.first);
		while ((number = take_number(&chain)) >= 0)
			assert_int_equal(number, next++);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_null(queue_take(&queue, 0).first);
	queue_fini(&queue);
}

struct echo {
	struct queue *from, *to;
	int n;
};

static void *
echo_all(void *arg)
{
	struct echo *echo = arg;

	while (echo->n < N_ITEMS) {
		struct queue_chain chain = queue_take(echo->from, -1);
		struct queue_chain back = { NULL, NULL };
		struct queue_item *item;

		while ((item = queue_chain_take(&chain))) {
			queue_chain_append(&back, item);
			echo->n++;
		}
		queue_push(echo->to, &back);
	}
	return NULL;
}

/* Each side sleeps until the other has pushed: a lost wake-up hangs here. */
static void
test_no_wake_up_is_lost_between_two_queues(void **state)
{
	static struct numbered item;
	struct queue there, back;
	struct echo echo = { &there, &back, 0 };
	pthread_t thread;

	(void)state;
	queue_init(&there);
	queue_init(&back);
	assert_int_equal(pthread_create(&thread, NULL, echo_all, &echo), 0);
	for (int i = 0; i < N_ITEMS; i++) {
		struct queue_chain chain;

		item.number = i;
		assert_true(push_one(&there, &item));
		chain = queue_take(&back, -1);
		assert_int_equal(take_number(&chain), i);
		assert_int_equal(take_number(&chain), -1);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(echo.n, N_ITEMS);
	queue_fini(&there);
	queue_fini(&back);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_chain_is_first_in_first_out),
		cmocka_unit_test(test_an_empty_queue_gives_an_empty_chain),
		cmocka_unit_test(test_a_push_tells_whether_the_queue_was_empty),
		cmocka_unit_test(
		    test_a_pushed_chain_is_empty_then_and_keeps_its_order),
		cmocka_unit_test(test_every_item_arrives_once_and_in_order),
		cmocka_unit_test(test_no_wake_up_is_lost_between_two_queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
