/* capacity.c - closing connections that take too long, or to make room.
 *
 * Deadlines are absolute: libmicrohttpd's own time-out is an inactivity timer,
 * which one byte every few seconds resets for ever.  An overdue connection gets
 * a shutdown(2); libmicrohttpd then sees the end of the stream and closes it.
 * A connection whose request is with the engine has no deadline: the poll has
 * one.  struct http has a list for each state that has a deadline, so a search
 * ends at the first that is not overdue, and the connection that has been in
 * its state for longest is found at once when one must go.
 *
 * When all connections are taken, one is closed to make room: first those that
 * have never had a successful reply, after 0.25 s in one state (over TLS 0.75
 * s), then the others after 0.75 s.  The loops look every 100 ms while there is
 * no room, so a request that waits is answered within a second.  A flood of
 * half requests or unread replies opens such connections as fast as they are
 * closed; if they did not go as fast as they come, newcomers would wait behind
 * them in the kernel's queue.  Meanwhile, the first reply on a connection
 * closes it, and so does a poll that ends without an event (exchange.c): the
 * last place goes from one client to the next.  That costs the client a new
 * handshake; waiting for a free place would cost others up to 0.75 s.
 *
 * A client that reads nothing keeps its reply in memory, up to 256 KiB of it.
 * These bytes are counted for all loop threads; above --max-unsent the
 * connections that have waited for longest are closed.
 */
#include "net/http/http.h"
#include "net/http/internal.h"

#include "base/clock.h"
#include "base/metric.h"
#include "base/process.h"

/* The number of connections that make room at once. */
#define MAX_EVICTIONS 16

/* The connection at the head of a list of struct http; NULL: it is empty. */
static struct connection *
first_in(const struct list *list)
{
	return list_is_empty(list) ?
	    NULL :
	    CONTAINER_OF(list->next, struct connection, deadline);
}

static void
expire_list(const struct list *list, int64_t limit_ms)
{
	int64_t now_ms = clock_now_ms();
	struct connection *connection;

	while ((connection = first_in(list)) != NULL &&
	    now_ms - connection->since_ms >= limit_ms) {
		list_remove(&connection->deadline);
		connection_end(connection);
	}
}

static void
expire(struct http *http, enum connection_state state, int64_t limit_ms)
{
	for (int i = 0; i < N_CONNECTION_WORTHS; i++)
		expire_list(&http->in_state[state][i], limit_ms);
}

/* A client that opens a connection and sends nothing is as slow as one that
 * sends half a request. */
static void
expire_unused(struct http *http, int64_t limit_ms)
{
	struct list *lists = http->in_state[CONNECTION_IDLE];

	expire_list(&lists[CONNECTION_UNUSED], limit_ms);
	expire_list(&lists[CONNECTION_UNUSED_TLS], limit_ms);
}

/* Linux reports an event to libmicrohttpd's epoll before ours, which was there
 * first, so a cell that runs always finds it.  That is not guaranteed, so a
 * connection whose request is under way is checked once more. */
static void
touch_receiving(struct http *http)
{
	for (int i = 0; i < N_CONNECTION_WORTHS; i++) {
		const struct list
		    *list = &http->in_state[CONNECTION_RECEIVING][i];
		const struct list *node;

		for (node = list->next; node != list; node = node->next)
			cell_touch(
			    CONTAINER_OF(node, struct connection, deadline)
				->cell);
	}
}

void
http_expire(struct http *http)
{
	const struct front_settings *settings = &http->front->settings;

	touch_receiving(http);
	expire(http, CONNECTION_RECEIVING, settings->request_timeout_ms);
	expire(http, CONNECTION_IDLE, settings->idle_ms);
	expire_unused(http, settings->request_timeout_ms);
	expire(http, CONNECTION_SENDING, settings->rest_ms);
}

/* How long a connection may be idle, or at the same request or reply, before it
 * makes room. */
static int64_t
spared_ms(enum connection_worth worth)
{
	return worth == CONNECTION_NEW || worth == CONNECTION_UNUSED ?
	    FRONT_SPARED_NEW_MS :
	    FRONT_SPARED_MS;
}

/* Of the connections of this worth, the one that is overdue for longest,
 * whether idle, receiving or sending.  NULL: there is none. */
static struct connection *
find_slowest(const struct http *http, enum connection_worth from,
    enum connection_worth to)
{
	struct connection *slowest = NULL;
	int64_t slowest_ms = clock_now_ms();

	for (int state = 0; state < N_CONNECTION_STATES; state++)
		for (int worth = (int)from; worth <= (int)to; worth++) {
			struct connection *connection = first_in(
			    &http->in_state[state][worth]);
			int64_t over_ms;

			if (!connection)
				continue;
			over_ms = connection->since_ms +
			    spared_ms((enum connection_worth)worth);
			if (over_ms <= slowest_ms) {
				slowest = connection;
				slowest_ms = over_ms;
			}
		}
	return slowest;
}

static void
evict(struct connection *connection)
{
	list_remove(&connection->deadline);
	connection_end(connection);
}

/* Connections that have never been served go first, several at a time: a client
 * that fills the server opens them as fast as they are closed, and newcomers
 * wait behind them in the kernel's queue.  A player with a working connection
 * should keep it. */
bool
http_evict_idle(struct http *http)
{
	struct connection *connection = find_slowest(
	    http, CONNECTION_UNUSED, CONNECTION_NEW_TLS);
	int n = connection ? MAX_EVICTIONS : 1;

	if (!connection)
		connection = find_slowest(
		    http, CONNECTION_SERVED, CONNECTION_SERVED);
	if (!connection)
		return false;
	if (!front_claim_eviction(http->front))
		return true;
	while (connection && n-- > 0) {
		evict(connection);
		connection = find_slowest(
		    http, CONNECTION_UNUSED, CONNECTION_NEW_TLS);
	}
	return true;
}

/* Other threads also have bytes, and handle their own: each may keep its share
 * of the total. */
void
http_shed(struct http *http)
{
	size_t part = http->front->settings.max_unsent / PROCESS_MAX_LOOPS;

	while (
	    front_has_too_much_unsent(http->front) && http->n_unsent > part) {
		struct connection *connection = CONTAINER_OF(
		    list_first(&http->unsent), struct connection, unsent);

		metric_add(METRIC_LIMITED_UNSENT, 1);
		connection_set_unsent(connection, 0);
		evict(connection);
	}
}

void
http_end_idle(struct http *http)
{
	for (int i = 0; i < N_CONNECTION_WORTHS; i++) {
		struct list *list = &http->in_state[CONNECTION_IDLE][i];
		struct list *node, *next;

		for (node = list->next; node != list; node = next) {
			struct connection *connection = CONTAINER_OF(
			    node, struct connection, deadline);

			next = node->next;
			/* A request that has just arrived is about to be
			 * served. */
			if (connection_has_bytes(connection))
				continue;
			list_remove(node);
			connection_end(connection);
		}
	}
}
