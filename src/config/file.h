/* file.h - the configuration file.
 *
 * Floor: config.  Main thread.
 *
 * Lines of "option = value", with the names and values of the command line,
 * and comments: lines that begin with # or ;.  No sections, no quotes, no
 * comments after a value.
 */
#ifndef PEERPOST_CONFIG_FILE_H
#define PEERPOST_CONFIG_FILE_H

#include "config/options.h"

#define OPTIONS_MAX_LINE 8000 /* bytes, without its end */

/* Take the values of the file.  Those of options that have a value already,
 * from the command line, are checked but not kept.  Each fault is reported as
 * "FILE:LINE: FAULT"; reading ends at the first one, except with
 * --check-config.  false: there was a fault. */
bool options_read_file(
    struct options *options, const char *path, options_complain_fn complain);

/* Whether text can be the value of a line. */
bool options_file_can_hold(const char *text);

#endif
