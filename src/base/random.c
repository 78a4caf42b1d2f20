/* random.c - see random.h. */
#include "base/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

void
random_bytes(void *out, size_t len)
{
	char *p = out;

	while (len) {
		ssize_t n = getrandom(p, len, 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			perror("peerpostd: getrandom");
			abort();
		}
		p += n;
		len -= (size_t)n;
	}
}

uint32_t
random_between(uint32_t min, uint32_t max)
{
	/* Each poll takes one: a system call for each would be too slow. */
	static _Thread_local uint64_t drawn[64];
	static _Thread_local size_t n_left;
	uint64_t range = (uint64_t)max - min + 1;

	if (n_left == 0) {
		random_bytes(drawn, sizeof(drawn));
		n_left = sizeof(drawn) / sizeof(drawn[0]);
	}
	return min + (uint32_t)(drawn[--n_left] % range);
}
