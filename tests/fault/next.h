/* next.h - for libraries that stand between a program and the C library. */
#ifndef PEERPOST_TESTS_FAULT_NEXT_H
#define PEERPOST_TESTS_FAULT_NEXT_H

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* The next definition of a function.  ISO C has no conversion from an object
 * pointer to a function pointer, hence the copy. */
static void
find_next(const char *name, void *out_function, size_t size)
{
	void *symbol = dlsym(RTLD_NEXT, name);

	if (!symbol || size != sizeof(symbol))
		abort();
	memcpy(out_function, &symbol, size);
}

#endif
