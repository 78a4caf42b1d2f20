/* heap.c - see heap.h.  Places count from 1, so a place's parent is half. */
#include "base/heap.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"

void
heap_init(struct heap *heap)
{
	*heap = (struct heap){ NULL, 0, 0 };
}

void
heap_fini(struct heap *heap)
{
	free(heap->nodes);
	heap_init(heap);
}

static void
place(struct heap *heap, struct heap_node *node, size_t at)
{
	heap->nodes[at] = node;
	node->at = at;
}

static void
sift_up(struct heap *heap, struct heap_node *node, size_t at)
{
	while (at > 1 && heap->nodes[at / 2]->due_ms > node->due_ms) {
		place(heap, heap->nodes[at / 2], at);
		at /= 2;
	}
	place(heap, node, at);
}

static void
sift_down(struct heap *heap, struct heap_node *node, size_t at)
{
	for (;;) {
		size_t child = 2 * at;

		if (child > heap->len)
			break;
		if (child < heap->len &&
		    heap->nodes[child + 1]->due_ms < heap->nodes[child]->due_ms)
			child++;
		if (heap->nodes[child]->due_ms >= node->due_ms)
			break;
		place(heap, heap->nodes[child], at);
		at = child;
	}
	place(heap, node, at);
}

void
heap_insert(struct heap *heap, struct heap_node *node, int64_t due_ms)
{
	assert(node->at == 0);
	if (heap->len + 1 >= heap->cap) {
		heap->cap = heap->cap ? 2 * heap->cap : 64;
		heap->nodes = mem_resize(
		    heap->nodes, heap->cap, sizeof(heap->nodes[0]));
	}
	node->due_ms = due_ms;
	sift_up(heap, node, ++heap->len);
}

void
heap_remove(struct heap *heap, struct heap_node *node)
{
	size_t at = node->at;
	struct heap_node *last;

	if (at == 0)
		return;
	assert(at <= heap->len && heap->nodes[at] == node);
	node->at = 0;
	last = heap->nodes[heap->len--];
	if (last == node)
		return;
	if (at > 1 && heap->nodes[at / 2]->due_ms > last->due_ms)
		sift_up(heap, last, at);
	else
		sift_down(heap, last, at);
}

struct heap_node *
heap_first(const struct heap *heap)
{
	return heap->len ? heap->nodes[1] : NULL;
}
