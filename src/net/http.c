/* http.c - see http.h: making, draining, ending. */
#include "net/http.h"

#include <stdlib.h>

#include "base/mem.h"
#include "net/http_internal.h"

struct http *
http_create(struct front *front)
{
	struct http *http = mem_new(sizeof(*http));

	http->front = front;
	for (int i = 0; i < N_CELL_KINDS; i++) {
		list_init(&http->roomy[i]);
		list_init(&http->full[i]);
	}
	list_init(&http->touched);
	for (int i = 0; i < N_CONNECTION_STATES; i++) {
		list_init(&http->in_state[i][false]);
		list_init(&http->in_state[i][true]);
	}
	list_init(&http->hungup);
	return http;
}

bool
http_is_busy(const struct http *http)
{
	const struct list *receiving = http->in_state[CONNECTION_RECEIVING];

	return http->n_sending > 0 || http->n_waiting > 0 ||
	    !list_is_empty(&receiving[false]) ||
	    !list_is_empty(&receiving[true]);
}

static void
free_cells(struct list *cells)
{
	struct list *node;

	while ((node = list_first(cells)) != NULL)
		cell_free(CONTAINER_OF(node, struct cell, roomy));
}

void
http_free(struct http *http)
{
	if (!http)
		return;
	for (int i = 0; i < N_CELL_KINDS; i++) {
		free_cells(&http->roomy[i]);
		free_cells(&http->full[i]);
	}
	free(http);
}
