/* refuse.h - sentences that say why something from the operator is refused.
 *
 * Floor: base.  Any thread; pure.
 */
#ifndef PEERPOST_BASE_REFUSE_H
#define PEERPOST_BASE_REFUSE_H

#include <stdbool.h>

#include "base/err.h"

#define REFUSE_WHY_SIZE 512 /* long enough for two paths */

/* Write a sentence to out_why, cut off where it does not fit.  Returns false,
 * for the caller to return. */
bool refuse_because(char out_why[REFUSE_WHY_SIZE], const char *format, ...)
    PRINTF_LIKE(2, 3);

#endif
