/* options.c - see options.h.
 *
 * One table has every option: its name, what it takes, its default and its
 * line of help.  Whatever else may read settings should read this table.
 */
#include "config.h"

#include "options.h"

#include <getopt.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/text.h"
#include "net/listener.h"
#include "options_ice.h"

enum option_type {
	TYPE_UINT,    /* a whole number, min..max */
	TYPE_SECONDS, /* the same, kept in milliseconds */
	TYPE_RATE,    /* the same, a uint32_t */
	TYPE_TEXT,    /* by a function of its own */
	TYPE_SWITCH,  /* a bool */
	TYPE_FLAG,    /* is done instead of serving */
};

struct option_spec {
	const char *name;
	const char *value; /* what --help calls it */
	const char *help;
	enum option_type type;
	size_t offset; /* of the number in struct options */
	uint64_t initial, min, max;
	/* TYPE_TEXT: whether text is a good value; it is kept.  If not,
	 * options->why may say why not. */
	bool (*take)(struct options *options, const char *text);
};

static bool
take_address(
    const char *addresses[OPTIONS_MAX_LISTEN], size_t *n, const char *text)
{
	struct listen_address address;

	if (*n == OPTIONS_MAX_LISTEN || !listen_address_parse(text, &address))
		return false;
	addresses[(*n)++] = text;
	return true;
}

static bool
take_listen(struct options *options, const char *text)
{
	return take_address(options->listen, &options->n_listen, text);
}

static bool
take_fastcgi(struct options *options, const char *text)
{
	return take_address(options->fastcgi, &options->n_fastcgi, text);
}

static bool
take_admin(struct options *options, const char *text)
{
	return take_address(options->admin, &options->n_admin, text);
}

/* Octal, as chmod(1) takes it; who may write may connect. */
static bool
take_mode(struct listen_access *access, const char *text)
{
	mode_t mode = 0;
	size_t len = strlen(text);

	if (len < 3 || len > 4 || strspn(text, "01234567") != len ||
	    (len == 4 && text[0] != '0'))
		return false;
	for (size_t i = 0; i < len; i++)
		mode = mode << 3 | (mode_t)(text[i] - '0');
	access->has_mode = true;
	access->mode = mode;
	return true;
}

/* By name, or by number. */
static bool
take_group(struct listen_access *access, const char *text)
{
	const struct group *group = getgrnam(text);
	uint64_t number;

	if (!group && !text_to_uint(span_of(text), UINT32_MAX - 1, &number))
		return false;
	access->has_group = true;
	access->group = group ? group->gr_gid : (gid_t)number;
	return true;
}

static bool
take_fastcgi_mode(struct options *options, const char *text)
{
	return take_mode(&options->fastcgi_access, text);
}

static bool
take_fastcgi_group(struct options *options, const char *text)
{
	return take_group(&options->fastcgi_access, text);
}

static bool
take_admin_mode(struct options *options, const char *text)
{
	return take_mode(&options->admin_access, text);
}

static bool
take_admin_group(struct options *options, const char *text)
{
	return take_group(&options->admin_access, text);
}

static bool
take_trusted_proxy(struct options *options, const char *text)
{
	options->has_trusted = true;
	return trusted_proxies_add(&options->trusted, text);
}

static bool
take_database(struct options *options, const char *text)
{
	options->database = text;
	return text[0] != '\0';
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

	if (len > 128 || (len && text[0] != '/') || strstr(text, "//") ||
	    strpbrk(text, "?#%\"<> \t"))
		return false;
	path = mem_copy_text(text); /* lives as long as the process */
	if (len && path[len - 1] == '/')
		path[len - 1] = '\0';
	options->base_path = path;
	return true;
}

/* "*", or an origin as browsers send it: scheme "://" host [":" port], or
 * "null" (RFC 6454, section 6.1). */
static bool
take_origin(struct options *options, const char *text)
{
	const char *host = strstr(text, "://");

	if (options->n_origins == OPTIONS_MAX_ORIGINS)
		return false;
	if (strcmp(text, "*") != 0 && strcmp(text, "null") != 0 &&
	    (!host || host == text || host[3] == '\0' ||
		strpbrk(host + 3, "/?# \t\r\n")))
		return false;
	options->origins[options->n_origins++] = text;
	return true;
}

static bool
take_log_level(struct options *options, const char *text)
{
	static const char *const names[] = { "error", "warning", "info",
		"debug" };

	for (int i = 0; i < 4; i++) {
		if (strcmp(text, names[i]) == 0) {
			options->log_level = (enum log_level)i;
			return true;
		}
	}
	return false;
}

#define AT(field) offsetof(struct options, field)
#define MAX_COUNT 1000000000u
#define MAX_SECONDS 31536000u /* a year */

/* clang-format off */
static const struct option_spec specs[] = {
	{ "listen", "ADDR:PORT", "where to serve HTTP: IPv4, [IPv6]:PORT or unix:PATH; port 0\n        picks a free one; repeatable (127.0.0.1:8080)",
	  TYPE_TEXT, 0, 0, 0, 0, take_listen },
	{ "fastcgi", "ADDR:PORT", "where to serve FastCGI, beside or instead of HTTP; repeatable (none)",
	  TYPE_TEXT, 0, 0, 0, 0, take_fastcgi },
	{ "fastcgi-mode", "MODE", "permissions of the Unix sockets of --fastcgi, octal (0660)",
	  TYPE_TEXT, 0, 0, 0, 0, take_fastcgi_mode },
	{ "fastcgi-group", "GROUP", "group of the Unix sockets of --fastcgi (the daemon's own)",
	  TYPE_TEXT, 0, 0, 0, 0, take_fastcgi_group },
	{ "admin", "ADDR:PORT", "where to serve the operator, see peerpostctl(8); repeatable (none)",
	  TYPE_TEXT, 0, 0, 0, 0, take_admin },
	{ "admin-mode", "MODE", "permissions of the Unix sockets of --admin, octal (0600)",
	  TYPE_TEXT, 0, 0, 0, 0, take_admin_mode },
	{ "admin-group", "GROUP", "group of the Unix sockets of --admin (the daemon's own)",
	  TYPE_TEXT, 0, 0, 0, 0, take_admin_group },
	{ "trusted-proxy", "CIDR|unix|none", "believe what these proxies say of their clients' addresses;\n        repeatable (127.0.0.0/8, ::1 and unix)",
	  TYPE_TEXT, 0, 0, 0, 0, take_trusted_proxy },
	{ "database", "FILE", "the SQLite database (./peerpost.db)",
	  TYPE_TEXT, 0, 0, 0, 0, take_database },
	{ "durability", "power|process", "power: what is acknowledged survives a power cut; process: it\n        survives a crash of the daemon (power)",
	  TYPE_TEXT, 0, 0, 0, 0, take_durability },
	{ "base-path", "PATH", "serve everything below this prefix (none)",
	  TYPE_TEXT, 0, 0, 0, 0, take_base_path },
	{ "cors-origin", "ORIGIN", "let pages of this origin in; repeatable (*)",
	  TYPE_TEXT, 0, 0, 0, 0, take_origin },
	{ "ice-server", "URL[,USERNAME,CREDENTIAL]", "tell clients of this STUN or TURN server; repeatable (none)",
	  TYPE_TEXT, 0, 0, 0, 0, options_take_ice_server },
	{ "turn-uri", "URL", "tell clients of this TURN server, with time-limited credentials;\n        repeatable (none)",
	  TYPE_TEXT, 0, 0, 0, 0, options_take_turn_uri },
	{ "turn-secret", "SECRET", "what the servers of --turn-uri check credentials with; the first\n        makes them, further ones are on their way out; repeatable (none)",
	  TYPE_TEXT, 0, 0, 0, 0, options_take_turn_secret },
	{ "turn-secret-file", "FILE", "the same from a file, one a line; repeatable (none)",
	  TYPE_TEXT, 0, 0, 0, 0, options_take_turn_secret_file },
	{ "turn-ttl", "SECONDS", "how long such credentials are good",
	  TYPE_UINT, AT(settings.ice.turn_ttl_s), 43200, 1, MAX_SECONDS, NULL },
	{ "demo", NULL, "serve a demo for browsers at /demo/",
	  TYPE_SWITCH, AT(has_demo), 0, 0, 0, NULL },
	{ "player-timeout", "SECONDS", "end a session that makes no request for so long",
	  TYPE_SECONDS, AT(settings.player_timeout_ms), 120, 0, MAX_SECONDS, NULL },
	{ "lobby-timeout", "SECONDS", "end a session that is in no room for so long",
	  TYPE_SECONDS, AT(settings.lobby_timeout_ms), 1800, 0, MAX_SECONDS, NULL },
	{ "room-timeout", "SECONDS", "close a room without any command for so long",
	  TYPE_SECONDS, AT(settings.room_timeout_ms), 0, 0, MAX_SECONDS, NULL },
	{ "sealed-linger", "SECONDS", "close a room so long after it was sealed",
	  TYPE_SECONDS, AT(settings.sealed_linger_ms), 0, 0, MAX_SECONDS, NULL },
	{ "poll-wait", "SECONDS", "hold a poll for so long if it does not say",
	  TYPE_SECONDS, AT(settings.poll_wait_ms), 25, 0, 3600, NULL },
	{ "poll-wait-max", "SECONDS", "hold no poll for longer",
	  TYPE_SECONDS, AT(settings.poll_wait_max_ms), 55, 1, 3600, NULL },
	{ "request-timeout", "SECONDS", "time for a request to arrive whole",
	  TYPE_UINT, AT(request_timeout_s), 15, 1, 3600, NULL },
	{ "max-body", "BYTES", "size of a request's body",
	  TYPE_UINT, AT(max_body), 65536, 1, 4 << 20, NULL },
	{ "max-mailbox-events", "N", "events that wait for one player",
	  TYPE_UINT, AT(settings.max_mailbox_events), 1024, 0, MAX_COUNT, NULL },
	{ "max-mailbox-bytes", "BYTES", "size of the events that wait for one player",
	  TYPE_UINT, AT(settings.max_mailbox_bytes), 1048576, 0, UINT32_MAX, NULL },
	{ "max-room-members", "N", "members of one room",
	  TYPE_UINT, AT(settings.max_room_members), 64, 0, MAX_COUNT, NULL },
	{ "max-rooms", "N", "rooms at the same time",
	  TYPE_UINT, AT(settings.max_rooms), 10000, 0, MAX_COUNT, NULL },
	{ "max-players", "N", "players at the same time",
	  TYPE_UINT, AT(settings.max_players), 100000, 0, MAX_COUNT, NULL },
	{ "max-connections", "N", "connections at the same time; 0: what descriptors allow",
	  TYPE_UINT, AT(max_connections), 0, 0, MAX_COUNT, NULL },
	{ "max-connections-per-address", "N", "connections of one address",
	  TYPE_UINT, AT(max_connections_per_address), 1000, 0, MAX_COUNT, NULL },
	{ "max-parked", "N", "polls held at the same time; 0: what connections allow",
	  TYPE_UINT, AT(settings.max_parked), 0, 0, MAX_COUNT, NULL },
	{ "command-rate", "N", "commands a second of one player",
	  TYPE_RATE, AT(settings.command_rate.per_s), 50, 0, 1000000, NULL },
	{ "command-burst", "N", "commands at once before --command-rate counts",
	  TYPE_RATE, AT(settings.command_rate.burst), 200, 0, 1000000, NULL },
	{ "register-rate", "N", "registers a second from one address",
	  TYPE_RATE, AT(settings.register_rate.per_s), 10, 0, 1000000, NULL },
	{ "register-burst", "N", "registers at once before --register-rate counts",
	  TYPE_RATE, AT(settings.register_rate.burst), 50, 0, 1000000, NULL },
	{ "log-level", "error|warning|info|debug", "what to log (info)",
	  TYPE_TEXT, 0, 0, 0, 0, take_log_level },
	{ "version", NULL, "print the version", TYPE_FLAG, 0, 0, 0, 0, NULL },
	{ "help", NULL, "print this", TYPE_FLAG, 0, 0, 0, 0, NULL },
};
/* clang-format on */

#define FIRST_VALUE 256 /* beyond what getopt_long() itself returns */
#define N_SPECS (sizeof(specs) / sizeof(specs[0]))

static bool
takes_value(const struct option_spec *spec)
{
	return spec->type != TYPE_SWITCH && spec->type != TYPE_FLAG;
}

static void
set_number(
    struct options *options, const struct option_spec *spec, uint64_t value)
{
	void *field = (char *)options + spec->offset;
	int64_t ms = (int64_t)value * 1000;
	uint32_t rate = (uint32_t)value;

	if (spec->type == TYPE_SECONDS)
		memcpy(field, &ms, sizeof(ms));
	else if (spec->type == TYPE_RATE)
		memcpy(field, &rate, sizeof(rate));
	else
		memcpy(field, &value, sizeof(value));
}

static bool
take(struct options *options, const struct option_spec *spec, const char *text)
{
	uint64_t value;

	if (spec->type == TYPE_TEXT)
		return spec->take(options, text);
	if (spec->type == TYPE_SWITCH) {
		*(bool *)((char *)options + spec->offset) = true;
		return true;
	}
	if (!text_to_uint(span_of(text), spec->max, &value) ||
	    value < spec->min)
		return false;
	set_number(options, spec, value);
	return true;
}

static void
print_bad_value(const struct options *options, const struct option_spec *spec,
    const char *text)
{
	if (options->why[0])
		fprintf(
		    stderr, "peerpostd: --%s: %s\n", spec->name, options->why);
	else if (spec->type == TYPE_TEXT)
		fprintf(stderr, "peerpostd: --%s: '%s' is not %s\n", spec->name,
		    text, spec->value);
	else
		fprintf(stderr,
		    "peerpostd: --%s: '%s' is not a whole number from %llu "
		    "to %llu\n",
		    spec->name, text, (unsigned long long)spec->min,
		    (unsigned long long)spec->max);
}

static void
print_help(void)
{
	puts("Usage: peerpostd [OPTION]...\n"
	     "WebRTC signalling over plain HTTP.\n");
	for (size_t i = 0; i < N_SPECS; i++) {
		const struct option_spec *spec = &specs[i];

		printf("  --%s%s%s\n        %s", spec->name,
		    spec->value ? " " : "", spec->value ? spec->value : "",
		    spec->help);
		if (spec->type == TYPE_TEXT || !takes_value(spec))
			puts("");
		else
			printf(" (%llu)\n", (unsigned long long)spec->initial);
	}
	puts(
	    "\nIn parentheses: the default.  0 switches most time-outs, rates and "
	    "counts off.\nSee peerpostd(8) and peerpost-protocol(7).");
}

static void
set_defaults(struct options *options)
{
	*options = (struct options){
		.database = "./peerpost.db",
		.durability = DURABILITY_POWER,
		.base_path = "",
		.fastcgi_access = { .has_mode = true, .mode = 0660 },
		.admin_access = { .has_mode = true, .mode = 0600 },
		.log_level = LOG_LEVEL_INFO,
	};
	for (size_t i = 0; i < N_SPECS; i++)
		if (specs[i].type != TYPE_TEXT && takes_value(&specs[i]))
			set_number(options, &specs[i], specs[i].initial);
}

/* What can only be seen when all is read. */
static int
finish(struct options *options)
{
	if (options->settings.poll_wait_ms >
	    options->settings.poll_wait_max_ms) {
		fputs("peerpostd: --poll-wait is greater than "
		      "--poll-wait-max\n",
		    stderr);
		return 2;
	}
	if (!options_check_ice(options)) {
		fprintf(stderr, "peerpostd: %s\n", options->why);
		return 2;
	}
	if (!options->has_trusted)
		trusted_proxies_add_defaults(&options->trusted);
	if (options->n_listen == 0 && options->n_fastcgi == 0)
		options->listen[options->n_listen++] = "127.0.0.1:8080";
	return -1;
}

static int
take_flag(const struct option_spec *spec)
{
	if (strcmp(spec->name, "version") == 0)
		puts("peerpostd " PACKAGE_VERSION);
	else
		print_help();
	return 0;
}

static int
complain(int result, char *const *argv)
{
	const char *arg = argv[optind - 1];

	if (result == ':')
		fprintf(stderr, "peerpostd: %s needs a value\n", arg);
	else /* without "=VALUE", which may be a secret */
		fprintf(stderr,
		    "peerpostd: unknown option '%.*s'; see --help\n",
		    (int)strcspn(arg, "="), arg);
	return 2;
}

int
options_parse(struct options *options, int argc, char **argv)
{
	struct option longs[N_SPECS + 1] = { { 0 } };
	int result;

	set_defaults(options);
	for (size_t i = 0; i < N_SPECS; i++) {
		longs[i].name = specs[i].name;
		/* Different values, or getopt_long() takes an ambiguous
		 * prefix for the first option that it fits. */
		longs[i].val = FIRST_VALUE + (int)i;
		longs[i].has_arg = takes_value(&specs[i]) ? required_argument :
							    no_argument;
	}
	while ((result = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		const struct option_spec *spec;

		if (result < FIRST_VALUE)
			return complain(result, argv);
		spec = &specs[result - FIRST_VALUE];
		if (spec->type == TYPE_FLAG)
			return take_flag(spec);
		if (!take(options, spec, optarg)) {
			print_bad_value(options, spec, optarg);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "peerpostd: unexpected argument '%s'\n",
		    argv[optind]);
		return 2;
	}
	return finish(options);
}
