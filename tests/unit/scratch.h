/* scratch.h - a folder for one test's database, and a clock that it can move.
 *
 * Included first: it brings what cmocka wants.
 */
#ifndef PEERPOST_TESTS_SCRATCH_H
#define PEERPOST_TESTS_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/store.h"

#define OK(call) assert_int_equal((call), ERR_NONE)
#define N_OF(array) (sizeof(array) / sizeof((array)[0]))

struct scratch {
	char dir[64];
	char path[96]; /* of the database */
};

static inline int
scratch_make(struct scratch *scratch)
{
	strcpy(scratch->dir, "/tmp/peerpost-test.XXXXXX");
	if (!mkdtemp(scratch->dir))
		return -1;
	snprintf(scratch->path, sizeof(scratch->path), "%s/db", scratch->dir);
	return 0;
}

/* Delete the database, keep the folder. */
static inline void
scratch_empty(const struct scratch *scratch)
{
	static const char *const suffixes[] = { "", "-wal", "-journal",
		"-reserve" };
	char name[128];

	for (size_t i = 0; i < N_OF(suffixes); i++) {
		snprintf(
		    name, sizeof(name), "%s%s", scratch->path, suffixes[i]);
		unlink(name);
	}
}

static inline void
scratch_remove(const struct scratch *scratch)
{
	scratch_empty(scratch);
	rmdir(scratch->dir);
}

static inline struct store *
scratch_open(const struct scratch *scratch)
{
	char why[256];
	struct store *store = sqlite_open(
	    scratch->path, DURABILITY_PROCESS, why, sizeof(why));

	if (!store)
		fail_msg("%s", why);
	return store;
}

/* The test clock's numbers, see clock.h; NULL: real time. */
static int64_t *scratch_clock;

/* Group setup: from now on time can be moved. */
static inline int
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

#endif
