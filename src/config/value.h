/* value.h - values of options, from the command line or the file.
 *
 * Floor: config.  Main thread.
 */
#ifndef PEERPOST_CONFIG_VALUE_H
#define PEERPOST_CONFIG_VALUE_H

#include "config/options.h"
#include "config/table.h"

/* Set a value, which is copied; line: see struct option_value.  If the option
 * is not repeatable, the value replaces an earlier one.  false: it is not valid
 * (options->why). */
bool options_set(struct options *options, const struct option_spec *spec,
    const char *text, unsigned line);

/* The value that was set last, or NULL. */
const struct option_value *options_find_value(
    const struct options *options, const struct option_spec *spec);

/* After everything has been set: set the defaults of options without a value,
 * and check how options go together.  false: some do not (options->why,
 * options->why_line). */
bool options_finish(struct options *options);

#endif
