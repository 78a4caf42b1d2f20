/* table.c - see table.h. */
#include "config/table.h"

#include <string.h>

#include "base/process.h"
#include "config/ice.h"
#include "config/set.h"
#include "config/tls.h"

#define MAX_NAME 40 /* of an option, to search for */

#define AT(field) offsetof(struct options, field)
#define MAX_COUNT 1000000000u
#define MAX_SECONDS 31536000u /* a year */

/* clang-format off */
const struct option_spec option_specs[] = {
	{ .name = "config", .value = "FILE",
	  .help = "read more options from this file",
	  .type = TYPE_TEXT, .set = options_set_config, .traits = OPTION_COMMAND },
	{ .name = "check-config",
	  .help = "report mistakes, or print the settings as such a file",
	  .type = TYPE_FLAG, .traits = OPTION_COMMAND },
	{ .name = "listen", .value = "ADDR:PORT",
	  .help = "where to serve HTTP: IPv4, [IPv6]:PORT, over TLS\n        https://ADDR:PORT, or unix:PATH[,mode=MODE][,group=GROUP]; port 0\n        picks a free one",
	  .type = TYPE_TEXT, .set = options_set_listen, .traits = OPTION_REPEATABLE | OPTION_FIXED, .initial_text = "127.0.0.1:8080" },
	{ .name = "tls-cert", .value = "FILE",
	  .help = "the certificate of https listeners, with its chain (PEM)",
	  .type = TYPE_TEXT, .set = options_set_tls_cert },
	{ .name = "tls-key", .value = "FILE",
	  .help = "its private key (PEM)",
	  .type = TYPE_TEXT, .set = options_set_tls_key },
	{ .name = "fastcgi", .value = "ADDR:PORT",
	  .help = "where to serve FastCGI, beside or instead of HTTP",
	  .type = TYPE_TEXT, .set = options_set_fastcgi, .traits = OPTION_REPEATABLE | OPTION_FIXED },
	{ .name = "fastcgi-mode", .value = "MODE",
	  .help = "permissions of the Unix sockets of --fastcgi, octal",
	  .type = TYPE_TEXT, .set = options_set_fastcgi_mode, .traits = OPTION_FIXED, .initial_text = "0660" },
	{ .name = "fastcgi-group", .value = "GROUP",
	  .help = "group of the Unix sockets of --fastcgi, if not the daemon's own",
	  .type = TYPE_TEXT, .set = options_set_fastcgi_group, .traits = OPTION_FIXED },
	{ .name = "admin", .value = "ADDR:PORT",
	  .help = "where to serve operators, see peerpostctl(8)",
	  .type = TYPE_TEXT, .set = options_set_admin, .traits = OPTION_REPEATABLE | OPTION_FIXED },
	{ .name = "admin-mode", .value = "MODE",
	  .help = "permissions of the Unix sockets of --admin, octal",
	  .type = TYPE_TEXT, .set = options_set_admin_mode, .traits = OPTION_FIXED, .initial_text = "0600" },
	{ .name = "admin-group", .value = "GROUP",
	  .help = "group of the Unix sockets of --admin, if not the daemon's own",
	  .type = TYPE_TEXT, .set = options_set_admin_group, .traits = OPTION_FIXED },
	{ .name = "metrics", .value = "ADDR:PORT",
	  .help = "where to serve /metrics, /healthz and /readyz only",
	  .type = TYPE_TEXT, .set = options_set_metrics, .traits = OPTION_REPEATABLE | OPTION_FIXED },
	{ .name = "trusted-proxy", .value = "CIDR|unix|none",
	  .help = "trust these proxies to report their clients'\n        addresses",
	  .type = TYPE_TEXT, .set = options_set_trusted_proxy, .traits = OPTION_REPEATABLE, .initial_text = "127.0.0.0/8 ::1 unix" },
	{ .name = "database", .value = "FILE",
	  .help = "the SQLite database",
	  .type = TYPE_TEXT, .set = options_set_database, .traits = OPTION_FIXED, .initial_text = "./peerpost.db" },
	{ .name = "durability", .value = "power|process",
	  .help = "power: acknowledged data survives a power cut; process: only\n        a crash of the daemon",
	  .type = TYPE_TEXT, .set = options_set_durability, .traits = OPTION_FIXED, .initial_text = "power" },
	{ .name = "max-database", .value = "SIZE",
	  .help = "size of the data in the database, in bytes or with K, M or G;\n        0: no limit; auto: as the disk has space, up to 8G",
	  .type = TYPE_TEXT, .set = options_set_max_database, .initial_text = "auto" },
	{ .name = "base-path", .value = "PATH",
	  .help = "serve everything below this prefix",
	  .type = TYPE_TEXT, .set = options_set_base_path },
	{ .name = "cors-origin", .value = "ORIGIN",
	  .help = "allow pages of this origin",
	  .type = TYPE_TEXT, .set = options_set_origin, .traits = OPTION_REPEATABLE, .initial_text = "*" },
	{ .name = "demo",
	  .help = "serve a demo for browsers at /demo/",
	  .type = TYPE_SWITCH, .offset = AT(has_demo) },
	{ .name = "ice-server", .value = "URL[,USERNAME,CREDENTIAL]",
	  .help = "offer this STUN or TURN server to clients",
	  .type = TYPE_TEXT, .set = options_set_ice_server, .traits = OPTION_REPEATABLE | OPTION_CREDENTIAL },
	{ .name = "turn-uri", .value = "URL",
	  .help = "offer this TURN server to clients, with time-limited\n        credentials",
	  .type = TYPE_TEXT, .set = options_set_turn_uri, .traits = OPTION_REPEATABLE },
	{ .name = "turn-secret", .value = "SECRET",
	  .help = "secret shared with the servers of --turn-uri; the first one\n        makes credentials, others are being retired",
	  .type = TYPE_TEXT, .set = options_set_turn_secret, .traits = OPTION_REPEATABLE | OPTION_SECRET },
	{ .name = "turn-secret-file", .value = "FILE",
	  .help = "such secrets from a file, one per line",
	  .type = TYPE_TEXT, .set = options_set_turn_secret_file, .traits = OPTION_REPEATABLE },
	{ .name = "turn-ttl", .value = "SECONDS",
	  .help = "how long such credentials are valid",
	  .type = TYPE_UINT, .offset = AT(settings.ice.turn_ttl_s), .initial = 43200, .min = 1, .max = MAX_SECONDS },
	{ .name = "player-timeout", .value = "SECONDS",
	  .help = "end a session after this long without a request",
	  .type = TYPE_SECONDS, .offset = AT(settings.player_timeout_ms), .initial = 120, .max = MAX_SECONDS },
	{ .name = "lobby-timeout", .value = "SECONDS",
	  .help = "end a session after this long outside any room",
	  .type = TYPE_SECONDS, .offset = AT(settings.lobby_timeout_ms), .initial = 1800, .max = MAX_SECONDS },
	{ .name = "room-timeout", .value = "SECONDS",
	  .help = "close a room after this long without a command",
	  .type = TYPE_SECONDS, .offset = AT(settings.room_timeout_ms), .max = MAX_SECONDS },
	{ .name = "sealed-linger", .value = "SECONDS",
	  .help = "close a room this long after it was sealed",
	  .type = TYPE_SECONDS, .offset = AT(settings.sealed_linger_ms), .max = MAX_SECONDS },
	{ .name = "poll-wait", .value = "SECONDS",
	  .help = "hold a poll this long if it does not say how long",
	  .type = TYPE_SECONDS, .offset = AT(settings.poll_wait_ms), .initial = 25, .max = 3600 },
	{ .name = "poll-wait-max", .value = "SECONDS",
	  .help = "never hold a poll longer",
	  .type = TYPE_SECONDS, .offset = AT(settings.poll_wait_max_ms), .initial = 55, .min = 1, .max = 3600 },
	{ .name = "request-timeout", .value = "SECONDS",
	  .help = "time for a whole request to arrive",
	  .type = TYPE_UINT, .offset = AT(request_timeout_s), .initial = 15, .min = 1, .max = 3600 },
	{ .name = "idle-timeout", .value = "SECONDS",
	  .help = "close a connection idle for this long between requests",
	  .type = TYPE_UINT, .offset = AT(idle_timeout_s), .initial = 75, .min = 1, .max = 3600 },
	{ .name = "max-body", .value = "BYTES",
	  .help = "size of a request's body",
	  .type = TYPE_UINT, .offset = AT(max_body), .initial = 65536, .min = 1, .max = 4 << 20 },
	{ .name = "max-mailbox-events", .value = "N",
	  .help = "events waiting for one player",
	  .type = TYPE_UINT, .offset = AT(settings.max_mailbox_events), .initial = 1024, .max = MAX_COUNT },
	{ .name = "max-mailbox-bytes", .value = "BYTES",
	  .help = "size of the events waiting for one player",
	  .type = TYPE_UINT, .offset = AT(settings.max_mailbox_bytes), .initial = 1048576, .max = UINT32_MAX },
	{ .name = "max-room-members", .value = "N",
	  .help = "members of one room",
	  .type = TYPE_UINT, .offset = AT(settings.max_room_members), .initial = 64, .max = MAX_COUNT },
	{ .name = "max-rooms", .value = "N",
	  .help = "rooms at the same time",
	  .type = TYPE_UINT, .offset = AT(settings.max_rooms), .initial = 10000, .max = MAX_COUNT },
	{ .name = "max-players", .value = "N",
	  .help = "players at the same time",
	  .type = TYPE_UINT, .offset = AT(settings.max_players), .initial = 100000, .max = MAX_COUNT },
	{ .name = "max-connections", .value = "N",
	  .help = "connections at the same time; 0: as many as descriptors allow",
	  .type = TYPE_UINT, .offset = AT(max_connections), .max = MAX_COUNT },
	{ .name = "max-connections-per-address", .value = "N",
	  .help = "connections from one address",
	  .type = TYPE_UINT, .offset = AT(max_connections_per_address), .initial = 1000, .max = MAX_COUNT },
	{ .name = "max-unsent", .value = "BYTES",
	  .help = "size of all replies waiting to be sent",
	  .type = TYPE_UINT, .offset = AT(max_unsent), .initial = 67108864, .max = UINT32_MAX },
	{ .name = "max-parked", .value = "N",
	  .help = "polls held at the same time; 0: as many as connections allow",
	  .type = TYPE_UINT, .offset = AT(settings.max_parked), .max = MAX_COUNT },
	{ .name = "command-rate", .value = "N",
	  .help = "commands per second of one player",
	  .type = TYPE_RATE, .offset = AT(settings.command_rate.per_s), .initial = 50, .max = 1000000 },
	{ .name = "command-burst", .value = "N",
	  .help = "commands at once before --command-rate counts",
	  .type = TYPE_RATE, .offset = AT(settings.command_rate.burst), .initial = 200, .max = 1000000 },
	{ .name = "poll-rate", .value = "N",
	  .help = "polls per second of one player that acknowledge nothing",
	  .type = TYPE_RATE, .offset = AT(settings.poll_rate.per_s), .initial = 50, .max = 1000000 },
	{ .name = "poll-burst", .value = "N",
	  .help = "such polls at once before --poll-rate counts",
	  .type = TYPE_RATE, .offset = AT(settings.poll_rate.burst), .initial = 200, .max = 1000000 },
	{ .name = "relay-rate", .value = "BYTES",
	  .help = "bytes per second that one player may send to the mailboxes of\n        others",
	  .type = TYPE_RATE, .offset = AT(settings.relay_rate.per_s), .initial = 131072, .max = MAX_COUNT },
	{ .name = "relay-burst", .value = "BYTES",
	  .help = "bytes at once before --relay-rate counts",
	  .type = TYPE_RATE, .offset = AT(settings.relay_rate.burst), .initial = 1048576, .max = MAX_COUNT },
	{ .name = "register-rate", .value = "N",
	  .help = "registrations per second from one address",
	  .type = TYPE_RATE, .offset = AT(settings.register_rate.per_s), .initial = 10, .max = 1000000 },
	{ .name = "register-burst", .value = "N",
	  .help = "registrations at once before --register-rate counts",
	  .type = TYPE_RATE, .offset = AT(settings.register_rate.burst), .initial = 50, .max = 1000000 },
	{ .name = "io-threads", .value = "N",
	  .help = "threads that serve connections",
	  .type = TYPE_UINT, .offset = AT(io_threads), .initial = 1, .min = 1, .max = PROCESS_MAX_LOOPS, .traits = OPTION_FIXED },
	{ .name = "user", .value = "USER",
	  .help = "become this user once the listening sockets are open",
	  .type = TYPE_TEXT, .set = options_set_user, .traits = OPTION_FIXED },
	{ .name = "group", .value = "GROUP",
	  .help = "and this group, if not the user's own",
	  .type = TYPE_TEXT, .set = options_set_own_group, .traits = OPTION_FIXED },
	{ .name = "pid-file", .value = "FILE",
	  .help = "write the process id to this file once ready",
	  .type = TYPE_TEXT, .set = options_set_pid_file, .traits = OPTION_FIXED },
	{ .name = "log-level", .value = "error|warning|info|debug",
	  .help = "the lowest level to log",
	  .type = TYPE_TEXT, .set = options_set_log_level, .initial_text = "info" },
	{ .name = "log-format", .value = "text|logfmt|json",
	  .help = "the format of the log",
	  .type = TYPE_TEXT, .set = options_set_log_format, .traits = OPTION_FIXED, .initial_text = "text" },
	{ .name = "access-log",
	  .help = "log each request at level info, with its client's address",
	  .type = TYPE_SWITCH, .offset = AT(has_access_log) },
	{ .name = "version",
	  .help = "print the version",
	  .type = TYPE_FLAG, .traits = OPTION_COMMAND },
	{ .name = "help",
	  .help = "print this",
	  .type = TYPE_FLAG, .traits = OPTION_COMMAND },
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

/* The number of letters to insert, delete or change to turn one name into the
 * other (Levenshtein), or 9 for many.  Names are short. */
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
