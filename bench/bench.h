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

#endif
