/* take.h - values that are texts, each by a function of its own.
 *
 * Floor: config.  Main thread.
 *
 * Those about ICE and TLS have files of their own.  Each looks at a value as
 * table.h says (struct option_spec, take), and keeps it.
 */
#ifndef PEERPOST_CONFIG_TAKE_H
#define PEERPOST_CONFIG_TAKE_H

#include <stdbool.h>

#include "config/options.h"

bool options_take_fastcgi(struct options *options, const char *text);
bool options_take_admin(struct options *options, const char *text);
bool options_take_metrics(struct options *options, const char *text);
bool options_take_fastcgi_mode(struct options *options, const char *text);
bool options_take_fastcgi_group(struct options *options, const char *text);
bool options_take_admin_mode(struct options *options, const char *text);
bool options_take_admin_group(struct options *options, const char *text);
bool options_take_trusted_proxy(struct options *options, const char *text);
bool options_take_database(struct options *options, const char *text);
bool options_take_max_database(struct options *options, const char *text);
bool options_take_durability(struct options *options, const char *text);
bool options_take_base_path(struct options *options, const char *text);
bool options_take_origin(struct options *options, const char *text);
bool options_take_config(struct options *options, const char *text);
bool options_take_log_level(struct options *options, const char *text);
bool options_take_log_format(struct options *options, const char *text);
bool options_take_user(struct options *options, const char *text);
bool options_take_own_group(struct options *options, const char *text);
bool options_take_pid_file(struct options *options, const char *text);

#endif
