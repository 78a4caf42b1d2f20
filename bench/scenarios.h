/* scenarios.h - what is measured: a function for each file of them, in the order
 * in which they are run, and one for the verdict.
 */
#ifndef PEERPOST_BENCH_SCENARIOS_H
#define PEERPOST_BENCH_SCENARIOS_H

#include "bench/bench.h"

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
