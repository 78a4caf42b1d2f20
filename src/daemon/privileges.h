/* privileges.h - which user the daemon runs as.
 *
 * Floor: daemon.  Main thread, before any other starts.
 */
#ifndef PEERPOST_DAEMON_PRIVILEGES_H
#define PEERPOST_DAEMON_PRIVILEGES_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#define IDENTITY_NAME_SIZE 64

/* Zeroed: stay who we are. */
struct identity {
	bool has_user, has_group;
	uid_t uid;
	gid_t gid;
	/* Whose supplementary groups are taken; "": a number that no user
	 * has, so none are. */
	char name[IDENTITY_NAME_SIZE];
};

/* Look up a user or a group, by name or by number.  The user's own group
 * counts unless there is another.  false: there is none. */
bool identity_set_user(struct identity *identity, const char *text);
bool identity_set_group(struct identity *identity, const char *text);

/* What does not fit together, or NULL: a sentence without a full stop. */
const char *identity_find_fault(const struct identity *identity);

/* Whether taking it on changes anything. */
bool identity_is_other(const struct identity *identity);

/* Become it for ever.  What is us already may be taken on by anybody.
 * false: why is in out_why, one sentence without a full stop.  The process
 * must not go on then: it may be half of each. */
bool identity_take_on(
    const struct identity *identity, char *out_why, size_t why_size);

#endif
