/* contender_peerpost.c - peerpostd itself, alone and behind nginx. */
#include "bench/contender.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

#define N_SETTERS 64 /* connections that set up players */
#define MAX_REQUEST ((size_t)1 << 20)

static const char *
missing(const struct contender *contender)
{
	(void)contender;
	return access(peerpostd_path, X_OK) == 0 ? NULL : "is not built";
}

static const char *
missing_nginx(const struct contender *contender)
{
	return find_program("nginx") ? missing(contender) :
				       "nginx is not installed";
}

static bool
start_daemon(struct server *server, const char *option, const char *where,
    const char *io_threads)
{
	char database[300], log[300];
	/* Nobody's time or rate is to be up: it is the machine's that counts.
	 */
	const char *argv[] = { peerpostd_path, option, where, "--database",
		database, "--durability", server->contender->variant,
		"--io-threads", io_threads, "--command-rate", "0",
		"--poll-rate", "0", "--relay-rate", "0", "--register-rate", "0",
		"--max-connections-per-address", "0", "--player-timeout", "0",
		"--lobby-timeout", "0", "--poll-wait-max", "3600", NULL };

	snprintf(database, sizeof(database), "%s/peerpost.db", server->folder);
	snprintf(log, sizeof(log), "%s/peerpostd.log", server->folder);
	return process_start(&server->processes, argv, log);
}

static bool
start_with(struct server *server, const char *io_threads)
{
	char listen[32];

	snprintf(listen, sizeof(listen), "127.0.0.1:%u", server->port);
	return start_daemon(server, "--listen", listen, io_threads);
}

static bool
start(struct server *server)
{
	return start_with(server, "1");
}

static bool
start_with_two_loops(struct server *server)
{
	return start_with(server, "2");
}

static bool
write_nginx_conf(
    const struct server *server, const char *path, const char *location)
{
	FILE *file = fopen(path, "w");

	if (!file)
		return false;
	fprintf(file,
	    "user root;\ndaemon off;\nworker_processes 1;\nworker_rlimit_nofile 20000;\n"
	    "pid %s/nginx.pid;\nerror_log %s/nginx.log;\n"
	    "events { worker_connections 20000; }\n"
	    "http {\n"
	    "access_log off; keepalive_requests 1000000000;\n"
	    "upstream peerpostd { server unix:%s/peerpostd.sock;"
	    " keepalive 512; keepalive_requests 1000000000; }\n"
	    "server { listen 127.0.0.1:%u;\n"
	    "location / { %s }\n"
	    "} }\n",
	    server->folder, server->folder, server->folder, server->port,
	    location);
	return fclose(file) == 0;
}

static bool
start_behind_nginx(
    struct server *server, const char *option, const char *location)
{
	char listen[300], conf[300], log[300];
	const char *argv[] = { find_program("nginx"), "-c", conf, "-e", log,
		NULL };

	snprintf(
	    listen, sizeof(listen), "unix:%s/peerpostd.sock", server->folder);
	snprintf(conf, sizeof(conf), "%s/nginx.conf", server->folder);
	snprintf(log, sizeof(log), "%s/nginx.log", server->folder);
	return write_nginx_conf(server, conf, location) &&
	    start_daemon(server, option, listen, "1") &&
	    process_start(&server->processes, argv, log);
}

static bool
start_behind_proxy_pass(struct server *server)
{
	return start_behind_nginx(server, "--listen",
	    "proxy_pass http://peerpostd;\n"
	    "proxy_http_version 1.1; proxy_set_header Connection \"\";\n"
	    "proxy_read_timeout 3700s;");
}

static bool
start_behind_fastcgi_pass(struct server *server)
{
	return start_behind_nginx(server, "--fastcgi",
	    "fastcgi_pass peerpostd; fastcgi_keep_conn on;\n"
	    "fastcgi_read_timeout 3700s;\n"
	    "fastcgi_param REQUEST_METHOD $request_method;\n"
	    "fastcgi_param REQUEST_URI $request_uri;\n"
	    "fastcgi_param CONTENT_TYPE $content_type;\n"
	    "fastcgi_param CONTENT_LENGTH $content_length;\n"
	    "fastcgi_param REMOTE_ADDR $remote_addr;");
}

/* ---- setting up: many at a time register, and create or join ---- */

struct setup {
	struct server *server;
	struct peer *peers;
	uint32_t n, room_size;
	uint32_t next;  /* the next peer of this pass */
	bool for_hosts; /* this pass is for hosts, the other for guests */
	uint32_t n_left;
	bool has_failed;
};

struct setter {
	struct setup *setup;
	struct client client;
	struct peer *peer;
};

/* Find the next peer of this pass; NULL: there is none. */
static struct peer *
next_peer(struct setup *setup)
{
	while (setup->next < setup->n) {
		uint32_t i = setup->next++;

		if ((i % setup->room_size == 0) == setup->for_hosts)
			return &setup->peers[i];
	}
	return NULL;
}

static void
set_up_next(struct setter *setter)
{
	struct peer *peer = setter->peer = next_peer(setter->setup);
	struct buf body, request;
	char text[256];

	if (!peer)
		return;
	if (peer->seat == 0)
		snprintf(text, sizeof(text),
		    "[{\"command\":\"###!RP\",\"data\":\"player %u\"},"
		    "{\"command\":\"###!CR\",\"data\":null}]",
		    peer->index);
	else
		snprintf(text, sizeof(text),
		    "[{\"command\":\"###!RP\",\"data\":\"player %u\"},"
		    "{\"command\":\"###!JR\",\"data\":\"%s\"}]",
		    peer->index, (peer - peer->seat)->uuid);
	buf_init(&body, MAX_REQUEST);
	buf_init(&request, MAX_REQUEST);
	buf_add_text(&body, text);
	write_post(&request, "/command", "", buf_span(&body));
	client_send(&setter->client, buf_span(&request));
	buf_fini(&body);
	buf_fini(&request);
}

/* Copy what stands between the text before and the next quote. */
static bool
copy_after(struct span *text, const char *before, char *out, size_t size)
{
	size_t len = strlen(before);
	const char *at = memmem(text->at, text->len, before, len), *end, *quote;

	if (!at)
		return false;
	end = text->at + text->len;
	at += len;
	quote = memchr(at, '"', (size_t)(end - at));
	if (!quote || (size_t)(quote - at) >= size)
		return false;
	memcpy(out, at, (size_t)(quote - at));
	out[quote - at] = '\0';
	*text = (struct span){ quote, (size_t)(end - quote) };
	return true;
}

/* [{"command":"###!RPK","data":ID,"token":"TOKEN"},{"command":"###!CRK",
 * "data":"UUID","id":1}] */
bool
peerpost_read_reply(struct peer *peer, const struct response *response)
{
	struct span body = response->body;
	char code[16], id[16];

	if (response->status != 200 ||
	    !copy_after(&body, "\"command\":\"", code, sizeof(code)) ||
	    strcmp(code, "###!RPK") != 0 ||
	    !copy_after(&body, "\"data\":", id, sizeof(id)) ||
	    !copy_after(
		&body, "\"token\":\"", peer->token, sizeof(peer->token)) ||
	    !copy_after(&body, "\"command\":\"", code, sizeof(code)))
		return false;
	peer->id = (uint32_t)strtoul(id, NULL, 10);
	if (peer->seat)
		return strcmp(code, "###!JRK") == 0;
	return strcmp(code, "###!CRK") == 0 &&
	    copy_after(&body, "\"data\":\"", peer->uuid, sizeof(peer->uuid));
}

static void
on_set_up(struct client *client, const struct response *response)
{
	struct setter *setter = client->cls;
	struct setup *setup = setter->setup;

	if (!response || !peerpost_read_reply(setter->peer, response)) {
		setup->has_failed = true;
		return;
	}
	setup->n_left--;
	set_up_next(setter);
}

static void
run_pass(struct setup *setup, struct client_loop *loop, struct setter *setters,
    bool for_hosts)
{
	uint32_t n_rooms = setup->n / setup->room_size;

	setup->for_hosts = for_hosts;
	setup->next = 0;
	setup->n_left = for_hosts ? n_rooms : setup->n - n_rooms;
	for (int i = 0; i < N_SETTERS; i++)
		set_up_next(&setters[i]);
	while (setup->n_left > 0 && !setup->has_failed)
		if (client_loop_run(loop, 10000) == 0)
			setup->has_failed = true;
}

static bool
set_up(
    struct server *server, struct peer *peers, uint32_t n, uint32_t room_size)
{
	struct setup setup = {
		.server = server, .peers = peers, .n = n, .room_size = room_size
	};
	struct setter *setters = mem_new(N_SETTERS * sizeof(*setters));
	struct client_loop *loop = client_loop_create();

	for (int i = 0; i < N_SETTERS && !setup.has_failed; i++) {
		setters[i].setup = &setup;
		setup.has_failed = !client_open(&setters[i].client, loop,
		    server->port, on_set_up, &setters[i]);
	}
	if (!setup.has_failed)
		run_pass(&setup, loop, setters, true);
	if (!setup.has_failed)
		run_pass(&setup, loop, setters, false);
	for (int i = 0; i < N_SETTERS; i++)
		client_close(&setters[i].client);
	client_loop_free(loop);
	free(setters);
	if (setup.has_failed)
		server_complain(server, "players cannot be set up");
	return !setup.has_failed;
}

/* ---- requests ---- */

static void
write_poll(const struct peer *peer, struct buf *out)
{
	buf_add_text(out,
	    peer->default_hold ? "GET /events?after=" :
				 "GET /events?wait=3600&after=");
	buf_add_int(out, (int64_t)peer->cursor);
	buf_add_text(out,
	    " HTTP/1.1\r\nHost: 127.0.0.1\r\n"
	    "Authorization: Bearer ");
	buf_add_text(out, peer->token);
	buf_add_text(out, "\r\n\r\n");
}

static void
write_authorized(const struct peer *from, const char *target, struct span body,
    struct buf *out)
{
	char fields[96];

	snprintf(fields, sizeof(fields), "Authorization: Bearer %s\r\n",
	    from->token);
	write_post(out, target, fields, body);
}

static void
write_relay(const struct peer *from, const struct peer *to,
    const struct payload *payload, struct buf *out)
{
	struct buf body;

	(void)to; /* the payload says it */
	if (payload->n == 1) {
		write_authorized(from, "/offer", payload->items[0], out);
		return;
	}
	buf_init(&body, MAX_REQUEST);
	for (size_t i = 0; i < payload->n; i++) {
		buf_add_text(&body, i ? "," : "[");
		buf_add_text(&body, "{\"command\":\"###!CC\",\"data\":");
		buf_add_span(&body, payload->items[i]);
		buf_add_text(&body, "}");
	}
	buf_add_text(&body, "]");
	write_authorized(from, "/command", buf_span(&body), out);
	buf_fini(&body);
}

static void
write_message(const struct peer *from, uint32_t room_size,
    const struct payload *payload, struct buf *out)
{
	(void)room_size;
	write_authorized(from, "/message", payload->items[0], out);
}

/* "next" stands behind the events: look from the end. */
static void
read_answer(struct peer *peer, const struct response *response)
{
	static const char name[] = "],\"next\":";
	const char *at = response->body.at;
	size_t n = response->body.len, len = sizeof(name) - 1;

	for (size_t i = n; i-- > 0;)
		if (n - i >= len && at[i] == ']' &&
		    memcmp(at + i, name, len) == 0) {
			peer->cursor = strtoull(at + i + len, NULL, 10);
			return;
		}
}

#define CONTENDER_PEERPOST(name_, more, missing_, start_, durability) \
	{ \
		.name = name_, \
		.can = CAN_RELAY | CAN_ROOMS | IS_OURS | (more), \
		.missing = missing_, .start = start_, .variant = durability, \
		.stop_signal = SIGTERM, .set_up = set_up, \
		.write_poll = write_poll, .write_relay = write_relay, \
		.write_message = write_message, .read_answer = read_answer, \
	}

const struct contender contender_power = CONTENDER_PEERPOST(
    "peerpostd", CAN_RESTART, missing, start, "power");
const struct contender contender_process = CONTENDER_PEERPOST(
    "peerpostd-process", 0, missing, start, "process");
const struct contender contender_loops = CONTENDER_PEERPOST(
    "peerpostd-2-loops", 0, missing, start_with_two_loops, "power");
const struct contender contender_nginx = CONTENDER_PEERPOST(
    "peerpostd-nginx", 0, missing_nginx, start_behind_proxy_pass, "power");
const struct contender contender_fastcgi = CONTENDER_PEERPOST(
    "peerpostd-fastcgi", 0, missing_nginx, start_behind_fastcgi_pass, "power");
