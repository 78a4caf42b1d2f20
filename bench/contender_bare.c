/* contender_bare.c - libmicrohttpd and nothing else: bare.c. */
#include "bench/contender.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const char *
missing(const struct contender *contender)
{
	(void)contender;
	return access(bare_path, X_OK) == 0 ? NULL : "is not built";
}

static bool
start(struct server *server)
{
	char port[8], log[300];
	const char *argv[] = { bare_path, port, NULL };

	snprintf(port, sizeof(port), "%u", server->port);
	snprintf(log, sizeof(log), "%s/bare.log", server->folder);
	return process_start(&server->processes, argv, log);
}

/* It takes everybody for granted. */
static bool
set_up(
    struct server *server, struct peer *peers, uint32_t n, uint32_t room_size)
{
	(void)server;
	(void)room_size;
	for (uint32_t i = 0; i < n; i++)
		peers[i].id = i;
	return true;
}

static void
write_poll(const struct peer *peer, struct buf *out)
{
	buf_add_text(out, "GET /poll?id=");
	buf_add_int(out, peer->index);
	buf_add_text(out, " HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
}

/* To n players from the given one on. */
static void
write_send(
    uint32_t first, uint32_t n, const struct payload *payload, struct buf *out)
{
	char target[64];

	snprintf(target, sizeof(target), "/send?to=%u&n=%u", first, n);
	write_post_payload(out, target, payload);
}

static void
write_relay(const struct peer *from, const struct peer *to,
    const struct payload *payload, struct buf *out)
{
	(void)from;
	write_send(to->index, 1, payload, out);
}

static void
write_message(const struct peer *from, uint32_t room_size,
    const struct payload *payload, struct buf *out)
{
	write_send(from->index - from->seat, room_size, payload, out);
}

/* It has no cursors: what it answers is forgotten. */
static void
read_answer(struct peer *peer, const struct response *response)
{
	(void)peer;
	(void)response;
}

const struct contender contender_bare = {
	.name = "bare-libmicrohttpd",
	.can = CAN_RELAY,
	.missing = missing,
	.start = start,
	.stop_signal = SIGTERM,
	.set_up = set_up,
	.write_poll = write_poll,
	.write_relay = write_relay,
	.write_message = write_message,
	.read_answer = read_answer,
};
