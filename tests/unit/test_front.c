/* test_front.c - the places that connections take, on whatever thread. */
#include "tests/unit/unit.h"

#include "net/front.h"

#define N_PLACES 2

/* The transports of two threads. */
static struct front_shared shared;
static struct front fronts[2];

static int
set_up(void **state)
{
	(void)state;
	front_shared_init(&shared);
	for (size_t i = 0; i < 2; i++)
		fronts[i] = (struct front){ .shared = &shared,
			.settings = { .listener_class = LISTENER_PUBLIC,
			    .max_connections = N_PLACES } };
	return 0;
}

static void
test_a_connection_takes_one_place_from_the_first(void **state)
{
	(void)state;
	front_take_place(&fronts[1]);
	front_take_place(&fronts[1]);
	assert_false(front_has_capacity(&fronts[0]));
	assert_int_equal(fronts[1].n_connections, 0);
	front_add_connection(&fronts[1], FRONT_HTTP);
	assert_int_equal(fronts[1].n_connections, 1);
	assert_int_equal(shared.n_connections, 2);
	front_give_place(&fronts[1]);
	assert_int_equal(shared.n_connections, 1);
	assert_true(front_has_capacity(&fronts[0]));
	front_remove_connection(&fronts[1], FRONT_HTTP);
	assert_int_equal(shared.n_connections, 0);
	assert_int_equal(fronts[1].n_connections, 0);
}

static void
test_one_connection_is_closed_for_one_place(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_PLACES; i++) {
		front_take_place(&fronts[i]);
		front_add_connection(&fronts[i], FRONT_HTTP);
	}
	assert_true(front_claim_eviction(&fronts[0]));
	assert_false(front_claim_eviction(&fronts[1]));
	front_remove_connection(&fronts[0], FRONT_HTTP);
	/* It saw that there is no room before. */
	assert_false(front_claim_eviction(&fronts[1]));
	front_take_place(&fronts[0]);
	assert_true(front_claim_eviction(&fronts[1]));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    test_a_connection_takes_one_place_from_the_first, set_up),
		cmocka_unit_test_setup(
		    test_one_connection_is_closed_for_one_place, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
