/* admin_fail.h - failures on the admin listener.
 *
 * Floor: api.  Any thread; pure.
 *
 * There are no commands, so a failure has no code: it is
 * {"error":WORD,"message":SENTENCE}.  The words are those of err.h and, since
 * they are nothing that a player can see, some that stand with the routes.
 */
#ifndef PEERPOST_API_ADMIN_FAIL_H
#define PEERPOST_API_ADMIN_FAIL_H

#include "api/request.h"

/* Write a failure reply.  Both texts are borrowed for the call; word is a
 * literal that needs no escaping. */
void admin_fail(struct request *request, unsigned status, const char *word,
    const char *message);

#endif
