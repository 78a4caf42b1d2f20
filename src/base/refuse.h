/* refuse.h - the sentence that says why something of the operator's is refused.
 *
 * Floor: base.  Any thread; pure.
 */
#ifndef PEERPOST_BASE_REFUSE_H
#define PEERPOST_BASE_REFUSE_H

#include <stdbool.h>

#include "base/err.h"

#define REFUSE_WHY_SIZE 512 /* long enough for two paths */

/* Write a sentence to out_why; what does not fit is cut off.  Returns false,
 * for the caller to return. */
bool refuse_because(char out_why[REFUSE_WHY_SIZE], const char *format, ...)
    PRINTF_LIKE(2, 3);

#endif
