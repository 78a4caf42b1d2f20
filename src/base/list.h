/* list.h - intrusive doubly linked list with a sentinel head.
 *
 * Floor: base.  The owner of the list says which thread.
 *
 * A node that is in no list points at itself, so list_remove() may be called
 * on it any number of times.  Every node must be initialised before use.
 */
#ifndef PEERPOST_BASE_LIST_H
#define PEERPOST_BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
	struct list *prev, *next;
};

#define CONTAINER_OF(ptr, type, member) \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

static inline void
list_init(struct list *node)
{
	node->prev = node->next = node;
}

static inline bool
list_is_empty(const struct list *head)
{
	return head->next == head;
}

/* Remove node from its list, if it is in one. */
static inline void
list_remove(struct list *node)
{
	node->prev->next = node->next;
	node->next->prev = node->prev;
	list_init(node);
}

/* Move node to the end of the list, out of any other. */
static inline void
list_append(struct list *head, struct list *node)
{
	list_remove(node);
	node->prev = head->prev;
	node->next = head;
	head->prev->next = node;
	head->prev = node;
}

/* Move node to the start of the list, out of any other. */
static inline void
list_prepend(struct list *head, struct list *node)
{
	list_append(head->next, node);
}

/* The first node of the list, or NULL. */
static inline struct list *
list_first(const struct list *head)
{
	return list_is_empty(head) ? NULL : head->next;
}

/* Remove and return the first node of the list, or NULL. */
static inline struct list *
list_take_first(struct list *head)
{
	struct list *node = list_first(head);

	if (node)
		list_remove(node);
	return node;
}

#endif
