/* options_texts.h - the texts that options own.
 *
 * Floor: top.  Main thread.
 */
#ifndef PEERPOST_OPTIONS_TEXTS_H
#define PEERPOST_OPTIONS_TEXTS_H

#include "options.h"

/* A copy of text, which may be written to and lives until options_free(). */
char *options_keep_text(struct options *options, const char *text)
    __attribute__((returns_nonnull));

#endif
