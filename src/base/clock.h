/* clock.h - the time.
 *
 * Floor: base.  Any thread.
 *
 * Every deadline in the daemon is absolute, in milliseconds of this clock.
 * For tests only, the environment variable PEERPOST_TEST_CLOCK may name a file
 * of four int64_t that the daemon maps: [0] milliseconds to add to the real
 * time that has passed, [1] milliseconds during which the daemon is to believe
 * that it stood still, [2] not 0: no real time has passed since its start, [3]
 * milliseconds by which the wall clock has been set forward.  While the
 * variable is set, no thread may sleep for longer than clock_max_sleep_ms(), so
 * that changes take effect.
 */
#ifndef PEERPOST_BASE_CLOCK_H
#define PEERPOST_BASE_CLOCK_H

#include <stdint.h>

/* Find the test clock.  Call once, before any thread starts.  Ends the process
 * with a message if a file is named but cannot be mapped. */
void clock_init(void);

/* Monotonic milliseconds. */
int64_t clock_now_ms(void);
/* The same clock in microseconds, for measurements. */
int64_t clock_now_us(void);

/* clock_now_ms() less the time that a test has added: if this clock leaps
 * between two looks, the daemon itself stood still. */
int64_t clock_running_ms(void);

/* Seconds since 1970 (UTC), for others that use wall-clock time.  It may jump
 * either way: never measure an age with it. */
int64_t clock_unix_s(void);

/* The longest sleep allowed, in milliseconds: wanted_ms (-1: for ever), or less
 * under the test clock. */
int clock_max_sleep_ms(int wanted_ms);

#endif
