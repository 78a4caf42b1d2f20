/* table.c - see table.h. */
#include "config/table.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/process.h"
#include "base/text.h"
#include "config/ice.h"
#include "config/tls.h"
#include "net/origin.h"

#define MIN_DATABASE ((uint64_t)1 << 20)
#define MAX_DATABASE ((uint64_t)1 << 40)
#define MAX_BASE_PATH 128
#define MAX_NAME 40 /* of an option, to be looked for */

static bool
take_file(struct options *options, const char **out, const char *text)
{
	if (!text[0])
		return options_refuse(options, "the name of the file is empty");
	*out = text;
	return true;
}

static bool
take_address(struct options *options, const char *addresses[OPTIONS_MAX_LISTEN],
    size_t *n, const char *text)
{
	struct listen_address address;

	if (*n == OPTIONS_MAX_LISTEN)
		return options_refuse(options, "there are more than %d of them",
		    OPTIONS_MAX_LISTEN);
	if (!listen_address_parse(text, &address, options->why))
		return false;
	addresses[(*n)++] = text;
	return true;
}

static bool
take_fastcgi(struct options *options, const char *text)
{
	return take_address(
	    options, options->fastcgi, &options->n_fastcgi, text);
}

static bool
take_admin(struct options *options, const char *text)
{
	return take_address(options, options->admin, &options->n_admin, text);
}

static bool
take_metrics(struct options *options, const char *text)
{
	return take_address(
	    options, options->metrics, &options->n_metrics, text);
}

static bool
take_fastcgi_mode(struct options *options, const char *text)
{
	return listen_access_set_mode(
	    &options->fastcgi_access, text, options->why);
}

static bool
take_fastcgi_group(struct options *options, const char *text)
{
	return listen_access_set_group(
	    &options->fastcgi_access, text, options->why);
}

static bool
take_admin_mode(struct options *options, const char *text)
{
	return listen_access_set_mode(
	    &options->admin_access, text, options->why);
}

static bool
take_admin_group(struct options *options, const char *text)
{
	return listen_access_set_group(
	    &options->admin_access, text, options->why);
}

static bool
take_trusted_proxy(struct options *options, const char *text)
{
	if (trusted_proxies_add(&options->trusted, text))
		return true;
	if (options->trusted.n_blocks == TRUSTED_MAX)
		return options_refuse(
		    options, "there are more than %d of them", TRUSTED_MAX);
	return options_refuse(options,
	    "'%.100s' is not an address: use one, a block such as 10.0.0.0/8 "
	    "or 2001:db8::/32, unix or none; host names are not looked up",
	    text);
}

static bool
take_database(struct options *options, const char *text)
{
	return take_file(options, &options->database, text);
}

/* "auto", or bytes, or so many K, M or G of them; 0: no bound. */
static bool
take_max_database(struct options *options, const char *text)
{
	static const char units[] = "KMG";
	size_t len = strlen(text);
	const char *unit = len ? strchr(units, text[len - 1]) : NULL;
	uint64_t factor = 1, n;

	options->is_max_database_auto = strcmp(text, "auto") == 0;
	if (options->is_max_database_auto)
		return true;
	if (unit) {
		factor = (uint64_t)1024 << 10 * (unit - units);
		len--;
	}
	if (text_to_uint(
		(struct span){ text, len }, MAX_DATABASE / factor, &n) &&
	    (n == 0 || n * factor >= MIN_DATABASE)) {
		options->settings.max_database = n * factor;
		return true;
	}
	return options_refuse(options,
	    "'%.100s' is not auto, 0, or a size from 1M to 1024G", text);
}

static bool
take_durability(struct options *options, const char *text)
{
	if (strcmp(text, "power") == 0)
		options->durability = DURABILITY_POWER;
	else if (strcmp(text, "process") == 0)
		options->durability = DURABILITY_PROCESS;
	else
		return false;
	return true;
}

/* "/signal"; a slash at the end is let pass, "/" is as good as nothing. */
static bool
take_base_path(struct options *options, const char *text)
{
	size_t len = strlen(text);
	char *path;

	if (len > MAX_BASE_PATH)
		return options_refuse(options,
		    "a base path has at most %d bytes, and this one %zu",
		    MAX_BASE_PATH, len);
	if (strpbrk(text, "?#%\"<> \t"))
		return options_refuse(options,
		    "'%.100s' is not a path: it has a blank or one of ?#%%\"<>",
		    text);
	if (len && text[0] != '/')
		return options_refuse(options,
		    "'%.100s' does not begin with a slash: use a path such as "
		    "/signal",
		    text);
	if (strstr(text, "//"))
		return options_refuse(
		    options, "'%.100s' has two slashes in a row", text);
	path = options_keep_text(options, text);
	if (len && path[len - 1] == '/')
		path[len - 1] = '\0';
	options->base_path = path;
	return true;
}

static bool
take_origin(struct options *options, const char *text)
{
	char origin[ORIGIN_SIZE];

	static_assert(sizeof(options->why) >= ORIGIN_WHY_SIZE, "it fits");
	if (options->n_origins == OPTIONS_MAX_ORIGINS)
		return options_refuse(options, "there are more than %d of them",
		    OPTIONS_MAX_ORIGINS);
	if (!origin_normalise(text, origin, options->why))
		return false;
	options->origins[options->n_origins++] = options_keep_text(
	    options, origin);
	return true;
}

static bool
take_config(struct options *options, const char *text)
{
	return take_file(options, &options->config_file, text);
}

static bool
take_log_level(struct options *options, const char *text)
{
	return log_level_parse(span_of(text), &options->log_level);
}

static bool
take_log_format(struct options *options, const char *text)
{
	static const char *const names[] = { "text", "logfmt", "json" };

	for (int i = 0; i < 3; i++) {
		if (strcmp(text, names[i]) == 0) {
			options->log_format = (enum log_format)i;
			return true;
		}
	}
	return false;
}

static bool
take_user(struct options *options, const char *text)
{
	return identity_set_user(&options->identity, text) ||
	    options_refuse(options,
		"there is no user '%.100s': use the name or number of one",
		text);
}

static bool
take_own_group(struct options *options, const char *text)
{
	return identity_set_group(&options->identity, text) ||
	    options_refuse(options,
		"there is no group '%.100s': use the name or number of one",
		text);
}

static bool
take_pid_file(struct options *options, const char *text)
{
	return take_file(options, &options->pid_file, text);
}

#define AT(field) offsetof(struct options, field)
#define MAX_COUNT 1000000000u
#define MAX_SECONDS 31536000u /* a year */

/* clang-format off */
const struct option_spec option_specs[] = {
	{ "config", "FILE", "read further options from this file",
	  TYPE_TEXT, 0, 0, 0, 0, take_config, OPTION_COMMAND, NULL },
	{ "check-config", NULL, "say what is wrong, or print the settings as such a file",
	  TYPE_FLAG, 0, 0, 0, 0, NULL, OPTION_COMMAND, NULL },
	{ "listen", "ADDR:PORT", "where to serve HTTP: IPv4, [IPv6]:PORT, over TLS\n        https://ADDR:PORT, or unix:PATH[,mode=MODE][,group=GROUP]; port 0\n        picks a free one",
	  TYPE_TEXT, 0, 0, 0, 0, options_take_listen, OPTION_REPEATABLE | OPTION_FIXED, "127.0.0.1:8080" },
	{ "tls-cert", "FILE", "the certificate of https listeners, with its chain (PEM)",
	  TYPE_TEXT, 0, 0, 0, 0, options_take_tls_cert, 0, NULL },
	{ "tls-key", "FILE", "its private key (PEM)",
	  TYPE_TEXT, 0, 0, 0, 0, options_take_tls_key, 0, NULL },
	{ "fastcgi", "ADDR:PORT", "where to serve FastCGI, beside or instead of HTTP",
	  TYPE_TEXT, 0, 0, 0, 0, take_fastcgi, OPTION_REPEATABLE | OPTION_FIXED, NULL },
	{ "fastcgi-mode", "MODE", "permissions of the Unix sockets of --fastcgi, octal",
	  TYPE_TEXT, 0, 0, 0, 0, take_fastcgi_mode, OPTION_FIXED, "0660" },
	{ "fastcgi-group", "GROUP", "group of the Unix sockets of --fastcgi, if not the daemon's own",
	  TYPE_TEXT, 0, 0, 0, 0, take_fastcgi_group, OPTION_FIXED, NULL },
	{ "admin", "ADDR:PORT", "where to serve the operator, see peerpostctl(8)",
	  TYPE_TEXT, 0, 0, 0, 0, take_admin, OPTION_REPEATABLE | OPTION_FIXED, NULL },
	{ "admin-mode", "MODE", "permissions of the Unix sockets of --admin, octal",
	  TYPE_TEXT, 0, 0, 0, 0, take_admin_mode, OPTION_FIXED, "0600" },
	{ "admin-group", "GROUP", "group of the Unix sockets of --admin, if not the daemon's own",
	  TYPE_TEXT, 0, 0, 0, 0, take_admin_group, OPTION_FIXED, NULL },
	{ "metrics", "ADDR:PORT", "where to serve /metrics, /healthz and /readyz only",
	  TYPE_TEXT, 0, 0, 0, 0, take_metrics, OPTION_REPEATABLE | OPTION_FIXED, NULL },
	{ "trusted-proxy", "CIDR|unix|none", "believe what these proxies say of their clients'\n        addresses",
	  TYPE_TEXT, 0, 0, 0, 0, take_trusted_proxy, OPTION_REPEATABLE, "127.0.0.0/8 ::1 unix" },
	{ "database", "FILE", "the SQLite database",
	  TYPE_TEXT, 0, 0, 0, 0, take_database, OPTION_FIXED, "./peerpost.db" },
	{ "durability", "power|process", "power: what is acknowledged survives a power cut; process: it\n        survives a crash of the daemon",
	  TYPE_TEXT, 0, 0, 0, 0, take_durability, OPTION_FIXED, "power" },
	{ "max-database", "SIZE", "size of what the database holds, in bytes or with K, M or G;\n        0: no bound; auto: what the disk has room for, up to 8G",
	  TYPE_TEXT, 0, 0, 0, 0, take_max_database, 0, "auto" },
	{ "base-path", "PATH", "serve everything below this prefix",
	  TYPE_TEXT, 0, 0, 0, 0, take_base_path, 0, NULL },
	{ "cors-origin", "ORIGIN", "let pages of this origin in",
	  TYPE_TEXT, 0, 0, 0, 0, take_origin, OPTION_REPEATABLE, "*" },
	{ "demo", NULL, "serve a demo for browsers at /demo/",
	  TYPE_SWITCH, AT(has_demo), 0, 0, 0, NULL, 0, NULL },
	{ "ice-server", "URL[,USERNAME,CREDENTIAL]", "tell clients of this STUN or TURN server",
	  TYPE_TEXT, 0, 0, 0, 0, options_take_ice_server, OPTION_REPEATABLE | OPTION_CREDENTIAL, NULL },
	{ "turn-uri", "URL", "tell clients of this TURN server, with time-limited\n        credentials",
	  TYPE_TEXT, 0, 0, 0, 0, options_take_turn_uri, OPTION_REPEATABLE, NULL },
	{ "turn-secret", "SECRET", "what the servers of --turn-uri check credentials with; the first\n        makes them, further ones are on their way out",
	  TYPE_TEXT, 0, 0, 0, 0, options_take_turn_secret, OPTION_REPEATABLE | OPTION_SECRET, NULL },
	{ "turn-secret-file", "FILE", "the same from a file, one a line",
	  TYPE_TEXT, 0, 0, 0, 0, options_take_turn_secret_file, OPTION_REPEATABLE, NULL },
	{ "turn-ttl", "SECONDS", "how long such credentials are good",
	  TYPE_UINT, AT(settings.ice.turn_ttl_s), 43200, 1, MAX_SECONDS, NULL, 0, NULL },
	{ "player-timeout", "SECONDS", "end a session that makes no request for so long",
	  TYPE_SECONDS, AT(settings.player_timeout_ms), 120, 0, MAX_SECONDS, NULL, 0, NULL },
	{ "lobby-timeout", "SECONDS", "end a session that is in no room for so long",
	  TYPE_SECONDS, AT(settings.lobby_timeout_ms), 1800, 0, MAX_SECONDS, NULL, 0, NULL },
	{ "room-timeout", "SECONDS", "close a room without any command for so long",
	  TYPE_SECONDS, AT(settings.room_timeout_ms), 0, 0, MAX_SECONDS, NULL, 0, NULL },
	{ "sealed-linger", "SECONDS", "close a room so long after it was sealed",
	  TYPE_SECONDS, AT(settings.sealed_linger_ms), 0, 0, MAX_SECONDS, NULL, 0, NULL },
	{ "poll-wait", "SECONDS", "hold a poll for so long if it does not say",
	  TYPE_SECONDS, AT(settings.poll_wait_ms), 25, 0, 3600, NULL, 0, NULL },
	{ "poll-wait-max", "SECONDS", "hold no poll for longer",
	  TYPE_SECONDS, AT(settings.poll_wait_max_ms), 55, 1, 3600, NULL, 0, NULL },
	{ "request-timeout", "SECONDS", "time for a request to arrive whole",
	  TYPE_UINT, AT(request_timeout_s), 15, 1, 3600, NULL, 0, NULL },
	{ "idle-timeout", "SECONDS", "close a connection that is idle between requests for so long",
	  TYPE_UINT, AT(idle_timeout_s), 75, 1, 3600, NULL, 0, NULL },
	{ "max-body", "BYTES", "size of a request's body",
	  TYPE_UINT, AT(max_body), 65536, 1, 4 << 20, NULL, 0, NULL },
	{ "max-mailbox-events", "N", "events that wait for one player",
	  TYPE_UINT, AT(settings.max_mailbox_events), 1024, 0, MAX_COUNT, NULL, 0, NULL },
	{ "max-mailbox-bytes", "BYTES", "size of the events that wait for one player",
	  TYPE_UINT, AT(settings.max_mailbox_bytes), 1048576, 0, UINT32_MAX, NULL, 0, NULL },
	{ "max-room-members", "N", "members of one room",
	  TYPE_UINT, AT(settings.max_room_members), 64, 0, MAX_COUNT, NULL, 0, NULL },
	{ "max-rooms", "N", "rooms at the same time",
	  TYPE_UINT, AT(settings.max_rooms), 10000, 0, MAX_COUNT, NULL, 0, NULL },
	{ "max-players", "N", "players at the same time",
	  TYPE_UINT, AT(settings.max_players), 100000, 0, MAX_COUNT, NULL, 0, NULL },
	{ "max-connections", "N", "connections at the same time; 0: what descriptors allow",
	  TYPE_UINT, AT(max_connections), 0, 0, MAX_COUNT, NULL, 0, NULL },
	{ "max-connections-per-address", "N", "connections of one address",
	  TYPE_UINT, AT(max_connections_per_address), 1000, 0, MAX_COUNT, NULL, 0, NULL },
	{ "max-unsent", "BYTES", "size of all replies that wait to be sent",
	  TYPE_UINT, AT(max_unsent), 67108864, 0, UINT32_MAX, NULL, 0, NULL },
	{ "max-parked", "N", "polls held at the same time; 0: what connections allow",
	  TYPE_UINT, AT(settings.max_parked), 0, 0, MAX_COUNT, NULL, 0, NULL },
	{ "command-rate", "N", "commands a second of one player",
	  TYPE_RATE, AT(settings.command_rate.per_s), 50, 0, 1000000, NULL, 0, NULL },
	{ "command-burst", "N", "commands at once before --command-rate counts",
	  TYPE_RATE, AT(settings.command_rate.burst), 200, 0, 1000000, NULL, 0, NULL },
	{ "poll-rate", "N", "polls a second of one player that acknowledge nothing",
	  TYPE_RATE, AT(settings.poll_rate.per_s), 50, 0, 1000000, NULL, 0, NULL },
	{ "poll-burst", "N", "such polls at once before --poll-rate counts",
	  TYPE_RATE, AT(settings.poll_rate.burst), 200, 0, 1000000, NULL, 0, NULL },
	{ "relay-rate", "BYTES", "bytes a second that one player may put into the mailboxes of\n        others",
	  TYPE_RATE, AT(settings.relay_rate.per_s), 131072, 0, MAX_COUNT, NULL, 0, NULL },
	{ "relay-burst", "BYTES", "bytes at once before --relay-rate counts",
	  TYPE_RATE, AT(settings.relay_rate.burst), 1048576, 0, MAX_COUNT, NULL, 0, NULL },
	{ "register-rate", "N", "registers a second from one address",
	  TYPE_RATE, AT(settings.register_rate.per_s), 10, 0, 1000000, NULL, 0, NULL },
	{ "register-burst", "N", "registers at once before --register-rate counts",
	  TYPE_RATE, AT(settings.register_rate.burst), 50, 0, 1000000, NULL, 0, NULL },
	{ "io-threads", "N", "threads that serve connections",
	  TYPE_UINT, AT(io_threads), 1, 1, PROCESS_MAX_LOOPS, NULL, OPTION_FIXED, NULL },
	{ "user", "USER", "become this user once the listening sockets are open",
	  TYPE_TEXT, 0, 0, 0, 0, take_user, OPTION_FIXED, NULL },
	{ "group", "GROUP", "and this group, if not the user's own",
	  TYPE_TEXT, 0, 0, 0, 0, take_own_group, OPTION_FIXED, NULL },
	{ "pid-file", "FILE", "where to write the number of the process when it is ready",
	  TYPE_TEXT, 0, 0, 0, 0, take_pid_file, OPTION_FIXED, NULL },
	{ "log-level", "error|warning|info|debug", "what to log",
	  TYPE_TEXT, 0, 0, 0, 0, take_log_level, 0, "info" },
	{ "log-format", "text|logfmt|json", "how to write it",
	  TYPE_TEXT, 0, 0, 0, 0, take_log_format, OPTION_FIXED, "text" },
	{ "access-log", NULL, "log each request at level info, with its client's address",
	  TYPE_SWITCH, AT(has_access_log), 0, 0, 0, NULL, 0, NULL },
	{ "version", NULL, "print the version", TYPE_FLAG, 0, 0, 0, 0, NULL, OPTION_COMMAND, NULL },
	{ "help", NULL, "print this", TYPE_FLAG, 0, 0, 0, 0, NULL, OPTION_COMMAND, NULL },
};
/* clang-format on */

const size_t n_option_specs = sizeof(option_specs) / sizeof(option_specs[0]);

const struct option_spec *
find_option_spec(const char *name)
{
	for (size_t i = 0; i < n_option_specs; i++)
		if (strcmp(option_specs[i].name, name) == 0)
			return &option_specs[i];
	return NULL;
}

/* How many letters have to be put in, taken out or changed to make one name of
 * the other (Levenshtein), or 9 for many.  Names are short. */
static size_t
distance(const char *a, const char *b)
{
	size_t row[MAX_NAME + 1], n_a = strlen(a), n_b = strlen(b);

	if (n_a > MAX_NAME || n_b > MAX_NAME)
		return 9;
	for (size_t j = 0; j <= n_b; j++)
		row[j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= n_b; j++) {
			size_t best = diagonal + (a[i - 1] != b[j - 1]);

			diagonal = row[j];
			if (row[j] + 1 < best)
				best = row[j] + 1;
			if (row[j - 1] + 1 < best)
				best = row[j - 1] + 1;
			row[j] = best;
		}
	}
	return row[n_b];
}

const char *
find_similar_option(const char *name)
{
	size_t least = strlen(name) > 4 ? 3 : 2; /* that is too many */
	const char *similar = NULL;

	for (size_t i = 0; i < n_option_specs; i++) {
		size_t n = distance(name, option_specs[i].name);

		if (n < least) {
			least = n;
			similar = option_specs[i].name;
		}
	}
	return similar;
}

const char *
option_secret_at(const struct option_spec *spec, const char *text)
{
	const char *comma;

	if (spec->traits & OPTION_SECRET)
		return text;
	if (!(spec->traits & OPTION_CREDENTIAL))
		return NULL;
	comma = strchr(text, ',');
	comma = comma ? strchr(comma + 1, ',') : NULL;
	return comma ? comma + 1 : NULL;
}

bool
option_takes_value(const struct option_spec *spec)
{
	return spec->type != TYPE_SWITCH && spec->type != TYPE_FLAG;
}
