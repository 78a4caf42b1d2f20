/* print.c - see print.h. */
#include "config.h"

#include "config/print.h"

#include <stdio.h>
#include <string.h>

#include "config/file.h"
#include "config/table.h"

/* Groups of options: the first option of each, in the order of the table. */
static const struct {
	const char *first;
	const char *title;
} groups[] = {
	{ "config", "Configuration" },
	{ "listen", "Where to serve" },
	{ "database", "The database" },
	{ "base-path", "Paths and pages" },
	{ "ice-server", "STUN and TURN servers for players" },
	{ "player-timeout", "Time-outs of players and rooms" },
	{ "poll-wait", "Polls and requests" },
	{ "max-mailbox-events", "Limits" },
	{ "command-rate", "Rates" },
	{ "io-threads", "The process" },
	{ "log-level", "The log" },
	{ "version", "Information" },
};

static void
print_title(const struct option_spec *spec)
{
	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (strcmp(groups[i].first, spec->name) == 0)
			printf("\n%s:\n", groups[i].title);
}

static void
print_default(const struct option_spec *spec)
{
	if (spec->type == TYPE_TEXT)
		printf(
		    " (%s)", spec->initial_text ? spec->initial_text : "none");
	else if (spec->type == TYPE_SWITCH)
		printf(" (%s)", spec->initial ? "yes" : "no");
	else
		printf(" (%llu)", (unsigned long long)spec->initial);
}

void
options_print_help(void)
{
	puts("Usage: peerpostd [OPTION]...\n"
	     "WebRTC signalling over plain HTTP.");
	for (size_t i = 0; i < n_option_specs; i++) {
		const struct option_spec *spec = &option_specs[i];

		print_title(spec);
		printf("  --%s%s%s%s\n        %s%s", spec->name,
		    strcmp(spec->name, "help") == 0 ? ", -h" : "",
		    spec->value ? " " : "", spec->value ? spec->value : "",
		    spec->help,
		    spec->traits & OPTION_REPEATABLE ? "; repeatable" : "");
		if (spec->type != TYPE_FLAG)
			print_default(spec);
		puts("");
	}
	puts("\nIn parentheses: the default.  0 turns most time-outs, rates "
	     "and counts off.\nSee peerpostd(8), peerpost.conf(5) and "
	     "peerpost-protocol(7).");
}

static void
print_value(const struct option_spec *spec, const char *text)
{
	const char *secret = option_secret_at(spec, text);

	if (secret)
		printf("%s = %.*s********\n", spec->name, (int)(secret - text),
		    text);
	else if (options_file_can_hold(text))
		printf("%s = %s\n", spec->name, text);
	else
		printf("# %s: only the command line can hold this value\n",
		    spec->name);
}

void
options_print_settings(const struct options *options)
{
	puts("# The settings of peerpostd " PACKAGE_VERSION
	     ".  Secrets are masked.");
	for (size_t i = 0; i < n_option_specs; i++) {
		const struct option_spec *spec = &option_specs[i];
		size_t n = 0;

		if (spec->traits & OPTION_COMMAND)
			continue;
		for (size_t j = 0; j < options->n_values; j++) {
			if (options->values[j].spec != spec)
				continue;
			print_value(spec, options->values[j].text);
			n++;
		}
		if (n == 0)
			printf("#%s = %s\n", spec->name, spec->value);
	}
}
