/* options.c - see options.h: the command line. */
#include "config.h"

#include "options.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "options_print.h"
#include "options_table.h"
#include "options_value.h"

#define FIRST_VALUE 256 /* beyond what getopt_long() itself returns */

static int
take_flag(const struct option_spec *spec)
{
	if (strcmp(spec->name, "version") == 0)
		puts("peerpostd " PACKAGE_VERSION);
	else
		options_print_help();
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

/* What getopt_long() is to know; caller frees. */
static struct option *
make_longs(void)
{
	struct option *longs = mem_new((n_option_specs + 1) * sizeof(*longs));

	for (size_t i = 0; i < n_option_specs; i++) {
		const struct option_spec *spec = &option_specs[i];

		longs[i].name = spec->name;
		/* Different values, or getopt_long() takes an ambiguous
		 * prefix for the first option that it fits. */
		longs[i].val = FIRST_VALUE + (int)i;
		longs[i].has_arg = option_takes_value(spec) ?
		    required_argument :
		    spec->type == TYPE_SWITCH ? optional_argument :
						no_argument;
	}
	return longs;
}

static int
read_command_line(
    struct options *options, const struct option *longs, int argc, char **argv)
{
	int result;

	optind = 0; /* from the start, each time */
	while ((result = getopt_long(argc, argv, ":", longs, NULL)) != -1) {
		const struct option_spec *spec;

		if (result < FIRST_VALUE)
			return complain(result, argv);
		spec = &option_specs[result - FIRST_VALUE];
		if (spec->type == TYPE_FLAG)
			return take_flag(spec);
		if (!options_take(options, spec, optarg ? optarg : "yes")) {
			fprintf(stderr, "peerpostd: --%s: %s\n", spec->name,
			    options->why);
			return 2;
		}
	}
	if (optind < argc) {
		fprintf(stderr, "peerpostd: unexpected argument '%s'\n",
		    argv[optind]);
		return 2;
	}
	return -1;
}

int
options_parse(struct options *options, int argc, char **argv)
{
	struct option *longs = make_longs();
	int status = read_command_line(options, longs, argc, argv);

	free(longs);
	if (status < 0 && !options_finish(options)) {
		fprintf(stderr, "peerpostd: %s\n", options->why);
		status = 2;
	}
	return status;
}
