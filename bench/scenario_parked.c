/* scenario_parked.c - (d) many parked polls; (e) nothing but parked polls.
 *
 * A fresh server for each number, so that memory is that of these polls, and
 * of the players and rooms that are theirs.
 */
#include "bench/crowd.h"
#include "bench/load.h"
#include "bench/scenarios.h"

#include <stdio.h>
#include <string.h>

#define ROOM_SIZE 8u
#define SETTLE_NS 2500000000 /* polls give memory back when they rest */
#define COLD_PER_S 100
#define COLD_NS 5000000000
#define N_SENDERS 16
#define IDLE_PLAYERS 10000u
#define IDLE_NS 25000000000 /* the default hold: everybody polls once */

static const uint32_t sizes[] = { 1000, 10000, 1000000 };

/* A name for n polls that lives on. */
static const char *
name_of(const char *what, uint32_t n)
{
	static char names[32][32];
	static size_t n_names;
	char name[32];

	snprintf(name, sizeof(name), "%s-%u", what, n);
	for (size_t i = 0; i < n_names; i++)
		if (strcmp(names[i], name) == 0)
			return names[i];
	memcpy(names[n_names], name, sizeof(name));
	return names[n_names++];
}

static uint32_t
limited(const struct bench *bench, uint32_t n)
{
	if (n > bench->max_parked)
		n = bench->max_parked;
	return n / ROOM_SIZE * ROOM_SIZE;
}

static struct crowd *
gather(const struct bench *bench, const struct contender *contender, uint32_t n,
    unsigned flags, int64_t *out_empty_kib)
{
	struct crowd *crowd = crowd_create(
	    contender, bench->folder, ROOM_SIZE, ROOM_SIZE, flags);

	if (!crowd)
		return NULL;
	*out_empty_kib = process_resident_kib(&crowd->server.processes);
	crowd_free(crowd);
	crowd = crowd_create(contender, bench->folder, n, ROOM_SIZE, flags);
	if (crowd && !crowd_poll(crowd)) {
		crowd_free(crowd);
		return NULL;
	}
	return crowd;
}

static void
run_cold(
    struct bench *bench, struct crowd *crowd, int64_t empty_kib, unsigned round)
{
	const struct load_spec spec = { .kind = LOAD_OFFER,
		.n_senders = N_SENDERS,
		.is_random = true,
		.per_s = COLD_PER_S,
		.for_ns = COLD_NS };
	struct result result = result_of(
	    name_of("cold", crowd->n), crowd->server.contender->name, round);

	crowd_run(crowd, SETTLE_NS);
	result
	    .values[METRIC_POLL_KIB] = (double)(process_resident_kib(
						    &crowd->server.processes) -
					   empty_kib) /
	    crowd->n;
	load_run(crowd, &spec, &result);
	results_add(bench->results, &result);
}

static void
run_hot(struct bench *bench, struct crowd *crowd, unsigned round)
{
	const struct load_spec spec = { .kind = LOAD_OFFER,
		.n_senders = N_SENDERS,
		.is_random = true,
		.for_ns = (int64_t)(bench->seconds * 1e9) };
	struct result result = result_of(
	    name_of("hot", crowd->n), crowd->server.contender->name, round);

	load_run(crowd, &spec, &result);
	results_add(bench->results, &result);
}

static bool
is_in_table(const struct contender *contender)
{
	return contender == &contender_power || contender == &contender_bare ||
	    contender == &contender_nchan;
}

static void
run_size(struct bench *bench, uint32_t n)
{
	bool wants_cold = bench_wants(bench, name_of("cold", n));
	bool wants_hot = bench_wants(bench, name_of("hot", n));

	if (!wants_cold && !wants_hot)
		return;
	for (size_t i = 0; contenders[i]; i++) {
		struct crowd *crowd;
		int64_t empty_kib;

		if (!is_in_table(contenders[i]) ||
		    !bench_has(bench, contenders[i], CAN_RELAY))
			continue;
		crowd = gather(bench, contenders[i], n, 0, &empty_kib);
		if (!crowd)
			continue;
		if (wants_cold)
			run_cold(bench, crowd, empty_kib, 0);
		for (unsigned r = 0; wants_hot && r < bench->rounds; r++)
			run_hot(bench, crowd, r);
		crowd_free(crowd);
	}
}

static void
run_idle(struct bench *bench)
{
	uint32_t n = limited(bench, IDLE_PLAYERS);
	struct result result = result_of("idle", contender_power.name, 0);
	int64_t empty_kib, from_ns, wall_ns;
	struct crowd *crowd;
	uint64_t n_answers;

	crowd = gather(
	    bench, &contender_power, n, CROWD_DEFAULT_HOLD, &empty_kib);
	if (!crowd)
		return;
	n_answers = crowd->n_answers;
	wall_ns = now_ns();
	from_ns = process_cpu_ns(&crowd->server.processes);
	crowd_run(crowd, IDLE_NS);
	wall_ns = now_ns() - wall_ns;
	n_answers = crowd->n_answers - n_answers;
	from_ns = process_cpu_ns(&crowd->server.processes) - from_ns;
	result.values[METRIC_RATE] = (double)n_answers / (double)wall_ns * 1e9;
	result.values[METRIC_CORE_PERCENT] = 100.0 * (double)from_ns /
	    (double)wall_ns;
	result.values[METRIC_CPU_US] = (double)from_ns / 1000 /
	    (double)(n_answers ? n_answers : 1);
	result
	    .values[METRIC_POLL_KIB] = (double)(process_resident_kib(
						    &crowd->server.processes) -
					   empty_kib) /
	    n;
	result.values[METRIC_LOST] = crowd->has_failed;
	results_add(bench->results, &result);
	crowd_free(crowd);
}

void
scenario_parked(struct bench *bench)
{
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		run_size(bench, limited(bench, sizes[i]));
	if (bench_wants(bench, "idle") &&
	    bench_has(bench, &contender_power, CAN_RELAY))
		run_idle(bench);
}
