/* hash.h - uthash, with lack of memory handled as in mem.h.
 *
 * Floor: base.  The owner of a table says which thread.
 */
#ifndef PEERPOST_BASE_HASH_H
#define PEERPOST_BASE_HASH_H

#include "base/mem.h"

#define uthash_fatal(message) mem_exhausted()
#include <uthash.h>

#endif
