/* heap.h - intrusive binary min-heap of deadlines.
 *
 * Floor: base.  The owner of the heap says which thread.
 *
 * A node knows its place, so it can be removed in O(log n).  A node with at ==
 * 0 is in no heap; a zeroed node is therefore ready for use.
 */
#ifndef PEERPOST_BASE_HEAP_H
#define PEERPOST_BASE_HEAP_H

#include <stddef.h>
#include <stdint.h>

struct heap_node {
	int64_t due_ms; /* absolute, on the clock of clock.h */
	size_t at;      /* place in the heap, from 1; 0: in none */
};

struct heap {
	struct heap_node **nodes; /* nodes[1..len] */
	size_t len, cap;
};

void heap_init(struct heap *heap);
/* Free the heap's array; the nodes still belong to their owners. */
void heap_fini(struct heap *heap);

/* Add node with this deadline; it must be in no heap.  Borrows node until
 * heap_remove(). */
void heap_insert(struct heap *heap, struct heap_node *node, int64_t due_ms);

/* Remove node; nothing happens if it is in no heap. */
void heap_remove(struct heap *heap, struct heap_node *node);

/* The node with the earliest deadline, left where it is, or NULL. */
struct heap_node *heap_first(const struct heap *heap);

#endif
