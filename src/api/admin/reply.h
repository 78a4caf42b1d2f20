/* reply.h - members of replies on the admin listener.
 *
 * Floor: api.  Any thread; pure.
 *
 * There are no commands, so a failure has no code: it is
 * {"error":WORD,"message":SENTENCE}, by reply_fail_admin().  The words are
 * those of err.h and, since no player can see them, some that are defined with
 * the routes.
 */
#ifndef PEERPOST_API_ADMIN_REPLY_H
#define PEERPOST_API_ADMIN_REPLY_H

#include "base/buf.h"

/* Append "name":value with a comma before it, unless it is the first of its
 * object.  name is a literal that needs no escaping. */
void admin_add_int(struct buf *out, const char *name, uint64_t value);
void admin_add_bool(struct buf *out, const char *name, bool value);
void admin_add_text(struct buf *out, const char *name, const char *value);
/* The same with an object as the value; its brace is left open. */
void admin_add_object(struct buf *out, const char *name);

#endif
