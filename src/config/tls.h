/* tls.h - where HTTP is served, and over TLS with which certificate.
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

/* What listen_url_parse() takes. */
bool options_set_listen(struct options *options, const char *text);

/* Files, which are read when the daemon starts: see net/certificate.h. */
bool options_set_tls_cert(struct options *options, const char *path);
bool options_set_tls_key(struct options *options, const char *path);

/* What can only be seen when all is read: that certificate and key are there
 * together, and if there are https listeners at all.  (That there are some for
 * them is seen at the start: they may be inherited.) */
bool options_check_tls(struct options *options);

#endif
