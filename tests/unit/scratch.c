/* scratch.c - a directory for one test's database. */
#include "tests/unit/scratch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int
scratch_make(struct scratch *scratch)
{
	strcpy(scratch->dir, "/tmp/peerpost-test.XXXXXX");
	if (!mkdtemp(scratch->dir))
		return -1;
	snprintf(scratch->path, sizeof(scratch->path), "%s/db", scratch->dir);
	return 0;
}

void
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

void
scratch_remove(const struct scratch *scratch)
{
	scratch_empty(scratch);
	rmdir(scratch->dir);
}

struct store *
scratch_open(const struct scratch *scratch)
{
	char why[256];
	struct store *store = sqlite_open(
	    scratch->path, DURABILITY_PROCESS, why, sizeof(why));

	if (!store)
		fail_msg("%s", why);
	return store;
}
