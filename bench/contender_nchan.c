/* contender_nchan.c - nginx with nchan, in memory and with Redis.
 *
 * A player is a channel, and a room is one; whoever listens asks with the
 * Last-Modified and Etag of the answer before.
 */
#include "bench/contender.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MODULE "/usr/lib/nginx/modules/ngx_nchan_module.so"
#define REDIS_WAIT_MS 10000
#define READY_TRIES 100
#define READY_PAUSE_MS 50

static const char *
missing(const struct contender *contender)
{
	if (!find_program("nginx"))
		return "nginx is not installed";
	if (access(MODULE, R_OK) != 0)
		return "libnginx-mod-nchan is not installed";
	if (contender->variant && !find_program("redis-server"))
		return "redis-server is not installed";
	return NULL;
}

static bool
write_conf(const struct server *server, const char *path, uint16_t redis_port)
{
	FILE *file = fopen(path, "w");
	char redis[128] = "", pass[64] = "";

	if (!file)
		return false;
	if (redis_port) {
		snprintf(redis, sizeof(redis),
		    "upstream redis { nchan_redis_server "
		    "redis://127.0.0.1:%u; }\n",
		    redis_port);
		strcpy(pass, "nchan_redis_pass redis; ");
	}
	fprintf(file,
	    "load_module " MODULE ";\n"
	    "user root;\ndaemon off;\nworker_processes 1;\n"
	    "worker_rlimit_nofile 20000;\n"
	    "pid %s/nginx.pid;\nerror_log %s/nginx.log;\n"
	    "events { worker_connections 20000; }\n"
	    "http {\n"
	    "access_log off; keepalive_requests 1000000000;\n"
	    "client_body_in_single_buffer on; client_body_buffer_size 64k;\n"
	    "nchan_shared_memory_size 512m;\n%s"
	    "server { listen 127.0.0.1:%u;\n"
	    "nchan_message_buffer_length 1024; nchan_message_timeout 60s;\n"
	    "location = /sub { %snchan_subscriber longpoll; "
	    "nchan_channel_id $arg_id; nchan_subscriber_timeout 0; "
	    "nchan_longpoll_multipart_response on; }\n"
	    "location = /pub { %snchan_publisher; nchan_channel_id $arg_id; }\n"
	    "} }\n",
	    server->folder, server->folder, redis, server->port, pass, pass);
	return fclose(file) == 0;
}

static bool
start_redis(struct server *server, uint16_t port)
{
	char number[8], log[300];
	/* Every write is synced before it is answered. */
	const char *argv[] = { find_program("redis-server"), "--port", number,
		"--bind", "127.0.0.1", "--dir", server->folder, "--save", "",
		"--appendonly", "yes", "--appendfsync",
		server->contender->variant, NULL };

	snprintf(number, sizeof(number), "%u", port);
	snprintf(log, sizeof(log), "%s/redis.log", server->folder);
	return process_start(&server->processes, argv, log) &&
	    process_wait_for_port(&server->processes, port, REDIS_WAIT_MS);
}

static bool
start(struct server *server)
{
	uint16_t redis_port = server->contender->variant ? process_free_port() :
							   0;
	char conf[300], log[300];
	const char *argv[] = { NULL, "-c", conf, "-e", log, NULL };

	snprintf(conf, sizeof(conf), "%s/nginx.conf", server->folder);
	snprintf(log, sizeof(log), "%s/nginx.log", server->folder);
	if (!write_conf(server, conf, redis_port) ||
	    (redis_port && !start_redis(server, redis_port)))
		return false;
	argv[0] = find_program("nginx");
	return process_start(&server->processes, argv, log);
}

static void
on_probed(struct client *client, const struct response *response)
{
	bool *is_good = client->cls;

	*is_good = response && response->status / 100 == 2;
}

/* Whether a request is answered soon, and well. */
static bool
probe(struct client_loop *loop, uint16_t port, const char *request)
{
	struct client client = { .fd = -1 };
	bool is_good = false;

	if (!client_open(&client, loop, port, on_probed, &is_good))
		return false;
	client_send(&client, span_of(request));
	client_loop_run(loop, READY_PAUSE_MS);
	client_close(&client);
	return is_good;
}

/* For a while it listens, but has not reached Redis yet. */
static bool
wait_until_ready(struct server *server)
{
	static const char publish[] = "POST /pub?id=ready HTTP/1.1\r\n"
				      "Host: 127.0.0.1\r\n"
				      "Content-Length: 1\r\n\r\nx";
	static const char fetch[] = "GET /sub?id=ready HTTP/1.1\r\n"
				    "Host: 127.0.0.1\r\n\r\n";
	struct client_loop *loop = client_loop_create();
	bool is_ready = false;

	for (int i = 0; i < READY_TRIES && !is_ready; i++) {
		is_ready = probe(loop, server->port, publish) &&
		    probe(loop, server->port, fetch);
		if (!is_ready)
			client_loop_run(loop, READY_PAUSE_MS);
	}
	client_loop_free(loop);
	if (!is_ready)
		server_complain(server, "publishes nothing");
	return is_ready;
}

/* Channels are there when they are asked for. */
static bool
set_up(
    struct server *server, struct peer *peers, uint32_t n, uint32_t room_size)
{
	(void)room_size;
	if (!wait_until_ready(server))
		return false;
	for (uint32_t i = 0; i < n; i++)
		peers[i].id = i;
	return true;
}

static void
write_poll(const struct peer *peer, struct buf *out)
{
	buf_add_text(out, peer->hears_room ? "GET /sub?id=r" : "GET /sub?id=p");
	buf_add_int(out, peer->hears_room ? peer->room : peer->index);
	buf_add_text(out, " HTTP/1.1\r\nHost: 127.0.0.1\r\n");
	if (peer->since[0]) {
		buf_add_text(out, "If-Modified-Since: ");
		buf_add_text(out, peer->since);
		buf_add_text(out, "\r\nIf-None-Match: ");
		buf_add_text(out, peer->etag);
		buf_add_text(out, "\r\n");
	}
	buf_add_text(out, "\r\n");
}

static void
write_publish(
    char kind, uint32_t id, const struct payload *payload, struct buf *out)
{
	char target[64];

	snprintf(target, sizeof(target), "/pub?id=%c%u", kind, id);
	write_post_payload(out, target, payload);
}

static void
write_relay(const struct peer *from, const struct peer *to,
    const struct payload *payload, struct buf *out)
{
	(void)from;
	write_publish('p', to->index, payload, out);
}

static void
write_message(const struct peer *from, uint32_t room_size,
    const struct payload *payload, struct buf *out)
{
	(void)room_size;
	write_publish('r', from->room, payload, out);
}

static void
copy(struct span from, char *out, size_t size)
{
	if (!from.at || from.len >= size)
		return;
	memcpy(out, from.at, from.len);
	out[from.len] = '\0';
}

static void
read_answer(struct peer *peer, const struct response *response)
{
	copy(response_field(response, "Last-Modified"), peer->since,
	    sizeof(peer->since));
	copy(response_field(response, "Etag"), peer->etag, sizeof(peer->etag));
}

#define CONTENDER_NCHAN \
	.can = CAN_RELAY, .missing = missing, .start = start, \
	.stop_signal = SIGTERM, .set_up = set_up, .write_poll = write_poll, \
	.write_relay = write_relay, .write_message = write_message, \
	.read_answer = read_answer

const struct contender contender_nchan = {
	.name = "nchan-memory",
	CONTENDER_NCHAN,
};

const struct contender contender_nchan_redis = {
	.name = "nchan-redis-always",
	.variant = "always",
	CONTENDER_NCHAN,
};
