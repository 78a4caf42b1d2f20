/* mem.c - see mem.h. */
#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void
mem_exhausted(void)
{
	static const char message[] = "peerpostd: out of memory\n";

	/* Nothing that could allocate: no log, no stdio. */
	if (write(STDERR_FILENO, message, sizeof(message) - 1) < 0)
		_exit(71);
	_exit(71);
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
