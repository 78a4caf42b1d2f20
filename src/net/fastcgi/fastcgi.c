/* fastcgi.c - see fastcgi.h: start, deadlines, end. */
#include "net/fastcgi/fastcgi.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/mem.h"
#include "net/fastcgi/internal.h"

#define LINGER_MS 2000 /* for the other side to close, after the last reply */
/* Shutting down, a connection without a request for this long is closed: a
 * request is hardly on its way.  A busy connection is closed after its reply.
 */
#define DRAINED_MS 250

static void
close_overdue(struct list *list, int64_t limit_ms)
{
	int64_t now_ms = clock_now_ms();
	struct list *node;

	while ((node = list_first(list)) != NULL) {
		struct fcgi_connection *connection = CONTAINER_OF(
		    node, struct fcgi_connection, resting);

		if (now_ms - connection->since_ms < limit_ms)
			return;
		fcgi_connection_close(connection);
	}
}

struct fastcgi *
fastcgi_create(struct front *front)
{
	struct fastcgi *fastcgi = mem_new(sizeof(*fastcgi));

	fastcgi->front = front;
	list_init(&fastcgi->connections);
	list_init(&fastcgi->touched);
	list_init(&fastcgi->idle);
	list_init(&fastcgi->sending);
	list_init(&fastcgi->lingering);
	list_init(&fastcgi->receiving);
	fastcgi->in = mem_new(FCGI_READ_SIZE);
	return fastcgi;
}

bool
fastcgi_run(struct fastcgi *fastcgi)
{
	struct list now;
	struct list *node;

	/* Connections touched meanwhile wait for the next round. */
	list_init(&now);
	while ((node = list_first(&fastcgi->touched)) != NULL)
		list_append(&now, node);
	while ((node = list_first(&now)) != NULL) {
		list_remove(node);
		fcgi_connection_run(
		    CONTAINER_OF(node, struct fcgi_connection, touched));
	}
	if (fastcgi->front->is_draining)
		close_overdue(&fastcgi->idle, DRAINED_MS);
	return !list_is_empty(&fastcgi->touched);
}

void
fastcgi_expire(struct fastcgi *fastcgi)
{
	int64_t limit_ms = fastcgi->front->settings.request_timeout_ms;
	int64_t now_ms = clock_now_ms();
	struct list *node;

	while ((node = list_first(&fastcgi->receiving)) != NULL) {
		struct fcgi_exchange *exchange = CONTAINER_OF(
		    node, struct fcgi_exchange, deadline);

		if (now_ms - exchange->since_ms < limit_ms)
			break;
		fcgi_exchange_fail(exchange, ERR_BAD_REQUEST);
	}
	close_overdue(&fastcgi->sending, FRONT_REST_MS);
	close_overdue(&fastcgi->lingering, LINGER_MS);
}

bool
fastcgi_evict_idle(struct fastcgi *fastcgi)
{
	struct list *node = list_first(&fastcgi->idle);
	struct fcgi_connection *connection;

	if (!node)
		return false;
	connection = CONTAINER_OF(node, struct fcgi_connection, resting);
	if (clock_now_ms() - connection->since_ms < FRONT_SPARED_MS)
		return false;
	if (front_claim_eviction(fastcgi->front))
		fcgi_connection_close(connection);
	return true;
}

bool
fastcgi_is_busy(const struct fastcgi *fastcgi)
{
	return fastcgi->n_live > 0 || !list_is_empty(&fastcgi->sending) ||
	    !list_is_empty(&fastcgi->touched);
}

void
fastcgi_free(struct fastcgi *fastcgi)
{
	struct list *node;

	if (!fastcgi)
		return;
	while ((node = list_first(&fastcgi->connections)) != NULL)
		fcgi_connection_close(
		    CONTAINER_OF(node, struct fcgi_connection, all));
	free(fastcgi->in);
	free(fastcgi);
}
