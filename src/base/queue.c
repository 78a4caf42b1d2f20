/* queue.c - see queue.h. */
#include "base/queue.h"

#include <assert.h>
#include <stddef.h>
#include <time.h>

void
queue_init(struct queue *queue)
{
	pthread_condattr_t attr;
	int rc;

	queue->chain = (struct queue_chain){ NULL, NULL };
	rc = pthread_mutex_init(&queue->lock, NULL);
	assert(rc == 0);
	rc = pthread_condattr_init(&attr);
	assert(rc == 0);
	rc = pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	assert(rc == 0);
	rc = pthread_cond_init(&queue->filled, &attr);
	assert(rc == 0);
	pthread_condattr_destroy(&attr);
}

void
queue_fini(struct queue *queue)
{
	pthread_cond_destroy(&queue->filled);
	pthread_mutex_destroy(&queue->lock);
}

bool
queue_push(struct queue *queue, struct queue_chain *chain)
{
	bool was_empty;

	if (!chain->first)
		return false;
	pthread_mutex_lock(&queue->lock);
	was_empty = queue->chain.first == NULL;
	if (was_empty)
		queue->chain.first = chain->first;
	else
		queue->chain.last->next = chain->first;
	queue->chain.last = chain->last;
	pthread_mutex_unlock(&queue->lock);
	if (was_empty)
		pthread_cond_signal(&queue->filled);
	*chain = (struct queue_chain){ NULL, NULL };
	return was_empty;
}

static struct timespec
monotonic_in(int wait_ms)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	ts.tv_sec += wait_ms / 1000;
	ts.tv_nsec += (long)(wait_ms % 1000) * 1000000;
	if (ts.tv_nsec >= 1000000000) {
		ts.tv_nsec -= 1000000000;
		ts.tv_sec++;
	}
	return ts;
}

struct queue_chain
queue_take(struct queue *queue, int wait_ms)
{
	struct queue_chain taken;
	struct timespec until = { 0, 0 };

	if (wait_ms > 0)
		until = monotonic_in(wait_ms);
	pthread_mutex_lock(&queue->lock);
	while (!queue->chain.first && wait_ms != 0) {
		if (wait_ms < 0)
			pthread_cond_wait(&queue->filled, &queue->lock);
		else if (pthread_cond_timedwait(
			     &queue->filled, &queue->lock, &until) != 0)
			break;
	}
	taken = queue->chain;
	queue->chain = (struct queue_chain){ NULL, NULL };
	pthread_mutex_unlock(&queue->lock);
	return taken;
}

void
queue_chain_append(struct queue_chain *chain, struct queue_item *item)
{
	item->next = NULL;
	if (chain->first)
		chain->last->next = item;
	else
		chain->first = item;
	chain->last = item;
}

struct queue_item *
queue_chain_take(struct queue_chain *chain)
{
	struct queue_item *item = chain->first;

	if (item) {
		chain->first = item->next;
		if (!chain->first)
			chain->last = NULL;
		item->next = NULL;
	}
	return item;
}
