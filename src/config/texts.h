/* texts.h - the texts that options own, and what is wrong with one.
 *
 * Floor: config.  Main thread.
 */
#ifndef PEERPOST_CONFIG_TEXTS_H
#define PEERPOST_CONFIG_TEXTS_H

#include "config/options.h"

/* A copy of text, which may be written to and lives until options_free(). */
char *options_keep_text(struct options *options, const char *text)
    __attribute__((returns_nonnull));

/* Say in options->why what is wrong with a value, and what would be right, in a
 * sentence without a full stop.  Returns false, for the caller to return. */
bool options_refuse(struct options *options, const char *format, ...)
    PRINTF_LIKE(2, 3);

#endif
