/* server.h - the daemon as a whole: what is wired together.
 *
 * Floor: top.  Main thread.
 *
 * The pieces: main.c (signals, rounds), worker.c (loops and their threads),
 * server_start.c (everything up to the first round), server_inherit.c (sockets
 * of the service manager's), server_admin.c (the admin listener),
 * server_reload.c (reading the configuration again), server_status.c (what the
 * service manager shows), server_stop.c (stopping in order).
 */
#ifndef PEERPOST_SERVER_H
#define PEERPOST_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/process.h"
#include "net/certificate.h"
#include "net/front.h"
#include "net/http.h"
#include "net/inherited.h"
#include "net/listener.h"
#include "net/loop.h"
#include "options.h"
#include "pid_file.h"
#include "watchdog.h"
#include "worker.h"

struct server {
	struct options options;
	int argc; /* where they came from */
	char **argv;
	/* The first is the main thread's, and has whatever is not another's. */
	struct worker workers[PROCESS_MAX_LOOPS];
	size_t n_workers;
	struct front_shared players;
	uint64_t room_bytes;      /* what --max-database auto means */
	struct engine *engine;    /* NULL: not yet, or no more */
	struct front admin_front; /* with room of its own */
	struct front_shared admins;
	struct http *admin_http;
	struct inherited inherited;
	bool has_left_out; /* an address: an inherited socket is in its way */
	/* First those of the players, then those of --admin. */
	struct listener *listeners[INHERITED_MAX + 3 * OPTIONS_MAX_LISTEN];
	size_t n_listeners, n_public;
	bool has_https; /* among them */
	struct loop_source signals;
	int signal_fd;
	struct certificate *certificate; /* NULL: no https listeners */
	struct pid_file pid_file;
	struct watchdog watchdog;
	bool is_stopping;
	bool is_alone; /* the workers are paused: the main thread runs them */
	bool has_more; /* the admin listener's last round has left something */

	/* server_status.c */
	const char *state; /* "serving", and how the last reload went */
	char said[160];    /* the last STATUS= with numbers */
	int64_t said_ms;
};

/* One round of the loop, waiting for max_ms at most. */
void server_run_round(struct server *server, int64_t max_ms);
/* Stop or go on taking the connections of players. */
void server_pause_listeners(struct server *server, bool is_paused);

/* Open everything.  signals.on_ready must be set.  false: it cannot (logged).
 * Either way server_close_descriptors() is to be called at the end. */
bool server_start(struct server *server);

/* Do what the options say about limits, and about the loops' part in everything
 * that may change while the server runs. */
void server_apply_options(struct server *server);

/* server_inherit.c */

/* Look at the sockets that the service manager has opened.  false: they make
 * no sense (logged). */
bool server_inherit(struct server *server);
/* Whether there is a door to players among them. */
bool server_has_inherited_door(const struct server *server);
/* Serve on those of this name. */
void server_adopt(
    struct server *server, const char *name, listener_accept_fn on_connection);
/* Whether an address of the options, which is text, must not be opened, since an
 * inherited socket has it or is in its way (logged).  scheme: the protocol that
 * the options want there, named like inherited sockets. */
bool server_leaves_to_manager(struct server *server, const char *text,
    const struct listen_address *address, const char *scheme);

/* server_admin.c */

/* Take a connection (listener_accept_fn; cls is the struct server). */
void server_on_admin(
    void *cls, int fd, const struct sockaddr *addr, socklen_t len);
/* Warn of an address that other machines can reach. */
void server_warn_admin(const char *text);
/* Serve, by the engine that players are served by. */
void server_start_admin(struct server *server);
/* The admin listener's part of a round.  Returns whether something is left for
 * the next. */
bool server_run_admin(struct server *server);

/* server_status.c */

/* Tell the service manager that the server is ready, and how: state is static.
 */
void server_say_ready(struct server *server, const char *state);
/* Tell it how many there are, if that has changed; not more often than every
 * few seconds.  Once a second. */
void server_say_status(struct server *server);

/* End what server_start() has opened, as main.c's opening says. */
void server_stop(struct server *server);
void server_close_descriptors(struct server *server);

#endif
