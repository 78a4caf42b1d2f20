/* parser.c - see options.h: the command line, and the checks after it. */
#include "config.h"

#include "config/options.h"

#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "config/file.h"
#include "config/print.h"
#include "config/table.h"
#include "config/value.h"
#include "net/certificate.h"

#define FIRST_VALUE 256 /* beyond what getopt_long() itself returns */

void
options_complain(options_complain_fn complain, const char *format, ...)
{
	va_list args;
	char *text;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		mem_exhausted();
	va_end(args);
	complain(text);
	free(text);
}

void
options_complain_on_stderr(const char *text)
{
	fprintf(stderr, "peerpostd: %s\n", text);
}

void
options_log_warnings(const struct options *options)
{
	if (options->is_config_exposed)
		log_warning("everybody can read the secrets in '%s'",
		    options->config_file);
	if (options->exposed_file)
		log_warning("everybody can read the secrets in '%s'",
		    options->exposed_file);
}

static int
set_flag(struct options *options, const struct option_spec *spec)
{
	if (strcmp(spec->name, "check-config") == 0) {
		options->is_check = true;
		return -1;
	}
	if (strcmp(spec->name, "version") == 0)
		puts("peerpostd " PACKAGE_VERSION);
	else
		options_print_help();
	return 0;
}

/* Whether arg, without its "--", is a prefix of several names. */
static bool
is_ambiguous(const char *name)
{
	size_t n = 0, len = strlen(name);

	for (size_t i = 0; i < n_option_specs; i++)
		n += strncmp(option_specs[i].name, name, len) == 0;
	return n > 1;
}

static void
complain_of_unknown(const char *arg, options_complain_fn complain)
{
	/* Without "=VALUE", which may be a secret. */
	int len = (int)strcspn(arg, "=");
	char name[64];
	const char *similar;

	snprintf(name, sizeof(name), "%.*s", len, arg);
	similar = find_similar_option(name + 2);
	if (is_ambiguous(name + 2))
		options_complain(complain,
		    "'%.*s' is ambiguous: several options begin with it; "
		    "see --help",
		    len, arg);
	else if (similar)
		options_complain(complain,
		    "unknown option '%.*s': did you mean --%s?", len, arg,
		    similar);
	else
		options_complain(
		    complain, "unknown option '%.*s'; see --help", len, arg);
}

/* getopt_long() reads "-listen" as -l, -i and so on, and is still at the same
 * argument when it refuses the first.  For a word that is not a name only the
 * letter is reported: the rest may be a value, as in "-pSECRET". */
static void
complain_of_letter(const char *arg, options_complain_fn complain)
{
	char letter = (char)optopt, name[64];
	const char *similar = NULL;

	if (arg && arg[0] == '-' && arg[1] == letter && arg[2]) {
		snprintf(name, sizeof(name), "%.*s", (int)strcspn(arg + 1, "="),
		    arg + 1);
		similar = find_similar_option(name);
	}
	if (similar)
		options_complain(complain,
		    "unknown option '-%s': options have two dashes, use --%s",
		    name, similar);
	else
		options_complain(complain, "unknown option '-%c'; see --help",
		    letter > ' ' && letter < 0x7f ? letter : '?');
}

static int
refuse_argument(int result, char *const *argv, options_complain_fn complain)
{
	const char *arg = argv[optind - 1];

	if (result == '?' && optopt != 0 && optopt < FIRST_VALUE)
		complain_of_letter(argv[optind], complain);
	else if (result == ':')
		options_complain(complain, "%s needs a value", arg);
	else if (strchr(arg, '=') && arg[0] == '-' && arg[1] == '-' &&
	    optopt >= FIRST_VALUE)
		options_complain(complain, "%.*s takes no value",
		    (int)strcspn(arg, "="), arg);
	else
		complain_of_unknown(arg, complain);
	return 2;
}

/* The options for getopt_long(); the caller frees them. */
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
read_command_line(struct options *options, const struct option *longs, int argc,
    char **argv, options_complain_fn complain)
{
	int result, status = -1;

	optind = 0; /* from the start, each time */
	while (status < 0 &&
	    (result = getopt_long(argc, argv, ":h", longs, NULL)) != -1) {
		const struct option_spec *spec;

		if (result == 'h') {
			options_print_help();
			return 0;
		}
		if (result < FIRST_VALUE)
			return refuse_argument(result, argv, complain);
		spec = &option_specs[result - FIRST_VALUE];
		if (spec->type == TYPE_FLAG) {
			status = set_flag(options, spec);
		} else if (!options_set(
			       options, spec, optarg ? optarg : "yes", 0)) {
			options_complain(
			    complain, "--%s: %s", spec->name, options->why);
			return 2;
		}
	}
	if (status < 0 && optind < argc) {
		options_complain(complain,
		    "unexpected argument '%s': every setting is an option, see "
		    "--help",
		    argv[optind]);
		return 2;
	}
	return status;
}

static bool
finish(struct options *options, options_complain_fn complain)
{
	if (options_finish(options))
		return true;
	if (options->why_line)
		options_complain(complain, "%s:%u: %s", options->config_file,
		    options->why_line, options->why);
	else
		options_complain(complain, "%s", options->why);
	return false;
}

/* Checks that are otherwise made at the start. */
static bool
check_certificate(const struct options *options, options_complain_fn complain)
{
	struct certificate *certificate;
	char why[CERTIFICATE_WHY_SIZE];

	if (!options->tls_cert)
		return true;
	certificate = certificate_read(
	    options->tls_cert, options->tls_key, why);
	if (!certificate)
		complain(why);
	certificate_release(certificate);
	return certificate != NULL;
}

int
options_parse(struct options *options, int argc, char **argv,
    options_complain_fn complain)
{
	struct option *longs = make_longs();
	int status = read_command_line(options, longs, argc, argv, complain);

	free(longs);
	if (status >= 0)
		return status;
	if (options->config_file &&
	    !options_read_file(options, options->config_file, complain))
		return 2;
	if (!finish(options, complain))
		return 2;
	if (!options->is_check)
		return -1;
	if (!check_certificate(options, complain))
		return 2;
	options_log_warnings(options);
	options_print_settings(options);
	return 0;
}
