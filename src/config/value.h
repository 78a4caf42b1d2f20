/* value.h - values of options, wherever they come from.
 *
 * Floor: config.  Main thread.
 */
#ifndef PEERPOST_CONFIG_VALUE_H
#define PEERPOST_CONFIG_VALUE_H

#include "config/options.h"
#include "config/table.h"

/* Set a value, which is copied; line: see struct option_value.  Of an option
 * that is not repeatable, it takes the place of one set before.  false: it is
 * none (options->why). */
bool options_set(struct options *options, const struct option_spec *spec,
    const char *text, unsigned line);

/* The value that was set last, or NULL. */
const struct option_value *options_find_value(
    const struct options *options, const struct option_spec *spec);

/* All has been set: set the defaults of what has no value, and look at what
 * can only be seen then.  false: something does not go together
 * (options->why, options->why_line). */
bool options_finish(struct options *options);

#endif
