/* result.h - what has been measured, and what becomes of it.
 *
 * Each run of a scenario against a contender gives one result, which is
 * printed at once as a line of JSON and kept; tables and ratios are made of
 * the medians of all rounds.
 */
#ifndef PEERPOST_BENCH_RESULT_H
#define PEERPOST_BENCH_RESULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* X(name, what JSON calls it, head of the column, decimals) */
#define METRICS(X) \
	X(METRIC_RATE, "per_s", "per s", 0) \
	X(METRIC_P50_US, "p50_us", "p50 us", 0) \
	X(METRIC_P99_US, "p99_us", "p99 us", 0) \
	X(METRIC_MAX_US, "max_us", "max us", 0) \
	X(METRIC_CPU_US, "server_cpu_us", "cpu us", 1) \
	X(METRIC_BENCH_US, "bench_cpu_us", "bench us", 1) \
	X(METRIC_CORE_PERCENT, "server_core_percent", "core %", 1) \
	X(METRIC_POLL_KIB, "poll_kib", "KiB/poll", 1) \
	X(METRIC_RESIDENT_MIB, "resident_mib", "MiB", 0) \
	X(METRIC_READY_S, "ready_s", "ready s", 2) \
	X(METRIC_LOST, "lost", "lost", 0)

#define METRIC_ENUM(name, json, head, decimals) name,
enum metric { METRICS(METRIC_ENUM) N_METRICS };
#undef METRIC_ENUM

struct result {
	const char *scenario;     /* "relay-16": a word for programs */
	const char *contender;    /* its name */
	unsigned round;           /* from 0 */
	bool is_noisy;            /* others took more than a tenth of a core */
	double values[N_METRICS]; /* NAN: was not measured */
};

struct results;

/* json: where the lines go, or NULL. */
struct results *results_create(FILE *json);
void results_free(struct results *results);

/* A result without any value yet; the texts must stay. */
struct result result_of(
    const char *scenario, const char *contender, unsigned round);
/* Keep a copy, print the line of JSON. */
void results_add(struct results *results, const struct result *result);

/* The median over the rounds, or NAN. */
double results_median(const struct results *results, const char *scenario,
    const char *contender, enum metric metric);
/* The sum over everything that was added of a metric. */
double results_sum(const struct results *results, enum metric metric);

/* Print a table of the medians, a row for each scenario and contender. */
void results_print(const struct results *results, FILE *out);

/* The p-quantile (0..1) of n values, which are sorted by this; 0: no values. */
double quantile(double *values, size_t n, double p);

#endif
