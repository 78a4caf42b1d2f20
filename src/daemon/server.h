/* server.h - the daemon as a whole.
 *
 * Floor: daemon.  Main thread.
 *
 * The pieces: round.c (signals, rounds), worker.c (loops and their threads),
 * start.c (everything up to the first round), inherit.c (sockets from the
 * service manager), admin.c (the operator's listeners), capacity.c (making room
 * for connections), reload.c (reading the configuration again), status.c (the
 * status that the service manager shows), stop.c (an orderly stop).
 */
#ifndef PEERPOST_DAEMON_SERVER_H
#define PEERPOST_DAEMON_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/process.h"
#include "config/options.h"
#include "daemon/pidfile.h"
#include "daemon/watchdog.h"
#include "daemon/worker.h"
#include "net/certificate.h"
#include "net/front.h"
#include "net/http/http.h"
#include "net/inherited.h"
#include "net/listener.h"
#include "net/loop.h"

/* A class of listeners that are not for players: --admin and --metrics.  It has
 * its own room, so it can be reached when players have taken all of theirs.
 */
enum { SIDE_ADMIN, SIDE_METRICS, N_SIDES };

struct side {
	struct front front;
	struct front_shared shared;
	struct http *http;
	size_t first, end; /* its listeners */
};

struct server {
	struct options options;
	int argc; /* where they came from */
	char **argv;
	/* The first is the main thread's, and has everything that belongs to no
	 * other. */
	struct worker workers[PROCESS_MAX_LOOPS];
	size_t n_workers;
	struct front_shared players;
	uint64_t auto_max_database; /* the value of --max-database auto */
	struct engine *engine;      /* NULL: not started, or stopped */
	struct side sides[N_SIDES];
	struct inherited inherited;
	bool has_left_out; /* an address, taken by an inherited socket */
	/* The players' first, then those of the sides in order. */
	struct listener *listeners[INHERITED_MAX + 4 * OPTIONS_MAX_LISTEN];
	size_t n_listeners, n_public;
	bool has_https; /* among them */
	struct loop_source signals;
	int signal_fd;
	struct certificate *certificate; /* NULL: no https listeners */
	struct pid_file pid_file;
	struct watchdog watchdog;
	bool is_stopping;
	bool is_alone;   /* the workers are paused: the main thread runs them */
	bool has_more;   /* a side's last round has left work */
	int64_t full_ms; /* capacity.c: when there was no room last */

	/* status.c */
	const char *state; /* "serving", and how the last reload went */
	char said[160];    /* the last STATUS= with numbers */
	int64_t said_ms;
};

/* round.c */

/* A signal has come in (on_ready of a loop_source). */
void server_on_signal(struct loop_source *source, uint32_t events);
/* One round of the loop, waiting for max_ms at most. */
void server_run_round(struct server *server, int64_t max_ms);

/* capacity.c */

/* How many connections of players the descriptors suffice for; raises their
 * soft limit. */
size_t server_find_capacity(const struct server *server);
/* There is no room for more connections of players: stop accepting them. */
void server_note_full(struct server *server);
/* At the end of a round: accept connections if there is room for them. */
void server_admit(struct server *server);

/* Open everything.  false: it failed (logged).  Either way
 * server_close_descriptors() must be called at the end. */
bool server_start(struct server *server);

/* Apply the options about limits, and the loops' part of all options that may
 * change while the server runs. */
void server_apply_options(struct server *server);

/* inherit.c */

/* Look at the sockets that the service manager has opened.  false: they are not
 * usable (logged). */
bool server_inherit(struct server *server);
/* Whether any of them is for players. */
bool server_has_public_socket(const struct server *server);
/* Serve on the sockets with this name. */
void server_adopt(
    struct server *server, const char *name, listener_accept_fn on_connection);
enum address_state {
	ADDRESS_FREE,   /* it can be opened */
	ADDRESS_LEFT,   /* leave it: an inherited socket serves there */
	ADDRESS_REFUSED /* an inherited socket serves something else there */
};

/* How an address from the options (text) goes together with the inherited
 * sockets (logged).  scheme: the protocol that the options ask for there, named
 * like inherited sockets. */
enum address_state server_look_at_address(struct server *server,
    const char *text, const struct listen_address *address, const char *scheme);

/* admin.c */

/* The most connections that all of them may have together. */
#define SERVER_SIDE_CONNECTIONS 24

/* Add a connection (listener_accept_fn; cls is the struct server). */
void server_on_admin(
    void *cls, int fd, const struct sockaddr *addr, socklen_t len);
void server_on_metrics(
    void *cls, int fd, const struct sockaddr *addr, socklen_t len);
/* Warn of an address of --admin that other machines can reach. */
void server_warn_admin(const char *text);
/* Serve, with the engine that also serves players. */
void server_start_sides(struct server *server);
/* Their part of a round.  Returns whether work is left for the next. */
bool server_run_sides(struct server *server);
/* Whether any request or reply is under way there. */
bool server_has_busy_side(const struct server *server);

/* status.c */

/* Tell the service manager that the server is ready, and its state, a static
 * text.
 */
void server_say_ready(struct server *server, const char *state);
/* Tell it the numbers of players, rooms and polls if they have changed, at most
 * every few seconds.  Call once a second. */
void server_say_status(struct server *server);

/* reload.c */

/* Read the command line and the configuration file again, with the files that
 * they name, and apply them.  An option that takes effect only at the start
 * keeps its value; if it has changed, a warning is logged.
 * false: something is wrong (logged, one line), or the server is stopping;
 * everything is as it was. */
bool server_reload(struct server *server);

/* The error, when server_reload() has just failed. */
const char *server_reload_problem(void);

/* Close everything that server_start() has opened, in the order that stop.c
 * describes. */
void server_stop(struct server *server);
void server_close_descriptors(struct server *server);

#endif
