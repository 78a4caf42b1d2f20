/* random.h - random bytes from the kernel.
 *
 * Floor: base.  Any thread.  Ends the process when the kernel has none.
 */
#ifndef PEERPOST_BASE_RANDOM_H
#define PEERPOST_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fill out with len bytes of getrandom(2). */
void random_bytes(void *out, size_t len);

/* A number from min to max, both included, min <= max.  Uniform to within
 * 2^-32, which is enough for jitter and ids, not for keys. */
uint32_t random_between(uint32_t min, uint32_t max);

#endif
