/* load.h - senders that relay something to a crowd, and what that costs. */
#ifndef PEERPOST_BENCH_LOAD_H
#define PEERPOST_BENCH_LOAD_H

#include "bench/crowd.h"
#include "bench/result.h"

enum load_kind {
	LOAD_OFFER,      /* to one member of the sender's room */
	LOAD_CANDIDATES, /* PAYLOAD_MAX_BATCH in one request, to one */
	LOAD_MESSAGE,    /* to everybody in the room, the sender too */
};

struct load_spec {
	enum load_kind kind;
	unsigned n_senders; /* CROWD_MAX_SENDERS at most */
	/* To anybody, on behalf of somebody in the same room; otherwise a
	 * sender is always the same player. */
	bool is_random;
	/* So many a second, whether the ones before have arrived or not; 0:
	 * the next as soon as the one before has arrived and was replied to.
	 */
	unsigned per_s;
	int64_t for_ns;
};

/* Run it and write the rate, latencies, processor times and losses.  A unit of
 * the rate and of the processor time is what one player gets: an offer, a
 * candidate, a copy of a message.  Latency is from when a request should have
 * been begun to when the last of what it causes has been received. */
void load_run(
    struct crowd *crowd, const struct load_spec *spec, struct result *result);

#endif
