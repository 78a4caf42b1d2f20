/* replay.c - main() of a fuzz target without libFuzzer.
 *
 * usage: fuzz_X FILE|FOLDER ...
 *
 * Runs the target over every file given and every file in the folders given.
 * No file at all is a failure: a check that looked at nothing has not passed.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/fuzz/fuzz.h"

#define MAX_SIZE (1 << 20)
#define MAX_PATH 4096

/* The bytes of an open file in a block of just their size, so that a
 * sanitiser sees a look beyond them.  Caller frees. */
static uint8_t *
read_all(FILE *file, size_t *out_size)
{
	static uint8_t bytes[MAX_SIZE];
	size_t size = fread(bytes, 1, sizeof(bytes), file);
	uint8_t *copy;

	if (ferror(file) || size == sizeof(bytes))
		return NULL;
	copy = malloc(size ? size : 1);
	if (copy && size)
		memcpy(copy, bytes, size);
	*out_size = size;
	return copy;
}

static int
replay_file(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *bytes;
	size_t size;

	bytes = file ? read_all(file, &size) : NULL;
	if (file)
		fclose(file);
	if (!bytes) {
		fprintf(stderr, "%s: cannot read\n", path);
		return -1;
	}
	/* Said first: the target may abort. */
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(bytes, size);
	free(bytes);
	return 1;
}

/* Returns how many files have been run, -1 if one could not be read. */
static int
replay_folder(DIR *dir, const char *folder)
{
	char path[MAX_PATH];
	struct dirent *entry;
	int n = 0;

	while ((entry = readdir(dir))) {
		int len = snprintf(
		    path, sizeof(path), "%s/%s", folder, entry->d_name);

		if (entry->d_name[0] == '.')
			continue;
		if (len < 0 || (size_t)len >= sizeof(path) ||
		    replay_file(path) < 0)
			return -1;
		n++;
	}
	return n;
}

int
main(int argc, char **argv)
{
	int n_files = 0;

	for (int i = 1; i < argc; i++) {
		DIR *dir = opendir(argv[i]);
		int n;

		if (!dir && errno != ENOTDIR) {
			perror(argv[i]);
			return 1;
		}
		n = dir ? replay_folder(dir, argv[i]) : replay_file(argv[i]);
		if (dir)
			closedir(dir);
		if (n < 0)
			return 1;
		n_files += n;
	}
	printf("%d files\n", n_files);
	return n_files > 0 ? 0 : 1;
}
