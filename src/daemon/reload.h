/* reload.h - reading the configuration again.
 *
 * Floor: daemon.  Loop thread.
 */
#ifndef PEERPOST_DAEMON_RELOAD_H
#define PEERPOST_DAEMON_RELOAD_H

#include <stdbool.h>

#include "daemon/server.h"

/* Read the command line and the configuration file again, with the files that
 * they name, and go by them from now on.  Of an option that takes effect at the
 * start only, there is a warning if it has changed, and its value stays.
 * false: something is wrong (logged, one line), or the server is stopping;
 * everything is as it was. */
bool server_reload(struct server *server);

/* What was wrong, when server_reload() has just failed. */
const char *server_reload_problem(void);

#endif
