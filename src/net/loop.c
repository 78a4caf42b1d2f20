/* loop.c - see loop.h. */
#include "net/loop.h"

#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "base/mem.h"

#define MAX_EVENTS 512

struct slot {
	struct loop_source *source; /* NULL: free */
	uint32_t generation;
	uint32_t next_free;
};

struct loop {
	int epoll_fd;
	struct slot *slots; /* from 1 */
	uint32_t n_slots;
	uint32_t first_free; /* 0: none */
};

struct loop *
loop_create(void)
{
	struct loop *loop = mem_new(sizeof(*loop));

	loop->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (loop->epoll_fd < 0) {
		free(loop);
		return NULL;
	}
	return loop;
}

void
loop_free(struct loop *loop)
{
	if (!loop)
		return;
	close(loop->epoll_fd);
	free(loop->slots);
	free(loop);
}

static void
add_slots(struct loop *loop)
{
	uint32_t n = loop->n_slots ? 2 * loop->n_slots : 64;

	loop->slots = mem_resize(loop->slots, n, sizeof(*loop->slots));
	for (uint32_t i = n; i-- > loop->n_slots;) {
		loop->slots[i] = (struct slot){ NULL, 0, loop->first_free };
		if (i > 0) /* 0 means "in no loop" */
			loop->first_free = i;
	}
	loop->n_slots = n;
}

int
loop_add(struct loop *loop, struct loop_source *source, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events };
	struct slot *slot;
	uint32_t at;

	if (loop->first_free == 0)
		add_slots(loop);
	at = loop->first_free;
	slot = &loop->slots[at];
	event.data.u64 = (uint64_t)slot->generation << 32 | at;
	if (epoll_ctl(loop->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -1;
	loop->first_free = slot->next_free;
	slot->source = source;
	source->slot = at;
	return 0;
}

void
loop_remove(struct loop *loop, struct loop_source *source, int fd)
{
	struct slot *slot;

	if (source->slot == 0)
		return;
	slot = &loop->slots[source->slot];
	epoll_ctl(loop->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
	slot->source = NULL;
	slot->generation++;
	slot->next_free = loop->first_free;
	loop->first_free = source->slot;
	source->slot = 0;
}

int
loop_fd(const struct loop *loop)
{
	return loop->epoll_fd;
}

void
loop_wait(struct loop *loop, int timeout_ms)
{
	struct epoll_event events[MAX_EVENTS];
	int n = epoll_wait(loop->epoll_fd, events, MAX_EVENTS, timeout_ms);

	for (int i = 0; i < n; i++) {
		uint32_t at = (uint32_t)events[i].data.u64;
		uint32_t generation = (uint32_t)(events[i].data.u64 >> 32);
		struct slot *slot = &loop->slots[at];

		if (slot->source && slot->generation == generation)
			slot->source->on_ready(slot->source, events[i].events);
	}
}
