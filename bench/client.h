/* client.h - many HTTP/1.1 connections on one epoll, for load.
 *
 * One thread.  A connection carries one request at a time, is kept alive, and
 * does no more work than a load generator must: requests are ready bytes, and
 * of a response only the status, the length and the body are looked for.
 * Connections go to 127.0.0.0/8 only.
 */
#ifndef PEERPOST_BENCH_CLIENT_H
#define PEERPOST_BENCH_CLIENT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/span.h"

struct client_loop;
struct client;

struct response {
	unsigned status;
	struct span head; /* status line and fields, up to the empty line */
	struct span body; /* decoded, if it came in chunks */
};

/* A response has come; it is valid for the call.  response NULL: the
 * connection is lost, and closed when this returns. */
typedef void (*client_fn)(
    struct client *client, const struct response *response);

struct client {
	/* The user's own. */
	client_fn on_response;
	void *cls;

	/* client.c's own. */
	struct client_loop *loop;
	int fd; /* -1: closed */
	bool is_busy;
	struct buf in, out; /* what has come so far; what could not be sent */
};

struct client_loop *client_loop_create(void);
void client_loop_free(struct client_loop *loop);

/* Handle responses for up to timeout_ms.  Returns how many came. */
unsigned client_loop_run(struct client_loop *loop, int timeout_ms);

/* Connect a zeroed client to port (host byte order) on this machine.
 * Borrows the loop until client_close().  false: refused (errno). */
bool client_open(struct client *client, struct client_loop *loop, uint16_t port,
    client_fn on_response, void *cls);
/* Close it, if it is open. */
void client_close(struct client *client);

/* Send a whole request.  The one before must have been answered. */
void client_send(struct client *client, struct span request);

/* The value of a field, or {NULL, 0}. */
struct span response_field(const struct response *response, const char *name);

/* Monotonic time, in nanoseconds. */
int64_t now_ns(void);

#endif
