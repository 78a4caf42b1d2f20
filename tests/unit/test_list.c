/* test_list.c - the intrusive list. */
#include "tests/unit/unit.h"

#include "base/list.h"

struct item {
	int number;
	struct list node;
};

static struct item *
item_of(struct list *node)
{
	return CONTAINER_OF(node, struct item, node);
}

/* numbers: what the list must hold, ended by a 0; looked at both ways. */
static void
assert_list(struct list *head, const int *numbers)
{
	struct list *node = head->next;
	size_t n = 0;

	for (; numbers[n]; n++, node = node->next)
		assert_int_equal(item_of(node)->number, numbers[n]);
	assert_ptr_equal(node, head);
	for (node = head->prev; n; n--, node = node->prev)
		assert_int_equal(item_of(node)->number, numbers[n - 1]);
	assert_ptr_equal(node, head);
}

static void
test_a_new_list_is_empty(void **state)
{
	struct list head;

	(void)state;
	list_init(&head);
	assert_true(list_is_empty(&head));
	assert_null(list_first(&head));
	assert_null(list_take_first(&head));
}

static void
test_nodes_are_taken_in_the_order_they_came(void **state)
{
	struct item items[3] = { { .number = 1 }, { .number = 2 },
		{ .number = 3 } };
	struct list head;

	(void)state;
	list_init(&head);
	for (int i = 0; i < 3; i++) {
		list_init(&items[i].node);
		list_append(&head, &items[i].node);
	}
	assert_list(&head, (const int[]){ 1, 2, 3, 0 });
	assert_ptr_equal(list_first(&head), &items[0].node);
	assert_ptr_equal(list_take_first(&head), &items[0].node);
	assert_list(&head, (const int[]){ 2, 3, 0 });
	assert_true(list_is_empty(&items[0].node));
	assert_ptr_equal(list_take_first(&head), &items[1].node);
	assert_ptr_equal(list_take_first(&head), &items[2].node);
	assert_null(list_take_first(&head));
}

static void
test_a_node_can_be_removed_any_number_of_times(void **state)
{
	struct item a = { .number = 1 }, b = { .number = 2 };
	struct list head;

	(void)state;
	list_init(&head);
	list_init(&a.node);
	list_init(&b.node);
	list_remove(&a.node);
	list_append(&head, &a.node);
	list_append(&head, &b.node);
	list_remove(&a.node);
	list_remove(&a.node);
	assert_list(&head, (const int[]){ 2, 0 });
	list_remove(&b.node);
	assert_true(list_is_empty(&head));
}

static void
test_appending_takes_a_node_out_of_where_it_was(void **state)
{
	struct item a = { .number = 1 }, b = { .number = 2 };
	struct list one, other;

	(void)state;
	list_init(&one);
	list_init(&other);
	list_init(&a.node);
	list_init(&b.node);
	list_append(&one, &a.node);
	list_append(&one, &b.node);
	list_append(&one, &a.node);
	assert_list(&one, (const int[]){ 2, 1, 0 });
	list_append(&other, &b.node);
	assert_list(&one, (const int[]){ 1, 0 });
	assert_list(&other, (const int[]){ 2, 0 });
	list_append(&one, &a.node);
	assert_list(&one, (const int[]){ 1, 0 });
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_new_list_is_empty),
		cmocka_unit_test(test_nodes_are_taken_in_the_order_they_came),
		cmocka_unit_test(
		    test_a_node_can_be_removed_any_number_of_times),
		cmocka_unit_test(
		    test_appending_takes_a_node_out_of_where_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
