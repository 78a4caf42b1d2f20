/* crowd.c - see crowd.h. */
#include "bench/crowd.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "bench/payload.h"

#define MAX_REQUEST ((size_t)1 << 16)
#define AT_ONCE 256 /* connections opened before looking at answers */

static void
send_poll(struct crowd *crowd, struct client *client)
{
	struct peer *peer = &crowd->peers[client - crowd->polls];
	struct buf request;

	buf_init(&request, MAX_REQUEST);
	crowd->server.contender->write_poll(peer, &request);
	client_send(client, buf_span(&request));
	buf_fini(&request);
}

static void
on_answer(struct client *client, const struct response *response)
{
	struct crowd *crowd = client->cls;
	struct peer *peer = &crowd->peers[client - crowd->polls];
	uint32_t sender, number;
	struct span body;

	if (!response || response->status != 200) {
		if (!crowd->has_failed)
			server_complain_of(&crowd->server, "a poll", response);
		crowd->has_failed = true;
		return;
	}
	crowd->n_answers++;
	crowd->server.contender->read_answer(peer, response);
	body = response->body;
	send_poll(crowd, client);
	while (payload_next_mark(&body, &sender, &number))
		if (crowd->on_mark)
			crowd->on_mark(crowd->cls, sender, number);
}

struct crowd *
crowd_create(const struct contender *contender, const char *folder, uint32_t n,
    uint32_t room_size, unsigned flags)
{
	struct crowd *crowd = mem_new(sizeof(*crowd));

	crowd->n = n;
	crowd->room_size = room_size;
	if (!server_start(&crowd->server, contender, folder)) {
		free(crowd);
		return NULL;
	}
	crowd->loop = client_loop_create();
	crowd->peers = mem_new(n * sizeof(*crowd->peers));
	crowd->polls = mem_new(n * sizeof(*crowd->polls));
	for (uint32_t i = 0; i < n; i++) {
		crowd->peers[i].index = i;
		crowd->peers[i].room = i / room_size;
		crowd->peers[i].seat = i % room_size;
		crowd->peers[i].hears_room = flags & CROWD_HEARS_ROOMS;
		crowd->peers[i].default_hold = flags & CROWD_DEFAULT_HOLD;
	}
	if (contender->set_up(&crowd->server, crowd->peers, n, room_size))
		return crowd;
	crowd_free(crowd);
	return NULL;
}

void
crowd_free(struct crowd *crowd)
{
	if (!crowd)
		return;
	for (uint32_t i = 0; i < crowd->n; i++)
		client_close(&crowd->polls[i]);
	server_stop(&crowd->server);
	client_loop_free(crowd->loop);
	free(crowd->polls);
	free(crowd->peers);
	free(crowd);
}

bool
crowd_poll(struct crowd *crowd)
{
	for (uint32_t i = 0; i < crowd->n; i++) {
		if (!client_open(&crowd->polls[i], crowd->loop,
			crowd->server.port, on_answer, crowd)) {
			server_complain(&crowd->server, "cannot be reached");
			return false;
		}
		send_poll(crowd, &crowd->polls[i]);
		if (i % AT_ONCE == 0)
			client_loop_run(crowd->loop, 0);
	}
	/* What setting up has left in the mailboxes. */
	while (client_loop_run(crowd->loop, 300) > 0)
		;
	if (crowd->has_failed)
		server_complain(&crowd->server, "does not hold polls");
	return !crowd->has_failed;
}

void
crowd_run(struct crowd *crowd, int64_t for_ns)
{
	int64_t until_ns = now_ns() + for_ns, left_ns;

	while ((left_ns = until_ns - now_ns()) > 0)
		client_loop_run(crowd->loop, (int)(left_ns / 1000000) + 1);
}
