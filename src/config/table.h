/* table.h - the one table that has every option.
 *
 * Floor: config.  Any thread; constant.
 *
 * Its name, what it takes, its default, its line of help and what else there
 * is to know of it.  The command line, the file, --help and --check-config all
 * go by this table.
 */
#ifndef PEERPOST_CONFIG_TABLE_H
#define PEERPOST_CONFIG_TABLE_H

#include "config/options.h"

enum option_type {
	TYPE_UINT,    /* a whole number, min..max */
	TYPE_SECONDS, /* the same, kept in milliseconds */
	TYPE_RATE,    /* the same, a uint32_t */
	TYPE_TEXT,    /* by a function of its own */
	TYPE_SWITCH,  /* a bool: yes or no */
	TYPE_FLAG,    /* a bool; the command line's only, without a value */
};

enum option_traits {
	OPTION_REPEATABLE = 1,
	OPTION_FIXED = 2,      /* takes effect at the start only */
	OPTION_SECRET = 4,     /* its value is never shown */
	OPTION_CREDENTIAL = 8, /* never shown after the second comma */
	OPTION_COMMAND = 16,   /* is for the command line only */
};

struct option_spec {
	const char *name;
	const char *value; /* what --help calls it; NULL: yes or no */
	const char *help;
	enum option_type type;
	size_t offset; /* of the number or the bool in struct options */
	uint64_t initial, min, max;
	/* TYPE_TEXT: whether text is a good value; it is kept, but borrowed:
	 * it lives as long as the options.  If not, options->why may say why
	 * not. */
	bool (*set)(struct options *options, const char *text);
	unsigned traits; /* of enum option_traits */
	/* TYPE_TEXT: the default; of a repeatable one, several with blanks
	 * between them.  NULL: none. */
	const char *initial_text;
};

extern const struct option_spec option_specs[];
extern const size_t n_option_specs;

/* The option of that name, or NULL. */
const struct option_spec *find_option_spec(const char *name);

/* The name of an option that somebody may have meant who wrote name, or NULL.
 */
const char *find_similar_option(const char *name);

/* Where in a value of this option begins what is not to be shown; NULL: it is
 * no secret. */
const char *option_secret_at(const struct option_spec *spec, const char *text);

/* Whether the option has a value on the command line. */
bool option_takes_value(const struct option_spec *spec);

#endif
