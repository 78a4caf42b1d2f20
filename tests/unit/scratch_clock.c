/* scratch_clock.c - a clock that a unit test can move. */
#include "tests/unit/scratch_clock.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"

int64_t *scratch_clock;

int
scratch_set_up_clock(void **state)
{
	char path[] = "/tmp/peerpost-test-clock-XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	if (fd < 0 || ftruncate(fd, 4 * sizeof(int64_t)) < 0)
		return -1;
	scratch_clock = mmap(NULL, 4 * sizeof(int64_t), PROT_READ | PROT_WRITE,
	    MAP_SHARED, fd, 0);
	close(fd);
	if (scratch_clock == MAP_FAILED)
		return -1;
	setenv("PEERPOST_TEST_CLOCK", path, 1);
	clock_init();
	return unlink(path);
}
