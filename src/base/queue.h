/* queue.h - FIFO of items, from any threads to one.
 *
 * Floor: base.  Any thread.
 *
 * Whenever possible, threads share things through one of these.  Items are
 * intrusive and belong to the queue from push to take; an item is in one queue
 * at a time.
 */
#ifndef PEERPOST_BASE_QUEUE_H
#define PEERPOST_BASE_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

struct queue_item {
	struct queue_item *next;
};

/* A chain of items, oldest first; owned by one thread. */
struct queue_chain {
	struct queue_item *first, *last;
};

struct queue {
	pthread_mutex_t lock;
	pthread_cond_t filled;
	struct queue_chain chain;
};

void queue_init(struct queue *queue);
void queue_fini(struct queue *queue);

/* Append a chain, which is empty afterwards.  Returns whether the queue was
 * empty: the taker may have to be woken. */
bool queue_push(struct queue *queue, struct queue_chain *chain);

/* Take everything.  Waits for an item, for up to wait_ms (-1: for ever, 0: not
 * at all).  The chain may be empty on return. */
struct queue_chain queue_take(struct queue *queue, int wait_ms);

void queue_chain_append(struct queue_chain *chain, struct queue_item *item);
/* Take the oldest item, or NULL. */
struct queue_item *queue_chain_take(struct queue_chain *chain);

#endif
