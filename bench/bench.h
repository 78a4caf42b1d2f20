/* bench.h - what the scenarios have in common. */
#ifndef PEERPOST_BENCH_BENCH_H
#define PEERPOST_BENCH_BENCH_H

#include "bench/contender.h"
#include "bench/result.h"

struct bench {
	struct results *results;
	const char *folder;  /* for the servers' files; on a real disk */
	const char *only;    /* scenarios, or NULL: all */
	const char *against; /* contenders, or NULL: all */
	unsigned rounds;
	double seconds;      /* of a run that has no length of its own */
	uint32_t max_parked; /* so many descriptors are there */
};

/* Whether somebody wants this scenario. */
bool bench_wants(const struct bench *bench, const char *scenario);
/* Whether the contender can do all of can, is wanted and is installed. */
bool bench_has(
    const struct bench *bench, const struct contender *contender, unsigned can);

/* The scenarios, in files of their own. */

/* (a) relays, (b) candidates in batches, (c) messages to rooms. */
void scenario_relay(struct bench *bench);
/* (d) many parked polls, (e) nothing but parked polls. */
void scenario_parked(struct bench *bench);
/* (f) rooms that form. */
void scenario_join(struct bench *bench);
/* (g) starting with much in the database. */
void scenario_start(struct bench *bench);

/* Print the results against the targets.  Returns how many were missed. */
unsigned targets_print(const struct bench *bench, FILE *out);

#endif
