/* options_print.h - what is told of options on stdout.
 *
 * Floor: top.  Main thread.
 */
#ifndef PEERPOST_OPTIONS_PRINT_H
#define PEERPOST_OPTIONS_PRINT_H

#include "options.h"

/* --help */
void options_print_help(void);

/* --check-config: all settings as a configuration file, secrets masked. */
void options_print_settings(const struct options *options);

#endif
