/* crowd.h - the players of one server, each with a poll that is held.
 *
 * Whoever is answered polls again at once, with the cursor of the answer.
 */
#ifndef PEERPOST_BENCH_CROWD_H
#define PEERPOST_BENCH_CROWD_H

#include "bench/client.h"
#include "bench/contender.h"

#define CROWD_MAX_SENDERS 64

struct crowd {
	struct server server;
	struct client_loop *loop;
	struct peer *peers;
	struct client *polls; /* of each peer */
	uint32_t n, room_size;
	uint64_t n_answers; /* to polls */
	bool has_failed;    /* a connection was lost, or an answer is bad */

	/* Called for each mark in an answer, before the next poll.  Set by
	 * whoever sends. */
	void (*on_mark)(void *cls, uint32_t sender, uint32_t number);
	void *cls;

	/* How many each sender has sent, over all loads. */
	uint32_t numbers[CROWD_MAX_SENDERS];
};

enum crowd_flags {
	CROWD_HEARS_ROOMS = 1 << 0,  /* what will be sent is for rooms */
	CROWD_DEFAULT_HOLD = 1 << 1, /* polls end when the server likes */
};

/* Start a server of the contender with n players in rooms of room_size. NULL:
 * it cannot be (said on stderr). */
struct crowd *crowd_create(const struct contender *contender,
    const char *folder, uint32_t n, uint32_t room_size, unsigned flags);
/* End the server, too. */
void crowd_free(struct crowd *crowd);

/* Have every player poll.  false: they cannot. */
bool crowd_poll(struct crowd *crowd);
/* Handle what comes, for so long. */
void crowd_run(struct crowd *crowd, int64_t for_ns);

#endif
