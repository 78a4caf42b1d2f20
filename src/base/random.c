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
	uint64_t range = (uint64_t)max - min + 1;
	uint64_t value;

	random_bytes(&value, sizeof(value));
	return min + (uint32_t)(value % range);
}
