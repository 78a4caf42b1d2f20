/* options_print.c - see options_print.h. */
#include "options_print.h"

#include <stdio.h>

#include "options_table.h"

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
	     "WebRTC signalling over plain HTTP.\n");
	for (size_t i = 0; i < n_option_specs; i++) {
		const struct option_spec *spec = &option_specs[i];

		printf("  --%s%s%s\n        %s%s", spec->name,
		    spec->value ? " " : "", spec->value ? spec->value : "",
		    spec->help,
		    spec->traits & OPTION_REPEATABLE ? "; repeatable" : "");
		if (spec->type != TYPE_FLAG)
			print_default(spec);
		puts("");
	}
	puts("\nIn parentheses: the default.  0 switches most time-outs, rates "
	     "and counts off.\nSee peerpostd(8) and peerpost-protocol(7).");
}
