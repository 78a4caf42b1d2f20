/* ice.h - the options about STUN and TURN servers.
 *
 * Floor: config.  Main thread, before any other starts.
 *
 * Each set function says whether its text is a good value, which is then
 * kept in options->settings.ice; otherwise options->why says why not, without
 * any of what may be secret.
 */
#ifndef PEERPOST_CONFIG_ICE_H
#define PEERPOST_CONFIG_ICE_H

#include <stdbool.h>

#include "config/options.h"

/* "URL" of a STUN server, or "URL,USERNAME,CREDENTIAL" of a TURN server.  The
 * credential is all that follows the second comma. */
bool options_set_ice_server(struct options *options, const char *text);

/* The URL of a TURN server that knows the secret. */
bool options_set_turn_uri(struct options *options, const char *text);

/* The first one, of this option and of the files, makes credentials; the
 * others are checked, and that is all. */
bool options_set_turn_secret(struct options *options, const char *text);

/* A file of such secrets, one a line; empty lines do not count. */
bool options_set_turn_secret_file(struct options *options, const char *path);

/* What can only be seen when all is read: that there are no TURN servers
 * without a secret and no secret without them, and that the Link headers of a
 * reply do not become too long. */
bool options_check_ice(struct options *options);

#endif
