/* test_heap.c - the heap of deadlines, against a slow look at all of them. */
#include "tests/unit/unit.h"

#include "base/heap.h"

#define N_NODES 500

/* The same numbers in every run (Knuth's MMIX generator). */
static uint32_t
next_number(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

static void
assert_is_heap(const struct heap *heap)
{
	for (size_t at = 1; at <= heap->len; at++) {
		assert_int_equal(heap->nodes[at]->at, at);
		if (at > 1)
			assert_true(heap->nodes[at / 2]->due_ms <=
			    heap->nodes[at]->due_ms);
	}
}

static void
test_an_empty_heap_has_no_first(void **state)
{
	struct heap_node node = { 0, 0 };
	struct heap heap;

	(void)state;
	heap_init(&heap);
	assert_null(heap_first(&heap));
	heap_insert(&heap, &node, 5);
	assert_ptr_equal(heap_first(&heap), &node);
	assert_ptr_equal(heap_first(&heap), &node);
	heap_remove(&heap, &node);
	assert_null(heap_first(&heap));
	heap_fini(&heap);
	heap_fini(&heap);
}

static void
test_removing_what_is_in_no_heap_does_nothing(void **state)
{
	struct heap_node in = { 0, 0 }, out = { 0, 0 };
	struct heap heap;

	(void)state;
	heap_init(&heap);
	heap_remove(&heap, &out);
	heap_insert(&heap, &in, 1);
	heap_remove(&heap, &out);
	assert_ptr_equal(heap_first(&heap), &in);
	heap_remove(&heap, &in);
	heap_remove(&heap, &in);
	assert_int_equal(heap.len, 0);
	heap_fini(&heap);
}

static void
test_deadlines_come_out_in_order(void **state)
{
	static struct heap_node nodes[N_NODES];
	struct heap heap;
	uint64_t seed = 1;
	int64_t before = INT64_MIN;

	(void)state;
	heap_init(&heap);
	for (size_t i = 0; i < N_NODES; i++) {
		int64_t due = (int64_t)(next_number(&seed) % 100) - 50;

		heap_insert(&heap, &nodes[i], due);
		assert_int_equal(nodes[i].due_ms, due);
	}
	assert_is_heap(&heap);
	for (size_t i = 0; i < N_NODES; i++) {
		struct heap_node *first = heap_first(&heap);

		assert_true(first->due_ms >= before);
		before = first->due_ms;
		heap_remove(&heap, first);
		assert_int_equal(first->at, 0);
	}
	assert_null(heap_first(&heap));
	heap_fini(&heap);
}

static void
test_a_node_can_be_taken_out_from_anywhere(void **state)
{
	static struct heap_node nodes[N_NODES];
	struct heap heap;
	uint64_t seed = 2;

	(void)state;
	heap_init(&heap);
	for (int step = 0; step < 5000; step++) {
		struct heap_node *node = &nodes[next_number(&seed) % N_NODES];
		const struct heap_node *earliest = NULL;
		size_t n = 0;

		if (node->at)
			heap_remove(&heap, node);
		else
			heap_insert(&heap, node, next_number(&seed) % 1000);
		assert_is_heap(&heap);
		for (size_t i = 0; i < N_NODES; i++) {
			if (!nodes[i].at)
				continue;
			n++;
			if (!earliest || nodes[i].due_ms < earliest->due_ms)
				earliest = &nodes[i];
		}
		assert_int_equal(heap.len, n);
		if (earliest)
			assert_int_equal(
			    heap_first(&heap)->due_ms, earliest->due_ms);
		else
			assert_null(heap_first(&heap));
	}
	heap_fini(&heap);
}

static void
test_a_node_may_come_back_with_another_deadline(void **state)
{
	struct heap_node a = { 0, 0 }, b = { 0, 0 };
	struct heap heap;

	(void)state;
	heap_init(&heap);
	heap_insert(&heap, &a, 10);
	heap_insert(&heap, &b, 20);
	heap_remove(&heap, &a);
	heap_insert(&heap, &a, 30);
	assert_ptr_equal(heap_first(&heap), &b);
	heap_remove(&heap, &b);
	assert_ptr_equal(heap_first(&heap), &a);
	heap_fini(&heap);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_heap_has_no_first),
		cmocka_unit_test(test_removing_what_is_in_no_heap_does_nothing),
		cmocka_unit_test(test_deadlines_come_out_in_order),
		cmocka_unit_test(test_a_node_can_be_taken_out_from_anywhere),
		cmocka_unit_test(
		    test_a_node_may_come_back_with_another_deadline),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
