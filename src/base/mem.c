/* mem.c - see mem.h. */
#include "base/mem.h"

#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
mem_exhausted(void)
{
	static const char message[] = "peerpostd: out of memory\n";

	/* Nothing that may allocate: no log, no stdio. */
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		_exit(71);
	_exit(71);
}

/* By default malloc gets a large block from the kernel, or returns it soon, and
 * every page of it faults when it is used again: 64 faults for a full reply to
 * a poll, which take longer than writing it. */
#define KEPT_BLOCK (1 << 20) /* blocks up to this size are reused */
#define KEPT_FREE (32 << 20) /* free bytes kept in the heap of a thread */

void
mem_init(void)
{
#ifdef __GLIBC__
	mallopt(M_MMAP_THRESHOLD, KEPT_BLOCK);
	mallopt(M_TRIM_THRESHOLD, KEPT_FREE);
#endif
}

void *
mem_new(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		mem_exhausted();
	return p;
}

void *
mem_resize(void *old, size_t n, size_t size)
{
	void *p;

	if (n == 0 || size == 0 || n > SIZE_MAX / size)
		mem_exhausted();
	p = realloc(old, n * size);
	if (!p)
		mem_exhausted();
	return p;
}

char *
mem_copy_text(const char *text)
{
	size_t size = strlen(text) + 1;

	return memcpy(mem_new(size), text, size);
}
