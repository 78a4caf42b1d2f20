/* http_memory.c - memory that libmicrohttpd has overwritten with zeros.
 *
 * Between two requests of a connection libmicrohttpd zeroes the whole block
 * that it keeps for it, 32 KiB, of which a poll then uses two or three pages:
 * 10,000 held polls would have 340 MB resident instead of 90.  So when a poll
 * has been held for a second, those pages of the block that are all zero are
 * handed back to the kernel, which gives zeros again when they are touched:
 * whatever the block is used for, nothing in it changes.
 *
 * What must hold is that the pages belong to that block and to nothing else,
 * since another thread could write to them between the look and the handing
 * back.  libmicrohttpd does not tell where the block is, but it reads requests
 * into its beginning, so the method of the request stands there; and that this
 * is where a block of just this size begins, malloc's own note in front of it
 * says. If either is not so (another version, another libc, a sanitizer),
 * nothing is done.
 */
#include "net/http_internal.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define HAS_OTHER_MALLOC 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || !defined(__GLIBC__)
#define HAS_OTHER_MALLOC 1
#endif

#ifdef HAS_OTHER_MALLOC

void
memory_give_back(const char *block)
{
	(void)block;
}

#else

#define CHUNK_ALIGN (2 * sizeof(size_t))
#define CHUNK_FLAGS ((size_t)7) /* in the low bits of a chunk's size */

/* Whether malloc gave out a block of HTTP_MEMORY bytes here.  A chunk's size
 * stands in front of it, and is larger by that and by rounding. */
static bool
is_block(uintptr_t start, size_t page_size)
{
	size_t size;

	/* In the same page as the block's beginning, so that it is readable. */
	if (start % CHUNK_ALIGN != 0 || start % page_size < sizeof(size))
		return false;
	memcpy(&size, (const char *)start - sizeof(size), sizeof(size));
	size &= ~CHUNK_FLAGS;
	return size > HTTP_MEMORY && size <= HTTP_MEMORY + 2 * CHUNK_ALIGN;
}

static bool
is_zero(const char *page, size_t page_size)
{
	/* All bytes are like the first, and that is zero. */
	return page[0] == 0 && memcmp(page, page + 1, page_size - 1) == 0;
}

void
memory_give_back(const char *block)
{
	size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)block;
	uintptr_t end = start + HTTP_MEMORY;
	uintptr_t page, first;

	if (!block || !is_block(start, page_size))
		return;
	page = (start + page_size - 1) / page_size * page_size;
	while (page + page_size <= end) {
		first = page;
		while (page + page_size <= end &&
		    is_zero((const char *)page, page_size))
			page += page_size;
		if (page > first)
			madvise((void *)first, page - first, MADV_DONTNEED);
		page += page_size;
	}
}

#endif
