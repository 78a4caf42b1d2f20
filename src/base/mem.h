/* mem.h - small allocations, which do not fail.
 *
 * Floor: base.  Any thread.
 *
 * What a client can size goes through buf.h and may be refused; everything
 * else is small, and when even that is not to be had the process ends here, in
 * one place: a restart loses nothing (the database has it).
 */
#ifndef PEERPOST_BASE_MEM_H
#define PEERPOST_BASE_MEM_H

#include <stddef.h>

/* Set malloc up for the replies that come and go: their memory is used again.
 * Before there are other threads. */
void mem_init(void);

/* Zeroed memory of size bytes.  Caller frees with free(). */
void *mem_new(size_t size) __attribute__((malloc, returns_nonnull));

/* realloc() to n elements of size bytes.  Caller frees with free(). */
void *mem_resize(void *old, size_t n, size_t size)
    __attribute__((returns_nonnull));

/* A copy of the NUL-terminated text.  Caller frees with free(). */
char *mem_copy_text(const char *text) __attribute__((malloc, returns_nonnull));

/* Say that memory has run out, and end the process. */
void mem_exhausted(void) __attribute__((noreturn));

#endif
