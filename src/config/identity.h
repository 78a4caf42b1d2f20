/* identity.h - as which user the daemon is to run.
 *
 * Floor: config.  Main thread, before any other starts.
 */
#ifndef PEERPOST_CONFIG_IDENTITY_H
#define PEERPOST_CONFIG_IDENTITY_H

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

#endif
