/* metrics.h - measures requests, and writes all metrics for Prometheus.
 *
 * Floor: api.  Counting: any loop thread.  The rest: main thread.
 */
#ifndef PEERPOST_API_ADMIN_METRICS_H
#define PEERPOST_API_ADMIN_METRICS_H

#include "api/request.h"

/* The file whose size is reported; copied.  Call once, at the start. */
void metrics_init(const char *database);

/* Count a player's request when its reply is about to be handed to the socket.
 * began_us: when its first line arrived (clock_now_us()). */
void metrics_count_request(
    const struct request *request, int64_t began_us, int64_t now_us);

/* Write the reply to GET /metrics: all metrics, in the text format 0.0.4
 * (Prometheus, "Exposition formats"). */
void metrics_answer(struct request *request);

#endif
