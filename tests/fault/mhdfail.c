/* mhdfail.c - libmicrohttpd without memory for replies.
 *
 * A library for LD_PRELOAD.  The functions that make a response, and the one that
 * queues it, fail as they do when memory is short, as long as a file says so, and
 * write a dot into another each time that they do.
 *
 *	MHDFAIL_FILE   "create", "queue" or nothing; it need not be there
 *	MHDFAIL_COUNT  where the dots go
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "next.h"

struct MHD_Connection;
struct MHD_Response;

int MHD_queue_response(struct MHD_Connection *connection, unsigned status,
    struct MHD_Response *response);
struct MHD_Response *MHD_create_response_from_buffer(
    size_t size, void *buffer, int mode);
struct MHD_Response *MHD_create_response_from_fd64(uint64_t size, int fd);

static int
fails(const char *what)
{
	const char *file = getenv("MHDFAIL_FILE");
	const char *count = getenv("MHDFAIL_COUNT");
	char text[16] = "";
	ssize_t n = -1;
	int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;

	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
	}
	if (n <= 0 || strcmp(text, what) != 0)
		return 0;
	fd = count ?
	    open(count, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600) :
	    -1;
	if (fd >= 0) {
		if (write(fd, ".", 1) < 0)
			abort();
		close(fd);
	}
	return 1;
}

int
MHD_queue_response(struct MHD_Connection *connection, unsigned status,
    struct MHD_Response *response)
{
	static int (*next)(
	    struct MHD_Connection *, unsigned, struct MHD_Response *);

	if (!next)
		find_next("MHD_queue_response", &next, sizeof(next));
	return fails("queue") ? 0 : next(connection, status, response);
}

struct MHD_Response *
MHD_create_response_from_buffer(size_t size, void *buffer, int mode)
{
	static struct MHD_Response *(*next)(size_t, void *, int);

	if (!next)
		find_next(
		    "MHD_create_response_from_buffer", &next, sizeof(next));
	return fails("create") ? NULL : next(size, buffer, mode);
}

struct MHD_Response *
MHD_create_response_from_fd64(uint64_t size, int fd)
{
	static struct MHD_Response *(*next)(uint64_t, int);

	if (!next)
		find_next("MHD_create_response_from_fd64", &next, sizeof(next));
	return fails("create") ? NULL : next(size, fd);
}
