/* main.c - wiring, signals, and starting and stopping in order.
 *
 * Stopping (SIGTERM, SIGINT): stop accepting; answer the polls that are held;
 * go on executing and answering for up to 2 s, every reply closing its
 * connection; commit and close the database; 503 to whatever still comes;
 * close the connections; exit 0.
 */
#include "config.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "api/engine.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/log.h"
#include "net/fastcgi.h"
#include "net/http.h"
#include "net/listener.h"
#include "net/loop.h"
#include "options.h"

#define TICK_MS 1000
#define PAUSE_MS 2000 /* a tick later than this: the process stood still */
#define DRAIN_MS 2000 /* commands are still executed */
#define LOOK_MS 50    /* meanwhile, whether something has become idle */
#define FLUSH_MS 500  /* for the last replies to leave */

/* Descriptors that are no client's: database, log, epolls, eventfds, and some
 * to spare.  Each 16 connections need up to two more, of their cell. */
#define RESERVED_FDS 64
/* One connection in so many is kept for commands: the rest may be parked. */
#define UNPARKED_SHARE 16

struct server {
	struct options options;
	struct front front;
	struct http *http;
	struct fastcgi *fastcgi;
	struct listener *listeners[2 * OPTIONS_MAX_LISTEN];
	size_t n_listeners;
	struct loop_source wake, signals;
	int wake_fd, signal_fd;
	bool is_stopping;
	bool has_more;     /* the last round has left something */
	int64_t ran_ms;    /* clock_running_ms() of the last round */
	int64_t ticked_ms; /* clock_now_ms() of the last tick */
};

/* On the engine thread. */
static void
on_completed(void *cls)
{
	const struct server *server = cls;
	uint64_t one = 1;

	/* It fails only when the counter is full: the loop is awake then. */
	if (write(server->wake_fd, &one, sizeof(one)) < 0)
		return;
}

static void
on_wake(struct loop_source *source, uint32_t events)
{
	struct server *server = CONTAINER_OF(source, struct server, wake);
	uint64_t n;

	(void)events;
	if (read(server->wake_fd, &n, sizeof(n)) < 0)
		return;
	front_complete(engine_take_completed(server->front.engine));
}

static void
on_signal(struct loop_source *source, uint32_t events)
{
	struct server *server = CONTAINER_OF(source, struct server, signals);
	struct signalfd_siginfo info;

	(void)events;
	if (read(server->signal_fd, &info, sizeof(info)) < 0)
		return;
	server->is_stopping = true;
}

static void
pause_listeners(struct server *server, bool is_paused)
{
	for (size_t i = 0; i < server->n_listeners; i++)
		listener_pause(server->listeners[i], is_paused);
}

/* Connections wait in the kernel while there is no room for them.  At the end
 * of a round: before, one that looks idle may have a request not read yet. */
static void
admit(struct server *server)
{
	bool has_room = front_has_room(&server->front);

	if (!has_room && !http_make_room(server->http))
		fastcgi_make_room(server->fastcgi);
	pause_listeners(server, !has_room);
}

static void
on_http(void *cls, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct server *server = cls;

	http_accept(server->http, fd, addr, len);
	if (!front_has_room(&server->front))
		pause_listeners(server, true);
}

static void
on_fastcgi(void *cls, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct server *server = cls;

	fastcgi_accept(server->fastcgi, fd, addr, len);
	if (!front_has_room(&server->front))
		pause_listeners(server, true);
}

/* After a pause of the whole process, connections look overdue whose bytes
 * are there and have just not been read: they get until the next tick. */
static void
tick(struct server *server)
{
	int64_t now_ms = clock_now_ms(), running_ms = clock_running_ms();
	bool has_paused = running_ms - server->ran_ms > TICK_MS + PAUSE_MS;

	server->ran_ms = running_ms;
	if (now_ms - server->ticked_ms < clock_max_sleep_ms(TICK_MS))
		return;
	server->ticked_ms = now_ms;
	if (!has_paused) {
		http_expire(server->http);
		fastcgi_expire(server->fastcgi);
	}
	http_save_memory(server->http);
}

/* One round of the loop, waiting for max_ms at most. */
static void
run_round(struct server *server, int64_t max_ms)
{
	if (server->has_more || max_ms < 0)
		max_ms = 0;
	loop_wait(server->front.loop,
	    clock_max_sleep_ms(max_ms < TICK_MS ? (int)max_ms : TICK_MS));
	tick(server);
	server->has_more = http_run(server->http);
	server->has_more |= fastcgi_run(server->fastcgi);
	if (server->front.engine)
		engine_flush(server->front.engine);
	admit(server);
}

/* ---- starting ---- */

/* Raise the soft descriptor limit, and say how many connections fit. */
static size_t
raise_descriptor_limit(void)
{
	struct rlimit limit;
	size_t n;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 256;
	limit.rlim_cur = limit.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		getrlimit(RLIMIT_NOFILE, &limit);
	n = limit.rlim_cur > (rlim_t)1 << 24 ? (size_t)1 << 24 :
					       (size_t)limit.rlim_cur;
	return n > 2 * RESERVED_FDS ? (n - RESERVED_FDS) / 18 * 16 :
				      RESERVED_FDS;
}

static void
set_limits(struct server *server)
{
	struct options *options = &server->options;
	struct front_settings *front = &server->front.settings;
	size_t possible = raise_descriptor_limit();
	uint64_t wanted = options->max_connections;
	uint64_t *max_parked = &options->settings.max_parked;

	if (options->exposed_file)
		log_warning("everybody can read the secrets in '%s'",
		    options->exposed_file);
	if (wanted > possible)
		log_warning("the descriptor limit allows %zu connections "
			    "only",
		    possible);
	front->max_connections = wanted == 0 || wanted > possible ?
	    possible :
	    (size_t)wanted;
	if (*max_parked == 0)
		*max_parked = front->max_connections -
		    (front->max_connections + UNPARKED_SHARE - 1) /
			UNPARKED_SHARE;
	front->max_connections_per_address = (uint32_t)options
						 ->max_connections_per_address;
	front->max_body = (size_t)options->max_body;
	front->request_timeout_ms = (int64_t)options->request_timeout_s * 1000;
	front->trusted = options->trusted;
	front->base_path = options->base_path;
	front->has_demo = options->has_demo;
	front->origins = options->origins;
	front->allows_any_origin = options->n_origins == 0;
	for (size_t i = 0; i < options->n_origins; i++)
		if (strcmp(options->origins[i], "*") == 0)
			front->allows_any_origin = true;
}

static bool
open_descriptors(struct server *server)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	server->front.loop = loop_create();
	server->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	server->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	server->wake.on_ready = on_wake;
	server->signals.on_ready = on_signal;
	if (server->front.loop && server->wake_fd >= 0 &&
	    server->signal_fd >= 0 &&
	    loop_add(server->front.loop, &server->wake, server->wake_fd,
		EPOLLIN) == 0 &&
	    loop_add(server->front.loop, &server->signals, server->signal_fd,
		EPOLLIN) == 0)
		return true;
	log_error("cannot start: %s", strerror(errno));
	return false;
}

static bool
open_listener(struct server *server, const char *text, const char *scheme,
    const struct listen_access *access, listener_accept_fn on_connection)
{
	struct listen_address address;
	struct listener *listener;
	char why[256];

	if (!listen_address_parse(text, &address))
		return false; /* options.c has let it pass */
	listener = listener_open(server->front.loop, &address, scheme, access,
	    on_connection, server, why, sizeof(why));
	if (!listener) {
		log_error("cannot listen on %s: %s", text, why);
		return false;
	}
	server->listeners[server->n_listeners++] = listener;
	return true;
}

static bool
open_listeners(struct server *server)
{
	const struct options *options = &server->options;

	for (size_t i = 0; i < options->n_listen; i++)
		if (!open_listener(
			server, options->listen[i], "http", NULL, on_http))
			return false;
	for (size_t i = 0; i < options->n_fastcgi; i++)
		if (!open_listener(server, options->fastcgi[i], "fastcgi",
			&options->fastcgi_access, on_fastcgi))
			return false;
	return true;
}

static void
close_listeners(struct server *server)
{
	for (size_t i = 0; i < server->n_listeners; i++)
		listener_close(server->listeners[i]);
	server->n_listeners = 0;
}

static bool
start(struct server *server)
{
	const struct options *options = &server->options;
	struct store *store;
	char why[512];

	set_limits(server);
	if (!open_descriptors(server))
		return false;
	/* Listen first: two daemons then never share a database, and nobody
	 * is refused while the database is being opened. */
	if (!open_listeners(server))
		return false;
	store = sqlite_open(
	    options->database, options->durability, why, sizeof(why));
	if (!store) {
		log_error("%s", why);
		return false;
	}
	server->front.engine = engine_start(
	    store, &options->settings, on_completed, server);
	if (!server->front.engine)
		return false;
	server->http = http_create(&server->front);
	server->fastcgi = fastcgi_create(&server->front);
	for (size_t i = 0; i < server->n_listeners; i++)
		fprintf(stderr, "listening on %s\n",
		    listener_url(server->listeners[i]));
	return true;
}

/* ---- stopping ---- */

static void
drain(struct server *server)
{
	int64_t until_ms = clock_now_ms() + DRAIN_MS;

	close_listeners(server);
	server->front.is_draining = true;
	engine_drain(server->front.engine);
	engine_flush(server->front.engine);
	while (server->front.n_connections > 0 && clock_now_ms() < until_ms)
		run_round(server, LOOK_MS);
}

static void
stop_engine(struct server *server)
{
	struct engine *engine = server->front.engine;

	engine_stop(engine);
	server->front.engine = NULL;
	front_complete(engine_take_completed(engine));
	engine_free(engine);
	loop_remove(server->front.loop, &server->wake, server->wake_fd);
	server->has_more = true; /* what was given back is to be written */
}

static void
flush(struct server *server)
{
	int64_t until_ms = clock_now_ms() + FLUSH_MS;

	while (server->front.n_connections > 0 && clock_now_ms() < until_ms) {
		run_round(server, until_ms - clock_now_ms());
		if (!http_is_busy(server->http) &&
		    !fastcgi_is_busy(server->fastcgi))
			return;
	}
}

static void
stop(struct server *server)
{
	log_info("stopping");
	drain(server);
	stop_engine(server);
	flush(server);
	http_free(server->http);
	fastcgi_free(server->fastcgi);
}

static void
close_descriptors(struct server *server)
{
	close_listeners(server);
	loop_free(server->front.loop);
	close(server->wake_fd);
	close(server->signal_fd);
}

int
main(int argc, char **argv)
{
	static struct server server;
	int status = options_parse(&server.options, argc, argv);

	if (status >= 0)
		return status;
	log_set_level(server.options.log_level);
	clock_init();
	status = EXIT_FAILURE;
	if (start(&server)) {
		while (!server.is_stopping)
			run_round(&server, TICK_MS);
		stop(&server);
		status = EXIT_SUCCESS;
	}
	close_descriptors(&server);
	return status;
}
