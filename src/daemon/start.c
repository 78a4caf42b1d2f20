/* start.c - see server.h: limits, descriptors, listeners, the engine.
 *
 * Listening comes first and the database second, so that no client is refused
 * while it is being opened.  In between, after everything that needs root, the
 * daemon becomes the user of --user, so that the database's files belong to
 * that user.
 */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "api/admin/metrics.h"
#include "base/log.h"
#include "base/metric.h"
#include "daemon/privileges.h"
#include "daemon/server.h"

/* One in this many connections is kept for commands: the others may be parked.
 */
#define UNPARKED_SHARE 16
/* For --max-database auto: the maximum, and the room left for the log. */
#define MAX_DATABASE ((uint64_t)8 << 30)
#define LOG_BYTES ((uint64_t)8 << 20)

/* To the worker with the fewest connections, because they last. */
static void
add_connection(struct server *server, enum front_kind kind,
    struct certificate *certificate, int fd, const struct sockaddr *addr,
    socklen_t len)
{
	struct worker *best = &server->workers[0];

	if (fd < 0) {
		server->players.is_starved = true;
		return;
	}
	for (size_t i = 1; i < server->n_workers; i++)
		if (worker_n_connections(&server->workers[i]) <
		    worker_n_connections(best))
			best = &server->workers[i];
	worker_add_connection(best, kind, certificate, fd, addr, len);
	if (!front_has_capacity(&server->workers[0].front))
		server_note_full(server);
}

static void
on_http(void *cls, int fd, const struct sockaddr *addr, socklen_t len)
{
	add_connection(cls, FRONT_HTTP, NULL, fd, addr, len);
}

static void
on_https(void *cls, int fd, const struct sockaddr *addr, socklen_t len)
{
	struct server *server = cls;

	add_connection(server, FRONT_HTTPS, server->certificate, fd, addr, len);
}

static void
on_fastcgi(void *cls, int fd, const struct sockaddr *addr, socklen_t len)
{
	add_connection(cls, FRONT_FASTCGI, NULL, fd, addr, len);
}

void
server_apply_options(struct server *server)
{
	struct options *options = &server->options;
	struct front_settings *front = &server->workers[0].front.settings;
	size_t possible = server_find_capacity(server), most;
	uint64_t wanted = options->max_connections;
	uint64_t *max_parked = &options->settings.max_parked;

	log_set_level(options->log_level);
	if (options->is_max_database_auto)
		options->settings.max_database = server->auto_max_database;
	options_log_warnings(options);
	if (wanted > possible)
		log_warning("the descriptor limit allows only %zu "
			    "connections",
		    possible);
	front->max_connections = wanted == 0 || wanted > possible ?
	    possible :
	    (size_t)wanted;
	most = front->max_connections -
	    (front->max_connections + UNPARKED_SHARE - 1) / UNPARKED_SHARE;
	if (most == 0) /* with one connection; 0 would mean no limit */
		most = 1;
	if (*max_parked > most)
		log_warning("--max-parked is %zu, because some connections "
			    "are reserved for commands",
		    most);
	if (*max_parked == 0 || *max_parked > most)
		*max_parked = most;
	metric_set(METRIC_CONNECTIONS_MAX, front->max_connections);
	front->max_connections_per_address = (uint32_t)options
						 ->max_connections_per_address;
	front->max_unsent = (size_t)options->max_unsent;
	front->max_body = (size_t)options->max_body;
	front->idle_ms = (int64_t)options->idle_timeout_s * 1000;
	front->rest_ms = FRONT_REST_MS;
	front->request_timeout_ms = (int64_t)options->request_timeout_s * 1000;
	front->trusted = options->trusted;
	front->base_path = options->base_path;
	front->has_demo = options->has_demo;
	front->has_access_log = options->has_access_log;
	for (size_t i = 0; i < N_SIDES; i++)
		server->sides[i]
		    .front.settings.has_access_log = options->has_access_log;
	front->origins = options->origins;
	front->allows_any_origin = options->n_origins == 0;
	for (size_t i = 0; i < options->n_origins; i++)
		if (strcmp(options->origins[i], "*") == 0)
			front->allows_any_origin = true;
	for (size_t i = 1; i < PROCESS_MAX_LOOPS; i++)
		server->workers[i].front.settings = *front;
}

static bool
open_workers(struct server *server)
{
	front_shared_init(&server->players);
	while (server->n_workers < server->options.io_threads) {
		size_t i = server->n_workers++;

		if (!worker_open(&server->workers[i], (unsigned)i,
			&server->players, i > 0 ? server->workers : NULL))
			return false;
	}
	return true;
}

static bool
open_descriptors(struct server *server)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	/* Treat a limit on the size of files like a full disk. */
	signal(SIGXFSZ, SIG_IGN);
	server->signals.on_ready = server_on_signal;
	server->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (open_workers(server) && server->signal_fd >= 0 &&
	    loop_add(server->workers[0].front.loop, &server->signals,
		server->signal_fd, EPOLLIN) == 0)
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
	struct listen_access both;
	enum address_state state;
	bool is_tls;
	char why[LISTEN_WHY_SIZE];

	if (!listen_url_parse(text, &address, &is_tls, why))
		return false; /* config/table.c has accepted it */
	server->has_https |= is_tls;
	both = listen_access_or(&address.access, access);
	if (is_tls) {
		scheme = "https";
		on_connection = on_https;
	}
	state = server_look_at_address(server, text, &address, scheme);
	if (state != ADDRESS_FREE)
		return state == ADDRESS_LEFT;
	listener = listener_open(server->workers[0].front.loop, &address,
	    scheme, &both, on_connection, server, why, sizeof(why));
	if (!listener) {
		log_error("cannot listen on %s: %s", text, why);
		return false;
	}
	server->listeners[server->n_listeners++] = listener;
	return true;
}

/* Files of Unix sockets belong to the user that the daemon becomes. */
static void
own(const struct identity *identity, struct listen_access *access)
{
	if (!identity_is_other(identity))
		return;
	access->has_owner = true;
	access->owner = identity->uid;
	if (!access->has_group)
		access->group = identity->gid;
	access->has_group = true;
}

static bool
open_admin_listeners(struct server *server)
{
	const struct options *options = &server->options;
	struct side *side = &server->sides[SIDE_ADMIN];

	side->first = server->n_listeners;
	server_adopt(server, "admin", server_on_admin);
	for (size_t i = 0; i < options->n_admin; i++) {
		if (!open_listener(server, options->admin[i], "admin",
			&options->admin_access, server_on_admin))
			return false;
		server_warn_admin(options->admin[i]);
	}
	side->end = server->n_listeners;
	return true;
}

static bool
open_metrics_listeners(
    struct server *server, const struct listen_access *access)
{
	const struct options *options = &server->options;
	struct side *side = &server->sides[SIDE_METRICS];

	side->first = server->n_listeners;
	server_adopt(server, "metrics", server_on_metrics);
	for (size_t i = 0; i < options->n_metrics; i++)
		if (!open_listener(server, options->metrics[i], "metrics",
			access, server_on_metrics))
			return false;
	side->end = server->n_listeners;
	return true;
}

static bool
open_listeners(struct server *server)
{
	struct options *options = &server->options;
	struct listen_access plain = { .has_mode = false };

	own(&options->identity, &plain);
	own(&options->identity, &options->fastcgi_access);
	own(&options->identity, &options->admin_access);
	/* The service manager's sockets take the place of the default. */
	if (options->is_listen_default && server_has_public_socket(server))
		options->n_listen = 0;
	server_adopt(server, "http", on_http);
	server_adopt(server, "https", on_https);
	server->has_https = inherited_has(&server->inherited, "https");
	server_adopt(server, "fastcgi", on_fastcgi);
	for (size_t i = 0; i < options->n_listen; i++)
		if (!open_listener(
			server, options->listen[i], "http", &plain, on_http))
			return false;
	for (size_t i = 0; i < options->n_fastcgi; i++)
		if (!open_listener(server, options->fastcgi[i], "fastcgi",
			&options->fastcgi_access, on_fastcgi))
			return false;
	server->n_public = server->n_listeners;
	return open_admin_listeners(server) &&
	    open_metrics_listeners(server, &plain);
}

/* Before privileges are dropped: the key may be readable by root only. */
static bool
open_certificate(struct server *server)
{
	const struct options *options = &server->options;
	char why[CERTIFICATE_WHY_SIZE];

	if (server->has_https && !options->tls_cert) {
		log_error("cannot start: the inherited https socket needs a "
			  "--tls-cert and its --tls-key (or systemctl disable "
			  "--now peerpost-https.socket)");
		return false;
	}
	if (!options->tls_cert)
		return true;
	if (!server->has_https) {
		log_warning("--tls-cert and --tls-key are not used: there is "
			    "no https socket (--listen https://ADDR:PORT, or "
			    "systemctl enable peerpost-https.socket)");
		return true;
	}
	server->certificate = certificate_read(
	    options->tls_cert, options->tls_key, why);
	if (!server->certificate)
		log_error("cannot start: %s", why);
	return server->certificate != NULL;
}

static bool
open_pid_file(struct server *server)
{
	const char *path = server->options.pid_file;
	char why[256];

	if (!path || pid_file_open(&server->pid_file, path, why, sizeof(why)))
		return true;
	log_error("cannot use the pid file %s: %s", path, why);
	return false;
}

/* After everything that needs root; before the database is opened, so that its
 * files belong to the user. */
static bool
drop_rights(const struct options *options)
{
	char why[256];

	if (drop_privileges(&options->identity, why, sizeof(why)))
		return true;
	log_error("cannot change to --user and --group: %s", why);
	return false;
}

/* The default for how much the database may hold: nine tenths of the room for
 * it on its disk; the rest is for its log. */
static uint64_t
find_max_database(struct store *store)
{
	struct store_status status;
	uint64_t all, most;

	store->status(store, &status);
	if (status.free_bytes == UINT64_MAX)
		return MAX_DATABASE;
	all = status.free_bytes + status.size_bytes + status.log_bytes;
	most = all / 10 * 9;
	if (all - most < LOG_BYTES)
		most = all > 2 * LOG_BYTES ? all - LOG_BYTES : all / 2;
	return most < MAX_DATABASE ? most : MAX_DATABASE;
}

static bool
start_engine(struct server *server)
{
	struct options *options = &server->options;
	struct store *store;
	char why[512];

	store = sqlite_open(
	    options->database, options->durability, why, sizeof(why));
	if (!store && options->identity.has_user)
		log_error("%s (as user %u)", why, (unsigned)geteuid());
	else if (!store)
		log_error("%s", why);
	if (!store)
		return false;
	server->auto_max_database = find_max_database(store);
	if (options->is_max_database_auto)
		options->settings.max_database = server->auto_max_database;
	server->engine = engine_start(store, &options->settings);
	return server->engine != NULL;
}

/* End the workers that have been started, and the engine. */
static void
undo_workers(struct server *server)
{
	for (size_t i = 0; i < server->n_workers; i++)
		worker_end(&server->workers[i]);
	engine_stop(server->engine);
	for (size_t i = 0; i < server->n_workers; i++)
		worker_close_transports(&server->workers[i]);
	engine_free(server->engine);
	server->engine = NULL;
}

static bool
start_workers(struct server *server)
{
	for (size_t i = 0; i < server->n_workers; i++)
		worker_connect(&server->workers[i], server->engine);
	for (size_t i = 1; i < server->n_workers; i++) {
		if (worker_start(&server->workers[i]))
			continue;
		log_error("cannot start a thread: %s", strerror(errno));
		undo_workers(server);
		return false;
	}
	return true;
}

/* It serves from now on. */
static void
announce(struct server *server)
{
	if (geteuid() == 0 && !server->options.identity.has_user)
		log_warning("running as root, which is not needed: see "
			    "--user");
	if (!pid_file_write(&server->pid_file))
		log_warning("cannot write the pid file %s: %s",
		    server->options.pid_file, strerror(errno));
	for (size_t i = 0; i < server->n_listeners; i++)
		log_notice(
		    "listening on %s", listener_url(server->listeners[i]));
	server_say_ready(server,
	    server->has_left_out ?
		"serving, but not on every address (see the log)" :
		"serving");
}

bool
server_start(struct server *server)
{
	server_apply_options(server);
	if (!open_descriptors(server))
		return false;
	/* Listen first: two daemons then never share a database, and no client
	 * is refused while the database is being opened. */
	if (!server_inherit(server) || !open_listeners(server))
		return false;
	if (!open_certificate(server) || !open_pid_file(server) ||
	    !drop_rights(&server->options))
		return false;
	if (!start_engine(server))
		return false;
	metrics_init(server->options.database);
	if (!start_workers(server))
		return false;
	server_start_sides(server);
	watchdog_init(&server->watchdog);
	announce(server);
	return true;
}
