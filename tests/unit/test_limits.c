/* test_limits.c - token buckets: how many, how soon again, how much memory. */
#include "tests/unit/unit.h"

#include <string.h>

#include "core/limits.h"

#define OK(call) assert_int_equal((call), ERR_NONE)
#define START_MS 1000000

static const struct rate five_a_second = { .per_s = 5, .burst = 10 };

static void
take_all(struct bucket *bucket, struct rate rate, int64_t now_ms)
{
	for (uint32_t i = 0; i < rate.burst; i++)
		assert_int_equal(bucket_take(bucket, rate, now_ms, 1), 0);
}

static void
test_a_new_bucket_holds_its_burst_and_no_more(void **state)
{
	struct bucket bucket = { 0 };

	(void)state;
	take_all(&bucket, five_a_second, START_MS);
	assert_true(bucket_take(&bucket, five_a_second, START_MS, 1) > 0);
}

static void
test_the_wait_told_is_just_long_enough(void **state)
{
	struct bucket bucket = { 0 };

	(void)state;
	take_all(&bucket, five_a_second, START_MS);
	assert_int_equal(bucket_take(&bucket, five_a_second, START_MS, 1), 200);
	assert_int_equal(bucket_take(&bucket, five_a_second, START_MS, 3), 600);
	assert_int_equal(
	    bucket_take(&bucket, five_a_second, START_MS + 199, 1), 1);
	assert_int_equal(
	    bucket_take(&bucket, five_a_second, START_MS + 200, 1), 0);
	assert_int_equal(
	    bucket_take(&bucket, five_a_second, START_MS + 200, 1), 200);
}

static void
test_the_wait_is_rounded_up_and_never_0(void **state)
{
	static const struct rate rate = { .per_s = 3, .burst = 1 };
	static const struct rate fast = { .per_s = 1000000, .burst = 1 };
	struct bucket bucket = { 0 };

	(void)state;
	take_all(&bucket, rate, START_MS);
	assert_int_equal(bucket_take(&bucket, rate, START_MS, 1), 334);
	assert_int_equal(bucket_take(&bucket, rate, START_MS + 333, 1), 1);
	assert_int_equal(bucket_take(&bucket, rate, START_MS + 334, 1), 0);
	bucket = (struct bucket){ 0 };
	take_all(&bucket, fast, START_MS);
	assert_int_equal(bucket_take(&bucket, fast, START_MS, 1), 1);
}

static void
test_refusing_takes_nothing(void **state)
{
	struct bucket bucket = { 0 };

	(void)state;
	take_all(&bucket, five_a_second, START_MS);
	for (int i = 0; i < 100; i++)
		assert_int_equal(
		    bucket_take(&bucket, five_a_second, START_MS + 150, 1), 50);
	assert_int_equal(
	    bucket_take(&bucket, five_a_second, START_MS + 200, 1), 0);
}

static void
test_a_bucket_never_holds_more_than_its_burst(void **state)
{
	struct bucket bucket = { 0 };

	(void)state;
	take_all(&bucket, five_a_second, START_MS);
	take_all(&bucket, five_a_second, START_MS + 86400000);
	assert_true(
	    bucket_take(&bucket, five_a_second, START_MS + 86400000, 1) > 0);
}

static void
test_more_than_the_burst_is_had_from_a_full_bucket_only(void **state)
{
	struct bucket bucket = { 0 };

	(void)state;
	assert_int_equal(bucket_take(&bucket, five_a_second, START_MS, 1), 0);
	assert_int_equal(
	    bucket_take(&bucket, five_a_second, START_MS, 64), 200);
	assert_int_equal(
	    bucket_take(&bucket, five_a_second, START_MS + 200, 64), 0);
}

static void
test_debt_is_paid_back_at_the_rate(void **state)
{
	struct bucket bucket = { 0 };

	(void)state;
	/* 10 there, 64 taken: 54 owed, and one to have. */
	assert_int_equal(bucket_take(&bucket, five_a_second, START_MS, 64), 0);
	assert_int_equal(
	    bucket_take(&bucket, five_a_second, START_MS, 1), 55 * 200);
	assert_int_equal(
	    bucket_take(&bucket, five_a_second, START_MS + 55 * 200 - 1, 1), 1);
	assert_int_equal(
	    bucket_take(&bucket, five_a_second, START_MS + 55 * 200, 1), 0);
}

static void
test_either_measure_0_is_no_limit(void **state)
{
	static const struct rate rates[] = { { 0, 0 }, { 0, 10 }, { 5, 0 } };
	static const uint8_t key[ADDRESS_KEY_SIZE] = { 1 };
	struct address_buckets buckets;
	struct bucket bucket = { 0 };

	(void)state;
	address_buckets_init(&buckets);
	for (size_t r = 0; r < 3; r++) {
		for (int i = 0; i < 1000; i++) {
			assert_int_equal(
			    bucket_take(&bucket, rates[r], START_MS, 64), 0);
			assert_int_equal(address_buckets_take(
					     &buckets, key, rates[r], START_MS),
			    0);
		}
	}
	/* And nothing is remembered. */
	assert_true(list_is_empty(&buckets.by_use));
	address_buckets_fini(&buckets);
}

static const uint8_t *
address(uint32_t number)
{
	static uint8_t key[ADDRESS_KEY_SIZE] = { [10] = 0xff, [11] = 0xff };

	memcpy(key + 12, &number, sizeof(number));
	return key;
}

/* 2001:NNNN:NNNN:SSSS:: */
static const uint8_t *
ipv6_address(uint32_t network, uint16_t subnet)
{
	static uint8_t key[ADDRESS_KEY_SIZE] = { 0x20, 0x01 };

	memcpy(key + 2, &network, sizeof(network));
	memcpy(key + 6, &subnet, sizeof(subnet));
	return key;
}

static size_t
n_kept(const struct address_buckets *buckets)
{
	size_t n = 0;

	for (struct list *node = buckets->by_use.next; node != &buckets->by_use;
	     node = node->next)
		n++;
	return n;
}

static void
test_each_address_has_a_bucket_of_its_own(void **state)
{
	struct address_buckets buckets;

	(void)state;
	address_buckets_init(&buckets);
	for (uint32_t i = 0; i < 10; i++)
		for (uint32_t a = 0; a < 3; a++)
			assert_int_equal(
			    address_buckets_take(
				&buckets, address(a), five_a_second, START_MS),
			    0);
	for (uint32_t a = 0; a < 3; a++)
		assert_int_equal(address_buckets_take(&buckets, address(a),
				     five_a_second, START_MS),
		    200);
	assert_int_equal(n_kept(&buckets), 3);
	address_buckets_fini(&buckets);
}

static void
test_an_address_in_use_is_not_forgotten(void **state)
{
	struct address_buckets buckets;
	int64_t now_ms = START_MS;

	(void)state;
	address_buckets_init(&buckets);
	for (int i = 0; i < 10; i++)
		address_buckets_take(
		    &buckets, address(1), five_a_second, now_ms);
	/* One a second more than it earns, for longer than a bucket fills. */
	for (int i = 0; i < 100; i++) {
		now_ms += 100;
		address_buckets_take(
		    &buckets, address(1), five_a_second, now_ms);
	}
	assert_true(address_buckets_take(
			&buckets, address(1), five_a_second, now_ms) > 0);
	address_buckets_fini(&buckets);
}

static void
test_only_addresses_with_less_than_full_buckets_are_kept(void **state)
{
	struct address_buckets buckets;
	int64_t now_ms = START_MS;

	(void)state;
	address_buckets_init(&buckets);
	/* A new address every millisecond; a bucket fills in 2 seconds. */
	for (uint32_t a = 0; a < 20000; a++)
		assert_int_equal(address_buckets_take(&buckets, address(a),
				     five_a_second, now_ms++),
		    0);
	assert_in_range(n_kept(&buckets), 2000, 2010);
	assert_int_equal(address_buckets_take(&buckets, address(20000),
			     five_a_second, now_ms + 3000),
	    0);
	assert_int_equal(n_kept(&buckets), 1);
	address_buckets_fini(&buckets);
}

static void
test_who_is_used_again_moves_behind_the_others(void **state)
{
	struct address_buckets buckets;

	(void)state;
	address_buckets_init(&buckets);
	address_buckets_take(&buckets, address(1), five_a_second, START_MS);
	address_buckets_take(&buckets, address(2), five_a_second, START_MS);
	address_buckets_take(
	    &buckets, address(1), five_a_second, START_MS + 1500);
	/* Address 2 can go, though 1 was there before it. */
	address_buckets_take(
	    &buckets, address(3), five_a_second, START_MS + 2500);
	assert_int_equal(n_kept(&buckets), 2);
	address_buckets_fini(&buckets);
}

static void
test_a_48_has_eight_times_what_a_64_has(void **state)
{
	struct address_buckets buckets;
	uint32_t n_taken = 0;

	(void)state;
	address_buckets_init(&buckets);
	/* Another /64 for each register, as an attacker would. */
	for (uint32_t a = 0; a < 65536; a++)
		n_taken += address_buckets_take(&buckets,
			       ipv6_address(1, (uint16_t)a), five_a_second,
			       START_MS) == 0;
	assert_int_equal(n_taken, 8 * five_a_second.burst);
	/* What was refused is not remembered. */
	assert_int_equal(n_kept(&buckets), 8 * five_a_second.burst + 1);
	/* 40 a second. */
	assert_int_equal(address_buckets_take(&buckets, ipv6_address(1, 0x7777),
			     five_a_second, START_MS),
	    25);
	assert_int_equal(address_buckets_take(&buckets, ipv6_address(2, 0x7777),
			     five_a_second, START_MS),
	    0);
	address_buckets_fini(&buckets);
}

static void
test_a_token_is_taken_from_both_or_neither(void **state)
{
	struct address_buckets buckets;

	(void)state;
	address_buckets_init(&buckets);
	/* The /64 is empty: its /48 does not pay for what is refused. */
	for (uint32_t i = 0; i < 1000; i++)
		address_buckets_take(
		    &buckets, ipv6_address(1, 1), five_a_second, START_MS);
	for (uint32_t i = 0; i < 7 * five_a_second.burst; i++)
		assert_int_equal(address_buckets_take(&buckets,
				     ipv6_address(1, (uint16_t)(2 + i)),
				     five_a_second, START_MS),
		    0);
	/* The /48 is empty: the /64 does not pay either. */
	for (uint32_t i = 0; i < 1000; i++)
		assert_int_equal(
		    address_buckets_take(
			&buckets, ipv6_address(1, 2), five_a_second, START_MS),
		    25);
	for (uint32_t i = 0; i < 9; i++)
		assert_int_equal(
		    address_buckets_take(&buckets, ipv6_address(1, 2),
			five_a_second, START_MS + 25 * (i + 1)),
		    0);
	address_buckets_fini(&buckets);
}

static void
test_ipv4_addresses_have_no_network(void **state)
{
	uint8_t network[ADDRESS_KEY_SIZE];

	(void)state;
	assert_false(address_network(address(0), network));
	assert_false(address_network(address(0xffffffff), network));
	assert_true(address_network(ipv6_address(1, 2), network));
	assert_memory_equal(network, ipv6_address(1, 0), 15);
	assert_memory_not_equal(network, ipv6_address(1, 0), 16);
}

static void
test_the_table_of_buckets_is_bounded(void **state)
{
	static const struct rate slow = { .per_s = 1, .burst = 1000000 };
	struct address_buckets buckets;

	(void)state;
	address_buckets_init(&buckets);
	for (uint32_t a = 0; a < 2 * ADDRESS_MAX_BUCKETS; a++)
		assert_int_equal(address_buckets_take(&buckets,
				     ipv6_address(a, 0), slow, START_MS),
		    0);
	assert_int_equal(n_kept(&buckets), ADDRESS_MAX_BUCKETS);
	address_buckets_fini(&buckets);
}

static void
test_a_bucket_left_for_ages_is_full_and_no_more(void **state)
{
	static const struct rate rate = { .per_s = 1000000000,
		.burst = 1000000000 };
	struct bucket bucket = { 0 };

	(void)state;
	assert_int_equal(bucket_take(&bucket, rate, 1, 3000000000u), 0);
	assert_int_equal(bucket_take(&bucket, rate, 2, 1), 1999 + 1);
	assert_int_equal(bucket_take(&bucket, rate, INT64_MAX / 2, 1), 0);
	assert_int_equal(bucket.millis, 999999999000);
}

static void
test_a_request_that_is_run_again_pays_once(void **state)
{
	struct bucket bucket = { 0 };
	struct bill bill = { 0 };

	(void)state;
	for (int try = 0; try < 3; try++) {
		bill_begin(&bill);
		OK(bill_pay(&bill, &bucket, five_a_second, START_MS, 4));
		OK(bill_pay(&bill, &bucket, five_a_second, START_MS, 6));
		assert_int_equal(
		    bill_pay(&bill, &bucket, five_a_second, START_MS, 1),
		    ERR_RATE_LIMITED);
		assert_int_equal(bill.wait_ms, 200);
	}
}

static void
test_nothing_costs_nothing_even_in_debt(void **state)
{
	struct bucket bucket = { 0 };
	struct bill bill = { 0 };

	(void)state;
	OK(bill_pay(&bill, &bucket, five_a_second, START_MS, 100));
	OK(bill_pay(&bill, &bucket, five_a_second, START_MS, 0));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_a_bucket_left_for_ages_is_full_and_no_more),
		cmocka_unit_test(test_a_request_that_is_run_again_pays_once),
		cmocka_unit_test(test_nothing_costs_nothing_even_in_debt),
		cmocka_unit_test(test_a_new_bucket_holds_its_burst_and_no_more),
		cmocka_unit_test(test_the_wait_told_is_just_long_enough),
		cmocka_unit_test(test_the_wait_is_rounded_up_and_never_0),
		cmocka_unit_test(test_refusing_takes_nothing),
		cmocka_unit_test(test_a_bucket_never_holds_more_than_its_burst),
		cmocka_unit_test(
		    test_more_than_the_burst_is_had_from_a_full_bucket_only),
		cmocka_unit_test(test_debt_is_paid_back_at_the_rate),
		cmocka_unit_test(test_either_measure_0_is_no_limit),
		cmocka_unit_test(test_each_address_has_a_bucket_of_its_own),
		cmocka_unit_test(test_an_address_in_use_is_not_forgotten),
		cmocka_unit_test(
		    test_only_addresses_with_less_than_full_buckets_are_kept),
		cmocka_unit_test(
		    test_who_is_used_again_moves_behind_the_others),
		cmocka_unit_test(test_a_48_has_eight_times_what_a_64_has),
		cmocka_unit_test(test_a_token_is_taken_from_both_or_neither),
		cmocka_unit_test(test_ipv4_addresses_have_no_network),
		cmocka_unit_test(test_the_table_of_buckets_is_bounded),
	};

	return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
