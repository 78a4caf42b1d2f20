/* engine_scenario.h - what test_engine_fault.c plays: two players and every
 * command, with replays.
 *
 * Included first.  A step asks, and asks again should it meet the failure; its
 * reply is noted with what differs from play to play replaced.
 */
#ifndef PEERPOST_TESTS_ENGINE_SCENARIO_H
#define PEERPOST_TESTS_ENGINE_SCENARIO_H

#include "tests/unit/engine_fixture.h"

#define N_STEPS 19
#define MAX_TEXT 2048

/* How a step goes on after a failure: it asks the same engine again, or one that
 * has been started anew; in company, the engine runs the batch again. */
enum manner { ASK_AGAIN, START_ANEW, IN_COMPANY };

/* One play. */
struct play {
	struct fixture *f;
	enum manner manner;
	struct user ann, bob;
	char uuid[TEXT_UUID_SIZE];
	uint64_t ann_next, bob_next; /* their cursors */
	unsigned n_failures;
	char replies[N_STEPS][MAX_TEXT];
	char states[N_STEPS][MAX_TEXT]; /* of the database, after each step */
	size_t step;
};

/* Replace what differs from play to play: ids, tokens, the UUID. */
void normalise(const struct play *play, char *text);

/* What is played, in this order.  Each writes to play->replies[play->step]. */
extern void (*const steps[N_STEPS])(struct play *play);

#endif
