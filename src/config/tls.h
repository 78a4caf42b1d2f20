/* tls.h - the options about listening for HTTP, and about the certificate.
 *
 * Floor: config.  Main thread, before any other starts.
 *
 * Each set function says whether its text is a good value, which is then
 * kept; otherwise options->why may say why not.
 */
#ifndef PEERPOST_CONFIG_TLS_H
#define PEERPOST_CONFIG_TLS_H

#include <stdbool.h>

#include "config/options.h"

/* An address as listen_url_parse() takes it. */
bool options_set_listen(struct options *options, const char *text);

/* Files, which are read when the daemon starts: see net/certificate.h. */
bool options_set_tls_cert(struct options *options, const char *path);
bool options_set_tls_key(struct options *options, const char *path);

/* Checks that need all options: certificate and key are both given or neither,
 * and https listeners have them.  (Whether a certificate has any https listener
 * is checked at the start: they may be inherited.) */
bool options_check_tls(struct options *options);

#endif
