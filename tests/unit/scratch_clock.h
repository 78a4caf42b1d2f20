/* scratch_clock.h - a clock that a unit test can move. */
#ifndef PEERPOST_TESTS_SCRATCH_CLOCK_H
#define PEERPOST_TESTS_SCRATCH_CLOCK_H

#include "tests/unit/unit.h"

/* The test clock's four numbers, see clock.h; NULL: real time. */
extern int64_t *scratch_clock;

/* Group setup: from now on the test moves the time.  0, or -1. */
int scratch_set_up_clock(void **state);

#endif
