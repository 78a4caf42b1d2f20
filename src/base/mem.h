/* mem.h - small allocations, which do not fail.
 *
 * Floor: base.  Any thread.
 *
 * Anything whose size a client can choose goes through buf.h and may be
 * refused.  Everything else is small; if there is no memory even for that, the
 * process ends here, in one place.  A restart loses nothing, since the database
 * has it all.
 */
#ifndef PEERPOST_BASE_MEM_H
#define PEERPOST_BASE_MEM_H

#include <stddef.h>

/* Configure malloc for replies that come and go, so that it reuses their
 * memory.  Call before any thread starts. */
void mem_init(void);

/* Zeroed memory of size bytes.  The caller frees it with free(). */
void *mem_new(size_t size) __attribute__((malloc, returns_nonnull));

/* realloc() to n elements of size bytes.  Caller frees with free(). */
void *mem_resize(void *old, size_t n, size_t size)
    __attribute__((returns_nonnull));

/* A copy of the NUL-terminated text.  Caller frees with free(). */
char *mem_copy_text(const char *text) __attribute__((malloc, returns_nonnull));

/* Report that memory has run out, and end the process. */
void mem_exhausted(void) __attribute__((noreturn));

#endif
