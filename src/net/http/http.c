/* http.c - see http.h: making, draining, ending. */
#include "net/http/http.h"

#include <stdlib.h>

#include "base/mem.h"
#include "net/http/internal.h"

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
	for (int i = 0; i < N_CONNECTION_STATES; i++)
		for (int j = 0; j < N_CONNECTION_WORTHS; j++)
			list_init(&http->in_state[i][j]);
	list_init(&http->unsent);
	list_init(&http->hungup);
	return http;
}

bool
http_is_busy(const struct http *http)
{
	if (http->n_sending > 0 || http->n_waiting > 0)
		return true;
	for (int i = 0; i < N_CONNECTION_WORTHS; i++)
		if (!list_is_empty(&http->in_state[CONNECTION_RECEIVING][i]))
			return true;
	return false;
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
