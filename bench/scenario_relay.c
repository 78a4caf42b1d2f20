/* scenario_relay.c - (a) relays, (b) candidates in batches, (c) messages.
 *
 * All contenders are up at the same time, each with its crowd; the loads go
 * from one to the next and round again, so that a slow minute of the machine
 * meets all of them.
 */
#include "bench/crowd.h"
#include "bench/load.h"
#include "bench/scenarios.h"

#define MAX_CROWDS 8

struct workload {
	const char *name;
	enum load_kind kind;
	unsigned n_senders;
};

/* Workloads that one crowd serves. */
struct group {
	uint32_t n_players, room_size;
	unsigned flags;
	const struct workload *workloads;
	size_t n_workloads;
};

static const struct workload relays[] = {
	{ "relay-1", LOAD_OFFER, 1 },
	{ "relay-16", LOAD_OFFER, 16 },
	{ "relay-64", LOAD_OFFER, 64 },
	{ "candidates-16", LOAD_CANDIDATES, 16 },
};
static const struct workload messages_8[] = {
	{ "room-of-8", LOAD_MESSAGE, 16 },
};
static const struct workload messages_64[] = {
	{ "room-of-64", LOAD_MESSAGE, 16 },
};

#define WORKLOADS(array) array, sizeof(array) / sizeof((array)[0])
static const struct group groups[] = {
	{ 112, 8, 0, WORKLOADS(relays) },
	{ 112, 8, CROWD_HEARS_ROOMS, WORKLOADS(messages_8) },
	{ 128, 64, CROWD_HEARS_ROOMS, WORKLOADS(messages_64) },
};

static bool
is_wanted(const struct bench *bench, const struct group *group)
{
	for (size_t i = 0; i < group->n_workloads; i++)
		if (bench_wants(bench, group->workloads[i].name))
			return true;
	return false;
}

static size_t
gather(const struct bench *bench, const struct group *group,
    struct crowd *crowds[MAX_CROWDS])
{
	size_t n = 0;

	for (size_t i = 0; contenders[i] && n < MAX_CROWDS; i++) {
		struct crowd *crowd;

		if (!bench_has(bench, contenders[i], CAN_RELAY))
			continue;
		crowd = crowd_create(contenders[i], bench->folder,
		    group->n_players, group->room_size, group->flags);
		if (crowd && crowd_poll(crowd))
			crowds[n++] = crowd;
		else
			crowd_free(crowd);
	}
	return n;
}

static void
run(struct bench *bench, struct crowd *crowd, const struct workload *workload,
    unsigned round)
{
	const struct load_spec spec = { .kind = workload->kind,
		.n_senders = workload->n_senders,
		.for_ns = (int64_t)(bench->seconds * 1e9) };
	struct result result = result_of(
	    workload->name, crowd->server.contender->name, round);

	if (crowd->has_failed)
		return;
	load_run(crowd, &spec, &result);
	results_add(bench->results, &result);
}

static void
run_group(struct bench *bench, const struct group *group)
{
	struct crowd *crowds[MAX_CROWDS];
	size_t n = gather(bench, group, crowds);

	for (size_t w = 0; w < group->n_workloads; w++) {
		if (!bench_wants(bench, group->workloads[w].name))
			continue;
		for (unsigned round = 0; round < bench->rounds; round++)
			for (size_t i = 0; i < n; i++)
				run(bench, crowds[i], &group->workloads[w],
				    round);
	}
	for (size_t i = 0; i < n; i++)
		crowd_free(crowds[i]);
}

void
scenario_relay(struct bench *bench)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (is_wanted(bench, &groups[i]))
			run_group(bench, &groups[i]);
}
