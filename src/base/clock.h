/* clock.h - what time it is.
 *
 * Floor: base.  Any thread.
 *
 * Every deadline in the daemon is absolute, in milliseconds of this clock.
 * For tests only, the environment variable PEERPOST_TEST_CLOCK may name a
 * file of four int64_t that the daemon maps: [0] milliseconds that have
 * passed besides the real ones, [1] milliseconds in which the daemon is to
 * believe that it stood still, [2] not 0: since its start no real time passes,
 * [3] milliseconds by which the wall clock has been set forward.  While it is
 * set, no thread may sleep for longer than clock_max_sleep_ms(), so that a
 * change is noticed.
 */
#ifndef PEERPOST_BASE_CLOCK_H
#define PEERPOST_BASE_CLOCK_H

#include <stdint.h>

/* Look for the test clock.  Call once, before any thread starts.  Ends the
 * process with a message when the file is named but cannot be mapped. */
void clock_init(void);

/* Monotonic milliseconds. */
int64_t clock_now_ms(void);
/* The same clock in microseconds, to measure with. */
int64_t clock_now_us(void);

/* clock_now_ms() less what a test says has passed: a leap of this clock
 * between two looks means that the daemon itself stood still. */
int64_t clock_running_ms(void);

/* Seconds since 1970 (UTC), for whoever else goes by the clock on the wall.
 * It may jump either way: never measure an age with it. */
int64_t clock_unix_s(void);

/* Longest sleep allowed, in milliseconds: wanted_ms (-1: for ever), or less
 * under the test clock. */
int clock_max_sleep_ms(int wanted_ms);

#endif
