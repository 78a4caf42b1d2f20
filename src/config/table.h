/* table.h - the table of all options.
 *
 * Floor: config.  Any thread; constant.
 *
 * Each has a name, a type, a default, a line of help and more.  The command
 * line, the file, --help and --check-config all use this table.
 */
#ifndef PEERPOST_CONFIG_TABLE_H
#define PEERPOST_CONFIG_TABLE_H

#include "config/options.h"

enum option_type {
	TYPE_UINT,    /* a whole number, min..max */
	TYPE_SECONDS, /* the same, kept in milliseconds */
	TYPE_RATE,    /* the same, a uint32_t */
	TYPE_TEXT,    /* parsed by its own function */
	TYPE_SWITCH,  /* a bool: yes or no */
	TYPE_FLAG,    /* a bool; on the command line only, without a value */
};

enum option_traits {
	OPTION_REPEATABLE = 1,
	OPTION_FIXED = 2,      /* takes effect at the start only */
	OPTION_SECRET = 4,     /* its value is never shown */
	OPTION_CREDENTIAL = 8, /* never shown after the second comma */
	OPTION_COMMAND = 16,   /* on the command line only */
};

struct option_spec {
	const char *name;
	const char *value; /* its name in --help; NULL: yes or no */
	const char *help;
	enum option_type type;
	size_t offset; /* of the number or the bool in struct options */
	uint64_t initial, min, max;
	/* TYPE_TEXT: keep text if it is a valid value.  It is borrowed, and
	 * lives as long as the options.  false: it is not, and options->why may
	 * say why not. */
	bool (*set)(struct options *options, const char *text);
	unsigned traits; /* of enum option_traits */
	/* TYPE_TEXT: the default; for a repeatable option, several separated by
	 * blanks.  NULL: none. */
	const char *initial_text;
};

extern const struct option_spec option_specs[];
extern const size_t n_option_specs;

/* The option with that name, or NULL. */
const struct option_spec *find_option_spec(const char *name);

/* The name of an option that was probably meant by name, or NULL.
 */
const char *find_similar_option(const char *name);

/* The start of the part of a value of this option that must not be shown; NULL:
 * it has no secret. */
const char *option_secret_at(const struct option_spec *spec, const char *text);

/* Whether the option has a value on the command line. */
bool option_takes_value(const struct option_spec *spec);

#endif
