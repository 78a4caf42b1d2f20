/* set.h - options whose values are texts, each set by its own function.
 *
 * Floor: config.  Main thread.
 *
 * Those about ICE and TLS are in ice.h and tls.h.  Each checks a value and
 * keeps it, as table.h says (struct option_spec, set).
 */
#ifndef PEERPOST_CONFIG_SET_H
#define PEERPOST_CONFIG_SET_H

#include <stdbool.h>

#include "config/options.h"

bool options_set_fastcgi(struct options *options, const char *text);
bool options_set_admin(struct options *options, const char *text);
bool options_set_metrics(struct options *options, const char *text);
bool options_set_fastcgi_mode(struct options *options, const char *text);
bool options_set_fastcgi_group(struct options *options, const char *text);
bool options_set_admin_mode(struct options *options, const char *text);
bool options_set_admin_group(struct options *options, const char *text);
bool options_set_trusted_proxy(struct options *options, const char *text);
bool options_set_database(struct options *options, const char *text);
bool options_set_max_database(struct options *options, const char *text);
bool options_set_durability(struct options *options, const char *text);
bool options_set_base_path(struct options *options, const char *text);
bool options_set_origin(struct options *options, const char *text);
bool options_set_config(struct options *options, const char *text);
bool options_set_log_level(struct options *options, const char *text);
bool options_set_log_format(struct options *options, const char *text);
bool options_set_user(struct options *options, const char *text);
bool options_set_own_group(struct options *options, const char *text);
bool options_set_pid_file(struct options *options, const char *text);

#endif
