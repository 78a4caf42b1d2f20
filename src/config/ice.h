/* ice.h - the options about STUN and TURN servers.
 *
 * Floor: config.  Main thread, before any other starts.
 *
 * Each set function says whether its text is a good value, which is then kept
 * in options->settings.ice; otherwise options->why says why not, without
 * anything that may be secret.
 */
#ifndef PEERPOST_CONFIG_ICE_H
#define PEERPOST_CONFIG_ICE_H

#include <stdbool.h>

#include "config/options.h"

/* "URL" of a STUN server, or "URL,USERNAME,CREDENTIAL" of a TURN server.  The
 * credential is all that follows the second comma. */
bool options_set_ice_server(struct options *options, const char *text);

/* The URL of a TURN server that has the secret. */
bool options_set_turn_uri(struct options *options, const char *text);

/* The first secret, of this option or of the files, makes credentials; the
 * others are only checked. */
bool options_set_turn_secret(struct options *options, const char *text);

/* A file of such secrets, one per line; empty lines are ignored. */
bool options_set_turn_secret_file(struct options *options, const char *path);

/* Checks that need all options: TURN servers have a secret, a secret has TURN
 * servers, and the Link headers of a reply do not become too long. */
bool options_check_ice(struct options *options);

#endif
