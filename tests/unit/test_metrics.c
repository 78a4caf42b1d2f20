/* test_metrics.c - counting, and the room that there is for it. */
#include "tests/unit/parse_fixture.h"

#include "api/admin/metrics.h"
#include "api/reply.h"
#include "base/metric.h"

static const struct metric *
histogram(void)
{
	return &metrics[METRIC_ROW_BATCH_REQUESTS];
}

static uint64_t
bucket(size_t i)
{
	return metric_get(histogram()->counter + (unsigned)i);
}

static void
test_a_value_is_in_the_first_bucket_that_it_fits_into(void **state)
{
	const uint32_t *bounds = metric_bounds(histogram()->kind);
	size_t n = histogram()->n;

	(void)state;
	for (size_t i = 0; i < n; i++) {
		uint64_t at = bucket(i), above = bucket(i + 1);

		metric_observe(METRIC_ROW_BATCH_REQUESTS, bounds[i]);
		assert_int_equal(bucket(i), at + 1);
		metric_observe(
		    METRIC_ROW_BATCH_REQUESTS, (int64_t)bounds[i] + 1);
		assert_int_equal(bucket(i + 1), above + 1);
	}
	assert_int_equal(bucket(n), 1); /* above all of them */
}

static void
test_the_sum_is_that_of_the_values(void **state)
{
	unsigned sum = histogram()->counter + (unsigned)histogram()->n + 1;
	uint64_t before = metric_get(sum), smallest = bucket(0);

	(void)state;
	metric_observe(METRIC_ROW_BATCH_REQUESTS, 7);
	metric_observe(METRIC_ROW_BATCH_REQUESTS, 100000);
	metric_observe(METRIC_ROW_BATCH_REQUESTS, -5);
	assert_int_equal(metric_get(sum), before + 100007);
	assert_int_equal(bucket(0), smallest + 1);
}

static void
test_bounds_ascend_and_rows_do_not_overlap(void **state)
{
	unsigned end = 0;

	(void)state;
	for (size_t row = 0; row < N_METRIC_ROWS; row++) {
		const struct metric *metric = &metrics[row];
		bool is_histogram = metric->kind != METRIC_COUNTER &&
		    metric->kind != METRIC_GAUGE;

		if (metric->n == 0)
			continue;
		assert_true(metric->counter >= end);
		end = metric->counter + (unsigned)metric->n +
		    (is_histogram ? 2 : 0);
		for (size_t i = 1; is_histogram && i < metric->n; i++)
			assert_true(metric_bounds(metric->kind)[i] >
			    metric_bounds(metric->kind)[i - 1]);
	}
	assert_int_equal(end, N_METRIC_COUNTERS);
}

static uint64_t
n_requests(void)
{
	uint64_t n = 0;

	for (unsigned i = METRIC_REQUESTS; i <= METRIC_LAST_REQUESTS; i++)
		n += metric_get(i);
	return n;
}

static void
test_there_is_room_for_each_route_and_each_status(void **state)
{
	size_t n_routes = 0;
	uint64_t before = n_requests(), n = 0;

	(void)state;
	assert_string_equal(route_numbered(0), "-");
	while (route_numbered(n_routes + 1))
		n_routes++;
	assert_true(n_routes > 10 && n_routes < METRIC_MAX_ROUTES);
	for (size_t i = 0; i <= n_routes; i++) {
		struct request *request = ask(
		    (struct question){ .method = METHOD_GET, .target = "/" });

		request->route = i ? route_find(route_numbered(i)) : NULL;
		assert_int_equal(route_number(request->route), i);
		/* Those after ABSENT no client ever sees. */
		for (int err = 1; err < ERR_ABSENT; err++, n++) {
			reply_fail_as(request, NULL, (enum err)err);
			metrics_count_request(request, 0, 0);
		}
		for (size_t s = 0; s < 4; s++, n++) {
			static const unsigned successes[] = { 200, 204, 304,
				308 };

			request_reset_reply(request);
			request->reply.status = successes[s];
			metrics_count_request(request, 0, 0);
		}
	}
	assert_int_equal(n_requests(), before + n);
}

static void
test_a_poll_that_was_woken_for_mail_is_a_delivery(void **state)
{
	const struct metric *delivery = &metrics[METRIC_ROW_DELIVERY_SECONDS];
	unsigned second = delivery->counter + 1; /* up to 250 us */
	unsigned n_posts = METRIC_REQUEST_SECONDS;
	uint64_t before = metric_get(second), posts;
	struct request *request = ask(
	    (struct question){ .method = METHOD_GET, .target = "/events" });

	(void)state;
	posts = metric_get(n_posts + 13);
	request->reply.status = 200;
	request->woken_us = 5000;
	request->poll_end = POLL_EMPTY; /* a broadcast that was rolled back */
	metrics_count_request(request, 1000, 5200);
	assert_int_equal(metric_get(second), before);
	request->poll_end = POLL_MAIL;
	metrics_count_request(request, 1000, 5200);
	assert_int_equal(metric_get(second), before + 1);
	assert_int_equal(metric_get(METRIC_POLLS + POLL_MAIL), 1);
	assert_int_equal(metric_get(n_posts + 13), posts);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    test_a_value_is_in_the_first_bucket_that_it_fits_into),
		cmocka_unit_test(test_the_sum_is_that_of_the_values),
		cmocka_unit_test(test_bounds_ascend_and_rows_do_not_overlap),
		cmocka_unit_test_teardown(
		    test_there_is_room_for_each_route_and_each_status,
		    forget_request),
		cmocka_unit_test_teardown(
		    test_a_poll_that_was_woken_for_mail_is_a_delivery,
		    forget_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
