/* options.h - the operator's options.
 *
 * Floor: config.  Main thread.
 *
 * Each piece has a file: table.c (which options there are), parser.c (the
 * command line), file.c (the file), value.c (values from either), set.c
 * (texts), ice.c (STUN and TURN), tls.c (https), identity.c (users and groups),
 * options.c (ownership of texts), print.c (--help, --check-config).
 */
#ifndef PEERPOST_CONFIG_OPTIONS_H
#define PEERPOST_CONFIG_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/log.h"
#include "config/identity.h"
#include "core/settings.h"
#include "net/listener.h"
#include "net/trusted.h"
#include "store/store.h"

#define OPTIONS_MAX_LISTEN 32
#define OPTIONS_MAX_ORIGINS 256
#define OPTIONS_WHY_SIZE LISTEN_WHY_SIZE

struct option_spec;

/* A value in effect. */
struct option_value {
	const struct option_spec *spec;
	const char *text;
	unsigned line; /* of the file; 0: not from there */
};

/* Zeroed, it is empty.  It may be moved by assignment. */
struct options {
	const char *config_file; /* or NULL */
	bool is_check;           /* --check-config */
	bool is_config_exposed;  /* everybody can read secrets in it */
	const char *listen[OPTIONS_MAX_LISTEN]; /* see listen_url_parse() */
	size_t n_listen;
	bool is_listen_default;         /* not set by the operator */
	const char *tls_cert, *tls_key; /* both or none */
	const char *fastcgi[OPTIONS_MAX_LISTEN];
	size_t n_fastcgi;
	struct listen_access fastcgi_access;
	const char *admin[OPTIONS_MAX_LISTEN];
	size_t n_admin;
	struct listen_access admin_access;
	const char *metrics[OPTIONS_MAX_LISTEN];
	size_t n_metrics;
	struct trusted_proxies trusted;
	const char *database;
	enum durability durability;
	bool is_max_database_auto; /* settings.max_database comes later */
	uint64_t io_threads;       /* 1 to PROCESS_MAX_LOOPS */
	const char *base_path;     /* "" or "/prefix", no slash at its end */
	/* NULL-terminated. */
	const char *origins[OPTIONS_MAX_ORIGINS + 1];
	size_t n_origins;
	bool has_demo;
	enum log_level log_level;
	struct identity identity;
	const char *pid_file; /* or NULL */
	enum log_format log_format;
	bool has_access_log;

	uint64_t max_body;
	uint64_t request_timeout_s;
	uint64_t idle_timeout_s;
	uint64_t max_connections; /* 0: as many as descriptors allow */
	uint64_t max_connections_per_address; /* 0: no limit */
	uint64_t max_unsent;                  /* bytes; 0: no limit */
	struct settings settings; /* max_parked 0: as connections allow */

	/* A file with secrets that everybody can read; or NULL. */
	const char *exposed_file;
	/* The fault of the value just refused; "": it is not of the form in the
	 * option's help.  The value itself is not shown then: it may be secret.
	 */
	char why[OPTIONS_WHY_SIZE];
	unsigned why_line; /* of the file, if it has the fault; or 0 */

	/* The values that all of the above comes from, including defaults. */
	struct option_value *values;
	size_t n_values;
	char **texts; /* owned: the texts borrowed above */
	size_t n_texts;
};

/* Called with one line about a mistake, without a newline. */
typedef void (*options_complain_fn)(const char *text);

/* "peerpostd: TEXT" on stderr. */
void options_complain_on_stderr(const char *text);

/* Read the command line, and the file that it names, into options, which are
 * empty.  May permute argv.
 * Returns -1 to go on; otherwise the status to exit with at once: 0 after
 * --help, --version or --check-config, 2 after a mistake (one complaint). */
int options_parse(struct options *options, int argc, char **argv,
    options_complain_fn complain);

/* Report one mistake. */
void options_complain(options_complain_fn complain, const char *format, ...)
    PRINTF_LIKE(2, 3);

/* Log warnings about values that are allowed but unwise. */
void options_log_warnings(const struct options *options);

/* A writable copy of text that lives until options_free(). */
char *options_keep_text(struct options *options, const char *text)
    __attribute__((returns_nonnull));

/* Write the fault of a value and its correction to options->why, in a sentence
 * without a full stop.  Returns false, for the caller to return. */
bool options_refuse(struct options *options, const char *format, ...)
    PRINTF_LIKE(2, 3);

/* Free what options own, and empty them. */
void options_free(struct options *options);

#endif
