/* status.c - the status that the service manager shows: STATUS= of
 * sd_notify(3), as in "serving: 12 players in 3 rooms, 10 polls held".
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/metric.h"
#include "base/notify.h"
#include "daemon/server.h"

#define EVERY_MS 5000

void
server_say_ready(struct server *server, const char *state)
{
	server->state = state;
	server->said_ms = clock_now_ms();
	notify_ready(state);
}

void
server_say_status(struct server *server)
{
	char text[sizeof(server->said)];

	if (clock_now_ms() - server->said_ms < EVERY_MS)
		return;
	server->said_ms = clock_now_ms();
	snprintf(text, sizeof(text),
	    "%s: %" PRIu64 " players in %" PRIu64 " rooms, %" PRIu64
	    " polls held",
	    server->state, metric_get(METRIC_PLAYERS), metric_get(METRIC_ROOMS),
	    metric_get(METRIC_POLLS_PARKED));
	if (strcmp(text, server->said) == 0)
		return;
	memcpy(server->said, text, sizeof(text));
	notify_status(text);
}
