/* targets.c - what was aimed at, and what has become of it. */
#include "bench/scenarios.h"

#include <fcntl.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "bench/client.h"

#define OURS "peerpostd"
#define BARE "bare-libmicrohttpd"
#define NCHAN "nchan-memory"

struct verdicts {
	const struct results *results;
	FILE *out;
	unsigned n_missed;
};

enum direction { AT_LEAST, AT_MOST };

/* A value that was not measured is passed over. */
static void
judge(struct verdicts *verdicts, const char *what, double value,
    enum direction direction, double limit)
{
	bool is_met = direction == AT_LEAST ? value >= limit : value <= limit;

	if (isnan(value))
		return;
	verdicts->n_missed += !is_met;
	fprintf(verdicts->out, "%-58s %10.2f  %s %-8g %s\n", what, value,
	    direction == AT_LEAST ? ">=" : "<=", limit,
	    is_met ? "met" : "MISSED");
}

static double
ours(const struct verdicts *verdicts, const char *scenario, enum metric metric)
{
	return results_median(verdicts->results, scenario, OURS, metric);
}

static double
ratio(const struct verdicts *verdicts, const char *scenario,
    const char *contender, enum metric metric)
{
	return ours(verdicts, scenario, metric) /
	    results_median(verdicts->results, scenario, contender, metric);
}

/* The median of writing 8 KiB into a file and syncing it; NAN: cannot. */
static double
measure_sync_us(const char *folder)
{
	enum { N_SYNCS = 400 };
	static char bytes[8192];
	double samples[N_SYNCS];
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "%s/sync", folder);
	fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (fd < 0)
		return NAN;
	for (int i = 0; i < N_SYNCS; i++)
		if (pwrite(fd, bytes, sizeof(bytes),
			(off_t)i * (off_t)sizeof(bytes)) < 0)
			break;
	fsync(fd);
	for (int i = 0; i < N_SYNCS; i++) {
		int64_t from_ns = now_ns();

		if (pwrite(fd, bytes, sizeof(bytes),
			(off_t)i * (off_t)sizeof(bytes)) < 0 ||
		    fdatasync(fd) < 0)
			break;
		samples[i] = (double)(now_ns() - from_ns) / 1000;
	}
	close(fd);
	unlink(path);
	return quantile(samples, N_SYNCS, 0.5);
}

static void
judge_relays(struct verdicts *verdicts, double sync_us)
{
	judge(verdicts, "(a) relays/s of bare libmicrohttpd's, 16 senders",
	    ratio(verdicts, "relay-16", BARE, METRIC_RATE), AT_LEAST, 0.6);
	judge(verdicts, "(a) relays/s of bare libmicrohttpd's, 64 senders",
	    ratio(verdicts, "relay-64", BARE, METRIC_RATE), AT_LEAST, 0.6);
	judge(verdicts,
	    "(a) cpu per relay, of bare libmicrohttpd's, 16 senders",
	    ratio(verdicts, "relay-16", BARE, METRIC_CPU_US), AT_MOST, 2.5);
	judge(verdicts,
	    "(a) cpu per relay, of bare libmicrohttpd's, 64 senders",
	    ratio(verdicts, "relay-64", BARE, METRIC_CPU_US), AT_MOST, 2.5);
	judge(verdicts, "(a) p50 beyond bare libmicrohttpd's and a sync, us",
	    ours(verdicts, "relay-1", METRIC_P50_US) -
		results_median(
		    verdicts->results, "relay-1", BARE, METRIC_P50_US) -
		sync_us,
	    AT_MOST, 60);
	judge(verdicts, "(b) candidates/s, 16 to a request",
	    ours(verdicts, "candidates-16", METRIC_RATE), AT_LEAST, 150000);
	judge(verdicts, "(c) deliveries/s in rooms of 64",
	    ours(verdicts, "room-of-64", METRIC_RATE), AT_LEAST, 150000);
}

static void
judge_parked(struct verdicts *verdicts, uint32_t most)
{
	const uint32_t sizes[] = { 1000, 10000, most };
	char name[32], what[80];

	judge(verdicts, "(d) KiB resident of each of 10,000 polls",
	    ours(verdicts, "cold-10000", METRIC_POLL_KIB), AT_MOST, 8);
	judge(verdicts,
	    "(d) cpu per cold wake among 10,000, of that among 1,000",
	    ours(verdicts, "cold-10000", METRIC_CPU_US) /
		ours(verdicts, "cold-1000", METRIC_CPU_US),
	    AT_MOST, 1.5);
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		if (i == 2 && sizes[i] <= 10000)
			break;
		snprintf(name, sizeof(name), "hot-%u", sizes[i]);
		snprintf(what, sizeof(what),
		    "(d) relays/s of nchan's in memory, %u parked", sizes[i]);
		judge(verdicts, what, ratio(verdicts, name, NCHAN, METRIC_RATE),
		    AT_LEAST, 1);
	}
}

unsigned
targets_print(const struct bench *bench, FILE *out)
{
	struct verdicts verdicts = { .results = bench->results, .out = out };
	double lost = results_sum(bench->results, METRIC_LOST);
	double sync_us = measure_sync_us(bench->folder);

	fprintf(out, "\n%-58s %10s  %s\n", "target", "measured", "wanted");
	judge_relays(&verdicts, sync_us);
	judge_parked(&verdicts, bench->max_parked / 8 * 8);
	judge(&verdicts, "(e) % of a core for 10,000 idle players",
	    ours(&verdicts, "idle", METRIC_CORE_PERCENT), AT_MOST, 3);
	judge(&verdicts, "(g) seconds to start with a million events",
	    ours(&verdicts, "start-up", METRIC_READY_S), AT_MOST, 2);
	judge(&verdicts, "(g) MiB resident then",
	    ours(&verdicts, "start-up", METRIC_RESIDENT_MIB), AT_MOST, 150);
	judge(&verdicts, "(g) MiB resident when all have polled",
	    ours(&verdicts, "all-seen", METRIC_RESIDENT_MIB), AT_MOST, 150);
	judge(&verdicts, "losses and strays, of all contenders", lost, AT_MOST,
	    0);
	fprintf(out,
	    "\na write of 8 KiB and fdatasync(2) here: %.0f us; noisy: others "
	    "took more than a tenth\nof a core, or rounds differ by more than "
	    "a quarter\n",
	    sync_us);
	return verdicts.n_missed;
}
