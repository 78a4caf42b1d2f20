/* print.h - output about options on stdout.
 *
 * Floor: config.  Main thread.
 */
#ifndef PEERPOST_CONFIG_PRINT_H
#define PEERPOST_CONFIG_PRINT_H

#include "config/options.h"

/* --help */
void options_print_help(void);

/* --check-config: all settings as a configuration file, secrets masked. */
void options_print_settings(const struct options *options);

#endif
