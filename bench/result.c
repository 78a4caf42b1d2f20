/* result.c - see result.h. */
#include "bench/result.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define MAX_ROUNDS 16
#define NOISY_SPREAD 0.25 /* of the median, between the best and the worst */

static const struct {
	const char *json, *head;
	int decimals;
} metrics[] = {
#define METRIC_ROW(name, json, head, decimals) { json, head, decimals },
	METRICS(METRIC_ROW)
#undef METRIC_ROW
};

struct results {
	FILE *json;
	struct result *all;
	size_t n;
};

struct results *
results_create(FILE *json)
{
	struct results *results = mem_new(sizeof(*results));

	results->json = json;
	return results;
}

void
results_free(struct results *results)
{
	if (results)
		free(results->all);
	free(results);
}

struct result
result_of(const char *scenario, const char *contender, unsigned round)
{
	struct result result = {
		.scenario = scenario, .contender = contender, .round = round
	};

	for (int i = 0; i < N_METRICS; i++)
		result.values[i] = NAN;
	return result;
}

void
results_add(struct results *results, const struct result *result)
{
	results->all = mem_resize(
	    results->all, results->n + 1, sizeof(*results->all));
	results->all[results->n++] = *result;
	if (!results->json)
		return;
	fprintf(results->json,
	    "{\"scenario\":\"%s\",\"contender\":\"%s\",\"round\":%u",
	    result->scenario, result->contender, result->round);
	for (int i = 0; i < N_METRICS; i++)
		if (!isnan(result->values[i]))
			fprintf(results->json, ",\"%s\":%.*f", metrics[i].json,
			    metrics[i].decimals, result->values[i]);
	fprintf(
	    results->json, "%s}\n", result->is_noisy ? ",\"noisy\":true" : "");
	fflush(results->json);
}

static int
compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double
quantile(double *values, size_t n, double p)
{
	size_t at;

	if (n == 0)
		return 0;
	qsort(values, n, sizeof(*values), compare);
	at = (size_t)(p * (double)n);
	return values[at < n ? at : n - 1];
}

/* The values of all rounds; returns how many. */
static size_t
collect(const struct results *results, const char *scenario,
    const char *contender, enum metric metric, double values[MAX_ROUNDS])
{
	size_t n = 0;

	for (size_t i = 0; i < results->n && n < MAX_ROUNDS; i++) {
		const struct result *result = &results->all[i];

		if (strcmp(result->scenario, scenario) == 0 &&
		    strcmp(result->contender, contender) == 0 &&
		    !isnan(result->values[metric]))
			values[n++] = result->values[metric];
	}
	return n;
}

double
results_median(const struct results *results, const char *scenario,
    const char *contender, enum metric metric)
{
	double values[MAX_ROUNDS];
	size_t n = collect(results, scenario, contender, metric, values);

	if (n == 0)
		return NAN;
	qsort(values, n, sizeof(*values), compare);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double
results_sum(const struct results *results, enum metric metric)
{
	double sum = 0;

	for (size_t i = 0; i < results->n; i++)
		if (!isnan(results->all[i].values[metric]))
			sum += results->all[i].values[metric];
	return sum;
}

/* Whether the rounds of a row cannot be trusted. */
static bool
is_noisy(const struct results *results, const struct result *row)
{
	double values[MAX_ROUNDS];
	size_t n = collect(
	    results, row->scenario, row->contender, METRIC_RATE, values);

	for (size_t i = 0; i < results->n; i++)
		if (results->all[i].is_noisy &&
		    strcmp(results->all[i].scenario, row->scenario) == 0 &&
		    strcmp(results->all[i].contender, row->contender) == 0)
			return true;
	if (n < 2)
		return false;
	qsort(values, n, sizeof(*values), compare);
	return values[n - 1] - values[0] > NOISY_SPREAD * values[n / 2];
}

/* Whether this is the first result of its row. */
static bool
is_first(const struct results *results, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (strcmp(results->all[i].scenario,
			results->all[at].scenario) == 0 &&
		    strcmp(results->all[i].contender,
			results->all[at].contender) == 0)
			return false;
	return true;
}

static void
print_row(const struct results *results, const struct result *row, FILE *out)
{
	fprintf(out, "%-14s %-20s", row->scenario, row->contender);
	for (int i = 0; i < N_METRICS; i++) {
		double value = results_median(
		    results, row->scenario, row->contender, (enum metric)i);

		if (isnan(value))
			fprintf(out, "%9s", "-");
		else
			fprintf(out, "%9.*f", metrics[i].decimals, value);
	}
	fprintf(out, "%s\n", is_noisy(results, row) ? "  noisy" : "");
}

void
results_print(const struct results *results, FILE *out)
{
	fprintf(out, "%-14s %-20s", "scenario", "contender");
	for (int i = 0; i < N_METRICS; i++)
		fprintf(out, "%9s", metrics[i].head);
	fputs("\n", out);
	for (size_t i = 0; i < results->n; i++)
		if (is_first(results, i))
			print_row(results, &results->all[i], out);
}
