/* server.h - the daemon as a whole: what is wired together.
 *
 * Floor: daemon.  Main thread.
 *
 * The pieces: round.c (signals, rounds), worker.c (loops and their threads),
 * start.c (everything up to the first round), inherit.c (sockets
 * of the service manager's), admin.c (the listeners that are not players'),
 * capacity.c (what happens when there is no room for more connections),
 * reload.c (reading the configuration again), status.c (what the
 * service manager shows), stop.c (stopping in order).
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

/* A class of listeners that is not the players': --admin and --metrics.  It has
 * room of its own, so that it opens when players have taken all that there is.
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
	/* The first is the main thread's, and has whatever is not another's. */
	struct worker workers[PROCESS_MAX_LOOPS];
	size_t n_workers;
	struct front_shared players;
	uint64_t auto_max_database; /* what --max-database auto means */
	struct engine *engine;      /* NULL: not yet, or no more */
	struct side sides[N_SIDES];
	struct inherited inherited;
	bool has_left_out; /* an address: an inherited socket is in its way */
	/* First those of the players, then those of the sides in order. */
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
	bool has_more;   /* a side's last round has left something */
	int64_t full_ms; /* capacity.c: when there was last no room */

	/* status.c */
	const char *state; /* "serving", and how the last reload went */
	char said[160];    /* the last STATUS= with numbers */
	int64_t said_ms;
};

/* round.c */

/* A signal has come (loop_source's on_ready). */
void server_on_signal(struct loop_source *source, uint32_t events);
/* One round of the loop, waiting for max_ms at most. */
void server_run_round(struct server *server, int64_t max_ms);

/* capacity.c */

/* How many connections of players fit into the descriptors that there are;
 * their soft limit is raised. */
size_t server_find_capacity(const struct server *server);
/* There is no room for more connections of players: stop taking them. */
void server_note_full(struct server *server);
/* At the end of a round: take connections if there is room for them. */
void server_admit(struct server *server);

/* Open everything.  false: it cannot (logged).  Either way
 * server_close_descriptors() is to be called at the end. */
bool server_start(struct server *server);

/* Do what the options say about limits, and about the loops' part in everything
 * that may change while the server runs. */
void server_apply_options(struct server *server);

/* inherit.c */

/* Look at the sockets that the service manager has opened.  false: they make
 * no sense (logged). */
bool server_inherit(struct server *server);
/* Whether there is one for players among them. */
bool server_has_public_socket(const struct server *server);
/* Serve on those of this name. */
void server_adopt(
    struct server *server, const char *name, listener_accept_fn on_connection);
enum address_state {
	ADDRESS_FREE,   /* it can be opened */
	ADDRESS_LEFT,   /* it must not be: an inherited socket serves there */
	ADDRESS_REFUSED /* and an inherited socket would serve something else */
};

/* What becomes of an address of the options, which is text, with the sockets
 * that have been inherited (logged).  scheme: the protocol that the options
 * want there, named like inherited sockets. */
enum address_state server_look_at_address(struct server *server,
    const char *text, const struct listen_address *address, const char *scheme);

/* admin.c */

/* As many connections as all of them may have. */
#define SERVER_SIDE_CONNECTIONS 24

/* Take a connection (listener_accept_fn; cls is the struct server). */
void server_on_admin(
    void *cls, int fd, const struct sockaddr *addr, socklen_t len);
void server_on_metrics(
    void *cls, int fd, const struct sockaddr *addr, socklen_t len);
/* Warn of an address of --admin that other machines can reach. */
void server_warn_admin(const char *text);
/* Serve, by the engine that players are served by. */
void server_start_sides(struct server *server);
/* Their part of a round.  Returns whether something is left for the next. */
bool server_run_sides(struct server *server);
/* Whether some request is under way there, or some reply. */
bool server_has_busy_side(const struct server *server);

/* status.c */

/* Tell the service manager that the server is ready, and how: state is static.
 */
void server_say_ready(struct server *server, const char *state);
/* Tell it how many there are, if that has changed; not more often than every
 * few seconds.  Once a second. */
void server_say_status(struct server *server);

/* reload.c */

/* Read the command line and the configuration file again, with the files that
 * they name, and go by them from now on.  Of an option that takes effect at the
 * start only, there is a warning if it has changed, and its value stays.
 * false: something is wrong (logged, one line), or the server is stopping;
 * everything is as it was. */
bool server_reload(struct server *server);

/* What was wrong, when server_reload() has just failed. */
const char *server_reload_problem(void);

/* End what server_start() has opened, as stop.c's opening says. */
void server_stop(struct server *server);
void server_close_descriptors(struct server *server);

#endif
