/* contender.c - see contender.h. */
#include "bench/contender.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define START_MS 20000
#define MAX_BODY ((size_t)1 << 20)

const char *peerpostd_path, *bare_path;

const struct contender *const contenders[] = { &contender_power,
	&contender_process, &contender_loops, &contender_nginx,
	&contender_fastcgi, &contender_bare, &contender_nchan,
	&contender_nchan_redis, NULL };

void
server_complain(const struct server *server, const char *what)
{
	fprintf(stderr, "bench: %s: %s; see %s\n", server->contender->name,
	    what, server->folder);
}

void
server_complain_of(const struct server *server, const char *what,
    const struct response *response)
{
	if (!response)
		fprintf(stderr, "bench: %s: %s: the connection is lost\n",
		    server->contender->name, what);
	else
		fprintf(stderr, "bench: %s: %s: %.*s\n%.*s\n",
		    server->contender->name, what, (int)response->head.len,
		    response->head.at, (int)response->body.len,
		    response->body.at);
}

static bool
start(struct server *server)
{
	server->port = process_free_port();
	if (!server->contender->start(server)) {
		server_complain(server, strerror(errno));
		return false;
	}
	if (!process_wait_for_port(
		&server->processes, server->port, START_MS)) {
		server_complain(server, "does not come up");
		server_stop(server);
		return false;
	}
	return true;
}

bool
server_start(struct server *server, const struct contender *contender,
    const char *folder)
{
	static unsigned n_started;

	*server = (struct server){ .contender = contender };
	snprintf(server->folder, sizeof(server->folder), "%s/%u-%s", folder,
	    ++n_started, contender->name);
	if (mkdir(server->folder, 0755) < 0) {
		server_complain(server, strerror(errno));
		return false;
	}
	return start(server);
}

bool
server_restart(struct server *server)
{
	return start(server);
}

void
server_stop(struct server *server)
{
	process_stop(&server->processes, server->contender->stop_signal);
}

void
write_post(
    struct buf *out, const char *target, const char *fields, struct span body)
{
	buf_add_text(out, "POST ");
	buf_add_text(out, target);
	buf_add_text(out, " HTTP/1.1\r\nHost: 127.0.0.1\r\n");
	buf_add_text(out, fields);
	buf_add_text(out, "Content-Length: ");
	buf_add_int(out, (int64_t)body.len);
	buf_add_text(out, "\r\n\r\n");
	buf_add_span(out, body);
}

void
write_post_payload(
    struct buf *out, const char *target, const struct payload *payload)
{
	struct buf body;

	buf_init(&body, MAX_BODY);
	for (size_t i = 0; i < payload->n; i++)
		buf_add_span(&body, payload->items[i]);
	write_post(out, target, "", buf_span(&body));
	buf_fini(&body);
}

const char *
find_program(const char *name)
{
	static const char *const folders[] = { "/usr/sbin", "/usr/bin",
		"/usr/local/sbin", "/usr/local/bin" };
	static char path[256];

	for (size_t i = 0; i < sizeof(folders) / sizeof(folders[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", folders[i], name);
		if (access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}
